//! `prilavok config`.

use std::process::ExitCode;

use prilavok_server::settings;

use crate::output;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    output::print(settings::DEFAULTS)?;
    Ok(ExitCode::SUCCESS)
}
