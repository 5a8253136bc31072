//! What protects users and others, and whether it travels with the weights.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Document, FieldError, Slug};
use crate::canonical::{FieldPath, vocabulary};
use crate::manifest::FilePath;

/// The most safeguards of one release.
pub const MAX_SAFEGUARDS: usize = 64;

vocabulary! {
    /// The kinds of safeguards.
    pub enum SafeguardType {
        /// In the weights.
        RefusalTuning = "refusal-tuning",
        /// Looks at what goes in.
        InputClassifier = "input-classifier",
        /// Looks at what comes out.
        OutputClassifier = "output-classifier",
        /// Instructions before the user's.
        SystemPrompt = "system-prompt",
        /// Limits what is looked up.
        RetrievalConstraint = "retrieval-constraint",
        /// Limits how often.
        RateLimit = "rate-limit",
        /// People or programs that watch use.
        UsageMonitoring = "usage-monitoring",
        /// Anything else.
        Other = "other",
    }
}

/// The safety report and the safeguards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// The report, or why there is none.
    pub report: Document,
    /// The safeguards that results were got with, or that users are told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<Safeguard>,
}

/// One safeguard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safeguard {
    /// Its name within the release.
    pub id: Slug,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: SafeguardType,
    /// Whether somebody who has the files has it.
    pub travels: bool,
    /// The file that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
}

impl Safety {
    /// `prefix` is where an amendment has it, or nothing.
    pub(super) fn check(&self, prefix: &str, problems: &mut Problems) {
        let list = format!("{prefix}safety.safeguards");
        problems.at_most(&list, &self.safeguards, MAX_SAFEGUARDS);
        problems.different(&list, self.safeguards.iter().map(|safeguard| &safeguard.id));
        for (position, safeguard) in self.safeguards.iter().enumerate() {
            if safeguard.file.is_some() && !safeguard.travels {
                let path = FieldPath::new(format!("{list}[{position}].travels"));
                problems.push(FieldError::SafeguardFileStays { path });
            }
        }
    }
}
