//! Who can have the weights.

use serde::{Deserialize, Serialize};

use super::Date;
use crate::canonical::vocabulary;

vocabulary! {
    /// The stages of access, the narrowest first.
    pub enum Stage {
        /// Nobody outside.
        Internal = "internal",
        /// Evaluators who are trusted.
        TrustedEval = "trusted-eval",
        /// Some researchers.
        LimitedResearch = "limited-research",
        /// Anyone who passes a gate.
        GatedDownload = "gated-download",
        /// Anyone who wants, under terms.
        Broad = "broad",
        /// Anyone who wants.
        Open = "open",
    }
}

impl Stage {
    /// Whether copies are out that nobody can call back: from `gated-download` on.
    pub fn is_public(self) -> bool {
        self >= Self::GatedDownload
    }
}

/// The stage of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Which.
    pub stage: Stage,
    /// The first day of it.
    pub since: Date,
}
