//! What a client shows to be let in.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// What a client shows to be let in. It is never shown otherwise: `Debug` leaves it out.
#[derive(Clone)]
pub struct Credential {
    name: HeaderName,
    value: HeaderValue,
}

/// A text that cannot be sent as a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key or token is empty or has characters that none has: was something else pasted?")]
pub struct InvalidCredential;

impl Credential {
    /// A key of a business: `ACMA:…`.
    pub fn api_key(key: &str) -> Result<Self, InvalidCredential> {
        Self::new(API_KEY, key.trim(), key.trim())
    }

    /// An OAuth token.
    pub fn bearer(token: &str) -> Result<Self, InvalidCredential> {
        let token = token.trim();
        Self::new(AUTHORIZATION, token, &format!("Bearer {token}"))
    }

    fn new(name: HeaderName, secret: &str, value: &str) -> Result<Self, InvalidCredential> {
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidCredential);
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| InvalidCredential)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }

    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        (self.name.clone(), self.value.clone())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}: …)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_not_shown() {
        for credential in [Credential::api_key("ACMA:secret\n"), Credential::bearer("secret")] {
            let shown = format!("{:?}", credential.expect("a credential"));
            assert!(!shown.contains("secret"), "{shown}");
        }
        for wrong in ["", " ", "two words", "ключ"] {
            assert!(Credential::api_key(wrong).is_err() && Credential::bearer(wrong).is_err());
        }
    }
}
