//! Access moved: wider, or narrower for those who have no copy yet.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Access, Approval, FieldError, Host, LoggedRelease, MAX_HOSTS, Prose, PublisherName, Timestamp, hosts};
use crate::canonical::vocabulary;
use crate::hash::Digest;

vocabulary! {
    /// The kind of this statement.
    pub enum StageKind {
        /// The only word.
        Stage = "stage",
    }
}

/// The stage of access of a release changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageMove {
    /// `stage`.
    pub kind: StageKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The weights digest of the release, once more.
    pub weights_digest: Digest,
    /// Why.
    pub reason: Prose,
    /// Who speaks: the release's publisher.
    pub publisher: PublisherName,
    /// Which release.
    pub release: LoggedRelease,
    /// The stage from now on.
    pub access: Access,
    /// Where its files can be had at this stage, if that changed too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<Host>>,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl StageMove {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.own(&self.publisher, &self.release);
        if let Some(hosts) = &self.hosts {
            problems.at_most("hosts", hosts, MAX_HOSTS);
            hosts::check_revisions(hosts, &mut problems);
        }
        problems.into_vec()
    }
}
