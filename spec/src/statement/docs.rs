//! Further documents: each is there, or it is said why not.

use serde::{Deserialize, Serialize};

use super::Document;

/// The documents of the EU AI Act's Article 53 and others. Who gives one says of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// How it was built and what it can do.
    pub technical_report: Document,
    /// What the data is.
    pub data_card: Document,
    /// The public summary of the training content.
    pub training_data_summary: Document,
    /// How copyright is complied with.
    pub copyright_policy: Document,
    /// What it cannot do.
    pub limitations: Document,
    /// What changed about its safety, version by version.
    pub safety_changelog: Document,
}

impl Docs {
    /// Each document with the name of its field.
    pub fn entries(&self) -> [(&'static str, &Document); 6] {
        [
            ("technical_report", &self.technical_report),
            ("data_card", &self.data_card),
            ("training_data_summary", &self.training_data_summary),
            ("copyright_policy", &self.copyright_policy),
            ("limitations", &self.limitations),
            ("safety_changelog", &self.safety_changelog),
        ]
    }
}
