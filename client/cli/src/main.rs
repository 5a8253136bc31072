//! `stele`: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    match stele::args::parse() {
        Ok(cli) => {
            let (json, schema) = (cli.json, cli.verb.schema());
            stele::finish(stele::run(cli), json.then_some(schema))
        }
        Err(error) => stele::finish(Err(error.into()), Some(stele::schema::ERROR)),
    }
}
