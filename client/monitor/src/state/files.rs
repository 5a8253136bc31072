//! The files of a state: their names, and their encoding.

use serde::Serialize;

use super::error::StateError;

/// The file of everything that is of no log, no release and no event.
pub(super) const CORE: &str = "state.json";
/// What the field `format` of [`CORE`] says.
pub(super) const FORMAT: &str = "stele/monitor-state@v3";
/// The same of the version before, which kept neither older heads nor lists: it is read, and goes on.
pub(super) const FORMAT_BEFORE: &str = "stele/monitor-state@v2";
pub(super) fn event_file(number: u64) -> String {
    format!("waiting/{number:020}.json")
}

pub(super) fn encoded(content: &impl Serialize) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(content).map_err(|error| StateError::Malformed { path: CORE.into(), problem: error.to_string() })
}
