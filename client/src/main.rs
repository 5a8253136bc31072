//! `stele`: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = stele::cli::parse();
    let json = cli.json;
    stele::finish(stele::run(cli), json)
}
