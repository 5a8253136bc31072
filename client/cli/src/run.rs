//! From the command line to an exit code: one verb, and what it has to say.

use std::process::ExitCode;

use serde_json::json;
use stele_command_line::usage::{UsageError, asks_for_json};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_fetch::exchange;
use stele_terminal::finish::{Voice, finish};
use stele_terminal::schema::Schema;
use stele_terminal::volume::{self, Volume};

use crate::Output;
use crate::args::{self, Cli, Verb, program};
use crate::log_args::StateUnusable;
use crate::rehearsal;
use crate::schema;
use crate::settings::Settings;
use crate::verbs;

/// Reads settings and command line of this process, runs its verb, and says what came of it.
pub fn start() -> ExitCode {
    let settings = Settings::of_user();
    let unset = Settings::default();
    let cli = match (args::parse(settings.as_ref().unwrap_or(&unset)), settings.as_ref()) {
        (Ok(cli), _) => cli,
        (Err(error), Ok(_)) => return finish(Err::<Output, UsageError>(error.or_exit()), voice(true, schema::ERROR)),
        // What is missing on the command line may stand in the file that cannot be read.
        (Err(_), Err(_)) => return finish(settings.map(|_| Output::default()), voice(asks_for_json(), schema::ERROR)),
    };
    volume::set(match (cli.quiet, cli.verbose) {
        (true, _) => Volume::Quiet,
        (_, true) => Volume::Verbose,
        _ => Volume::Normal,
    });
    if cli.verbose {
        exchange::observe(|exchange| volume::step(&format!("{}\n", one_line(&exchange.line()))));
    }
    let voice = voice(cli.json, cli.verb.schema());
    let outcome = match settings {
        Ok(settings) => run(cli, &settings),
        // What says how the program is used answers all the same.
        Err(_) if cli.verb.is_about_the_program() => run(cli, &unset),
        Err(error) => Err(error.into()),
    };
    let outcome = outcome
        .map_err(StateUnusable::explained)
        .map(|output| Output { failure: output.failure.map(StateUnusable::explained), ..output });
    finish(outcome.or_else(each_problem), voice)
}

const fn voice(json: bool, report: Schema) -> Voice {
    Voice::new(json, report, schema::ERROR)
}

/// Several problems at once stand each by itself in the error's document.
fn each_problem(failure: Failure) -> Result<Output, Failure> {
    match rehearsal::several(&failure) {
        Some(problems) => {
            let json = json!({ "schema": schema::ERROR.name(), "problems": problems });
            Ok(Output { text: String::new(), json, failure: Some(failure) })
        }
        None => Err(failure),
    }
}

fn run(cli: Cli, settings: &Settings) -> Result<Output, Failure> {
    match cli.verb {
        Verb::Key(args) => verbs::key::run(args),
        Verb::Claim(args) => verbs::claim::run(args),
        Verb::Keys(args) => verbs::keys::run(args),
        Verb::Draft(args) => verbs::draft::run(args),
        Verb::Publish(args) => verbs::publish::run(args),
        Verb::Attach(args) => verbs::attach::run_attach(&args),
        Verb::Push(args) => verbs::attach::run_push(&args),
        Verb::Amend(args) => verbs::amend::run(args),
        Verb::Stage(args) => verbs::stage::run(args),
        Verb::Supersede(args) => verbs::supersede::run(args),
        Verb::Withdraw(args) => verbs::withdraw::run(args),
        Verb::Incident(args) => verbs::incident::run(args),
        Verb::Evaluate(args) => verbs::evaluate::run(args),
        Verb::Approve(args) => verbs::approve::run(args),
        Verb::Submit(args) => verbs::submit::run(args),
        Verb::Verify(args) => verbs::verify::run(args),
        Verb::Run(args) => verbs::run::run(args),
        Verb::Scan(args) => verbs::scan::run(args),
        Verb::Fetch(args) => verbs::fetch::run(args),
        Verb::Export(args) => verbs::export::run(args),
        Verb::Oms(args) => verbs::oms::run(args),
        Verb::Show(args) => verbs::show::run(args),
        Verb::History(args) => verbs::history::run(args),
        Verb::Lineage(args) => verbs::lineage::run(args),
        Verb::Resolve(args) => verbs::resolve::run(args),
        Verb::Diff(args) => verbs::diff::run(args),
        Verb::Inspect(args) => verbs::inspect::run(args),
        Verb::Policy(args) => verbs::policy::run(args),
        #[cfg(feature = "monitor")]
        Verb::Monitor(args) => verbs::monitor::run(args, settings),
        #[cfg(feature = "monitor")]
        Verb::Observe(args) => verbs::observe::run(args),
        #[cfg(feature = "audit")]
        Verb::Audit(args) => verbs::audit::run(args, cli.json),
        Verb::Evidence(args) => verbs::evidence::run(args),
        Verb::Config => Ok(verbs::config::run(settings)),
        Verb::Completions(args) => Ok(args.script(&program()).into()),
        Verb::Man(args) => Ok(args.run(&program())?.into()),
        Verb::Version => Ok(program().version().into()),
        Verb::Help(args) => verbs::help::run(&args),
    }
}
