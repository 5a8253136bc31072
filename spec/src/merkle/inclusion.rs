//! Inclusion proofs (RFC 6962 §2.1.1): made from the top, checked from the bottom.

use core::fmt;

use super::{MAX_PROOF, Nodes, node_hash, range_hash, split_point};
use crate::hash::{LeafHash, NodeHash, RootHash};

/// Makes `PATH(position, D[size])`.
pub fn prove_inclusion<N: Nodes>(
    nodes: &N,
    position: u64,
    size: u64,
) -> Result<InclusionProof, InclusionError<N::Error>> {
    if position >= size {
        return Err(InclusionError::OutOfRange { position, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split_point(end - start);
        let sibling = if position < middle { (middle, end) } else { (start, middle) };
        path.push(range_hash(nodes, sibling.0, sibling.1).map_err(InclusionError::Nodes)?);
        (start, end) = if position < middle { (start, middle) } else { (middle, end) };
    }
    path.reverse();
    Ok(InclusionProof { path })
}

/// A path of sibling hashes, from the leaf's to the root's child; not proven until it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    path: Vec<NodeHash>,
}

impl InclusionProof {
    /// Takes a path as it came; none if it is longer than a proof can be.
    pub fn from_path(path: Vec<NodeHash>) -> Option<Self> {
        (path.len() <= MAX_PROOF).then_some(Self { path })
    }

    /// The sibling hashes, from the leaf's to the root's child.
    pub fn path(&self) -> &[NodeHash] {
        &self.path
    }

    /// Checks that `leaf` is at `position` in the tree of `size` with `root` (RFC 9162 §2.1.3.2).
    pub fn check(&self, leaf: LeafHash, position: u64, size: u64, root: RootHash) -> Result<(), InclusionError> {
        let computed = self.root(leaf, position, size)?;
        if computed == root { Ok(()) } else { Err(InclusionError::Root { expected: root, computed }) }
    }

    /// Where the path leads from `leaf` at `position` in a tree of `size`. Whose root that is, something else must say.
    pub fn root(&self, leaf: LeafHash, position: u64, size: u64) -> Result<RootHash, InclusionError> {
        if position >= size {
            return Err(InclusionError::OutOfRange { position, size });
        }
        let (mut fn_, mut sn) = (position, size - 1);
        let mut hash = NodeHash::from(leaf);
        for sibling in &self.path {
            if sn == 0 {
                return Err(InclusionError::TooLong);
            }
            if fn_ & 1 == 1 || fn_ == sn {
                hash = node_hash(sibling, &hash);
                while fn_ & 1 == 0 && fn_ != 0 {
                    fn_ >>= 1;
                    sn >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            fn_ >>= 1;
            sn >>= 1;
        }
        if sn == 0 { Ok(RootHash::from_bytes(*hash.as_bytes())) } else { Err(InclusionError::TooShort) }
    }
}

/// Why there is no inclusion proof, or why one was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InclusionError<E = core::convert::Infallible> {
    /// A tree of this size has no such position.
    OutOfRange {
        /// The position asked for.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof has hashes left when the root is reached.
    TooLong,
    /// The proof ends before the root is reached.
    TooShort,
    /// The proof leads to another root.
    Root {
        /// The root of the tree head.
        expected: RootHash,
        /// Where the proof leads.
        computed: RootHash,
    },
    /// A subtree could not be had.
    Nodes(E),
}

impl<E: fmt::Display> fmt::Display for InclusionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { position, size } => write!(f, "a tree of {size} entries has no position {position}"),
            Self::TooLong => f.write_str("the inclusion proof has more hashes than its tree has levels"),
            Self::TooShort => f.write_str("the inclusion proof has fewer hashes than its tree has levels"),
            Self::Root { expected, computed } => {
                write!(f, "the inclusion proof leads to root {computed}, the tree head has {expected}")
            }
            Self::Nodes(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for InclusionError<E> {}
