//! A newer release replaces this one. The old one stays what it was.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Approval, FieldError, LoggedRelease, Prose, PublisherName, Timestamp};
use crate::canonical::vocabulary;
use crate::hash::Digest;

vocabulary! {
    /// The kind of this statement.
    pub enum SupersedeKind {
        /// The only word.
        Supersede = "supersede",
    }
}

/// Another coordinate replaces this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supersede {
    /// `supersede`.
    pub kind: SupersedeKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The weights digest of the release that is replaced, once more.
    pub weights_digest: Digest,
    /// Why.
    pub reason: Prose,
    /// Who speaks: the publisher of the release that is replaced.
    pub publisher: PublisherName,
    /// Which release is replaced.
    pub release: LoggedRelease,
    /// What replaces it, whoever published that.
    pub by: LoggedRelease,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Supersede {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.own(&self.publisher, &self.release);
        if self.by.coordinate == self.release.coordinate {
            problems.push(FieldError::SupersedesItself);
        }
        problems.into_vec()
    }
}
