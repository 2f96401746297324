//! `prilavok serve`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use prilavok_domain::{ChatId, Clock, SystemClock};
use prilavok_server::app::App;
use prilavok_server::demo::{self, DemoKeys, Seeded};
use prilavok_server::http::{self, Entrance, Served};
use prilavok_server::settings::{Overrides, Settings};
use prilavok_server::tls::Tls;
use prilavok_store::files::{FileError, FileStore};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Place;
use crate::claim::claim;
use crate::{data, logging, open_files, output};

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok serve --demo
  prilavok serve --listen 0.0.0.0:8080 --data /var/lib/prilavok
  prilavok serve --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem
  AWS_ENDPOINT_URL=https://s3.example.com prilavok serve --files s3://prilavok/files
  PRILAVOK_LOG__REQUESTS=all prilavok serve
  prilavok serve --database postgres://prilavok@db.example.com/prilavok --files s3://prilavok/files

With a certificate it speaks HTTP/2 and HTTP/1.1 over TLS 1.2 and 1.3. A certificate that is renewed is taken within \
seconds, without a restart. Without one it speaks them in clear text, for a laptop or behind a proxy.

SIGTERM and SIGINT stop it: requests under way finish within 10 seconds (server.shutdown_seconds), streams of \
live events end at once.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Fill an empty store with demo data, and print keys and requests to try
    #[arg(long)]
    demo: bool,
    /// Where to listen: an address and a port; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where the contents of files are kept: an absolute folder, or s3://bucket/prefix [default: files in the data folder]
    #[arg(long, value_name = "PLACE")]
    files: Option<String>,
    /// Speak TLS with the certificate in this PEM file, and those between it and the root after it
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Lift the hourly and the parallel limits, and go on counting
    #[arg(long)]
    no_limits: bool,
    /// Let notifications go to any address and over plain HTTP, for receivers on the same machine
    #[arg(long)]
    allow_private_webhooks: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        listen: arguments.listen,
        data: arguments.place.data,
        database: arguments.place.database,
        files: arguments.files,
        tls_cert: arguments.tls_cert,
        tls_key: arguments.tls_key,
        no_limits: arguments.no_limits,
        allow_private_webhooks: arguments.allow_private_webhooks,
        try_out: arguments.demo,
        ..Overrides::default()
    };
    let settings = Settings::load(arguments.place.config.as_deref(), &overrides)?;
    logging::start(&settings.log)?;
    open_files::raise_limit(settings.server.max_connections);
    let tls = settings.server.tls().map(Tls::new).transpose()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is another server running? --listen takes another address",
            settings.listen
        )
    })?;
    let address = format!("{}://{}", settings.server.scheme(), listener.local_addr()?);
    let _claim = claim(&settings.data, &settings.notifications)?;
    let clock = SystemClock;
    let files = data::files(&settings)?;
    look_at(&files).await?;
    let seeded = match arguments.demo {
        true => Some(data::seed(&settings, &files, clock.now()).await?),
        false => None,
    };
    let store = data::open_or_make(&settings).await?;
    let app = Arc::new(App::new(store, files, Arc::new(clock), settings).await?);
    let background = app.start_background();
    let docs = format!("{address}/docs/");
    tracing::info!(address, docs, data = data::place(&app.settings), "listening");
    match seeded {
        Some(Seeded::No) => tracing::warn!(
            "the store has data that is not the demo's: it was left as it is; \
             --data names another folder for the demo"
        ),
        Some(seeded) => {
            let keys = demo::keys(&*app.store, clock.now()).await?;
            let buyer = demo::buyer_token(&app).await?;
            let chat = demo::first_chat(&*app.store).await?;
            output::print(&introduction(&address, seeded, chat, &keys, &buyer))?;
        }
        None => {}
    }
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way may finish");
    };
    let served = Served::always(Arc::clone(&app));
    let all_finished = http::serve(served, Entrance::new(listener, tls), stop).await;
    drop(background);
    app.close().await;
    if all_finished {
        tracing::info!("stopped");
    } else {
        tracing::warn!("stopped; some requests took too long and were cut off");
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether files can be kept. A store elsewhere may come later than its server; one that refuses us is a wrong setting.
async fn look_at(files: &FileStore) -> anyhow::Result<()> {
    match files.look().await {
        Ok(()) => {}
        Err(error @ FileError::Unavailable(_)) => {
            tracing::warn!(%error, "files cannot be sent or read yet: all else goes on");
        }
        Err(error) => return Err(error).context("wrong setting files.location, or variables AWS_…"),
    }
    Ok(())
}

/// What somebody who starts the demo wants to know.
fn introduction(address: &str, seeded: Seeded, chat: ChatId, keys: &DemoKeys, buyer: &str) -> String {
    let state = match seeded {
        Seeded::Now => "The demo is ready.",
        _ => {
            "The demo was here already and is left as it is. The Api-Keys of the start before are revoked; its \
             operator token still works."
        }
    };
    let DemoKeys {
        seller,
        reader,
        other_seller,
        operator,
    } = keys;
    format!(
        "{state} Secrets are shown once; the next start with --demo makes new ones.

  Api-Key of business 1           {seller}
  Api-Key of business 1, reading  {reader}
  Api-Key of business 2           {other_seller}
  operator token                  {operator}

Read chat {chat} as the seller's system, then answer in it as the buyer:

  curl -H 'Api-Key: {seller}' '{address}/v2/businesses/1/chat?chatId={chat}'

  curl -H 'Authorization: Bearer {operator}' -H 'Content-Type: application/json' \
   -d '{{\"sender\":\"CUSTOMER\",\"message\":\"Здравствуйте!\"}}' '{address}/operator/v1/businesses/1/chats/{chat}/messages'

The same chats for people, where that key signs in: {address}/ui/

Chat as a buyer, in a shop's page, for the next hour (prilavok buyer-token makes another token):

  {address}/ui/widget/example#token={buyer}

API reference: {address}/docs/
"
    )
}
