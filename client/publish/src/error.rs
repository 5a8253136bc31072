//! A file of this machine that cannot be used.

use stele_explain::{Exit, Explain, Failure};

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
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Malformed { .. } | Self::Exists { .. } => Exit::BadInput,
            Self::Read { .. } => Exit::Io,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "file-missing",
            Self::Read { .. } => "file-unreadable",
            Self::Malformed { .. } => "file-malformed",
            Self::Exists { .. } => "file-exists",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { what, .. } => Some(format!("name {what}")),
            Self::Read { .. } => Some("check the owner and mode of the path".into()),
            Self::Malformed { hint, .. } | Self::Exists { hint, .. } => Some((*hint).into()),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing { what, .. } => vec![("expected", (*what).into()), ("found", "nothing".into())],
            Self::Malformed { what, problem, .. } => vec![("expected", (*what).into()), ("found", problem.clone())],
            Self::Read { .. } | Self::Exists { .. } => Vec::new(),
        }
    }
}

/// Reads a whole file of at most `limit` bytes; `what` says what it should be.
pub fn read(path: &std::path::Path, limit: u64, what: &'static str) -> Result<Vec<u8>, Failure> {
    Ok(stele_verify::bounded_read::read(path, limit, what)?)
}
