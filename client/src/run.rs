//! From the command line to an exit code: one verb, and what it has to say.

use std::process::ExitCode;

use stele_explain::{self as exit, Exit, Explain as _};
use stele_terminal::output;

use crate::cli::{Cli, Verb};
use crate::output::Output;
use crate::verb;
use stele_explain::Failure;

/// Runs one verb.
pub fn run(cli: Cli) -> Result<Output, Failure> {
    match cli.verb {
        Verb::Key(args) => verb::key::run(args),
        Verb::Claim(args) => verb::claim::run(args),
        Verb::Keys(args) => verb::keys::run(args),
        Verb::Draft(args) => verb::draft::run(args),
        Verb::Publish(args) => verb::publish::run(args),
        Verb::Amend(args) => verb::amend::run(args),
        Verb::Stage(args) => verb::stage::run(args),
        Verb::Supersede(args) => verb::supersede::run(args),
        Verb::Withdraw(args) => verb::withdraw::run(args),
        Verb::Incident(args) => verb::incident::run(args),
        Verb::Evaluate(args) => verb::evaluate::run(args),
        Verb::Verify(args) => verb::verify::run(args),
        Verb::Show(args) => verb::show::run(args),
        Verb::History(args) => verb::history::run(args),
        Verb::Lineage(args) => verb::lineage::run(args),
        Verb::Resolve(args) => verb::resolve::run(args),
        Verb::Diff(args) => verb::diff::run(args),
        Verb::Inspect(args) => verb::inspect::run(args),
        Verb::Policy(args) => verb::policy::run(args),
        Verb::Monitor(args) => verb::monitor::run(args),
        Verb::Observe(args) => verb::observe::run(args),
        Verb::Audit(args) => verb::audit::run(args, cli.json),
        Verb::Evidence(args) => verb::evidence::run(args),
        Verb::Version => Ok(verb::version::run()),
        Verb::Help(args) => Ok(verb::help::run(&args)),
    }
}

/// Tells the outcome and gives the exit code. With `--json`, which gives the name of the verb's documents, there is exactly
/// one document on stdout.
pub fn finish(outcome: Result<Output, Failure>, json: Option<&'static str>) -> ExitCode {
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

/// What a document is called in which there is an error and nothing else.
const ERROR: &str = "stele/error@v1";

/// The report with its name, whether all is well, and the error's fields beside it.
fn document(schema: &str, report: Option<serde_json::Value>, failure: Option<&Failure>) -> serde_json::Value {
    let schema = if report.is_some() { schema } else { ERROR };
    let mut document = match report {
        Some(serde_json::Value::Object(fields)) => fields,
        Some(other) => serde_json::Map::from_iter([("report".to_owned(), other)]),
        None => serde_json::Map::new(),
    };
    document.insert("schema".into(), schema.into());
    document.insert("ok".into(), failure.is_none().into());
    if let Some(failure) = failure
        && let serde_json::Value::Object(error) = exit::json(failure.as_explain())
    {
        document.extend(error);
    }
    document.into()
}
