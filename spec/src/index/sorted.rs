//! The root of a set of keys in one pass: for a monitor that replays a log, and to hold the builder against.
//!
//! It sorts nothing, stores no tree, and needs at most one subtree a bit: a subtree is complete as soon as a key
//! comes that differs from it at a lower bit than its own neighbour does.

use core::fmt;

use crate::hash::{IndexKey, IndexRoot};

use super::listing::Value;
use super::node::{Subtree, empty_root, first_difference};

/// The root of the tree that holds exactly these keys. They must strictly ascend.
pub fn root_of_sorted(pairs: impl IntoIterator<Item = (IndexKey, Value)>) -> Result<IndexRoot, Unsorted> {
    root_of_subtrees(pairs.into_iter().map(|(key, value)| (key, Subtree::leaf(&key, &value))))
}

/// The root of the tree that is made of these subtrees. Each comes with a key that has the beginning of all keys in it, as far as it takes
/// to tell them from those of its neighbours: a leaf with its own. They must strictly ascend.
pub(crate) fn root_of_subtrees(parts: impl IntoIterator<Item = (IndexKey, Subtree)>) -> Result<IndexRoot, Unsorted> {
    Ok(subtree_of_sorted(parts)?.map_or_else(empty_root, Subtree::root))
}

/// The same as a subtree; none where there is none.
pub(super) fn subtree_of_sorted(
    parts: impl IntoIterator<Item = (IndexKey, Subtree)>,
) -> Result<Option<Subtree>, Unsorted> {
    // Complete subtrees, each with the bit at which it differs from what comes to its right: bits strictly rise.
    let mut left: Vec<(u8, Subtree)> = Vec::new();
    let mut parts = parts.into_iter();
    let Some((mut last, mut right)) = parts.next() else {
        return Ok(None);
    };
    for (key, part) in parts {
        let bit = first_difference(&last, &key).filter(|_| last < key).ok_or(Unsorted { last, key })?;
        right = merge(&mut left, right, |above| above > bit);
        left.push((bit, right));
        right = part;
        last = key;
    }
    Ok(Some(merge(&mut left, right, |_| true)))
}

/// Joins the subtrees on the left to the rightmost one for as long as their bit is one of `bits`.
fn merge(left: &mut Vec<(u8, Subtree)>, mut right: Subtree, bits: impl Fn(u8) -> bool) -> Subtree {
    while let Some((bit, neighbour)) = left.pop_if(|(bit, _)| bits(*bit)) {
        right = Subtree::inner(bit, &neighbour, &right);
    }
    right
}

/// Two keys that do not strictly ascend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsorted {
    /// The key before.
    pub last: IndexKey,
    /// The key after it, equal or below.
    pub key: IndexKey,
}

impl fmt::Display for Unsorted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "index keys must strictly ascend: {} comes after {}", self.key, self.last)
    }
}

impl core::error::Error for Unsorted {}
