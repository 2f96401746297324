//! `prilavok log`: the request log, straight from its file, whether a server runs or not.

use std::io::{IsTerminal, stdout};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use clap::builder::PossibleValuesParser;
use prilavok_domain::BusinessId;
use prilavok_server::operator::{LoggedRequestJson, statuses};
use prilavok_server::recording::{self, curl};
use prilavok_server::settings::Settings;
use prilavok_store::requests::{FILE_NAME, Line, LoggedRequest, Place, RequestFilter, RequestLogReader};
use prilavok_wire::time::Utc;

use super::Place as DataPlace;
use super::owner::business_id;
use crate::{data, output};

/// How often the log is looked at for new calls.
const LOOK: Duration = Duration::from_millis(200);
/// Calls read at a time.
const PAGE: usize = 500;

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok log --refused                       the last calls that were refused, and by which rule
  prilavok log --business 1 --follow           calls of business 1 as they come
  prilavok log --status 420 --json | jq .rule  what the limits refused
  prilavok log --curl 4f1d0a7be2c93586         the command that repeats a call

A terminal gets a table, anything else JSON lines with headers and bodies. The setting request_log.record \
says which calls are recorded: by default those that were refused.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: DataPlace,
    /// Only calls with keys and tokens of this business
    #[arg(long, value_name = "N", value_parser = business_id)]
    business: Option<BusinessId>,
    /// Only calls of this operation
    #[arg(long, value_parser = PossibleValuesParser::new(recording::operations()))]
    operation: Option<String>,
    /// Only calls answered with an error, 4xx or 5xx
    #[arg(long)]
    refused: bool,
    /// Only calls answered with this status, or one of this class: 420, 4xx
    #[arg(long, value_parser = statuses)]
    status: Option<RangeInclusive<u16>>,
    /// How many of the last calls are shown
    #[arg(long, value_name = "N", default_value_t = 50)]
    last: usize,
    /// Go on to show calls as they come
    #[arg(long)]
    follow: bool,
    /// JSON lines with headers and bodies, on a terminal too
    #[arg(long)]
    json: bool,
    /// Print the curl command that repeats the call with this id; it takes the secret from $PRILAVOK_KEY
    #[arg(long, value_name = "REQUEST_ID", conflicts_with_all = ["business", "operation", "refused", "status", "last", "follow", "json"])]
    curl: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = arguments.place.settings()?;
    let log = open(&settings.data)?;
    if let Some(id) = arguments.curl {
        let Some((request, exchange)) = log.by_id(id.clone()).await? else {
            bail!("there is no call {id} in the request log: prilavok log lists those that are");
        };
        let command = curl::command(&request, &exchange.request, &settings);
        output::print(&format!("{command}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let filter = RequestFilter {
        business: arguments.business,
        operation: arguments.operation,
        status: arguments.status,
        refused: arguments.refused,
        ..RequestFilter::default()
    };
    let form = match arguments.json || !stdout().is_terminal() {
        true => Form::Json(&settings),
        false => Form::Table,
    };
    let page = log.newest(filter.clone(), None, arguments.last.max(1)).await?;
    let mut lines = page.items;
    let mut seen = lines.first().map_or(0, |(place, _)| *place);
    lines.truncate(arguments.last);
    lines.reverse();
    if matches!(form, Form::Table) && !output::show(HEAD)? {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        for line in &lines {
            if !output::show(&form.shown(&log, line).await?)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if !arguments.follow {
            return Ok(ExitCode::SUCCESS);
        }
        if lines.len() < PAGE {
            tokio::time::sleep(LOOK).await;
        }
        lines = log.after(filter.clone(), seen, PAGE).await?;
        seen = lines.last().map_or(seen, |(place, _)| *place);
    }
}

fn open(folder: &Path) -> anyhow::Result<RequestLogReader> {
    let file = folder.join(FILE_NAME);
    if !file.is_file() {
        data::must_be_store(folder)?;
    }
    Ok(RequestLogReader::new(&file))
}

/// How calls are shown.
enum Form<'a> {
    Table,
    Json(&'a Settings),
}

const HEAD: &str =
    "TIME                     STATUS  RULE                    MS  BUSINESS    KEY               REQUEST\n";

impl Form<'_> {
    async fn shown(&self, log: &RequestLogReader, (place, request): &Line) -> anyhow::Result<String> {
        match self {
            Self::Table => Ok(row(request)),
            Self::Json(settings) => json(log, *place, request, settings).await,
        }
    }
}

async fn json(
    log: &RequestLogReader,
    place: Place,
    request: &LoggedRequest,
    settings: &Settings,
) -> anyhow::Result<String> {
    // One that was forgotten meanwhile has nothing more to say.
    let exchange = log.exchange(place).await?.unwrap_or_default();
    let json = LoggedRequestJson::new(request.clone(), exchange, settings);
    Ok(serde_json::to_string(&json)? + "\n")
}

fn row(request: &LoggedRequest) -> String {
    let business = request
        .business
        .map_or_else(|| "-".to_owned(), |it| it.to_string());
    let key = request.caller.as_ref().map_or("-", |caller| &caller.name);
    let rule = request.rule.as_deref().unwrap_or("-");
    let micros = request.took_us;
    format!(
        "{at} {status:<7} {rule:<21} {millis:>4}  {business:<11} {key:<17} {method} {target}  {id}\n",
        at = Utc(request.at),
        status = request.status,
        millis = format!("{}.{}", micros / 1_000, micros % 1_000 / 100),
        key = printable(key),
        method = printable(&request.method),
        target = printable(&request.target),
        id = printable(&request.request_id),
    )
}

/// What clients sent must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
