//! How `main` ends: the error is shown, and its exit code is returned.

use std::process::ExitCode;

use stele_explain::{Exit, Explain, json, text};

use crate::output;
use crate::schema::Schema;

/// Where an error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Voice {
    /// `error:`, facts and `hint:` on stderr.
    #[default]
    Text,
    /// One JSON object on stdout, so that `--json` always yields exactly one document there. It has the name of the program's error
    /// documents in `schema`, and `ok` is false.
    Json(Schema),
}

/// Ends `main`: writes the error, if there is one, and gives the exit code.
///
/// An error whose exit is [`Exit::Ok`] (the reader of stdout went away) is not written.
pub fn finish<E: Explain>(outcome: Result<(), E>, voice: Voice) -> ExitCode {
    let error = match outcome {
        Ok(()) => return Exit::Ok.into(),
        Err(error) if error.exit() == Exit::Ok => return Exit::Ok.into(),
        Err(error) => error,
    };
    match voice {
        Voice::Text => output::complain(&text(&error)),
        Voice::Json(schema) => {
            let mut document = json(&error);
            if let Some(fields) = document.as_object_mut() {
                fields.insert("schema".into(), schema.name().into());
                fields.insert("ok".into(), false.into());
            }
            let mut line = document.to_string();
            line.push('\n');
            if output::print(&line).is_err_and(|e| e.exit() != Exit::Ok) {
                output::complain(&text(&error));
            }
        }
    }
    error.exit().into()
}
