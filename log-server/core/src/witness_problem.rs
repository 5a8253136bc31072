//! Why there is no cosignature of a witness.

use crate::contract::cosigner::{Unreachable, WitnessResponse};
use stele_explain::printable::one_line;

/// The most characters of what a witness says that are passed on.
pub(crate) const MAX_WORDS: usize = 300;

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The policy does not say where it is.
    #[error("the policy names no address for it")]
    NoAddress,
    /// It has not answered yet.
    #[error("no answer yet")]
    Waiting,
    /// Nobody answers, or not in time.
    #[error("{}", .0.why)]
    Unreachable(Unreachable),
    /// It does not know the log or its key.
    #[error("it does not know this log or its key (status {status})")]
    Unknown {
        /// 403 or 404.
        status: u16,
    },
    /// It says that it has cosigned more than this log signed.
    #[error("it says that it has cosigned a tree of {size} entries, more than this log has signed, and shows none")]
    Ahead {
        /// The size.
        size: u64,
    },
    /// What it serves as our newest checkpoint is none.
    #[error("what it serves as the newest checkpoint of this log is none: {0}")]
    NoCheckpoint(String),
    /// It holds another tree.
    #[error("it holds another tree of this log, or refuses the proof (status {status})")]
    Conflict {
        /// 409 or 422.
        status: u16,
    },
    /// 428: it is an index cosigner, and is to be brought steps.
    #[error("it wants the steps of the index (status 428)")]
    WantsSteps,
    /// An index cosigner refuses a step.
    #[error("it refuses the step from index entry to index entry: {said}")]
    Step {
        /// The beginning of what it said.
        said: String,
    },
    /// It is far behind, and another cosigner is caught up first.
    #[error(
        "it has checked {checked} entries, and is brought the others when another index cosigner has been brought its own"
    )]
    InLine {
        /// The size that it has checked, as far as is known.
        checked: u64,
    },
    /// It is far behind, and to catch it up failed a moment ago.
    #[error("it has checked {checked} entries, and is brought the others after a pause; the last time: {last}")]
    Pausing {
        /// The size that it has checked, as far as is known.
        checked: u64,
        /// What failed.
        last: Box<Problem>,
    },
    /// Another status.
    #[error("it answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// 503, and why.
    #[error("it answered with status 503: {said}")]
    Unwell {
        /// The first line of what it says.
        said: String,
    },
    /// 200 without a line of its own that verifies.
    #[error("its answer holds no valid cosignature: {0}")]
    NoCosignature(String),
    /// Our own tiles could not be read.
    #[error("no consistency proof could be made: {0}")]
    Proof(String),
}

impl Problem {
    /// What an answer comes to whose status says nothing more. A witness that is unwell says why.
    pub(crate) fn of_answer(answer: &WitnessResponse) -> Self {
        let line = answer.body.lines().next().unwrap_or_default();
        let said: String = one_line(line).chars().take(MAX_WORDS).collect();
        match answer.status {
            503 if !said.is_empty() => Self::Unwell { said },
            status => Self::Status { status },
        }
    }

    /// Whether it is the answer of an address that knows no `add-transition`.
    pub fn takes_no_steps(&self) -> bool {
        matches!(self, Self::Unknown { status: 404 } | Self::Status { status: 405 | 501 })
    }
}
