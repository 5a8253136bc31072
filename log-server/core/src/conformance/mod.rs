//! What a storage must pass: one suite for each of the two contracts of a log's storage. Each row has a name and can fail.
//!
//! A test of a back end calls [`objects::run`] and [`head_store::run`] with a function that opens an empty one, and looks at what [`failures`] gives.

pub mod objects;

pub mod head_store;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{MemoryHeadStore, MemoryObjects};
    use std::sync::Arc;

    #[test]
    fn the_memory_keeps_both_contracts() {
        assert_eq!(failures(&objects::run(&|| Arc::new(MemoryObjects::default()))), Vec::<String>::new());
        assert_eq!(failures(&head_store::run(&|| Box::new(MemoryHeadStore::default()))), Vec::<String>::new());
    }
}
