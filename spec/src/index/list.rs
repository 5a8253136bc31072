//! The list of pointers under one key, as the log keeps it: where the entries are, and the frontier to go on from.
//!
//! The pointers themselves are not kept: their leaf hashes are in the log's own tiles. Most keys have one pointer,
//! and such a list is a position and nothing else, since its root is the one pointer's hash.

use crate::hash::LeafHash;
use crate::merkle::Frontier;

use super::listing::Value;

/// A list of at least one pointer.
#[derive(Debug)]
pub(super) enum List {
    /// The position of the only one.
    One(u64),
    /// Two or more.
    Many(Box<Many>),
}

#[derive(Debug)]
pub(super) struct Many {
    positions: Vec<u64>,
    frontier: Frontier,
}

impl List {
    /// A list of the entries at these positions, whose pointers have this frontier.
    pub(super) fn new(positions: Vec<u64>, frontier: Frontier) -> Self {
        match positions.as_slice() {
            [position] => Self::One(*position),
            _ => Self::Many(Box::new(Many { positions, frontier })),
        }
    }

    /// The positions of the entries listed, ascending.
    pub(super) fn positions(&self) -> &[u64] {
        match self {
            Self::One(position) => core::slice::from_ref(position),
            Self::Many(many) => &many.positions,
        }
    }

    /// The frontier of the list, which has this value.
    pub(super) fn frontier(&self, value: &Value) -> Frontier {
        match self {
            // A tree of one leaf has that leaf's hash as its root.
            Self::One(_) => {
                let mut frontier = Frontier::new();
                frontier.push(LeafHash::from_bytes(*value.root.as_bytes()));
                frontier
            }
            Self::Many(many) => many.frontier.clone(),
        }
    }

    /// Adds entries at these positions, after whose pointers the frontier is this.
    pub(super) fn extend(&mut self, positions: impl IntoIterator<Item = u64>, frontier: Frontier) {
        let mut all = self.take();
        all.extend(positions);
        *self = Self::new(all, frontier);
    }

    /// Goes back to an older frontier, and to as many positions as it has pointers.
    pub(super) fn truncate(&mut self, frontier: Frontier) {
        let mut all = self.take();
        all.truncate(usize::try_from(frontier.size()).unwrap_or(usize::MAX));
        *self = Self::new(all, frontier);
    }

    fn take(&mut self) -> Vec<u64> {
        match self {
            Self::One(position) => vec![*position],
            Self::Many(many) => core::mem::take(&mut many.positions),
        }
    }
}
