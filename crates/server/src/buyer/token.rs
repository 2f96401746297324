//! Buyers' tokens: JWTs that the marketplace's backend signs and that open one customer's chats in one business for a
//! while. The key says by which algorithm a token is verified, the injected clock what time it is.

use std::collections::BTreeMap;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use prilavok_domain::id::OutOfRange;
use prilavok_domain::{BusinessId, OrderId, PublicId, ReturnId, Timestamp};
use prilavok_store::CustomerChats;
use serde::{Deserialize, Deserializer, Serialize};

use super::crypto;
use super::keys::TokenKey;
use crate::settings::BuyerSettings;

/// The `kid` of the server's own key.
pub const TRY_OUT_KID: &str = "try-out";
/// How far the clocks of two machines may be apart.
pub const LEEWAY_MS: i64 = 30_000;
/// Longer tokens are nobody's.
const MAX_CHARS: usize = 4_096;

/// The claims of a token that is made here.
#[derive(Serialize)]
struct NewClaims<'a> {
    sub: &'a str,
    business: i64,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    business: Option<i64>,
    #[serde(default)]
    aud: Option<OneOrMany>,
    #[serde(default, deserialize_with = "instant")]
    exp: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    iat: Option<Timestamp>,
    #[serde(default)]
    order_id: Option<i64>,
    #[serde(default)]
    return_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

/// Reads seconds since 1970, whole or not.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let since = Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)?;
    let millis = i64::try_from(since.as_millis()).ok();
    let read = millis.and_then(Timestamp::from_millis);
    read.map(Some)
        .ok_or_else(|| serde::de::Error::custom("no time of this world"))
}

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The business whose chats these are.
    pub business: BusinessId,
    /// Whose chats, and which of them.
    pub chats: CustomerChats,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Opened {
    /// Whether it still does, with the leeway that clocks get.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        now < self.expires_at.plus_millis(LEEWAY_MS)
    }
}

/// Why a token opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no signed JWT.
    #[error("is no signed JWT: three parts in base64url, signed with HS256 or EdDSA")]
    Malformed,
    /// Its head demands what nobody here understands.
    #[error("has a `crit` header, of which nothing is understood")]
    Critical,
    /// No key has its `kid`.
    #[error("is signed with a key that is not configured (`kid`)")]
    UnknownKey,
    /// There are several keys, and it does not say which one.
    #[error("needs a `kid`, since several keys are configured")]
    KeyNotNamed,
    /// It says another algorithm than its key is for.
    #[error("is not signed with the algorithm of its key")]
    WrongAlgorithm,
    /// The signature is not of that key, or the token was changed.
    #[error("has a signature that does not fit")]
    WrongSignature,
    /// A claim is missing or wrong.
    #[error("has a claim `{claim}` that {problem}")]
    Claim {
        /// The claim.
        claim: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn claim<T>(claim: &'static str, problem: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Claim {
        claim,
        problem: problem.into(),
    })
}

/// Verifies tokens.
pub struct Tokens {
    audience: String,
    max_ms: i64,
    keys: BTreeMap<String, TokenKey>,
    /// The key of tokens that name none, where it is clear which one.
    only: Option<TokenKey>,
}

impl Tokens {
    /// As the settings say. `server` is the server's secret.
    #[must_use]
    pub fn new(settings: &BuyerSettings, server: &[u8; 32]) -> Self {
        crypto::install();
        let mut keys = settings.keys.clone();
        let only = match keys.len() {
            1 => keys.values().next().cloned(),
            _ => None,
        };
        if settings.try_out {
            keys.entry(TRY_OUT_KID.to_owned())
                .or_insert_with(|| TokenKey::of_server(server));
        }
        Self {
            audience: settings.audience.clone(),
            max_ms: i64::from(settings.max_token_minutes) * 60_000,
            keys,
            only,
        }
    }

    /// Whether nobody can sign tokens.
    #[must_use]
    pub fn has_no_keys(&self) -> bool {
        self.keys.is_empty()
    }

    /// What a token opens now.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Opened, Refused> {
        if token.len() > MAX_CHARS {
            return Err(Refused::Malformed);
        }
        let header = decode_header(token).map_err(|_| Refused::Malformed)?;
        if header.crit.is_some() {
            return Err(Refused::Critical);
        }
        let key = match &header.kid {
            Some(kid) => self.keys.get(kid).ok_or(Refused::UnknownKey)?,
            None => self.only.as_ref().ok_or(Refused::KeyNotNamed)?,
        };
        if header.alg != key.algorithm() {
            return Err(Refused::WrongAlgorithm);
        }
        let decoded = decode::<Claims>(token, &key.for_verifying(), &only_signature(key.algorithm()));
        let claims = decoded.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Refused::WrongSignature,
            ErrorKind::Json(problem) => Refused::Claim {
                claim: "…",
                problem: format!("cannot be read: {problem}"),
            },
            _ => Refused::Malformed,
        })?;
        self.check(claims.claims, now)
    }

    fn check(&self, claims: Claims, now: Timestamp) -> Result<Opened, Refused> {
        let soon = now.plus_millis(LEEWAY_MS);
        if !claims.aud.is_some_and(|aud| aud.has(&self.audience)) {
            return claim("aud", format!("is not {:?}", self.audience));
        }
        let Some(expires_at) = claims.exp else {
            return claim("exp", "is missing");
        };
        if expires_at <= now.plus_millis(-LEEWAY_MS) {
            return claim("exp", "is over");
        }
        if claims.nbf.is_some_and(|from| from > soon) {
            return claim("nbf", "is not yet");
        }
        if claims.iat.is_some_and(|made| made > soon) {
            return claim("iat", "lies in the future");
        }
        let made_at = claims.iat.map_or(now, |made| made.min(now));
        if expires_at > made_at.plus_millis(self.max_ms + LEEWAY_MS) {
            let minutes = self.max_ms / 60_000;
            return claim("exp", format!("is more than {minutes} minutes away"));
        }
        let Some(business) = claims.business.and_then(|id| BusinessId::new(id).ok()) else {
            return claim("business", "is not the id of a business");
        };
        let Some(customer) = claims.sub.and_then(|sub| PublicId::new(sub).ok()) else {
            return claim("sub", "is not the publicId of a customer");
        };
        Ok(Opened {
            business,
            chats: CustomerChats {
                customer,
                order: narrowed(claims.order_id, "orderId", OrderId::new)?,
                returned: narrowed(claims.return_id, "returnId", ReturnId::new)?,
            },
            expires_at,
        })
    }
}

fn narrowed<I>(
    id: Option<i64>,
    name: &'static str,
    make: impl Fn(i64) -> Result<I, OutOfRange>,
) -> Result<Option<I>, Refused> {
    id.map(make).transpose().or_else(|_| claim(name, "is no id"))
}

/// The signature is the library's to check; the claims are ours, by our clock.
fn only_signature(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// A token that this server signed itself, for trying out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The token.
    pub token: String,
    /// The key that it is signed with.
    pub kid: String,
}

/// Signs a token with the first secret that the settings have, or else with the server's own key, which is taken where
/// `buyer.try_out` is set. `server` is the server's secret.
pub fn sign(
    settings: &BuyerSettings,
    server: &[u8; 32],
    business: BusinessId,
    customer: &PublicId,
    now: Timestamp,
    minutes: u32,
) -> Result<Signed, jsonwebtoken::errors::Error> {
    crypto::install();
    let configured = settings
        .keys
        .iter()
        .find_map(|(kid, key)| Some((kid.as_str(), key.for_signing()?)));
    let (kid, secret) = match configured {
        Some(found) => found,
        None => (TRY_OUT_KID, TokenKey::server_signing(server)),
    };
    let iat = now.as_millis() / 1_000;
    let claims = NewClaims {
        sub: customer.as_str(),
        business: business.get(),
        aud: &settings.audience,
        iat,
        exp: iat + i64::from(minutes) * 60,
    };
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(kid.to_owned());
    Ok(Signed {
        token: encode(&header, &claims, &secret)?,
        kid: kid.to_owned(),
    })
}
