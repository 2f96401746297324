//! `prilavok chat`: chats as the seller sees them, over the Partner API of any server.

mod list;
mod people;
mod poll;
mod seller;
mod send;
mod show;
mod watch;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List chats, the one with the newest message first
    List(list::Arguments),
    /// Show a chat and its messages
    Show(show::Arguments),
    /// Write a message
    Send(send::Text),
    /// Send a file of up to 5 MB
    File(send::File),
    /// Print messages as they are written, until it is interrupted
    Watch(watch::Arguments),
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(arguments) => list::run(&arguments).await?,
        Command::Show(arguments) => show::run(&arguments).await?,
        Command::Send(arguments) => send::text(&arguments).await?,
        Command::File(arguments) => send::file(&arguments).await?,
        Command::Watch(arguments) => watch::run(&arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}
