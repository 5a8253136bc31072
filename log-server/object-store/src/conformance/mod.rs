//! What a back end must pass: one suite for a [bucket](crate::bucket::Bucket) as an [`ObjectStore`](crate::object_store::ObjectStore) uses it, one for
//! a [lock](crate::lock::Lock). Each row has a name and can fail.
//!
//! A test of a back end calls [`objects::run`] and [`lock::run`] and looks at what [`failures`] gives.

pub mod objects;

pub mod lock;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name, a sentence.
    pub row: &'static str,
    /// What was expected and what was found, where it failed.
    pub failed: Option<String>,
}

/// The rows that failed, a line each.
pub fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let line = |outcome: &Outcome| Some(format!("{}: {}", outcome.row, outcome.failed.as_ref()?));
    outcomes.iter().filter_map(line).collect()
}

/// Fails a row unless it holds.
fn expect(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}
