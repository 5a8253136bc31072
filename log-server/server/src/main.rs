//! `stele-log`: see the crate's documentation.

use clap::Parser;
use std::process::ExitCode;
use stele_log::cli::{Cli, Command};
use stele_terminal::finish::{Voice, finish};

fn main() -> ExitCode {
    let cli = Cli::parse();
    stele_daemon::events::init(stele_daemon::events::Format::from_env());
    let outcome = match cli.command {
        Command::Init { dir, origin, claims, listen } => stele_log::init::init(&dir, &origin, claims.into(), &listen),
        Command::Adopt { dir, from, policy } => stele_log::options::Options::load(&dir, None, policy)
            .and_then(|options| stele_log::adopt::run(options, &from)),
        Command::Run { dir, listen, policy } => {
            stele_log::options::Options::load(&dir, listen, policy).and_then(stele_log::run::run_until_signalled)
        }
    };
    finish(outcome, Voice::Text)
}
