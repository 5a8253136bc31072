//! The right edge of a tree: all that is needed to append to it and to know its root.

use super::{empty_root, node_hash};
use crate::hash::{LeafHash, NodeHash, RootHash};

/// The hashes of the perfect subtrees of a tree, largest first: at most 64 of them at any size.
///
/// Invariant: there is one hash for each bit set in `size`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<NodeHash>,
}

impl Frontier {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// A frontier of `size` leaves from its peaks, largest first; none if their number is not that of the bits set.
    pub fn from_parts(size: u64, peaks: Vec<NodeHash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        let mut node = NodeHash::from(leaf);
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, largest first.
    pub fn peaks(&self) -> &[NodeHash] {
        &self.peaks
    }

    /// The root of the tree.
    pub fn root(&self) -> RootHash {
        RootHash::from_bytes(*self.node_root().as_bytes())
    }

    /// The root as an untyped node, for trees that are not the log's.
    pub fn node_root(&self) -> NodeHash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return NodeHash::from_bytes(*empty_root().as_bytes()) };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}
