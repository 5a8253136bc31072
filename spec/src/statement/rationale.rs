//! Why public weights are justified.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Prose, Reference};

/// The most reasons in each list.
pub const MAX_REASONS: usize = 32;

/// The reasons of a release; none of the lists is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rationale {
    /// What good is expected.
    pub benefits: Vec<Prose>,
    /// What harm was considered.
    pub risks: Vec<Prose>,
    /// Which other ways to release it were rejected, and why.
    pub alternatives_rejected: Vec<Prose>,
    /// The whole argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Reference>,
}

impl Rationale {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (path, reasons) in [
            ("rationale.benefits", &self.benefits),
            ("rationale.risks", &self.risks),
            ("rationale.alternatives_rejected", &self.alternatives_rejected),
        ] {
            problems.at_least_one(path, reasons);
            problems.at_most(path, reasons, MAX_REASONS);
        }
    }
}
