//! `stele-log`: see the crate's documentation.

use std::process::ExitCode;
use stele_log::cli;
use stele_terminal::finish::finish;

fn main() -> ExitCode {
    let cli = cli::parse();
    stele_daemon::events::init(stele_daemon::events::Format::from_env());
    let voice = cli.voice();
    finish(stele_log::verbs::run(cli), voice)
}
