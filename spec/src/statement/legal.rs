//! Claims under laws: each cites its jurisdiction and its day.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Date, Line, Prose};

/// The most legal claims of one release.
pub const MAX_LEGAL: usize = 64;

/// One claim under one law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalClaim {
    /// Where: `EU`, `US-CA`.
    pub jurisdiction: Line,
    /// Under which law.
    pub regime: Line,
    /// What is claimed.
    pub claim: Prose,
    /// As of which day.
    pub as_of: Date,
    /// The article or document it rests on.
    pub citation: Line,
}

pub(super) fn check(legal: &[LegalClaim], problems: &mut Problems) {
    problems.at_most("legal", legal, MAX_LEGAL);
}
