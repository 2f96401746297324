// A real server in this process, on a free port, with the demo data in a folder of its own. The examples of the crate's
// documentation run against it as well: they include this file.

/// A server; its data goes away with it.
struct Sandbox {
    /// Its base URL.
    url: String,
    /// A key of business 1 that may talk to customers.
    key: String,
    /// A token of the Operator API.
    operator: String,
    _folder: tempfile::TempDir,
    _background: prilavok_server::app::Background,
}

#[allow(dead_code, reason = "not every user needs all of it")]
impl Sandbox {
    /// Starts it with the usual settings.
    async fn start() -> Self {
        Self::with(std::sync::Arc::new(prilavok_domain::SystemClock), |_| {}).await
    }

    /// Starts it with a clock and settings of the caller's own.
    async fn with(
        clock: std::sync::Arc<dyn prilavok_domain::Clock>,
        change: impl FnOnce(&mut prilavok_server::settings::Settings),
    ) -> Self {
        use prilavok_server::settings::{Overrides, Settings};
        use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = Settings::load(None, &Overrides::default()).expect("the defaults");
        settings.data = folder.path().to_owned();
        change(&mut settings);
        let database = folder.path().join(FILE_NAME);
        let files = prilavok_store::files::FileStore::local(&folder.path().join("files")).expect("a file store");
        let now = clock.now();
        prilavok_server::demo::seed(&database, &files, now).await.expect("the demo");
        let store = SqliteStore::open(&database, prilavok_domain::IdSequence::clocked(0, 0)).expect("a store");
        let store: std::sync::Arc<dyn prilavok_store::Store> = std::sync::Arc::new(store);
        let keys = prilavok_server::demo::keys(&*store, now).await.expect("keys");
        let app = prilavok_server::app::App::new(store, files, clock, settings).await.expect("an app");
        let app = std::sync::Arc::new(app);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let background = app.start_background();
        let served = prilavok_server::http::Served::always(app);
        let serving = prilavok_server::http::serve(served, listener, std::future::pending());
        tokio::spawn(serving);
        Self {
            url: format!("http://{address}"),
            key: keys.seller,
            operator: keys.operator,
            _folder: folder,
            _background: background,
        }
    }

    /// A client of it.
    fn client(&self) -> prilavok_client::ClientBuilder {
        let key = prilavok_client::Credential::api_key(&self.key).expect("a key");
        prilavok_client::Client::builder(&self.url, key)
    }

    /// Business 1, as its own key sees it.
    fn shop(&self) -> prilavok_client::Business {
        let client = self.client().build().expect("a client");
        client.business(prilavok_client::BusinessId::new(1).expect("an id"))
    }
}
