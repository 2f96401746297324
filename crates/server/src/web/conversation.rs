//! One chat: the page of it, what is new in it, what was before, and a reply.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::{BusinessId, Chat, ChatId, ChatType, Message, MessageId};
use prilavok_pages::conversation::{Beside, Card, Conversation, Messages, News};
use prilavok_pages::counter::Counter;
use prilavok_store::{ChatFilter, MessageRange};

use super::error::WebError;
use super::form::SentBy;
use super::inbox::{self, Asked};
use super::message_form::MessageForm;
use super::page::{Page, render};
use super::reader::Seller;
use super::replies;
use crate::app::{App, SharedApp};
use crate::secrets;

/// Messages on a page, and about how many bytes they may be: a page is to be light however much was written.
const PAGE: usize = 50;
const PAGE_BYTES: usize = 50_000;
/// New messages that are shown at a time; a reader who was away for longer loads the page anew.
const NEWS: usize = 100;
/// Other chats about the same thing that are shown, and messages of each.
const BESIDE: usize = 3;
const BESIDE_MESSAGES: usize = 5;

/// The chat in the path.
pub(super) struct InPath(ChatId);

impl FromRequestParts<SharedApp> for InPath {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let Path(id) = Path::<i64>::from_request_parts(parts, app)
            .await
            .map_err(|_| WebError::NotFound)?;
        ChatId::new(id).map(Self).map_err(|_| WebError::NotFound)
    }
}

/// A number in the query.
fn number(parts: &Parts, name: &str) -> Option<MessageId> {
    let query = parts.uri.query().unwrap_or_default();
    let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(it, _)| it == name)?;
    MessageId::new(value.parse().ok()?).ok()
}

/// The message that is named as `name` in the query.
pub(super) struct Named<const BEFORE: bool>(pub(super) Option<MessageId>);

impl<S: Sync, const BEFORE: bool> FromRequestParts<S> for Named<BEFORE> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(number(parts, if BEFORE { "before" } else { "after" })))
    }
}

async fn existing(app: &App, business: BusinessId, chat: ChatId) -> Result<Chat, WebError> {
    app.store.chat(business, chat).await?.ok_or(WebError::NotFound)
}

/// The newest messages of a chat before `before`, no more than a page takes, and whether there are earlier ones.
async fn latest(app: &App, chat: &Chat, before: Option<MessageId>) -> Result<(Vec<Message>, bool), WebError> {
    latest_within(app, chat, before, PAGE, PAGE_BYTES).await
}

/// The same with another idea of what a page takes.
pub(super) async fn latest_within(
    app: &App,
    chat: &Chat,
    before: Option<MessageId>,
    most: usize,
    most_bytes: usize,
) -> Result<(Vec<Message>, bool), WebError> {
    let page = app
        .store
        .latest_messages(chat.business, chat.id, before, most)
        .await?;
    let mut bytes = 0;
    let fitting = page.items.iter().rev().take_while(|message| {
        bytes += weight(message);
        bytes <= most_bytes
    });
    // However large, one is shown.
    let left_out = page.items.len() - fitting.count().max(1).min(page.items.len());
    let mut messages = page.items;
    messages.drain(..left_out);
    Ok((messages, page.more || left_out > 0))
}

/// About how many bytes a message is as markup.
fn weight(message: &Message) -> usize {
    const MARKUP: usize = 400;
    const LINK: usize = 80;
    let escaped = |text: &str| {
        let marks = text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count();
        text.len() + 4 * marks
    };
    let text = message.text.as_ref().map_or(0, |text| {
        // A link is written twice, with a tag around it.
        let links = text.as_str().matches("://").count();
        (1 + links.min(1)) * escaped(text.as_str()) + links * LINK
    });
    let files = message
        .files
        .iter()
        .map(|file| MARKUP + 2 * escaped(file.name.as_str()));
    MARKUP + text + files.sum::<usize>()
}

/// The page.
pub(super) async fn conversation(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
    asked: Asked,
    Named(before): Named<true>,
) -> Result<Page<Counter>, WebError> {
    let business = seller.business();
    let chat = existing(&app, business, id).await?;
    let (messages, earlier) = latest(&app, &chat, before).await?;
    if before.is_none() && seller.may_write {
        see(&app, &chat).await?;
    }
    let replies = app.store.saved_replies(business).await?;
    let replies = replies.iter().map(replies::shown).collect();
    let conversation = Conversation {
        card: card(&app, &seller, &chat).await?,
        messages,
        earlier,
        may_write: seller.may_write,
        replies,
        once: secrets::new_session_secret(),
        query: asked.filter.query(),
        chat,
    };
    Ok(Page(Counter {
        frame: seller.frame(),
        list: inbox::beside(&app, business, &asked, id).await?,
        conversation: Some(conversation),
    }))
}

/// What is new since a message, for a page that is open.
pub(super) async fn news(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
    Named(after): Named<false>,
) -> Result<Page<News>, WebError> {
    let business = seller.business();
    let chat = existing(&app, business, id).await?;
    let range = MessageRange { from: None, after };
    let page = app.store.messages(business, id, range, NEWS).await?;
    let conversation = Conversation {
        card: card(&app, &seller, &chat).await?,
        messages: page.items,
        earlier: false,
        may_write: seller.may_write,
        replies: Vec::new(),
        once: String::new(),
        query: String::new(),
        chat,
    };
    Ok(Page(News {
        frame: seller.frame(),
        conversation,
    }))
}

/// Messages before one that is shown.
pub(super) async fn earlier(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
    Named(before): Named<true>,
) -> Result<Page<Messages>, WebError> {
    let business = seller.business();
    let chat = existing(&app, business, id).await?;
    let (messages, earlier) = latest(&app, &chat, before).await?;
    Ok(Page(Messages {
        frame: seller.frame(),
        messages,
        earlier,
    }))
}

/// Keeps that somebody looks at the newest message.
pub(super) async fn seen(
    State(app): State<SharedApp>,
    InPath(id): InPath,
    SentBy { reader: seller, .. }: SentBy<Seller>,
) -> Result<StatusCode, WebError> {
    let chat = existing(&app, seller.business(), id).await?;
    // Who cannot answer reads for nobody else.
    if seller.may_write {
        see(&app, &chat).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps that the newest message was seen, unless that is known. While nothing can be written, pages are read all the
/// same: the mark stays.
async fn see(app: &App, chat: &Chat) -> Result<(), WebError> {
    let Some(last) = chat.last_message else {
        return Ok(());
    };
    let known = app.store.seen(chat.business, &[chat.id]).await?;
    if known.first().copied().flatten() < Some(last)
        && let Err(error) = app.store.mark_seen(chat.business, chat.id, last).await
    {
        tracing::warn!(%error, "it could not be kept that a chat was read");
    }
    Ok(())
}

/// What is known about a chat beside its messages.
async fn card(app: &App, seller: &Seller, chat: &Chat) -> Result<Card, WebError> {
    let campaigns = &seller.access.campaigns;
    let store = campaigns
        .iter()
        .find(|campaign| Some(campaign.id) == chat.context.campaign());
    let mut beside = Vec::new();
    let about = chat
        .context
        .returned()
        .map(|returned| returned.get())
        .or(chat.context.order().map(|order| order.get()));
    if let Some(about) = about {
        let filter = ChatFilter {
            contexts: vec![(chat.context.kind(), about)],
            ..ChatFilter::default()
        };
        let page = app.store.chats(chat.business, &filter, None, BESIDE + 1).await?;
        for other in page
            .items
            .into_iter()
            .filter(|other| other.id != chat.id)
            .take(BESIDE)
        {
            let page = app
                .store
                .latest_messages(chat.business, other.id, None, BESIDE_MESSAGES)
                .await?;
            beside.push(Beside {
                chat: other,
                messages: page.items,
            });
        }
    }
    let verdict = match chat.kind {
        ChatType::Arbitrage => app.store.verdict(chat.business, chat.id).await?,
        ChatType::Chat => None,
    };
    Ok(Card {
        verdict,
        store: store.map(|campaign| campaign.domain.as_str().to_owned()),
        beside,
    })
}

/// Sends a reply: the message as it is shown for our script, the way back to the chat for a browser without scripts.
pub(super) async fn send(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
    asked: Asked,
    form: MessageForm,
) -> Result<Response, WebError> {
    seller.must_write()?;
    // Nobody should send 50 MB only to hear that the chat does not exist.
    existing(&app, seller.business(), id).await?;
    let message = form.read(&app, &seller).await?.send(&app, id).await?;
    if seller.visit.part {
        let view = Messages {
            frame: seller.frame(),
            messages: vec![message],
            earlier: false,
        };
        return Ok(render(StatusCode::CREATED, &view));
    }
    let to = format!("/ui/chats/{id}{}", asked.filter.query());
    Ok(Redirect::to(&to).into_response())
}
