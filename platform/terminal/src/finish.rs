//! How `main` ends: what a verb has to say is written, and the exit code is returned.

use std::process::ExitCode;

use serde_json::{Map, Value};
use stele_explain::{Exit, Explain, Failure, json, text};

use crate::output;
use crate::schema::Schema;
use crate::volume::{self, Volume};

/// What a verb has to say: the same data for a person and for a script.
#[derive(Debug, Default)]
pub struct Output {
    /// For a person, on stdout.
    pub text: String,
    /// For a script, on stdout with `--json`: the fields of the document. Null where the verb wrote the document piece by piece.
    pub json: Value,
    /// Why the process ends with another code than 0 although there is a report.
    pub failure: Option<Failure>,
}

impl Output {
    /// The same, and an error that the process ends with, if there is one.
    #[must_use]
    pub fn with_failure(self, failure: Option<impl Into<Failure>>) -> Self {
        Self { failure: failure.map(Into::into), ..self }
    }
}

/// Where all is well.
impl From<(String, Value)> for Output {
    fn from((text, json): (String, Value)) -> Self {
        Self { text, json, failure: None }
    }
}

/// How the outcome is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Voice {
    /// The text on stdout; `error:`, facts and `hint:` on stderr.
    #[default]
    Text,
    /// One JSON object on stdout, so that `--json` always yields exactly one document there.
    Json {
        /// The name of the verb's document. The fields of an error that the verb ends with stand in it beside the report.
        report: Schema,
        /// The name of the program's error documents, for an error without a report.
        error: Schema,
    },
}

impl Voice {
    /// JSON where it is asked for.
    pub const fn new(json: bool, report: Schema, error: Schema) -> Self {
        if json { Self::Json { report, error } } else { Self::Text }
    }
}

/// Ends `main`: writes the outcome of the verb, and gives the exit code.
///
/// An error whose exit is [`Exit::Ok`] (the reader of stdout went away) is not written.
pub fn finish(outcome: Result<Output, impl Into<Failure>>, voice: Voice) -> ExitCode {
    let (report, failure) = match outcome {
        Ok(Output { text, json, failure }) => (Some((text, json)), failure),
        Err(failure) => (None, Some(failure.into())),
    };
    let failure = failure.as_ref().map(Failure::as_explain);
    let written = match (voice, report) {
        (Voice::Text, Some((text, _))) if volume::volume() != Volume::Quiet => output::print(&text),
        (Voice::Text, _) | (Voice::Json { .. }, Some((_, Value::Null))) => Ok(()),
        (Voice::Json { report: schema, .. }, Some((_, fields))) => {
            output::print_json(&document(schema, fields, failure))
        }
        (Voice::Json { .. }, None) if failure.is_some_and(|error| error.exit() == Exit::Ok) => Ok(()),
        (Voice::Json { error: schema, .. }, None) => output::print_json(&document(schema, Value::Null, failure)),
    };
    match (written, failure) {
        (Err(error), _) if error.exit() != Exit::Ok => {
            output::complain(&text(&error));
            error.exit().into()
        }
        (_, Some(error)) => {
            if voice == Voice::Text && error.exit() != Exit::Ok {
                output::complain(&text(error));
            }
            error.exit().into()
        }
        (_, None) => Exit::Ok.into(),
    }
}

/// The fields with the document's name, whether all is well, the exit code, and the error's fields beside them.
pub fn document(schema: Schema, fields: Value, failure: Option<&dyn Explain>) -> Value {
    let mut document = match fields {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        other => Map::from_iter([("report".to_owned(), other)]),
    };
    // A report may have a name of its own: a rehearsal has one, whatever the verb.
    document.entry("schema").or_insert_with(|| schema.name().into());
    document.insert("ok".into(), failure.is_none().into());
    document.insert("exit".into(), Exit::Ok.number().into());
    if let Some(Value::Object(error)) = failure.map(json) {
        document.extend(error);
    }
    document.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stele_explain::explain;

    #[derive(Debug, thiserror::Error)]
    #[error("1 of 2 checks failed")]
    struct Unwell;

    impl Explain for Unwell {
        explain! { Self => Exit::Unavailable, "unwell", hint: "mend it"; }
    }

    const CHECK: Schema = Schema::new("tool/check@v1");

    #[test]
    fn the_report_stands_beside_the_error() {
        assert_eq!(
            document(CHECK, json!({"checks": [1, 2]}), Some(&Unwell)),
            json!({
                "schema": "tool/check@v1", "ok": false, "exit": Exit::Unavailable.number(), "checks": [1, 2],
                "error": "unwell", "message": "1 of 2 checks failed", "hint": "mend it",
            })
        );
        assert_eq!(
            document(CHECK, json!({"checks": []}), None),
            json!({"schema": "tool/check@v1", "ok": true, "exit": 0, "checks": []})
        );
    }

    #[test]
    fn an_error_alone_has_its_own_name_and_a_report_may_bring_one() {
        let alone = document(Schema::new("tool/error@v1"), Value::Null, Some(&Unwell));
        assert_eq!((&alone["schema"], &alone["ok"]), (&json!("tool/error@v1"), &json!(false)));
        let named = document(CHECK, json!({"schema": "tool/dry-run@v1"}), None);
        assert_eq!(named["schema"], "tool/dry-run@v1");
    }
}
