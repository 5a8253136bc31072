//! `stele-log`: see the crate's documentation.

use std::process::ExitCode;
use stele_log::{cli, schema};
use stele_terminal::finish::{Output, Voice, finish};

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(error) => return finish(Err::<Output, _>(error), Voice::new(true, schema::ERROR, schema::ERROR)),
    };
    stele_daemon::events::init(stele_daemon::events::Format::from_env());
    let voice = cli.voice();
    finish(stele_log::verbs::run(cli), voice)
}
