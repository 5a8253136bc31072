//! The old index as parts from left to right, each at its place: leaves, and subtrees of which only the hash is shown.

use super::error::RefusedTransition;
use super::proof::{Node, TransitionProof};
use crate::hash::IndexKey;
use crate::index::{Subtree, Value, bit_of, first_difference};
use crate::merkle::Frontier;

/// A part, and where it is.
#[derive(Debug)]
pub(super) struct Part {
    /// The key of a leaf; for a pruned part a key that has the beginning of all keys in it, up to the bit at which its sibling parts from it.
    /// Every key that is not in the part differs from it there or before, so it orders parts and says where they part.
    pub(super) place: IndexKey,
    pub(super) shown: Place,
}

/// What is shown of a part.
#[derive(Debug)]
pub(super) enum Place {
    Pruned(Subtree),
    Touched(Frontier),
    Other(Value),
}

impl Place {
    /// The hash of the part as it is shown.
    pub(super) fn subtree(&self, place: &IndexKey) -> Subtree {
        match self {
            Self::Pruned(hash) => *hash,
            Self::Touched(list) => Subtree::leaf(place, &Value::of(list)),
            Self::Other(value) => Subtree::leaf(place, value),
        }
    }
}

/// The parts, if exactly what a search for these keys passes is shown, and every key stands at its place. `keys` ascend.
pub(super) fn parts(proof: &TransitionProof, keys: Vec<IndexKey>) -> Result<Vec<Part>, RefusedTransition> {
    let mut walk = Walk { nodes: proof.nodes().iter(), parts: Vec::new() };
    walk.take(keys)?;
    Ok(walk.parts)
}

struct Walk<'a> {
    nodes: core::slice::Iter<'a, Node>,
    parts: Vec<Part>,
}

impl Walk<'_> {
    /// Takes a node and all below it, where a search for `keys`, which ascend, arrives. A key below it; none where it is pruned or empty.
    ///
    /// It goes no deeper than bits rise: 257 nodes.
    fn take(&mut self, keys: Vec<IndexKey>) -> Result<Option<IndexKey>, RefusedTransition> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        match node {
            Node::Empty if keys.is_empty() => Err(RefusedTransition::Empty),
            Node::Empty => Ok(None),
            Node::Pruned(hash) => match keys.first() {
                Some(key) => Err(RefusedTransition::Missing { key: *key }),
                None => {
                    self.parts.push(Part { place: IndexKey::from_bytes([0; 32]), shown: Place::Pruned(*hash) });
                    Ok(None)
                }
            },
            Node::Touched { key, list } => match keys.binary_search(key) {
                Ok(_) => self.leaf(*key, Place::Touched(list.clone())),
                Err(_) => Err(RefusedTransition::Foreign { key: *key }),
            },
            Node::Other { key, .. } if keys.is_empty() => Err(RefusedTransition::Foreign { key: *key }),
            Node::Other { key, value } => match keys.binary_search(key) {
                Ok(_) => Err(RefusedTransition::NoList { key: *key }),
                Err(_) => self.leaf(*key, Place::Other(*value)),
            },
            Node::Inner(bit) if keys.is_empty() => Err(RefusedTransition::Surplus { bit: *bit }),
            Node::Inner(bit) => self.inner(*bit, keys),
        }
    }

    fn leaf(&mut self, place: IndexKey, shown: Place) -> Result<Option<IndexKey>, RefusedTransition> {
        self.parts.push(Part { place, shown });
        Ok(Some(place))
    }

    fn inner(&mut self, bit: u8, keys: Vec<IndexKey>) -> Result<Option<IndexKey>, RefusedTransition> {
        let (left, right) = keys.into_iter().partition(|key| !bit_of(key, bit));
        let start = self.parts.len();
        let left = self.take(left)?;
        let middle = self.parts.len();
        let right = self.take(right)?;
        let misplaced = RefusedTransition::Misplaced { bit };
        match (left, right) {
            (Some(left), Some(right)) if first_difference(&left, &right) == Some(bit) && !bit_of(&left, bit) => {}
            (Some(left), None) if !bit_of(&left, bit) => self.place(middle, &left, bit),
            (None, Some(right)) if bit_of(&right, bit) => self.place(start, &right, bit),
            _ => return Err(misplaced),
        }
        Ok(left.or(right))
    }

    /// Gives the pruned part of this number its place: at the other side of `bit` than its sibling.
    fn place(&mut self, number: usize, sibling: &IndexKey, bit: u8) {
        if let Some(part) = self.parts.get_mut(number) {
            let mut bytes = *sibling.as_bytes();
            if let Some(byte) = bytes.get_mut(usize::from(bit / 8)) {
                *byte ^= 0x80 >> (bit % 8);
            }
            part.place = IndexKey::from_bytes(bytes);
        }
    }
}
