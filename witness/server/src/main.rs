//! `stele-witness`: parses, loads, runs, exits.

use std::process::ExitCode;
use stele_terminal::finish;
use stele_witness::cli;

fn main() -> ExitCode {
    let cli = cli::parse();
    let voice = cli.voice();
    finish::finish(cli.run(), voice)
}
