//! What must hold whatever comes from outside, one module for each parser (or family of parsers). A module's
//! `check` takes any bytes and panics where a property does not hold.
//!
//! This file is compiled twice: as the library of the fuzz targets, and as a test of the main workspace that
//! feeds each corpus to its `check`.

// In the test nothing is outside of this crate.
#![allow(unreachable_pub)]

pub mod answers;
pub mod authorization;
pub mod bodies;
pub mod buyer_tokens;
pub mod connections;
mod failure;
pub mod file_names;
pub mod forms;
pub mod keys;
pub mod operator;
pub mod page_tokens;
pub mod queries;
pub mod requests;
mod shop;
pub mod webhook_urls;

/// Splits off the byte that says which of `count` parsers is meant. Digits are read as they stand, so that seeds
/// can be written by hand.
fn choose(data: &[u8], count: u8) -> Option<(u8, &[u8])> {
    let (first, rest) = data.split_first()?;
    Some((first.wrapping_sub(b'0') % count, rest))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Feeds a target's corpus to it.
    fn corpus(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|folder| folder.join("fuzz/corpus").join(target))
            .find(|folder| folder.is_dir())
            .expect("a corpus");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let data = std::fs::read(&path).expect("a file");
            // Shown when the check fails.
            println!("{}", path.display());
            check(&data);
            seen += 1;
        }
        assert!(seen > 0, "the corpus of {target} is empty");
    }

    macro_rules! corpora {
        ($($target:ident),+ $(,)?) => {$(
            #[test]
            fn $target() {
                corpus(stringify!($target), super::$target::check);
            }
        )+};
    }

    corpora!(
        answers,
        authorization,
        bodies,
        buyer_tokens,
        connections,
        file_names,
        forms,
        keys,
        operator,
        page_tokens,
        queries,
        requests,
        webhook_urls,
    );
}
