//! Why a log's state cannot be decided on, and what its operator can do.

use std::path::PathBuf;

use stele_durable::DurableError;
use stele_durable::compare_and_swap::CasError;
use stele_explain::{Exit, Explain, explain};
use stele_spec::checkpoint::Origin;

use crate::record::RecordError;

/// Why there is no state to decide on.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Neither added by `logs add` nor known to us.
    #[error("{origin} has no mark {}: it was not added by `stele-witness logs add`, or its mark was removed", .mark.display())]
    NoMark {
        /// The log.
        origin: Origin,
        /// Where its mark belongs.
        mark: PathBuf,
    },
    /// The file is gone.
    #[error("the state of {origin} is missing: {}", .path.display())]
    Missing {
        /// The log.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// The size that the mark knows of.
        marked: u64,
    },
    /// The file is older than the mark.
    #[error("the state of {origin} is older than what this witness has signed: {}", .path.display())]
    Older {
        /// The log.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// The size and time in the file.
        found: (u64, u64),
        /// The size and time in the mark.
        marked: (u64, u64),
    },
    /// The file is not what the mark says, and not older.
    #[error("the state of {origin} and its mark contradict each other: {} and {}", .path.display(), .mark.display())]
    Contradiction {
        /// The log.
        origin: Origin,
        /// The state's file.
        path: PathBuf,
        /// The mark's file.
        mark: PathBuf,
        /// The size and time in the state.
        found: (u64, u64),
        /// The size and time in the mark.
        marked: (u64, u64),
    },
    /// What is there is not ours to go on from.
    #[error("{}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: RecordError,
    },
    /// The mark's file is not a mark.
    #[error("{} is not a mark of this program", .path.display())]
    NotAMark {
        /// The file.
        path: PathBuf,
    },
    /// What was to be adopted is older than what we know.
    #[error("the checkpoint of {origin} is older than what this witness has signed")]
    AdoptsOlder {
        /// The log.
        origin: Origin,
        /// The size and time offered.
        offered: (u64, u64),
        /// The size and time known.
        known: (u64, u64),
    },
    /// An earlier error, after which nothing is signed.
    #[error("this witness has stopped cosigning {origin}: {reason}")]
    Stopped {
        /// The log.
        origin: Origin,
        /// What happened.
        reason: String,
    },
    /// The machine failed.
    #[error(transparent)]
    Swap(#[from] CasError),
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl StateError {
    /// Whether there was no room: nothing was lost.
    pub(super) fn is_disk_full(&self) -> bool {
        matches!(self, Self::Durable(error) | Self::Swap(CasError::Durable(error)) if error.is_disk_full())
    }

    /// Whether only a person can go on from here. A full disk is no such case: old content is intact.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Durable(error) | Self::Swap(CasError::Durable(error)) => error.is_sync_failure(),
            _ => true,
        }
    }
}

/// The two ways out when the state cannot be trusted.
const WAYS_OUT: &str = "going on from here could cosign a fork. Either find the newest checkpoint that carries this \
    witness's cosignature (the log serves one at /checkpoint; the mark holds one as well) and run `stele-witness logs \
    adopt DIR --checkpoint FILE`; or retire this key: `stele-witness init` a new folder with a new name and tell those who \
    list the old one. Never put an older copy back";

impl Explain for StateError {
    explain! {
        Self::NoMark { .. } => Exit::Inconsistent, "mark-missing", hint: WAYS_OUT;
        Self::Missing { marked, .. } => Exit::Inconsistent, "state-missing", hint: WAYS_OUT,
            "signed": format!("size {marked}");
        Self::Older { found, marked, .. } => Exit::Inconsistent, "state-older", hint: WAYS_OUT,
            "signed": head(*marked), "found": head(*found);
        Self::Contradiction { found, marked, .. } => Exit::Inconsistent, "state-contradicts-mark", hint: WAYS_OUT,
            "signed": head(*marked), "found": head(*found);
        Self::Unreadable { .. } => Exit::Inconsistent, "state-unreadable", hint: WAYS_OUT;
        Self::NotAMark { .. } => Exit::Inconsistent, "not-a-mark", hint: WAYS_OUT;
        Self::AdoptsOlder { offered, known, .. } => Exit::Inconsistent, "adopts-older",
            hint: "look for a newer checkpoint that carries this witness's cosignature",
            "signed": head(*known), "offered": head(*offered);
        Self::Stopped { .. } => Exit::Inconsistent, "stopped",
            hint: "look at the reason, mend it, then start the witness again";
        Self::Swap(error) => error;
        Self::Durable(error) => error;
    }
}

fn head((size, time): (u64, u64)) -> String {
    format!("size {size}, signed at {time}")
}
