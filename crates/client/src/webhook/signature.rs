//! Signatures as Standard Webhooks has them: HMAC-SHA-256 over id, time and body, with a secret that only server and
//! receiver know.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// Signatures of this kind.
const VERSION: &str = "v1,";

/// A signing secret, as it was shown when the subscription was made. `Debug` leaves it out.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A text that is no signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is written like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
pub struct InvalidSecret;

/// Why a notification is not taken for the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// Headers are missing or cannot be read.
    #[error(
        "it is not signed: webhook-id, webhook-timestamp or webhook-signature is missing or cannot be read"
    )]
    Unsigned,
    /// It was signed too long ago, or in the future: somebody may be sending again what was overheard.
    #[error("it was signed {0} s away from now: is the clock right?")]
    Stale(i64),
    /// None of its signatures was made with a secret of the receiver.
    #[error("it was signed with another secret, or changed on its way")]
    Forged,
}

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        match STANDARD.decode(encoded) {
            Ok(key) if !key.is_empty() => Ok(Self(key)),
            _ => Err(InvalidSecret),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether a notification was signed with one of the secrets, and not too long ago.
pub(super) fn verify(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    tolerance_seconds: i64,
) -> Result<(), BadSignature> {
    let header = |name| headers.get(name)?.to_str().ok();
    let signed = (|| {
        let seconds = header("webhook-timestamp")?;
        Some((
            header("webhook-id")?,
            seconds,
            seconds.parse::<i64>().ok()?,
            header("webhook-signature")?,
        ))
    })();
    let (id, seconds, signed_at, signatures) = signed.ok_or(BadSignature::Unsigned)?;
    let away = now.as_second().saturating_sub(signed_at);
    if away.saturating_abs() > tolerance_seconds {
        return Err(BadSignature::Stale(away));
    }
    let mut given = signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix(VERSION)?).ok());
    let genuine = given.any(|signature| {
        secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) else {
                return false;
            };
            mac.update(format!("{id}.{seconds}.").as_bytes());
            mac.update(body);
            // In constant time.
            mac.verify_slice(&signature).is_ok()
        })
    });
    if genuine {
        Ok(())
    } else {
        Err(BadSignature::Forged)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The example of the specification's own documentation.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNED_AT: i64 = 1_614_265_330;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn check(secrets: &[&str], signature: &str, body: &[u8], late: i64) -> Result<(), BadSignature> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "webhook-id",
            HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        );
        headers.insert("webhook-timestamp", HeaderValue::from(SIGNED_AT));
        headers.insert("webhook-signature", signature.parse().expect("a header"));
        let secrets: Vec<Secret> = secrets.iter().map(|one| one.parse().expect("a secret")).collect();
        let now = Timestamp::from_second(SIGNED_AT + late).expect("in range");
        verify(&secrets, &headers, body, now, 300)
    }

    #[test]
    fn the_example_of_the_specification_is_genuine() {
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, 0), Ok(()));
        let other = "whsec_AAAA";
        assert_eq!(
            check(&[other, SECRET], &format!("v1a,x v1,AAAA {SIGNATURE}"), BODY, 0),
            Ok(())
        );
        assert_eq!(check(&[other], SIGNATURE, BODY, 0), Err(BadSignature::Forged));
        assert_eq!(check(&[SECRET], SIGNATURE, b"{}", 0), Err(BadSignature::Forged));
        assert_eq!(check(&[SECRET], "v1,", BODY, 0), Err(BadSignature::Forged));
    }

    #[test]
    fn what_was_overheard_is_no_good_later() {
        assert_eq!(check(&[SECRET], SIGNATURE, BODY, 300), Ok(()));
        assert_eq!(
            check(&[SECRET], SIGNATURE, BODY, 301),
            Err(BadSignature::Stale(301))
        );
        assert_eq!(
            check(&[SECRET], SIGNATURE, BODY, -301),
            Err(BadSignature::Stale(-301))
        );
        let unsigned = verify(&[], &HeaderMap::new(), BODY, Timestamp::now(), 300);
        assert_eq!(unsigned, Err(BadSignature::Unsigned));
    }

    #[test]
    fn secrets_are_read_and_not_shown() {
        assert_eq!(format!("{:?}", SECRET.parse::<Secret>()), "Ok(Secret(…))");
        for wrong in ["", "whsec_", "whsec_?"] {
            assert_eq!(wrong.parse::<Secret>().map(drop), Err(InvalidSecret), "{wrong}");
        }
    }
}
