//! How single values are written, as far as serde does not know it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use prilavok_domain::MessageText;
use prilavok_notify::Schedule;
use prilavok_notify::schedule::{InvalidSchedule, Stage};
use serde::de::{self, Deserialize, Deserializer};

pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is no IP address with a port, like 127.0.0.1:8080 or [::]:8080"
        ))
    })
}

/// An empty name would mean the current folder: a variable without a value must not spread files there.
pub(super) fn folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.as_os_str().is_empty() {
        return Err(de::Error::custom("the name of a folder is empty"));
    }
    Ok(path)
}

/// The name of a file; an empty one is none.
pub(super) fn file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

pub(super) fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(de::Error::custom("must not be empty"));
    }
    Ok(text)
}

pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(de::Error::custom)
}

pub(super) fn all_parsed<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().map_err(de::Error::custom))
        .collect()
}

pub(super) fn message_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MessageText, D::Error> {
    MessageText::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
}

pub(super) fn schedule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Schedule, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct StageSettings {
        every_seconds: u32,
        until_seconds: u32,
    }
    let stages = Vec::<StageSettings>::deserialize(deserializer)?;
    let stages = stages.iter().map(|stage| Stage {
        until_ms: i64::from(stage.until_seconds) * 1_000,
        every_ms: i64::from(stage.every_seconds) * 1_000,
    });
    Schedule::new(stages.collect()).map_err(|error: InvalidSchedule| de::Error::custom(error))
}

pub(super) fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = text.trim_end_matches('/');
    let is_web = url.starts_with("http://") || url.starts_with("https://");
    match url {
        "" => Ok(None),
        _ if is_web && url.len() < 1_000 => Ok(Some(url.to_owned())),
        _ => Err(de::Error::custom(format!(
            "`{text}` is no address like https://chat.example.com"
        ))),
    }
}
