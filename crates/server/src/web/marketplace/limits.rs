//! Limits in use: the calls that businesses made this hour.

use axum::extract::State;
use prilavok_domain::BusinessId;
use prilavok_pages::operator::{InUse, Limits};
use prilavok_wire::Operation;

use super::businesses;
use crate::app::{App, SharedApp};
use crate::limits::Limit;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::query::Query;
use crate::web::reader::Operator;

/// Businesses on a page.
const PAGE: usize = 20;

pub(super) async fn limits(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<Limits>, WebError> {
    let (page, next) = businesses::page(&app, &query, PAGE).await?;
    let with_limits = page.into_iter().map(|business| {
        let limits = in_use(&app, business.id);
        (business, limits)
    });
    Ok(Page(Limits {
        frame: operator.frame(),
        businesses: with_limits.collect(),
        pager: query.pager("/ui/operator/limits", "after", &[], next.as_deref()),
    }))
}

/// The operations that a business called this hour.
pub(super) fn in_use(app: &App, business: BusinessId) -> Vec<InUse> {
    let called = Operation::ALL.iter().filter_map(|operation| {
        let window = app.limits.window(*operation, Some(business), app.now());
        let used = window.limit - window.remaining;
        (used > 0).then(|| InUse {
            operation: operation.as_str(),
            used,
            limit: match app.limits.hourly(*operation, business) {
                Limit::Unlimited => None,
                Limit::At(limit) => Some(limit),
            },
            until: window.until,
        })
    });
    called.collect()
}
