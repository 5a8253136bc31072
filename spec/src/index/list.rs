//! A list of pointers under one key, as the log keeps it: where the entries are, and the frontier to go on from.
//!
//! The pointers themselves are not kept: their leaf hashes are in the log's own tiles. A list of one entry is kept with no
//! frontier: its root is the one pointer's hash.

use crate::hash::{LeafHash, ListRoot, NodeHash};
use crate::merkle::Frontier;

/// The list of a key that has more than one entry.
#[derive(Debug, Default)]
pub(super) struct List {
    positions: Vec<u64>,
    /// Of the frontier, whose size is the number of positions.
    peaks: Box<[NodeHash]>,
}

impl List {
    /// The positions of the entries listed, ascending.
    pub(super) fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// The frontier.
    pub(super) fn frontier(&self) -> Frontier {
        Frontier::from_parts(self.positions.len() as u64, self.peaks.to_vec()).unwrap_or_default()
    }

    /// Adds entries at these positions, after whose pointers the frontier is this.
    pub(super) fn extend(&mut self, positions: impl IntoIterator<Item = u64>, frontier: &Frontier) {
        for position in positions {
            // A quarter more, and not twice as much: there are many lists, and most of them are short.
            if self.positions.len() == self.positions.capacity() {
                self.positions.reserve_exact(self.positions.len() / 4 + 1);
            }
            self.positions.push(position);
        }
        self.peaks = frontier.peaks().into();
    }

    /// Goes back to an older frontier, and to as many positions as it has pointers.
    pub(super) fn truncate(&mut self, frontier: &Frontier) {
        self.positions.truncate(usize::try_from(frontier.size()).unwrap_or(usize::MAX));
        self.peaks = frontier.peaks().into();
    }
}

/// The frontier of a list of one entry, which has this root: a tree of one leaf has that leaf's hash as its root.
pub(super) fn frontier_of_one(root: ListRoot) -> Frontier {
    let mut frontier = Frontier::new();
    frontier.push(LeafHash::from_bytes(*root.as_bytes()));
    frontier
}
