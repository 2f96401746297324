//! What error messages put in: values that clients sent, sizes, and whom a limit is counted for.

use std::fmt;

use prilavok_domain::{BusinessId, CampaignId, ScopeSet};

/// The most characters of a client's value that a message repeats.
const MAX_QUOTED_CHARS: usize = 100;

/// A value that a client sent, cut to 100 characters, as a message repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    /// Keeps the beginning of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.char_indices().nth(MAX_QUOTED_CHARS) {
            Some((end, _)) => Self(format!("{}…", &text[..end])),
            None => Self(text.to_owned()),
        }
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a limit is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// A business.
    Business(BusinessId),
    /// A campaign.
    Campaign(CampaignId),
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Business(id) => write!(f, "businessId {id}"),
            Self::Campaign(id) => write!(f, "campaignId {id}"),
        }
    }
}

/// A size in bytes, shown in kilobytes (1,024 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kilobytes(pub u64);

impl fmt::Display for Kilobytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1024)
    }
}

/// A size in bytes, shown in megabytes (1,048,576 bytes) to hundredths, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Megabytes(pub u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (u128::from(self.0) * 100).div_ceil(1024 * 1024);
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// Scopes, as a refusal lists them.
pub(crate) struct ScopeNames(pub(crate) ScopeSet);

impl fmt::Display for ScopeNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        let quoted = Quoted::new(&"я".repeat(1000)).to_string();
        assert_eq!(quoted, format!("{}…", "я".repeat(100)));
        assert_eq!(Quoted::new(&"я".repeat(100)).to_string(), "я".repeat(100));
    }
}
