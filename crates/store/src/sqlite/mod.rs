//! The embedded store: one SQLite file, one thread that writes, connections that read.
//!
//! [`SqliteStore`] only says which of the modules beside it answers which operation, and whether
//! that is a read or a write. What an acknowledged write has survived is in [`writer`]'s and
//! `open`'s hands: a commit with `synchronous=FULL` in a write-ahead log.

mod all_of_customer;
mod attempts;
mod backup;
mod chat_list;
mod chats;
mod check;
mod counter;
mod credentials;
mod deliveries;
mod disputes;
mod erasure;
mod events;
mod fault;
mod followed;
mod head;
mod idempotency;
mod known;
mod known_lists;
pub(crate) mod lagging;
mod log;
mod messages;
mod meta;
mod of_customer;
mod open;
mod overdue;
mod places;
#[cfg(test)]
mod plans;
pub(crate) mod presence;
mod readers;
mod recent;
mod registry;
mod retention;
pub(crate) mod rows;
mod sessions;
mod standing;
mod subscriptions;
mod taken;
mod texts;
mod usage;
mod watch;
mod write;
mod write_back;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use prilavok_domain::{
    Attachment, AuditLine, Business, BusinessId, Campaign, CampaignId, Chat, ChatId, CredentialId,
    CredentialKind, Customer, Event, FileId, IdSequence, Message, MessageId, MessageText, Order, OrderId,
    PublicId, Return, ReturnId, SavedReplyId, SubscriptionId, Timestamp, Verdict,
};
use tokio::sync::broadcast;

use crate::backup::problems_of_files;
use crate::files::FileStore;
use crate::idempotency::Idempotency;
use crate::observer::{Observed, Observer};
use crate::scrub;
use crate::{
    Act, Again, Applied, AttemptFilter, Changes, ChatChange, ChatCursor, ChatFilter, CheckProgress,
    CheckReport, Claim, Credential, CredentialChange, CustomerChats, CustomerEvents, DisputeCursor, Erasure,
    ForgetBefore, Granted, LimitOf, LoggedAttempt, Marks, MessageRange, NewCredential, NewMessage,
    NewSubscription, OperatorToken, Page, Put, Registration, ReplyContent, Result, SavedReply, Scarce,
    SecretHash, Session, StartChat, Started, Store, StoreError, StoredFile, Subscription, SubscriptionChange,
    Switch, Taken, TakenFrom, Try, Usage, Waiting,
};
pub use open::{OpenError, private_folder};
use presence::Presence;
use readers::Readers;
use watch::Watch;
use writer::Writer;

/// The file's name within the data folder.
pub const FILE_NAME: &str = "prilavok.sqlite";

/// A store in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// `None` once the store is closed.
    watch: Mutex<Option<Watch>>,
    observed: Observed,
}

impl SqliteStore {
    /// Opens the file, makes it if there is none, and brings its schema up to date. `ids` is where
    /// new ids come from; a clocked sequence goes on above every id that the file has seen.
    pub fn open(path: &Path, ids: IdSequence) -> std::result::Result<Self, OpenError> {
        let conn = open::writer(path)?;
        let observed = Observed::default();
        let unusable = |source| OpenError::Folder {
            path: path.to_owned(),
            source,
        };
        let presence = Presence::of(path).map_err(unusable)?;
        let readers = Readers::new(path.to_owned(), Arc::default(), observed.clone());
        Self::over(path, conn, presence, readers, ids, observed)
    }
}

impl SqliteStore {
    fn over(
        path: &Path,
        conn: rusqlite::Connection,
        presence: Presence,
        readers: Readers,
        ids: IdSequence,
        observed: Observed,
    ) -> std::result::Result<Self, OpenError> {
        let writer = Writer::start(path, conn, presence, readers.clone(), ids, observed.clone());
        let writer = writer.map_err(|source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        let watch = Watch::start(path, readers.clone(), writer.nudge())?;
        Ok(Self {
            writer,
            readers,
            watch: Mutex::new(Some(watch)),
            observed,
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn register(&self, items: Vec<Registration>) -> Result<Vec<Put>> {
        self.writer
            .write_at_request(move |write| registry::register(write, &items))
            .await
    }

    async fn business(&self, id: BusinessId) -> Result<Option<Business>> {
        self.readers.read(|conn| registry::business(conn, id))
    }

    async fn businesses(&self, after: Option<BusinessId>, limit: usize) -> Result<Vec<Business>> {
        self.readers.read(|conn| registry::businesses(conn, after, limit))
    }

    async fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
        self.readers.read(|conn| registry::campaign(conn, business, id))
    }

    async fn campaigns(
        &self,
        business: BusinessId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>> {
        self.readers
            .read(|conn| registry::campaigns(conn, business, after, limit))
    }

    async fn customer(&self, id: &PublicId) -> Result<Option<Customer>> {
        self.readers.read(|conn| registry::customer(conn, id))
    }

    async fn customers(&self, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>> {
        self.readers.read(|conn| registry::customers(conn, after, limit))
    }

    async fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
        self.readers.read(|conn| registry::order(conn, business, id))
    }

    async fn orders(&self, business: BusinessId, after: Option<OrderId>, limit: usize) -> Result<Vec<Order>> {
        self.readers
            .read(|conn| registry::orders(conn, business, after, limit))
    }

    async fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
        self.readers.read(|conn| registry::returned(conn, business, id))
    }

    async fn returns(
        &self,
        business: BusinessId,
        after: Option<ReturnId>,
        limit: usize,
    ) -> Result<Vec<Return>> {
        self.readers
            .read(|conn| registry::returns(conn, business, after, limit))
    }

    async fn create_credential(
        &self,
        new: NewCredential,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Credential>> {
        self.writer
            .write(move |write| credentials::create(write, &new, once.as_ref(), now))
            .await
    }

    async fn credentials(&self, business: BusinessId, kind: CredentialKind) -> Result<Vec<Credential>> {
        self.readers.read(|conn| credentials::list(conn, business, kind))
    }

    async fn credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
    ) -> Result<Option<Credential>> {
        self.readers
            .read(|conn| credentials::one(conn, business, kind, id))
    }

    async fn change_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        change: CredentialChange,
    ) -> Result<Credential> {
        self.writer
            .write(move |write| credentials::change(write.conn, business, kind, id, &change))
            .await
    }

    async fn revoke_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        now: Timestamp,
    ) -> Result<Credential> {
        self.writer
            .write(move |write| credentials::revoke(write.conn, business, kind, id, now))
            .await
    }

    async fn credential_by_hash(&self, kind: CredentialKind, hash: SecretHash) -> Result<Option<Credential>> {
        self.readers.read(|conn| credentials::by_hash(conn, kind, hash))
    }

    async fn create_operator_token(&self, hash: SecretHash, now: Timestamp) -> Result<OperatorToken> {
        self.writer
            .write(move |write| credentials::create_operator_token(write, hash, now))
            .await
    }

    async fn operator_tokens(&self) -> Result<Vec<OperatorToken>> {
        self.readers.read(credentials::operator_tokens)
    }

    async fn revoke_operator_token(&self, id: CredentialId) -> Result<bool> {
        self.writer
            .write(move |write| credentials::revoke_operator_token(write.conn, id))
            .await
    }

    async fn operator_token_by_hash(&self, hash: SecretHash) -> Result<Option<OperatorToken>> {
        self.readers.read(|conn| credentials::operator_token(conn, hash))
    }

    async fn access_version(&self) -> Result<u64> {
        self.readers.read(meta::access_version)
    }

    async fn start_chat(
        &self,
        business: BusinessId,
        start: StartChat,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Started>> {
        self.writer
            .write_at_request(move |write| chats::start(write, business, &start, once.as_ref(), now))
            .await
    }

    async fn chat(&self, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
        self.readers.are_open()?;
        if let Some(chat) = self.readers.known().chat(business, id) {
            return Ok(Some(chat));
        }
        self.readers
            .view(|view| Ok(chats::unknown(view, business, id, chats::now)?.map(|(chat, _)| chat)))
    }

    async fn chats(
        &self,
        business: BusinessId,
        filter: &ChatFilter,
        after: Option<ChatCursor>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        self.readers.are_open()?;
        if let Some(page) = chat_list::known(self.readers.known(), business, filter, after, limit) {
            return Ok(page);
        }
        self.readers
            .view(|view| chat_list::page(view, business, filter, after, limit))
    }

    async fn customer_chats(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: Option<ChatId>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        self.readers
            .read(|conn| of_customer::chats(conn, business, of, after, limit))
    }

    async fn append_message(
        &self,
        business: BusinessId,
        chat: ChatId,
        new: NewMessage,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Message>> {
        self.writer
            .write_at_request(move |write| messages::append(write, business, chat, &new, once.as_ref(), now))
            .await
    }

    async fn message(&self, business: BusinessId, chat: ChatId, id: MessageId) -> Result<Option<Message>> {
        self.readers.view(|view| messages::one(view, business, chat, id))
    }

    async fn history(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<(Chat, Page<Message>)>> {
        // Before the messages: they are no older than the chat.
        let known = self.readers.known().numbered(business, chat);
        self.readers
            .view(|view| messages::history(view, business, chat, known, range, limit))
    }

    async fn messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Page<Message>> {
        self.readers
            .view(|view| messages::page(view, business, chat, range, limit))
    }

    async fn messages_before(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        self.readers
            .read(|conn| messages::page_before(conn, business, chat, before, limit))
    }

    async fn change_chat(
        &self,
        business: BusinessId,
        chat: ChatId,
        change: ChatChange,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        self.writer
            .write_at_request(move |write| chats::change(write, business, chat, change, once.as_ref(), now))
            .await
    }

    async fn start_arbitration(
        &self,
        business: BusinessId,
        chat: ChatId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        self.writer
            .write_at_request(move |write| {
                chats::start_arbitration(write, business, chat, once.as_ref(), now)
            })
            .await
    }

    async fn file(&self, business: BusinessId, id: FileId) -> Result<Option<(Attachment, StoredFile)>> {
        self.readers.read(|conn| messages::file(conn, business, id))
    }

    async fn chat_of_file(&self, business: BusinessId, id: FileId) -> Result<Option<ChatId>> {
        self.readers
            .read(|conn| of_customer::chat_of_file(conn, business, id))
    }

    async fn customer_events(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: i64,
        limit: usize,
    ) -> Result<CustomerEvents> {
        self.readers
            .read(|conn| of_customer::events(conn, business, of, after, limit))
    }

    async fn events(&self, business: Option<BusinessId>, after: i64, limit: usize) -> Result<Vec<Event>> {
        self.readers
            .read(|conn| events::after(conn, business, after, limit))
    }

    async fn newest_event(&self, business: Option<BusinessId>) -> Result<i64> {
        self.readers.read(|conn| events::newest(conn, business))
    }

    async fn marks(&self) -> Result<Marks> {
        self.readers.read(followed::marks)
    }

    async fn chats_by_id(&self, after: Option<(BusinessId, ChatId)>, limit: usize) -> Result<Vec<Chat>> {
        self.readers
            .read(|conn| followed::chats_by_id(conn, after, limit))
    }

    async fn renamed_customers(&self, after: i64, limit: usize) -> Result<Vec<(i64, PublicId)>> {
        self.readers
            .read(|conn| followed::renamed_customers(conn, after, limit))
    }

    fn changes(&self) -> broadcast::Receiver<Changes> {
        self.writer.changes()
    }

    async fn create_subscription(
        &self,
        new: NewSubscription,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>> {
        self.writer
            .write(move |write| subscriptions::create(write, &new, once.as_ref(), now))
            .await
    }

    async fn subscriptions(&self, business: BusinessId) -> Result<Vec<Subscription>> {
        self.readers.read(|conn| subscriptions::list(conn, business))
    }

    async fn subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<Option<Subscription>> {
        self.readers.read(|conn| subscriptions::one(conn, business, id))
    }

    async fn change_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        change: SubscriptionChange,
    ) -> Result<Subscription> {
        self.writer
            .write(move |write| subscriptions::change(write.conn, business, id, &change))
            .await
    }

    async fn switch_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        switch: Switch,
    ) -> Result<Subscription> {
        self.writer
            .write(move |write| subscriptions::switch(write.conn, business, id, switch))
            .await
    }

    async fn delete_subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<()> {
        self.writer
            .write(move |write| subscriptions::delete(write.conn, business, id))
            .await
    }

    async fn enabled_subscriptions(&self) -> Result<Vec<Subscription>> {
        self.readers.read(subscriptions::enabled)
    }

    async fn subscriptions_version(&self) -> Result<u64> {
        self.readers.read(subscriptions::version)
    }

    async fn given_up_subscriptions(&self) -> Result<u64> {
        self.readers.read(deliveries::given_up)
    }

    async fn waiting(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        seen: i64,
        limit: usize,
    ) -> Result<Waiting> {
        self.readers
            .read(|conn| deliveries::waiting(conn, business, id, seen, limit))
    }

    async fn settle(&self, business: BusinessId, id: SubscriptionId, tries: Vec<Try>) -> Result<()> {
        self.writer
            .write(move |write| deliveries::settle(write, business, id, &tries))
            .await
    }

    async fn skip_events(&self, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()> {
        self.writer
            .write(move |write| deliveries::skip(write.conn, business, id, seen))
            .await
    }

    async fn attempts(
        &self,
        business: BusinessId,
        filter: AttemptFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<LoggedAttempt>> {
        self.readers
            .read(|conn| attempts::page(conn, business, &filter, before, limit))
    }

    async fn attempt(&self, business: BusinessId, id: i64) -> Result<Option<LoggedAttempt>> {
        self.readers.read(|conn| attempts::one(conn, business, id))
    }

    async fn send_again(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        again: Again,
        now: Timestamp,
    ) -> Result<u64> {
        self.writer
            .write(move |write| deliveries::send_again(write, business, id, again, now))
            .await
    }

    async fn latest_messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        self.readers
            .read(|conn| counter::latest(conn, business, chat, before, limit))
    }

    async fn seen(&self, business: BusinessId, chats: &[ChatId]) -> Result<Vec<Option<MessageId>>> {
        self.readers.read(|conn| counter::seen(conn, business, chats))
    }

    async fn mark_seen(&self, business: BusinessId, chat: ChatId, message: MessageId) -> Result<()> {
        self.writer
            .write_at_request(move |write| counter::mark_seen(write.conn, business, chat, message))
            .await
    }

    async fn saved_replies(&self, business: BusinessId) -> Result<Vec<SavedReply>> {
        self.readers.read(|conn| counter::replies(conn, business))
    }

    async fn add_reply(
        &self,
        business: BusinessId,
        content: ReplyContent,
        now: Timestamp,
    ) -> Result<SavedReply> {
        self.writer
            .write_at_request(move |write| counter::add_reply(write, business, &content, now))
            .await
    }

    async fn change_reply(
        &self,
        business: BusinessId,
        id: SavedReplyId,
        content: ReplyContent,
    ) -> Result<()> {
        self.writer
            .write_at_request(move |write| counter::change_reply(write.conn, business, id, &content))
            .await
    }

    async fn delete_reply(&self, business: BusinessId, id: SavedReplyId) -> Result<()> {
        self.writer
            .write_at_request(move |write| counter::delete_reply(write.conn, business, id))
            .await
    }

    async fn begin_session(&self, session: Session, over: Timestamp) -> Result<()> {
        self.writer
            .write_at_request(move |write| sessions::begin(write.conn, session, over))
            .await
    }

    async fn session(&self, id: SecretHash) -> Result<Option<Session>> {
        self.readers.read(|conn| sessions::one(conn, id))
    }

    async fn use_session(&self, id: SecretHash, now: Timestamp) -> Result<()> {
        self.writer
            .write_at_request(move |write| sessions::used(write.conn, id, now))
            .await
    }

    async fn end_session(&self, id: SecretHash) -> Result<()> {
        self.writer
            .write_at_request(move |write| sessions::end(write.conn, id))
            .await
    }

    async fn disputes(&self, after: Option<DisputeCursor>, limit: usize) -> Result<Page<Chat>> {
        self.readers.read(|conn| disputes::waiting(conn, after, limit))
    }

    async fn verdict(&self, business: BusinessId, dispute: ChatId) -> Result<Option<Verdict>> {
        self.readers
            .read(|conn| disputes::verdict(conn, business, dispute))
    }

    async fn act(
        &self,
        business: BusinessId,
        act: Act,
        by: CredentialId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<AuditLine>> {
        self.writer
            .write_at_request(move |write| disputes::act(write, business, &act, by, once.as_ref(), now))
            .await
    }

    async fn audit(
        &self,
        dispute: Option<(BusinessId, ChatId)>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<AuditLine>> {
        self.readers
            .read(|conn| disputes::audit(conn, dispute, before, limit))
    }

    async fn idle_chats(&self, business: BusinessId, before: Timestamp, limit: usize) -> Result<Vec<ChatId>> {
        self.readers
            .read(|conn| overdue::idle(conn, business, before, limit))
    }

    async fn finish_idle(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        self.writer
            .write(move |write| overdue::finish_idle(write, business, chat, before, now))
            .await
    }

    async fn unanswered_chats(
        &self,
        business: BusinessId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ChatId>> {
        self.readers
            .read(|conn| overdue::unanswered(conn, business, before, limit))
    }

    async fn remind(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        text: MessageText,
        now: Timestamp,
    ) -> Result<bool> {
        self.writer
            .write(move |write| overdue::remind(write, business, chat, before, text, now))
            .await
    }

    async fn forget_notifications(&self, business: BusinessId, before: ForgetBefore) -> Result<u64> {
        // Most businesses have nothing that is old: to look costs no commit.
        if !self
            .readers
            .read(|conn| attempts::is_any_old(conn, business, before))?
        {
            return Ok(0);
        }
        self.writer
            .write(move |write| attempts::forget(write.conn, business, before))
            .await
    }

    async fn named_files(&self, objects: Vec<String>) -> Result<Vec<bool>> {
        self.readers
            .on_its_own(move |conn| overdue::named_files(conn, &objects))
            .await
    }

    async fn forget_chats(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken> {
        let ids = self
            .readers
            .read(|conn| retention::old_chats(conn, business, before))?;
        if ids.is_empty() {
            return Ok(Taken::default());
        }
        let old = self
            .readers
            .on_its_own(move |conn| retention::with_events(conn, business, &ids))
            .await?;
        self.writer
            .write(move |write| retention::forget_chats(write, business, &old, before, now))
            .await
    }

    async fn forget_files(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken> {
        let files = self
            .readers
            .read(|conn| retention::old_files(conn, business, before))?;
        if files.is_empty() {
            return Ok(Taken::default());
        }
        self.writer
            .write(move |write| retention::forget_files(write.conn, business, &files, now))
            .await
    }

    async fn erase_customer(&self, id: &PublicId, now: Timestamp) -> Result<Erasure> {
        let id = id.clone();
        let of = id.clone();
        let chats = self
            .readers
            .on_its_own(move |conn| all_of_customer::count_chats(conn, &of))
            .await?;
        self.writer
            .write_at_request(move |write| erasure::begin(write, &id, chats, now))
            .await
    }

    async fn erasure(&self, id: &PublicId) -> Result<Option<Erasure>> {
        self.readers.read(|conn| erasure::one(conn, id))
    }

    async fn erasures_under_way(&self, limit: usize) -> Result<Vec<PublicId>> {
        self.readers.read(|conn| erasure::under_way(conn, limit))
    }

    async fn erase_some(&self, id: &PublicId, now: Timestamp) -> Result<Taken> {
        let id = id.clone();
        let next = self
            .readers
            .on_its_own(move |conn| erasure::next(conn, &id))
            .await?;
        match next {
            None => Ok(Taken::default()),
            Some(next) => {
                self.writer
                    .write(move |write| erasure::step(write, &next, now))
                    .await
            }
        }
    }

    async fn clear_traces(&self) -> Result<bool> {
        let Some(first) = self.readers.read(meta::traces)? else {
            return Ok(false);
        };
        let found = self
            .readers
            .on_its_own(move |conn| Ok(scrub::look(conn, first)?))
            .await?;
        self.writer
            .write(move |write| erasure::clear_traces(write, &found))
            .await
    }

    async fn taken_from(&self, after: i64, limit: usize) -> Result<Vec<TakenFrom>> {
        self.readers.read(|conn| taken::after(conn, after, limit))
    }

    async fn forget_taken(&self, before: Timestamp) -> Result<u64> {
        self.writer
            .write(move |write| taken::forget(write.conn, before))
            .await
    }

    async fn chats_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, ChatId)>,
        limit: usize,
    ) -> Result<Vec<Chat>> {
        let id = id.clone();
        self.readers
            .on_its_own(move |conn| all_of_customer::chats(conn, &id, after, limit))
            .await
    }

    async fn orders_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId)>,
        limit: usize,
    ) -> Result<Vec<Order>> {
        let id = id.clone();
        self.readers
            .on_its_own(move |conn| all_of_customer::orders(conn, &id, after, limit))
            .await
    }

    async fn returns_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId, ReturnId)>,
        limit: usize,
    ) -> Result<Vec<Return>> {
        let id = id.clone();
        self.readers
            .on_its_own(move |conn| all_of_customer::returns(conn, &id, after, limit))
            .await
    }

    async fn usage(&self, hour: Timestamp) -> Result<Vec<Usage>> {
        self.readers.read(|conn| usage::load(conn, hour))
    }

    async fn save_usage(&self, usage: Vec<Usage>, forget_before: Option<Timestamp>) -> Result<()> {
        self.writer
            .write(move |write| usage::save(write.conn, &usage, forget_before))
            .await
    }

    fn counting_nodes(&self) -> Option<u32> {
        None
    }

    async fn claim_usage(&self, claims: Vec<Claim>) -> Result<Vec<Granted>> {
        self.writer
            .write(move |write| usage::claim(write.conn, &claims))
            .await
    }

    fn tell_scarce(&self, _: Vec<LimitOf>) {}

    fn scarce(&self) -> broadcast::Receiver<Scarce> {
        broadcast::channel(1).1
    }

    async fn server_secret(&self) -> Result<[u8; 32]> {
        self.readers.read(meta::secret)
    }

    async fn forget_idempotency(&self, now: Timestamp) -> Result<u64> {
        self.writer
            .write(move |write| idempotency::forget(write.conn, now))
            .await
    }

    async fn ready(&self) -> Result<()> {
        let written = self.writer.write(|write| meta::prove(write.conn)).await?;
        // The write made what readers have in memory out of date: this read goes to the file.
        let read = self.readers.read(meta::proof)?;
        if read < written {
            return Err(StoreError::Unavailable(
                "a read does not see what was written before it".to_owned(),
            ));
        }
        Ok(())
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.observed.by(observer);
    }

    fn queue_depth(&self) -> usize {
        self.writer.depth()
    }

    async fn backup(&self, to: &Path, progress: Box<dyn Fn(u64, u64) + Send>) -> Result<()> {
        let to: PathBuf = to.to_owned();
        self.readers
            .on_its_own(move |conn| backup::backup(conn, &to, progress))
            .await
    }

    async fn check_and_tell(&self, files: &FileStore, progress: CheckProgress) -> Result<CheckReport> {
        let told = Arc::clone(&progress);
        let (mut report, objects) = self
            .readers
            .on_its_own(move |conn| check::check(conn, &*told))
            .await?;
        report
            .problems
            .extend(problems_of_files(self, files, objects).await?);
        progress(check::STEPS, check::STEPS);
        Ok(report)
    }

    async fn close(&self) {
        // The writer last: only the last connection can clear the write-ahead log away.
        let watch = self.watch.lock().take();
        drop(watch);
        self.readers.close();
        self.writer.close().await;
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        Self::Failed(Box::new(error))
    }
}
