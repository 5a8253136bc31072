//! Parts of a tree and their consistency with the whole (draft-ietf-plants-merkle-tree-certs-03 §4.1 and §4.4, which
//! c2sp.org/tlog-witness uses for `sign-subtree`).

use core::fmt;

use super::{MAX_PROOF, Nodes, node_hash, range_hash, split_point};
use crate::hash::{NodeHash, RootHash};

/// Whether `[start, end)` is a part of a tree that some inner node covers from its left end: not empty, and `start` a
/// multiple of the smallest power of two that is not below its length (§4.1).
pub const fn is_subtree(start: u64, end: u64) -> bool {
    if start >= end {
        return false;
    }
    // Above 2^63 entries there is no such power of two, and only the part from 0 is one.
    match (end - start).checked_next_power_of_two() {
        Some(ceiling) => start & (ceiling - 1) == 0,
        None => start == 0,
    }
}

/// `MTH(D[start:end])` of a part of a tree.
pub fn subtree_root<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<RootHash, SubtreeError<N::Error>> {
    if !is_subtree(start, end) {
        return Err(SubtreeError::NotOne { start, end });
    }
    let hash = range_hash(nodes, start, end).map_err(SubtreeError::Nodes)?;
    Ok(RootHash::from_bytes(*hash.as_bytes()))
}

/// Makes `SUBTREE_PROOF(start, end, D[size])` (§4.4.1). From 0 it is the consistency proof of RFC 6962.
pub fn prove_subtree<N: Nodes>(
    nodes: &N,
    start: u64,
    end: u64,
    size: u64,
) -> Result<SubtreeProof, SubtreeError<N::Error>> {
    within(start, end, size)?;
    let hash = |start, end| range_hash(nodes, start, end).map_err(SubtreeError::Nodes);
    let (mut left, mut right) = (0, size);
    let mut whole = true;
    let mut path = Vec::new();
    // Descend to what `[start, end)` and `[left, right)` share at the right end.
    while !(start <= left && right == end) {
        let middle = left + split_point(right - left);
        if end <= middle {
            path.push(hash(middle, right)?);
            right = middle;
        } else {
            // What is left of the middle is outside the part, or within it and then not known by itself.
            whole &= middle <= start;
            path.push(hash(left, middle)?);
            left = middle;
        }
    }
    if !whole {
        path.push(hash(left, right)?);
    }
    path.reverse();
    Ok(SubtreeProof { path })
}

/// Hashes that lead from a part of a tree to its root; not proven until they are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtreeProof {
    path: Vec<NodeHash>,
}

impl SubtreeProof {
    /// Takes a path as it came; none if it is longer than a proof can be.
    pub fn from_path(path: Vec<NodeHash>) -> Option<Self> {
        (path.len() <= MAX_PROOF).then_some(Self { path })
    }

    /// The hashes in the order of §4.4.1.
    pub fn path(&self) -> &[NodeHash] {
        &self.path
    }

    /// Checks that the part `[start, end)` with hash `part` belongs to the tree of `size` entries with root `root`.
    pub fn check(
        &self,
        start: u64,
        end: u64,
        part: RootHash,
        size: u64,
        root: RootHash,
    ) -> Result<(), SubtreeError<core::convert::Infallible>> {
        within(start, end, size)?;
        let known = NodeHash::from_bytes(*part.as_bytes());
        let (found, whole) = rebuild(start, end, size, &self.path, Some(known)).ok_or(SubtreeError::Length)?;
        let computed = RootHash::from_bytes(*found.as_bytes());
        if computed != part {
            return Err(SubtreeError::Part { expected: part, computed });
        }
        let computed = RootHash::from_bytes(*whole.as_bytes());
        if computed != root {
            return Err(SubtreeError::Root { expected: root, computed });
        }
        Ok(())
    }
}

/// The hashes of the part and of the whole that follow from a path, whose last hash is the nearest to the root; at most one step a
/// level of the tree. `known` is the part's hash for as long as the path has not entered it.
fn rebuild(
    start: u64,
    end: u64,
    size: u64,
    path: &[NodeHash],
    known: Option<NodeHash>,
) -> Option<(NodeHash, NodeHash)> {
    if start == 0 && end == size {
        let hash = match (known, path) {
            (Some(hash), []) => hash,
            (None, [hash]) => *hash,
            _ => return None,
        };
        return Some((hash, hash));
    }
    let (sibling, rest) = path.split_last()?;
    let middle = split_point(size);
    if end <= middle {
        let (part, left) = rebuild(start, end, middle, rest, known)?;
        Some((part, node_hash(&left, sibling)))
    } else if middle <= start {
        let (part, right) = rebuild(start - middle, end - middle, size - middle, rest, known)?;
        Some((part, node_hash(sibling, &right)))
    } else {
        // A part that reaches over the middle starts at 0, and its left half is the sibling.
        let (part, right) = rebuild(0, end - middle, size - middle, rest, None)?;
        Some((node_hash(sibling, &part), node_hash(sibling, &right)))
    }
}

fn within<E>(start: u64, end: u64, size: u64) -> Result<(), SubtreeError<E>> {
    if !is_subtree(start, end) {
        return Err(SubtreeError::NotOne { start, end });
    }
    if end > size { Err(SubtreeError::Beyond { end, size }) } else { Ok(()) }
}

/// Why a part of a tree has no hash or proof, or why a proof was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubtreeError<E = core::convert::Infallible> {
    /// `[start, end)` is no part that an inner node covers.
    NotOne {
        /// The first entry.
        start: u64,
        /// One beyond the last.
        end: u64,
    },
    /// The part ends beyond the tree.
    Beyond {
        /// One beyond its last entry.
        end: u64,
        /// Entries of the tree.
        size: u64,
    },
    /// The proof has more or fewer hashes than lie between the part and the root.
    Length,
    /// The proof does not lead to the hash of the part.
    Part {
        /// The hash that was claimed.
        expected: RootHash,
        /// Where the proof leads.
        computed: RootHash,
    },
    /// The proof does not lead to the root.
    Root {
        /// The root of the tree.
        expected: RootHash,
        /// Where the proof leads.
        computed: RootHash,
    },
    /// A node could not be had.
    Nodes(E),
}

impl<E: fmt::Display> fmt::Display for SubtreeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOne { start, end } => write!(
                f,
                "[{start}, {end}) is no subtree: expected a start that is a multiple of the power of two at or above its length"
            ),
            Self::Beyond { end, size } => write!(f, "the subtree ends at {end}, the tree at {size}"),
            Self::Length => f.write_str("the proof has more or fewer hashes than lie between subtree and root"),
            Self::Part { expected, computed } => {
                write!(f, "the proof leads to subtree hash {computed}, expected {expected}")
            }
            Self::Root { expected, computed } => write!(f, "the proof leads to root {computed}, expected {expected}"),
            Self::Nodes(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for SubtreeError<E> {}

#[cfg(test)]
mod tests {
    use super::super::{ConsistencyProof, MemoryTree, leaf_hash, prove_consistency, root_at};
    use super::*;

    fn tree() -> MemoryTree {
        let mut tree = MemoryTree::new();
        (0..70_u64).for_each(|n| tree.push(leaf_hash(&n.to_be_bytes())));
        tree
    }

    #[test]
    fn what_no_node_covers_from_its_left_end_is_no_subtree() {
        for (start, end) in [(0, 0), (3, 3), (5, 4), (1, 3), (4, 9), (2, 5), (6, 9), (1, u64::MAX)] {
            assert!(!is_subtree(start, end), "[{start}, {end})");
        }
        for (start, end) in [(0, 1), (5, 6), (0, 7), (4, 8), (4, 7), (8, 13), (0, u64::MAX)] {
            assert!(is_subtree(start, end), "[{start}, {end})");
        }
        assert!(matches!(prove_subtree(&tree(), 1, 3, 9), Err(SubtreeError::NotOne { .. })));
        assert!(matches!(prove_subtree(&tree(), 0, 10, 9), Err(SubtreeError::Beyond { .. })));
    }

    #[test]
    fn every_part_is_proven_and_no_change_of_anything_is_believed() {
        let tree = tree();
        for size in [1, 2, 7, 8, 13, 33] {
            let root = root_at(&tree, size).unwrap();
            for end in 1..=size {
                for start in (0..end).filter(|start| is_subtree(*start, end)) {
                    let part = subtree_root(&tree, start, end).unwrap();
                    let proof = prove_subtree(&tree, start, end, size).unwrap();
                    assert_eq!(proof.check(start, end, part, size, root), Ok(()), "[{start}, {end}) of {size}");
                    let other = RootHash::from_bytes([7; 32]);
                    assert!(proof.check(start, end, other, size, root).is_err());
                    assert!(proof.check(start, end, part, size, other).is_err());
                    for i in 0..proof.path().len() {
                        let mut path = proof.path().to_vec();
                        path[i] = NodeHash::from_bytes([7; 32]);
                        let changed = SubtreeProof::from_path(path.clone()).unwrap();
                        assert!(changed.check(start, end, part, size, root).is_err());
                        path.remove(i);
                        let shorter = SubtreeProof::from_path(path).unwrap();
                        assert!(shorter.check(start, end, part, size, root).is_err());
                    }
                    let mut longer = proof.path().to_vec();
                    longer.push(NodeHash::from_bytes([7; 32]));
                    let longer = SubtreeProof::from_path(longer).unwrap();
                    assert!(longer.check(start, end, part, size, root).is_err());
                }
            }
        }
    }

    #[test]
    fn from_the_beginning_it_is_the_consistency_proof_of_rfc_6962() {
        let tree = tree();
        for (old, new) in (1..=40).flat_map(|new| (1..=new).map(move |old| (old, new))) {
            let part = prove_subtree(&tree, 0, old, new).unwrap();
            assert_eq!(part.path(), prove_consistency(&tree, old, new).unwrap().path());
            let plain = ConsistencyProof::from_path(part.path().to_vec()).unwrap();
            assert!(plain.check(old, root_at(&tree, old).unwrap(), new, root_at(&tree, new).unwrap()).is_ok());
        }
    }

    /// The example request of c2sp.org/tlog-witness does not verify: github.com/transparency-dev/merkle computes the same hash.
    #[test]
    fn the_example_of_the_specification_leads_where_go_s_leads() {
        let hash = |text| crate::text::base64_exact(text).unwrap();
        let path = [
            "CD82D2LDm0phY0+xKbHyZfq3Hw21lVkuV7Zis5EFg0k=",
            "h/ghL5nyaXTIBAklqDnisM+SFdbA3izoGZ5oRYMZzc0=",
            "8qtnAAU9sTKQx/zt3E4v8Jt2a9IMQUf0QUawvePF9y0=",
            "KuO5BNOmginG34Lm5G3e2GuiWliGo3K0ebzGpvI0fEg=",
        ];
        let proof = SubtreeProof::from_path(path.map(|line| NodeHash::from_bytes(hash(line))).to_vec()).unwrap();
        let part = RootHash::from_bytes(hash("mbsQCg+dEIMGlpqeGgk94JutQwKKS2Lo5IuDhKmDjiU="));
        let root = RootHash::from_bytes(hash("/CcKVZM9n65aH7jLaIZuUB4/MSlEFQ4+ldwUC21rDHM="));
        let found = hex::encode(match proof.check(8, 13, part, 14, root) {
            Err(SubtreeError::Part { computed, .. }) => *computed.as_bytes(),
            other => panic!("{other:?}"),
        });
        assert_eq!(found, "797800ff6ed7aa11391de7e8cd76fb5abc9d2f0569ba8158f7a3609f7885681a");
    }
}
