//! What is wrong with a state.

use std::path::PathBuf;

use stele_explain::{Exit, Explain, explain};

/// A state that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// A file that this program did not write so.
    #[error("the monitor's state is damaged: {} is no part of it: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A remembered head that the log did not sign.
    #[error(
        "the monitor's state is damaged: the newest tree head that it remembers of {origin} is not one that the log signed"
    )]
    Head {
        /// The log.
        origin: String,
        /// Where the head is kept.
        kept: PathBuf,
    },
    /// A file that would not be read again.
    #[error("{} would have {size} bytes, more than the {limit} that are read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl Explain for StateError {
    explain! {
        Self::Malformed { .. } => Exit::Io, "monitor-state-malformed",
            hint: "the log is not at fault. Restore the file from a backup, or remove it: then what it held is forgotten, the newest tree head of a log or an event that waits";
        Self::Head { kept, .. } => Exit::Io, "monitor-state-malformed",
            hint: format!(
                "this says nothing about the log: the tree head is set aside as {}, and the next round begins with what the log shows. Check this machine's disk",
                kept.display()
            );
        Self::TooLarge { .. } => Exit::Io, "monitor-state-too-large",
            hint: "watch less with this monitor, or divide what is watched between several";
    }
}
