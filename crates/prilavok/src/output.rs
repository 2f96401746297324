//! Standard output: what a command was asked for, and nothing else.

use std::io::{ErrorKind, Write, stdout};

/// Prints `text`. A reader that has seen enough (`prilavok config | head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
