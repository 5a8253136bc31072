//! From the command line to an exit code: one verb, and what it has to say.

use std::process::ExitCode;

use stele_explain::printable::one_line;
use stele_explain::{self as exit, Exit, Explain as _, Failure};
use stele_fetch::exchange;
use stele_terminal::output;
use stele_terminal::schema::Schema;
use stele_terminal::volume::{self, Volume};

use crate::args::{self, Cli, UsageError, Verb, asks_for_json};
use crate::output::Output;
use crate::rehearsal;
use crate::schema;
use crate::settings::Settings;
use crate::verbs;

/// Reads settings and command line of this process, runs its verb, and says what came of it.
pub fn start() -> ExitCode {
    let settings = Settings::of_user();
    let unset = Settings::default();
    let cli = match (args::parse(settings.as_ref().unwrap_or(&unset)), &settings) {
        (Ok(cli), _) => cli,
        (Err(UsageError(error)), Ok(_)) if !asks_for_json() => error.exit(),
        (Err(error), Ok(_)) => return finish(Err(error.into()), Some(schema::ERROR)),
        // What is missing on the command line may stand in the file that cannot be read.
        (Err(_), Err(_)) => {
            return finish(
                settings.map(|_| Output::default()).map_err(Failure::from),
                asks_for_json().then_some(schema::ERROR),
            );
        }
    };
    volume::set(match (cli.quiet, cli.verbose) {
        (true, _) => Volume::Quiet,
        (_, true) => Volume::Verbose,
        _ => Volume::Normal,
    });
    if cli.verbose {
        exchange::observe(|exchange| volume::step(&format!("{}\n", one_line(&exchange.line()))));
    }
    let json = cli.json.then_some(cli.verb.schema());
    let outcome = match settings {
        Ok(settings) => run(cli, &settings),
        // What says how the program is used answers all the same.
        Err(_) if cli.verb.is_about_the_program() => run(cli, &unset),
        Err(error) => Err(error.into()),
    };
    finish(outcome, json)
}

fn run(cli: Cli, settings: &Settings) -> Result<Output, Failure> {
    match cli.verb {
        Verb::Key(args) => verbs::key::run(args),
        Verb::Claim(args) => verbs::claim::run(args),
        Verb::Keys(args) => verbs::keys::run(args),
        Verb::Draft(args) => verbs::draft::run(args),
        Verb::Publish(args) => verbs::publish::run(args),
        Verb::Amend(args) => verbs::amend::run(args),
        Verb::Stage(args) => verbs::stage::run(args),
        Verb::Supersede(args) => verbs::supersede::run(args),
        Verb::Withdraw(args) => verbs::withdraw::run(args),
        Verb::Incident(args) => verbs::incident::run(args),
        Verb::Evaluate(args) => verbs::evaluate::run(args),
        Verb::Verify(args) => verbs::verify::run(args),
        Verb::Fetch(args) => verbs::fetch::run(args),
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
        Verb::Completions(args) => Ok(verbs::completions::run(&args)),
        Verb::Man(args) => verbs::man::run(&args),
        Verb::Version => Ok(verbs::version::run()),
        Verb::Help(args) => Ok(verbs::help::run(&args)),
    }
}

/// Tells the outcome and gives the exit code. With `--json`, which gives the name of the verb's documents, there is exactly
/// one document on stdout.
fn finish(outcome: Result<Output, Failure>, json: Option<Schema>) -> ExitCode {
    let (output, failure) = match outcome {
        Ok(Output { text, json: document, failure }) => (Some((text, document)), failure),
        Err(failure) => (None, Some(failure)),
    };
    let written = match (json, &output) {
        (None, Some((text, _))) if volume::volume() != Volume::Quiet => output::print(text),
        (None, _) => Ok(()),
        // A report that was written piece by piece, since it may be longer than memory.
        (Some(_), Some((_, serde_json::Value::Null))) => Ok(()),
        (Some(schema), _) => output::print_json(&document(schema, output.map(|(_, json)| json), failure.as_ref())),
    };
    if let Err(error) = written
        && error.exit() != Exit::Ok
    {
        output::complain(&exit::text(&error));
        return error.exit().into();
    }
    match failure {
        None => Exit::Ok.into(),
        Some(failure) => {
            if json.is_none() {
                output::complain(&exit::text(failure.as_explain()));
            }
            failure.as_explain().exit().into()
        }
    }
}

/// The report with its name, whether all is well, the exit code, and the error's fields beside it.
fn document(schema: Schema, report: Option<serde_json::Value>, failure: Option<&Failure>) -> serde_json::Value {
    let schema = if report.is_some() { schema } else { schema::ERROR };
    let mut document = match report {
        Some(serde_json::Value::Object(fields)) => fields,
        Some(other) => serde_json::Map::from_iter([("report".to_owned(), other)]),
        None => serde_json::Map::new(),
    };
    // A rehearsal has a name of its own, whatever the verb.
    document.entry("schema").or_insert_with(|| schema.name().into());
    document.insert("ok".into(), failure.is_none().into());
    match failure.map(|failure| exit::json(failure.as_explain())) {
        Some(serde_json::Value::Object(error)) => {
            document.extend(error);
            if let Some(problems) = failure.and_then(rehearsal::several) {
                document.insert("problems".into(), problems.into());
            }
        }
        _ => {
            document.insert("exit".into(), Exit::Ok.number().into());
        }
    }
    document.into()
}
