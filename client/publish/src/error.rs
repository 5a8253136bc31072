//! A file of this machine that cannot be used.

use stele_explain::{Exit, Explain, Failure, explain};

/// A file on this machine that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("there is no {path}")]
    Missing {
        /// As it was named.
        path: String,
        /// What it should be.
        what: &'static str,
    },
    /// The machine failed to read it.
    #[error("cannot read {path}")]
    Read {
        /// As it was named.
        path: String,
        /// What the machine said.
        #[source]
        source: std::io::Error,
    },
    /// It is something else than it should be.
    #[error("{path} is not {what}: {problem}")]
    Malformed {
        /// As it was named.
        path: String,
        /// What it should be.
        what: &'static str,
        /// Where it is not.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// There is something in its place.
    #[error("{path} exists already")]
    Exists {
        /// As it was named.
        path: String,
        /// What to do.
        hint: &'static str,
    },
}

impl Explain for FileError {
    explain! {
        Self::Missing { what, .. } => Exit::BadInput, "file-missing", hint: format!("name {what}"),
            "expected": what, "found": "nothing";
        Self::Read { .. } => Exit::Io, "file-unreadable", hint: "check the owner and mode of the path";
        Self::Malformed { what, problem, hint, .. } => Exit::BadInput, "file-malformed", hint: *hint,
            "expected": what, "found": problem;
        Self::Exists { hint, .. } => Exit::BadInput, "file-exists", hint: *hint;
    }
}

/// Reads a whole file of at most `limit` bytes; `what` says what it should be.
pub fn read(path: &std::path::Path, limit: u64, what: &'static str) -> Result<Vec<u8>, Failure> {
    Ok(stele_verify::bounded_read::read(path, limit, what)?)
}
