//! Staged batches on a disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test says what failed by failing"
)]

mod common;

use common::objects;
use stele_log_core::staged_batch::{StagedBatchError, StagedBatches};
use stele_spec::hash::RootHash;

#[test]
fn what_is_damaged_is_not_taken_for_a_batch() {
    let home = tempfile::tempdir().unwrap();
    let staging = StagedBatches::new(&objects(home.path()));
    let root = RootHash::from_bytes([7; 32]);
    let entries = [b"one".to_vec(), b"".to_vec()];
    let name = staging.put(3, 5, root, entries.iter().map(Vec::as_slice)).unwrap();
    let path = home.path().join("staged").join(&name);
    let good = std::fs::read(&path).unwrap();
    assert_eq!(staging.find(5, root).unwrap().unwrap().entries, entries);
    assert_eq!(staging.find(6, root).unwrap(), None);
    for damaged in [&good[1..], &good[..good.len() - 1], &[&good[..], b"x"].concat(), b"", b"stele/staged@v1\n"] {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(staging.find(5, root), Err(StagedBatchError::NotABatch { .. })));
    }
    staging.discard(&name).unwrap();
    staging.discard(&name).unwrap();
    assert!(staging.names().unwrap().is_empty());
}
