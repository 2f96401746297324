//! Chats: one, a list, a new one.

use prilavok_domain::rules::Initiator;
use prilavok_domain::{OrderId, ReturnId};
use prilavok_store::{ChatCursor, ChatFilter, StartChat, Subject};
use prilavok_wire::answer::{ChatDto, ChatsDto, CreatedDto, PagingDto};
use prilavok_wire::page_token::ChatPlace;
use prilavok_wire::request::{ChatFilters, CreateChat, GetChat, GetChats, Identified};
use prilavok_wire::{ApiError, Failure};

use super::answer::{CHAT_BYTES, Reply};
use super::call::{Call, chat_id};

pub(super) async fn get_chat(call: Call<'_>) -> Result<Reply, Failure> {
    let GetChat { chat: number } = GetChat::parse(call.header_errors(), call.query())?;
    let chat = call
        .app
        .store
        .chat(call.business(), chat_id(number)?)
        .await
        .map_err(|e| call.refused(e))?;
    let chat = chat.ok_or(ApiError::ChatNotFound(number))?;
    Ok(Reply::result(ChatDto::new(&chat, call.app.settings.utc_offset)))
}

pub(super) async fn get_chats(mut call: Call<'_>) -> Result<Reply, Failure> {
    let body = call.json().await;
    let request = GetChats::parse(
        call.header_errors(),
        call.business(),
        call.query(),
        body.as_deref(),
    )?;
    let after = request
        .after
        .map(|ChatPlace { updated_at, id }| ChatCursor { updated_at, id });
    let filter = filter(&request.filters);
    let page = call
        .app
        .store
        .chats(call.business(), &filter, after, request.limit)
        .await;
    let page = page.map_err(|e| call.refused(e))?;
    let next = page.items.last().filter(|_| page.more).map(|last| {
        request.next_page(ChatPlace {
            updated_at: last.updated_at,
            id: last.id,
        })
    });
    let offset = call.app.settings.utc_offset;
    let list = ChatsDto {
        chats: page.items.iter().map(|chat| ChatDto::new(chat, offset)).collect(),
        paging: PagingDto {
            next_page_token: next,
        },
    };
    Ok(Reply::list(list, page.items.len() * CHAT_BYTES))
}

pub(super) async fn create_chat(mut call: Call<'_>) -> Result<Reply, Failure> {
    let body = call.json().await;
    let CreateChat { about } = CreateChat::parse(call.header_errors(), body.as_deref())?;
    let (kind, number) = about.parts();
    let once = call.once(&[kind.as_str().as_bytes(), &number.to_be_bytes()])?;
    let start = StartChat {
        initiator: Initiator::Partner,
        subject: subject(about)?,
        customer: None,
    };
    let started = call
        .app
        .store
        .start_chat(call.business(), start, once, call.now)
        .await;
    let started = started.map_err(|e| call.refused(e))?.value;
    Ok(Reply::result(CreatedDto {
        chat_id: started.chat.id.get(),
    }))
}

fn filter(filters: &ChatFilters) -> ChatFilter {
    ChatFilter {
        orders: filters.orders.clone(),
        contexts: filters.contexts.iter().map(|context| context.parts()).collect(),
        context_types: filters.context_types.clone(),
        types: filters.types.clone(),
        statuses: filters.statuses.clone(),
    }
}

/// What the chat is to be about. No order or return has a number that is no id.
fn subject(about: Identified) -> Result<Subject, ApiError> {
    match about {
        Identified::Order(id) => OrderId::new(id)
            .map(Subject::Order)
            .map_err(|_| ApiError::OrderNotFound(id)),
        Identified::Return(id) => ReturnId::new(id)
            .map(Subject::Return)
            .map_err(|_| ApiError::ReturnNotFound(id)),
    }
}
