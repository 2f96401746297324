//! A world: one state of the marketplace, with the app that serves it. A snapshot is restored by opening another
//! world and serving that one; so nothing of the old one stays in any memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::middleware::from_fn_with_state;
use axum::routing::Router;
use parking_lot::Mutex;
use prilavok_domain::IdSequence;
use prilavok_server::app::{Adjustments, App, Background, SharedApp};
use prilavok_server::http::Served;
use prilavok_server::settings::Settings;
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

use crate::clock::SandboxClock;
use crate::faults::{self, Faults};
use crate::scenario::Director;

/// The sandbox has one node.
const NODE: u8 = 0;
/// How often the clock is looked at for what has come due.
const CLOCK_INTERVAL: Duration = Duration::from_millis(2);
/// How long deliveries of a world that ends may take to finish before it is not waited for any more.
const PARTING: Duration = Duration::from_millis(20);

/// One state of the marketplace, served.
pub(crate) struct World {
    pub(crate) app: SharedApp,
    pub(crate) director: Arc<Director>,
    folder: PathBuf,
    background: Mutex<Option<Background>>,
}

impl World {
    /// Opens the state in a folder. New ids are above `last_id`.
    pub(crate) async fn open(
        folder: PathBuf,
        mut settings: Settings,
        clock: &SandboxClock,
        faults: &Faults,
        last_id: i64,
    ) -> anyhow::Result<Self> {
        settings.data.clone_from(&folder);
        let files = FileStore::local(&files_folder(&folder))
            .with_context(|| format!("cannot use the folder {}", folder.display()))?;
        let store = SqliteStore::open(&database(&folder), IdSequence::clocked(NODE, last_id))?;
        let adjustments = Adjustments {
            clock_interval: CLOCK_INTERVAL,
            faults: Arc::new(faults.clone()),
        };
        let clock = Arc::new(clock.clone());
        let app = App::adjusted(Arc::new(store), files, clock, settings, adjustments).await?;
        let app = Arc::new(app);
        Ok(Self {
            background: Mutex::new(Some(app.start_background())),
            director: Arc::new(Director::new(Arc::clone(&app))),
            app,
            folder,
        })
    }

    /// What answers requests while this is the world: its surfaces, whose calls `faults` meddle with, and those of
    /// the sandbox.
    pub(crate) fn served(&self, faults: &Faults, sandbox: Router) -> Served {
        let mut served = Served::new(Arc::clone(&self.app));
        let meddling = from_fn_with_state((faults.clone(), Arc::clone(&self.app)), faults::meddle);
        served.router = sandbox.merge(served.router.layer(meddling));
        served.straight = false;
        served
    }

    /// The highest id that was given out, as far as events tell: each has one of its own, drawn last.
    pub(crate) async fn last_id(&self) -> anyhow::Result<i64> {
        Ok(self.app.store.newest_event(None).await?)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it: no more deliveries, no more streams. Answers once nothing of it disturbs the world that comes after.
    pub(crate) async fn end(&self) {
        self.background.lock().take();
        self.app.live.close().await;
        // A delivery under way ends by itself; nobody waits for a receiver that hangs.
        let _ = tokio::time::timeout(PARTING, self.app.notifier.stop()).await;
    }
}

pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

pub(crate) fn files_folder(folder: &Path) -> PathBuf {
    folder.join("files")
}
