//! `prilavok config`.

use std::process::ExitCode;

use prilavok_server::settings;

#[expect(clippy::unnecessary_wraps, reason = "every command answers alike")]
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    print!("{}", settings::DEFAULTS);
    Ok(ExitCode::SUCCESS)
}
