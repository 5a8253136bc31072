//! Consistency proofs (RFC 6962 §2.1.2): made from the top, checked from the bottom.

use core::fmt;

use super::{MAX_PROOF, Nodes, empty_root, node_hash, range_hash, split_point};
use crate::hash::{NodeHash, RootHash};

/// Makes `PROOF(old, D[new])`; empty where `old` is 0 or equals `new`.
pub fn prove_consistency<N: Nodes>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<ConsistencyProof, ConsistencyError<N::Error>> {
    if old > new {
        return Err(ConsistencyError::Shrinks { old, new });
    }
    if old == 0 || old == new {
        return Ok(ConsistencyProof { path: Vec::new() });
    }
    let hash = |start, end| range_hash(nodes, start, end).map_err(ConsistencyError::Nodes);
    // SUBPROOF(old, D[start:end], whole): descend to the smallest subtree of the new tree that ends at `old`.
    let (mut start, mut end) = (0, new);
    let mut path = Vec::new();
    while old != end {
        let middle = start + split_point(end - start);
        if old <= middle {
            path.push(hash(middle, end)?);
            end = middle;
        } else {
            path.push(hash(start, middle)?);
            start = middle;
        }
    }
    // The old tree itself is known to the checker; any other subtree is not.
    if start != 0 {
        path.push(hash(start, end)?);
    }
    path.reverse();
    Ok(ConsistencyProof { path })
}

/// Hashes that lead from an old root to a new one; not proven until they are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    path: Vec<NodeHash>,
}

impl ConsistencyProof {
    /// Takes a path as it came; none if it is longer than a proof can be.
    pub fn from_path(path: Vec<NodeHash>) -> Option<Self> {
        (path.len() <= MAX_PROOF).then_some(Self { path })
    }

    /// The hashes in the order of RFC 6962 §2.1.2.
    pub fn path(&self) -> &[NodeHash] {
        &self.path
    }

    /// Checks that the tree of `old` entries is the beginning of the tree of `new` (RFC 9162 §2.1.4.2).
    ///
    /// From size 0 and between equal sizes the proof is empty; the roots are compared with what they must be.
    pub fn check(&self, old: u64, old_root: RootHash, new: u64, new_root: RootHash) -> Result<(), ConsistencyError> {
        if old > new {
            return Err(ConsistencyError::Shrinks { old, new });
        }
        if old == 0 || old == new {
            if !self.path.is_empty() {
                return Err(ConsistencyError::NotEmpty { old, new });
            }
            let expected = if old == 0 { empty_root() } else { new_root };
            return if old_root == expected {
                Ok(())
            } else {
                Err(ConsistencyError::OldRoot { expected: old_root, computed: expected })
            };
        }
        let mut hashes = self.path.iter();
        // A perfect old tree is itself the first hash of the path, which then leaves it out.
        let first = if old.is_power_of_two() {
            NodeHash::from_bytes(*old_root.as_bytes())
        } else {
            *hashes.next().ok_or(ConsistencyError::TooShort)?
        };
        let (mut fn_, mut sn) = (old - 1, new - 1);
        while fn_ & 1 == 1 {
            fn_ >>= 1;
            sn >>= 1;
        }
        let (mut old_hash, mut new_hash) = (first, first);
        for hash in hashes {
            if sn == 0 {
                return Err(ConsistencyError::TooLong);
            }
            if fn_ & 1 == 1 || fn_ == sn {
                old_hash = node_hash(hash, &old_hash);
                new_hash = node_hash(hash, &new_hash);
                while fn_ & 1 == 0 && fn_ != 0 {
                    fn_ >>= 1;
                    sn >>= 1;
                }
            } else {
                new_hash = node_hash(&new_hash, hash);
            }
            fn_ >>= 1;
            sn >>= 1;
        }
        if sn != 0 {
            return Err(ConsistencyError::TooShort);
        }
        let computed = RootHash::from_bytes(*old_hash.as_bytes());
        if computed != old_root {
            return Err(ConsistencyError::OldRoot { expected: old_root, computed });
        }
        let computed = RootHash::from_bytes(*new_hash.as_bytes());
        if computed != new_root {
            return Err(ConsistencyError::NewRoot { expected: new_root, computed });
        }
        Ok(())
    }
}

/// Why there is no consistency proof, or why one was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsistencyError<E = core::convert::Infallible> {
    /// The old tree is larger than the new one.
    Shrinks {
        /// Size of the old tree.
        old: u64,
        /// Size of the new tree.
        new: u64,
    },
    /// A proof from size 0, or between equal sizes, has no hashes.
    NotEmpty {
        /// Size of the old tree.
        old: u64,
        /// Size of the new tree.
        new: u64,
    },
    /// The proof has hashes left when the root is reached.
    TooLong,
    /// The proof ends before the root is reached.
    TooShort,
    /// The proof does not lead to the old root: the history was rewritten.
    OldRoot {
        /// The root that was known.
        expected: RootHash,
        /// Where the proof leads.
        computed: RootHash,
    },
    /// The proof does not lead to the new root.
    NewRoot {
        /// The root of the new tree head.
        expected: RootHash,
        /// Where the proof leads.
        computed: RootHash,
    },
    /// A subtree could not be had.
    Nodes(E),
}

impl<E: fmt::Display> fmt::Display for ConsistencyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shrinks { old, new } => write!(f, "a tree of {new} entries cannot continue one of {old}"),
            Self::NotEmpty { old, new } => {
                write!(f, "a consistency proof from size {old} to size {new} has no hashes, found some")
            }
            Self::TooLong => f.write_str("the consistency proof has more hashes than its tree has levels"),
            Self::TooShort => f.write_str("the consistency proof has fewer hashes than its tree has levels"),
            Self::OldRoot { expected, computed } => {
                write!(f, "the consistency proof leads to old root {computed}, known is {expected}")
            }
            Self::NewRoot { expected, computed } => {
                write!(f, "the consistency proof leads to new root {computed}, the tree head has {expected}")
            }
            Self::Nodes(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ConsistencyError<E> {}
