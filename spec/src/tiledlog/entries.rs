//! Entries in the order of the log, a bundle at a time.

use super::{Files, TiledLog, TiledLogError};
use crate::hash::LeafHash;
use crate::tile::TILE_WIDTH;

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

/// The chunks from a position to the end of the tree. After an error it ends; asking anew from the same position is
/// harmless.
#[derive(Debug)]
pub struct Entries<'a, F> {
    log: &'a TiledLog<F>,
    next: u64,
}

impl<'a, F> Entries<'a, F> {
    pub(super) const fn new(log: &'a TiledLog<F>, from: u64) -> Self {
        Self { log, next: from }
    }
}

impl<F: Files> Iterator for Entries<'_, F> {
    type Item = Result<Chunk, TiledLogError<F::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.next;
        if from >= self.log.size() {
            return None;
        }
        let width = u64::from(TILE_WIDTH);
        let read = self.log.bundle(from / width);
        self.next = match &read {
            Ok(chunk) => chunk.end(),
            Err(_) => self.log.size(),
        };
        Some(read.map(|mut chunk| {
            let skip = (from % width) as usize;
            chunk.entries.drain(..skip.min(chunk.entries.len()));
            chunk.leaves.drain(..skip.min(chunk.leaves.len()));
            chunk.first = from;
            chunk
        }))
    }
}
