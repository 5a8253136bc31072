//! A whole tree in memory, for tests and for small trees that come over the wire.

use core::fmt;

use super::{Nodes, node_hash};
use crate::hash::{LeafHash, NodeHash};

/// Every perfect subtree of a tree: about 64 bytes a leaf.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<NodeHash>>,
}

impl MemoryTree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Appends one leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        let mut node = NodeHash::from(leaf);
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(nodes) = self.levels.get_mut(level) else { return };
            nodes.push(node);
            match nodes.as_slice() {
                [.., left, right] if nodes.len().is_multiple_of(2) => node = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }
}

impl Nodes for MemoryTree {
    type Error = NoSuchNode;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, NoSuchNode> {
        let nodes = self.levels.get(usize::from(level)).ok_or(NoSuchNode { level, index })?;
        let position = usize::try_from(index).map_err(|_| NoSuchNode { level, index })?;
        nodes.get(position).copied().ok_or(NoSuchNode { level, index })
    }
}

/// The tree is smaller than the subtree that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchNode {
    /// Height of the subtree.
    pub level: u8,
    /// Its number among the subtrees of that height.
    pub index: u64,
}

impl fmt::Display for NoSuchNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tree has no complete subtree {} of height {}", self.index, self.level)
    }
}

impl core::error::Error for NoSuchNode {}
