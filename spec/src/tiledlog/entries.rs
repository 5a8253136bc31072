//! Entries in the order of the log, a bundle at a time.

use super::chunk::Chunk;
use super::tree::TiledLog;
use super::{Files, TiledLogError};
use crate::tile::TILE_WIDTH;

/// The chunks from a position to the end of the tree. After an error it ends; asking anew from the same position is
/// harmless.
#[derive(Debug)]
pub struct Entries<'a, F> {
    log: &'a TiledLog<F>,
    next: u64,
}

impl<F: Files> TiledLog<F> {
    /// The entries from a position to the end, in checked chunks.
    pub const fn entries(&self, from: u64) -> Entries<'_, F> {
        Entries { log: self, next: from }
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
