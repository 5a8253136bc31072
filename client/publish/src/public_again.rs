//! A stage that makes a withdrawn release public again takes the withdrawal back, and is meant or a slip.

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::name::Coordinate;
use stele_spec::statement::StageMove;
use stele_spec::status::History;

/// Refuses a stage that would take a withdrawal back.
pub(crate) fn check(record: &mut ProvenEntries, moved: &StageMove) -> Result<(), Failure> {
    if !moved.access.stage.is_public() {
        return Ok(());
    }
    let of = &moved.release.coordinate;
    let about = record.about(of)?;
    let history =
        History::fold(of, about.iter().map(|logged: &ProvenStatement| (logged.position(), logged.statement())));
    match history.withdrawal() {
        Some((entry, _)) => Err(TakesBack { of: of.clone(), entry, to: moved.access.stage.to_string() }.into()),
        None => Ok(()),
    }
}

/// The release is withdrawn, and the stage is a public one.
#[derive(Debug, thiserror::Error)]
#[error("{of} is withdrawn, and a move to {to} would take that back")]
pub(crate) struct TakesBack {
    of: Coordinate,
    entry: u64,
    to: String,
}

impl Explain for TakesBack {
    explain! {
        Self { entry, to, .. } => Exit::Refused, "takes-withdrawal-back",
            hint: "if it is to be used again, say so with --after-withdrawal; both stay in the log, and a verdict names both",
            facts: vec![
                ("expected", "a stage that is not public, of a release that is withdrawn".to_owned()),
                ("found", format!("{to}; withdrawn at entry {entry}")),
            ];
    }
}
