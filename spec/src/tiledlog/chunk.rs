//! Entries of one bundle.

use crate::hash::LeafHash;

/// Consecutive entries that are known to be those of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The position of the first.
    pub first: u64,
    /// Their bytes: 1 to 256 of them.
    pub entries: Vec<Vec<u8>>,
    /// Their leaf hashes.
    pub leaves: Vec<LeafHash>,
}

impl Chunk {
    /// Position, leaf hash and bytes of each.
    pub fn iter(&self) -> impl Iterator<Item = (u64, LeafHash, &[u8])> {
        let entries = self.entries.iter().map(Vec::as_slice);
        (self.first..).zip(self.leaves.iter().copied()).zip(entries).map(|((at, leaf), entry)| (at, leaf, entry))
    }

    /// The position after the last.
    pub fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }
}
