//! How SQLite would run what requests run: every statement goes through an index, so that its cost
//! does not grow with the store, and none sorts what an index could have kept in order.
//!
//! The statements are those that the code really runs, traced on a connection; a new one that an
//! exercised operation brings is held to the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, ChatStatus, ChatType,
    ContextType, CredentialId, CredentialKind, CredentialName, Customer, DecidedFor, EventTypes, FileName,
    IdSequence, MessageText, Name, Order, OrderId, Placement, PublicId, Return, ReturnId, ScopeSet, Sender,
    SubscriptionId, Timestamp,
};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::notifications::{SubscriptionName, Switch};
use crate::{StartChat, Subject};

/// Of a session and its secret.
const HASH: SecretHash = SecretHash([3; 32]);

/// Statements as they were written, each once.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Statements {
    fn of(&self, conn: &mut Connection) {
        let seen = Arc::clone(&self.0);
        let note = move |event: TraceEvent<'_>| {
            // What a trigger does is told with two dashes before it.
            if let TraceEvent::Stmt(_, sql) = event
                && !sql.starts_with("--")
            {
                seen.lock().insert(sql.to_owned());
            }
        };
        conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
            .expect("a trace");
    }

    fn seen(&self) -> Vec<String> {
        self.0.lock().iter().cloned().collect()
    }
}

/// What is read to its end and has few rows: the recent events of a business, and the next ones of its customers.
const FEW: [&str; 4] = ["CONSTANT ROW", "recent_event", "n", "next_event"];

/// What a statement does that grows with the store, if anything.
fn complaints(conn: &Connection, sql: &str) -> Vec<String> {
    let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    let steps = plan.raw_query();
    let steps = steps.mapped(|row| Ok((row.get("parent")?, row.get("detail")?)));
    let steps: Vec<(i64, String)> = steps.map(|step| step.expect("a step")).collect();
    let is_of_few = |step: &str| FEW.iter().any(|few| step == format!("SCAN {few}"));
    // What is few may be sorted.
    let of_few: BTreeSet<i64> = steps
        .iter()
        .filter(|(_, step)| is_of_few(step))
        .map(|(parent, _)| *parent)
        .collect();
    let grows = |(parent, step): &(i64, String)| {
        (step.starts_with("SCAN ") && !is_of_few(step))
            || (step.contains("TEMP B-TREE") && !of_few.contains(parent))
            || step.ends_with("(business_id=?)")
    };
    steps.into_iter().filter(grows).map(|(_, step)| step).collect()
}

/// How a statement begins that may look at all of a business, and why that does no harm.
type Excuse = (&'static str, &'static str);

const NEWEST_EVENT: Excuse = (
    "SELECT coalesce((SELECT newest_event_id FROM recent",
    "it stops at the first row from the end",
);

const EXCUSED_READS: &[Excuse] = &[
    NEWEST_EVENT,
    (
        "SELECT coalesce((SELECT at FROM attempt",
        "each looks at the first row",
    ),
    ("SELECT business_id, credential_id", "all of them are asked for"),
    ("SELECT business_id, subscription_id", "all of them are asked for"),
    SAVED_REPLIES,
    (
        "SELECT event_id, chat_id, message_id FROM event_of_business",
        "an index by chat would be paid for by each message; it runs on a thread of its own",
    ),
    OF_EVERY_BUSINESS,
    (
        "SELECT customer_id FROM erasure",
        "only those under way are in the index",
    ),
    (
        "SELECT file_id, chat_id, message_id FROM message_file",
        "it stops after five hundred",
    ),
];

const OF_EVERY_BUSINESS: Excuse = (
    "SELECT count(*) FROM business b",
    "all businesses are asked, when somebody is erased",
);

const SAVED_REPLIES: Excuse = (
    "SELECT business_id, reply_id",
    "all of them are asked for, and a hundred is the most",
);

const EXCUSED_WRITES: &[Excuse] = &[
    NEWEST_EVENT,
    SAVED_REPLIES,
    (
        "DELETE FROM idempotency WHERE business_id = ?1 AND result",
        "when a subscription is removed, which is rare",
    ),
    (
        "SELECT count(*) FROM credential",
        "when a key is made, which is rare",
    ),
    (
        "SELECT min(settled_event_id) FROM subscription",
        "a business has few, and chats are removed now and then",
    ),
    (
        "SELECT event_id FROM again",
        "hardly ever is something sent again",
    ),
    (
        "SELECT max(place) FROM (SELECT place, at FROM taken",
        "it stops after a thousand",
    ),
];

fn assert_all_use_indexes(conn: &Connection, statements: &Statements, excuses: &[Excuse], at_least: usize) {
    let seen = statements.seen();
    let count = seen.len();
    assert!(count >= at_least, "only {count} statements were seen: {seen:#?}");
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for sql in &seen {
        let complaints = complaints(conn, sql);
        match excuses.iter().find(|(start, _)| sql.starts_with(start)) {
            Some(excuse) if !complaints.is_empty() => _ = used.insert(excuse),
            _ => wrong.extend(complaints.into_iter().map(|step| format!("{step} in {sql}"))),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(used.len(), excuses.len(), "an excuse that nothing needs");
}

fn shop() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn anna() -> PublicId {
    PublicId::new("anna").expect("an id")
}

fn once(key: &str) -> Option<Idempotency> {
    Some(Idempotency {
        surface: crate::Surface::Operator,
        key: key.to_owned(),
        fingerprint: [1; 32],
    })
}

fn registrations() -> Vec<Registration> {
    let campaign = CampaignId::new(10).expect("an id");
    let order = OrderId::new(100).expect("an id");
    vec![
        Registration::Business(Business {
            id: shop(),
            name: name("Лавка"),
            state: BusinessState::Active,
        }),
        Registration::Campaign(Campaign {
            business: shop(),
            id: campaign,
            domain: name("shop.example"),
            placement: Placement::Fbs,
            state: CampaignState::Available,
        }),
        Registration::Customer(Customer {
            public_id: anna(),
            name: name("Анна"),
            erased_at: None,
        }),
        Registration::Order(Order {
            business: shop(),
            id: order,
            campaign,
            customer: anna(),
            test: false,
        }),
        Registration::Return(Return {
            business: shop(),
            id: ReturnId::new(200).expect("an id"),
            order,
        }),
    ]
}

fn start(subject: Subject) -> StartChat {
    StartChat {
        initiator: prilavok_domain::rules::Initiator::Customer,
        customer: (subject == Subject::Direct).then(anna),
        subject,
    }
}

fn message() -> NewMessage {
    NewMessage {
        sender: Sender::Customer,
        text: Some(MessageText::new("hello").expect("a text")),
        files: vec![StoredFile {
            object: "1/a".to_owned(),
            name: FileName::from_client("a"),
            size: 1,
            media_type: "text/plain".to_owned(),
        }],
        wait_for: None,
    }
}

/// Writes of every sort about chats; answers the chat of the order.
async fn write_chats(store: &SqliteStore) -> ChatId {
    let mut chats = Vec::new();
    for subject in [
        Subject::Order(OrderId::new(100).expect("an id")),
        Subject::Return(ReturnId::new(200).expect("an id")),
        Subject::Direct,
    ] {
        let key = once(&format!("{subject:?}"));
        let started = store.start_chat(shop(), start(subject), key, now()).await;
        chats.push(started.expect("a chat").value.chat.id);
    }
    let chat = chats[0];
    for _ in 0..2 {
        let written = store
            .append_message(shop(), chat, message(), once("say"), now())
            .await;
        written.expect("a message");
    }
    let dispute = store
        .start_arbitration(shop(), chat, once("dispute"), now())
        .await;
    let dispute = dispute.expect("an arbitration").value.id;
    let finished = store.change_chat(shop(), dispute, ChatChange::Finish, once("finish"), now());
    finished.await.expect("a change");
    let later = now().plus_millis(1);
    let text = MessageText::new("reminder").expect("a text");
    assert!(
        store
            .remind(shop(), chat, later, text, now())
            .await
            .expect("an answer")
    );
    assert!(
        store
            .finish_idle(shop(), chats[1], later, now())
            .await
            .expect("an answer")
    );
    chat
}

/// Writes of every sort about what the people at the counter share.
async fn write_counter(store: &SqliteStore, chat: ChatId) {
    for id in [1, 2] {
        let message = MessageId::new(id).expect("an id");
        store.mark_seen(shop(), chat, message).await.expect("a mark");
    }
    let content = ReplyContent {
        name: name("hello"),
        text: MessageText::new("hello").expect("a text"),
    };
    let reply = store
        .add_reply(shop(), content.clone(), now())
        .await
        .expect("a reply");
    store
        .change_reply(shop(), reply.id, content)
        .await
        .expect("a change");
    store.delete_reply(shop(), reply.id).await.expect("a removal");
    let session = Session {
        id: HASH,
        secret: HASH,
        used_at: now(),
    };
    store.begin_session(session, now()).await.expect("a session");
    store.use_session(HASH, now()).await.expect("a use");
    store.end_session(HASH).await.expect("an end");
}

/// Everything that is done at the desk.
async fn write_desk(store: &SqliteStore, chat: ChatId) {
    let dispute = store.start_arbitration(shop(), chat, once("again"), now()).await;
    let dispute = dispute.expect("an arbitration").value.id;
    let text = MessageText::new("decided").expect("a text");
    let write = Act::Write {
        dispute,
        text: text.clone(),
        wait_for: None,
        beside: None,
    };
    let settle = Act::Settle {
        dispute,
        decided_for: DecidedFor::Both,
        text,
    };
    for act in [write, settle, Act::SetState(BusinessState::Active)] {
        let key = once(&format!("{:?}", act.deed()));
        for _ in 0..2 {
            let done = store.act(shop(), act.clone(), CredentialId(1), key.clone(), now());
            done.await.expect("done");
        }
    }
}

/// Everything that takes something away.
async fn write_personal_data(store: &SqliteStore) {
    let later = now().plus_millis(1);
    for _ in 0..2 {
        store.forget_files(shop(), later, now()).await.expect("a step");
        store.forget_chats(shop(), later, now()).await.expect("a step");
        store.erase_customer(&anna(), now()).await.expect("an erasure");
        while store.erase_some(&anna(), now()).await.expect("a step").more {}
        store.register(registrations()).await.expect("puts");
    }
    store.forget_taken(later).await.expect("a sweep");
}

/// Writes of every sort about who may do what.
async fn write_access(store: &SqliteStore) {
    for registrations in [registrations(), registrations()] {
        store.register(registrations).await.expect("puts");
    }
    let new = NewCredential {
        business: shop(),
        kind: CredentialKind::ApiKey,
        name: CredentialName::new("key").expect("a name"),
        scopes: ScopeSet::ANY,
        campaigns: Vec::new(),
        hash: SecretHash([1; 32]),
        expires_at: None,
    };
    let key = store
        .create_credential(new, once("key"), now())
        .await
        .expect("a key")
        .value;
    let change = CredentialChange {
        scopes: Some(ScopeSet::NONE),
        ..CredentialChange::default()
    };
    let changed = store.change_credential(shop(), key.kind, key.id, change).await;
    changed.expect("a change");
    let revoked = store.revoke_credential(shop(), key.kind, key.id, now()).await;
    revoked.expect("a revocation");
    let token = store.create_operator_token(SecretHash([2; 32]), now()).await;
    token.expect("a token");
    let new = NewSubscription {
        business: shop(),
        name: SubscriptionName::new("crm").expect("a name"),
        url: "https://crm.example/".to_owned(),
        types: EventTypes::ALL,
    };
    let made = store.create_subscription(new, once("hook"), now()).await;
    let made = made.expect("a subscription").value.id;
    let until = Switch::NewSecret {
        previous_until: now(),
    };
    for switch in [Switch::On, until, Switch::Off(DisabledBy::Hand)] {
        let switched = store.switch_subscription(shop(), made, switch).await;
        switched.expect("a switch");
    }
    let changed = store
        .change_subscription(shop(), made, SubscriptionChange::default())
        .await;
    changed.expect("a change");
    store.delete_subscription(shop(), made).await.expect("a removal");
    store.forget_idempotency(now()).await.expect("a sweep");
}

fn traced_store(path: &Path, statements: &Statements) -> SqliteStore {
    let mut conn = open::writer(path).expect("a file");
    statements.of(&mut conn);
    let observed = Observed::default();
    let readers = Readers::new(path.to_owned(), Arc::default(), observed.clone());
    let presence = Presence::of(path).expect("a file");
    let store = SqliteStore::over(path, conn, presence, readers, IdSequence::clocked(1, 0), observed);
    store.expect("a store")
}

#[tokio::test]
async fn writes_find_what_they_change_through_indexes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let statements = Statements::default();
    let store = traced_store(&path, &statements);
    write_access(&store).await;
    // Again, now that orders and returns have chats that hold them.
    let chat = write_chats(&store).await;
    write_counter(&store, chat).await;
    write_desk(&store, chat).await;
    store.register(registrations()).await.expect("puts");
    write_personal_data(&store).await;
    store.close().await;
    let conn = open::writer(&path).expect("a file");
    assert_all_use_indexes(&conn, &statements, EXCUSED_WRITES, 50);
}

fn every_filter() -> Vec<ChatFilter> {
    vec![
        ChatFilter::default(),
        ChatFilter {
            types: vec![ChatType::Chat],
            statuses: vec![ChatStatus::New],
            context_types: vec![ContextType::Order],
            ..ChatFilter::default()
        },
        ChatFilter {
            orders: vec![100],
            ..ChatFilter::default()
        },
        ChatFilter {
            contexts: vec![(ContextType::Return, 200)],
            ..ChatFilter::default()
        },
    ]
}

fn read_chats(conn: &Connection, chat: ChatId) -> Result<()> {
    let known = known::Known::default();
    let view = readers::View {
        conn,
        known: &known,
        moment: known.moment(),
    };
    for filter in every_filter() {
        chat_list::page(&view, shop(), &filter, None, 20)?;
    }
    let page = messages::page(&view, shop(), chat, MessageRange::default(), 20)?;
    let message = page.items.first().expect("a message");
    messages::one(&view, shop(), chat, message.id)?;
    messages::file(conn, shop(), message.files[0].id)?;
    chats::one(conn, shop(), chat)?;
    messages::page_before(conn, shop(), chat, None, 20)?;
    read_as_customer(conn, message.files[0].id)?;
    counter::latest(conn, shop(), chat, Some(message.id), 20)?;
    counter::latest(conn, shop(), chat, None, 20)?;
    counter::seen(conn, shop(), &[chat])?;
    counter::replies(conn, shop())?;
    sessions::one(conn, HASH)?;
    disputes::waiting(conn, None, 10)?;
    disputes::verdict(conn, shop(), chat)?;
    for dispute in [None, Some((shop(), chat))] {
        disputes::audit(conn, dispute, None, 10)?;
    }
    overdue::idle(conn, shop(), now(), 10)?;
    overdue::unanswered(conn, shop(), now(), 10)?;
    overdue::named_files(conn, &["1/a".to_owned()])?;
    for business in [None, Some(shop())] {
        events::after(conn, business, 0, 10)?;
        events::newest(conn, business)?;
    }
    followed::marks(conn)?;
    followed::chats_by_id(conn, Some((shop(), chat)), 10)?;
    followed::renamed_customers(conn, 0, 10)?;
    Ok(())
}

fn read_personal_data(conn: &Connection, chat: ChatId) -> Result<()> {
    let before = ForgetBefore {
        attempts: now(),
        events: now(),
    };
    attempts::is_any_old(conn, shop(), before)?;
    retention::old_chats(conn, shop(), now())?;
    retention::with_events(conn, shop(), &[chat])?;
    retention::old_files(conn, shop(), now())?;
    erasure::one(conn, &anna())?;
    erasure::under_way(conn, 10)?;
    taken::after(conn, 0, 10)?;
    all_of_customer::count_chats(conn, &anna())?;
    all_of_customer::chat_ids(conn, &anna(), (0, 0), 10)?;
    all_of_customer::chats(conn, &anna(), None, 10)?;
    all_of_customer::orders(conn, &anna(), None, 10)?;
    all_of_customer::returns(conn, &anna(), None, 10)?;
    Ok(())
}

fn read_as_customer(conn: &Connection, file: FileId) -> Result<()> {
    let all = CustomerChats {
        customer: anna(),
        order: None,
        returned: None,
    };
    let about_one = CustomerChats {
        order: OrderId::new(100).ok(),
        returned: ReturnId::new(200).ok(),
        ..all.clone()
    };
    for of in [all, about_one] {
        of_customer::chats(conn, shop(), &of, None, 10)?;
        of_customer::events(conn, shop(), &of, 0, 10)?;
    }
    of_customer::chat_of_file(conn, shop(), file)?;
    Ok(())
}

fn read_access(conn: &Connection) -> Result<()> {
    registry::business(conn, shop())?;
    registry::businesses(conn, None, 10)?;
    registry::campaign(conn, shop(), CampaignId::new(10).expect("an id"))?;
    registry::campaigns(conn, shop(), None, 10)?;
    registry::customer(conn, &anna())?;
    registry::customers(conn, None, 10)?;
    registry::order(conn, shop(), OrderId::new(100).expect("an id"))?;
    registry::orders(conn, shop(), None, 10)?;
    registry::returned(conn, shop(), ReturnId::new(200).expect("an id"))?;
    registry::returns(conn, shop(), None, 10)?;
    credentials::list(conn, shop(), CredentialKind::ApiKey)?;
    credentials::one(conn, shop(), CredentialKind::ApiKey, CredentialId(1))?;
    credentials::by_hash(conn, CredentialKind::ApiKey, SecretHash([1; 32]))?;
    credentials::operator_token(conn, SecretHash([2; 32]))?;
    subscriptions::list(conn, shop())?;
    subscriptions::one(conn, shop(), SubscriptionId::new(1).expect("an id"))?;
    subscriptions::version(conn)?;
    meta::access_version(conn)?;
    meta::secret(conn)?;
    Ok(())
}

#[tokio::test]
async fn reads_go_through_indexes_and_sort_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let store = traced_store(&path, &Statements::default());
    write_access(&store).await;
    let chat = write_chats(&store).await;
    let statements = Statements::default();
    let mut conn = open::reader(&path).expect("a file");
    statements.of(&mut conn);
    read_access(&conn).expect("reads");
    read_chats(&conn, chat).expect("reads");
    read_personal_data(&conn, chat).expect("reads");
    let untraced = open::reader(&path).expect("a file");
    assert_all_use_indexes(&untraced, &statements, EXCUSED_READS, 30);
    store.close().await;
}
