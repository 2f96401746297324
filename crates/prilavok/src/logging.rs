//! Logs on standard error: for people on a terminal, as JSON otherwise. Panics are log lines too.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, stderr};
use std::str::FromStr;

use anyhow::Context;
use prilavok_server::settings::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Starts logging as the settings say.
pub(crate) fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.filter)
        .with_context(|| format!("wrong setting log.filter: `{}`", settings.filter))?
        // Below that it logs every value that is written: texts, and hashes of secrets.
        .add_directive(Directive::from_str("tokio_postgres=info")?);
    let human = match settings.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // They would go to standard error as well, and a server must outlive the reader of its logs.
        .log_internal_errors(false)
        .with_writer(stderr);
    if human {
        logs.with_ansi(stderr().is_terminal()).with_target(false).init();
    } else {
        logs.json().flatten_event(true).init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(%panic, backtrace, "panic");
    }));
    Ok(())
}
