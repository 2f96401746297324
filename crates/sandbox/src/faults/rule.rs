//! A rule as it is written, and when it acts.

use prilavok_domain::rules::NotificationType;
use prilavok_wire::Operation;
use serde::{Deserialize, Serialize};

use super::error::ErrorName;
use crate::duration::Span;

/// Which calls or deliveries go wrong, how often, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Calls of this operation, by the name that the contract gives it. Absent: of all.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_text")]
    pub operation: Option<Operation>,
    /// Deliveries of this type of notification instead of calls; `ANY`: of all types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<Notified>,
    /// Those of this business. Absent: of all. Calls whose address names no business belong to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_id: Option<i64>,
    /// Only the nth of them, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// By chance, with this probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// At most so many times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What goes wrong.
    #[serde(rename = "do")]
    pub act: Act,
}

/// Which deliveries a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
    /// All.
    Any,
    /// Those of one type.
    Of(NotificationType),
}

impl Serialize for Notified {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Any => "ANY",
            Self::Of(kind) => kind.as_str(),
        })
    }
}

impl<'de> Deserialize<'de> for Notified {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "ANY" {
            return Ok(Self::Any);
        }
        let known = NotificationType::ALL.iter().find(|kind| kind.as_str() == text);
        known.map(|kind| Self::Of(*kind)).ok_or_else(|| {
            let names: Vec<_> = NotificationType::ALL.iter().map(|kind| kind.as_str()).collect();
            serde::de::Error::custom(format!("'{text}' is none of ANY, {}", names.join(", ")))
        })
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Act {
    /// A call is admitted and then answered with this error; nothing else happens.
    Error(ErrorName),
    /// A call is answered so much later in real time; a delivery is made so much later by the sandbox's clock.
    Delay(Span),
    /// The connection is closed in the middle of a call's answer; what was asked for has been done.
    CutOff,
    /// The connection is closed without an answer; what was asked for has been done.
    LoseAnswer,
    /// A delivery is made twice.
    Duplicate,
    /// A delivery is not made, and taken for made.
    Drop,
}

impl Act {
    const fn is_for_calls(&self) -> bool {
        matches!(
            self,
            Self::Error(_) | Self::Delay(_) | Self::CutOff | Self::LoseAnswer
        )
    }

    const fn is_for_deliveries(&self) -> bool {
        matches!(self, Self::Delay(_) | Self::Duplicate | Self::Drop)
    }
}

/// A rule that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// It names calls and deliveries.
    #[error("'operation' and 'notification' exclude each other")]
    Both,
    /// Calls cannot go wrong like this.
    #[error(
        "'do' must be error, delay, cutOff or loseAnswer: 'notification' chooses deliveries instead of calls"
    )]
    NotForCalls,
    /// Deliveries cannot go wrong like this.
    #[error("'do' must be duplicate, drop or delay where 'notification' is given")]
    NotForDeliveries,
    /// The probability is none.
    #[error("'probability' must be above 0 and at most 1")]
    Probability,
    /// Counting begins at one.
    #[error("'nth' must be at least 1")]
    Nth,
    /// It would never act.
    #[error("'times' must be at least 1")]
    Times,
}

impl Rule {
    /// Whether it can act at all.
    pub fn check(&self) -> Result<(), InvalidRule> {
        if self.operation.is_some() && self.notification.is_some() {
            return Err(InvalidRule::Both);
        }
        if self.notification.is_none() && !self.act.is_for_calls() {
            return Err(InvalidRule::NotForCalls);
        }
        if self.notification.is_some() && !self.act.is_for_deliveries() {
            return Err(InvalidRule::NotForDeliveries);
        }
        if self.probability.is_some_and(|it| !(it > 0.0 && it <= 1.0)) {
            return Err(InvalidRule::Probability);
        }
        if self.nth == Some(0) {
            return Err(InvalidRule::Nth);
        }
        if self.times == Some(0) {
            return Err(InvalidRule::Times);
        }
        Ok(())
    }

    pub(super) fn chooses_call(&self, operation: Operation, business: Option<i64>) -> bool {
        self.notification.is_none()
            && self.operation.is_none_or(|it| it == operation)
            && (self.business_id.is_none() || self.business_id == business)
    }

    pub(super) fn chooses_delivery(&self, kind: NotificationType, business: i64) -> bool {
        self.notification
            .is_some_and(|it| it == Notified::Any || it == Notified::Of(kind))
            && self.business_id.is_none_or(|it| it == business)
    }

    /// Whether it acts on the `seen`th that it chose, after it has acted `acted` times.
    pub(super) fn acts(&self, seen: u64, acted: u64, random: &mut fastrand::Rng) -> bool {
        self.times.is_none_or(|times| acted < times)
            && self.nth.is_none_or(|nth| nth == seen)
            && self.probability.is_none_or(|it| random.f64() < it)
    }
}

/// Operations by their names.
mod as_text {
    use prilavok_wire::Operation;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Operation>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(operation) => to.serialize_str(operation.as_str()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Operation>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let names: Vec<_> = Operation::ALL.iter().map(|it| it.as_str()).collect();
            serde::de::Error::custom(format!("'{text}' is none of {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Result<Rule, String> {
        let rule: Rule = serde_json::from_str(json).map_err(|error| error.to_string())?;
        rule.check().map_err(|error| error.to_string())?;
        Ok(rule)
    }

    #[test]
    fn rules_are_read_and_written_alike() {
        for json in [
            r#"{"operation":"getChat","businessId":1,"nth":3,"do":{"error":"chatNotFound"}}"#,
            r#"{"probability":0.1,"times":2,"do":{"delay":"30s"}}"#,
            r#"{"operation":"sendMessageToChat","do":"loseAnswer"}"#,
            r#"{"do":"cutOff"}"#,
            r#"{"notification":"CHAT_MESSAGE_SENT","do":"duplicate"}"#,
            r#"{"notification":"ANY","do":"drop"}"#,
            r#"{"notification":"ANY","do":{"delay":"5m"}}"#,
        ] {
            let rule = rule(json).expect(json);
            assert_eq!(serde_json::to_string(&rule).expect(json), json);
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named() {
        for (json, expected) in [
            (
                r#"{"operation":"getCat","do":"cutOff"}"#,
                "'getCat' is none of getChat",
            ),
            (r#"{"do":"explode"}"#, "unknown variant `explode`"),
            (r#"{"do":{"error":"teapot"}}"#, "'teapot' is none of"),
            (r#"{"do":{"delay":"soon"}}"#, "'soon' is not a length of time"),
            (
                r#"{"do":"drop"}"#,
                "'do' must be error, delay, cutOff or loseAnswer",
            ),
            (
                r#"{"notification":"ANY","do":"cutOff"}"#,
                "'do' must be duplicate, drop or delay",
            ),
            (r#"{"notification":"CHAT","do":"drop"}"#, "'CHAT' is none of ANY"),
            (
                r#"{"operation":"getChat","notification":"ANY","do":"drop"}"#,
                "exclude each other",
            ),
            (
                r#"{"probability":1.5,"do":"cutOff"}"#,
                "'probability' must be above 0",
            ),
            (r#"{"nth":0,"do":"cutOff"}"#, "'nth' must be at least 1"),
            (r#"{"times":0,"do":"cutOff"}"#, "'times' must be at least 1"),
            (r#"{"often":1,"do":"cutOff"}"#, "unknown field `often`"),
        ] {
            let error = rule(json).expect_err(json);
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn a_rule_acts_on_the_nth_and_so_many_times_and_by_chance() {
        let acted = |json: &str, of: u64| {
            let rule = rule(json).expect(json);
            let mut random = fastrand::Rng::with_seed(1);
            let mut acted = Vec::new();
            for seen in 1..=of {
                if rule.acts(seen, acted.len() as u64, &mut random) {
                    acted.push(seen);
                }
            }
            acted
        };
        assert_eq!(acted(r#"{"nth":3,"do":"cutOff"}"#, 10), [3]);
        assert_eq!(acted(r#"{"times":2,"do":"cutOff"}"#, 10), [1, 2]);
        let by_chance = acted(r#"{"probability":0.5,"do":"cutOff"}"#, 1_000).len();
        assert!((400..600).contains(&by_chance), "{by_chance}");
    }
}
