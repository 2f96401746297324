//! `prilavok completions`.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::output;

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok completions bash > ~/.local/share/bash-completion/completions/prilavok
  prilavok completions zsh > ~/.zfunc/_prilavok     with ~/.zfunc in $fpath
  prilavok completions fish > ~/.config/fish/completions/prilavok.fish")]
pub(crate) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "prilavok", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
