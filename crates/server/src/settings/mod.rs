//! How the operator wants the server to be: what can be set, and what follows from it. Where settings come from
//! and what is said of wrong ones is in [`load`], how single values are written in [`values`].

mod buyer;
mod database;
mod load;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use prilavok_domain::MessageText;
use prilavok_notify::{Guard, Network, Plan, Schedule};
use prilavok_store::files::Location;
use prilavok_wire::UtcOffset;

use crate::limits::LimitSettings;
use crate::tls::TlsFiles;
pub use buyer::{BuyerSettings, FrameAncestor, WebOrigin};
pub use database::{Database, PostgresSettings, PostgresUrl};
pub use load::{Overrides, SettingsError};

const DAY_MS: i64 = 86_400_000;

/// Every setting with its default and meaning, as TOML.
pub const DEFAULTS: &str = include_str!("default.toml");

/// The settings of a server.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
    /// The folder of the database and the files.
    #[serde(deserialize_with = "values::folder")]
    pub data: PathBuf,
    /// Where everything is kept but files.
    #[serde(deserialize_with = "values::parsed")]
    pub database: Database,
    /// The address that clients reach it by; `None`: the request's own Host.
    #[serde(deserialize_with = "values::public_url")]
    pub public_url: Option<String>,
    /// The offset that partners are shown date-times with.
    #[serde(deserialize_with = "values::parsed")]
    pub utc_offset: UtcOffset,
    /// The parallel and the hourly limits.
    pub limits: LimitSettings,
    /// PostgreSQL, where it is the database.
    pub postgres: PostgresSettings,
    /// Files.
    pub files: FileSettings,
    /// Notifications.
    pub notifications: NotificationSettings,
    /// Work that is done when its time has come.
    pub scheduled: ScheduledSettings,
    /// How long is kept what was said and sent.
    pub retention: RetentionSettings,
    /// Live events.
    pub events: EventSettings,
    /// The Buyer API.
    pub buyer: BuyerSettings,
    /// Logs.
    pub log: LogSettings,
    /// The request log.
    pub request_log: RequestLogSettings,
    /// The search.
    pub search: SearchSettings,
    /// Connections and time-outs.
    pub server: ServerSettings,
}

/// Settings of files.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Where they are kept.
    #[serde(deserialize_with = "values::parsed")]
    pub location: Location,
    /// How long a link opens without a credential, in seconds.
    pub link_ttl_seconds: u32,
}

/// Settings of notifications.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationSettings {
    /// Every address and plain HTTP may be notified.
    pub allow_private: bool,
    /// Networks that are not public and may be notified.
    #[serde(deserialize_with = "values::all_parsed")]
    pub allowed_networks: Vec<Network>,
    /// When it is tried again.
    #[serde(deserialize_with = "values::schedule")]
    pub schedule: Schedule,
    /// Days that the delivery log is kept.
    pub log_days: u32,
}

impl NotificationSettings {
    /// Which addresses may be notified.
    #[must_use]
    pub fn guard(&self) -> Guard {
        if self.allow_private {
            Guard::open()
        } else {
            Guard::public_and(self.allowed_networks.clone())
        }
    }
}

/// Settings of work that is done when its time has come.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledSettings {
    /// Hours without a message after which a chat is finished; zero: never.
    pub finish_idle_after_hours: u32,
    /// Hours without an answer after which a seller is reminded; zero: never.
    pub remind_after_hours: u32,
    /// What the reminder says.
    #[serde(deserialize_with = "values::message_text")]
    pub reminder: MessageText,
}

/// Settings of how long is kept what was said and sent.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    /// Days after its last message that a finished chat is kept; zero: for ever.
    pub finished_chats_days: u32,
    /// Days that files are kept; zero: for ever.
    pub files_days: u32,
}

/// Settings of live events.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSettings {
    /// Seconds between signs of life.
    pub heartbeat_seconds: u64,
    /// Streams of one business at a time.
    pub streams_per_business: usize,
}

/// Settings of logs.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged, as `tracing` directives.
    pub filter: String,
    /// Which requests are logged.
    pub requests: LoggedRequests,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, for machines otherwise.
    Auto,
    /// For people.
    Human,
    /// For machines.
    Json,
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedRequests {
    /// Those answered with 4xx and 5xx.
    Failed,
    /// All.
    All,
    /// None.
    None,
}

/// Settings of the request log.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestLogSettings {
    /// Which calls are recorded.
    pub record: Recorded,
    /// Days that they are kept; zero: none are.
    pub days: u32,
    /// KiB that are kept of a body.
    pub body_kib: u32,
    /// MiB that the file may hold.
    pub total_mib: u32,
    /// MiB that may wait to be written.
    pub queue_mib: u32,
}

/// Which calls the request log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recorded {
    /// Those answered with 4xx and 5xx.
    Refused,
    /// All.
    All,
    /// None.
    Off,
}

impl RequestLogSettings {
    /// Which calls are recorded: none, where none would be kept.
    #[must_use]
    pub fn recorded(&self) -> Recorded {
        if self.days == 0 {
            Recorded::Off
        } else {
            self.record
        }
    }

    /// Milliseconds that they are kept.
    #[must_use]
    pub fn keep_ms(&self) -> i64 {
        i64::from(self.days) * DAY_MS
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.body_kib as usize * 1024
    }

    pub(crate) fn max_file_bytes(&self) -> u64 {
        u64::from(self.total_mib) * 1024 * 1024
    }

    pub(crate) fn queue_bytes(&self) -> usize {
        self.queue_mib as usize * 1024 * 1024
    }
}

/// Settings of the search.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSettings {
    /// Whether there is one.
    pub enabled: bool,
}

/// Settings of connections.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Connections open at a time.
    pub max_connections: usize,
    /// Requests that may wait for their turn, for each processor.
    pub max_waiting: usize,
    /// Whose word is taken for the address of a client.
    #[serde(deserialize_with = "values::all_parsed")]
    pub trusted_proxies: Vec<Network>,
    /// Seconds for the head of a request.
    pub header_timeout_seconds: u64,
    /// Seconds that a client may leave unread what was sent to it.
    pub write_timeout_seconds: u64,
    /// Seconds for requests under way at shutdown.
    pub shutdown_seconds: u64,
    /// The certificate; `None`: no TLS.
    #[serde(deserialize_with = "values::file")]
    pub tls_cert: Option<PathBuf>,
    /// Its key: there is one where there is a certificate.
    #[serde(deserialize_with = "values::file")]
    pub tls_key: Option<PathBuf>,
}

impl ServerSettings {
    /// The files for TLS, if it is wanted.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { certificate, key })
    }

    /// The scheme of addresses that lead here without anything between.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match self.tls_cert {
            Some(_) => "https",
            None => "http",
        }
    }
}

impl Settings {
    /// Whether clients reach the server over encrypted connections only.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match &self.public_url {
            Some(url) => url.starts_with("https://"),
            None => self.server.tls_cert.is_some(),
        }
    }

    /// What scheduled work there is.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let off_at_zero = |hours: u32| (hours > 0).then(|| i64::from(hours) * 3_600_000);
        let for_ever_at_zero = |days: u32| (days > 0).then(|| i64::from(days) * DAY_MS);
        let remind_after = off_at_zero(self.scheduled.remind_after_hours);
        Plan {
            finish_idle_after_ms: off_at_zero(self.scheduled.finish_idle_after_hours),
            remind: remind_after.map(|after| (after, self.scheduled.reminder.clone())),
            keep_log_ms: i64::from(self.notifications.log_days) * DAY_MS,
            keep_chats_ms: for_ever_at_zero(self.retention.finished_chats_days),
            keep_files_ms: for_ever_at_zero(self.retention.files_days),
        }
    }
}
