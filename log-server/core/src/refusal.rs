//! Why this log does not let a statement in.

use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;
use stele_spec::registration;

/// Why a statement is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionRefusal {
    /// The operator does not let this name, or this key, in.
    #[error("the claim of {publisher} by key {kid} is not on this log's list")]
    ClaimNotAllowed {
        /// The name.
        publisher: Publisher,
        /// The claim's signer.
        kid: KeyId,
    },
    /// No honest log lets it in.
    #[error(transparent)]
    Registration(#[from] registration::Refusal),
}

impl AdmissionRefusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClaimNotAllowed { .. } => "claim-not-allowed",
            Self::Registration(refusal) => refusal.code(),
        }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ClaimNotAllowed { .. } => "ask the operator of the log to put the name and the key on its list",
            Self::Registration(refusal) => refusal.hint(),
        }
    }

    /// The entry that stands in the way, if it is one.
    pub fn existing(&self) -> Option<u64> {
        match self {
            Self::ClaimNotAllowed { .. } => None,
            Self::Registration(refusal) => refusal.existing(),
        }
    }
}
