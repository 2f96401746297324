//! `prilavok sandbox`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use prilavok_sandbox::scenario::{Cast, Expected, Report, SHIPPED, State, Verdict};
use prilavok_sandbox::{Sandbox, Scenario, Speed};
use prilavok_server::demo::{self, DemoKeys};
use prilavok_server::http::{self, Entrance};
use prilavok_server::settings::{Overrides, Recorded, Settings};
use prilavok_server::tls::Tls;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::{logging, open_files, output};

/// How often it is looked whether all scenarios are over.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Args)]
#[command(after_help = after_help())]
pub(crate) struct Arguments {
    /// Play a scenario: a file, or the name of one that comes with Prilavok; may be given several times
    #[arg(long, value_name = "FILE|NAME")]
    scenario: Vec<String>,
    /// Where to listen: an address and a port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", conflicts_with = "port")]
    listen: Option<String>,
    /// Listen on this port of 127.0.0.1; 0 takes a free one and prints it
    #[arg(long)]
    port: Option<u16>,
    /// Keep everything in this folder; without it nothing outlives the sandbox
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A file with settings, as TOML; prilavok config prints one to start from
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seconds of the sandbox in a second of real time; at 0 the clock stands still until it is moved
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Stop as soon as every scenario is over
    #[arg(long, requires = "scenario")]
    until_over: bool,
    /// Print address, keys and scenarios as one line of JSON, and reports as JSON too
    #[arg(long)]
    json: bool,
}

fn after_help() -> String {
    let names: Vec<_> = SHIPPED.iter().map(|(name, _)| *name).collect();
    format!(
        "\
Examples:
  prilavok sandbox
  prilavok sandbox --port 0 --json
  prilavok sandbox --scenario angry-buyer --scenario tests/my-buyer.yaml --until-over

Scenarios that come with Prilavok: {}.

The exit code is 1 if an expectation of a scenario was not met, or not decided yet when the sandbox stopped.
Time, faults, snapshots and businesses are at /sandbox/v1: docs/sandbox.md describes them.
A sandbox has a store and files of its own: the settings database and files.location are for servers.",
        names.join(", ")
    )
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        listen: arguments
            .port
            .map(|port| format!("127.0.0.1:{port}"))
            .or(arguments.listen),
        allow_private_webhooks: true,
        try_out: true,
        // Whoever tests a connector wants to see every call.
        record_by_default: Some(Recorded::All),
        ..Overrides::default()
    };
    let settings = Settings::load(arguments.config.as_deref(), &overrides)?;
    let scenarios = arguments.scenario.iter().map(|it| scenario(it));
    let scenarios = scenarios.collect::<anyhow::Result<Vec<_>>>()?;
    let speed = Speed::try_from(arguments.speed).context("wrong --speed")?;
    logging::start(&settings.log)?;
    open_files::raise_limit(settings.server.max_connections);
    let tls = settings.server.tls().map(Tls::new).transpose()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: --port 0 takes a free port", settings.listen))?;
    let url = format!("{}://{}", settings.server.scheme(), listener.local_addr()?);
    let (sandbox, keys) = Sandbox::open(settings, arguments.data.as_deref(), speed).await?;
    let mut casts = Vec::new();
    for scenario in &scenarios {
        let cast = sandbox.begin(scenario).await;
        casts.push(cast.with_context(|| format!("scenario {}", scenario.name()))?);
    }
    let playing = tokio::spawn({
        let sandbox = Arc::clone(&sandbox);
        async move { sandbox.play().await }
    });
    let app = Arc::clone(&sandbox.served().load().app);
    let buyer = demo::buyer_token(&app).await?;
    let introduced = Introduced {
        url: &url,
        folder: sandbox.folder(),
        business_id: 1,
        api_key: &keys.seller,
        read_only_api_key: &keys.reader,
        other_api_key: &keys.other_seller,
        operator_token: &keys.operator,
        buyer_token: &buyer,
        scenarios: &casts,
    };
    output::print(&if arguments.json {
        format!("{}\n", serde_json::to_string(&introduced)?)
    } else {
        introduction(&url, sandbox.folder(), &keys, &buyer, &casts)
    })?;
    let over = async {
        if !arguments.until_over {
            std::future::pending::<()>().await;
        }
        while !sandbox.finished() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = over => {}
        }
    };
    http::serve(sandbox.served(), Entrance::new(listener, tls), stop).await;
    playing.abort();
    let reports = sandbox.reports();
    sandbox.close().await;
    if !reports.is_empty() {
        output::print(&if arguments.json {
            format!("{}\n", serde_json::to_string(&Ended { scenarios: &reports })?)
        } else {
            reports.iter().map(described).collect()
        })?;
    }
    let passed = reports.iter().all(|report| report.state == State::Passed);
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A scenario by its file or, where there is none of that name, by the name of one that comes with Prilavok.
fn scenario(given: &str) -> anyhow::Result<Scenario> {
    let path = Path::new(given);
    if !path.exists()
        && let Some(scenario) = Scenario::shipped(given)
    {
        return Ok(scenario);
    }
    Scenario::read(path).map_err(|error| anyhow!("{error}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Introduced<'a> {
    url: &'a str,
    folder: &'a Path,
    business_id: i64,
    api_key: &'a str,
    read_only_api_key: &'a str,
    other_api_key: &'a str,
    operator_token: &'a str,
    buyer_token: &'a str,
    scenarios: &'a [Cast],
}

#[derive(Serialize)]
struct Ended<'a> {
    scenarios: &'a [Report],
}

/// What somebody who starts a sandbox wants to know.
fn introduction(url: &str, folder: &Path, keys: &DemoKeys, buyer: &str, casts: &[Cast]) -> String {
    let DemoKeys {
        seller,
        reader,
        other_seller,
        operator,
    } = keys;
    let playing: String = casts
        .iter()
        .map(|cast| {
            format!(
                "  scenario {}: business {}, Api-Key {}\n",
                cast.scenario, cast.business, cast.api_key
            )
        })
        .collect();
    format!(
        "The sandbox is ready at {url}

  Api-Key of business 1           {seller}
  Api-Key of business 1, reading  {reader}
  Api-Key of business 2           {other_seller}
  operator token                  {operator}
{playing}
Read a chat, let a day and a half go by, lose the next answer:

  curl -H 'Api-Key: {seller}' '{url}/v2/businesses/1/chat?chatId=1'
  curl -d '{{\"advance\":\"36h\"}}' {url}/sandbox/v1/clock
  curl -d '{{\"operation\":\"getChat\",\"nth\":1,\"do\":\"loseAnswer\"}}' {url}/sandbox/v1/faults

See every call, with what it was answered:

  prilavok log --follow --data {}

Chat as a buyer, in a shop's page:

  {url}/ui/widget/example#token={buyer}

API reference: {url}/docs/
",
        folder.join("current").display()
    )
}

fn described(report: &Report) -> String {
    let state = match &report.state {
        State::Passed => "passed".to_owned(),
        State::Running => "not over when the sandbox stopped".to_owned(),
        State::Failed { reasons } => format!("failed: {}", reasons.join("; ")),
    };
    let expectations: String = report.expectations.iter().map(judged).collect();
    format!("scenario {}: {state}\n{expectations}", report.scenario)
}

fn judged(expected: &Expected) -> String {
    let verdict = match &expected.verdict {
        Verdict::Met => "met".to_owned(),
        Verdict::Pending => "not decided".to_owned(),
        Verdict::Failed { reason } => format!("not met: {reason}"),
    };
    format!("  line {}, {}: {verdict}\n", expected.line, expected.expectation)
}
