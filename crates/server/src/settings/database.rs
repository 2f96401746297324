//! Where everything is kept but files: the embedded database, or PostgreSQL.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use prilavok_store::postgres::{OpenError, PgOptions};
use serde::de::{self, Deserialize, Deserializer};

/// Which database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// The embedded one, a file in the data folder.
    Sqlite,
    /// PostgreSQL, or what speaks its protocol.
    Postgres(PostgresUrl),
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            _ => text.parse().map(Self::Postgres),
        }
    }
}

/// The address of a PostgreSQL database. It may hold a password, so it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl FromStr for PostgresUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What was given is not repeated: a password may be in it.
        match PgOptions::new(text, None) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!(
                "must be sqlite or the address of a PostgreSQL database: {error}"
            )),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parameters may hold a password as well.
        let address = self.0.split('?').next().unwrap_or_default();
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Settings of PostgreSQL.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// A replica to read from.
    #[serde(deserialize_with = "replica")]
    pub replica: Option<PostgresUrl>,
    /// Connections open at a time.
    pub connections: u32,
    /// Milliseconds that a request waits for a connection.
    pub wait_ms: u32,
    /// Seconds for one statement.
    pub statement_seconds: u32,
    /// Seconds for connecting.
    pub connect_seconds: u32,
}

impl PostgresSettings {
    /// How the database at `url` is used.
    pub fn options(&self, url: &PostgresUrl) -> Result<PgOptions, OpenError> {
        let replica = self.replica.as_ref().map(|replica| replica.0.as_str());
        let mut options = PgOptions::new(&url.0, replica)?;
        options.connections = self.connections as usize;
        options.wait = Duration::from_millis(self.wait_ms.into());
        options.statement = Duration::from_secs(self.statement_seconds.into());
        options.connect = Duration::from_secs(self.connect_seconds.into());
        Ok(options)
    }
}

fn replica<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PostgresUrl>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (text, shown) in [
            ("postgres://shop:geheim@db:5432/chats", "postgres://db:5432/chats"),
            (
                "postgresql://shop@a,b/chats?password=geheim",
                "postgresql://a,b/chats",
            ),
            ("postgres://localhost/chats", "postgres://localhost/chats"),
        ] {
            let url: PostgresUrl = text.parse().expect("an address");
            assert_eq!(url.to_string(), shown);
            assert_eq!(
                format!("{:?}", Database::Postgres(url)),
                format!("Postgres({shown})")
            );
        }
    }

    #[test]
    fn what_is_no_database_is_refused_without_being_repeated() {
        for text in [
            "",
            "mysql://shop:geheim@db/chats",
            "postgres://",
            "postgres://shop:geheim@db:port/chats",
        ] {
            let error = text.parse::<Database>().expect_err(text);
            assert!(error.starts_with("must be sqlite or the address of"), "{error}");
            assert!(!error.contains("geheim"), "{error}");
        }
        assert_eq!("sqlite".parse(), Ok(Database::Sqlite));
    }
}
