//! Where settings come from: one documented file of defaults, over it a file, the environment and the command
//! line. A setting that is unknown or wrong stops the start and is named.

use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Metadata, Source};

use super::{DEFAULTS, Recorded, Settings};
use crate::limits::{Limit, LimitSettings};

const ENVIRONMENT: &str = "PRILAVOK_";
/// Variables for `prilavok chat` and for tests, which are no settings of a server in the same shell.
const NO_SETTINGS: &[&str] = &["key", "url", "bin"];

/// What the command line sets; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--database`.
    pub database: Option<String>,
    /// `--files`.
    pub files: Option<String>,
    /// `--tls-cert`.
    pub tls_cert: Option<PathBuf>,
    /// `--tls-key`.
    pub tls_key: Option<PathBuf>,
    /// `--no-limits`.
    pub no_limits: bool,
    /// `--allow-private-webhooks`.
    pub allow_private_webhooks: bool,
    /// A key of the server's own signs buyers' tokens too, and the server's own pages may show the widget.
    pub try_out: bool,
    /// Which calls are recorded unless the file or the environment says so: a command may have a default of its own.
    pub record_by_default: Option<Recorded>,
}

/// A setting that cannot be used; the text names it, where it came from and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}\nprilavok config prints every setting with its default and meaning")]
pub struct SettingsError(String);

impl Settings {
    /// Reads the defaults, the file, the environment and the command line, the last winning.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, SettingsError> {
        let mut sources = Figment::from(Toml::string(DEFAULTS));
        if let Some(recorded) = overrides.record_by_default {
            sources = sources.merge(Serialized::default("request_log.record", recorded));
        }
        if let Some(path) = file {
            if !path.is_file() {
                return Err(SettingsError(format!(
                    "there is no settings file {}",
                    path.display()
                )));
            }
            sources = sources.merge(Toml::file_exact(path));
        }
        sources = sources.merge(
            Env::prefixed(ENVIRONMENT)
                .map(|name| cased(name.as_str()).into())
                .ignore(NO_SETTINGS)
                .split("__")
                // Last, because each of the above would turn it on again.
                .lowercase(false),
        );
        if let Some(listen) = &overrides.listen {
            sources = sources.merge(Serialized::default("listen", listen));
        }
        if let Some(data) = &overrides.data {
            sources = sources.merge(Serialized::default("data", data));
        }
        if let Some(database) = &overrides.database {
            sources = sources.merge(Serialized::default("database", database));
        }
        if let Some(files) = &overrides.files {
            sources = sources.merge(Serialized::default("files.location", files));
        }
        if let Some(file) = &overrides.tls_cert {
            sources = sources.merge(Serialized::default("server.tls_cert", file));
        }
        if let Some(file) = &overrides.tls_key {
            sources = sources.merge(Serialized::default("server.tls_key", file));
        }
        if overrides.allow_private_webhooks {
            sources = sources.merge(Serialized::default("notifications.allow_private", true));
        }
        if overrides.try_out {
            sources = sources.merge(Serialized::default("buyer.try_out", true));
        }
        let mut settings: Self = sources.extract().map_err(|errors| SettingsError(told(errors)))?;
        if let Some((name, problem)) = settings.out_of_range().or_else(|| settings.half_of_a_pair()) {
            let origin = sources
                .find_metadata(name)
                .map(|metadata| origin(metadata, name.split('.')));
            return Err(SettingsError(line(name, &problem, origin)));
        }
        if overrides.no_limits {
            settings.limits = LimitSettings::lifted();
            settings.buyer.sends_per_minute = Limit::Unlimited;
            settings.buyer.streams_per_customer = Limit::Unlimited;
        }
        Ok(settings)
    }

    /// The setting that is missing beside another one.
    fn half_of_a_pair(&self) -> Option<(&'static str, String)> {
        match (&self.server.tls_cert, &self.server.tls_key) {
            (Some(_), None) => Some((
                "server.tls_key",
                "is missing: a certificate (server.tls_cert) needs its key".to_owned(),
            )),
            (None, Some(_)) => Some((
                "server.tls_cert",
                "is missing: a key (server.tls_key) needs its certificate".to_owned(),
            )),
            _ => None,
        }
    }

    /// The first setting that is out of its range, and what is allowed.
    fn out_of_range(&self) -> Option<(&'static str, String)> {
        let ranges = [
            (
                "postgres.connections",
                u64::from(self.postgres.connections),
                1,
                10_000,
            ),
            ("postgres.wait_ms", u64::from(self.postgres.wait_ms), 1, 60_000),
            (
                "postgres.statement_seconds",
                u64::from(self.postgres.statement_seconds),
                1,
                600,
            ),
            (
                "postgres.connect_seconds",
                u64::from(self.postgres.connect_seconds),
                1,
                60,
            ),
            (
                "files.link_ttl_seconds",
                u64::from(self.files.link_ttl_seconds),
                60,
                31_536_000,
            ),
            (
                "server.max_connections",
                self.server.max_connections as u64,
                1,
                1_000_000,
            ),
            ("server.max_waiting", self.server.max_waiting as u64, 1, 1_000_000),
            (
                "server.header_timeout_seconds",
                self.server.header_timeout_seconds,
                1,
                600,
            ),
            (
                "server.write_timeout_seconds",
                self.server.write_timeout_seconds,
                1,
                600,
            ),
            ("server.shutdown_seconds", self.server.shutdown_seconds, 0, 600),
            (
                "notifications.log_days",
                u64::from(self.notifications.log_days),
                1,
                365,
            ),
            (
                "scheduled.finish_idle_after_hours",
                u64::from(self.scheduled.finish_idle_after_hours),
                0,
                87_600,
            ),
            (
                "scheduled.remind_after_hours",
                u64::from(self.scheduled.remind_after_hours),
                0,
                8_760,
            ),
            (
                "retention.finished_chats_days",
                u64::from(self.retention.finished_chats_days),
                0,
                36_500,
            ),
            (
                "retention.files_days",
                u64::from(self.retention.files_days),
                0,
                36_500,
            ),
            (
                "buyer.max_token_minutes",
                u64::from(self.buyer.max_token_minutes),
                1,
                1_440,
            ),
            ("request_log.days", u64::from(self.request_log.days), 0, 365),
            (
                "request_log.body_kib",
                u64::from(self.request_log.body_kib),
                0,
                512,
            ),
            (
                "request_log.total_mib",
                u64::from(self.request_log.total_mib),
                1,
                1_048_576,
            ),
            (
                "request_log.queue_mib",
                u64::from(self.request_log.queue_mib),
                0,
                1_024,
            ),
            ("events.heartbeat_seconds", self.events.heartbeat_seconds, 1, 300),
            (
                "events.streams_per_business",
                self.events.streams_per_business as u64,
                1,
                100_000,
            ),
        ];
        ranges
            .into_iter()
            .find(|(_, value, min, max)| !(min..=max).contains(&value))
            .map(|(name, value, min, max)| (name, format!("must be from {min} to {max}, not {value}")))
    }
}

/// Environment names come without case; operations have capitals in their names.
fn cased(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let operations = prilavok_wire::Operation::ALL
        .iter()
        .map(|operation| operation.as_str());
    match lower.rsplit_once("__") {
        Some((section, last)) => {
            let last = operations
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(last))
                .unwrap_or(last);
            format!("{section}__{last}")
        }
        None => lower,
    }
}

/// One line for each wrong setting.
fn told(errors: figment::Error) -> String {
    let lines: Vec<_> = errors
        .into_iter()
        .map(|error| {
            let path = error.path.iter().map(String::as_str);
            let origin = error
                .metadata
                .as_ref()
                .map(|metadata| origin(metadata, path.clone()));
            line(&error.path.join("."), &problem(&error.kind), origin)
        })
        .collect();
    lines.join("\n")
}

fn line(name: &str, problem: &str, origin: Option<String>) -> String {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" {name}")
    };
    let origin = origin.map_or(String::new(), |origin| format!(" (from {origin})"));
    format!("wrong setting{name}: {problem}{origin}")
}

/// What is wrong and what would be right.
fn problem(kind: &Kind) -> String {
    match kind {
        Kind::UnknownField(_, known) => format!("there is no such setting; there are {}", known.join(", ")),
        Kind::UnknownVariant(given, known) => format!("`{given}` is none of {}", known.join(", ")),
        Kind::InvalidType(given, wanted) | Kind::InvalidValue(given, wanted) => match wanted.as_str() {
            "u32" | "u64" | "usize" => format!("must be a whole number, not {given}"),
            "a sequence" => format!("must be a list, written like [\"one\", \"two\"], not {given}"),
            "path string" => format!("must be the name of a folder in quotes, not {given}"),
            section if section.starts_with("struct ") => {
                format!("is a section with settings of its own, not {given}")
            }
            wanted => format!("must be {wanted}, not {given}"),
        },
        other => other.to_string().trim_end().to_owned(),
    }
}

/// Where a setting came from: a file, a variable, or the command line.
fn origin<'a>(metadata: &Metadata, path: impl Iterator<Item = &'a str>) -> String {
    match &metadata.source {
        Some(Source::File(file)) => file.display().to_string(),
        Some(Source::Code(_)) => "the command line".to_owned(),
        Some(place) => place.to_string(),
        None => {
            let sections: Vec<_> = path.map(str::to_ascii_uppercase).collect();
            format!("{ENVIRONMENT}{}", sections.join("__"))
        }
    }
}

#[cfg(test)]
mod tests {
    use prilavok_notify::Schedule;
    use prilavok_wire::Operation;

    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let settings: Settings = Figment::from(Toml::string(DEFAULTS))
            .extract()
            .expect("the defaults are right");
        assert_eq!(settings.out_of_range(), None);
        for operation in Operation::ALL {
            let limit = settings.limits.hourly.get(operation);
            assert_eq!(
                limit,
                Some(&Limit::At(operation.hourly_limit())),
                "{}",
                operation.as_str()
            );
        }
        assert_eq!(settings.limits.parallel, Limit::At(4));
        assert_eq!(settings.utc_offset.to_string(), "+03:00");
        assert_eq!(settings.public_url, None);
        assert_eq!(settings.notifications.schedule, Schedule::default());
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prilavok.toml");
        for (text, told) in [
            (
                "listn = \"x\"",
                "listn: there is no such setting; there are listen, data",
            ),
            (
                "listen = \"nowhere\"",
                "listen: `nowhere` is no IP address with a port",
            ),
            ("utc_offset = \"+25:00\"", "utc_offset: an offset is written like"),
            (
                "public_url = \"ftp://x\"",
                "public_url: `ftp://x` is no address like",
            ),
            (
                "[limits]\nparallel = -1",
                "limits.parallel: must be a number from 0",
            ),
            (
                "[limits.hourly]\ngetChta = 5",
                "limits.hourly: `getChta` is not an operation",
            ),
            (
                "[limits.businesses.x]\nparallel = 5",
                "limits.businesses: `x` is not the id",
            ),
            (
                "[server]\nshutdown_seconds = 601",
                "server.shutdown_seconds: must be from 0 to 600",
            ),
            (
                "[server]\ntrusted_proxies = [\"nginx\"]",
                "server.trusted_proxies: `nginx` is no network",
            ),
            (
                "[server]\ntrusted_proxies = \"10.0.0.0/8\"",
                "server.trusted_proxies: must be a list, written like [\"one\", \"two\"]",
            ),
            (
                "[files]\nlink_ttl_seconds = \"day\"",
                "files.link_ttl_seconds: must be a whole number",
            ),
            (
                "[files]\nlocation = \"files\"",
                "files.location: `files` is neither an absolute folder nor written like s3://",
            ),
            (
                "[notifications]\nallowed_networks = [\"10.0.0.0/99\"]",
                "notifications.allowed_networks: `10.0.0.0/99` is no network",
            ),
            (
                "[notifications]\nschedule = []",
                "notifications.schedule: a schedule needs one stage or more",
            ),
            (
                "[notifications]\nlog_days = 0",
                "notifications.log_days: must be from 1 to 365",
            ),
            (
                "[scheduled]\nreminder = \"\"",
                "scheduled.reminder: a message must have 1 to 4096 characters",
            ),
            (
                "[retention]\nfiles_days = 36501",
                "retention.files_days: must be from 0 to 36500",
            ),
            (
                "[buyer]\nallowed_origins = [\"shop.example\"]",
                "buyer.allowed_origins: `shop.example` is no origin",
            ),
            (
                "[buyer]\nmax_token_minutes = 0",
                "buyer.max_token_minutes: must be from 1 to 1440",
            ),
            (
                "[buyer.keys.a]\nhs256 = \"short\"",
                "buyer.keys.a: a secret must have at least 32 bytes",
            ),
            (
                "[log]\nformat = \"xml\"",
                "log.format: `xml` is none of auto, human, json",
            ),
        ] {
            std::fs::write(&file, text).expect("written");
            let error = Settings::load(Some(&file), &Overrides::default())
                .expect_err(text)
                .to_string();
            assert!(error.starts_with(&format!("wrong setting {told}")), "{error}");
            assert!(error.contains("prilavok.toml)"), "{error}");
        }
    }

    #[test]
    fn a_default_of_a_command_gives_way_to_what_is_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prilavok.toml");
        std::fs::write(&file, "[request_log]\nrecord = \"off\"").expect("written");
        let overrides = Overrides {
            record_by_default: Some(Recorded::All),
            ..Overrides::default()
        };
        let recorded = |file| {
            let settings = Settings::load(file, &overrides).expect("right");
            settings.request_log.recorded()
        };
        assert_eq!(recorded(None), Recorded::All);
        assert_eq!(recorded(Some(&*file)), Recorded::Off);
    }

    #[test]
    fn a_business_may_have_limits_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prilavok.toml");
        std::fs::write(
            &file,
            "[limits.businesses.7]\nparallel = 16\nhourly.getChat = \"unlimited\"",
        )
        .expect("written");
        let settings = Settings::load(Some(&file), &Overrides::default()).expect("right");
        let own = settings.limits.businesses.values().next().expect("one business");
        assert_eq!(own.parallel, Some(Limit::At(16)));
        assert_eq!(own.hourly.get(&Operation::GetChat), Some(&Limit::Unlimited));
    }
}
