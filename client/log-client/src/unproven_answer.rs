//! What a failure of asking a log means where the evidence stands without the answer.
//!
//! Two tree heads that cannot both be are signed, and a failure of this machine is no answer: both leave no verdict. Wrong bytes are
//! neither. Anybody between a reader and a log can send them, so that they take nothing from what was proven without them.

use std::error::Error;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_fetch::static_files::SourceError;
use stele_verify::VerifyError;

use crate::api::LogError;
use crate::list_proof::NameLookupError;
use crate::reader::ReadError;
use crate::statements::UnprovenStatement;

/// An answer that does not prove itself, of which nothing was used.
#[derive(Debug, thiserror::Error)]
#[error("the log's answer does not prove itself: {0}")]
pub struct UnprovenAnswer(Failure);

impl UnprovenAnswer {
    /// The failure to tell beside a verdict that is made without the answer; as an error the one that leaves no verdict.
    pub fn beside_verdict(failure: Failure) -> Result<Failure, Failure> {
        match failure.as_explain().exit() {
            Exit::Unavailable | Exit::NotComplete => Ok(failure),
            _ if !is_answer(&failure) => Err(failure),
            // A head that the policy refuses has a code of its own.
            Exit::QuorumMissing | Exit::BadSignature | Exit::WrongPolicy => Ok(failure),
            _ => Ok(Self(failure).into()),
        }
    }
}

/// Whether a failure is about bytes that came as an answer and that no key of the log makes its own.
fn is_answer(failure: &Failure) -> bool {
    let error: &(dyn Error + 'static) = failure.as_explain();
    if let Some(error) = error.downcast_ref::<ReadError>() {
        return match error {
            ReadError::NotAPrefix { .. } | ReadError::Durable(_) => false,
            ReadError::Source(error) => matches!(error, SourceError::TooLarge { .. }),
            _ => true,
        };
    }
    if let Some(error) = error.downcast_ref::<NameLookupError>() {
        return error.exit() != Exit::Inconsistent;
    }
    // The head of another log of the policy: what is asked here is not told by it.
    let is_other_log = matches!(error.downcast_ref::<VerifyError>(), Some(VerifyError::OtherLog { .. }));
    is_other_log || error.is::<LogError>() || error.is::<UnprovenStatement>()
}

impl Explain for UnprovenAnswer {
    explain! {
        Self(failure) => Exit::Unavailable, "log-answer-unproven",
            hint: "ask again, or at another address: the log, or something in front of it, sends other bytes than the tree head commits to",
            facts: failure.as_explain().facts();
    }
}
