//! How a database is reached, made and brought up to date.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::{StreamExt, stream};
use prilavok_domain::IdSequence;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::told;
use super::member::{Listen, Listening};
use super::nodes::LeaseTimes;

/// The steps from an empty database to the newest schema.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_sessions.sql"),
];

/// Whoever brings the schema up to date holds this lock.
const MIGRATION_LOCK: i64 = 5_787_213_827_046_133_841;

/// The mark of a database into which a store is being moved.
const MOVING: &str = "moving";

/// How a PostgreSQL database is used.
#[derive(Debug, Clone)]
pub struct PgOptions {
    config: Config,
    replica: Option<Config>,
    /// Connections open at a time, besides the one that listens.
    pub connections: usize,
    /// How long an operation waits for a connection.
    pub wait: Duration,
    /// How long one statement may take.
    pub statement: Duration,
    /// How long connecting may take.
    pub connect: Duration,
    /// How long this process stays a node without saying so again.
    pub leases: LeaseTimes,
    /// What ids of all but events are drawn from. A clocked sequence gets its number and its beginning from the database. A
    /// plain one is for a database that is empty and has no other node.
    pub ids: IdSequence,
}

impl PgOptions {
    /// The database at `url`, `postgres://user:password@host:5432/database`. Without a password in it, `PGPASSWORD` is
    /// taken. What a node may read a little later it reads from `replica`, where there is one.
    pub fn new(url: &str, replica: Option<&str>) -> Result<Self, OpenError> {
        let mut config = config(url)?;
        if config.get_hosts().len() > 1 && !url.contains("target_session_attrs") {
            // Of several servers, the one that takes writes at the moment.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self {
            config,
            replica: replica.map(self::config).transpose()?,
            connections: 16,
            wait: Duration::from_secs(2),
            statement: Duration::from_secs(10),
            connect: Duration::from_secs(3),
            leases: LeaseTimes::default(),
            ids: IdSequence::clocked(0, 0),
        })
    }

    fn of_sessions(&self, config: &Config) -> Config {
        let mut config = config.clone();
        let statement = self.statement.as_millis();
        // What stands in the URL comes last and wins.
        let own = format!(
            "-c synchronous_commit=on -c jit=off -c statement_timeout={statement} -c lock_timeout={statement} \
             -c idle_in_transaction_session_timeout={statement}"
        );
        let given = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{own} {given}"));
        if config.get_application_name().is_none() {
            config.application_name("prilavok");
        }
        // A network that was cut is noticed within seconds.
        config
            .connect_timeout(self.connect)
            .tcp_user_timeout(Duration::from_secs(5))
            .keepalives_idle(Duration::from_secs(2))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3);
        config
    }

    /// Connections to the database.
    pub(super) fn pool(&self) -> Result<Pool, OpenError> {
        self.pool_of(&self.config)
    }

    /// Connections to the replica, where there is one.
    pub(super) fn replica(&self) -> Result<Option<Pool>, OpenError> {
        self.replica
            .as_ref()
            .map(|config| self.pool_of(config))
            .transpose()
    }

    fn pool_of(&self, config: &Config) -> Result<Pool, OpenError> {
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(self.of_sessions(config), tls(), recycling);
        Pool::builder(manager)
            .max_size(self.connections)
            .wait_timeout(Some(self.wait))
            .create_timeout(Some(self.connect))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| OpenError::Settings(error.to_string()))
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<Client, OpenError> {
        let (client, connection) = self.of_sessions(&self.config).connect(tls()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        Ok(client)
    }

    /// Opens connections to listen on.
    pub(super) fn listen(&self) -> Listen {
        let config = self.of_sessions(&self.config);
        Box::new(move || {
            let config = config.clone();
            Box::pin(async move {
                let (client, mut connection) = config.connect(tls()).await?;
                let messages = stream::poll_fn(move |context| connection.poll_message(context)).boxed();
                Ok(Listening { client, messages })
            })
        })
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its address is none.
    #[error("it is no address like postgres://user:password@host:5432/database: {0}")]
    Address(String),
    /// It cannot be reached, or refuses what is asked of it.
    #[error("the PostgreSQL database cannot be used: {}", told(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// It cannot be used with these settings.
    #[error("the PostgreSQL database cannot be used with these settings: {0}")]
    Settings(String),
    /// A newer version of Prilavok has changed it so that this one does not understand it any more.
    #[error(
        "the database has the schema {found}, for Prilavok that knows {needed} at least; this one knows {known}: \
         take a newer Prilavok"
    )]
    Newer {
        /// The schema that it has.
        found: i64,
        /// The oldest that a reader of it must know.
        needed: i64,
        /// What this version knows.
        known: i64,
    },
    /// A store is being moved into it.
    #[error("a move into this database is not finished: run prilavok migrate-store again, and it goes on")]
    Moving,
    /// This process could not become a node.
    #[error(transparent)]
    Node(#[from] crate::StoreError),
}

fn config(url: &str) -> Result<Config, OpenError> {
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if !is_postgres {
        // What was given is not repeated: a password may be in it.
        return Err(OpenError::Address(
            "it does not begin with postgres://".to_owned(),
        ));
    }
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| OpenError::Address(told(&error)))?;
    if config.get_password().is_none()
        && let Ok(password) = std::env::var("PGPASSWORD")
    {
        config.password(password);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(OpenError::Address("it names no host".to_owned()));
    }
    // Encrypted where the server can, as other clients of PostgreSQL do it; `sslmode=require` insists.
    if config.get_ssl_mode() == SslMode::Disable && !url.contains("sslmode") {
        config.ssl_mode(SslMode::Prefer);
    }
    Ok(config)
}

/// Encryption, with the certificate authorities that browsers trust and those that this machine does: one's own is named by
/// `SSL_CERT_FILE`.
fn tls() -> MakeRustlsConnect {
    static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        // A machine without any, or with some that cannot be read, trusts the rest.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    let config = ClientConfig::builder()
        .with_root_certificates(Arc::clone(&ROOTS))
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// Brings the schema up to date. One process does it at a time; the others wait and find it done.
pub(super) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    client
        .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
        .await?;
    let migrated = migrate_alone(client).await;
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&MIGRATION_LOCK])
        .await?;
    migrated
}

async fn migrate_alone(client: &mut Client) -> Result<(), OpenError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let there = client
        .query_one("SELECT to_regclass('meta') IS NOT NULL", &[])
        .await?;
    let found = match there.try_get(0)? {
        true => number(client, "schema").await?,
        false => 0,
    };
    if found > known {
        let needed = number(client, "oldest_reader").await?;
        // A newer version that only added something leaves older ones in peace.
        return match needed > known {
            true => Err(OpenError::Newer { found, needed, known }),
            false => Ok(()),
        };
    }
    let done = usize::try_from(found).unwrap_or_default();
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = client.transaction().await?;
        // A step over much data takes its time.
        transaction
            .batch_execute("SET LOCAL statement_timeout = 0")
            .await?;
        transaction.batch_execute(sql).await?;
        let version = i64::try_from(step + 1).unwrap_or(i64::MAX);
        transaction
            .execute("UPDATE meta SET number = $1 WHERE name = 'schema'", &[&version])
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn number(client: &Client, name: &str) -> Result<i64, OpenError> {
    let row = client
        .query_opt("SELECT number FROM meta WHERE name = $1", &[&name])
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
}

/// The mark of the store that is being moved into this database, if one is.
pub(crate) async fn move_begun(client: &Client) -> Result<Option<Vec<u8>>, tokio_postgres::Error> {
    let row = client
        .query_opt("SELECT bytes FROM meta WHERE name = $1", &[&MOVING])
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Marks a database as one that a store is being moved into.
pub(crate) async fn begin_move(client: &Client, mark: &[u8]) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "INSERT INTO meta (name, bytes) VALUES ($1, $2)",
            &[&MOVING, &mark],
        )
        .await
        .map(drop)
}

/// The last statement of a move.
pub(crate) const END_MOVE: &str = "DELETE FROM meta WHERE name = 'moving'";

/// A connection for a move: no node, and no limit on how long a statement takes.
pub(crate) async fn connect_to_move(options: &PgOptions) -> Result<Client, OpenError> {
    let mut client = options.connect().await?;
    migrate(&mut client).await?;
    client.batch_execute("SET statement_timeout = 0").await?;
    Ok(client)
}

/// Refuses a database into which a store is being moved.
pub(super) async fn must_not_be_moving(client: &Client) -> Result<(), OpenError> {
    match move_begun(client).await? {
        Some(_) => Err(OpenError::Moving),
        None => Ok(()),
    }
}
