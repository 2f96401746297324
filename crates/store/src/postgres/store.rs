//! Which module answers which operation.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use prilavok_domain::{
    Attachment, AuditLine, Business, BusinessId, Campaign, CampaignId, Chat, ChatId, CredentialId,
    CredentialKind, Customer, Event, FileId, Message, MessageId, MessageText, Order, OrderId, PublicId,
    Return, ReturnId, SavedReplyId, SubscriptionId, Timestamp, Verdict,
};
use tokio::sync::broadcast;
use tokio_postgres::IsolationLevel;

use super::fault::given_up;
use super::member::{answer, given_away};
use super::meta::{self, Version};
use super::work::{Committed, Tries, Work};
use super::{
    PgStore, all_of_customer, attempts, chat_list, chats, check, counter, credentials, deliveries, disputes,
    erasure, events, followed, idempotency, messages, of_customer, overdue, registry, retention, sessions,
    subscriptions, taken, usage,
};
use crate::backup::problems_of_files;
use crate::files::FileStore;
use crate::idempotency::{Idempotency, REMEMBERED_MS};
use crate::observer::Observer;
use crate::{
    Act, Again, Applied, AttemptFilter, Changes, ChatChange, ChatCursor, ChatFilter, CheckProgress,
    CheckReport, Claim, Credential, CredentialChange, CustomerChats, CustomerEvents, DisputeCursor, Erasure,
    ForgetBefore, Granted, LimitOf, LoggedAttempt, Marks, MessageRange, NewCredential, NewMessage,
    NewSubscription, OperatorToken, Page, Put, Registration, ReplyContent, Result, SavedReply, Scarce,
    SecretHash, Session, StartChat, Started, Store, StoreError, StoredFile, Subscription, SubscriptionChange,
    Switch, Taken, TakenFrom, Try, Usage, Waiting,
};

/// A read on a connection from the pool. One that broke while it lay there is no reason to fail: it is read once more.
macro_rules! read {
    ($store:expr, |$conn:ident| $read:expr) => {
        read!($store, connection, |$conn| $read)
    };
    ($store:expr, $from:ident, |$conn:ident| $read:expr) => {{
        let started = Instant::now();
        let first = {
            let $conn = $store.$from().await?;
            match $store.member.answered($read).await {
                Some(Err(_)) if $conn.is_closed() => None,
                Some(found) => Some(found),
                None => Some(given_away($conn)),
            }
        };
        let found = match first {
            Some(found) => found,
            None => {
                let $conn = $store.$from().await?;
                answer!($store.member, $conn, $read)
            }
        };
        $store.observed.read_took(started.elapsed());
        found
    }};
}

/// A transaction, begun anew where the database refused it because of what others did beside it.
macro_rules! write {
    ($store:expr, |$work:ident| $body:expr) => {{
        let mut tries = Tries::default();
        loop {
            let started = Instant::now();
            let mut conn = $store.writing().await?;
            let done = {
                let transaction = async {
                    #[allow(unused_mut)]
                    let mut $work = Work::new(conn.transaction().await?, &$store.member.node);
                    let value = $body?;
                    $work.commit().await.map(|committed| (value, committed))
                };
                answer!($store.member, conn, transaction)
            };
            match done {
                Ok((value, committed)) => {
                    $store.committed(&committed, started);
                    break Ok(value);
                }
                Err(error) if tries.again(&error) => {}
                Err(error) => break Err(given_up(error)),
            }
        }
    }};
}

/// One statement that writes, committed when it answers.
macro_rules! change {
    ($store:expr, |$conn:ident| $change:expr) => {{
        let $conn = $store.writing().await?;
        answer!($store.member, $conn, $change).map_err(given_up)
    }};
}

#[async_trait]
impl Store for PgStore {
    async fn register(&self, items: Vec<Registration>) -> Result<Vec<Put>> {
        write!(self, |work| registry::register(&mut work, &items).await)
    }

    async fn business(&self, id: BusinessId) -> Result<Option<Business>> {
        read!(self, |conn| registry::business(&conn, id))
    }

    async fn businesses(&self, after: Option<BusinessId>, limit: usize) -> Result<Vec<Business>> {
        read!(self, |conn| registry::businesses(&conn, after, limit))
    }

    async fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
        read!(self, |conn| registry::campaign(&conn, business, id))
    }

    async fn campaigns(
        &self,
        business: BusinessId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>> {
        read!(self, |conn| registry::campaigns(&conn, business, after, limit))
    }

    async fn customer(&self, id: &PublicId) -> Result<Option<Customer>> {
        read!(self, |conn| registry::customer(&conn, id))
    }

    async fn customers(&self, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>> {
        read!(self, |conn| registry::customers(&conn, after, limit))
    }

    async fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
        read!(self, |conn| registry::order(&conn, business, id))
    }

    async fn orders(&self, business: BusinessId, after: Option<OrderId>, limit: usize) -> Result<Vec<Order>> {
        read!(self, |conn| registry::orders(&conn, business, after, limit))
    }

    async fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
        read!(self, |conn| registry::returned(&conn, business, id))
    }

    async fn returns(
        &self,
        business: BusinessId,
        after: Option<ReturnId>,
        limit: usize,
    ) -> Result<Vec<Return>> {
        read!(self, |conn| registry::returns(&conn, business, after, limit))
    }

    async fn create_credential(
        &self,
        new: NewCredential,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Credential>> {
        write!(self, |work| credentials::create(
            &mut work,
            &new,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn credentials(&self, business: BusinessId, kind: CredentialKind) -> Result<Vec<Credential>> {
        read!(self, |conn| credentials::list(&conn, business, kind))
    }

    async fn credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
    ) -> Result<Option<Credential>> {
        read!(self, |conn| credentials::one(&conn, business, kind, id))
    }

    async fn change_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        change: CredentialChange,
    ) -> Result<Credential> {
        write!(self, |work| credentials::change(
            &mut work, business, kind, id, &change
        )
        .await)
    }

    async fn revoke_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        now: Timestamp,
    ) -> Result<Credential> {
        write!(self, |work| credentials::revoke(
            &mut work, business, kind, id, now
        )
        .await)
    }

    async fn credential_by_hash(&self, kind: CredentialKind, hash: SecretHash) -> Result<Option<Credential>> {
        read!(self, |conn| credentials::by_hash(&conn, kind, hash))
    }

    async fn create_operator_token(&self, hash: SecretHash, now: Timestamp) -> Result<OperatorToken> {
        write!(self, |work| credentials::create_operator_token(
            &mut work, hash, now
        )
        .await)
    }

    async fn operator_tokens(&self) -> Result<Vec<OperatorToken>> {
        read!(self, |conn| credentials::operator_tokens(&conn))
    }

    async fn revoke_operator_token(&self, id: CredentialId) -> Result<bool> {
        write!(self, |work| credentials::revoke_operator_token(&mut work, id)
            .await)
    }

    async fn operator_token_by_hash(&self, hash: SecretHash) -> Result<Option<OperatorToken>> {
        read!(self, |conn| credentials::operator_token(&conn, hash))
    }

    async fn access_version(&self) -> Result<u64> {
        Ok(self.member.news.version(Version::Access))
    }

    async fn start_chat(
        &self,
        business: BusinessId,
        start: StartChat,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Started>> {
        write!(self, |work| chats::start(
            &mut work,
            business,
            &start,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn chat(&self, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
        read!(self, |conn| chats::one(&conn, business, id))
    }

    async fn chats(
        &self,
        business: BusinessId,
        filter: &ChatFilter,
        after: Option<ChatCursor>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        read!(self, |conn| chat_list::page(
            &conn, business, filter, after, limit
        ))
    }

    async fn customer_chats(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: Option<ChatId>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        read!(self, |conn| of_customer::chats(&conn, business, of, after, limit))
    }

    async fn append_message(
        &self,
        business: BusinessId,
        chat: ChatId,
        new: NewMessage,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Message>> {
        let mut tries = Tries::default();
        loop {
            let started = Instant::now();
            let conn = self.writing().await?;
            let append = async {
                if tries.is_again()
                    && let Some(once) = &once
                {
                    idempotency::forget_old(&conn, business, once, now).await?;
                }
                if let Some(id) = idempotency::earlier(&conn, business, once.as_ref(), now).await? {
                    let value = messages::replayed(&conn, business, chat, id).await?;
                    let replayed = true;
                    return Ok((Applied { value, replayed }, None));
                }
                let node = &self.member.node;
                let appended =
                    messages::append(&conn, node, business, chat, &new, once.as_ref(), now).await?;
                let (value, replayed) = (appended.message, false);
                Ok((Applied { value, replayed }, Some(appended.event)))
            };
            match answer!(self.member, conn, append) {
                Ok((applied, event)) => {
                    if let Some(event) = event {
                        self.committed(&Committed::of_event(business, event), started);
                    }
                    return Ok(applied);
                }
                Err(error) if tries.again(&error) => {}
                Err(error) => return Err(given_up(error)),
            }
        }
    }

    async fn message(&self, business: BusinessId, chat: ChatId, id: MessageId) -> Result<Option<Message>> {
        read!(self, |conn| messages::one(&conn, business, chat, id))
    }

    async fn history(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<(Chat, Page<Message>)>> {
        read!(self, |conn| messages::history(
            &conn, business, chat, range, limit
        ))
    }

    async fn messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Page<Message>> {
        read!(self, |conn| messages::page(&conn, business, chat, range, limit))
    }

    async fn messages_before(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        read!(self, |conn| messages::page_before(
            &conn, business, chat, before, limit
        ))
    }

    async fn change_chat(
        &self,
        business: BusinessId,
        chat: ChatId,
        change: ChatChange,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        write!(self, |work| chats::change(
            &mut work,
            business,
            chat,
            change,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn start_arbitration(
        &self,
        business: BusinessId,
        chat: ChatId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        write!(self, |work| chats::start_arbitration(
            &mut work,
            business,
            chat,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn file(&self, business: BusinessId, id: FileId) -> Result<Option<(Attachment, StoredFile)>> {
        read!(self, |conn| messages::file(&conn, business, id))
    }

    async fn chat_of_file(&self, business: BusinessId, id: FileId) -> Result<Option<ChatId>> {
        read!(self, |conn| of_customer::chat_of_file(&conn, business, id))
    }

    async fn customer_events(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: i64,
        limit: usize,
    ) -> Result<CustomerEvents> {
        read!(self, |conn| of_customer::events(
            &conn, business, of, after, limit
        ))
    }

    async fn events(&self, business: Option<BusinessId>, after: i64, limit: usize) -> Result<Vec<Event>> {
        read!(self, |conn| events::after(&conn, business, after, limit))
    }

    async fn newest_event(&self, business: Option<BusinessId>) -> Result<i64> {
        read!(self, |conn| events::newest(&conn, business))
    }

    async fn marks(&self) -> Result<Marks> {
        read!(self, |conn| followed::marks(&conn))
    }

    async fn chats_by_id(&self, after: Option<(BusinessId, ChatId)>, limit: usize) -> Result<Vec<Chat>> {
        // Not from a replica: who makes an index has asked here how far the events are, and relies on the chats being there.
        read!(self, |conn| followed::chats_by_id(&conn, after, limit))
    }

    async fn renamed_customers(&self, after: i64, limit: usize) -> Result<Vec<(i64, PublicId)>> {
        read!(self, |conn| followed::renamed_customers(&conn, after, limit))
    }

    fn changes(&self) -> broadcast::Receiver<Changes> {
        self.member.news.changes()
    }

    async fn create_subscription(
        &self,
        new: NewSubscription,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>> {
        write!(self, |work| subscriptions::create(
            &mut work,
            &new,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn subscriptions(&self, business: BusinessId) -> Result<Vec<Subscription>> {
        read!(self, |conn| subscriptions::list(&conn, business))
    }

    async fn subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<Option<Subscription>> {
        read!(self, |conn| subscriptions::one(&conn, business, id))
    }

    async fn change_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        change: SubscriptionChange,
    ) -> Result<Subscription> {
        write!(self, |work| subscriptions::change(
            &mut work, business, id, &change
        )
        .await)
    }

    async fn switch_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        switch: Switch,
    ) -> Result<Subscription> {
        write!(self, |work| subscriptions::switch(
            &mut work, business, id, switch
        )
        .await)
    }

    async fn delete_subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<()> {
        write!(self, |work| subscriptions::delete(&mut work, business, id).await)
    }

    async fn enabled_subscriptions(&self) -> Result<Vec<Subscription>> {
        read!(self, |conn| self.member.leases.enabled(&conn, &self.member.node))
    }

    async fn subscriptions_version(&self) -> Result<u64> {
        // Which of them this node holds changes without their changing.
        Ok(self.member.news.version(Version::Subscriptions) + self.member.leases.changes())
    }

    async fn given_up_subscriptions(&self) -> Result<u64> {
        read!(self, |conn| subscriptions::given_up(&conn))
    }

    async fn waiting(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        seen: i64,
        limit: usize,
    ) -> Result<Waiting> {
        read!(self, |conn| deliveries::waiting(&conn, business, id, seen, limit))
    }

    async fn settle(&self, business: BusinessId, id: SubscriptionId, tries: Vec<Try>) -> Result<()> {
        write!(self, |work| deliveries::settle(&mut work, business, id, &tries)
            .await)
    }

    async fn skip_events(&self, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()> {
        write!(self, |work| deliveries::skip(&mut work, business, id, seen).await)
    }

    async fn attempts(
        &self,
        business: BusinessId,
        filter: AttemptFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<LoggedAttempt>> {
        read!(self, later, |conn| attempts::page(
            &conn, business, &filter, before, limit
        ))
    }

    async fn attempt(&self, business: BusinessId, id: i64) -> Result<Option<LoggedAttempt>> {
        read!(self, |conn| attempts::one(&conn, business, id))
    }

    async fn send_again(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        again: Again,
        now: Timestamp,
    ) -> Result<u64> {
        write!(self, |work| deliveries::send_again(
            &mut work, business, id, again, now
        )
        .await)
    }

    async fn latest_messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        read!(self, |conn| counter::latest(&conn, business, chat, before, limit))
    }

    async fn seen(&self, business: BusinessId, chats: &[ChatId]) -> Result<Vec<Option<MessageId>>> {
        read!(self, |conn| counter::seen(&conn, business, chats))
    }

    async fn mark_seen(&self, business: BusinessId, chat: ChatId, message: MessageId) -> Result<()> {
        change!(self, |conn| counter::mark_seen(&conn, business, chat, message))
    }

    async fn saved_replies(&self, business: BusinessId) -> Result<Vec<SavedReply>> {
        read!(self, |conn| counter::replies(&conn, business))
    }

    async fn add_reply(
        &self,
        business: BusinessId,
        content: ReplyContent,
        now: Timestamp,
    ) -> Result<SavedReply> {
        write!(self, |work| counter::add_reply(
            &mut work, business, &content, now
        )
        .await)
    }

    async fn change_reply(
        &self,
        business: BusinessId,
        id: SavedReplyId,
        content: ReplyContent,
    ) -> Result<()> {
        write!(self, |work| counter::change_reply(
            &mut work, business, id, &content
        )
        .await)
    }

    async fn delete_reply(&self, business: BusinessId, id: SavedReplyId) -> Result<()> {
        change!(self, |conn| counter::delete_reply(&conn, business, id))
    }

    async fn begin_session(&self, session: Session, over: Timestamp) -> Result<()> {
        write!(self, |work| sessions::begin(&mut work, session, over).await)
    }

    async fn session(&self, id: SecretHash) -> Result<Option<Session>> {
        read!(self, |conn| sessions::one(&conn, id))
    }

    async fn use_session(&self, id: SecretHash, now: Timestamp) -> Result<()> {
        change!(self, |conn| sessions::used(&conn, id, now))
    }

    async fn end_session(&self, id: SecretHash) -> Result<()> {
        change!(self, |conn| sessions::end(&conn, id))
    }

    async fn disputes(&self, after: Option<DisputeCursor>, limit: usize) -> Result<Page<Chat>> {
        read!(self, |conn| disputes::waiting(&conn, after, limit))
    }

    async fn verdict(&self, business: BusinessId, dispute: ChatId) -> Result<Option<Verdict>> {
        read!(self, |conn| disputes::verdict(&conn, business, dispute))
    }

    async fn act(
        &self,
        business: BusinessId,
        act: Act,
        by: CredentialId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<AuditLine>> {
        write!(self, |work| disputes::act(
            &mut work,
            business,
            &act,
            by,
            once.as_ref(),
            now
        )
        .await)
    }

    async fn audit(
        &self,
        dispute: Option<(BusinessId, ChatId)>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<AuditLine>> {
        read!(self, later, |conn| disputes::audit(&conn, dispute, before, limit))
    }

    async fn idle_chats(&self, business: BusinessId, before: Timestamp, limit: usize) -> Result<Vec<ChatId>> {
        read!(self, |conn| overdue::idle(&conn, business, before, limit))
    }

    async fn finish_idle(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        write!(self, |work| overdue::finish_idle(
            &mut work, business, chat, before, now
        )
        .await)
    }

    async fn unanswered_chats(
        &self,
        business: BusinessId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ChatId>> {
        read!(self, |conn| overdue::unanswered(&conn, business, before, limit))
    }

    async fn remind(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        text: MessageText,
        now: Timestamp,
    ) -> Result<bool> {
        write!(self, |work| overdue::remind(
            &mut work, business, chat, before, &text, now
        )
        .await)
    }

    async fn forget_notifications(&self, business: BusinessId, before: ForgetBefore) -> Result<u64> {
        write!(self, |work| attempts::forget(&work.tx, business, before).await)
    }

    async fn named_files(&self, objects: Vec<String>) -> Result<Vec<bool>> {
        read!(self, |conn| overdue::named_files(&conn, &objects))
    }

    async fn forget_chats(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken> {
        let old = read!(self, |conn| retention::old_chats(&conn, business, before))?;
        if old.is_empty() {
            return Ok(Taken::default());
        }
        let mut events = retention::EventsOf::default();
        let mut conn = self.connection().await?;
        let transaction = conn.build_transaction().read_only(true).start().await?;
        // It looks at all events of the business, before anything is locked.
        transaction
            .batch_execute("SET LOCAL statement_timeout = 0")
            .await?;
        events.read(&transaction, business, &old).await?;
        drop(transaction);
        drop(conn);
        write!(self, |work| retention::forget_chats(
            &work,
            business,
            &old,
            &mut events,
            before,
            now
        )
        .await)
    }

    async fn forget_files(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken> {
        write!(self, |work| retention::forget_files(
            &work.tx, business, before, now
        )
        .await)
    }

    async fn erase_customer(&self, id: &PublicId, now: Timestamp) -> Result<Erasure> {
        let chats = read!(self, |conn| all_of_customer::count_chats(&conn, id))?;
        write!(self, |work| erasure::begin(&work, id, chats, now).await)
    }

    async fn erasure(&self, id: &PublicId) -> Result<Option<Erasure>> {
        read!(self, |conn| erasure::one(&conn, id))
    }

    async fn erasures_under_way(&self, limit: usize) -> Result<Vec<PublicId>> {
        read!(self, |conn| erasure::under_way(&conn, limit))
    }

    async fn erase_some(&self, id: &PublicId, now: Timestamp) -> Result<Taken> {
        write!(self, |work| erasure::step(&work, id, now).await)
    }

    async fn clear_traces(&self) -> Result<bool> {
        // Old versions of rows are the database's to remove: autovacuum does, and its log is recycled.
        Ok(false)
    }

    async fn taken_from(&self, after: i64, limit: usize) -> Result<Vec<TakenFrom>> {
        read!(self, |conn| taken::after(&conn, after, limit))
    }

    async fn forget_taken(&self, before: Timestamp) -> Result<u64> {
        write!(self, |work| taken::forget(&work.tx, before).await)
    }

    async fn chats_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, ChatId)>,
        limit: usize,
    ) -> Result<Vec<Chat>> {
        read!(self, |conn| all_of_customer::chats(&conn, id, after, limit))
    }

    async fn orders_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId)>,
        limit: usize,
    ) -> Result<Vec<Order>> {
        read!(self, |conn| all_of_customer::orders(&conn, id, after, limit))
    }

    async fn returns_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId, ReturnId)>,
        limit: usize,
    ) -> Result<Vec<Return>> {
        read!(self, |conn| all_of_customer::returns(&conn, id, after, limit))
    }

    async fn usage(&self, hour: Timestamp) -> Result<Vec<Usage>> {
        read!(self, |conn| usage::load(&conn, hour))
    }

    async fn save_usage(&self, usage: Vec<Usage>, forget_before: Option<Timestamp>) -> Result<()> {
        change!(self, |conn| usage::save(&conn, &usage, forget_before))
    }

    async fn server_secret(&self) -> Result<[u8; 32]> {
        read!(self, |conn| meta::secret(&conn))
    }

    async fn forget_idempotency(&self, now: Timestamp) -> Result<u64> {
        let until = now.plus_millis(-REMEMBERED_MS).as_millis();
        change!(self, |conn| meta::forget_idempotency(&conn, until))
    }

    async fn ready(&self) -> Result<()> {
        change!(self, |conn| meta::prove(&conn))
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.observed.by(observer);
    }

    fn queue_depth(&self) -> usize {
        self.pool.status().waiting
    }

    async fn backup(&self, _: &Path, _: Box<dyn Fn(u64, u64) + Send>) -> Result<()> {
        drop(self.connection().await?);
        // The database's own tools know how to, with all nodes at work.
        let why = "a PostgreSQL database is backed up with its own tools: pg_dump, or pg_basebackup and a log archive";
        Err(StoreError::Failed(why.into()))
    }

    async fn check_and_tell(&self, files: &FileStore, progress: CheckProgress) -> Result<CheckReport> {
        let mut conn = self.later().await?;
        let transaction = conn
            .build_transaction()
            .read_only(true)
            .isolation_level(IsolationLevel::RepeatableRead);
        let transaction = transaction.start().await?;
        // It looks at everything.
        transaction
            .batch_execute("SET LOCAL statement_timeout = 0")
            .await?;
        let (mut report, objects) = check::check(&transaction, &progress).await?;
        drop(transaction);
        report
            .problems
            .extend(problems_of_files(self, files, objects).await?);
        progress(check::STEPS, check::STEPS);
        Ok(report)
    }

    async fn close(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
        if let Err(error) = self.member.leave().await {
            tracing::warn!(%error, "what this node holds is free for the others only when its leases end");
        }
        self.pool.close();
        if let Some(replica) = &self.replica {
            replica.close();
        }
    }

    fn counting_nodes(&self) -> Option<u32> {
        Some(self.member.node.live())
    }

    async fn claim_usage(&self, claims: Vec<Claim>) -> Result<Vec<Granted>> {
        change!(self, |conn| usage::claim(&conn, &claims))
    }

    fn tell_scarce(&self, limits: Vec<LimitOf>) {
        self.member.news.found_scarce(limits);
    }

    fn scarce(&self) -> broadcast::Receiver<Scarce> {
        self.member.news.scarce()
    }
}
