//! What steps do. Everything is written through the operations that the Operator API uses, so that the chat rules
//! hold for a scenario as for everybody.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::stream;
use prilavok_domain::message::MAX_FILE_BYTES;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{ChatId, ChatStatus, FileName, MessageId, OrderId, PublicId, ReturnId, Sender};
use prilavok_server::app::App;
use prilavok_store::{ChatChange, NewMessage, StartChat, StoreError, StoredFile, Subject};
use serde_saphyr::Spanned;

use super::cast::Cast;
use super::fiber::Fiber;
use super::listening::{Chats, Thread};
use super::report::{Happening, What};
use super::script::Step;
use super::source::{PICTURE, Scenario};
use super::values::{Text, WaitForName};

/// Where a scenario is played: its server, its cast, and what has happened so far.
pub(super) struct Stage {
    pub(super) app: Arc<App>,
    pub(super) scenario: Scenario,
    pub(super) cast: Cast,
    pub(super) chats: Chats,
    /// What was not told yet.
    pub(super) happened: Vec<Happening>,
    /// Orders that floods made.
    pub(super) flooded: u32,
    /// Chats that were finished, each with its last message: what was said up to then needs no answer.
    pub(super) finished: Vec<(ChatId, i64)>,
}

/// Why a step was not done.
#[derive(Debug)]
pub(super) enum NotDone {
    /// It cannot be.
    Impossible(String),
    /// The server failed; it may be possible later.
    Failed(anyhow::Error),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => Self::Impossible(refusal.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<anyhow::Error> for NotDone {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// A message as a step writes it.
struct Written<'a> {
    sender: Sender,
    says: Option<&'a Text>,
    sends: &'a [Spanned<String>],
    wait_for: Option<WaitForName>,
}

impl Stage {
    /// Notes that something happened.
    pub(super) fn tell(&mut self, line: Option<u64>, what: What) {
        self.happened.push(Happening {
            at: self.app.now(),
            scenario: self.scenario.name().to_owned(),
            business: self.cast.business,
            line,
            what,
        });
    }

    /// Does a step of a fiber, or lets the fiber wait.
    pub(super) async fn act(&mut self, fiber: &mut Fiber, step: &Spanned<Step>) -> Result<(), NotDone> {
        let line = step.referenced.line();
        let now = self.app.now();
        match &step.value {
            Step::Wait(lapse) => fiber.wait_until(now.plus_millis(lapse.millis()), line),
            Step::Until(time) => {
                fiber.wait_until(time.next_after(now, self.app.settings.utc_offset), line);
            }
            Step::Reply(reply) => fiber.wait_for_reply(reply, now, line),
            Step::Customer(it) => {
                let thread = Thread::new(&it.about.value, it.dispute);
                let written = Written::of(Sender::Customer, it.says.as_ref(), &it.sends);
                self.write(fiber, line, thread, written).await?;
            }
            Step::Market(it) => {
                let thread = Thread::new(&it.about.value, it.dispute);
                let written = Written::of(Sender::Market, it.says.as_ref(), &it.sends);
                self.write(fiber, line, thread, written).await?;
            }
            Step::Support(it) => {
                let thread = Thread::new(&it.about.value, it.dispute);
                let written = Written {
                    wait_for: it.wait_for,
                    ..Written::of(Sender::Support, it.says.as_ref(), &it.sends)
                };
                self.write(fiber, line, thread, written).await?;
            }
            Step::Dispute(it) => {
                let beside = self.chat(&Thread::new(&it.about.value, false)).await?;
                let started = self
                    .app
                    .store
                    .start_arbitration(self.cast.business, beside, None, now);
                let chat = started.await?.value;
                self.chats.learn(&self.cast, &chat);
                let about = it.about.value.clone();
                self.tell(Some(line), What::DisputeStarted { about, chat: chat.id });
                if it.says.is_some() || !it.sends.is_empty() {
                    let written = Written::of(Sender::Customer, it.says.as_ref(), &it.sends);
                    let thread = Thread::new(&it.about.value, true);
                    self.write(fiber, line, thread, written).await?;
                }
            }
            Step::Decide(it) => {
                let thread = Thread::new(&it.about.value, true);
                let written = Written::of(Sender::Support, Some(&it.says), &[]);
                self.write(fiber, line, thread.clone(), written).await?;
                self.change(line, &thread, ChatChange::Finish).await?;
            }
            Step::Escalate(it) => {
                let thread = Thread::new(&it.about.value, false);
                self.change(line, &thread, ChatChange::Escalate).await?;
            }
            Step::Finish(it) => {
                let thread = Thread::new(&it.about.value, false);
                self.change(line, &thread, ChatChange::Finish).await?;
            }
            Step::Flood(it) => {
                self.flood(it).await?;
                let chats = it.chats.value;
                self.tell(Some(line), What::Flooded { chats });
            }
        }
        Ok(())
    }

    /// The chat of a name. An ordinary one is started by the customer, if there is none.
    async fn chat(&mut self, thread: &Thread) -> Result<ChatId, NotDone> {
        if let Some(chat) = self.chats.current(thread) {
            return Ok(chat);
        }
        if thread.dispute {
            let reason = format!("there is no dispute about {} yet", thread.about);
            return Err(NotDone::Impossible(reason));
        }
        let (subject, customer) = self.subject(&thread.about)?;
        let start = StartChat {
            initiator: Initiator::Customer,
            subject,
            customer,
        };
        let (business, now) = (self.cast.business, self.app.now());
        let started = self.app.store.start_chat(business, start, None, now).await?;
        self.chats.learn(&self.cast, &started.value.chat);
        Ok(started.value.chat.id)
    }

    fn subject(&self, about: &str) -> anyhow::Result<(Subject, Option<PublicId>)> {
        let cast = &self.cast;
        if let Some(order) = cast.orders.get(about) {
            return Ok((Subject::Order(OrderId::new(*order)?), None));
        }
        if let Some(returned) = cast.returns.get(about) {
            return Ok((Subject::Return(ReturnId::new(*returned)?), None));
        }
        let customer = cast.customers.get(about).cloned().unwrap_or_default();
        Ok((Subject::Direct, Some(PublicId::new(customer)?)))
    }

    async fn write(
        &mut self,
        fiber: &mut Fiber,
        line: u64,
        thread: Thread,
        written: Written<'_>,
    ) -> Result<(), NotDone> {
        let chat = self.chat(&thread).await?;
        let mut files = Vec::with_capacity(written.sends.len());
        for file in written.sends {
            files.push(self.upload(&file.value).await?);
        }
        let text = written.says.map(|text| text.0.clone());
        let what = What::Wrote {
            sender: written.sender,
            about: thread.about.to_string(),
            dispute: thread.dispute,
            chat,
            text: text.as_ref().map(|text| text.as_str().to_owned()),
            files: files.len(),
        };
        let new = NewMessage {
            sender: written.sender,
            text,
            files,
            wait_for: written.wait_for.map(|it| it.0),
        };
        let (business, now) = (self.cast.business, self.app.now());
        let message = self
            .app
            .store
            .append_message(business, chat, new, None, now)
            .await?;
        fiber.spoke(thread, message.value.id.get());
        self.tell(Some(line), what);
        Ok(())
    }

    async fn upload(&self, name: &str) -> anyhow::Result<StoredFile> {
        let content = self.scenario.files.get(name).cloned().unwrap_or_default();
        let content = stream::iter([Ok::<_, Infallible>(content)]);
        let (business, now) = (self.cast.business, self.app.now());
        let stored = self.app.files.put(business, now, content, MAX_FILE_BYTES).await;
        let upload = stored.map_err(|error| anyhow::anyhow!("`{name}` could not be stored: {error:?}"))?;
        Ok(StoredFile {
            object: upload.object,
            name: FileName::from_client(if name == PICTURE { "фото.png" } else { name }),
            size: upload.size,
            media_type: upload.media_type,
        })
    }

    async fn change(&mut self, line: u64, thread: &Thread, change: ChatChange) -> Result<(), NotDone> {
        let chat = self.chat(thread).await?;
        let (business, now) = (self.cast.business, self.app.now());
        let changed = self
            .app
            .store
            .change_chat(business, chat, change, None, now)
            .await?;
        if changed.value.status == ChatStatus::Finished {
            let last = changed.value.last_message.map_or(0, MessageId::get);
            self.finished.push((chat, last));
        }
        let what = What::StatusChanged {
            about: thread.about.to_string(),
            dispute: thread.dispute,
            chat,
            status: changed.value.status,
        };
        self.tell(Some(line), what);
        Ok(())
    }
}

impl<'a> Written<'a> {
    fn of(sender: Sender, says: Option<&'a Text>, sends: &'a [Spanned<String>]) -> Self {
        Self {
            sender,
            says,
            sends,
            wait_for: None,
        }
    }
}
