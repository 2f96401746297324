//! Writing an export, page by page of what the store answers and piece by piece of what files hold.

use std::io;
use std::mem;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use prilavok_domain::{Attachment, BusinessId, Chat, ChatId, ChatType, Customer, Message};
use prilavok_store::{CustomerChats, MessageRange};
use serde::Serialize;
use tokio::sync::mpsc;

use super::super::customers::CustomerJson;
use super::super::erasure::ErasureJson;
use super::super::orders::OrderJson;
use super::super::returns::ReturnJson;
use super::document::{ExportedAudit, ExportedEvent, ExportedVerdict, FileHead, MessageHead};
use crate::app::SharedApp;
use crate::json_api::chat_json::ChatJson;
use crate::json_api::time::Utc;

/// Bytes gathered before they are sent, and how many such pieces may wait for a client that reads slowly.
const PIECE: usize = 32 * 1024;
const WAITING: usize = 2;
/// Rows read at a time.
const ROWS: usize = 200;

/// An export under way.
pub(super) struct Exporting {
    app: SharedApp,
    customer: Customer,
    with_content: bool,
    buffer: Vec<u8>,
    to: mpsc::Sender<io::Result<Bytes>>,
}

/// Why an export ended early.
enum Ended {
    /// The client went away.
    Gone,
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

type Written = Result<(), Ended>;

impl Exporting {
    /// Starts to write the document; what comes out is read as it is written. A failure breaks it off: what was sent is no
    /// whole document then.
    pub(super) fn start(
        app: SharedApp,
        customer: Customer,
        with_content: bool,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let (to, mut pieces) = mpsc::channel(WAITING);
        let exporting = Self {
            app,
            customer,
            with_content,
            buffer: Vec::with_capacity(PIECE),
            to,
        };
        tokio::spawn(exporting.run());
        stream::poll_fn(move |context| pieces.poll_recv(context))
    }

    async fn run(mut self) {
        if let Err(Ended::Failed(error)) = self.document().await {
            tracing::error!(%error, "an export of a customer broke off");
            let broken = io::Error::other("the export broke off");
            // Whoever went away meanwhile need not be told.
            let _ = self.to.send(Err(broken)).await;
        }
    }

    async fn document(&mut self) -> Written {
        self.text("{\"exportedAt\":");
        self.json(&Utc(self.app.now()))?;
        self.text(",\"customer\":");
        self.json(&CustomerJson::from(self.customer.clone()))?;
        if let Some(erasure) = self.app.store.erasure(&self.customer.public_id).await? {
            self.text(",\"erasure\":");
            self.json(&ErasureJson::from(erasure))?;
        }
        self.text(",\"orders\":[");
        self.orders().await?;
        self.text("],\"returns\":[");
        self.returns().await?;
        self.text("],\"chats\":[");
        let businesses = self.chats().await?;
        self.text("],\"events\":[");
        self.events(businesses).await?;
        self.text("]}\n");
        self.flush().await
    }

    async fn orders(&mut self) -> Written {
        let mut after = None;
        loop {
            let store = &self.app.store;
            let page = store
                .orders_of_customer(&self.customer.public_id, after, ROWS)
                .await?;
            for order in page.iter().cloned() {
                self.separate(after.is_none());
                after = Some((order.business, order.id));
                self.json(&OrderJson::from(order))?;
            }
            if page.is_empty() {
                return Ok(());
            }
            self.send_full().await?;
        }
    }

    async fn returns(&mut self) -> Written {
        let mut after = None;
        loop {
            let store = &self.app.store;
            let page = store
                .returns_of_customer(&self.customer.public_id, after, ROWS)
                .await?;
            for returned in page.iter().cloned() {
                self.separate(after.is_none());
                after = Some((returned.business, returned.order, returned.id));
                self.json(&ReturnJson::from(returned))?;
            }
            if page.is_empty() {
                return Ok(());
            }
            self.send_full().await?;
        }
    }

    /// Answers the businesses of the chats.
    async fn chats(&mut self) -> Result<Vec<BusinessId>, Ended> {
        let mut businesses = Vec::new();
        let mut after = None;
        loop {
            let store = &self.app.store;
            let page = store
                .chats_of_customer(&self.customer.public_id, after, ROWS)
                .await?;
            if page.is_empty() {
                return Ok(businesses);
            }
            for chat in page {
                self.separate(after.is_none());
                after = Some((chat.business, chat.id));
                if businesses.last() != Some(&chat.business) {
                    businesses.push(chat.business);
                }
                self.chat(chat).await?;
            }
        }
    }

    async fn chat(&mut self, chat: Chat) -> Written {
        let (business, id, kind) = (chat.business, chat.id, chat.kind);
        self.text("{\"chat\":");
        self.json(&ChatJson::from(chat))?;
        if let Some(verdict) = self.app.store.verdict(business, id).await? {
            self.text(",\"verdict\":");
            self.json(&ExportedVerdict::from(verdict))?;
        }
        self.text(",\"audit\":[");
        if kind == ChatType::Arbitrage {
            self.audit(business, id).await?;
        }
        self.text("],\"messages\":[");
        let mut range = MessageRange::default();
        loop {
            let page = self.app.store.messages(business, id, range, ROWS).await?;
            for message in &page.items {
                self.separate(range.after.is_none());
                range.after = Some(message.id);
                self.message(business, message).await?;
            }
            if !page.more {
                break;
            }
        }
        self.text("]}");
        self.send_full().await
    }

    async fn audit(&mut self, business: BusinessId, dispute: ChatId) -> Written {
        let mut before = None;
        loop {
            let page = self
                .app
                .store
                .audit(Some((business, dispute)), before, ROWS)
                .await?;
            for line in page.items {
                self.separate(before.is_none());
                before = Some(line.id);
                self.json(&ExportedAudit::from(line))?;
            }
            if !page.more {
                return Ok(());
            }
            self.send_full().await?;
        }
    }

    async fn message(&mut self, business: BusinessId, message: &Message) -> Written {
        self.open(&MessageHead::from(message))?;
        self.text(",\"files\":[");
        for (number, file) in message.files.iter().enumerate() {
            self.separate(number == 0);
            self.open(&FileHead::from(file))?;
            if self.with_content {
                self.content(business, file).await?;
            }
            self.text("}");
        }
        self.text("]}");
        self.send_full().await
    }

    /// The content of a file, unless it was removed.
    async fn content(&mut self, business: BusinessId, file: &Attachment) -> Written {
        let Some((_, stored)) = self.app.store.file(business, file.id).await? else {
            return Ok(());
        };
        let (_, mut content) = self.app.files.get(&stored.object).await?;
        self.text(",\"content\":\"");
        // Three bytes are four characters: what is left of a piece waits for the next one.
        let mut rest = BytesMut::new();
        while let Some(bytes) = content.next().await {
            rest.extend_from_slice(&bytes?);
            let whole = rest.split_to(rest.len() / 3 * 3);
            for piece in whole.chunks(PIECE / 4 * 3) {
                self.text(&STANDARD.encode(piece));
                self.send_full().await?;
            }
        }
        self.text(&STANDARD.encode(&rest));
        self.text("\"");
        Ok(())
    }

    async fn events(&mut self, businesses: Vec<BusinessId>) -> Written {
        let of = CustomerChats {
            customer: self.customer.public_id.clone(),
            order: None,
            returned: None,
        };
        let mut first = true;
        for business in businesses {
            let mut seen = 0;
            loop {
                let page = self.app.store.customer_events(business, &of, seen, ROWS).await?;
                seen = page.seen;
                for event in page.events {
                    self.separate(mem::take(&mut first));
                    self.json(&ExportedEvent::from(event))?;
                }
                if !page.more {
                    break;
                }
                // Of many events few may be this customer's, so that nothing is sent for long: others have their turn.
                tokio::task::yield_now().await;
                self.send_full().await?;
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.buffer.push(b',');
        }
    }

    fn json(&mut self, value: &impl Serialize) -> Written {
        Ok(serde_json::to_writer(&mut self.buffer, value)?)
    }

    /// Writes an object and leaves it open for further fields; it has one field at least.
    fn open(&mut self, value: &impl Serialize) -> Written {
        self.json(value)?;
        self.buffer.pop();
        Ok(())
    }

    async fn send_full(&mut self) -> Written {
        match self.buffer.len() {
            0..PIECE => Ok(()),
            _ => self.flush().await,
        }
    }

    async fn flush(&mut self) -> Written {
        let piece = mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.to.send(Ok(piece.into())).await.map_err(|_| Ended::Gone)
    }
}
