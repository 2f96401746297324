//! A server with a clock that is moved by hand, and a director over it.

use std::path::Path;
use std::sync::Arc;

use prilavok_domain::{BusinessId, Chat, ChatId, IdSequence, ManualClock, MessageText, Sender, Timestamp};
use prilavok_sandbox::scenario::{Cast, Director, Happening, Report, Scenario, State, Verdict};
use prilavok_server::app::App;
use prilavok_server::http::{self, Served};
use prilavok_server::settings::{Overrides, Settings};
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{ChatFilter, MessageRange, NewMessage};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// 2025-01-16T10:00:00Z: one in the afternoon at the server's offset.
const OPENED_AT_MS: i64 = 1_737_021_600_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

pub(crate) struct Shop {
    pub(crate) app: Arc<App>,
    pub(crate) clock: ManualClock,
    pub(crate) director: Director,
    pub(crate) address: String,
    pub(crate) folder: TempDir,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ids = IdSequence::clocked(0, 0);
        let store = SqliteStore::open(&folder.path().join(FILE_NAME), ids).expect("a store");
        let files = FileStore::local(&folder.path().join("files")).expect("a file store");
        let clock = ManualClock::new(Timestamp::from_millis(OPENED_AT_MS).expect("in range"));
        let overrides = Overrides {
            no_limits: true,
            allow_private_webhooks: true,
            data: Some(folder.path().to_owned()),
            ..Overrides::default()
        };
        let settings = Settings::load(None, &overrides).expect("settings");
        let app = App::new(Arc::new(store), files, Arc::new(clock.clone()), settings);
        let app = Arc::new(app.await.expect("an app"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Served::always(Arc::clone(&app));
        tokio::spawn(http::serve(served, listener, std::future::pending()));
        Self {
            director: Director::new(Arc::clone(&app)),
            app,
            clock,
            address,
            folder,
        }
    }

    /// A shop in which this scenario begins, and has done what is due at once.
    pub(crate) async fn playing(text: &str) -> (Self, Cast) {
        let shop = Self::open().await;
        let cast = shop.begin(&scenario(text)).await;
        (shop, cast)
    }

    pub(crate) async fn begin(&self, scenario: &Scenario) -> Cast {
        let cast = self.director.begin(scenario).await.expect("it begins");
        self.run().await;
        cast
    }

    pub(crate) async fn run(&self) -> Vec<Happening> {
        self.director.run_due().await.expect("it runs")
    }

    /// Lets so much time pass at once.
    pub(crate) async fn later(&self, millis: i64) -> Vec<Happening> {
        self.clock.advance(millis);
        self.run().await
    }

    /// Milliseconds until something is due by the clock.
    pub(crate) fn due_in(&self) -> Option<i64> {
        let due = self.director.next_due()?;
        Some(due.as_millis() - self.app.now().as_millis())
    }

    /// Lets time pass from due time to due time until all is over, with nobody answering.
    pub(crate) async fn to_the_end(&self) {
        while let Some(ahead) = self.due_in() {
            self.later(ahead.max(0)).await;
        }
        assert!(self.director.finished());
    }

    pub(crate) fn report(&self) -> Report {
        self.director.report().pop().expect("a report")
    }

    /// How the only expectation fares.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut expectations = self.report().expectations;
        assert_eq!(expectations.len(), 1);
        expectations.pop().expect("one").verdict
    }

    /// Why the scenario has failed.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self.report().state {
            State::Failed { reasons } => reasons,
            state => panic!("{state:?}"),
        }
    }

    pub(crate) async fn chats(&self, business: BusinessId) -> Vec<Chat> {
        let filter = ChatFilter::default();
        let page = self.app.store.chats(business, &filter, None, 20_000).await;
        let mut chats = page.expect("read").items;
        chats.sort_by_key(|chat| chat.id);
        chats
    }

    /// Every chat, oldest first: what it is about, its type and status, and who said what.
    pub(crate) async fn talk(&self, business: BusinessId) -> Vec<String> {
        let mut all = Vec::new();
        for chat in self.chats(business).await {
            let range = MessageRange::default();
            let messages = self.app.store.messages(business, chat.id, range, 1_000).await;
            let messages = messages.expect("read").items.into_iter().map(|message| {
                let text = message.text.as_ref().map_or("", MessageText::as_str);
                let files = "*".repeat(message.files.len());
                format!("{}: {text}{files}", message.sender)
            });
            let messages: Vec<_> = messages.collect();
            let kind = chat.context.kind();
            all.push(format!(
                "{kind} {} {} | {}",
                chat.kind,
                chat.status,
                messages.join(" | ")
            ));
        }
        all
    }

    /// The partner writes into the business's chat with this number, from zero.
    pub(crate) async fn partner_says(&self, business: BusinessId, number: usize, text: &str) {
        let chat = self.chats(business).await[number].id;
        self.partner_writes(business, chat, text).await;
        self.run().await;
    }

    pub(crate) async fn partner_writes(&self, business: BusinessId, chat: ChatId, text: &str) {
        let new = NewMessage {
            sender: Sender::Partner,
            text: Some(MessageText::new(text).expect("a text")),
            files: Vec::new(),
            wait_for: None,
        };
        let now = self.app.now();
        let written = self.app.store.append_message(business, chat, new, None, now);
        written.await.expect("written");
    }
}

/// A scenario with customer `anna`, her orders `boots` and `hat` and the return `boots-back`, and these parts.
pub(crate) fn scenario(parts: &str) -> Scenario {
    let text = format!(
        "title: A test\ncustomers: {{ anna: Анна }}\n\
         orders: {{ boots: {{ customer: anna }}, hat: {{ customer: anna }} }}\n\
         returns: {{ boots-back: {{ order: boots }} }}\n{parts}"
    );
    Scenario::parse("test", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A folder of the repository.
pub(crate) fn repository(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}
