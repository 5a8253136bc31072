//! What a request is answered with, as values: statuses are here, bodies and headers are the listener's.

use std::sync::Arc;

use crate::decide::Refusal;
use crate::record::RecordError;
use crate::request::RequestError;
use crate::signer::{KeyUnavailable, SignError};
use crate::state::StateError;
use crate::subtree::SubtreeRefusal;
use crate::wall_clock::ClockFault;

/// The answer to an add-checkpoint request.
#[derive(Debug)]
pub enum AddCheckpointAnswer {
    /// 200: recorded; our signature lines, each with its newline.
    Cosigned(String),
    /// 400: not a request.
    Malformed(RequestError),
    /// 400 to 422: c2sp.org/tlog-witness says no.
    Refused(Refusal),
    /// 429: the log has used up its quota of the day; seconds to wait.
    TooOften(u64),
    /// 503: the request may be fine, this witness is not.
    Unavailable(Unavailable),
}

/// Why a sign-subtree request has no signature for an answer.
#[derive(Debug)]
pub enum SubtreeAnswer {
    /// 400: not a request.
    Malformed(RequestError),
    /// 403 to 501.
    Refused(SubtreeRefusal),
    /// 429: as many subtrees of this log were signed as are signed a day; seconds to wait.
    TooOften(u64),
    /// 503: a bug of ours.
    Internal,
}

/// Why this witness cannot sign now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// No cosignature can be dated now.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// The state cannot be read or written.
    #[error("{0}")]
    State(Arc<StateError>),
    /// What we cosigned could not be read back.
    #[error("cosigned, but it does not verify: {0}")]
    Cosigning(RecordError),
    /// The key, which another program holds, has not signed.
    #[error("{0}")]
    Key(KeyUnavailable),
    /// A request ended without an answer: a bug of ours.
    #[error("internal error")]
    Internal,
}

impl From<RecordError> for Unavailable {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Sign(SignError::Key(error)) => Self::Key(error),
            error => Self::Cosigning(error),
        }
    }
}

impl AddCheckpointAnswer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Malformed(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::TooOften(_) => 429,
            Self::Unavailable(_) => 503,
        }
    }
}

impl SubtreeAnswer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::TooOften(_) => 429,
            Self::Internal => 503,
        }
    }
}
