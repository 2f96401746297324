//! The request log: what sellers' systems asked and what they were answered.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use prilavok_domain::BusinessId;
use prilavok_pages::operator::{Request, RequestFilter, RequestPage, Requests, Said};
use prilavok_store::requests::{self, Exchange, Line, LoggedMessage, LoggedRequest, Place};

use crate::app::{App, SharedApp};
use crate::operator::statuses;
use crate::recording::{self, curl as command};
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::query::{self, Query};
use crate::web::reader::Operator;

/// Lines on a page.
const PAGE: usize = 50;
/// About how many bytes of markup a text of one request may be: a page is to be light whatever was sent.
const TEXT_BYTES: usize = 20_000;

fn shown((place, request): Line) -> Request {
    Request {
        place,
        at: request.at,
        took_us: request.took_us,
        id: request.request_id,
        method: request.method,
        target: request.target,
        operation: request.operation,
        business: request.business,
        key: request.caller.map(|caller| caller.name),
        status: request.status,
        rule: request.rule,
    }
}

pub(super) async fn requests(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<Requests>, WebError> {
    let asked = |name| query.get(name).to_owned();
    let filter = RequestFilter {
        business: asked("business"),
        operation: asked("operation"),
        status: asked("status"),
        from: asked("from"),
        until: asked("until"),
    };
    let business = filter.business.parse().ok();
    let looked_for = requests::RequestFilter {
        business: business.and_then(|business| BusinessId::new(business).ok()),
        operation: (!filter.operation.is_empty()).then(|| filter.operation.clone()),
        status: statuses(&filter.status).ok(),
        from: query::instant(&filter.from),
        until: query::instant(&filter.until),
        ..requests::RequestFilter::default()
    };
    let before = query.get("before").parse().ok();
    let page = app.request_log.reader().newest(looked_for, before, PAGE).await?;
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|(place, _)| place.to_string());
    let filters = ["business", "operation", "status", "from", "until"];
    Ok(Page(Requests {
        frame: operator.frame(),
        filter,
        operations: recording::operations().collect(),
        requests: page.items.into_iter().map(shown).collect(),
        pager: query.pager("/ui/operator/requests", "before", &filters, next.as_deref()),
    }))
}

/// A place in the log.
pub(super) struct AtPlace(Place);

impl FromRequestParts<SharedApp> for AtPlace {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let Path(place) = Path::<Place>::from_request_parts(parts, app)
            .await
            .map_err(|_| WebError::NotFound)?;
        (0..Place::MAX)
            .contains(&place)
            .then_some(Self(place))
            .ok_or(WebError::NotFound)
    }
}

async fn at(app: &App, place: Place) -> Result<(LoggedRequest, Exchange), WebError> {
    let reader = app.request_log.reader();
    let page = reader
        .newest(requests::RequestFilter::default(), Some(place + 1), 1)
        .await?;
    let found = page.items.into_iter().find(|(it, _)| *it == place);
    let (_, request) = found.ok_or(WebError::NotFound)?;
    let exchange = reader.exchange(place).await?.ok_or(WebError::NotFound)?;
    Ok((request, exchange))
}

pub(super) async fn request(
    State(app): State<SharedApp>,
    operator: Operator,
    AtPlace(place): AtPlace,
) -> Result<Page<RequestPage>, WebError> {
    let (request, exchange) = at(&app, place).await?;
    let curl = command::command(&request, &exchange.request, &app.settings);
    let (whole, cut) = beginning(&curl);
    Ok(Page(RequestPage {
        frame: operator.frame(),
        request: shown((place, request)),
        asked: said(&exchange.request),
        answered: said(&exchange.answer),
        // Half a command is none.
        curl: (!cut).then(|| whole.to_owned()),
    }))
}

/// The command that repeats the call, whole.
pub(super) async fn curl(
    State(app): State<SharedApp>,
    _: Operator,
    AtPlace(place): AtPlace,
) -> Result<Response, WebError> {
    let (request, exchange) = at(&app, place).await?;
    let curl = command::command(&request, &exchange.request, &app.settings);
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((headers, format!("{curl}\n")).into_response())
}

fn said(message: &LoggedMessage) -> Said {
    let headers = message.headers.iter();
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let (headers, headers_cut) = beginning(&headers);
    let body = message.body.text.as_deref().unwrap_or_default();
    let (body, body_cut) = beginning(body);
    Said {
        headers: headers.to_owned(),
        body: body.to_owned(),
        cut: headers_cut || body_cut || message.body.cut,
    }
}

/// As much of a text as a page takes, and whether there is more.
fn beginning(text: &str) -> (&str, bool) {
    let mut bytes = 0;
    let end = text.char_indices().find(|(_, c)| {
        bytes += if "<>&\"'".contains(*c) { 5 } else { c.len_utf8() };
        bytes > TEXT_BYTES
    });
    match end {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_by_its_weight() {
        assert_eq!(beginning("short"), ("short", false));
        for (piece, kept) in [("a", TEXT_BYTES), ("<", TEXT_BYTES / 5), ("ы", TEXT_BYTES / 2)] {
            let text = piece.repeat(kept);
            assert_eq!(beginning(&text), (&*text, false));
            let longer = piece.repeat(kept + 1);
            assert_eq!(beginning(&longer), (&*text, true));
        }
    }
}
