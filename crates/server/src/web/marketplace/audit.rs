//! The audit trail.

use axum::extract::State;
use prilavok_pages::operator::Audit;

use crate::app::SharedApp;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::query::Query;
use crate::web::reader::Operator;

const PAGE: usize = 50;

pub(super) async fn audit(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<Audit>, WebError> {
    let page = app
        .store
        .audit(None, query.get("before").parse().ok(), PAGE)
        .await?;
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| last.id.to_string());
    Ok(Page(Audit {
        frame: operator.frame(),
        lines: page.items,
        pager: query.pager("/ui/operator/audit", "before", &[], next.as_deref()),
    }))
}
