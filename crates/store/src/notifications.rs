//! Subscriptions to notifications, what waits to be delivered to them, and what became of each try.

use prilavok_domain::business::InvalidName;
use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_domain::{BusinessId, Event, EventId, EventTypes, SubscriptionId, Timestamp};

/// The name of a subscription: 1–100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionName(prilavok_domain::CredentialName);

impl SubscriptionName {
    /// Checks the length.
    pub fn new(text: impl AsRef<str>) -> std::result::Result<Self, InvalidName> {
        prilavok_domain::CredentialName::new(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A subscription of a business: where it wants to be told of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The business.
    pub business: BusinessId,
    /// Its id.
    pub id: SubscriptionId,
    /// Its name.
    pub name: SubscriptionName,
    /// Where notifications go; checked by whoever made it.
    pub url: String,
    /// What it is told of.
    pub types: EventTypes,
    /// `None` while it is enabled.
    pub disabled: Option<DisabledBy>,
    /// Counts the secrets that it had; the signing secret is derived from it.
    pub secret_generation: u32,
    /// Until when the secret before this one is good as well.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when deliveries fail, if the last one did.
    pub failing_since: Option<Timestamp>,
    /// Before when nothing is tried again.
    pub next_try_at: Option<Timestamp>,
}

/// A subscription to be added; it is not enabled yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// The business.
    pub business: BusinessId,
    /// Its name.
    pub name: SubscriptionName,
    /// Where notifications go.
    pub url: String,
    /// What it is told of.
    pub types: EventTypes,
}

/// What to change of a subscription; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionChange {
    /// The new name.
    pub name: Option<SubscriptionName>,
    /// The new URL.
    pub url: Option<String>,
    /// The new types.
    pub types: Option<EventTypes>,
}

/// A change of whether a subscription is told of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// From now on; what happened before is not sent.
    On,
    /// What waited is cancelled.
    Off(DisabledBy),
    /// A new secret; the one before is good until then.
    NewSecret {
        /// Until when the secret before is good as well.
        previous_until: Timestamp,
    },
}

/// What is to be delivered: an event in its turn, or one that was asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// The place in the queue of what was asked for again; `None` for an event in its turn.
    pub again: Option<i64>,
}

/// The types of a subscription, as they are kept.
pub(crate) fn types_text(types: EventTypes) -> String {
    types
        .iter()
        .map(prilavok_domain::rules::NotificationType::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// [`types_text`], read. What an older or newer version knew and this one does not is left out.
pub(crate) fn read_types(text: &str) -> EventTypes {
    text.split_terminator(' ')
        .filter_map(|kind| kind.parse().ok())
        .collect()
}

/// Events looked at in one read, so that a subscription which few of them concern cannot make a read long.
pub(crate) const LOOKED_AT: usize = 1_000;

/// What waits for a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What is to be sent, in this order.
    pub deliveries: Vec<Delivery>,
    /// Every event up to this one was looked at: those that are not in the list are of no concern to the
    /// subscription.
    pub seen: i64,
    /// Whether there may be events after that one.
    pub more: bool,
}

impl Waiting {
    /// Nothing.
    pub(crate) const fn nothing(seen: i64) -> Self {
        Self {
            deliveries: Vec::new(),
            seen,
            more: false,
        }
    }

    /// What was asked for again, which goes before events in their turn.
    pub(crate) const fn again(deliveries: Vec<Delivery>, seen: i64) -> Self {
        Self {
            deliveries,
            seen,
            more: true,
        }
    }

    /// At most `limit` events of these types among the next [`LOOKED_AT`] after `seen`.
    pub(crate) fn in_turn(events: Vec<Event>, types: EventTypes, seen: i64, limit: usize) -> Self {
        let all_read = events.len() < LOOKED_AT;
        let mut waiting = Self {
            deliveries: Vec::new(),
            seen,
            more: true,
        };
        for event in events {
            waiting.seen = event.id.get();
            if types.contains(event.kind) {
                waiting.deliveries.push(Delivery { event, again: None });
                if waiting.deliveries.len() == limit {
                    return waiting;
                }
            }
        }
        waiting.more = !all_read;
        waiting
    }
}

/// A try to deliver, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// What was to be delivered.
    pub delivery: Delivery,
    /// How it ended.
    pub attempt: Attempt,
    /// What follows from it.
    pub settled: Settled,
}

/// How a try to deliver ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What was wrong, if anything was.
    pub error: Option<String>,
    /// The first 2 KB of the answer.
    pub answer: String,
}

/// What follows from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was accepted.
    Delivered,
    /// It was refused for good: it is not repeated.
    Refused,
    /// It failed; it is tried again then, and what comes after it waits.
    TryAgain(Timestamp),
    /// It failed for as long as the schedule goes: the subscription is disabled, what waited cancelled.
    GivenUp,
}

/// A line of the delivery log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// Its id; later tries have higher ones.
    pub id: i64,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// What was to be delivered.
    pub event: Event,
    /// How it ended.
    pub attempt: Attempt,
    /// What followed: `DELIVERED`, `REFUSED`, `FAILED` or `GIVEN_UP`.
    pub outcome: Outcome,
}

impl Settled {
    /// What the log says of it.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Delivered => Outcome::Delivered,
            Self::Refused => Outcome::Refused,
            Self::TryAgain(_) => Outcome::Failed,
            Self::GivenUp => Outcome::GivenUp,
        }
    }
}

/// Which lines of the delivery log are shown, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptFilter {
    /// Of one subscription.
    pub subscription: Option<SubscriptionId>,
    /// With one outcome.
    pub outcome: Option<Outcome>,
    /// About one event.
    pub event: Option<EventId>,
    /// Begun at this instant or later.
    pub from: Option<Timestamp>,
    /// Begun before this instant.
    pub until: Option<Timestamp>,
}

/// What is to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// One event.
    Event(EventId),
    /// The events of a time, the first included, the second not.
    Between(Timestamp, Timestamp),
}

/// How long things are kept, each as the instant before which they are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgetBefore {
    /// Lines of the delivery log.
    pub attempts: Timestamp,
    /// Events that no subscription waits for.
    pub events: Timestamp,
}
