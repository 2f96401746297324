//! Saved replies: all of them on one page, each a form.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::{MessageText, Name, SavedReplyId};
use prilavok_pages::replies::{Replies, Reply};
use prilavok_pages::trouble::Problem;
use prilavok_store::{ReplyContent, SavedReply};

use super::error::WebError;
use super::form::{Fields, SellerForm};
use super::page::Page;
use super::reader::Seller;
use crate::app::SharedApp;

const PAGE: &str = "/ui/replies";

/// Replies as pages show them.
pub(super) fn shown(replies: Vec<SavedReply>) -> Vec<Reply> {
    let shown = replies.into_iter().map(|reply| Reply {
        id: reply.id.get(),
        name: reply.content.name.as_str().to_owned(),
        text: reply.content.text.as_str().to_owned(),
    });
    shown.collect()
}

pub(super) async fn replies(State(app): State<SharedApp>, seller: Seller) -> Result<Page<Replies>, WebError> {
    let replies = app.store.saved_replies(seller.business()).await?;
    Ok(Page(Replies {
        frame: seller.frame(),
        replies: shown(replies),
        may_write: seller.may_write,
    }))
}

pub(super) async fn add(
    State(app): State<SharedApp>,
    SellerForm { seller, fields }: SellerForm,
) -> Result<Response, WebError> {
    seller.must_write()?;
    let content = content(&fields)?;
    app.store.add_reply(seller.business(), content, app.now()).await?;
    Ok(Redirect::to(PAGE).into_response())
}

pub(super) async fn change(
    State(app): State<SharedApp>,
    Path(id): Path<String>,
    SellerForm { seller, fields }: SellerForm,
) -> Result<Response, WebError> {
    seller.must_write()?;
    let id = id.parse().ok().and_then(|id| SavedReplyId::new(id).ok());
    let id = id.ok_or(WebError::NotFound)?;
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
