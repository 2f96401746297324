//! How the database is opened: connections with their limits, and the schema brought up to date.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::RootCertStore;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The schema, one step for each version; the number of steps is the version that we know. A step
/// that has shipped never changes.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_initial.sql")];

/// The version that this program knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The oldest version of Prilavok's schema whose programs can work with the newest one. It is raised by a step that takes
/// away what they need, which comes a release after the one that no longer does.
const MIN_READER: i64 = 1;

/// "PRIL": of several nodes that start at once, the one that holds this lock migrates.
const MIGRATION_LOCK: i64 = 0x5052_494C;

/// Where the database is, and how much is asked of it.
#[derive(Clone)]
pub struct PgOptions {
    /// `postgres://user:password@host:port/database?sslmode=require`, or `key=value` pairs. With several hosts the one
    /// that can be written to is taken.
    pub url: String,
    /// A server that follows the first and may be a moment behind: what reads a whole store asks it.
    pub replica_url: Option<String>,
    /// Connections of this node; each carries one transaction or one read at a time.
    pub pool_size: usize,
    /// How long somebody waits for a connection.
    pub pool_wait: Duration,
    /// How long a statement may take.
    pub statement_limit: Duration,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
}

impl PgOptions {
    /// The database at `url`, with limits that suit most.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            replica_url: None,
            pool_size: 16,
            pool_wait: Duration::from_secs(3),
            statement_limit: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

/// Why a database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum PgOpenError {
    /// The address is none. It is not shown: it may hold a password.
    #[error(
        "the address of the database is not understood: {0}; it looks like postgres://user:password@host/database"
    )]
    Address(String),
    /// There is no connection.
    #[error("cannot connect to PostgreSQL: {0}")]
    Connect(String),
    /// It belongs to another program.
    #[error(
        "the database holds tables of another program: choose another database, or another schema in its search_path"
    )]
    Foreign,
    /// A newer Prilavok changed it so that this one cannot work with it.
    #[error(
        "the database was changed by a newer version of Prilavok (schema {found}, for programs that know {needed} at least; \
         this one knows {known}): start that version"
    )]
    Newer {
        /// The schema's version in the database.
        found: i64,
        /// What a program has to know.
        needed: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema cannot be made or read.
    #[error("cannot bring the schema of the database up to date: {0}")]
    Schema(String),
}

fn told(error: &tokio_postgres::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn schema(error: &tokio_postgres::Error) -> PgOpenError {
    PgOpenError::Schema(told(error))
}

/// A server, and how to connect to it.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    /// What is set on every connection.
    setup: String,
}

impl Server {
    pub(super) fn new(url: &str, options: &PgOptions, writes: bool) -> Result<Self, PgOpenError> {
        let mut config: Config = url.parse().map_err(|error| PgOpenError::Address(told(&error)))?;
        config
            .connect_timeout(options.connect_timeout)
            // A network that is cut is noticed within five seconds, whether something is on its way or not.
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(2))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(5));
        if config.get_application_name().is_none() {
            config.application_name("prilavok");
        }
        if writes {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let tls = tls(&config)?;
        let limit = options.statement_limit.as_millis();
        let setup = format!(
            "SET statement_timeout = {limit}; SET lock_timeout = {limit}; \
             SET idle_in_transaction_session_timeout = {limit}; SET synchronous_commit = on; \
             SET default_transaction_isolation = 'read committed'; SET jit = off"
        );
        Ok(Self { config, tls, setup })
    }

    /// A connection beside the pool. Its other half is driven by a task of its own.
    pub(super) async fn connect(&self) -> Result<Client, PgOpenError> {
        let connected = self.config.connect(self.tls.clone()).await;
        let (client, connection) = connected.map_err(|error| PgOpenError::Connect(told(&error)))?;
        tokio::spawn(async move {
            // Whoever uses the client is told of it.
            let _ = connection.await;
        });
        client
            .batch_execute(&self.setup)
            .await
            .map_err(|error| schema(&error))?;
        Ok(client)
    }

    pub(super) fn pool(&self, options: &PgOptions) -> Result<Pool, PgOpenError> {
        let manager = Manager::from_config(
            self.config.clone(),
            self.tls.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let setup = self.setup.clone();
        let set_up = Hook::async_fn(move |conn: &mut deadpool_postgres::ClientWrapper, _| {
            let setup = setup.clone();
            Box::pin(async move { conn.batch_execute(&setup).await.map_err(HookError::Backend) })
        });
        Pool::builder(manager)
            .max_size(options.pool_size.max(2))
            .wait_timeout(Some(options.pool_wait))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(options.connect_timeout))
            .post_create(set_up)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| PgOpenError::Connect(error.to_string()))
    }
}

/// TLS as the system trusts it: a private authority is named by `SSL_CERT_FILE`.
fn tls(config: &Config) -> Result<MakeRustlsConnect, PgOpenError> {
    let mut trusted = RootCertStore::empty();
    if config.get_ssl_mode() != SslMode::Disable {
        // A system without any is told of when a server wants TLS: its certificate is not trusted then.
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| PgOpenError::Connect(error.to_string()))?;
    Ok(MakeRustlsConnect::new(
        versions.with_root_certificates(trusted).with_no_client_auth(),
    ))
}

/// Brings the schema up to date. One transaction under one lock: of several nodes one migrates, wholly or not at all.
pub(super) async fn migrate(client: &mut Client) -> Result<(), PgOpenError> {
    if version(client).await? >= Some(KNOWN) {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(|error| schema(&error))?;
    let lock = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0";
    transaction
        .batch_execute(lock)
        .await
        .map_err(|error| schema(&error))?;
    let locked = transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]);
    locked.await.map_err(|error| schema(&error))?;
    let found = version(&transaction).await?.unwrap_or(0);
    for step in MIGRATIONS
        .iter()
        .skip(usize::try_from(found).unwrap_or(usize::MAX))
    {
        transaction
            .batch_execute(step)
            .await
            .map_err(|error| schema(&error))?;
    }
    if found < KNOWN {
        let known = transaction.execute(
            "INSERT INTO meta (name, value) VALUES ('schema_version', $1), ('min_reader', $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &[&KNOWN, &MIN_READER],
        );
        known.await.map_err(|error| schema(&error))?;
    }
    transaction.commit().await.map_err(|error| schema(&error))
}

/// The schema's version, which must be one that we can work with; `None` for a database with nothing in it.
async fn version(client: &impl tokio_postgres::GenericClient) -> Result<Option<i64>, PgOpenError> {
    let tables = client.query(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename = 'meta' DESC LIMIT 1",
        &[],
    );
    let tables = tables.await.map_err(|error| schema(&error))?;
    match tables
        .first()
        .map(|row| row.try_get::<_, String>(0))
        .transpose()
        .map_err(|error| schema(&error))?
    {
        None => return Ok(None),
        Some(table) if table != "meta" => return Err(PgOpenError::Foreign),
        Some(_) => {}
    }
    let numbers = client.query_opt(
        "SELECT v.value, r.value FROM meta v, meta r WHERE v.name = 'schema_version' AND r.name = 'min_reader'",
        &[],
    );
    let Some(row) = numbers.await.map_err(|_| PgOpenError::Foreign)? else {
        return Err(PgOpenError::Foreign);
    };
    let number = |at: usize| row.try_get::<_, i64>(at).map_err(|error| schema(&error));
    let (found, needed, known) = (number(0)?, number(1)?, KNOWN);
    if needed > known {
        return Err(PgOpenError::Newer { found, needed, known });
    }
    Ok(Some(found))
}
