//! What a request is answered with, as values.

use stele_spec::checkpoint::CheckpointError;
use stele_spec::indexcosigner::{MalformedRequest, RefusedStep};
use stele_witness_core::record::RecordError;
use stele_witness_core::state::StateError;

/// The answer to `add-transition`.
#[derive(Debug)]
pub enum StepAnswer {
    /// 200: recorded; our signature lines, each with its newline.
    Cosigned(String),
    /// 202: checked so many entries; the log goes on from there.
    Checked(u64),
    /// 400: not a request.
    Malformed(MalformedRequest),
    /// 404: not a log of ours.
    UnknownLog,
    /// 403: no signature of a key that we trust for the log, or one that does not verify.
    Untrusted(CheckpointError),
    /// 409: another size was checked last.
    NotTheLast(u64),
    /// 422: the step is refused.
    Refused(RefusedStep),
    /// 503: the request may be fine, this cosigner is not.
    Unavailable(Unavailable),
}

/// Why this cosigner cannot sign now.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The clock is earlier than the last cosignature for this log, or says what no cosignature may say.
    #[error("the clock says {now}, the last cosignature for this log was made at {last}")]
    Clock {
        /// Now.
        now: u64,
        /// The time in the last cosignature.
        last: u64,
    },
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// What we cosigned could not be read back.
    #[error("cosigned, but it does not verify: {0}")]
    Signing(#[from] RecordError),
    /// A request ended without an answer: a bug of ours.
    #[error("internal error")]
    Internal,
}

impl StepAnswer {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Checked(_) => 202,
            Self::Malformed(_) => 400,
            Self::UnknownLog => 404,
            Self::Untrusted(_) => 403,
            Self::NotTheLast(_) => 409,
            Self::Refused(_) => 422,
            Self::Unavailable(_) => 503,
        }
    }
}
