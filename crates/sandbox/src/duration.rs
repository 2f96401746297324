//! Times as people write them: `2s`, `10m`, `36h`, `1h 30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time of at most a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

const MAX: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A text that is no length of time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("'{0}' is not a length of time such as 2s, 10m, 36h or 1h 30m, of at most 100 years")]
pub struct SpanError(String);

impl Span {
    /// As real time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= MAX => Ok(Self(duration)),
            _ => Err(SpanError(text.chars().take(50).collect())),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}
