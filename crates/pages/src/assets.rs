//! What browsers load beside pages. The address holds a hash of all of them, so that they may be kept for ever, and
//! modules that load each other by their names get those of the same build.

use std::fmt::Write;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub content: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        Asset {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!("../assets/", $name)),
        }
    };
}

/// All of them.
pub const ALL: &[Asset] = &[
    asset!("ui.css", CSS),
    asset!("counter.css", CSS),
    asset!("ui.js", JS),
    asset!("times.js", JS),
    asset!("part.js", JS),
    asset!("live.js", JS),
    asset!("counter.js", JS),
    asset!("keys.js", JS),
    asset!("conversation.js", JS),
    asset!("compose.js", JS),
    asset!("desk.css", CSS),
    asset!("desk.js", JS),
    asset!("icon.svg", "image/svg+xml"),
];

/// Where they are.
pub const PREFIX: &str = "/ui/assets/";

/// The asset at a path below [`PREFIX`], if it is one of this build.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    let name = path.strip_prefix(HASH.as_str())?.strip_prefix('/')?;
    ALL.iter().find(|asset| asset.name == name)
}

/// The address of an asset.
#[must_use]
pub fn url(name: &str) -> String {
    format!("{PREFIX}{}/{name}", *HASH)
}

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in ALL {
        hash.update(asset.name);
        hash.update(asset.content);
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(String::new(), |mut text, byte| {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_at_their_addresses_and_nowhere_else() {
        for asset in ALL {
            let url = url(asset.name);
            let path = url.strip_prefix(PREFIX).expect("below the prefix");
            assert_eq!(find(path).map(|found| found.name), Some(asset.name));
        }
        for path in ["ui.css", "0000000000000000/ui.css", "/ui.css", ""] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn modules_load_only_each_other() {
        for asset in ALL.iter().filter(|asset| asset.media_type == JS) {
            for line in asset.content.lines().filter(|line| line.starts_with("import ")) {
                let loaded = line.split('"').nth(1).and_then(|path| path.strip_prefix("./"));
                assert!(
                    ALL.iter().any(|it| Some(it.name) == loaded),
                    "{}: {line}",
                    asset.name
                );
            }
        }
    }
}
