//! PostgreSQL for tests: a cluster of a test's own, or one that the tests of a process share, with a database for
//! each case.
//!
//! A cluster is real: it syncs, so what it acknowledged is there after [`Cluster::crash`]. It listens on a free port of
//! the loopback, and it is stopped and removed when it is dropped or when the process ends, however that ends.

#![forbid(unsafe_code)]

mod held;
mod keeper;
mod programs;

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use held::Held;
use keeper::Keeper;
use programs::Programs;

/// The database that every cluster has; tests have their own beside it.
const MAINTENANCE: &str = "postgres";

/// A PostgreSQL server with its data.
///
/// Everything here panics, with what PostgreSQL said, where it cannot do what a test asks for.
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    made: AtomicU32,
    _keeper: Keeper,
}

impl Cluster {
    /// Makes a cluster and starts it.
    #[must_use]
    pub fn start() -> Self {
        let programs = Programs::find();
        let folder = new_folder(&programs);
        let data = folder.join("data");
        // Sorted as people sort, which is not bytewise: a key that relies on bytes has to say so itself.
        programs.run(
            "initdb",
            [
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--locale-provider=icu",
                "--icu-locale=en",
                &format!("--pgdata={}", data.display()),
            ],
        );
        set(
            &data,
            &format!(
                "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 300\n",
                folder.display()
            ),
        );
        Self::over(programs, folder)
    }

    /// The cluster that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server on a data folder that is there.
    fn over(programs: Programs, folder: PathBuf) -> Self {
        let keeper = Keeper::of(&programs, &folder);
        let mut cluster = Self {
            programs,
            folder,
            port: 0,
            made: AtomicU32::new(0),
            _keeper: keeper,
        };
        // Somebody may take the port before the server does.
        for _ in 0..5 {
            cluster.port = free_port();
            set(&cluster.data(), &format!("port = {}\n", cluster.port));
            if cluster.try_start().is_ok() {
                return cluster;
            }
        }
        let log = fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}");
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn try_start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        self.control(&["start", "-w", "-t", "60", "-l", &log.display().to_string()])
    }

    fn control(&self, arguments: &[&str]) -> Result<(), String> {
        let data = self.data().display().to_string();
        let arguments = ["-s", "-D", &data].into_iter().chain(arguments.iter().copied());
        self.programs.try_run("pg_ctl", arguments).map(drop)
    }

    fn must(&self, arguments: &[&str]) {
        if let Err(why) = self.control(arguments) {
            panic!("pg_ctl {arguments:?}: {why}");
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database; answers its name.
    #[must_use]
    pub fn new_database(&self) -> String {
        self.new_database_like("template1")
    }

    /// Makes a database that is a copy of another one; answers its name. Nobody may be connected to that one; who is just
    /// leaving is waited for.
    #[must_use]
    pub fn new_database_like(&self, template: &str) -> String {
        let name = format!("case_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.sql(
            MAINTENANCE,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        );
        name
    }

    /// Removes a database, whoever is connected to it.
    pub fn drop_database(&self, name: &str) {
        self.sql(
            MAINTENANCE,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        );
    }

    /// Runs one statement; answers what it gives, a line for each row, with `|` between columns.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let found = self.programs.run(
            "psql",
            [
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
                &self.url(database),
            ],
        );
        found.trim_end().to_owned()
    }

    /// Runs one statement and leaves its transaction open, with the locks that it has taken, until the answer is dropped.
    #[must_use]
    pub fn hold(&self, database: &str, statement: &str) -> Held {
        Held::by(&self.programs, &self.url(database), statement)
    }

    /// Stops the server as a power cut does: nothing is written that was not written before.
    pub fn crash(&self) {
        self.must(&["stop", "-m", "immediate"]);
    }

    /// Stops the server in good order; connections are ended.
    pub fn stop(&self) {
        self.must(&["stop", "-m", "fast"]);
    }

    /// Starts the server again after [`Cluster::crash`] or [`Cluster::stop`], on the same port.
    pub fn start_again(&self) {
        if let Err(why) = self.try_start() {
            panic!("PostgreSQL does not start again: {why}");
        }
    }

    /// Makes a standby that follows this server's log.
    #[must_use]
    pub fn standby(&self) -> Self {
        let folder = new_folder(&self.programs);
        let data = folder.join("data");
        self.programs.run(
            "pg_basebackup",
            [
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--status-interval=1",
                &format!("--dbname={}", self.url(MAINTENANCE)),
                &format!("--pgdata={}", data.display()),
            ],
        );
        set(
            &data,
            &format!("unix_socket_directories = '{}'\n", folder.display()),
        );
        Self::over(self.programs.clone(), folder)
    }

    /// Makes a server of a standby, which takes writes from then on.
    pub fn promote(&self) {
        self.must(&["promote", "-w", "-t", "60"]);
    }

    /// Waits until a standby has applied all that this server had written when it was asked.
    pub fn wait_for(&self, standby: &Self) {
        let written = self.sql(MAINTENANCE, "SELECT pg_current_wal_lsn()");
        let applied = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        let deadline = Instant::now() + Duration::from_secs(30);
        while standby.sql(MAINTENANCE, &applied) != "t" {
            assert!(Instant::now() < deadline, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A folder that the server's user owns. The keeper removes it.
fn new_folder(programs: &Programs) -> PathBuf {
    let made = tempfile::Builder::new().prefix("prilavok-pg-").tempdir();
    let folder = made.map(TempDir::keep).expect("a folder");
    programs.give(&folder);
    folder
}

/// Adds settings; later ones win.
fn set(data: &Path, settings: &str) {
    let path = data.join("postgresql.conf");
    let mut text = fs::read_to_string(&path).expect("settings");
    write!(text, "\n{settings}").expect("memory");
    fs::write(&path, text).expect("settings");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
