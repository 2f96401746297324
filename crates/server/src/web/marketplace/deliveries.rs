//! The delivery log of a business.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::{AuditLine, SubscriptionId};
use prilavok_pages::operator::{Deliveries, Delivery, DeliveryFilter};
use prilavok_store::{Act, Again, AttemptFilter, LoggedAttempt};

use super::path::{InBusiness, Inside};
use super::{act, subscriptions};
use crate::app::SharedApp;
use crate::secrets;
use crate::web::error::WebError;
use crate::web::form::SentBy;
use crate::web::page::Page;
use crate::web::query::{self, Query};
use crate::web::reader::Operator;

/// Lines on a page.
const PAGE: usize = 30;

/// A line of the log as pages show it.
pub(super) fn shown(logged: LoggedAttempt) -> Delivery {
    let attempt = logged.attempt;
    Delivery {
        id: logged.id,
        subscription: logged.subscription,
        event: logged.event,
        at: attempt.at,
        duration_ms: attempt.duration_ms,
        status: attempt.status,
        error: attempt.error,
        answer: attempt.answer,
        outcome: logged.outcome,
    }
}

pub(super) async fn deliveries(
    State(app): State<SharedApp>,
    operator: Operator,
    InBusiness(business): InBusiness,
    query: Query,
) -> Result<Page<Deliveries>, WebError> {
    app.store.business(business).await?.ok_or(WebError::NotFound)?;
    let all = app.store.subscriptions(business).await?;
    let subscription = query.get("subscription").parse().ok();
    let filter = DeliveryFilter {
        subscription: subscription.and_then(|id| SubscriptionId::new(id).ok()),
        outcome: query.get("outcome").parse().ok(),
        from: query.get("from").to_owned(),
        until: query.get("until").to_owned(),
    };
    let asked = AttemptFilter {
        subscription: filter.subscription,
        outcome: filter.outcome,
        event: None,
        from: query::instant(&filter.from),
        until: query::instant(&filter.until),
    };
    let before = query.get("before").parse().ok();
    let page = app.store.attempts(business, asked, before, PAGE).await?;
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| last.id.to_string());
    let path = format!("/ui/operator/businesses/{business}/deliveries");
    let filters = ["subscription", "outcome", "from", "until"];
    Ok(Page(Deliveries {
        frame: operator.frame(),
        business,
        subscriptions: all.iter().map(subscriptions::shown).collect(),
        filter,
        deliveries: page.items.into_iter().map(shown).collect(),
        queued: query.get("queued").parse().ok(),
        once: secrets::new_session_secret(),
        pager: query.pager(&path, "before", &filters, next.as_deref()),
    }))
}

pub(super) async fn send_again(
    State(app): State<SharedApp>,
    Inside(business, id): Inside<i64>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let logged = app.store.attempt(business, id).await?;
    let logged = logged.ok_or(WebError::NotFound)?;
    let again = Act::SendAgain(logged.subscription, vec![Again::Event(logged.event.id)]);
    let done = act(&app, &operator, business, again, &fields).await?;
    let to = format!(
        "/ui/operator/businesses/{business}/deliveries?queued={}",
        queued(&done.value)
    );
    Ok(Redirect::to(&to).into_response())
}

/// How many events a line of the audit trail says were queued.
pub(super) fn queued(line: &AuditLine) -> u64 {
    let number = line.about.rsplit(' ').next();
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}
