//! Subscriptions: their state, switched on and off, events sent again.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::event::Outcome;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{BusinessId, EventId, SubscriptionId, Timestamp};
use prilavok_pages::operator::{self, SubscriptionPage};
use prilavok_pages::trouble::Problem;
use prilavok_store::{Act, Again, AttemptFilter, LoggedAttempt, Subscription};

use super::path::Inside;
use super::{act, deliveries};
use crate::app::{App, SharedApp};
use crate::secrets;
use crate::web::error::WebError;
use crate::web::form::SentBy;
use crate::web::page::Page;
use crate::web::query::{self, Query};
use crate::web::reader::Operator;

/// Failed notifications that are sent again at a time; whoever has more of them asks again.
const FAILED: usize = 500;

/// A subscription as pages show it.
pub(super) fn shown(subscription: &Subscription) -> operator::Subscription {
    let types: Vec<_> = subscription.types.iter().map(NotificationType::as_str).collect();
    operator::Subscription {
        id: subscription.id,
        name: subscription.name.as_str().to_owned(),
        url: subscription.url.clone(),
        types: types.join(", "),
        disabled: subscription.disabled,
        failing_since: subscription.failing_since,
        next_try_at: subscription.next_try_at,
    }
}

async fn existing(app: &App, business: BusinessId, id: SubscriptionId) -> Result<Subscription, WebError> {
    let found = app.store.subscription(business, id).await?;
    found.ok_or(WebError::NotFound)
}

pub(super) async fn subscription(
    State(app): State<SharedApp>,
    operator: Operator,
    Inside(business, id): Inside<SubscriptionId>,
    query: Query,
) -> Result<Page<SubscriptionPage>, WebError> {
    let found = existing(&app, business, id).await?;
    let mut last_failure: Option<LoggedAttempt> = None;
    for outcome in [Outcome::Failed, Outcome::Refused, Outcome::GivenUp] {
        let newest = attempts(&app, business, id, outcome, None, 1).await?;
        let newest = newest.into_iter().chain(last_failure);
        last_failure = newest.max_by_key(|logged| logged.id);
    }
    Ok(Page(SubscriptionPage {
        frame: operator.frame(),
        business,
        subscription: shown(&found),
        last_failure: last_failure.map(deliveries::shown),
        queued: query.get("queued").parse().ok(),
        once: [secrets::new_session_secret(), secrets::new_session_secret()],
    }))
}

async fn attempts(
    app: &App,
    business: BusinessId,
    id: SubscriptionId,
    outcome: Outcome,
    from: Option<Timestamp>,
    most: usize,
) -> Result<Vec<LoggedAttempt>, WebError> {
    let filter = AttemptFilter {
        subscription: Some(id),
        outcome: Some(outcome),
        from,
        ..AttemptFilter::default()
    };
    Ok(app.store.attempts(business, filter, None, most).await?.items)
}

pub(super) async fn switch(
    State(app): State<SharedApp>,
    Inside(business, id): Inside<SubscriptionId>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let subscription = existing(&app, business, id).await?;
    let switch = match fields.get("do") {
        "enable" => {
            let answered = app.notifier.enrolment().ping(&subscription).await;
            answered.map_err(|failed| WebError::Invalid(Problem::Ping(failed.to_string())))?;
            Act::Enable(id)
        }
        "disable" => Act::Disable(id),
        _ => return Err(WebError::Invalid(Problem::Broken)),
    };
    act(&app, &operator, business, switch, &fields).await?;
    Ok(Redirect::to(&address(business, id)).into_response())
}

fn address(business: BusinessId, id: SubscriptionId) -> String {
    format!("/ui/operator/businesses/{business}/subscriptions/{id}")
}

/// Sends again what happened since an instant: all of it, or what was not delivered.
pub(super) async fn send_again(
    State(app): State<SharedApp>,
    Inside(business, id): Inside<SubscriptionId>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let since = query::instant(fields.get("since")).ok_or(WebError::Invalid(Problem::Time))?;
    let again = match fields.get("what") {
        "all" => vec![Again::Between(since, app.now().plus_millis(1))],
        _ => failed(&app, business, id, since).await?,
    };
    let sent = Act::SendAgain(id, again);
    let done = act(&app, &operator, business, sent, &fields).await?;
    let queued = deliveries::queued(&done.value);
    Ok(Redirect::to(&format!("{}?queued={queued}", address(business, id))).into_response())
}

/// The events whose delivery was refused or given up since an instant, oldest first.
async fn failed(
    app: &App,
    business: BusinessId,
    id: SubscriptionId,
    since: Timestamp,
) -> Result<Vec<Again>, WebError> {
    let mut events = BTreeSet::new();
    for outcome in [Outcome::Refused, Outcome::GivenUp] {
        let found = attempts(app, business, id, outcome, Some(since), FAILED).await?;
        events.extend(found.into_iter().map(|logged| logged.event.id));
    }
    let mut again = Vec::new();
    for event in events {
        if is_missing(app, business, id, event).await? {
            again.push(Again::Event(event));
        }
    }
    Ok(again)
}

/// Whether an event was not delivered later on, and is kept still.
async fn is_missing(
    app: &App,
    business: BusinessId,
    id: SubscriptionId,
    event: EventId,
) -> Result<bool, WebError> {
    let filter = AttemptFilter {
        event: Some(event),
        outcome: Some(Outcome::Delivered),
        ..AttemptFilter::default()
    };
    let delivered = app.store.attempts(business, filter, None, FAILED).await?.items;
    if delivered.iter().any(|logged| logged.subscription == id) {
        return Ok(false);
    }
    let kept = app.store.events(Some(business), event.get() - 1, 1).await?;
    Ok(kept.first().is_some_and(|kept| kept.id == event))
}
