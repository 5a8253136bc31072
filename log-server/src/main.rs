//! `stele-log`: see the crate's documentation.

use clap::Parser;
use std::process::ExitCode;
use stele_host::exit::{Voice, finish};
use stele_log::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    stele_host::log::init(stele_host::log::Format::from_env());
    let outcome = match cli.command {
        Command::Init { dir, origin, claims, listen } => stele_log::init::init(&dir, &origin, claims, &listen),
        Command::Adopt { dir, from, policy } => {
            stele_log::Options::load(&dir, None, policy).and_then(|options| stele_log::adopt::run(options, &from))
        }
        Command::Run { dir, listen, policy } => {
            stele_log::Options::load(&dir, listen, policy).and_then(stele_log::run_until_signalled)
        }
    };
    finish(outcome, Voice::Text)
}
