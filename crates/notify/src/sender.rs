//! One notification: made, signed, sent, and its answer judged.

use std::sync::Arc;
use std::time::Duration;

use prilavok_domain::{Clock, Event, Timestamp};
use prilavok_store::{Attempt, Subscription};
use prilavok_wire::Notification;
use prilavok_wire::notification::{Verdict, judge};

use crate::client::{Answer, Exchange, Signed, Unanswered, WebhookClient};
use crate::signature::{SigningSecrets, sign};
use crate::target::Target;

/// How long a receiver may take to answer, as upstream has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To an event.
    pub event: Duration,
    /// To a PING.
    pub ping: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            event: Duration::from_secs(10),
            ping: Duration::from_secs(1),
        }
    }
}

/// The most bytes of a text that the log keeps.
const LOGGED_ANSWER: usize = 2_048;

/// Makes, signs and sends notifications.
#[derive(Clone)]
pub struct Sender {
    client: WebhookClient,
    secrets: SigningSecrets,
    clock: Arc<dyn Clock>,
    patience: Patience,
}

impl Sender {
    /// A sender whose deliveries are signed with `secrets`.
    #[must_use]
    pub fn new(
        client: WebhookClient,
        secrets: SigningSecrets,
        clock: Arc<dyn Clock>,
        patience: Patience,
    ) -> Self {
        Self {
            client,
            secrets,
            clock,
            patience,
        }
    }

    /// The secrets that deliveries are signed with.
    #[must_use]
    pub const fn secrets(&self) -> &SigningSecrets {
        &self.secrets
    }

    /// Checks a URL as far as that is possible without connecting.
    pub fn target(&self, url: &str) -> Result<Target, crate::target::InvalidTarget> {
        Target::parse(url, self.client.guard())
    }

    /// Sends an event to a subscription.
    pub async fn event(&self, subscription: &Subscription, event: &Event) -> (Attempt, Verdict) {
        // The same for every try and every repetition: receivers know an event by it.
        let id = format!("evt_{}", event.id);
        let notification = Notification::from(event);
        self.send(subscription, id, &notification, self.patience.event)
            .await
    }

    /// Asks whether somebody is there who answers as agreed.
    pub async fn ping(&self, subscription: &Subscription) -> (Attempt, Verdict) {
        let now = self.clock.now();
        let id = format!("ping_{}_{}", subscription.id, now.as_millis());
        self.send(subscription, id, &Notification::ping(now), self.patience.ping)
            .await
    }

    /// The log's line of a notification that the sandbox kept back, and takes for delivered.
    pub(crate) fn dropped(&self) -> Attempt {
        Attempt {
            at: self.clock.now(),
            duration_ms: 0,
            status: None,
            error: Some("dropped on purpose".to_owned()),
            answer: String::new(),
        }
    }

    async fn send(
        &self,
        subscription: &Subscription,
        id: String,
        notification: &Notification,
        patience: Duration,
    ) -> (Attempt, Verdict) {
        let at = self.clock.now();
        // Settings may have changed since the subscription was made.
        let target = match self.target(&subscription.url) {
            Ok(target) => target,
            Err(error) => return unsent(at, format!("the URL {error}")),
        };
        let body = notification.to_json();
        let seconds = at.as_millis() / 1_000;
        let signature = sign(&self.secrets.valid(subscription, at), &id, seconds, &body);
        let signed = Signed {
            id,
            seconds,
            signature,
            body,
        };
        judged(at, self.client.post(&target, signed, patience).await)
    }
}

fn unsent(at: Timestamp, why: String) -> (Attempt, Verdict) {
    let attempt = Attempt {
        at,
        duration_ms: 0,
        status: None,
        error: Some(why.clone()),
        answer: String::new(),
    };
    (attempt, Verdict::Failed(why))
}

fn judged(at: Timestamp, exchange: Exchange) -> (Attempt, Verdict) {
    let (status, body, verdict) = match exchange.result {
        Ok(Answer { status, body, cut }) => {
            let verdict = match judge(status, &body) {
                Verdict::Failed(_) if cut => {
                    Verdict::Failed(format!("the answer was {status}, and longer than 64 KB"))
                }
                verdict => verdict,
            };
            (Some(status), body, verdict)
        }
        Err(Unanswered { status, body, why }) => (status, body, Verdict::Failed(why)),
    };
    let error = match &verdict {
        Verdict::Accepted => None,
        // The receiver's own words may be among it.
        Verdict::Refused(why) | Verdict::Failed(why) => Some(logged(why.as_bytes())),
    };
    let attempt = Attempt {
        at,
        duration_ms: u32::try_from(exchange.took.as_millis()).unwrap_or(u32::MAX),
        status,
        error,
        answer: logged(&body),
    };
    (attempt, verdict)
}

/// The beginning of what a receiver said as text. NUL is shown as what it is not, since not every store keeps it.
fn logged(body: &[u8]) -> String {
    let head = &body[..body.len().min(LOGGED_ANSWER)];
    String::from_utf8_lossy(head).replace('\0', "\u{fffd}")
}
