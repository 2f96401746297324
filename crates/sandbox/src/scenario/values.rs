//! The single values of a scenario: how they are written, and what is said of wrong ones.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use prilavok_domain::rules::{NotificationType, WaitFor};
use prilavok_domain::{ChatStatus, MessageText, Name, Placement, Timestamp};
use prilavok_wire::UtcOffset;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};

/// Longer waits are mistakes.
const MAX_LAPSE_MS: i64 = 366 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const MINUTE_MS: i64 = 60_000;

/// Deserializes a value that is written as a text.
macro_rules! read_as_text {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

read_as_text!(Lapse, TimeOfDay, Pattern, Text, Title);

/// Describes a value to JSON Schema, where it is used and not by a reference.
macro_rules! described {
    ($name:ident, $($schema:tt)+) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

/// A length of time: `2s`, `10m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lapse(i64);

impl Lapse {
    /// In milliseconds.
    #[must_use]
    pub(super) const fn millis(self) -> i64 {
        self.0
    }
}

impl FromStr for Lapse {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = humantime::parse_duration(text).map(|it| i64::try_from(it.as_millis()));
        match millis {
            Ok(Ok(millis)) if (0..=MAX_LAPSE_MS).contains(&millis) => Ok(Self(millis)),
            Ok(_) => Err(format!("`{text}` is longer than a year")),
            Err(_) => Err(format!(
                "`{text}` is no length of time, which is written like 2s, 10m or 1h30m"
            )),
        }
    }
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = Duration::from_millis(self.0.unsigned_abs());
        f.write_str(&humantime::format_duration(length).to_string().replace(' ', ""))
    }
}

described!(Lapse, {
    "type": "string",
    "description": "A length of time: 2s, 10m, 1h30m.",
    "examples": ["2s", "10m", "1h30m"],
});

/// A time of day, at an offset from UTC or at the server's own: `09:30`, `09:30+03:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    minutes: i32,
    offset: Option<UtcOffset>,
}

impl TimeOfDay {
    /// The first instant after `now` at which it is this time of day.
    #[must_use]
    pub(super) fn next_after(self, now: Timestamp, server: UtcOffset) -> Timestamp {
        let offset = i64::from(self.offset.unwrap_or(server).minutes()) * MINUTE_MS;
        let today = (now.as_millis() + offset).rem_euclid(DAY_MS);
        let ahead = i64::from(self.minutes) * MINUTE_MS - today;
        now.plus_millis(if ahead > 0 { ahead } else { ahead + DAY_MS })
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time of day, which is written like 09:30 or 09:30+03:00");
        let (time, offset) = text.split_at_checked(5).ok_or_else(wrong)?;
        let (hours, minutes) = time.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str, below: i32| {
            let all_digits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits
                .parse::<i32>()
                .ok()
                .filter(|number| all_digits && *number < below);
            number.ok_or_else(wrong)
        };
        let minutes = number(hours, 24)? * 60 + number(minutes, 60)?;
        let offset = match offset {
            "" => None,
            offset => Some(offset.parse().map_err(|_| wrong())?),
        };
        Ok(Self { minutes, offset })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)?;
        self.offset.map_or(Ok(()), |offset| offset.fmt(f))
    }
}

described!(TimeOfDay, {
    "type": "string",
    "description": "A time of day, of the server or with an offset from UTC: 09:30, 09:30+03:00.",
    "pattern": "^[0-2][0-9]:[0-5][0-9](Z|[+-][0-9]{2}:[0-9]{2})?$",
    "examples": ["03:00", "09:30+03:00"],
});

/// A regular expression that is found in a text.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in the text.
    #[must_use]
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            format!(
                "`{text}` is no regular expression: {}",
                reason.trim_start_matches("error: ")
            )
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

described!(Pattern, {
    "type": "string",
    "description": "A regular expression (of the Rust crate regex) that is found in a text; (?i) at its beginning \
        disregards case.",
    "examples": ["(?i)трек|track"],
});

/// The text of a message: 1 to 4,096 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub MessageText);

impl FromStr for Text {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        MessageText::new(text)
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

described!(Text, {
    "type": "string",
    "minLength": 1,
    "maxLength": prilavok_domain::message::MAX_TEXT_CHARS,
});

/// The name of a business or a customer, and the title of a scenario: 1 to 256 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title(pub Name);

impl FromStr for Title {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Name::new(text).map(Self).map_err(|error| error.to_string())
    }
}

described!(Title, { "type": "string", "minLength": 1, "maxLength": Name::MAX_CHARS });

/// Values of an enumeration of the domain, by the names that they have everywhere.
macro_rules! named {
    ($($(#[$meta:meta])* $name:ident($of:ty)),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) struct $name(pub $of);

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                text.parse().map(Self).map_err(|_| {
                    let all: Vec<_> = <$of>::ALL.iter().map(|one| one.as_str()).collect();
                    format!("`{text}` is none of {}", all.join(", "))
                })
            }
        }

        read_as_text!($name);

        described!($name, {
            "type": "string",
            "enum": <$of>::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
        });
    )+};
}

named! {
    /// How a campaign sells.
    PlacementName(Placement),
    /// Whom a SUPPORT message leaves the chat waiting for.
    WaitForName(WaitFor),
    /// The status of a chat.
    StatusName(ChatStatus),
    /// What sellers are told about.
    NotificationName(NotificationType),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, millis) in [
            ("2s", Some(2_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("0s", Some(0)),
            ("2", None),
            ("-2s", None),
            ("soon", None),
            ("2years", None),
        ] {
            assert_eq!(text.parse().map(Lapse::millis).ok(), millis, "{text}");
        }
        let shown = "90m".parse::<Lapse>().map(|it| it.to_string());
        assert_eq!(shown.as_deref(), Ok("1h30m"));
    }

    #[test]
    fn the_next_time_of_day_is_always_ahead() {
        let at = |text: &str| text.parse::<prilavok_wire::time::Utc>().expect("an instant").0;
        let moscow: UtcOffset = "+03:00".parse().expect("an offset");
        for (time, now, next) in [
            ("03:00", "2025-01-16T10:00:00Z", "2025-01-17T00:00:00Z"),
            ("03:00Z", "2025-01-16T01:00:00Z", "2025-01-16T03:00:00Z"),
            ("13:00", "2025-01-16T10:00:00Z", "2025-01-17T10:00:00Z"),
            ("13:00", "2025-01-16T09:59:59.999Z", "2025-01-16T10:00:00Z"),
            ("22:00-05:00", "2025-01-16T10:00:00Z", "2025-01-17T03:00:00Z"),
        ] {
            let parsed: TimeOfDay = time.parse().expect("a time");
            assert_eq!(parsed.next_after(at(now), moscow), at(next), "{time} after {now}");
            assert_eq!(parsed.to_string(), time.replace('Z', "+00:00"));
        }
        for wrong in [
            "24:00",
            "3:00",
            "03:60",
            "+3:00",
            "03:00 MSK",
            "полночь",
            "03:00+3",
        ] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }
}
