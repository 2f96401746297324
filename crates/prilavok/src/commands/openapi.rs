//! `prilavok openapi`.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use prilavok_server::{buyer, operator};
use prilavok_wire::openapi::{partner_http, partner_openapi, partner_postman};
use serde::Serialize;

use crate::output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Whose document
    #[arg(value_enum, default_value_t = Api::Partner)]
    api: Api,
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Openapi)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Api {
    /// What sellers' systems call
    Partner,
    /// What the marketplace's backend calls
    Operator,
    /// What shops' pages call for a customer
    Buyer,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// An OpenAPI document
    Openapi,
    /// A Postman collection, of the Partner API
    Postman,
    /// Requests to send from an editor, of the Partner API
    Http,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = match (arguments.api, arguments.format) {
        (Api::Partner, Format::Openapi) => pretty(&partner_openapi())?,
        (Api::Partner, Format::Postman) => pretty(&partner_postman())?,
        (Api::Partner, Format::Http) => partner_http(),
        (Api::Operator, Format::Openapi) => pretty(&operator::openapi())?,
        (Api::Buyer, Format::Openapi) => pretty(&buyer::openapi())?,
        (Api::Operator | Api::Buyer, Format::Postman | Format::Http) => {
            bail!("only the Partner API comes in other formats: leave --format out")
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn pretty(document: &impl Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(document)?))
}
