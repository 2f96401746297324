//! Saved replies: all of them on one page, each on a page of its own.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::{MessageText, Name, SavedReplyId};
use prilavok_pages::replies::{Replies, Reply, ReplyPage};
use prilavok_pages::trouble::Problem;
use prilavok_store::{ReplyContent, SavedReply};

use super::error::WebError;
use super::form::{Fields, SentBy};
use super::page::Page;
use super::reader::Seller;
use crate::app::{App, SharedApp};

const PAGE: &str = "/ui/replies";

/// A reply as pages show it.
pub(super) fn shown(reply: &SavedReply) -> Reply {
    Reply {
        id: reply.id.get(),
        name: reply.content.name.as_str().to_owned(),
        text: reply.content.text.as_str().to_owned(),
    }
}

pub(super) async fn replies(State(app): State<SharedApp>, seller: Seller) -> Result<Page<Replies>, WebError> {
    let replies = app.store.saved_replies(seller.business()).await?;
    Ok(Page(Replies {
        frame: seller.frame(),
        replies: replies.iter().map(shown).collect(),
        may_write: seller.may_write,
    }))
}

pub(super) async fn add(
    State(app): State<SharedApp>,
    SentBy {
        reader: seller,
        fields,
    }: SentBy<Seller>,
) -> Result<Response, WebError> {
    seller.must_write()?;
    let content = content(&fields)?;
    app.store.add_reply(seller.business(), content, app.now()).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// The reply in the path.
pub(super) struct InPath(SavedReplyId);

impl FromRequestParts<SharedApp> for InPath {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let Path((id,)) = Path::<(i64,)>::from_request_parts(parts, app)
            .await
            .map_err(|_| WebError::NotFound)?;
        SavedReplyId::new(id).map(Self).map_err(|_| WebError::NotFound)
    }
}

/// One of the business's replies: they are few, and read together.
async fn one(app: &App, seller: &Seller, id: SavedReplyId) -> Result<SavedReply, WebError> {
    let replies = app.store.saved_replies(seller.business()).await?;
    replies
        .into_iter()
        .find(|reply| reply.id == id)
        .ok_or(WebError::NotFound)
}

pub(super) async fn reply(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
) -> Result<Page<ReplyPage>, WebError> {
    let reply = one(&app, &seller, id).await?;
    Ok(Page(ReplyPage {
        frame: seller.frame(),
        reply: shown(&reply),
        may_write: seller.may_write,
    }))
}

/// The text alone, for the box to reply in.
pub(super) async fn text(
    State(app): State<SharedApp>,
    seller: Seller,
    InPath(id): InPath,
) -> Result<String, WebError> {
    let reply = one(&app, &seller, id).await?;
    Ok(reply.content.text.as_str().to_owned())
}

pub(super) async fn change(
    State(app): State<SharedApp>,
    InPath(id): InPath,
    SentBy {
        reader: seller,
        fields,
    }: SentBy<Seller>,
) -> Result<Response, WebError> {
    seller.must_write()?;
    match fields.get("do") {
        "delete" => app.store.delete_reply(seller.business(), id).await?,
        _ => {
            let content = content(&fields)?;
            app.store.change_reply(seller.business(), id, content).await?;
        }
    }
    Ok(Redirect::to(PAGE).into_response())
}

fn content(fields: &Fields) -> Result<ReplyContent, WebError> {
    let invalid = |problem| WebError::Invalid(problem);
    let name = Name::new(fields.get("name").trim()).map_err(|_| invalid(Problem::Empty))?;
    let text = fields.get("text").replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(invalid(Problem::Empty));
    }
    let text = MessageText::new(text).map_err(|_| invalid(Problem::TooLong))?;
    Ok(ReplyContent { name, text })
}
