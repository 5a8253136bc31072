//! What a verb has to say, for a person and for a script.

use stele_explain::Failure;

/// What a verb has to say: the same data for a person and for a script.
#[derive(Debug, Default)]
pub struct Output {
    /// For a person, on stdout.
    pub text: String,
    /// For a script, on stdout with `--json`.
    pub json: serde_json::Value,
    /// Why the process ends with another code than 0 although there is a report.
    pub failure: Option<Failure>,
}
