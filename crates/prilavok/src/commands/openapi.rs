//! `prilavok openapi`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use prilavok_server::operator;
use prilavok_wire::openapi::partner_openapi;

use crate::output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Whose document
    #[arg(value_enum, default_value_t = Api::Partner)]
    api: Api,
}

#[derive(Clone, Copy, ValueEnum)]
enum Api {
    /// What sellers' systems call
    Partner,
    /// What the marketplace's backend calls
    Operator,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let document = match arguments.api {
        Api::Partner => partner_openapi(),
        Api::Operator => operator::openapi(),
    };
    output::print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    Ok(ExitCode::SUCCESS)
}
