//! `prilavok buyer-token`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use prilavok_domain::{BusinessId, Clock, PublicId, SystemClock};
use prilavok_server::buyer::token::{self, TRY_OUT_KID};

use super::Place;
use crate::{data, output};

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok buyer-token --business 1 --customer customer-0002
  prilavok buyer-token --business 1 --customer c-4711 --minutes 5

The token is signed with the first hs256 key of the settings (buyer.keys), or else with a key of the server's own, \
which is taken by serve --demo, by the sandbox, and where buyer.try_out is set. In production the marketplace's backend \
signs tokens: docs/buyer.md.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The business whose chats it opens
    #[arg(long, value_name = "ID")]
    business: i64,
    /// The customer whose chats it opens, by the marketplace's own id
    #[arg(long, value_name = "PUBLIC_ID")]
    customer: String,
    /// For how long
    #[arg(long, default_value_t = 60)]
    minutes: u32,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = arguments.place.settings()?;
    let business = BusinessId::new(arguments.business).context("wrong --business")?;
    let customer = PublicId::new(arguments.customer).context("wrong --customer")?;
    let longest = settings.buyer.max_token_minutes;
    if !(1..=longest).contains(&arguments.minutes) {
        bail!("wrong --minutes: from 1 to {longest} are accepted (buyer.max_token_minutes)");
    }
    let store = data::open(&settings).await?;
    let (secret, found) = (store.server_secret().await, store.business(business).await);
    store.close().await;
    if found?.is_none() {
        bail!("there is no business {business}");
    }
    let now = SystemClock.now();
    let signed = token::sign(
        &settings.buyer,
        &secret?,
        business,
        &customer,
        now,
        arguments.minutes,
    )?;
    if signed.kid == TRY_OUT_KID {
        eprintln!(
            "signed with the server's own key, which is taken by serve --demo and where buyer.try_out is set:"
        );
    } else {
        eprintln!("signed with the key {:?}:", signed.kid);
    }
    output::print(&format!("{}\n", signed.token))?;
    Ok(ExitCode::SUCCESS)
}
