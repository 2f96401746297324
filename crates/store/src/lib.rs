//! Where Prilavok keeps what it knows: the [`Store`] interface of atomic domain operations, its
//! implementations, and the [`files`] beside it.
//!
//! Each operation of [`Store`] is one transaction: it happens wholly or not at all, and once it has
//! answered, it is on the disk. The store applies the rules of `prilavok-domain` inside that
//! transaction; it knows nothing of HTTP. What every implementation must do is written as tests in
//! `tests/conformance`.

pub mod backup;
mod beside;
pub mod chats;
pub mod counter;
pub mod credentials;
pub mod desk;
pub mod error;
pub mod files;
pub mod idempotency;
pub mod limits;
pub mod moving;
pub mod notifications;
pub mod observer;
pub mod personal_data;
pub mod postgres;
pub mod registry;
pub mod requests;
mod scrub;
pub mod search;
pub mod sessions;
pub mod sqlite;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use prilavok_domain::{
    Attachment, AuditLine, Business, BusinessId, Campaign, CampaignId, Chat, ChatId, CredentialId,
    CredentialKind, Customer, Event, FileId, Message, MessageId, MessageText, Order, OrderId, PublicId,
    Return, ReturnId, SavedReplyId, SubscriptionId, Timestamp, Verdict,
};
use tokio::sync::broadcast;

pub use backup::{CheckProgress, CheckReport};
pub use chats::{
    ChatChange, ChatCursor, ChatFilter, CustomerChats, CustomerEvents, MessageRange, NewMessage, Page,
    StartChat, Started, StoredFile, Subject,
};
pub use counter::{ReplyContent, SavedReply};
pub use credentials::{Credential, CredentialChange, NewCredential, OperatorToken, SecretHash};
pub use desk::{Act, DisputeCursor};
pub use error::{Conflict, Entity, Refusal, StoreError};
pub use idempotency::{Applied, Idempotency, Surface};
pub use limits::{Calls, Claim, Granted, LimitOf, Scarce, Usage};
pub use notifications::{
    Again, Attempt, AttemptFilter, Delivery, ForgetBefore, LoggedAttempt, NewSubscription, Settled,
    Subscription, SubscriptionChange, SubscriptionName, Switch, Try, Waiting,
};
pub use observer::Observer;
pub use personal_data::{Erasure, Taken, TakenFrom};
pub use registry::{Put, Registration};
pub use sessions::Session;

/// The businesses that a commit brought events for.
pub type Changes = Arc<[BusinessId]>;

/// The next change for somebody who does not always listen: none comes while they do not.
pub async fn next_change(
    changes: &mut Option<broadcast::Receiver<Changes>>,
) -> std::result::Result<Changes, broadcast::error::RecvError> {
    match changes {
        Some(changes) => changes.recv().await,
        None => std::future::pending().await,
    }
}

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How far a store has come, for those who follow it. None of these ever falls, but in a backup that was put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// The newest event that there was, kept or not.
    pub event: i64,
    /// The newest event that was forgotten: who has not seen it yet cannot be told any more.
    pub forgotten_event: i64,
    /// The place of the last change of a customer's name.
    pub renamed: i64,
    /// The place of the last time that something was taken away from a chat.
    pub taken: i64,
    /// The place up to which that was forgotten: who has not seen it yet cannot be told any more.
    pub forgotten_taken: i64,
}

/// The operations that Prilavok is made of, each one atomic and, once answered, durable.
///
/// Reads of one thing answer `None` where there is no such thing; operations on a chat that does
/// not exist are refused with [`Refusal::NotFound`]. Lists are in the order that their
/// documentation names and take the last element of the page before as `after`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // --- Registry: what the operator tells us of.

    /// Puts all of `items`, in order, or none: a refused item is named by [`Refusal::AtItem`].
    async fn register(&self, items: Vec<Registration>) -> Result<Vec<Put>>;

    /// A business.
    async fn business(&self, id: BusinessId) -> Result<Option<Business>>;
    /// Businesses by id.
    async fn businesses(&self, after: Option<BusinessId>, limit: usize) -> Result<Vec<Business>>;
    /// A campaign of a business.
    async fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>>;
    /// Campaigns of a business by id.
    async fn campaigns(
        &self,
        business: BusinessId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Vec<Campaign>>;
    /// A customer.
    async fn customer(&self, id: &PublicId) -> Result<Option<Customer>>;
    /// Customers by public id (bytewise).
    async fn customers(&self, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>>;
    /// An order of a business.
    async fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>>;
    /// Orders of a business by id.
    async fn orders(&self, business: BusinessId, after: Option<OrderId>, limit: usize) -> Result<Vec<Order>>;
    /// A return of a business.
    async fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>>;
    /// Returns of a business by id.
    async fn returns(
        &self,
        business: BusinessId,
        after: Option<ReturnId>,
        limit: usize,
    ) -> Result<Vec<Return>>;

    // --- Credentials.

    /// Adds a key or token. Refused with [`Conflict::NameTaken`] and [`Conflict::TooManyKeys`]
    /// (30 unrevoked keys a business).
    async fn create_credential(
        &self,
        new: NewCredential,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Credential>>;
    /// A business's credentials of a kind by id, revoked ones included.
    async fn credentials(&self, business: BusinessId, kind: CredentialKind) -> Result<Vec<Credential>>;
    /// A credential of a business.
    async fn credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
    ) -> Result<Option<Credential>>;
    /// Renames it, or changes what it may do.
    async fn change_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        change: CredentialChange,
    ) -> Result<Credential>;
    /// Revokes it for good; revoking again changes nothing.
    async fn revoke_credential(
        &self,
        business: BusinessId,
        kind: CredentialKind,
        id: CredentialId,
        now: Timestamp,
    ) -> Result<Credential>;
    /// The credential that a presented secret belongs to.
    async fn credential_by_hash(&self, kind: CredentialKind, hash: SecretHash) -> Result<Option<Credential>>;
    /// Adds an operator token.
    async fn create_operator_token(&self, hash: SecretHash, now: Timestamp) -> Result<OperatorToken>;
    /// The operator tokens by id.
    async fn operator_tokens(&self) -> Result<Vec<OperatorToken>>;
    /// Removes an operator token for good; answers whether there was one.
    async fn revoke_operator_token(&self, id: CredentialId) -> Result<bool>;
    /// The operator token that a presented secret belongs to.
    async fn operator_token_by_hash(&self, hash: SecretHash) -> Result<Option<OperatorToken>>;
    /// A number that changes whenever a business, campaign, credential or operator token changed,
    /// whichever process changed it. Cheap enough to be asked many times a second.
    async fn access_version(&self) -> Result<u64>;

    // --- Chats.

    /// Starts a chat, or answers the one that the context has already.
    async fn start_chat(
        &self,
        business: BusinessId,
        start: StartChat,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Started>>;
    /// A chat of a business.
    async fn chat(&self, business: BusinessId, id: ChatId) -> Result<Option<Chat>>;
    /// Chats of a business that pass the filter, newest `updated_at` first, then highest id first.
    async fn chats(
        &self,
        business: BusinessId,
        filter: &ChatFilter,
        after: Option<ChatCursor>,
        limit: usize,
    ) -> Result<Page<Chat>>;
    /// Chats of a business that are shown to a customer, the one that began last first.
    async fn customer_chats(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: Option<ChatId>,
        limit: usize,
    ) -> Result<Page<Chat>>;
    /// Writes a message into a chat and moves the chat's status, as the rules say.
    async fn append_message(
        &self,
        business: BusinessId,
        chat: ChatId,
        new: NewMessage,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Message>>;
    /// A message of a chat.
    async fn message(&self, business: BusinessId, chat: ChatId, id: MessageId) -> Result<Option<Message>>;
    /// A chat, and messages of it, oldest first: what finding one and then the other would find.
    async fn history(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<(Chat, Page<Message>)>>;
    /// Messages of a chat, oldest first. A chat that does not exist has none.
    async fn messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Page<Message>>;
    /// Messages of a chat before `before` (`None`: of all), newest first. A chat that does not exist has none.
    async fn messages_before(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>>;
    /// Escalates or finishes a chat. A replay answers the chat as it is by then.
    async fn change_chat(
        &self,
        business: BusinessId,
        chat: ChatId,
        change: ChatChange,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>>;
    /// Starts the arbitration beside `chat`; answers the new chat.
    async fn start_arbitration(
        &self,
        business: BusinessId,
        chat: ChatId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Chat>>;
    /// A file of a business, unless its bytes were removed.
    async fn file(&self, business: BusinessId, id: FileId) -> Result<Option<(Attachment, StoredFile)>>;

    /// The chat that a file of a business was sent into.
    async fn chat_of_file(&self, business: BusinessId, id: FileId) -> Result<Option<ChatId>>;

    // --- Events and notifications.

    /// Events after the event `after` (zero: from the first one kept), in order, of one business or of all.
    async fn events(&self, business: Option<BusinessId>, after: i64, limit: usize) -> Result<Vec<Event>>;
    /// The newest event's id, of one business or of all; zero where there is none.
    async fn newest_event(&self, business: Option<BusinessId>) -> Result<i64>;
    /// Of the next `limit` events of a business after `after`, those of chats that are shown to a customer.
    async fn customer_events(
        &self,
        business: BusinessId,
        of: &CustomerChats,
        after: i64,
        limit: usize,
    ) -> Result<CustomerEvents>;
    /// How far this store has come.
    async fn marks(&self) -> Result<Marks>;
    /// Chats of all businesses by business and id, whatever is done to them meanwhile.
    async fn chats_by_id(&self, after: Option<(BusinessId, ChatId)>, limit: usize) -> Result<Vec<Chat>>;
    /// Customers whose name was changed after the place `after`, each at the place of its last change, in order.
    async fn renamed_customers(&self, after: i64, limit: usize) -> Result<Vec<(i64, PublicId)>>;
    /// Told after each commit which businesses have new events. A listener that lags misses some, and is
    /// told that it did: it then looks for itself.
    fn changes(&self) -> broadcast::Receiver<Changes>;
    /// Adds a subscription, not enabled. Refused with [`Conflict::NameTaken`].
    async fn create_subscription(
        &self,
        new: NewSubscription,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<Subscription>>;
    /// Subscriptions of a business by id.
    async fn subscriptions(&self, business: BusinessId) -> Result<Vec<Subscription>>;
    /// A subscription of a business.
    async fn subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<Option<Subscription>>;
    /// Renames it, or changes where it wants to be told of what.
    async fn change_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        change: SubscriptionChange,
    ) -> Result<Subscription>;
    /// Switches it on or off, or gives it a new secret.
    async fn switch_subscription(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        switch: Switch,
    ) -> Result<Subscription>;
    /// Removes it; its log stays until it is swept.
    async fn delete_subscription(&self, business: BusinessId, id: SubscriptionId) -> Result<()>;
    /// The enabled subscriptions of all businesses.
    async fn enabled_subscriptions(&self) -> Result<Vec<Subscription>>;
    /// A number that changes whenever a subscription was added, changed, switched or removed, whichever
    /// process did it.
    async fn subscriptions_version(&self) -> Result<u64>;
    /// How many subscriptions of all businesses are disabled because deliveries failed.
    async fn given_up_subscriptions(&self) -> Result<u64>;
    /// What waits for a subscription, at most `limit`: what was asked for again first, then events in their
    /// turn, those after `seen` (zero: all that are not settled). Nothing waits for a disabled one. Whether it
    /// is time yet is not asked.
    async fn waiting(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        seen: i64,
        limit: usize,
    ) -> Result<Waiting>;
    /// Logs tries to deliver, in order, and does what follows from each, in one transaction. A subscription
    /// that was switched off or removed meanwhile stays so.
    async fn settle(&self, business: BusinessId, id: SubscriptionId, tries: Vec<Try>) -> Result<()>;
    /// Settles every event up to `seen`, none of which is of concern to the subscription.
    async fn skip_events(&self, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()>;
    /// The delivery log of a business, newest first; `before` is the last id of the page before.
    async fn attempts(
        &self,
        business: BusinessId,
        filter: AttemptFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<LoggedAttempt>>;
    /// A line of the delivery log of a business.
    async fn attempt(&self, business: BusinessId, id: i64) -> Result<Option<LoggedAttempt>>;
    /// Queues events to be sent again, those of the subscription's types; answers how many. Refused with
    /// [`Conflict::SubscriptionDisabled`], and with [`Refusal::NotFound`] where a single event is not kept
    /// any more.
    async fn send_again(
        &self,
        business: BusinessId,
        id: SubscriptionId,
        again: Again,
        now: Timestamp,
    ) -> Result<u64>;

    // --- The counter: what the people share who answer the chats of a business.

    /// The newest `limit` messages of a chat before `before`, oldest first; whether there are more before them.
    async fn latest_messages(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<Message>>;
    /// For each of `chats` the newest message of it that was seen.
    async fn seen(&self, business: BusinessId, chats: &[ChatId]) -> Result<Vec<Option<MessageId>>>;
    /// Keeps that the messages of a chat up to `message` were seen. What was seen stays so.
    async fn mark_seen(&self, business: BusinessId, chat: ChatId, message: MessageId) -> Result<()>;
    /// The saved replies of a business by name, bytewise; at most 100.
    async fn saved_replies(&self, business: BusinessId) -> Result<Vec<SavedReply>>;
    /// Adds a saved reply. Refused with [`Conflict::NameTaken`] and [`Conflict::TooManyReplies`].
    async fn add_reply(
        &self,
        business: BusinessId,
        content: ReplyContent,
        now: Timestamp,
    ) -> Result<SavedReply>;
    /// Changes a saved reply. Refused with [`Conflict::NameTaken`].
    async fn change_reply(&self, business: BusinessId, id: SavedReplyId, content: ReplyContent)
    -> Result<()>;
    /// Removes a saved reply, if it is there.
    async fn delete_reply(&self, business: BusinessId, id: SavedReplyId) -> Result<()>;

    // --- Sessions of the pages.

    /// Keeps that somebody signed in. Ends those that were used last before `over`, and of those with the same secret all but
    /// the [`sessions::MAX_SESSIONS`] that were used last, this one among them.
    async fn begin_session(&self, session: Session, over: Timestamp) -> Result<()>;
    /// A session, by the hash of its id.
    async fn session(&self, id: SecretHash) -> Result<Option<Session>>;
    /// Keeps that a session was used. One that has ended stays so.
    async fn use_session(&self, id: SecretHash, now: Timestamp) -> Result<()>;
    /// Ends a session, if it is there.
    async fn end_session(&self, id: SecretHash) -> Result<()>;

    // --- The desk: what the marketplace's people do by hand.

    /// Unfinished disputes of all businesses, the one that has waited longest first.
    async fn disputes(&self, after: Option<DisputeCursor>, limit: usize) -> Result<Page<Chat>>;

    /// How a dispute was settled.
    async fn verdict(&self, business: BusinessId, dispute: ChatId) -> Result<Option<Verdict>>;

    /// Does something and writes it into the audit trail, in one transaction; answers the line. Refused as the
    /// operation that it consists of, and with [`Refusal::NotFound`] where the dispute is none.
    async fn act(
        &self,
        business: BusinessId,
        act: Act,
        by: CredentialId,
        once: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Applied<AuditLine>>;

    /// The audit trail, of one dispute or of all that was done, newest first; `before` is the last id of the page
    /// before.
    async fn audit(
        &self,
        dispute: Option<(BusinessId, ChatId)>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<AuditLine>>;

    // --- Scheduled work.

    /// Unfinished chats of type CHAT whose last message is older than `before`.
    async fn idle_chats(&self, business: BusinessId, before: Timestamp, limit: usize) -> Result<Vec<ChatId>>;
    /// Finishes a chat if it is idle still; answers whether it did.
    async fn finish_idle(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool>;
    /// Chats in which the partner has owed the customer an answer since before `before` and was not
    /// reminded yet.
    async fn unanswered_chats(
        &self,
        business: BusinessId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<ChatId>>;
    /// Writes the market's reminder if the partner owes an answer still; answers whether it did.
    async fn remind(
        &self,
        business: BusinessId,
        chat: ChatId,
        before: Timestamp,
        text: MessageText,
        now: Timestamp,
    ) -> Result<bool>;
    /// Forgets the oldest lines of a business's delivery log, and its oldest events that no subscription waits
    /// for: a bounded number of them; answers how many, zero once all is forgotten.
    async fn forget_notifications(&self, business: BusinessId, before: ForgetBefore) -> Result<u64>;
    /// For each object of the file store whether a message names it.
    async fn named_files(&self, objects: Vec<String>) -> Result<Vec<bool>>;

    // --- Personal data.

    /// Removes finished chats of a business whose last message is older than `before`, with all that they have: a bounded
    /// step. Their first messages go first, and a chat whose events a subscription waits for stays until it does not.
    async fn forget_chats(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken>;
    /// Forgets where the bytes of files are that came before `before`: a bounded step. Messages show that they are gone.
    async fn forget_files(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<Taken>;
    /// Erases a customer: the name now, what was said in their chats by [`Store::erase_some`]. Nothing changes where
    /// they are erased. Refused with [`Refusal::NotFound`].
    async fn erase_customer(&self, id: &PublicId, now: Timestamp) -> Result<Erasure>;
    /// The last erasure of a customer.
    async fn erasure(&self, id: &PublicId) -> Result<Option<Erasure>>;
    /// Customers whose erasure is under way, the one that was asked for first.
    async fn erasures_under_way(&self, limit: usize) -> Result<Vec<PublicId>>;
    /// Erases texts, verdicts and files of a customer's chats: a bounded step. Ids, times, senders and events stay.
    async fn erase_some(&self, id: &PublicId, now: Timestamp) -> Result<Taken>;
    /// Clears what the store's own files still have of what was erased: a bounded step; answers whether there may be
    /// more to clear. There is nothing to do unless an erasure was finished since the last time.
    async fn clear_traces(&self) -> Result<bool>;
    /// Chats that texts were taken away from behind the place `after`, in order.
    async fn taken_from(&self, after: i64, limit: usize) -> Result<Vec<TakenFrom>>;
    /// Forgets what was taken away from which chats before `before`: a bounded number; answers how many, zero once all
    /// are forgotten.
    async fn forget_taken(&self, before: Timestamp) -> Result<u64>;
    /// Chats of a customer by business and id.
    async fn chats_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, ChatId)>,
        limit: usize,
    ) -> Result<Vec<Chat>>;
    /// Orders of a customer by business and id.
    async fn orders_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId)>,
        limit: usize,
    ) -> Result<Vec<Order>>;
    /// Returns of a customer by business, order and id.
    async fn returns_of_customer(
        &self,
        id: &PublicId,
        after: Option<(BusinessId, OrderId, ReturnId)>,
        limit: usize,
    ) -> Result<Vec<Return>>;

    // --- Limits.

    /// What was counted for windows that begin at `hour` or later: a clock that stepped back finds the window that
    /// was open.
    async fn usage(&self, hour: Timestamp) -> Result<Vec<Usage>>;
    /// Keeps the counts, each replacing what was kept for the same window; forgets windows that
    /// began before `forget_before`, which looks at all of them.
    async fn save_usage(&self, usage: Vec<Usage>, forget_before: Option<Timestamp>) -> Result<()>;
    /// How many nodes count calls in this store side by side; `None` where one process serves, which counts by itself
    /// and keeps what it counted.
    fn counting_nodes(&self) -> Option<u32>;
    /// Takes calls in advance or gives them back, in one transaction; answers what became of each claim, in their order.
    /// No two claims are about one operation of one business.
    async fn claim_usage(&self, claims: Vec<Claim>) -> Result<Vec<Granted>>;
    /// Tells the other nodes soon that hardly anything is left of these limits.
    fn tell_scarce(&self, limits: Vec<LimitOf>);
    /// Told what other nodes found scarce, within about a second whatever is lost on the way. Closed where one process
    /// serves.
    fn scarce(&self) -> broadcast::Receiver<Scarce>;

    // --- Upkeep.

    /// The server's own secret, made on first use: file links are signed with it.
    async fn server_secret(&self) -> Result<[u8; 32]>;
    /// Forgets idempotency keys older than 24 hours; answers how many.
    async fn forget_idempotency(&self, now: Timestamp) -> Result<u64>;
    /// Proves that reads and writes work, with a write that reaches the disk and a read of it.
    async fn ready(&self) -> Result<()>;
    /// Tells `observer` from now on how long reads and commits take. One observer is enough: later ones
    /// are not told.
    fn observe(&self, observer: Arc<dyn Observer>);
    /// Writes waiting to be committed.
    fn queue_depth(&self) -> usize;
    /// Makes a consistent copy while the store is in use. `progress` is told pages done and in all.
    async fn backup(&self, to: &Path, progress: Box<dyn Fn(u64, u64) + Send>) -> Result<()>;
    /// Verifies the store from the disk page to the chat rules, and that `files` has every file. `progress` is told steps done
    /// and in all.
    async fn check_and_tell(&self, files: &files::FileStore, progress: CheckProgress) -> Result<CheckReport>;
    /// The same for whoever waits without a word.
    async fn check(&self, files: &files::FileStore) -> Result<CheckReport> {
        self.check_and_tell(files, Arc::new(|_, _| {})).await
    }
    /// Commits what waits and closes; later operations answer [`StoreError::Unavailable`].
    async fn close(&self);
}
