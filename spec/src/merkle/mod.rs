#![doc = include_str!("../../text/merkle.md")]

mod consistency;
mod frontier;
mod inclusion;
mod memory;
mod subtree;

pub use consistency::{ConsistencyError, ConsistencyProof, prove_consistency};
pub use frontier::Frontier;
pub use inclusion::{InclusionError, InclusionProof, prove_inclusion};
pub use memory::{MemoryTree, NoSuchNode};
pub use subtree::{SubtreeError, SubtreeProof, is_subtree, prove_subtree, subtree_root};

use crate::hash::{LeafHash, NodeHash, RootHash, sha256};

/// The most hashes in an inclusion or consistency proof: one a level, below 2^63 leaves.
pub const MAX_PROOF: usize = 63;

/// `SHA-256(0x00 || entry)` (RFC 6962 §2.1).
pub fn leaf_hash(entry: &[u8]) -> LeafHash {
    LeafHash::from_bytes(sha256(&[&[0x00], entry]))
}

/// `SHA-256(0x01 || left || right)` (RFC 6962 §2.1).
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    NodeHash::from_bytes(sha256(&[&[0x01], left.as_bytes(), right.as_bytes()]))
}

/// `SHA-256("")`: the root of the empty tree (RFC 6962 §2.1).
pub fn empty_root() -> RootHash {
    RootHash::from_bytes(sha256(&[]))
}

/// Where perfect subtrees come from: memory, tiles on disk, tiles from a mirror.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;

    /// The hash of the perfect subtree over entries `[index * 2^level, (index + 1) * 2^level)`.
    fn node(&self, level: u8, index: u64) -> Result<NodeHash, Self::Error>;
}

/// The root at `size`, from perfect subtrees.
pub fn root_at<N: Nodes>(nodes: &N, size: u64) -> Result<RootHash, N::Error> {
    if size == 0 {
        return Ok(empty_root());
    }
    range_hash(nodes, 0, size).map(|node| RootHash::from_bytes(*node.as_bytes()))
}

/// `MTH(D[start:end])` for a non-empty range whose start is a multiple of the largest power of two at most its length.
fn range_hash<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<NodeHash, N::Error> {
    let mut stack = Vec::new();
    let mut from = start;
    while from < end {
        let level = (63 - (end - from).leading_zeros()) as u8;
        stack.push(nodes.node(level, from >> level)?);
        from += 1 << level;
    }
    // The rightmost subtrees are the smallest: MTH folds them from the right.
    let mut hashes = stack.into_iter().rev();
    let last = hashes.next().unwrap_or(NodeHash::from_bytes(*empty_root().as_bytes()));
    Ok(hashes.fold(last, |right, left| node_hash(&left, &right)))
}

/// The largest power of two below `n`, for `n > 1`: where RFC 6962 splits a tree.
fn split_point(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

#[cfg(test)]
mod oracle;
