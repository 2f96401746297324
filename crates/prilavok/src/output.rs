//! Standard output: what a command was asked for, and nothing else.

use std::io::{ErrorKind, Write, stdout};

/// Prints `text`. A reader that has seen enough (`prilavok config | head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    show(text).map(drop)
}

/// Prints `text`; answers whether somebody still reads, for commands that go on until nobody does.
pub(crate) fn show(text: &str) -> anyhow::Result<bool> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}
