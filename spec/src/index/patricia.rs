//! The tree in memory: a map from keys to values that knows its root and can go back to where it was.
//!
//! Leaves and inner nodes lie in two vectors and name each other by number. A key costs a leaf of 72 bytes and an
//! inner node of 44. A change walks down once and marks the way stale; [`Patricia::rehash`] then hashes each stale
//! node once, however many changes went through it. The depth is at most 256, one node a bit, and nothing recurses.

use std::collections::HashMap;

use crate::hash::{IndexKey, IndexRoot};

use super::listing::Value;
use super::node::{Subtree, bit_of, empty_root, first_difference};
use super::path::{Absence, Path, Proof, Step};

/// How many keys a tree can hold: a link has 31 bits for a number.
pub(super) const MAX_KEYS: usize = 1 << 31;

/// What a key costs here, without the slack of the vectors.
#[cfg(test)]
pub(super) const BYTES_A_KEY: usize = size_of::<Leaf>() + size_of::<Inner>();

/// A set of keys with values, as a Patricia tree.
///
/// A stale inner node has only stale nodes above it. [`Patricia::root`] and [`Patricia::prove`] expect none.
#[derive(Debug, Default)]
pub(super) struct Patricia {
    leaves: Vec<Leaf>,
    inners: Vec<Inner>,
    root: Option<Link>,
    journal: Option<Journal>,
}

#[derive(Debug)]
struct Leaf {
    key: IndexKey,
    value: Value,
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    /// Wrong while `stale`.
    hash: Subtree,
    left: Link,
    right: Link,
    bit: u8,
    stale: bool,
}

/// The number of a leaf or, with the top bit set, of an inner node.
#[derive(Debug, Clone, Copy)]
struct Link(u32);

/// What [`Patricia::rollback`] puts back and [`Patricia::before`] reads: the sizes, and each older node that has changed
/// since, as it was at the start.
#[derive(Debug)]
struct Journal {
    leaves: usize,
    inners: usize,
    root: Option<Link>,
    values: HashMap<u32, Value>,
    nodes: HashMap<u32, Inner>,
}

/// The tree as it is, or as it was at [`Patricia::begin`].
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    tree: &'a Patricia,
    before: Option<&'a Journal>,
}

impl Patricia {
    /// The tree as it is.
    pub(super) fn now(&self) -> View<'_> {
        View { tree: self, before: None }
    }

    /// The tree as it was at [`Patricia::begin`]; as it is when nothing is under way.
    pub(super) fn before(&self) -> View<'_> {
        View { tree: self, before: self.journal.as_ref() }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// The root.
    pub(super) fn root(&self) -> IndexRoot {
        self.now().root()
    }

    /// The number of a key: keys are numbered from 0 in the order in which they were first set.
    pub(super) fn find(&self, key: &IndexKey) -> Option<u32> {
        self.now().find(key)
    }

    /// The value of the key of that number.
    pub(super) fn value(&self, number: u32) -> Value {
        self.leaf(number).value
    }

    /// What the tree says of a key, with its proof.
    pub(super) fn prove(&self, key: &IndexKey) -> Proof {
        self.now().prove(key)
    }

    /// Sets the value of a key. The caller has made sure that there are fewer than [`MAX_KEYS`] keys.
    pub(super) fn set(&mut self, key: &IndexKey, value: Value) {
        let Some((trail, nearest)) = self.descend(key) else {
            self.root = Some(self.add_leaf(key, value));
            return;
        };
        let Some(bit) = first_difference(key, &self.leaf(nearest).key) else {
            self.mark_dirty(&trail);
            self.replace_value(nearest, value);
            return;
        };
        // Bits rise on the way down. The new node stands below the lower ones, above whatever hung there.
        let (above, below) = trail.split_at(trail.partition_point(|id| self.inner(*id).bit < bit));
        let hanging = below.first().map_or(Link(nearest), |id| Link::to_inner(*id));
        self.mark_dirty(above);
        let leaf = self.add_leaf(key, value);
        let (left, right) = if bit_of(key, bit) { (hanging, leaf) } else { (leaf, hanging) };
        let split = self.add_inner(Inner { hash: Subtree::from_bytes([0; 32]), left, right, bit, stale: true });
        match above.last() {
            None => self.root = Some(split),
            Some(parent) => *self.inner_mut(*parent).toward_mut(key) = split,
        }
    }

    /// Hashes every stale node, each once, children first.
    pub(super) fn rehash(&mut self) {
        let mut open: Vec<u32> = self.root.and_then(|root| self.stale(root)).into_iter().collect();
        while let Some(&id) = open.last() {
            let Inner { bit, left, right, .. } = *self.inner(id);
            let waiting = open.len();
            open.extend([left, right].into_iter().filter_map(|link| self.stale(link)));
            if open.len() == waiting {
                let hash = Subtree::inner(bit, &self.hash(left), &self.hash(right));
                let node = self.inner_mut(id);
                node.hash = hash;
                node.stale = false;
                open.pop();
            }
        }
    }

    /// Starts to remember what changes, so that [`Patricia::rollback`] can put it back. Expects no stale node.
    pub(super) fn begin(&mut self) {
        self.journal = Some(Journal {
            leaves: self.leaves.len(),
            inners: self.inners.len(),
            root: self.root,
            values: HashMap::new(),
            nodes: HashMap::new(),
        });
    }

    /// Keeps what changed since [`Patricia::begin`].
    pub(super) fn commit(&mut self) {
        self.journal = None;
    }

    /// Puts everything back as it was at [`Patricia::begin`].
    pub(super) fn rollback(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        self.leaves.truncate(journal.leaves);
        self.inners.truncate(journal.inners);
        self.root = journal.root;
        for (number, value) in journal.values {
            self.leaf_mut(number).value = value;
        }
        for (id, node) in journal.nodes {
            *self.inner_mut(id) = node;
        }
    }

    /// The inner nodes that a search for `key` passes, root first, and the leaf that it ends at.
    fn descend(&self, key: &IndexKey) -> Option<(Vec<u32>, u32)> {
        self.now().descend(key)
    }

    /// Marks inner nodes stale, and writes down those that the journal would have to put back.
    fn mark_dirty(&mut self, trail: &[u32]) {
        for &id in trail {
            let before = *self.inner(id);
            if before.stale {
                continue;
            }
            if let Some(journal) = &mut self.journal
                && (id as usize) < journal.inners
            {
                journal.nodes.entry(id).or_insert(before);
            }
            self.inner_mut(id).stale = true;
        }
    }

    fn replace_value(&mut self, number: u32, value: Value) {
        let before = core::mem::replace(&mut self.leaf_mut(number).value, value);
        if let Some(journal) = &mut self.journal
            && (number as usize) < journal.leaves
        {
            journal.values.entry(number).or_insert(before);
        }
    }

    fn add_leaf(&mut self, key: &IndexKey, value: Value) -> Link {
        let link = Link(number(self.leaves.len()));
        self.leaves.push(Leaf { key: *key, value });
        link
    }

    fn add_inner(&mut self, node: Inner) -> Link {
        let link = Link::to_inner(number(self.inners.len()));
        self.inners.push(node);
        link
    }

    fn hash(&self, link: Link) -> Subtree {
        self.now().hash(link)
    }

    fn stale(&self, link: Link) -> Option<u32> {
        link.inner().filter(|id| self.inner(*id).stale)
    }
}

impl View<'_> {
    /// The root.
    pub(super) fn root(self) -> IndexRoot {
        self.top().map_or_else(empty_root, |root| self.hash(root).root())
    }

    /// The number of a key.
    pub(super) fn find(self, key: &IndexKey) -> Option<u32> {
        let mut here = self.top()?;
        while let Some(id) = here.inner() {
            here = self.inner(id).toward(key);
        }
        (self.tree.leaf(here.0).key == *key).then_some(here.0)
    }

    /// What the tree says of a key, with its proof.
    pub(super) fn prove(self, key: &IndexKey) -> Proof {
        let Some((trail, nearest)) = self.descend(key) else {
            return Proof::Absent(Absence::Empty);
        };
        let steps = trail.iter().rev().map(|id| {
            let Inner { bit, left, right, .. } = self.inner(*id);
            Step { bit, sibling: self.hash(if bit_of(key, bit) { left } else { right }) }
        });
        let path = Path::new(steps.collect());
        let (other, value) = (self.tree.leaf(nearest).key, self.value(nearest));
        if other == *key {
            Proof::Present { value, path }
        } else {
            Proof::Absent(Absence::Other { key: other, value, path })
        }
    }

    fn descend(self, key: &IndexKey) -> Option<(Vec<u32>, u32)> {
        let mut here = self.top()?;
        let mut trail = Vec::with_capacity(64);
        while let Some(id) = here.inner() {
            trail.push(id);
            here = self.inner(id).toward(key);
        }
        Some((trail, here.0))
    }

    fn hash(self, link: Link) -> Subtree {
        match link.inner() {
            Some(id) => self.inner(id).hash,
            None => Subtree::leaf(&self.tree.leaf(link.0).key, &self.value(link.0)),
        }
    }

    fn top(self) -> Option<Link> {
        self.before.map_or(self.tree.root, |journal| journal.root)
    }

    fn value(self, number: u32) -> Value {
        let old = self.before.and_then(|journal| journal.values.get(&number));
        old.map_or_else(|| self.tree.value(number), |value| *value)
    }

    fn inner(self, id: u32) -> Inner {
        let old = self.before.and_then(|journal| journal.nodes.get(&id));
        *old.unwrap_or_else(|| self.tree.inner(id))
    }
}

/// The vectors are read through these only. A number is made by a push and forgotten by the truncation that takes
/// its node away, so it is always in range; if it were not, to stop would be better than to sign.
#[allow(clippy::indexing_slicing)]
impl Patricia {
    fn leaf(&self, number: u32) -> &Leaf {
        &self.leaves[number as usize]
    }

    fn leaf_mut(&mut self, number: u32) -> &mut Leaf {
        &mut self.leaves[number as usize]
    }

    fn inner(&self, id: u32) -> &Inner {
        &self.inners[id as usize]
    }

    fn inner_mut(&mut self, id: u32) -> &mut Inner {
        &mut self.inners[id as usize]
    }
}

impl Inner {
    fn toward(&self, key: &IndexKey) -> Link {
        if bit_of(key, self.bit) { self.right } else { self.left }
    }

    fn toward_mut(&mut self, key: &IndexKey) -> &mut Link {
        if bit_of(key, self.bit) { &mut self.right } else { &mut self.left }
    }
}

impl Link {
    const INNER: u32 = 1 << 31;

    fn to_inner(id: u32) -> Self {
        Self(id | Self::INNER)
    }

    fn inner(self) -> Option<u32> {
        (self.0 & Self::INNER != 0).then_some(self.0 & !Self::INNER)
    }
}

/// A place in a vector as a number of 31 bits, which [`MAX_KEYS`] ensures that it has.
fn number(len: usize) -> u32 {
    len as u32
}
