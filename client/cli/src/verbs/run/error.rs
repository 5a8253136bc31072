//! Why there is nothing to run, or nothing to verify.

use stele_explain::{Exit, Explain, explain};

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("no model is named")]
    NoModel,
    #[error("no command is named")]
    NoCommand,
    #[error("{path} is a release.stele, and no model")]
    NoFiles { path: String },
    #[error("one view would cover {outer} and {inner}")]
    OneInAnother { outer: String, inner: String },
}

impl Explain for RunError {
    explain! {
        Self::NoModel => Exit::Usage, "no-model",
            hint: "--models PATH names it; without that an argument of the command must be the path of a folder with release.stele, or of a file in one",
            "expected": "a model that can be verified", "found": "none";
        Self::NoCommand => Exit::Usage, "usage", hint: "stele run --models ./model -- COMMAND";
        Self::NoFiles { .. } => Exit::BadInput, "no-model", hint: "name the folder that it lies in";
        Self::OneInAnother { .. } => Exit::Usage, "one-in-another",
            hint: "name the outer folder alone; of a repository in the hub's cache, one snapshot";
    }
}
