//! Subscriptions made, enabled and moved: none is enabled, or moved while it is, unless its receiver has answered
//! a PING as agreed. Whoever makes subscriptions comes through here, the Operator API and the command line alike.

use std::fmt;
use std::sync::Arc;

use prilavok_domain::{BusinessId, SubscriptionId, Timestamp};
use prilavok_store::{
    Applied, Attempt, Idempotency, NewSubscription, Store, StoreError, Subscription, SubscriptionChange,
    Switch,
};
use prilavok_wire::notification::Verdict;

use crate::sender::Sender;
use crate::target::InvalidTarget;

/// So much of a receiver's answer is told to whoever subscribes.
const EXCERPT_CHARS: usize = 200;

/// Makes, enables and moves subscriptions.
#[derive(Clone)]
pub struct Enrolment {
    store: Arc<dyn Store>,
    sender: Sender,
}

/// Why a subscription was not made, enabled or moved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// The URL cannot be notified.
    #[error("the URL {0}")]
    Url(#[from] InvalidTarget),
    /// The receiver did not answer as agreed.
    #[error(transparent)]
    Ping(#[from] PingFailed),
    /// The store refused, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A PING that was not answered as agreed; its text says all that is known of why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingFailed(Attempt);

impl PingFailed {
    /// What of an attempt was wrong; `None` where nothing was.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Option<Self> {
        attempt.error.is_some().then(|| Self(attempt.clone()))
    }
}

impl fmt::Display for PingFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt {
            duration_ms,
            status,
            error,
            answer,
            ..
        } = &self.0;
        let error = excerpt(error.as_deref().unwrap_or_default(), usize::MAX);
        write!(f, "the PING was not answered as agreed: {error} (")?;
        match status {
            Some(status) => write!(f, "HTTP {status}")?,
            None => f.write_str("no HTTP status")?,
        }
        write!(f, " after {duration_ms} ms)")?;
        match excerpt(answer, EXCERPT_CHARS) {
            beginning if beginning.is_empty() => Ok(()),
            beginning => write!(f, "; the answer began: {beginning}"),
        }
    }
}

impl std::error::Error for PingFailed {}

/// The beginning of what a receiver wrote, in one line that no terminal takes for commands.
fn excerpt(text: &str, chars: usize) -> String {
    let shown = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(chars).collect()
}

/// For how long the secret before a rotation goes on to sign as well: a day, unless somebody says otherwise, and a
/// week at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    seconds: u32,
}

impl Overlap {
    const MAX_SECONDS: u32 = 7 * 24 * 60 * 60;

    /// Accepts 0 to 604,800 seconds, or says so.
    pub fn seconds(seconds: u64) -> Result<Self, InvalidOverlap> {
        let seconds = u32::try_from(seconds).ok();
        match seconds.filter(|seconds| *seconds <= Self::MAX_SECONDS) {
            Some(seconds) => Ok(Self { seconds }),
            None => Err(InvalidOverlap),
        }
    }
}

impl Default for Overlap {
    fn default() -> Self {
        Self {
            seconds: 24 * 60 * 60,
        }
    }
}

/// A time that is too long for two secrets to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer from 0 to {}", Overlap::MAX_SECONDS)]
pub struct InvalidOverlap;

impl Enrolment {
    /// Subscriptions in `store`, whose receivers are asked through `sender`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, sender: Sender) -> Self {
        Self { store, sender }
    }

    /// Makes a subscription. One that is to be enabled is made disabled, since only what is kept has a secret
    /// that the PING can be signed with; if the PING is not answered as agreed, it is removed again.
    pub async fn create(
        &self,
        mut new: NewSubscription,
        enabled: bool,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>, NotEnrolled> {
        new.url = self.kept_url(&new.url)?;
        let this = self.clone();
        // A caller that goes away meanwhile must not leave half of it behind.
        let making = tokio::spawn(async move { this.make(new, enabled, once, now).await });
        let made = making.await;
        made.unwrap_or_else(|panic| Err(StoreError::Failed(Box::new(panic)).into()))
    }

    async fn make(
        &self,
        new: NewSubscription,
        enabled: bool,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>, NotEnrolled> {
        let made = self.store.create_subscription(new, once, now).await?;
        if made.replayed || !enabled {
            return Ok(made);
        }
        match self.enable(&made.value).await {
            Ok(value) => Ok(Applied {
                value,
                replayed: false,
            }),
            Err(error) => {
                let Subscription { business, id, .. } = made.value;
                self.store.delete_subscription(business, id).await?;
                Err(error)
            }
        }
    }

    /// Enables a subscription whose receiver answers; one that is enabled stays as it is.
    pub async fn enable(&self, subscription: &Subscription) -> Result<Subscription, NotEnrolled> {
        if subscription.disabled.is_none() {
            return Ok(subscription.clone());
        }
        self.ping(subscription).await?;
        let (business, id) = (subscription.business, subscription.id);
        Ok(self.store.switch_subscription(business, id, Switch::On).await?)
    }

    /// Changes a subscription. Where one that is enabled gets another URL, somebody must answer there.
    pub async fn change(
        &self,
        subscription: &Subscription,
        mut change: SubscriptionChange,
    ) -> Result<Subscription, NotEnrolled> {
        if let Some(url) = &change.url {
            let url = self.kept_url(url)?;
            if subscription.disabled.is_none() && url != subscription.url {
                let moved = Subscription {
                    url: url.clone(),
                    ..subscription.clone()
                };
                self.ping(&moved).await?;
            }
            change.url = Some(url);
        }
        let (business, id) = (subscription.business, subscription.id);
        Ok(self.store.change_subscription(business, id, change).await?)
    }

    /// Gives a subscription a new secret.
    pub async fn rotate_secret(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        overlap: Overlap,
        now: Timestamp,
    ) -> Result<Subscription, StoreError> {
        let new_secret = Switch::NewSecret {
            previous_until: now.plus_millis(i64::from(overlap.seconds) * 1_000),
        };
        self.store.switch_subscription(business, id, new_secret).await
    }

    /// The secret that the receiver is to use now.
    #[must_use]
    pub fn secret(&self, subscription: &Subscription) -> String {
        self.sender.secrets().newest(subscription).text()
    }

    fn kept_url(&self, url: &str) -> Result<String, InvalidTarget> {
        Ok(self.sender.target(url)?.as_str().to_owned())
    }

    /// Sees whether the receiver of a subscription answers a PING as agreed.
    pub async fn ping(&self, subscription: &Subscription) -> Result<(), PingFailed> {
        match self.sender.ping(subscription).await {
            (_, Verdict::Accepted) => Ok(()),
            (attempt, Verdict::Refused(_) | Verdict::Failed(_)) => Err(PingFailed(attempt)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_ping_tells_all_that_is_known() {
        let at = Timestamp::from_millis(0).expect("in range");
        for (status, error, answer, told) in [
            (
                Some(500),
                "the answer was 500 instead of 200",
                "oops\u{1b}[2J\nagain",
                "the PING was not answered as agreed: the answer was 500 instead of 200 (HTTP 500 after 7 ms); \
                 the answer began: oops [2J again",
            ),
            (
                None,
                "there was no answer within 1 s",
                "",
                "the PING was not answered as agreed: there was no answer within 1 s (no HTTP status after 7 ms)",
            ),
        ] {
            let attempt = Attempt {
                at,
                duration_ms: 7,
                status,
                error: Some(error.to_owned()),
                answer: answer.to_owned(),
            };
            assert_eq!(PingFailed::of(&attempt).expect("failed").to_string(), told);
        }
        let long = excerpt(&"ю".repeat(300), EXCERPT_CHARS);
        assert_eq!(long.chars().count(), EXCERPT_CHARS);
    }
}
