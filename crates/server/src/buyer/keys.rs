//! The keys that buyers' tokens are signed with, as settings have them: a secret shared with the marketplace's backend, or
//! the public half of a key that only the backend has.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::de::{self, Deserialize, Deserializer};
use sha2::Sha256;

/// A shorter secret could be guessed from one token.
const MIN_SECRET_BYTES: usize = 32;
/// What the DER of an Ed25519 public key begins with (RFC 8410); the key's 32 bytes follow.
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// What the server's own key is derived for.
const TRY_OUT: &[u8] = b"prilavok buyer tokens: try out";

/// A key that tokens are signed with. Each is of one algorithm, whatever a token says.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenKey {
    /// A secret that both sides have.
    Hs256(Vec<u8>),
    /// The public half of an Ed25519 key.
    Ed25519([u8; 32]),
}

/// Never the key itself: settings are printed.
impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hs256(_) => "Hs256(…)",
            Self::Ed25519(_) => "Ed25519(…)",
        })
    }
}

impl TokenKey {
    /// The server's own key, for trying out: derived from the server's secret, so that no two servers share one.
    #[must_use]
    pub fn of_server(secret: &[u8; 32]) -> Self {
        Self::Hs256(derived(secret))
    }

    /// The same, to sign with.
    pub(super) fn server_signing(secret: &[u8; 32]) -> EncodingKey {
        EncodingKey::from_secret(&derived(secret))
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Ed25519(_) => Algorithm::EdDSA,
        }
    }

    pub(super) fn for_verifying(&self) -> DecodingKey {
        match self {
            Self::Hs256(secret) => DecodingKey::from_secret(secret),
            Self::Ed25519(public) => DecodingKey::from_ed_der(public),
        }
    }

    /// `None` where only the other side can sign.
    pub(super) fn for_signing(&self) -> Option<EncodingKey> {
        match self {
            Self::Hs256(secret) => Some(EncodingKey::from_secret(secret)),
            Self::Ed25519(_) => None,
        }
    }
}

fn derived(secret: &[u8; 32]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(TRY_OUT);
    mac.finalize().into_bytes().to_vec()
}

impl<'de> Deserialize<'de> for TokenKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            #[serde(default, deserialize_with = "text")]
            hs256: Option<String>,
            #[serde(default)]
            hs256_file: Option<PathBuf>,
            #[serde(default, deserialize_with = "text")]
            ed25519: Option<String>,
            #[serde(default)]
            ed25519_file: Option<PathBuf>,
        }
        let written = Written::deserialize(deserializer)?;
        let key = match (
            written.hs256,
            written.hs256_file,
            written.ed25519,
            written.ed25519_file,
        ) {
            (Some(secret), None, None, None) => hs256(&secret),
            (None, Some(path), None, None) => read(&path).and_then(|secret| hs256(&secret)),
            (None, None, Some(public), None) => ed25519(&public),
            (None, None, None, Some(path)) => read(&path).and_then(|public| ed25519(&public)),
            _ => Err("needs one of hs256, hs256_file, ed25519 and ed25519_file".to_owned()),
        };
        key.map_err(de::Error::custom)
    }
}

/// A text; what else stands there is not repeated in the error, since it may be a secret.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match String::deserialize(deserializer) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(de::Error::custom("must be a text in quotes")),
    }
}

fn read(path: &PathBuf) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn hs256(secret: &str) -> Result<TokenKey, String> {
    // Files end in a line break that nobody means.
    let secret = secret.trim_end_matches(['\r', '\n']).as_bytes();
    if secret.len() < MIN_SECRET_BYTES {
        return Err(format!(
            "a secret must have at least {MIN_SECRET_BYTES} bytes: openssl rand -base64 32 makes one"
        ));
    }
    Ok(TokenKey::Hs256(secret.to_vec()))
}

/// A public key as PEM, as a JWK, or as the 32 bytes in base64 (a JWK's `x`).
fn ed25519(written: &str) -> Result<TokenKey, String> {
    let written = written.trim();
    let found = if written.starts_with('{') {
        of_jwk(written)
    } else if written.starts_with("-----") {
        of_pem(written)
    } else {
        of_base64(written)
    };
    found
        .map(TokenKey::Ed25519)
        .ok_or_else(|| "is no public key of Ed25519, as PEM (BEGIN PUBLIC KEY), JWK or base64".to_owned())
}

fn of_jwk(written: &str) -> Option<[u8; 32]> {
    let jwk: serde_json::Value = serde_json::from_str(written).ok()?;
    (jwk["kty"] == "OKP" && jwk["crv"] == "Ed25519")
        .then(|| of_base64(jwk["x"].as_str()?))
        .flatten()
}

fn of_pem(written: &str) -> Option<[u8; 32]> {
    let spki = SubjectPublicKeyInfoDer::from_pem_slice(written.as_bytes()).ok()?;
    spki.strip_prefix(&ED25519_SPKI)?.try_into().ok()
}

fn of_base64(written: &str) -> Option<[u8; 32]> {
    let written = written.trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(written);
    let decoded = decoded.or_else(|_| STANDARD_NO_PAD.decode(written)).ok()?;
    decoded.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The key pair of RFC 8037, appendix A.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
                       MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
                       -----END PUBLIC KEY-----\n";

    fn of(toml: &str) -> Result<TokenKey, String> {
        use figment::providers::{Format, Toml};
        let read = figment::Figment::from(Toml::string(toml)).extract();
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_public_key_is_read_in_all_its_forms() {
        let jwk = format!("{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{X}\"}}");
        let bytes = of_base64(X).expect("a key");
        for written in [X, PEM, &jwk, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="] {
            assert_eq!(ed25519(written), Ok(TokenKey::Ed25519(bytes)), "{written}");
        }
        let private = PEM.replace("PUBLIC", "PRIVATE");
        let other = jwk.replace("Ed25519", "X25519");
        for wrong in ["", "x", &X[1..], &private, &other, "{}"] {
            assert!(ed25519(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_stands_in_the_settings_or_in_a_file_and_is_never_repeated() {
        let secret = "0123456789abcdef0123456789abcdef";
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{secret}\n")).expect("written");
        let key = Ok(TokenKey::Hs256(secret.as_bytes().to_vec()));
        assert_eq!(of(&format!("hs256 = '{secret}'")), key);
        assert_eq!(of(&format!("hs256_file = '{}'", file.display())), key);
        assert!(!format!("{key:?}").contains(secret));
        for wrong in [
            "hs256 = 'too-short-to-be-a-secret'".to_owned(),
            "hs256 = 18446744073709551".to_owned(),
            format!("hs256 = '{secret}'\ned25519 = '{X}'"),
            format!("hs256 = '{secret}'\nalg = 'none'"),
            "hs256_file = '/nowhere'".to_owned(),
            String::new(),
        ] {
            let error = of(&wrong).expect_err(&wrong);
            for secret in [secret, "too-short-to-be", "18446744073709551"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
    }
}
