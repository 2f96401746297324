//! `prilavok notifications`: the subscriptions of a business, straight in the store. A running server acts on what
//! is changed here at once, and its word counts for which addresses may be notified.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use prilavok_domain::business::InvalidName;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{Clock, EventTypes, SystemClock};
use prilavok_notify::{
    Enrolment, Guard, Overlap, Patience, PingFailed, Sender, SigningSecrets, SystemResolver, Target,
    WebhookClient,
};
use prilavok_store::{NewSubscription, Store, Subscription, SubscriptionChange, SubscriptionName, Switch};

use super::owner::Owner;
use crate::claim::running_guard;
use crate::output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Subscribe a URL, and print its signing secret alone on standard output: it is shown this once
    #[command(after_help = "\
Examples:
  prilavok notifications add --business 1 --name crm --url https://crm.example.com/hook
  prilavok notifications add --business 1 --name bot --url https://bot.example.com/ \\
      --type CHAT_MESSAGE_SENT --type CHAT_ARBITRAGE_STARTED

The URL is first sent {\"notificationType\":\"PING\",\"time\":\"…\"}, and must answer 200 within a second \
with {\"version\":\"1.0.0\",\"name\":\"crm\",\"time\":\"2025-01-16T10:09:49.759Z\"}; otherwise nothing is \
kept. A receiver that verifies signatures needs the secret before: add it with --disabled, give it \
the secret, then enable it.

Private addresses and plain http:// are notified only where the running server was started with \
--allow-private-webhooks, or where the settings allow them ([notifications] allow_private, \
allowed_networks).")]
    Add {
        #[command(flatten)]
        owner: Owner,
        /// What it is called, 1 to 100 characters; no other subscription of the business may have the name
        #[arg(long, value_parser = subscription_name)]
        name: SubscriptionName,
        /// Where notifications are posted to
        #[arg(long)]
        url: String,
        /// What it is told of; give it several times for several types; none: all of them
        #[arg(long = "type", value_name = "TYPE", value_parser = type_names())]
        types: Vec<String>,
        /// Only create it, without a PING; `prilavok notifications enable` sends one
        #[arg(long)]
        disabled: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// List the subscriptions of a business
    List(Owner),
    /// Change a subscription's name, URL or types; another URL of an enabled one must answer a PING
    #[command(after_help = "\
Example:
  prilavok notifications edit --business 1 crm --url https://crm.example.com/v2/hook")]
    Edit {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        reach: Reach,
    },
    /// Send a PING, and notify from now on if it is answered as documented
    Enable {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        reach: Reach,
    },
    /// Notify no more; what waited to be delivered is cancelled
    Disable(Which),
    /// Send a PING and say how it was answered; changes nothing
    Test {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        reach: Reach,
    },
    /// Make a new signing secret, and print it alone on standard output: it is shown this once
    #[command(after_help = "\
Both secrets sign until the previous one ends, so a receiver can be given the new one in its own time:
  prilavok notifications rotate-secret --business 1 crm --previous-valid 3600")]
    RotateSecret {
        #[command(flatten)]
        which: Which,
        /// For how long the previous secret goes on to sign as well, 0 to 604800 seconds [default: 86400]
        #[arg(long, value_name = "SECONDS", value_parser = overlap)]
        previous_valid: Option<Overlap>,
    },
    /// Remove a subscription; what waited to be delivered is cancelled
    Delete(Which),
}

/// Which subscription.
#[derive(Args)]
pub(crate) struct Which {
    #[command(flatten)]
    owner: Owner,
    /// The subscription's name, or its id as `prilavok notifications list` shows it
    #[arg(value_name = "NAME|ID")]
    subscription: String,
}

/// What is changed; something must be.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Change {
    /// Its new name
    #[arg(long, value_parser = subscription_name)]
    name: Option<SubscriptionName>,
    /// Where notifications are posted to from now on
    #[arg(long)]
    url: Option<String>,
    /// What it is told of from now on; give it several times for several types
    #[arg(long = "type", value_name = "TYPE", value_parser = type_names())]
    types: Vec<String>,
}

/// Which addresses may be sent a PING.
#[derive(Args)]
pub(crate) struct Reach {
    /// Let the PING go to any address and over plain HTTP; what the server sends then is the server's matter
    #[arg(long)]
    allow_private_webhooks: bool,
}

fn subscription_name(text: &str) -> Result<SubscriptionName, InvalidName> {
    SubscriptionName::new(text)
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let seconds = text.parse().map_err(|_| "it is no whole number".to_owned())?;
    Overlap::seconds(seconds).map_err(|error| error.to_string())
}

fn type_names() -> PossibleValuesParser {
    PossibleValuesParser::new(NotificationType::ALL.iter().map(|kind| kind.as_str()))
}

/// The types that were given; `None` where none was.
fn given(types: &[String]) -> anyhow::Result<Option<EventTypes>> {
    let types = types.iter().map(|kind| kind.parse::<NotificationType>());
    let types: EventTypes = types.collect::<Result<_, _>>()?;
    Ok((!types.is_empty()).then_some(types))
}

impl Command {
    /// Whose subscriptions it is about, and whether the command line opens every address.
    fn about(&self) -> (&Owner, bool) {
        match self {
            Self::Add { owner, reach, .. } => (owner, reach.allow_private_webhooks),
            Self::Edit { which, reach, .. } | Self::Enable { which, reach } | Self::Test { which, reach } => {
                (&which.owner, reach.allow_private_webhooks)
            }
            Self::List(owner) => (owner, false),
            Self::Disable(which) | Self::Delete(which) | Self::RotateSecret { which, .. } => {
                (&which.owner, false)
            }
        }
    }
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let (owner, all_addresses) = command.about();
    let at = Desk::open(owner, all_addresses).await?;
    let done = at.run(&command).await;
    at.store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

/// Where subscriptions are made and changed.
struct Desk {
    store: Arc<dyn Store>,
    sender: Sender,
    enrolment: Enrolment,
    /// Which addresses the server notifies, where one is running.
    running: Option<Guard>,
}

impl Desk {
    async fn open(owner: &Owner, all_addresses: bool) -> anyhow::Result<Self> {
        let settings = owner.settings()?;
        let running = running_guard(&settings.data);
        let mut guard = settings.notifications.guard();
        guard = running.iter().cloned().fold(guard, Guard::or);
        if all_addresses {
            guard = Guard::open();
        }
        let store = owner.store().await?;
        let secrets = SigningSecrets::new(&store.server_secret().await?);
        let client = WebhookClient::new(guard, Arc::new(SystemResolver));
        let sender = Sender::new(client, secrets, Arc::new(SystemClock), Patience::default());
        Ok(Self {
            enrolment: Enrolment::new(Arc::clone(&store), sender.clone()),
            store,
            sender,
            running,
        })
    }

    async fn run(&self, command: &Command) -> anyhow::Result<()> {
        match command {
            Command::Add {
                owner,
                name,
                url,
                types,
                disabled,
                ..
            } => {
                let new = NewSubscription {
                    business: owner.business,
                    name: name.clone(),
                    url: url.clone(),
                    types: given(types)?.unwrap_or(EventTypes::ALL),
                };
                self.add(new, !disabled).await
            }
            Command::List(owner) => output::print(&table(&self.store.subscriptions(owner.business).await?)?),
            Command::Edit { which, change, .. } => {
                let change = SubscriptionChange {
                    name: change.name.clone(),
                    url: change.url.clone(),
                    types: given(&change.types)?,
                };
                let changed = self.enrolment.change(&self.find(which).await?, change).await;
                let changed = changed.context("the subscription was not changed")?;
                self.warn(&changed);
                tell(&changed, "is changed");
                Ok(())
            }
            Command::Enable { which, .. } => {
                let enabled = self.enrolment.enable(&self.find(which).await?).await;
                let enabled = enabled.context("the subscription was not enabled")?;
                self.warn(&enabled);
                tell(&enabled, "is enabled");
                Ok(())
            }
            Command::Disable(which) => {
                let Subscription { business, id, .. } = self.find(which).await?;
                let off = Switch::Off(DisabledBy::Hand);
                let disabled = self.store.switch_subscription(business, id, off).await?;
                tell(&disabled, "is disabled; what waited is cancelled");
                Ok(())
            }
            Command::Test { which, .. } => self.test(&self.find(which).await?).await,
            Command::RotateSecret {
                which,
                previous_valid,
            } => {
                let Subscription { business, id, .. } = self.find(which).await?;
                let (overlap, now) = (previous_valid.unwrap_or_default(), SystemClock.now());
                let rotated = self.enrolment.rotate_secret(business, id, overlap, now).await?;
                tell(&rotated, "has a new signing secret; it is shown this once:");
                output::print(&format!("{}\n", self.enrolment.secret(&rotated)))
            }
            Command::Delete(which) => {
                let found = self.find(which).await?;
                self.store.delete_subscription(found.business, found.id).await?;
                tell(&found, "is deleted");
                Ok(())
            }
        }
    }

    async fn add(&self, new: NewSubscription, enabled: bool) -> anyhow::Result<()> {
        let made = self.enrolment.create(new, enabled, None, SystemClock.now()).await;
        let made = made.context("the subscription was not made")?.value;
        self.warn(&made);
        tell(
            &made,
            match enabled {
                true => "is enabled; its signing secret is shown this once:",
                false => "is made, disabled; its signing secret is shown this once:",
            },
        );
        output::print(&format!("{}\n", self.enrolment.secret(&made)))
    }

    async fn test(&self, subscription: &Subscription) -> anyhow::Result<()> {
        let (attempt, _) = self.sender.ping(subscription).await;
        match PingFailed::of(&attempt) {
            Some(failed) => Err(failed.into()),
            None => output::print(&format!(
                "the PING was answered as agreed: HTTP {} after {} ms\n",
                attempt.status.unwrap_or_default(),
                attempt.duration_ms
            )),
        }
    }

    /// The subscription with this name, or else with this id.
    async fn find(&self, which: &Which) -> anyhow::Result<Subscription> {
        let Which { owner, subscription } = which;
        let all = self.store.subscriptions(owner.business).await?;
        let named = all.iter().find(|one| one.name.as_str() == subscription);
        let found = named.or_else(|| all.iter().find(|one| one.id.to_string() == *subscription));
        found.cloned().ok_or_else(|| {
            anyhow!(
                "business {} has no subscription `{subscription}`: prilavok notifications list shows them",
                owner.business
            )
        })
    }

    /// Says what keeps a running server from sending there.
    fn warn(&self, subscription: &Subscription) {
        if let Some(running) = &self.running
            && let Err(problem) = Target::parse(&subscription.url, running)
        {
            eprintln!("note: the running server sends nothing there: the URL {problem}");
        }
    }
}

/// Says what was done.
fn tell(subscription: &Subscription, what: &str) {
    let Subscription {
        business, id, name, ..
    } = subscription;
    eprintln!(
        "subscription {id} `{}` of business {business} {what}",
        name.as_str()
    );
}

fn table(subscriptions: &[Subscription]) -> anyhow::Result<String> {
    let mut table = format!("{:<18} {:<9} {:<30} {:<40} URL\n", "ID", "STATE", "NAME", "TYPES");
    for one in subscriptions {
        let types = match one.types {
            EventTypes::ALL => "all".to_owned(),
            some => some
                .iter()
                .map(NotificationType::as_str)
                .collect::<Vec<_>>()
                .join(","),
        };
        let (id, state, name) = (one.id.to_string(), state(one), one.name.as_str());
        writeln!(table, "{id:<18} {state:<9} {name:<30} {types:<40} {}", one.url)?;
    }
    Ok(table)
}

const fn state(subscription: &Subscription) -> &'static str {
    match (subscription.disabled, subscription.failing_since) {
        (None, None) => "enabled",
        (None, Some(_)) => "failing",
        (Some(DisabledBy::Hand), _) => "disabled",
        (Some(DisabledBy::Failures), _) => "given-up",
    }
}
