//! How deliveries are signed, as the Standard Webhooks specification says: HMAC-SHA-256 over id, time and
//! body, with a secret that only this server and the receiver know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use prilavok_domain::{BusinessId, SubscriptionId, Timestamp};
use prilavok_store::Subscription;
use sha2::Sha256;

/// What a secret begins with when it is shown.
const PREFIX: &str = "whsec_";
/// What the server's own secret is used for here; it keeps these apart from everything else made with it.
const PURPOSE: &[u8] = b"webhook signing secret";

/// The secrets of all subscriptions, derived from the server's own: nothing has to be kept for them.
#[derive(Clone)]
pub struct SigningSecrets {
    key: Hmac<Sha256>,
}

/// The secret of a subscription.
#[derive(Clone)]
pub struct SigningSecret([u8; 32]);

impl SigningSecrets {
    /// The secrets that the server's own secret gives.
    #[must_use]
    pub fn new(server_secret: &[u8; 32]) -> Self {
        Self {
            key: Hmac::new_from_slice(server_secret).expect("HMAC takes keys of any length"),
        }
    }

    /// The secret of a subscription that receivers are to use now.
    #[must_use]
    pub fn newest(&self, subscription: &Subscription) -> SigningSecret {
        self.of(
            subscription.business,
            subscription.id,
            subscription.secret_generation,
        )
    }

    /// The secrets of a subscription that are good at `now`, the newest first.
    #[must_use]
    pub fn valid(&self, subscription: &Subscription, now: Timestamp) -> Vec<SigningSecret> {
        let mut valid = vec![self.newest(subscription)];
        if subscription
            .previous_secret_until
            .is_some_and(|until| now < until)
        {
            let generation = subscription.secret_generation.saturating_sub(1);
            valid.push(self.of(subscription.business, subscription.id, generation));
        }
        valid
    }

    fn of(&self, business: BusinessId, subscription: SubscriptionId, generation: u32) -> SigningSecret {
        let mut mac = self.key.clone();
        mac.update(PURPOSE);
        mac.update(&business.get().to_be_bytes());
        mac.update(&subscription.get().to_be_bytes());
        mac.update(&generation.to_be_bytes());
        SigningSecret(mac.finalize().into_bytes().into())
    }
}

impl SigningSecret {
    /// As receivers' libraries take it: `whsec_` and Base64.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The value of `webhook-signature`: one signature for each secret that is good.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, seconds: i64, body: &[u8]) -> String {
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| secret.sign(id, seconds, body))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use prilavok_domain::EventTypes;
    use prilavok_store::SubscriptionName;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    fn subscription(id: i64, generation: u32, previous_until: Option<i64>) -> Subscription {
        Subscription {
            business: BusinessId::new(1).expect("an id"),
            id: SubscriptionId::new(id).expect("an id"),
            name: SubscriptionName::new("crm").expect("a name"),
            url: "https://crm.example/".to_owned(),
            types: EventTypes::ALL,
            disabled: None,
            secret_generation: generation,
            previous_secret_until: previous_until.map(at),
            created_at: at(0),
            failing_since: None,
            next_try_at: None,
        }
    }

    /// The example of the specification's own documentation.
    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let key = STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .expect("Base64");
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(&key).expect("a key");
        mac.update(b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
        let expected = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(expected, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let mut padded = [0; 32];
        padded[..key.len()].copy_from_slice(&key);
        // HMAC pads keys with zeros, so the shorter key of the example and the padded one are the same.
        let ours = SigningSecret(padded).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            b"{\"test\": 2432232314}",
        );
        assert_eq!(ours, format!("v1,{expected}"));
    }

    #[test]
    fn subscriptions_and_generations_have_secrets_of_their_own() {
        let secrets = SigningSecrets::new(&[7; 32]);
        let texts: std::collections::HashSet<_> = [
            secrets.newest(&subscription(1, 1, None)),
            secrets.newest(&subscription(1, 2, None)),
            secrets.newest(&subscription(2, 1, None)),
            SigningSecrets::new(&[8; 32]).newest(&subscription(1, 1, None)),
        ]
        .iter()
        .map(SigningSecret::text)
        .collect();
        assert_eq!(texts.len(), 4);
        assert!(texts.iter().all(|text| text.starts_with("whsec_")));
    }

    #[test]
    fn the_secret_before_is_good_for_a_while() {
        let secrets = SigningSecrets::new(&[7; 32]);
        let rotated = subscription(1, 2, Some(1_000));
        let texts = |now| -> Vec<_> {
            let valid = secrets.valid(&rotated, at(now));
            valid.iter().map(SigningSecret::text).collect()
        };
        let (old, new) = (
            secrets.newest(&subscription(1, 1, None)).text(),
            secrets.newest(&rotated).text(),
        );
        assert_eq!(texts(999), [new.clone(), old]);
        assert_eq!(texts(1_000), [new]);
        let two = sign(&secrets.valid(&rotated, at(0)), "id", 1, b"{}");
        assert_eq!(two.split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
    }
}
