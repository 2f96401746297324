//! Messages: one, a chat's history, a new one.

use prilavok_domain::{Attachment, Message, MessageId, Sender};
use prilavok_store::{MessageRange, NewMessage};
use prilavok_wire::answer::{HistoryDto, MessageDto, PagingDto};
use prilavok_wire::request::{GetChatHistory, GetChatMessage, SendMessage};
use prilavok_wire::{ApiError, Failure};

use super::answer::Reply;
use super::call::{Call, chat_id};
use crate::public_url::PublicUrl;

/// What a message takes in JSON beside its text, and what one of its files does.
const MESSAGE_BYTES: usize = 128;
const FILE_BYTES: usize = 512;

pub(super) async fn get_chat_history(mut call: Call<'_>) -> Result<Reply, Failure> {
    let body = call.json().await;
    let request = GetChatHistory::parse(
        call.header_errors(),
        call.business(),
        call.query(),
        body.as_deref(),
    )?;
    let (store, id) = (&call.app.store, chat_id(request.chat)?);
    let range = MessageRange {
        from: request.from,
        after: request.after,
    };
    let found = store
        .history(call.business(), id, range, request.limit)
        .await
        .map_err(|e| call.refused(e))?;
    let (chat, page) = found.ok_or(ApiError::ChatNotFound(request.chat))?;
    let next_page_token = page
        .items
        .last()
        .filter(|_| page.more)
        .map(|last| request.next_page(last.id));
    let base = public_url(&call);
    let messages = page
        .items
        .iter()
        .map(|message| shown(&call, &base, message))
        .collect();
    let history = HistoryDto::new(&chat, messages, PagingDto { next_page_token });
    Ok(Reply::list(history, page.items.iter().map(room).sum()))
}

/// Room for what a message takes in JSON, most of the time.
fn room(message: &Message) -> usize {
    let text = message.text.as_ref().map_or(0, |text| text.as_str().len());
    MESSAGE_BYTES + text + text / 16 + message.files.len() * FILE_BYTES
}

pub(super) async fn get_chat_message(call: Call<'_>) -> Result<Reply, Failure> {
    let GetChatMessage { chat, message } = GetChatMessage::parse(call.header_errors(), call.query())?;
    let (store, business, id) = (&call.app.store, call.business(), chat_id(chat)?);
    if let Ok(message) = MessageId::new(message)
        && let Some(found) = store
            .message(business, id, message)
            .await
            .map_err(|e| call.refused(e))?
    {
        return Ok(Reply::result(shown(&call, &public_url(&call), &found)));
    }
    let missing = match store.chat(business, id).await.map_err(|e| call.refused(e))? {
        Some(_) => ApiError::MessageNotFound { message, chat },
        None => ApiError::ChatNotFound(chat),
    };
    Err(missing.into())
}

pub(super) async fn send_message(mut call: Call<'_>) -> Result<Reply, Failure> {
    let body = call.json().await;
    let SendMessage { chat, text } = SendMessage::parse(call.header_errors(), call.query(), body.as_deref())?;
    let once = call.once(&[&chat.to_be_bytes(), text.as_str().as_bytes()])?;
    let new = NewMessage {
        sender: Sender::Partner,
        text: Some(text),
        files: Vec::new(),
        wait_for: None,
    };
    let written = call
        .app
        .store
        .append_message(call.business(), chat_id(chat)?, new, once, call.now)
        .await;
    written.map_err(|e| call.refused(e))?;
    Ok(Reply::empty())
}

/// A message, with its files at `base`.
fn shown<'a>(call: &Call, base: &str, message: &'a Message) -> MessageDto<'a> {
    let url = |file: &Attachment| call.app.links.url(base, call.business(), file.id, call.now);
    MessageDto::new(message, call.app.settings.utc_offset, url)
}

fn public_url(call: &Call) -> String {
    PublicUrl::of(&call.app.settings, &call.parts.headers).0
}
