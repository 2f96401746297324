//! The sandbox as a whole: one world at a time, its clock, its faults, its snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use axum::Router;
use prilavok_domain::Clock;
use prilavok_server::demo::{self, DemoKeys};
use prilavok_server::http::Served;
use prilavok_server::settings::Settings;
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::private_folder;
use tokio::sync::{Mutex, MutexGuard};

use crate::api;
use crate::clock::{SandboxClock, Speed};
use crate::faults::{Faults, Rule};
use crate::scenario::{Cast, Report, Scenario};
use crate::snapshot::{SnapshotName, Snapshots};
use crate::temporary::Temporary;
use crate::world::{World, database, files_folder};

/// How often scenarios are looked at, in real time.
const PLAYING_INTERVAL: Duration = Duration::from_millis(5);
/// How long a world that has ended may go on answering requests that were under way.
const ANSWERING: Duration = Duration::from_secs(30);

/// A marketplace to try connectors against.
pub struct Sandbox {
    settings: Settings,
    folder: PathBuf,
    clock: SandboxClock,
    faults: Faults,
    snapshots: Snapshots,
    world: ArcSwap<World>,
    served: Arc<ArcSwap<Served>>,
    /// Held by whoever changes the world, moves the clock or lets scenarios go on: one at a time.
    turn: Mutex<()>,
    states: AtomicU64,
    pub(crate) next_business: AtomicI64,
    /// The folder of a sandbox that is not to be kept, until it is closed.
    temporary: parking_lot::Mutex<Option<Temporary>>,
}

/// Isolated businesses have ids from here on.
const FIRST_BUSINESS: i64 = 1_001;

impl Sandbox {
    /// A sandbox with demo data: in `folder`, where what is there is gone on with, or in memory.
    pub async fn open(
        settings: Settings,
        folder: Option<&Path>,
        speed: Speed,
    ) -> anyhow::Result<(Arc<Self>, DemoKeys)> {
        let (folder, temporary) = match folder {
            Some(folder) => (folder.to_owned(), None),
            None => {
                let temporary =
                    Temporary::new().context("cannot make a temporary folder; --data names one")?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        private_folder(&folder.join("states"))?;
        let state = newest_state(&folder)?.unwrap_or(0);
        let clock = SandboxClock::new(speed);
        let of_state = state_folder(&folder, state);
        private_folder(&of_state)?;
        let files = FileStore::local(&files_folder(&of_state))?;
        demo::seed(&database(&of_state), &files, clock.now()).await?;
        let faults = Faults::default();
        let world = World::open(of_state, settings.clone(), &clock, &faults, 0).await?;
        let keys = demo::keys(&*world.app.store, clock.now()).await?;
        // The routes need the sandbox, which is made last.
        let served = Arc::new(ArcSwap::from_pointee(Served {
            app: Arc::clone(&world.app),
            router: Router::new(),
            straight: false,
        }));
        let sandbox = Arc::new(Self {
            snapshots: Snapshots::new(folder.join("snapshots")),
            settings,
            folder,
            clock,
            faults,
            world: ArcSwap::from_pointee(world),
            served,
            turn: Mutex::default(),
            states: AtomicU64::new(state),
            next_business: AtomicI64::new(FIRST_BUSINESS),
            temporary: parking_lot::Mutex::new(temporary),
        });
        sandbox.serve_world();
        sandbox.take_snapshot(&SnapshotName::start()).await?;
        Ok((sandbox, keys))
    }

    /// What answers requests, for [`prilavok_server::http::serve`].
    #[must_use]
    pub fn served(&self) -> Arc<ArcSwap<Served>> {
        Arc::clone(&self.served)
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// The faults in force.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The folder that everything is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn world(&self) -> Arc<World> {
        self.world.load_full()
    }

    /// Keeps everybody else from changing the world.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn serve_world(self: &Arc<Self>) {
        let served = self.world().served(&self.faults, api::router(Arc::clone(self)));
        self.served.store(Arc::new(served));
        self.point_to_world();
    }

    /// `current` leads to the state that is served, for the commands that take a data folder.
    fn point_to_world(&self) {
        let (current, next) = (self.folder.join("current"), self.folder.join(".current"));
        let _ = std::fs::remove_file(&next);
        let pointed = std::os::unix::fs::symlink(self.world().folder(), &next);
        if let Err(error) = pointed.and_then(|()| std::fs::rename(&next, &current)) {
            tracing::warn!(%error, "the link to the current state was not made");
        }
    }

    /// Takes a snapshot of the present state and of the clock.
    pub async fn take_snapshot(&self, name: &SnapshotName) -> anyhow::Result<()> {
        let _turn = self.turn().await;
        let world = self.world();
        let clock = self.clock.keep();
        self.snapshots
            .take(name, &*world.app.store, world.folder(), clock)
            .await
    }

    /// The snapshots' names.
    pub fn snapshots(&self) -> anyhow::Result<Vec<String>> {
        self.snapshots.list()
    }

    /// Removes a snapshot; answers whether there was one.
    pub async fn remove_snapshot(&self, name: &SnapshotName) -> anyhow::Result<bool> {
        let _turn = self.turn().await;
        self.snapshots.remove(name)
    }

    /// Goes back to a snapshot: the state, the clock, no faults, no scenarios. Answers whether there was one.
    pub async fn restore(self: &Arc<Self>, name: &SnapshotName) -> anyhow::Result<bool> {
        let _turn = self.turn().await;
        if !self.snapshots.has(name) {
            return Ok(false);
        }
        let old = self.world();
        let last_id = old.last_id().await?;
        let number = self.states.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = state_folder(&self.folder, number);
        let kept = self.snapshots.copy_to(name, &folder)?;
        old.end().await;
        self.faults.clear();
        self.clock.restore(kept);
        let world = World::open(folder, self.settings.clone(), &self.clock, &self.faults, last_id).await?;
        self.world.store(Arc::new(world));
        self.serve_world();
        tokio::spawn(bury(old));
        Ok(true)
    }

    /// Begins a scenario, and puts its faults in force for its business.
    pub async fn begin(&self, scenario: &Scenario) -> anyhow::Result<Cast> {
        let mut rules = Vec::new();
        for fault in scenario.faults() {
            let rule: Rule = serde_json::from_value(fault.clone()).context("'faults'")?;
            rule.check().context("'faults'")?;
            rules.push(rule);
        }
        let _turn = self.turn().await;
        let world = self.world();
        let cast = world.director.begin(scenario).await?;
        world.app.access.refresh().await?;
        for mut rule in rules {
            rule.business_id = Some(cast.business.get());
            self.faults.add(rule)?;
        }
        Ok(cast)
    }

    /// Where every scenario stands.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.world().director.report()
    }

    /// Whether every scenario is over.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.world().director.finished()
    }

    /// Lets scenarios go on, for ever.
    pub async fn play(&self) {
        let mut ticks = tokio::time::interval(PLAYING_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let _turn = self.turn().await;
            if let Err(error) = self.world().director.run_due().await {
                tracing::warn!(%error, "a scenario could not go on");
            }
        }
    }

    /// Ends the world and keeps what is in memory; a sandbox without a folder of its own is gone then.
    pub async fn close(&self) {
        let world = self.world();
        world.end().await;
        world.app.close().await;
        if let Some(temporary) = self.temporary.lock().take()
            && let Err(error) = temporary.close()
        {
            tracing::warn!(%error, "the sandbox's folder was not removed");
        }
    }
}

/// Closes a world when the requests that it was answering are answered, and removes it.
async fn bury(world: Arc<World>) {
    let answered = async {
        while Arc::strong_count(&world.app) > 2 {
            tokio::time::sleep(PLAYING_INTERVAL).await;
        }
    };
    let _ = tokio::time::timeout(ANSWERING, answered).await;
    world.app.close().await;
    if let Err(error) = std::fs::remove_dir_all(world.folder()) {
        tracing::warn!(%error, "the state before was not removed");
    }
}

fn state_folder(folder: &Path, number: u64) -> PathBuf {
    folder.join("states").join(number.to_string())
}

/// The newest state in a folder, if there is one.
fn newest_state(folder: &Path) -> anyhow::Result<Option<u64>> {
    let mut newest = None;
    for entry in std::fs::read_dir(folder.join("states"))? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.parse::<u64>().ok()) {
            newest = newest.max(Some(number));
        }
    }
    Ok(newest)
}
