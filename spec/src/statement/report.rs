//! A result about exact bytes, by somebody else than their publisher.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Approval, Evaluation, FieldError, LoggedRelease, PublisherName, Timestamp, evaluation};
use crate::canonical::vocabulary;

vocabulary! {
    /// The kind of this statement.
    pub enum EvaluationKind {
        /// The only word.
        Evaluation = "evaluation",
    }
}

/// A third party's evaluation. The publisher's own are in the release and its amendments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationReport {
    /// `evaluation`.
    pub kind: EvaluationKind,
    /// When it was said.
    pub issued_at: Timestamp,
    /// Who speaks: not the release's publisher.
    pub publisher: PublisherName,
    /// Which release.
    pub release: LoggedRelease,
    /// The result; its subject is the weights digest of the release.
    pub evaluation: Evaluation,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl EvaluationReport {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        if self.publisher.name == self.release.coordinate.publisher {
            problems.push(FieldError::OwnRelease { publisher: self.publisher.name.clone() });
        }
        evaluation::check_one("evaluation", &self.evaluation, &mut problems);
        problems.into_vec()
    }
}
