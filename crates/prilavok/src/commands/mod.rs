//! The commands, one file each.

mod backup;
mod buyer_token;
mod chat;
mod check;
mod completions;
mod config;
mod keys;
mod log;
mod man;
mod migrate_store;
mod notifications;
mod openapi;
mod operator_token;
mod owner;
mod sandbox;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use prilavok_server::settings::{Overrides, Settings};

/// A marketplace chat server: buyers, sellers, arbiters and support talk about orders, returns and
/// products, and settle disputes. Sellers' systems reach it through the chats group of the Yandex
/// Market Partner API, with which it is compatible.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  prilavok serve --demo                                  a server with demo data, on 127.0.0.1:8080
  prilavok sandbox --scenario angry-buyer                a marketplace to try a connector against
  prilavok keys create --business 1 --name crm --scope communication
                                                         a key for a seller's system
  prilavok chat watch                                    what is said in a business's chats, as it is said
  prilavok notifications add --business 1 --name crm --url https://crm.example.com/hook
                                                         tell a seller's system of its chats
  prilavok operator-token create                         a token for the marketplace's backend
  prilavok log --refused --follow                        what sellers' systems are refused, and why
  prilavok backup /var/backups/prilavok.sqlite           a copy of a running server's store

Every setting can also stand in a file (--config) or in the environment; prilavok config lists them.";

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Arguments),
    /// Start a marketplace to try a connector against: buyers that answer, time that is moved, faults on purpose
    Sandbox(sandbox::Arguments),
    /// Read and write in chats as the seller, on any server with the Partner API
    #[command(subcommand)]
    Chat(chat::Command),
    /// Make, list and revoke the keys of a business; acts at once on a running server
    #[command(subcommand)]
    Keys(keys::Command),
    /// Tell the systems of a business what happens in its chats; acts at once on a running server
    #[command(subcommand)]
    Notifications(notifications::Command),
    /// Show what sellers' systems asked, what they were answered and which rule refused them
    Log(log::Arguments),
    /// Make, list and revoke tokens for the Operator API; acts at once on a running server
    #[command(subcommand)]
    OperatorToken(operator_token::Command),
    /// Make a buyer's token, to try the Buyer API and the widget
    BuyerToken(buyer_token::Arguments),
    /// Print an API's OpenAPI document
    Openapi(openapi::Arguments),
    /// Print every setting with its default and meaning
    Config,
    /// Copy the database to a file while the server runs
    Backup(backup::Arguments),
    /// Verify the store, from the disk page to the chat rules
    Check(check::Arguments),
    /// Move everything from SQLite to PostgreSQL, files too
    MigrateStore(migrate_store::Arguments),
    /// Print what makes a shell complete these commands
    Completions(completions::Arguments),
    /// Print the manual page, or write the pages of all commands
    Man(man::Arguments),
}

/// Where the data and the settings are.
#[derive(Args)]
struct Place {
    /// The folder of the database and the files [default: ./prilavok-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The database: sqlite, a file in that folder, or postgres://user@host/database; a password is better kept in
    /// PRILAVOK_DATABASE or PGPASSWORD [default: sqlite]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A file with settings, as TOML; prilavok config prints one to start from
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    fn settings(&self) -> anyhow::Result<Settings> {
        self.settings_with(Overrides::default())
    }

    /// The settings, with what else the command line says.
    fn settings_with(&self, overrides: Overrides) -> anyhow::Result<Settings> {
        let overrides = Overrides {
            data: self.data.clone(),
            database: self.database.clone(),
            ..overrides
        };
        Ok(Settings::load(self.config.as_deref(), &overrides)?)
    }
}

impl Cli {
    /// Runs the command; answers the exit code.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Sandbox(arguments) => sandbox::run(arguments).await,
            Command::Chat(command) => chat::run(command).await,
            Command::Keys(command) => keys::run(command).await,
            Command::Notifications(command) => notifications::run(command).await,
            Command::Log(arguments) => log::run(arguments).await,
            Command::OperatorToken(command) => operator_token::run(command).await,
            Command::BuyerToken(arguments) => buyer_token::run(arguments).await,
            Command::Openapi(arguments) => openapi::run(&arguments),
            Command::Config => config::run(),
            Command::Backup(arguments) => backup::run(arguments).await,
            Command::Check(arguments) => check::run(arguments).await,
            Command::MigrateStore(arguments) => migrate_store::run(arguments).await,
            Command::Completions(arguments) => completions::run(&arguments),
            Command::Man(arguments) => man::run(&arguments),
        }
    }
}
