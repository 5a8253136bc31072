//! `stele`: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = stele::args::parse();
    let (json, schema) = (cli.json, cli.verb.schema());
    stele::finish(stele::run(cli), json.then_some(schema))
}
