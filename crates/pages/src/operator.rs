//! The operator's pages: businesses, their keys and subscriptions, deliveries, requests, limits, the audit trail.

use askama::Template;
use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_domain::{
    AuditLine, Business, BusinessId, BusinessState, Campaign, CredentialId, Event, Scope, ScopeSet,
    SubscriptionId, Timestamp,
};

use crate::frame::Frame;
use crate::texts::Texts;

/// The way from one page of a list to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    /// Path and query of the first page.
    pub first: String,
    /// Whether this is it.
    pub is_first: bool,
    /// Path and query of the next one, if there is one.
    pub next: Option<String>,
}

/// The businesses.
#[derive(Template)]
#[template(path = "businesses.html")]
pub struct Businesses {
    /// What is around it.
    pub frame: Frame,
    /// A page of them.
    pub businesses: Vec<Business>,
    /// The other pages.
    pub pager: Pager,
}

/// One of them.
#[derive(Template)]
#[template(path = "business.html")]
pub struct BusinessPage {
    /// What is around it.
    pub frame: Frame,
    /// The business.
    pub business: Business,
    /// Its first campaigns.
    pub campaigns: Vec<Campaign>,
    /// Its keys, those that work first.
    pub keys: Vec<Key>,
    /// Its subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// The calls of this hour.
    pub limits: Vec<InUse>,
    /// The keys under which the next key is created and the state changed.
    pub once: [String; 2],
}

/// An Api-Key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scopes: ScopeSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    pub(crate) fn scope_names(&self) -> String {
        let names: Vec<_> = self.scopes.iter().map(Scope::as_str).collect();
        names.join(", ")
    }
}

/// A key that was just created.
#[derive(Template)]
#[template(path = "new_key.html")]
pub struct NewKey {
    /// What is around it.
    pub frame: Frame,
    /// The business.
    pub business: BusinessId,
    /// Its name.
    pub name: String,
    /// The key itself; nothing where it was created before.
    pub secret: Option<String>,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Its name.
    pub name: String,
    /// Where notifications go.
    pub url: String,
    /// What it is told of.
    pub types: String,
    /// Why it is not enabled.
    pub disabled: Option<DisabledBy>,
    /// Since when deliveries fail.
    pub failing_since: Option<Timestamp>,
    /// Before when nothing is tried again.
    pub next_try_at: Option<Timestamp>,
}

/// One subscription, and what one can do to it.
#[derive(Template)]
#[template(path = "subscription.html")]
pub struct SubscriptionPage {
    /// What is around it.
    pub frame: Frame,
    /// The business.
    pub business: BusinessId,
    /// The subscription.
    pub subscription: Subscription,
    /// The last try that failed.
    pub last_failure: Option<Delivery>,
    /// How many events were just queued, if that was asked for.
    pub queued: Option<u64>,
    /// The keys under which it is switched and under which events are sent again.
    pub once: [String; 2],
}

/// A line of the delivery log.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub id: i64,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// What was to be delivered.
    pub event: Event,
    /// When it was tried.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What was wrong.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub answer: String,
    /// What followed.
    pub outcome: Outcome,
}

/// The delivery log of a business.
#[derive(Template)]
#[template(path = "deliveries.html")]
pub struct Deliveries {
    /// What is around it.
    pub frame: Frame,
    /// The business.
    pub business: BusinessId,
    /// The subscriptions to choose from.
    pub subscriptions: Vec<Subscription>,
    /// What is asked for.
    pub filter: DeliveryFilter,
    /// A page of the log.
    pub deliveries: Vec<Delivery>,
    /// How many events were just queued, if that was asked for.
    pub queued: Option<u64>,
    /// The key under which one is sent again.
    pub once: String,
    /// The other pages.
    pub pager: Pager,
}

/// Which deliveries are asked for, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// To this subscription.
    pub subscription: Option<SubscriptionId>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// Begun at this instant or later.
    pub from: String,
    /// Begun before this instant.
    pub until: String,
}

/// Which requests are asked for, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFilter {
    /// Of this business.
    pub business: String,
    /// Of this operation.
    pub operation: String,
    /// Answered with this status, or one of this class.
    pub status: String,
    /// Come at this instant or later.
    pub from: String,
    /// Come before this instant.
    pub until: String,
}

/// A line of the request log.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its place in the log.
    pub place: i64,
    /// When it came.
    pub at: Timestamp,
    /// How long the answer took, in microseconds.
    pub took_us: u64,
    /// Its id.
    pub id: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The operation.
    pub operation: Option<String>,
    /// The business.
    pub business: Option<BusinessId>,
    /// The key's name.
    pub key: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// The rule that refused it.
    pub rule: Option<String>,
}

impl Request {
    pub(crate) fn took(&self) -> String {
        format!("{}.{} ms", self.took_us / 1_000, self.took_us % 1_000 / 100)
    }

    pub(crate) const fn is_refused(&self) -> bool {
        self.status >= 400
    }
}

/// The request log.
#[derive(Template)]
#[template(path = "requests.html")]
pub struct Requests {
    /// What is around it.
    pub frame: Frame,
    /// What is asked for.
    pub filter: RequestFilter,
    /// The operations to choose from.
    pub operations: Vec<&'static str>,
    /// A page of the log.
    pub requests: Vec<Request>,
    /// The other pages.
    pub pager: Pager,
}

/// What was sent one way, as far as a page shows it.
#[derive(Debug, Clone)]
pub struct Said {
    /// The headers.
    pub headers: String,
    /// The body.
    pub body: String,
    /// Whether there was more of it.
    pub cut: bool,
}

/// One request.
#[derive(Template)]
#[template(path = "request.html")]
pub struct RequestPage {
    /// What is around it.
    pub frame: Frame,
    /// The request.
    pub request: Request,
    /// What was asked.
    pub asked: Said,
    /// What was answered.
    pub answered: Said,
    /// The command that repeats it; nothing where it is too long for a page.
    pub curl: Option<String>,
}

/// Calls of an operation that a business made this hour.
#[derive(Debug, Clone)]
pub struct InUse {
    /// The operation.
    pub operation: &'static str,
    /// How many were made.
    pub used: u32,
    /// How many may be made; `None`: as many as one likes.
    pub limit: Option<u32>,
    /// Until when they count.
    pub until: Timestamp,
}

/// The limits in use.
#[derive(Template)]
#[template(path = "limits.html")]
pub struct Limits {
    /// What is around it.
    pub frame: Frame,
    /// A page of businesses, each with what it uses.
    pub businesses: Vec<(Business, Vec<InUse>)>,
    /// The other pages.
    pub pager: Pager,
}

/// The audit trail.
#[derive(Template)]
#[template(path = "audit.html")]
pub struct Audit {
    /// What is around it.
    pub frame: Frame,
    /// A page of it.
    pub lines: Vec<AuditLine>,
    /// The other pages.
    pub pager: Pager,
}

pub(crate) const fn state(t: &'static Texts, state: &BusinessState) -> &'static str {
    match state {
        BusinessState::Active => t.operator.active,
        BusinessState::Disabled => t.operator.disabled,
        BusinessState::Migrating => t.operator.migrating,
    }
}

pub(crate) const fn outcome(t: &'static Texts, outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => t.operator.delivered,
        Outcome::Refused => t.operator.refused,
        Outcome::Failed => t.operator.failed,
        Outcome::GivenUp => t.operator.given_up,
    }
}

pub(crate) const fn switched(t: &'static Texts, disabled: &Option<DisabledBy>) -> &'static str {
    match disabled {
        None => t.operator.on,
        Some(DisabledBy::Hand) => t.operator.off_hand,
        Some(DisabledBy::Failures) => t.operator.off_failures,
    }
}
