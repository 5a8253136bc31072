//! What is to replace a release must stand itself: a circle of replacements leads to no release that stands, and each of its statements is for ever.

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::name::Coordinate;
use stele_spec::statement::Supersede;
use stele_spec::status::History;

/// Refuses a replacement that is replaced or withdrawn.
pub(crate) fn check(record: &mut ProvenEntries, supersede: &Supersede) -> Result<(), Failure> {
    let by = &supersede.by.coordinate;
    let about = record.about(by)?;
    let history =
        History::fold(by, about.iter().map(|logged: &ProvenStatement| (logged.position(), logged.statement())));
    let state = match (history.withdrawal(), history.superseded_by()) {
        (Some(_), _) => "withdrawn".to_owned(),
        (None, Some((_, newer))) => format!("replaced by {}", newer.coordinate),
        (None, None) => return Ok(()),
    };
    Err(ReplacementGone { by: by.clone(), state }.into())
}

/// What is to replace a release does not stand itself.
#[derive(Debug, thiserror::Error)]
#[error("{by} cannot replace a release: it is {state}")]
pub(crate) struct ReplacementGone {
    by: Coordinate,
    state: String,
}

impl Explain for ReplacementGone {
    explain! {
        Self { by, state } => Exit::Refused, "replacement-gone",
            hint: "name the release that those who use the old one should take now: `stele history` of it says how it stands",
            facts: vec![
                ("expected", "a release that is neither replaced nor withdrawn".to_owned()),
                ("found", format!("{by}, {state}")),
            ];
    }
}
