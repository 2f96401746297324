//! How much is allowed: per operation, and per business where the operator says so.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use prilavok_domain::BusinessId;
use prilavok_wire::Operation;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A number of calls, or no limit at all (`"unlimited"` in the settings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Calls are counted and never refused.
    Unlimited,
    /// At most so many.
    At(u32),
}

/// What an unlimited operation shows as its limit: the largest number that clients read as int32.
const SHOWN_AS_UNLIMITED: u32 = i32::MAX as u32;

impl Limit {
    /// The number that clients are shown.
    #[must_use]
    pub const fn as_number(self) -> u32 {
        match self {
            Self::Unlimited => SHOWN_AS_UNLIMITED,
            Self::At(limit) => limit,
        }
    }

    /// Whether one more is allowed when `used` are.
    #[must_use]
    pub fn allows_after(self, used: u64) -> bool {
        match self {
            Self::Unlimited => true,
            Self::At(limit) => used < u64::from(limit),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrUnlimited;

        impl Visitor<'_> for NumberOrUnlimited {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from 0 to {SHOWN_AS_UNLIMITED}, or \"unlimited\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Limit, E> {
                match u32::try_from(number) {
                    Ok(limit) if limit <= SHOWN_AS_UNLIMITED => Ok(Limit::At(limit)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Limit, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Limit, E> {
                match text {
                    "unlimited" => Ok(Limit::Unlimited),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(NumberOrUnlimited)
    }
}

/// What is allowed to one business, where it differs from the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessLimits {
    /// Calls under way at a time.
    #[serde(default)]
    pub parallel: Option<Limit>,
    /// Calls an hour.
    #[serde(default, deserialize_with = "by_operation")]
    pub hourly: BTreeMap<Operation, Limit>,
}

/// How much is allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Calls under way at a time, for each business or campaign.
    pub parallel: Limit,
    /// Calls an hour, for each business.
    #[serde(deserialize_with = "by_operation")]
    pub hourly: BTreeMap<Operation, Limit>,
    /// Businesses for which it differs.
    #[serde(default, deserialize_with = "by_business")]
    pub businesses: BTreeMap<BusinessId, BusinessLimits>,
}

impl LimitSettings {
    /// Counts on, refuses nothing.
    #[must_use]
    pub fn lifted() -> Self {
        Self {
            parallel: Limit::Unlimited,
            hourly: Operation::ALL
                .iter()
                .map(|operation| (*operation, Limit::Unlimited))
                .collect(),
            businesses: BTreeMap::new(),
        }
    }

    /// The calls that a business may have under way.
    #[must_use]
    pub fn parallel(&self, business: BusinessId) -> Limit {
        self.businesses
            .get(&business)
            .and_then(|own| own.parallel)
            .unwrap_or(self.parallel)
    }

    /// The calls of an operation that a business may make in an hour.
    #[must_use]
    pub fn hourly(&self, operation: Operation, business: BusinessId) -> Limit {
        self.businesses
            .get(&business)
            .and_then(|own| own.hourly.get(&operation).copied())
            .unwrap_or_else(|| self.usual_hourly(operation))
    }

    pub(super) fn usual_hourly(&self, operation: Operation) -> Limit {
        self.hourly
            .get(&operation)
            .copied()
            .unwrap_or(Limit::At(operation.hourly_limit()))
    }
}

fn by_operation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Operation, Limit>, D::Error> {
    let named = BTreeMap::<String, Limit>::deserialize(deserializer)?;
    named
        .into_iter()
        .map(|(name, limit)| {
            let operation = Operation::from_str(&name).map_err(|_| {
                let known: Vec<_> = Operation::ALL
                    .iter()
                    .map(|operation| operation.as_str())
                    .collect();
                de::Error::custom(format!(
                    "`{name}` is not an operation: use one of {}",
                    known.join(", ")
                ))
            })?;
            Ok((operation, limit))
        })
        .collect()
}

fn by_business<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<BusinessId, BusinessLimits>, D::Error> {
    let named = BTreeMap::<String, BusinessLimits>::deserialize(deserializer)?;
    named
        .into_iter()
        .map(|(id, limits)| {
            let business = id.parse().ok().and_then(|id| BusinessId::new(id).ok());
            let business =
                business.ok_or_else(|| de::Error::custom(format!("`{id}` is not the id of a business")))?;
            Ok((business, limits))
        })
        .collect()
}
