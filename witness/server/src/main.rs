//! `stele-witness`: parses, loads, runs, exits.

use std::process::ExitCode;
use stele_terminal::finish::{Output, Voice, finish};
use stele_witness::{cli, schema};

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(error) => return finish(Err::<Output, _>(error), Voice::new(true, schema::ERROR, schema::ERROR)),
    };
    let voice = cli.voice();
    finish(cli.run(), voice)
}
