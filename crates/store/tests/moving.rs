//! A store moves from SQLite to PostgreSQL: whole, after an interruption as well, and not into what is not its own.

// Not all of what cases of the suite say is said here.
#[allow(dead_code)]
#[path = "conformance/population.rs"]
mod population;

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{FutureExt, TryStreamExt};
use parking_lot::Mutex;
use prilavok_domain::{
    ChatId, CredentialId, CredentialKind, CredentialName, DecidedFor, IdSequence, MessageText, Scope,
    ScopeSet, SubscriptionId,
};
use prilavok_store::files::FileStore;
use prilavok_store::moving::{self, MoveError, Moved, Progress};
use prilavok_store::postgres::{OpenError, PgOptions, PgStore};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{
    Act, Again, AttemptFilter, ChatChange, Idempotency, NewCredential, NewMessage, ReplyContent, SecretHash,
    Session, Settled, Store, Surface, Usage,
};
use prilavok_test_postgres::Cluster;
use tempfile::TempDir;

use population::*;

/// Whose token the arbiter has.
const ARBITER: CredentialId = CredentialId(7);

/// A store in a folder with its files, and the database that it moves to.
struct Place {
    folder: TempDir,
    database: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        Cluster::shared().drop_database(&self.database);
    }
}

impl Place {
    /// A filled store, and an empty database.
    async fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("a folder"),
            database: Cluster::shared().new_database(),
        };
        let store = place.sqlite();
        fill(&store, &place.files("old")).await;
        store.close().await;
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(FILE_NAME)
    }

    fn sqlite(&self) -> SqliteStore {
        SqliteStore::open(&self.file(), IdSequence::clocked(1, 0)).expect("a store")
    }

    fn files(&self, name: &str) -> FileStore {
        FileStore::local(&self.folder.path().join(name)).expect("a file store")
    }

    fn options(&self) -> PgOptions {
        PgOptions::new(&Cluster::shared().url(&self.database), None).expect("an address")
    }

    async fn postgres(&self) -> Result<PgStore, OpenError> {
        PgStore::open(self.options()).await
    }

    fn sql(&self, statement: &str) -> String {
        Cluster::shared().sql(&self.database, statement)
    }

    async fn moved(&self, progress: &dyn Progress) -> Result<Moved, MoveError> {
        self.moved_from(&self.file(), progress).await
    }

    async fn moved_from(&self, file: &Path, progress: &dyn Progress) -> Result<Moved, MoveError> {
        let files = (&self.files("old"), &self.files("new"));
        moving::move_store(file, &self.options(), files, progress).await
    }

    /// Begins a move that breaks off where something begins.
    async fn broken_off(&self, at: &'static str) {
        let progress = BreaksOff(at);
        let moving = AssertUnwindSafe(self.moved(&progress)).catch_unwind().await;
        assert!(moving.is_err(), "it breaks off");
    }
}

struct BreaksOff(&'static str);

impl Progress for BreaksOff {
    fn begin(&self, what: &str, _: u64, _: u64) {
        assert_ne!(what, self.0, "this is where it breaks off");
    }

    fn step(&self, _: u64) {}
}

/// What was done already when each part began, and how much there was to do.
#[derive(Default)]
struct Told(Mutex<Vec<(String, u64, u64)>>);

impl Progress for Told {
    fn begin(&self, what: &str, done: u64, all: u64) {
        self.0.lock().push((what.to_owned(), done, all));
    }

    fn step(&self, _: u64) {}
}

impl Told {
    fn of(&self, what: &str) -> (u64, u64) {
        let told = self.0.lock();
        let found = told.iter().find(|(name, ..)| name == what).expect("it was moved");
        (found.1, found.2)
    }
}

async fn with_file(files: &FileStore, content: &'static [u8]) -> NewMessage {
    NewMessage {
        files: vec![put_file(files, content).await],
        ..customer_says("look")
    }
}

fn text(text: &str) -> MessageText {
    MessageText::new(text).expect("a text")
}

/// Something of everything that a store keeps.
async fn fill(store: &dyn Store, files: &FileStore) {
    populate(store).await;
    store.server_secret().await.expect("a secret");
    fill_access(store).await;
    let removed = finished_long_ago(store, files).await;
    let crm = subscribed(store, a_subscription("crm")).await.id;
    fill_chats(store, files).await;
    fill_log(store, crm).await;
    let erased = new_chat(store, order(101)).await.id;
    write(store, erased, customer_says("I am Boris"), at(60)).await;
    store
        .erase_customer(&person("boris"), at(70))
        .await
        .expect("an erasure");
    while store
        .erase_some(&person("boris"), at(71))
        .await
        .expect("a step")
        .more
    {}
    assert_eq!(store.chat(shop(), removed).await.expect("a read"), None);
}

async fn fill_access(store: &dyn Store) {
    let key = NewCredential {
        business: shop(),
        kind: CredentialKind::ApiKey,
        name: CredentialName::new("crm").expect("a name"),
        scopes: ScopeSet::of(&[Scope::Communication]),
        campaigns: Vec::new(),
        hash: SecretHash([1; 32]),
        expires_at: Some(at(HOUR)),
    };
    store.create_credential(key, None, at(0)).await.expect("a key");
    let token = store.create_operator_token(SecretHash([2; 32]), at(0)).await;
    token.expect("a token");
    let session = Session {
        id: SecretHash([4; 32]),
        secret: SecretHash([2; 32]),
        used_at: at(1),
    };
    store.begin_session(session, at(0)).await.expect("a session");
    let used = Usage {
        business: shop(),
        operation: "getChats".to_owned(),
        hour: at(0),
        used: 17,
    };
    store.save_usage(vec![used], None).await.expect("a count");
    let reply = ReplyContent {
        name: name("Thanks"),
        text: text("Спасибо! 谢谢!"),
    };
    store.add_reply(shop(), reply, at(0)).await.expect("a reply");
}

/// A chat whose time is over, and a file whose time is.
async fn finished_long_ago(store: &dyn Store, files: &FileStore) -> ChatId {
    let gone = new_chat(store, direct("anna")).await.id;
    write(store, gone, customer_says("long ago"), at(1)).await;
    change(store, gone, ChatChange::Finish).await;
    let step = store.forget_chats(shop(), at(2), at(3)).await.expect("a step");
    assert_eq!(step.count, 1);
    let chat = new_chat(store, order(103)).await.id;
    write(store, chat, with_file(files, b"removed").await, at(4)).await;
    let step = store.forget_files(shop(), at(5), at(6)).await.expect("a step");
    for object in &step.objects {
        files.remove(object).await.expect("removed");
    }
    assert_eq!(step.count, 1);
    gone
}

async fn fill_chats(store: &dyn Store, files: &FileStore) {
    let chat = new_chat(store, order(100)).await.id;
    let once = Idempotency {
        surface: Surface::Partner,
        key: "first".to_owned(),
        fingerprint: [3; 32],
    };
    let said = store.append_message(shop(), chat, customer_says("hello"), Some(once), at(20));
    let said = said.await.expect("a message").value;
    write(store, chat, with_file(files, b"a receipt").await, at(21)).await;
    store.mark_seen(shop(), chat, said.id).await.expect("seen");
    let dispute = arbitration(store, chat).await.id;
    write(store, dispute, with_file(files, b"a proof").await, at(22)).await;
    let settle = Act::Settle {
        dispute,
        decided_for: DecidedFor::Buyer,
        text: text("money back"),
    };
    let settled = store.act(shop(), settle, ARBITER, None, at(23)).await;
    settled.expect("a verdict");
    let elsewhere = start(store, other(), order(100), at(0)).await.chat.id;
    let said = store.append_message(other(), elsewhere, customer_says("and here"), None, at(24));
    said.await.expect("a message");
}

/// A delivery that went well, and one that is asked for again.
async fn fill_log(store: &dyn Store, crm: SubscriptionId) {
    let waiting = store.waiting(shop(), crm, 0, 1).await.expect("what waits");
    let delivery = waiting.deliveries[0];
    let event = delivery.event.id;
    let one = tried(delivery, at(30), Settled::Delivered);
    store.settle(shop(), crm, vec![one]).await.expect("a log");
    let again = store.send_again(shop(), crm, Again::Event(event), at(31)).await;
    assert_eq!(again.expect("queued"), 1);
}

/// Everything that the interface shows.
async fn shown(store: &dyn Store) -> Vec<String> {
    let mut all = Vec::new();
    let mut show = |what: &dyn Debug| all.push(format!("{what:#?}"));
    show(&store.customers(None, 100).await.expect("a list"));
    show(&store.operator_tokens().await.expect("a list"));
    show(&store.session(SecretHash([4; 32])).await.expect("an answer"));
    show(&store.server_secret().await.expect("a secret"));
    show(&store.usage(at(0)).await.expect("counts"));
    show(&store.audit(None, None, 100).await.expect("a page"));
    show(&store.taken_from(0, 100).await.expect("a list"));
    show(&store.renamed_customers(0, 100).await.expect("a list"));
    show(&store.erasure(&person("boris")).await.expect("a read"));
    let marks = store.marks().await.expect("marks");
    show(&(
        marks.renamed,
        marks.taken,
        marks.forgotten_event,
        marks.forgotten_taken,
    ));
    for business in store.businesses(None, 100).await.expect("a list") {
        let id = business.id;
        show(&business);
        show(&store.campaigns(id, None, 100).await.expect("a list"));
        show(&store.orders(id, None, 100).await.expect("a list"));
        show(&store.returns(id, None, 100).await.expect("a list"));
        show(
            &store
                .credentials(id, CredentialKind::ApiKey)
                .await
                .expect("a list"),
        );
        show(&store.subscriptions(id).await.expect("a list"));
        show(&store.saved_replies(id).await.expect("a list"));
        show(&store.events(Some(id), 0, 1_000).await.expect("events"));
        show(
            &store
                .attempts(id, AttemptFilter::default(), None, 100)
                .await
                .expect("a page"),
        );
        for chat in all_chats(store, id, &Default::default()).await {
            show(&chat);
            show(
                &store
                    .messages(id, chat.id, Default::default(), 100)
                    .await
                    .expect("a page"),
            );
            show(&store.seen(id, &[chat.id]).await.expect("a read"));
            show(&store.verdict(id, chat.id).await.expect("a read"));
        }
        for subscription in store.subscriptions(id).await.expect("a list") {
            show(
                &store
                    .waiting(id, subscription.id, 0, 100)
                    .await
                    .expect("what waits"),
            );
        }
    }
    all
}

/// The files that messages name, with their content.
async fn contents(store: &dyn Store, files: &FileStore) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for chat in all_chats(store, shop(), &Default::default()).await {
        for file in all_messages(store, chat.id).await.iter().flat_map(|it| &it.files) {
            if let Some((_, stored)) = store.file(shop(), file.id).await.expect("a read") {
                let (_, content) = files.get(&stored.object).await.expect("a file");
                let content: Vec<Bytes> = content.try_collect().await.expect("its content");
                found.push(content.concat());
            }
        }
    }
    found
}

/// The new store shows what the old one shows, and lives on.
async fn is_whole(place: &Place) {
    let (old, new) = (place.sqlite(), place.postgres().await.expect("a store"));
    assert_eq!(shown(&new).await, shown(&old).await);
    let files = contents(&new, &place.files("new")).await;
    assert_eq!(files, contents(&old, &place.files("old")).await);
    assert_eq!(files.len(), 2);
    let report = new.check(&place.files("new")).await.expect("a report");
    assert_eq!(report.problems, Vec::<String>::new());
    let newest = old.newest_event(Some(shop())).await.expect("an event");
    let chat = new_chat(&new, returned(200)).await;
    let highest = all_chats(&old, shop(), &Default::default())
        .await
        .iter()
        .map(|it| it.id)
        .max();
    assert!(Some(chat.id) > highest, "ids go on above the old ones");
    write(&new, chat.id, customer_says("hello again"), at(100)).await;
    let told = new.events(Some(shop()), newest, 10).await.expect("events");
    assert_eq!(told.len(), 2, "and so do events");
    let report = new.check(&place.files("new")).await.expect("a report");
    assert_eq!(report.problems, Vec::<String>::new());
    old.close().await;
    new.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_moves_whole() {
    let place = Place::new().await;
    let moved = place.moved(&Told::default()).await.expect("a move");
    for (table, rows) in &moved.rows {
        assert!(*rows > 0, "{table} is empty, and this proves nothing of it");
    }
    assert_eq!(moved.files, 2, "a file that was removed is not looked for");
    is_whole(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_goes_on_where_it_broke_off() {
    let place = Place::new().await;
    place.broken_off("message").await;
    // As if it had broken off among the chats.
    place.sql("DELETE FROM chat WHERE business_id = 2");
    assert!(
        matches!(place.postgres().await, Err(OpenError::Moving)),
        "no server starts on half a store"
    );
    place.broken_off("files").await;
    let told = Told::default();
    place.moved(&told).await.expect("a move");
    for table in ["chat", "message", "event", "audit"] {
        let (done, all) = told.of(table);
        assert_eq!(done, all, "{table} is moved once");
    }
    is_whole(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_in_part_is_not_moved_twice() {
    let place = Place::new().await;
    place.broken_off("message").await;
    place.sql("DELETE FROM chat WHERE business_id = 2");
    let told = Told::default();
    place.moved(&told).await.expect("a move");
    let (done, all) = told.of("chat");
    assert_eq!(done, all - 1);
    assert_eq!(told.of("message").0, 0);
    is_whole(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_data_of_its_own_is_refused_and_left_alone() {
    let place = Place::new().await;
    let store = place.postgres().await.expect("a store");
    populate(&store).await;
    store.close().await;
    let refused = place.moved(&Told::default()).await;
    assert!(matches!(refused, Err(MoveError::NotEmpty)), "{refused:?}");
    assert_eq!(place.sql("SELECT count(*) FROM chat"), "0");
    let store = place
        .postgres()
        .await
        .expect("a store that can be used as before");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_into_which_another_store_is_moved_is_refused() {
    let (place, another) = (Place::new().await, Place::new().await);
    place.broken_off("message").await;
    let refused = place.moved_from(&another.file(), &Told::default()).await;
    assert!(matches!(refused, Err(MoveError::AnotherMove)), "{refused:?}");
    place
        .moved(&Told::default())
        .await
        .expect("the first one goes on");
    let again = place.moved(&Told::default()).await;
    assert!(
        matches!(again, Err(MoveError::NotEmpty)),
        "once is enough: {again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_found_and_no_server_starts_on_it() {
    for (changed, table) in [
        (
            "UPDATE message SET text = 'hallo' WHERE text = 'hello'",
            "message",
        ),
        (
            "DELETE FROM event WHERE event_id = (SELECT min(event_id) FROM event WHERE business_id = 1)",
            "event",
        ),
        ("UPDATE customer SET erased_at = NULL", "customer"),
        (
            "INSERT INTO seen SELECT business_id, chat_id, 1 FROM chat WHERE business_id = 2",
            "seen",
        ),
    ] {
        let place = Place::new().await;
        place.broken_off("files").await;
        place.sql(changed);
        match place.moved(&Told::default()).await {
            Err(MoveError::Differs { table: found, .. }) => assert_eq!(found, table),
            other => panic!("{changed}: {other:?}"),
        }
        assert!(matches!(place.postgres().await, Err(OpenError::Moving)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_another_one_there_is_found() {
    let place = Place::new().await;
    place.broken_off("files").await;
    let object = place.sql("SELECT max(object) FROM message_file WHERE removed_at IS NULL");
    let there = place.folder.path().join("new").join(&object);
    std::fs::create_dir_all(there.parent().expect("a folder")).expect("a folder");
    std::fs::write(&there, "something else").expect("a file");
    let refused = place.moved(&Told::default()).await;
    assert!(
        matches!(&refused, Err(MoveError::FileDiffers(found)) if *found == object),
        "{refused:?}"
    );
    std::fs::remove_file(&there).expect("removed");
    place.moved(&Told::default()).await.expect("a move");
    is_whole(&place).await;
}
