//! From the command line to an exit code: one verb, and what it has to say.

use std::process::ExitCode;

use stele_explain::{self as exit, Exit, Explain as _, Failure};
use stele_terminal::output;
use stele_terminal::schema::Schema;

use crate::args::{Cli, Verb};
use crate::output::Output;
use crate::rehearsal;
use crate::schema;
use crate::verbs;

/// Runs one verb.
pub fn run(cli: Cli) -> Result<Output, Failure> {
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
        Verb::Monitor(args) => verbs::monitor::run(args),
        #[cfg(feature = "monitor")]
        Verb::Observe(args) => verbs::observe::run(args),
        #[cfg(feature = "audit")]
        Verb::Audit(args) => verbs::audit::run(args, cli.json),
        Verb::Evidence(args) => verbs::evidence::run(args),
        Verb::Version => Ok(verbs::version::run()),
        Verb::Help(args) => Ok(verbs::help::run(&args)),
    }
}

/// Tells the outcome and gives the exit code. With `--json`, which gives the name of the verb's documents, there is exactly
/// one document on stdout.
pub fn finish(outcome: Result<Output, Failure>, json: Option<Schema>) -> ExitCode {
    let (output, failure) = match outcome {
        Ok(Output { text, json: document, failure }) => (Some((text, document)), failure),
        Err(failure) => (None, Some(failure)),
    };
    let written = match (json, &output) {
        (None, Some((text, _))) => output::print(text),
        (None, None) => Ok(()),
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
            if json.is_none() && !failure.is_shown() {
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
