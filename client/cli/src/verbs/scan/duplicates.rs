//! The same bytes at several places of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use stele_spec::hash::Digest;

use super::row::Row;

/// Files of one digest that take room more than once. Links to one inode are one.
#[derive(Debug)]
pub(super) struct Duplicate {
    pub(super) sha256: Digest,
    pub(super) size: u64,
    /// One path for each inode.
    pub(super) paths: Vec<PathBuf>,
}

impl Duplicate {
    /// What removing all but one would free. Copies that share their blocks, as some file systems can, take less.
    pub(super) fn wasted(&self) -> u64 {
        let more = u64::try_from(self.paths.len()).unwrap_or(u64::MAX).saturating_sub(1);
        self.size.saturating_mul(more)
    }
}

/// Those of all rows, the largest waste first.
pub(super) fn of(rows: &[Row]) -> Vec<Duplicate> {
    let mut inodes: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut by_digest: BTreeMap<Digest, Duplicate> = BTreeMap::new();
    for copy in rows.iter().flat_map(|row| &row.copies) {
        let Ok(found) = std::fs::metadata(&copy.path) else { continue };
        if inodes.insert((found.dev(), found.ino())) {
            let new = || Duplicate { sha256: copy.sha256, size: copy.size, paths: Vec::new() };
            by_digest.entry(copy.sha256).or_insert_with(new).paths.push(copy.path.clone());
        }
    }
    let mut all: Vec<Duplicate> = by_digest.into_values().filter(|found| found.wasted() > 0).collect();
    all.sort_by_key(|found| std::cmp::Reverse(found.wasted()));
    all
}
