//! The tree in memory, in two vectors: a key costs a leaf of 72 bytes and an inner node of 44.

use core::convert::Infallible;

use super::patricia::{Inner, Journal, Leaf, Link, MAX_KEYS, NodeStore, Nodes};

/// What a key costs here, without the slack of the vectors.
#[cfg(test)]
pub(super) const BYTES_A_KEY: usize = size_of::<Leaf>() + size_of::<Inner>();

/// The nodes of a tree of fewer than [`MAX_KEYS`] keys.
#[derive(Debug, Default)]
pub(super) struct Memory {
    leaves: Vec<Leaf>,
    inners: Vec<Inner>,
    top: Option<Link>,
    journal: Option<Journal>,
}

/// The tree as it is, or as it was at [`NodeStore::begin`].
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    tree: &'a Memory,
    before: Option<&'a Journal>,
}

impl Memory {
    /// The tree as it is.
    pub(super) fn now(&self) -> View<'_> {
        View { tree: self, before: None }
    }

    /// The tree as it was at [`NodeStore::begin`]; as it is when nothing is under way.
    pub(super) fn before(&self) -> View<'_> {
        View { tree: self, before: self.journal.as_ref() }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// How many more keys there is room for.
    pub(super) fn room(&self) -> usize {
        MAX_KEYS - self.len()
    }
}

/// What a tree in memory answers: no node of it can fail to be read.
pub(super) fn sure<T>(answer: Result<T, Infallible>) -> T {
    let Ok(answer) = answer;
    answer
}

/// The vectors are read through these only. A number is made by a push and forgotten by the truncation that takes
/// its node away, so it is always in range; if it were not, to stop would be better than to sign.
#[allow(clippy::indexing_slicing)]
impl Nodes for View<'_> {
    type Error = Infallible;

    fn damaged() -> Infallible {
        panic!("the index in memory is no tree: to stop is better than to sign")
    }

    fn top(&self) -> Option<Link> {
        self.before.map_or(self.tree.top, |journal| journal.root)
    }

    fn leaf(&mut self, number: u32) -> Result<Leaf, Infallible> {
        let leaf = self.tree.leaves[number as usize];
        let old = self.before.and_then(|journal| journal.values.get(&number));
        Ok(Leaf { value: old.copied().unwrap_or(leaf.value), ..leaf })
    }

    fn inner(&mut self, number: u32) -> Result<Inner, Infallible> {
        let old = self.before.and_then(|journal| journal.nodes.get(&number));
        Ok(old.copied().unwrap_or_else(|| self.tree.inners[number as usize]))
    }
}

impl Nodes for Memory {
    type Error = Infallible;

    fn damaged() -> Infallible {
        View::damaged()
    }

    fn top(&self) -> Option<Link> {
        self.top
    }

    fn leaf(&mut self, number: u32) -> Result<Leaf, Infallible> {
        self.now().leaf(number)
    }

    fn inner(&mut self, number: u32) -> Result<Inner, Infallible> {
        self.now().inner(number)
    }
}

/// As for reading.
#[allow(clippy::indexing_slicing)]
impl NodeStore for Memory {
    fn counts(&self) -> (u32, u32) {
        // Fewer than `MAX_KEYS`, which is 31 bits.
        (self.leaves.len() as u32, self.inners.len() as u32)
    }

    fn set_top(&mut self, top: Option<Link>) {
        self.top = top;
    }

    fn set_leaf(&mut self, number: u32, leaf: &Leaf) -> Result<(), Infallible> {
        self.leaves[number as usize] = *leaf;
        Ok(())
    }

    fn set_inner(&mut self, number: u32, node: &Inner) -> Result<(), Infallible> {
        self.inners[number as usize] = *node;
        Ok(())
    }

    fn push_leaf(&mut self, leaf: &Leaf) -> Result<(), Infallible> {
        self.leaves.push(*leaf);
        Ok(())
    }

    fn push_inner(&mut self, node: &Inner) -> Result<(), Infallible> {
        self.inners.push(*node);
        Ok(())
    }

    fn truncate(&mut self, leaves: u32, inners: u32) {
        self.leaves.truncate(leaves as usize);
        self.inners.truncate(inners as usize);
    }

    fn journal(&mut self) -> &mut Option<Journal> {
        &mut self.journal
    }
}
