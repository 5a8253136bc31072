//! Why a request to log something has no proof.

use stele_log_core::submission::Unavailable;
use stele_log_core::submit_error::SubmitError;
use stele_serve::Unread;
use stele_spec::submission::Malformed;

/// Why a request has no proof.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Not received.
    #[error("the request was not received: {0}")]
    Unread(#[from] Unread),
    /// Not a statement with its manifest.
    #[error("not a statement with its manifest: {0}")]
    NotASubmission(#[from] Malformed),
    /// The log has not taken it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<Unavailable> for IntakeError {
    fn from(error: Unavailable) -> Self {
        Self::Submit(error.into())
    }
}
