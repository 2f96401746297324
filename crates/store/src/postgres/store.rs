//! Which module answers which operation.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use prilavok_domain::{
    Attachment, AuditLine, Business, BusinessId, Campaign, CampaignId, Chat, ChatId, CredentialId,
    CredentialKind, Customer, Event, FileId, Message, MessageId, MessageText, Order, OrderId, PublicId,
    Return, ReturnId, SavedReplyId, SubscriptionId, Timestamp, Verdict,
};
use tokio::sync::broadcast;

use super::{
    PgStore, attempts, chat_list, chats, check, counter, credentials, deliveries, disputes, events, followed,
    idempotency, listen, messages, of_customer, overdue, registry, subscriptions, upkeep, usage,
};
use crate::files::FileStore;
use crate::idempotency::Idempotency;
use crate::observer::Observer;
use crate::{
    Act, Again, Applied, AttemptFilter, Changes, ChatChange, ChatCursor, ChatFilter, CheckReport, Credential,
    CredentialChange, CustomerChats, CustomerEvents, DisputeCursor, ForgetBefore, LoggedAttempt, Marks,
    MessageRange, NewCredential, NewMessage, NewSubscription, OperatorToken, Page, Put, Registration,
    ReplyContent, Result, SavedReply, SecretHash, StartChat, Started, Store, StoredFile, Subscription,
    SubscriptionChange, Switch, Try, Usage, Waiting,
};

#[async_trait]
impl Store for PgStore {
    async fn register(&self, items: Vec<Registration>) -> Result<Vec<Put>> {
        self.db
            .write_at_request(items, |write, items| Box::pin(registry::register(write, items)))
            .await
    }

    async fn business(&self, id: BusinessId) -> Result<Option<Business>> {
        registry::business(&*self.db, id).await
    }

    async fn businesses(&self, after: Option<BusinessId>, limit: usize) -> Result<Vec<Business>> {
        registry::businesses(&*self.db, after, limit).await
    }

    async fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
        registry::campaign(&*self.db, business, id).await
    }

    async fn campaigns(
        &self,
        business: BusinessId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>> {
        registry::campaigns(&*self.db, business, after, limit).await
    }

    async fn customer(&self, id: &PublicId) -> Result<Option<Customer>> {
        registry::customer(&*self.db, id).await
    }

    async fn customers(&self, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>> {
        registry::customers(&*self.db, after, limit).await
    }

    async fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
        registry::order(&*self.db, business, id).await
    }

    async fn orders(&self, business: BusinessId, after: Option<OrderId>, limit: usize) -> Result<Vec<Order>> {
        registry::orders(&*self.db, business, after, limit).await
    }

    async fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
        registry::returned(&*self.db, business, id).await
    }

    async fn returns(
        &self,
        business: BusinessId,
        after: Option<ReturnId>,
        limit: usize,
    ) -> Result<Vec<Return>> {
        registry::returns(&*self.db, business, after, limit).await
    }

    async fn create_credential(
        &self,
        new: NewCredential,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Credential>> {
        self.db
            .write((new, once), move |write, (new, once)| {
                Box::pin(credentials::create(write, new, once.as_ref(), now))
            })
            .await
    }

    async fn credentials(&self, business: BusinessId, kind: CredentialKind) -> Result<Vec<Credential>> {
        credentials::list(&*self.db, business, kind).await
    }

    async fn credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
    ) -> Result<Option<Credential>> {
        credentials::one(&*self.db, business, kind, id).await
    }

    async fn change_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        change: CredentialChange,
    ) -> Result<Credential> {
        self.db
            .write(change, move |write, change| {
                Box::pin(credentials::change(write, business, kind, id, change))
            })
            .await
    }

    async fn revoke_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        now: Timestamp,
    ) -> Result<Credential> {
        self.db
            .write((), move |write, ()| {
                Box::pin(credentials::revoke(write, business, kind, id, now))
            })
            .await
    }

    async fn credential_by_hash(&self, kind: CredentialKind, hash: SecretHash) -> Result<Option<Credential>> {
        credentials::by_hash(&*self.db, kind, hash).await
    }

    async fn create_operator_token(&self, hash: SecretHash, now: Timestamp) -> Result<OperatorToken> {
        self.db
            .write((), move |write, ()| {
                Box::pin(credentials::create_operator_token(write, hash, now))
            })
            .await
    }

    async fn operator_tokens(&self) -> Result<Vec<OperatorToken>> {
        credentials::operator_tokens(&*self.db).await
    }

    async fn revoke_operator_token(&self, id: CredentialId) -> Result<bool> {
        self.db
            .write((), move |write, ()| {
                Box::pin(credentials::revoke_operator_token(write, id))
            })
            .await
    }

    async fn operator_token_by_hash(&self, hash: SecretHash) -> Result<Option<OperatorToken>> {
        credentials::operator_token(&*self.db, hash).await
    }

    async fn access_version(&self) -> Result<u64> {
        listen::access_version(&self.db).await
    }

    async fn start_chat(
        &self,
        business: BusinessId,
        start: StartChat,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Started>> {
        self.db
            .write_at_request((start, once), move |write, (start, once)| {
                Box::pin(chats::start(write, business, start, once.as_ref(), now))
            })
            .await
    }

    async fn chat(&self, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
        chats::one(&*self.db, business, id).await
    }

    async fn chats(
        &self,
        business: BusinessId,
        filter: &ChatFilter,
        after: Option<ChatCursor>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        chat_list::page(&*self.db, business, filter, after, limit).await
    }

    async fn customer_chats(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: Option<ChatId>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        of_customer::chats(&*self.db, business, of, after, limit).await
    }

    async fn append_message(
        &self,
        business: BusinessId,
        chat: ChatId,
        new: NewMessage,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Message>> {
        self.db
            .write_at_request((new, once), move |write, (new, once)| {
                Box::pin(messages::append(write, business, chat, new, once.as_ref(), now))
            })
            .await
    }

    async fn message(&self, business: BusinessId, chat: ChatId, id: MessageId) -> Result<Option<Message>> {
        messages::one(&*self.db, business, chat, id).await
    }

    async fn messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Page<Message>> {
        messages::page(&*self.db, business, chat, range, limit).await
    }

    async fn messages_before(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        messages::before(&*self.db, business, chat, before, limit).await
    }

    async fn change_chat(
        &self,
        business: BusinessId,
        chat: ChatId,
        change: ChatChange,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        self.db
            .write_at_request(once, move |write, once| {
                Box::pin(chats::change(write, business, chat, change, once.as_ref(), now))
            })
            .await
    }

    async fn start_arbitration(
        &self,
        business: BusinessId,
        chat: ChatId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>> {
        self.db
            .write_at_request(once, move |write, once| {
                Box::pin(chats::start_arbitration(
                    write,
                    business,
                    chat,
                    once.as_ref(),
                    now,
                ))
            })
            .await
    }

    async fn file(&self, business: BusinessId, id: FileId) -> Result<Option<(Attachment, StoredFile)>> {
        messages::file(&*self.db, business, id).await
    }

    async fn chat_of_file(&self, business: BusinessId, id: FileId) -> Result<Option<ChatId>> {
        of_customer::chat_of_file(&*self.db, business, id).await
    }

    async fn events(&self, business: Option<BusinessId>, after: i64, limit: usize) -> Result<Vec<Event>> {
        events::after(&self.db, business, after, limit).await
    }

    async fn newest_event(&self, business: Option<BusinessId>) -> Result<i64> {
        events::newest(&self.db, business).await
    }

    async fn customer_events(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: i64,
        limit: usize,
    ) -> Result<CustomerEvents> {
        of_customer::events(&*self.db, business, of, after, limit).await
    }

    async fn marks(&self) -> Result<Marks> {
        followed::marks(&self.db).await
    }

    async fn chats_by_id(&self, after: Option<(BusinessId, ChatId)>, limit: usize) -> Result<Vec<Chat>> {
        followed::chats_by_id(&*self.db, after, limit).await
    }

    async fn renamed_customers(&self, after: i64, limit: usize) -> Result<Vec<(i64, PublicId)>> {
        followed::renamed_customers(&*self.db, after, limit).await
    }

    async fn create_subscription(
        &self,
        new: NewSubscription,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>> {
        self.db
            .write((new, once), move |write, (new, once)| {
                Box::pin(subscriptions::create(write, new, once.as_ref(), now))
            })
            .await
    }

    async fn subscriptions(&self, business: BusinessId) -> Result<Vec<Subscription>> {
        subscriptions::list(&*self.db, business).await
    }

    async fn subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<Option<Subscription>> {
        subscriptions::one(&*self.db, business, id).await
    }

    async fn change_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        change: SubscriptionChange,
    ) -> Result<Subscription> {
        self.db
            .write(change, move |write, change| {
                Box::pin(subscriptions::change(write, business, id, change))
            })
            .await
    }

    async fn switch_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        switch: Switch,
    ) -> Result<Subscription> {
        self.db
            .write((), move |write, ()| {
                Box::pin(subscriptions::switch(write, business, id, switch))
            })
            .await
    }

    async fn delete_subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<()> {
        self.db
            .write((), move |write, ()| {
                Box::pin(subscriptions::delete(write, business, id))
            })
            .await
    }

    async fn enabled_subscriptions(&self) -> Result<Vec<Subscription>> {
        subscriptions::enabled(&self.db).await
    }

    async fn subscriptions_version(&self) -> Result<u64> {
        listen::subscriptions_version(&self.db).await
    }

    async fn given_up_subscriptions(&self) -> Result<u64> {
        deliveries::given_up(&*self.db).await
    }

    async fn waiting(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        seen: i64,
        limit: usize,
    ) -> Result<Waiting> {
        deliveries::waiting(&self.db, business, id, seen, limit).await
    }

    async fn settle(&self, business: BusinessId, id: SubscriptionId, tries: Vec<Try>) -> Result<()> {
        self.db
            .write(tries, move |write, tries| {
                Box::pin(deliveries::settle(write, business, id, tries))
            })
            .await
    }

    async fn skip_events(&self, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()> {
        self.db
            .write((), move |write, ()| {
                Box::pin(deliveries::skip(write, business, id, seen))
            })
            .await
    }

    async fn attempts(
        &self,
        business: BusinessId,
        filter: AttemptFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<LoggedAttempt>> {
        attempts::page(&*self.db, business, &filter, before, limit).await
    }

    async fn attempt(&self, business: BusinessId, id: i64) -> Result<Option<LoggedAttempt>> {
        attempts::one(&*self.db, business, id).await
    }

    async fn send_again(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        again: Again,
        now: Timestamp,
    ) -> Result<u64> {
        self.db
            .write((), move |write, ()| {
                Box::pin(deliveries::send_again(write, business, id, again, now))
            })
            .await
    }

    async fn latest_messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>> {
        messages::latest(&*self.db, business, chat, before, limit).await
    }

    async fn seen(&self, business: BusinessId, chats: &[ChatId]) -> Result<Vec<Option<MessageId>>> {
        counter::seen(&*self.db, business, chats).await
    }

    async fn mark_seen(&self, business: BusinessId, chat: ChatId, message: MessageId) -> Result<()> {
        self.db
            .write_at_request((), move |write, ()| {
                Box::pin(counter::mark_seen(write, business, chat, message))
            })
            .await
    }

    async fn saved_replies(&self, business: BusinessId) -> Result<Vec<SavedReply>> {
        counter::replies(&*self.db, business).await
    }

    async fn add_reply(
        &self,
        business: BusinessId,
        content: ReplyContent,
        now: Timestamp,
    ) -> Result<SavedReply> {
        self.db
            .write_at_request(content, move |write, content| {
                Box::pin(counter::add_reply(write, business, content, now))
            })
            .await
    }

    async fn change_reply(
        &self,
        business: BusinessId,
        id: SavedReplyId,
        content: ReplyContent,
    ) -> Result<()> {
        self.db
            .write_at_request(content, move |write, content| {
                Box::pin(counter::change_reply(write, business, id, content))
            })
            .await
    }

    async fn delete_reply(&self, business: BusinessId, id: SavedReplyId) -> Result<()> {
        self.db
            .write_at_request((), move |write, ()| {
                Box::pin(counter::delete_reply(write, business, id))
            })
            .await
    }

    async fn disputes(&self, after: Option<DisputeCursor>, limit: usize) -> Result<Page<Chat>> {
        disputes::waiting(&*self.db, after, limit).await
    }

    async fn verdict(&self, business: BusinessId, dispute: ChatId) -> Result<Option<Verdict>> {
        disputes::verdict(&*self.db, business, dispute).await
    }

    async fn act(
        &self,
        business: BusinessId,
        act: Act,
        by: CredentialId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<AuditLine>> {
        self.db
            .write_at_request((act, once), move |write, (act, once)| {
                Box::pin(disputes::act(write, business, by, act, once.as_ref(), now))
            })
            .await
    }

    async fn audit(
        &self,
        dispute: Option<(BusinessId, ChatId)>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<AuditLine>> {
        disputes::audit(&*self.db, dispute, before, limit).await
    }

    async fn idle_chats(&self, business: BusinessId, before: Timestamp, limit: usize) -> Result<Vec<ChatId>> {
        overdue::idle(&*self.db, business, before, limit).await
    }

    async fn finish_idle(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        self.db
            .write((), move |write, ()| {
                Box::pin(overdue::finish_idle(write, business, chat, before, now))
            })
            .await
    }

    async fn unanswered_chats(
        &self,
        business: BusinessId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ChatId>> {
        overdue::unanswered(&*self.db, business, before, limit).await
    }

    async fn remind(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        text: MessageText,
        now: Timestamp,
    ) -> Result<bool> {
        self.db
            .write(text, move |write, text| {
                Box::pin(overdue::remind(write, business, chat, before, text, now))
            })
            .await
    }

    async fn forget_notifications(&self, business: BusinessId, before: ForgetBefore) -> Result<u64> {
        self.db
            .write((), move |write, ()| {
                Box::pin(attempts::forget(write, business, before))
            })
            .await
    }

    async fn named_files(&self, objects: Vec<String>) -> Result<Vec<bool>> {
        messages::named_files(&*self.db, &objects).await
    }

    async fn usage(&self, hour: Timestamp) -> Result<Vec<Usage>> {
        usage::load(&*self.db, hour).await
    }

    async fn save_usage(&self, usage: Vec<Usage>, forget_before: Option<Timestamp>) -> Result<()> {
        self.db
            .write(usage, move |write, usage| {
                Box::pin(usage::save(write, usage, forget_before))
            })
            .await
    }

    async fn server_secret(&self) -> Result<[u8; 32]> {
        upkeep::server_secret(&self.db).await
    }

    async fn forget_idempotency(&self, now: Timestamp) -> Result<u64> {
        self.db
            .write((), move |write, ()| Box::pin(idempotency::forget(write, now)))
            .await
    }

    async fn ready(&self) -> Result<()> {
        upkeep::ready(&self.db).await
    }

    fn changes(&self) -> broadcast::Receiver<Changes> {
        self.db.news.changes()
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.db.observed.by(observer);
    }

    fn queue_depth(&self) -> usize {
        self.db.writes.load(Ordering::Relaxed)
    }

    async fn backup(&self, _: &Path, _: Box<dyn Fn(u64, u64) + Send>) -> Result<()> {
        upkeep::backup()
    }

    async fn check(&self, files: &FileStore) -> Result<CheckReport> {
        check::check(&self.db, files).await
    }

    async fn close(&self) {
        self.close_all().await;
    }
}
