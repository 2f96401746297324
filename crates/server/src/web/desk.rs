//! The arbiter's desk: disputes of all businesses, the longest wait first, and one of them with the chat beside it.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use prilavok_domain::message::InvalidText;
use prilavok_domain::{BusinessId, Chat, ChatId, ChatType, MessageText, Timestamp};
use prilavok_pages::desk::{Beside, Desk, Dispute, DisputeNews, List, ListPart, Row};
use prilavok_pages::trouble::Problem;
use prilavok_store::{Act, ChatFilter, DisputeCursor};

use super::conversation::{Named, latest_within};
use super::error::WebError;
use super::events;
use super::form::{Fields, SentBy};
use super::marketplace::act;
use super::marketplace::path::Inside;
use super::page::Page;
use super::query::Query;
use super::reader::Operator;
use crate::app::{App, SharedApp};
use crate::secrets;

/// Disputes on a page.
const PAGE: usize = 30;
/// Messages of the dispute and of the chat beside it, and about how many bytes they may be.
const MESSAGES: (usize, usize) = (50, 40_000);
const BESIDE: (usize, usize) = (20, 20_000);
/// Lines of the audit trail beside a dispute.
const LINES: usize = 20;

pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/ui/arbiter", get(desk))
        .route("/ui/arbiter/list", get(list))
        .route("/ui/arbiter/{business}/{chat}", get(dispute))
        .route("/ui/arbiter/{business}/{chat}/news", get(news))
        .route("/ui/arbiter/{business}/{chat}/messages", post(write))
        .route("/ui/arbiter/{business}/{chat}/verdict", post(settle))
        .route("/ui/operator/events", get(events::of_all))
}

/// The page without an open dispute.
async fn desk(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<Desk>, WebError> {
    Ok(Page(Desk {
        frame: operator.frame(),
        list: read_list(&app, &query, None).await?,
        dispute: None,
    }))
}

/// The list alone.
async fn list(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<ListPart>, WebError> {
    let current = query.get("current").parse().ok();
    Ok(Page(ListPart {
        frame: operator.frame(),
        list: read_list(&app, &query, current).await?,
    }))
}

/// The page.
async fn dispute(
    State(app): State<SharedApp>,
    operator: Operator,
    Inside(business, id): Inside<ChatId>,
    before: Named<true>,
    query: Query,
) -> Result<Page<Desk>, WebError> {
    let dispute = read(&app, business, id, before).await?;
    Ok(Page(Desk {
        frame: operator.frame(),
        list: read_list(&app, &query, Some(id.get())).await?,
        dispute: Some(dispute),
    }))
}

/// What a page that is open shows and may have changed.
async fn news(
    State(app): State<SharedApp>,
    operator: Operator,
    Inside(business, id): Inside<ChatId>,
    before: Named<true>,
) -> Result<Page<DisputeNews>, WebError> {
    let dispute = read(&app, business, id, before).await?;
    Ok(Page(DisputeNews {
        frame: operator.frame(),
        dispute,
    }))
}

async fn read_list(app: &App, query: &Query, current: Option<i64>) -> Result<List, WebError> {
    let after = cursor(query.get("after"));
    let page = app.store.disputes(after, PAGE).await?;
    let more = page.items.last().filter(|_| page.more);
    let more = more.map(|last| {
        let waiting_since = last.updated_at.as_millis();
        format!("{waiting_since}-{}-{}", last.business, last.id)
    });
    let mut rows = Vec::with_capacity(page.items.len());
    for chat in page.items {
        rows.push(Row {
            business: name(app, chat.business).await?,
            current: current == Some(chat.id.get()),
            chat,
        });
    }
    Ok(List {
        rows,
        more,
        first: after.is_none(),
        now: app.now(),
    })
}

/// Reads the place after which a page begins: `<milliseconds>-<business>-<chat>`.
fn cursor(text: &str) -> Option<DisputeCursor> {
    let mut numbers = text.split('-').map(|number| number.parse::<i64>().ok());
    Some(DisputeCursor {
        updated_at: Timestamp::from_millis(numbers.next()??)?,
        business: BusinessId::new(numbers.next()??).ok()?,
        id: ChatId::new(numbers.next()??).ok()?,
    })
}

async fn name(app: &App, business: BusinessId) -> Result<String, WebError> {
    let access = app.access.business(business).await?;
    Ok(access.map_or_else(String::new, |access| access.business.name.as_str().to_owned()))
}

async fn existing(app: &App, business: BusinessId, id: ChatId) -> Result<Chat, WebError> {
    let found = app.store.chat(business, id).await?;
    let dispute = found.filter(|chat| chat.kind == ChatType::Arbitrage);
    dispute.ok_or(WebError::NotFound)
}

async fn read(
    app: &App,
    business: BusinessId,
    id: ChatId,
    Named(before): Named<true>,
) -> Result<Dispute, WebError> {
    let chat = existing(app, business, id).await?;
    let (messages, earlier) = latest_within(app, &chat, before, MESSAGES.0, MESSAGES.1).await?;
    let access = app.access.business(business).await?;
    let campaigns = access.iter().flat_map(|access| &access.campaigns);
    let store = { campaigns }.find(|campaign| Some(campaign.id) == chat.context.campaign());
    Ok(Dispute {
        store: store.map(|campaign| campaign.domain.as_str().to_owned()),
        business: name(app, business).await?,
        beside: beside(app, &chat).await?,
        verdict: app.store.verdict(business, id).await?,
        audit: app.store.audit(Some((business, id)), None, LINES).await?.items,
        once: [secrets::new_session_secret(), secrets::new_session_secret()],
        messages,
        earlier,
        chat,
    })
}

/// The ordinary chat about the same thing.
async fn beside(app: &App, dispute: &Chat) -> Result<Option<Beside>, WebError> {
    let context = &dispute.context;
    let returned = context.returned().map(|returned| returned.get());
    let Some(about) = returned.or(context.order().map(|order| order.get())) else {
        return Ok(None);
    };
    let filter = ChatFilter {
        contexts: vec![(context.kind(), about)],
        types: vec![ChatType::Chat],
        ..ChatFilter::default()
    };
    let page = app.store.chats(dispute.business, &filter, None, 1).await?;
    let Some(chat) = page.items.into_iter().next() else {
        return Ok(None);
    };
    let (messages, earlier) = latest_within(app, &chat, None, BESIDE.0, BESIDE.1).await?;
    Ok(Some(Beside {
        chat,
        messages,
        earlier,
    }))
}

/// The text of a form.
fn text(fields: &Fields, empty: Problem) -> Result<MessageText, WebError> {
    let text = fields.get("text").replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(WebError::Invalid(empty));
    }
    MessageText::new(text).map_err(|error| {
        WebError::Invalid(match error {
            InvalidText::Length(_) => Problem::TooLong,
            InvalidText::Nul => Problem::Characters,
        })
    })
}

/// Writes to both sides.
async fn write(
    State(app): State<SharedApp>,
    Inside(business, dispute): Inside<ChatId>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let beside = fields.get("beside");
    let beside = match beside.parse().ok().and_then(|id| ChatId::new(id).ok()) {
        None if !beside.is_empty() => return Err(WebError::Invalid(Problem::Broken)),
        beside => beside,
    };
    let write = Act::Write {
        dispute,
        text: text(&fields, Problem::Empty)?,
        wait_for: fields.get("wait-for").parse().ok(),
        beside,
    };
    act(&app, &operator, business, write, &fields).await?;
    Ok(back(business, dispute))
}

/// Settles the dispute.
async fn settle(
    State(app): State<SharedApp>,
    Inside(business, dispute): Inside<ChatId>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let decided_for = fields.get("decided-for").parse();
    let settle = Act::Settle {
        dispute,
        decided_for: decided_for.map_err(|_| WebError::Invalid(Problem::Verdict))?,
        text: text(&fields, Problem::Verdict)?,
    };
    act(&app, &operator, business, settle, &fields).await?;
    Ok(back(business, dispute))
}

fn back(business: BusinessId, dispute: ChatId) -> Response {
    Redirect::to(&format!("/ui/arbiter/{business}/{dispute}")).into_response()
}
