//! `stele-witness`: parses, loads, runs, exits.

use clap::Parser;
use std::process::ExitCode;
use stele_terminal::finish;
use stele_witness::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let voice = cli.voice();
    finish::finish(cli.run(), voice)
}
