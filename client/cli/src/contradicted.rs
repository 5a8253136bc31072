//! Errors that auditors would report of a release, before it is sent.

use std::collections::BTreeSet;

use stele_explain::{Exit, Explain, explain};
use stele_model_files::examine::ComputedClaims;
use stele_spec::finding::{Code, Finding, Severity};

/// How many of them a refusal shows.
const LISTED: usize = 20;

/// A release that auditors will call contradictory for as long as the log stands, and nobody said that this is meant.
#[derive(Debug, thiserror::Error)]
#[error("auditors would report errors of this release, for ever: {}; nothing was sent", .codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "))]
pub(crate) struct Contradicted {
    codes: BTreeSet<Code>,
    errors: Vec<String>,
}

impl Contradicted {
    /// The errors among the findings whose codes were not accepted, if there are any.
    pub(crate) fn by(examined: &ComputedClaims, accepted: &[Code]) -> Option<Self> {
        let is_open = |finding: &&Finding| finding.severity == Severity::Error && !accepted.contains(&finding.code);
        let open: Vec<&Finding> = examined.findings().iter().filter(is_open).collect();
        let errors = open.iter().map(|finding| format!("{}: {}", finding.code, finding.summary)).collect();
        let codes: BTreeSet<Code> = open.iter().map(|finding| finding.code).collect();
        (!codes.is_empty()).then_some(Self { codes, errors })
    }
}

impl Explain for Contradicted {
    explain! {
        Self { errors, .. } => Exit::BadInput, "contradicted",
            hint: "correct release.toml, or the files; where the record is meant to say this, --accept-finding CODE for each of them",
            facts: errors.iter().take(LISTED).map(|error| ("found", error.clone())).collect();
    }
}
