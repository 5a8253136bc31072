//! The lowest part of the tree: the keys of a subtree that has few of them, in order and without inner nodes.
//!
//! Two of three inner nodes have fewer than five keys below them. Their hashes follow from the keys, so a tree that keeps
//! few keys together keeps few hashes; what is asked below is hashed again.

use crate::hash::IndexKey;

use super::listing::Value;
use super::node::{Subtree, bit_of, first_difference};
use super::path::Step;
use super::sorted::subtree_of_sorted;

/// The most keys in a bucket: with one more it is split.
pub const MAX_BUCKET: usize = 16;

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The key.
    pub key: IndexKey,
    /// What the index holds under it.
    pub value: Value,
}

impl Leaf {
    /// The hash of this key alone.
    pub fn subtree(&self) -> Subtree {
        Subtree::leaf(&self.key, &self.value)
    }
}

/// All keys of one subtree, ascending: from one to [`MAX_BUCKET`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The keys.
    pub leaves: Vec<Leaf>,
    /// The hash over them; none while something in it has changed since it was hashed.
    pub hash: Option<Subtree>,
}

impl Bucket {
    /// What it holds under a key.
    pub fn value(&self, key: &IndexKey) -> Option<Value> {
        let at = self.leaves.binary_search_by_key(key, |leaf| leaf.key).ok()?;
        self.leaves.get(at).map(|leaf| leaf.value)
    }
}

/// Keys of one subtree, at least two, on both sides of the first bit at which they differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parted<'a> {
    pub(crate) bit: u8,
    pub(crate) left: &'a [Leaf],
    pub(crate) right: &'a [Leaf],
}

/// The two sides of a subtree of these keys, which ascend; none where it is a single key.
pub(crate) fn part(leaves: &[Leaf]) -> Option<Parted<'_>> {
    let bit = first_difference(&leaves.first()?.key, &leaves.last()?.key)?;
    let (left, right) = leaves.split_at(leaves.partition_point(|leaf| !bit_of(&leaf.key, bit)));
    Some(Parted { bit, left, right })
}

/// The hash of the subtree of these keys, which ascend; none of no key, or where they do not.
pub(crate) fn subtree(leaves: &[Leaf]) -> Option<Subtree> {
    subtree_of_sorted(leaves.iter().map(|leaf| (leaf.key, leaf.subtree()))).ok().flatten()
}

/// Where a search for a key ends among these, and the way up from there.
pub(super) fn search(leaves: &[Leaf], key: &IndexKey) -> Option<(Leaf, Vec<Step>)> {
    let (mut here, mut steps) = (leaves, Vec::new());
    while let Some(Parted { bit, left, right }) = part(here) {
        let (next, other) = if bit_of(key, bit) { (right, left) } else { (left, right) };
        steps.push(Step { bit, sibling: subtree(other)? });
        here = next;
    }
    steps.reverse();
    Some((*here.first()?, steps))
}

/// The bit at which a key that is not among these parts from the one that is nearest to it; `at` is its place.
pub(super) fn parts_at(leaves: &[Leaf], key: &IndexKey, at: usize) -> Option<u8> {
    let before = at.checked_sub(1).and_then(|before| leaves.get(before));
    let neighbours = before.into_iter().chain(leaves.get(at));
    neighbours.filter_map(|neighbour| first_difference(key, &neighbour.key)).max()
}
