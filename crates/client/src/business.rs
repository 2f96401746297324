//! The chats of a business.

use bytes::Bytes;
use futures_util::Stream;
use http::Method;

use crate::answer::wire::{Chats, Created, History, Success};
use crate::answer::{Chat, Message};
use crate::call::{Area, Call};
use crate::client::{Client, paged};
use crate::error::Error;
use crate::form::Form;
use crate::id::{BusinessId, ChatId, MessageId};
use crate::page::{Page, PageRequest, all_pages};
use crate::request::{ChatFilter, IdempotencyKey, NewFile, Subject, wire};

/// The most chats on a page.
const CHATS_PER_PAGE: u32 = 20;
/// The most messages on a page.
const MESSAGES_PER_PAGE: u32 = 100;

/// The chats of a business, as a [`Client`] sees them.
#[derive(Debug, Clone)]
pub struct Business {
    client: Client,
    id: BusinessId,
}

impl Business {
    pub(crate) const fn new(client: Client, id: BusinessId) -> Self {
        Self { client, id }
    }

    /// The business's id.
    #[must_use]
    pub const fn id(&self) -> BusinessId {
        self.id
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The address of a path below the business.
    pub(crate) fn url(&self, path: &[&str]) -> url::Url {
        let id = self.id.to_string();
        self.client.url(&[&["businesses", &id], path].concat())
    }

    fn call(&self, operation: &'static str, method: Method, path: &[&str]) -> Call {
        Call::new(operation, method, Area::Business(self.id), self.url(path))
    }

    /// One chat.
    pub async fn chat(&self, chat: ChatId) -> Result<Chat, Error> {
        let call = self
            .call("getChat", Method::GET, &["chat"])
            .query("chatId", &chat);
        let found: Success<Chat> = self.client.read(&call).await?;
        Ok(found.result)
    }

    /// A page of chats, the one with the newest message first; up to 20 on one.
    pub async fn chats_page(&self, filter: &ChatFilter, page: PageRequest) -> Result<Page<Chat>, Error> {
        let call = self.call("getChats", Method::POST, &["chats"]).json(filter);
        let found: Success<Chats> = self.client.read(&paged(call, page)).await?;
        Ok(Page {
            items: found.result.chats,
            next: found.result.paging.and_then(|paging| paging.next_page_token),
        })
    }

    /// All chats that match, the one with the newest message first. Pages are asked for as they are needed: whoever stops
    /// reading early makes few calls.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client/sandbox.rs"));
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = Sandbox::start().await;
    /// # let shop = sandbox.shop();
    /// use futures_util::TryStreamExt;
    /// use prilavok_client::{ChatFilter, ChatStatus};
    ///
    /// let waiting = ChatFilter {
    ///     statuses: vec![ChatStatus::WaitingForPartner],
    ///     ..ChatFilter::default()
    /// };
    /// let mut chats = std::pin::pin!(shop.chats(waiting));
    /// while let Some(chat) = chats.try_next().await? {
    ///     println!("chat {} waits for an answer", chat.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn chats(&self, filter: ChatFilter) -> impl Stream<Item = Result<Chat, Error>> + Send + 'static {
        let asked = std::sync::Arc::new((self.clone(), filter));
        all_pages(CHATS_PER_PAGE, move |page| {
            let asked = std::sync::Arc::clone(&asked);
            async move { asked.0.chats_page(&asked.1, page).await }
        })
    }

    /// A page of the messages of a chat, oldest first; up to 100 on one. With `from`, the list begins at that message.
    pub async fn history_page(
        &self,
        chat: ChatId,
        from: Option<MessageId>,
        page: PageRequest,
    ) -> Result<Page<Message>, Error> {
        let call = self
            .call("getChatHistory", Method::POST, &["chats", "history"])
            .query("chatId", &chat)
            .json(&wire::History {
                message_id_from: from,
            });
        let found: Success<History> = self.client.read(&paged(call, page)).await?;
        Ok(Page {
            items: found.result.messages,
            next: found.result.paging.and_then(|paging| paging.next_page_token),
        })
    }

    /// All messages of a chat, oldest first. With `from`, the list begins at that message: pass the last one that you know,
    /// and you get it and all that came after it.
    pub fn history(
        &self,
        chat: ChatId,
        from: Option<MessageId>,
    ) -> impl Stream<Item = Result<Message, Error>> + Send + 'static {
        let business = self.clone();
        all_pages(MESSAGES_PER_PAGE, move |page| {
            let business = business.clone();
            async move { business.history_page(chat, from, page).await }
        })
    }

    /// One message of a chat.
    pub async fn message(&self, chat: ChatId, message: MessageId) -> Result<Message, Error> {
        let call = self
            .call("getChatMessage", Method::GET, &["chats", "message"])
            .query("chatId", &chat)
            .query("messageId", &message);
        let found: Success<Message> = self.client.read(&call).await?;
        Ok(found.result)
    }

    /// Writes a text of 1 to 4,096 characters into a chat. It is tried again where that cannot make two messages; with
    /// [`idempotency_keys`](crate::ClientBuilder::idempotency_keys) it never can.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client/sandbox.rs"));
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = Sandbox::start().await;
    /// # let shop = sandbox.shop();
    /// use prilavok_client::ChatId;
    ///
    /// shop.send_message(ChatId::new(1)?, "Добрый день! Посылка уже в пути.").await?;
    /// # Ok(()) }
    /// ```
    pub async fn send_message(&self, chat: ChatId, text: &str) -> Result<(), Error> {
        self.send(self.text(chat, text), None).await
    }

    /// Writes a text once, however often it is tried with the same key, on servers that know keys. For callers that keep
    /// the key beside their own record of the message, so that they can go on after a crash.
    pub async fn send_message_once(
        &self,
        chat: ChatId,
        text: &str,
        key: &IdempotencyKey,
    ) -> Result<(), Error> {
        self.send(self.text(chat, text), Some(key)).await
    }

    /// Sends a file of up to 5 MB into a chat, as a message of its own. About trying again see
    /// [`send_message`](Self::send_message).
    pub async fn send_file(&self, chat: ChatId, file: &NewFile) -> Result<(), Error> {
        self.send(self.file(chat, file), None).await
    }

    /// Sends a file once, however often it is tried with the same key, on servers that know keys.
    pub async fn send_file_once(
        &self,
        chat: ChatId,
        file: &NewFile,
        key: &IdempotencyKey,
    ) -> Result<(), Error> {
        self.send(self.file(chat, file), Some(key)).await
    }

    /// Starts a chat with the buyer of an order or a return, or finds the one that there is.
    pub async fn create_chat(&self, about: Subject) -> Result<ChatId, Error> {
        let call = self
            .call("createChat", Method::POST, &["chats", "new"])
            .json(&wire::NewChat { context: about });
        let created: Success<Created> = self.client.read(&call).await?;
        Ok(created.result.chat_id)
    }

    fn text(&self, chat: ChatId, text: &str) -> Call {
        let call = self.call("sendMessageToChat", Method::POST, &["chats", "message"]);
        call.query("chatId", &chat).json(&wire::Text { message: text })
    }

    fn file(&self, chat: ChatId, file: &NewFile) -> Call {
        let Form { content_type, body } = Form::of(file);
        let call = self.call("sendFileToChat", Method::POST, &["chats", "file", "send"]);
        call.query("chatId", &chat).body(content_type, Bytes::from(body))
    }

    async fn send(&self, call: Call, key: Option<&IdempotencyKey>) -> Result<(), Error> {
        let known = self.client.takes_idempotency_keys();
        let own = match key {
            None if known => Some(IdempotencyKey::random()),
            _ => None,
        };
        let call = call.once(key.or(own.as_ref()), known);
        self.client.perform(&call).await.map(drop)
    }
}
