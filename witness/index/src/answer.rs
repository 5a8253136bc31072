//! What a request is answered with, as values.

use stele_spec::checkpoint::CheckpointError;
use stele_spec::indexcosigner::{MalformedRequest, RefusedStep};
use stele_witness_core::record::RecordError;
use stele_witness_core::state::StateError;
use stele_witness_core::wall_clock::ClockFault;

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
    /// 413: longer than a step of so many entries is.
    TooLong {
        /// The most bytes that may follow its head.
        most: usize,
    },
    /// 422: the step is refused.
    Refused(RefusedStep),
    /// 429: the log has used up its quota of the day; seconds to wait.
    TooOften(u64),
    /// 503: the request may be fine, this cosigner is not.
    Unavailable(Unavailable),
}

/// Why this cosigner cannot sign now.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// No cosignature can be dated now.
    #[error(transparent)]
    Clock(#[from] ClockFault),
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
            Self::TooLong { .. } => 413,
            Self::Refused(_) => 422,
            Self::TooOften(_) => 429,
            Self::Unavailable(_) => 503,
        }
    }
}

impl From<RefusedStep> for StepAnswer {
    fn from(refused: RefusedStep) -> Self {
        match refused {
            RefusedStep::NotTheLast { checked, .. } => Self::NotTheLast(checked),
            refused => Self::Refused(refused),
        }
    }
}
