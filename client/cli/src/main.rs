//! `stele`: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    stele::start()
}
