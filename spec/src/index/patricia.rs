//! The tree: a map from keys to values that knows its root and can go back to where it was, over any store of nodes.
//!
//! Leaves and inner nodes name each other by number; where they are kept is the store's. A change walks down once and
//! marks the way stale; [`NodeStore::rehash`] then hashes each stale node once, however many changes went through it. The
//! bits of the nodes on a way down rise, so there are at most 256, and nothing recurses.

use std::collections::HashMap;

use crate::hash::{IndexKey, IndexRoot};

use super::listing::Value;
use super::node::{Subtree, bit_of, empty_root, first_difference};
use super::path::{Absence, Path, Proof, Step};

/// How many keys a tree can hold: a link has 31 bits for a number.
pub(super) const MAX_KEYS: usize = 1 << 31;

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The key.
    pub key: IndexKey,
    /// What the index holds under it.
    pub value: Value,
}

/// A node at which keys part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// Wrong while `stale`.
    pub hash: Subtree,
    /// The keys with a 0 at `bit`.
    pub left: Link,
    /// The keys with a 1 at `bit`.
    pub right: Link,
    /// The first bit at which the keys below differ.
    pub bit: u8,
    /// Whether something below has changed since it was hashed. Above a stale node there are only stale ones.
    pub stale: bool,
}

/// The number of a leaf or, with the top bit set, of an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link(u32);

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkTo {
    /// The leaf of this number.
    Leaf(u32),
    /// The inner node of this number.
    Inner(u32),
}

/// What [`NodeStore::rollback`] puts back: the sizes, and each older node that has changed since, as it was at the start.
#[derive(Debug)]
pub struct Journal {
    pub(super) leaves: u32,
    pub(super) inners: u32,
    pub(super) root: Option<Link>,
    pub(super) values: HashMap<u32, Value>,
    pub(super) nodes: HashMap<u32, Inner>,
}

/// A tree that can be read. [`Nodes::root`] and [`Nodes::prove`] expect no stale node.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The error for nodes that are no tree.
    fn damaged() -> Self::Error;

    /// The topmost node; none in an empty tree.
    fn top(&self) -> Option<Link>;

    /// The leaf of that number.
    fn leaf(&mut self, number: u32) -> Result<Leaf, Self::Error>;

    /// The inner node of that number.
    fn inner(&mut self, number: u32) -> Result<Inner, Self::Error>;

    /// The root.
    fn root(&mut self) -> Result<IndexRoot, Self::Error> {
        self.top().map_or_else(|| Ok(empty_root()), |top| Ok(self.hash(top)?.root()))
    }

    /// The hash of the subtree at a link.
    fn hash(&mut self, link: Link) -> Result<Subtree, Self::Error> {
        match link.inner() {
            Some(number) => Ok(self.inner(number)?.hash),
            None => self.leaf(link.0).map(|leaf| Subtree::leaf(&leaf.key, &leaf.value)),
        }
    }

    /// The number of a key: keys are numbered from 0 in the order in which they were first set.
    fn find(&mut self, key: &IndexKey) -> Result<Option<u32>, Self::Error> {
        let Some(number) = self.descend(key, |_, _| ())? else { return Ok(None) };
        Ok((self.leaf(number)?.key == *key).then_some(number))
    }

    /// What the tree says of a key, with its proof.
    fn prove(&mut self, key: &IndexKey) -> Result<Proof, Self::Error> {
        let mut trail = Vec::with_capacity(64);
        let Some(nearest) = self.descend(key, |_, node| trail.push(node))? else {
            return Ok(Proof::Absent(Absence::Empty));
        };
        let mut steps = Vec::with_capacity(trail.len());
        for Inner { bit, left, right, .. } in trail.into_iter().rev() {
            steps.push(Step { bit, sibling: self.hash(if bit_of(key, bit) { left } else { right })? });
        }
        let (path, Leaf { key: other, value }) = (Path::new(steps), self.leaf(nearest)?);
        if other == *key {
            Ok(Proof::Present { value, path })
        } else {
            Ok(Proof::Absent(Absence::Other { key: other, value, path }))
        }
    }

    /// The leaf that a search for `key` ends at; `pass` is given the inner nodes on the way, root first.
    fn descend(&mut self, key: &IndexKey, mut pass: impl FnMut(u32, Inner)) -> Result<Option<u32>, Self::Error> {
        let Some(mut here) = self.top() else { return Ok(None) };
        let mut above = None;
        while let Some(number) = here.inner() {
            let node = self.inner(number)?;
            // Nodes that lead back up would be walked for ever.
            if above.is_some_and(|above| above >= node.bit) {
                return Err(Self::damaged());
            }
            above = Some(node.bit);
            here = if bit_of(key, node.bit) { node.right } else { node.left };
            pass(number, node);
        }
        Ok(Some(here.0))
    }
}

/// A tree that can be changed: what a store of nodes has to do, and what it can do then.
///
/// Nodes are numbered from 0, leaves and inner nodes apart, in the order in which they are pushed.
pub trait NodeStore: Nodes {
    /// How many leaves and how many inner nodes there are.
    fn counts(&self) -> (u32, u32);

    /// Sets the topmost node.
    fn set_top(&mut self, top: Option<Link>);

    /// Changes a leaf.
    fn set_leaf(&mut self, number: u32, leaf: &Leaf) -> Result<(), Self::Error>;

    /// Changes an inner node.
    fn set_inner(&mut self, number: u32, node: &Inner) -> Result<(), Self::Error>;

    /// Adds a leaf. The caller has made sure that there is room for it.
    fn push_leaf(&mut self, leaf: &Leaf) -> Result<(), Self::Error>;

    /// Adds an inner node; there is one less than there are leaves.
    fn push_inner(&mut self, node: &Inner) -> Result<(), Self::Error>;

    /// Forgets the nodes from these numbers on.
    fn truncate(&mut self, leaves: u32, inners: u32);

    /// How to go back, where something is under way.
    fn journal(&mut self) -> &mut Option<Journal>;

    /// Sets the value of a key to what `next` makes of its number and value, and gives the number of the key.
    fn update(
        &mut self,
        key: &IndexKey,
        next: impl FnOnce(Option<(u32, Value)>) -> Result<Value, Self::Error>,
    ) -> Result<u32, Self::Error> {
        let mut trail = Vec::with_capacity(64);
        let new = self.counts().0;
        let Some(nearest) = self.descend(key, |number, node| trail.push((number, node)))? else {
            let value = next(None)?;
            self.push_leaf(&Leaf { key: *key, value })?;
            self.set_top(Some(Link::to_leaf(new)));
            return Ok(new);
        };
        let found = self.leaf(nearest)?;
        let Some(bit) = first_difference(key, &found.key) else {
            let value = next(Some((nearest, found.value)))?;
            self.mark_dirty(trail)?;
            if let Some(journal) = self.journal().as_mut().filter(|journal| nearest < journal.leaves) {
                journal.values.entry(nearest).or_insert(found.value);
            }
            self.set_leaf(nearest, &Leaf { key: *key, value })?;
            return Ok(nearest);
        };
        // Bits rise on the way down. The new node stands below the lower ones, above whatever hung there.
        let below = trail.split_off(trail.partition_point(|(_, node)| node.bit < bit));
        let value = next(None)?;
        let hanging = below.first().map_or(Link::to_leaf(nearest), |(number, _)| Link::to_inner(*number));
        self.push_leaf(&Leaf { key: *key, value })?;
        let (leaf, split) = (Link::to_leaf(new), Link::to_inner(self.counts().1));
        let (left, right) = if bit_of(key, bit) { (hanging, leaf) } else { (leaf, hanging) };
        self.push_inner(&Inner { hash: Subtree::from_bytes([0; 32]), left, right, bit, stale: true })?;
        let parent = trail.last().copied();
        self.mark_dirty(trail)?;
        match parent {
            None => self.set_top(Some(split)),
            Some((number, mut node)) => {
                *(if bit_of(key, node.bit) { &mut node.right } else { &mut node.left }) = split;
                self.set_inner(number, &Inner { stale: true, ..node })?;
            }
        }
        Ok(new)
    }

    /// Hashes every stale node, each once, children first.
    fn rehash(&mut self) -> Result<(), Self::Error> {
        let mut open: Vec<(u32, Inner)> = Vec::new();
        let top = self.top();
        open.extend(self.stale(top, None)?);
        while let Some(&(number, node)) = open.last() {
            let waiting = open.len();
            open.extend(self.stale(Some(node.left), Some(node.bit))?);
            open.extend(self.stale(Some(node.right), Some(node.bit))?);
            if open.len() == waiting {
                let hash = Subtree::inner(node.bit, &self.hash(node.left)?, &self.hash(node.right)?);
                self.set_inner(number, &Inner { hash, stale: false, ..node })?;
                open.pop();
            }
        }
        Ok(())
    }

    /// Starts to remember what changes, so that [`NodeStore::rollback`] can put it back. Expects no stale node.
    fn begin(&mut self) {
        let ((leaves, inners), root) = (self.counts(), self.top());
        let (values, nodes) = (HashMap::new(), HashMap::new());
        *self.journal() = Some(Journal { leaves, inners, root, values, nodes });
    }

    /// Keeps what changed since [`NodeStore::begin`].
    fn commit(&mut self) {
        *self.journal() = None;
    }

    /// Puts everything back as it was at [`NodeStore::begin`].
    fn rollback(&mut self) -> Result<(), Self::Error> {
        let Some(journal) = self.journal().take() else { return Ok(()) };
        self.truncate(journal.leaves, journal.inners);
        self.set_top(journal.root);
        for (number, value) in journal.values {
            let leaf = self.leaf(number)?;
            self.set_leaf(number, &Leaf { value, ..leaf })?;
        }
        for (number, node) in journal.nodes {
            self.set_inner(number, &node)?;
        }
        Ok(())
    }

    /// Marks inner nodes stale, and writes down those that the journal would have to put back.
    fn mark_dirty(&mut self, trail: Vec<(u32, Inner)>) -> Result<(), Self::Error> {
        for (number, node) in trail.into_iter().filter(|(_, node)| !node.stale) {
            if let Some(journal) = self.journal().as_mut().filter(|journal| number < journal.inners) {
                journal.nodes.entry(number).or_insert(node);
            }
            self.set_inner(number, &Inner { stale: true, ..node })?;
        }
        Ok(())
    }

    /// The inner node at a link, if it is stale. It must come below the bit above it: a circle would have no end.
    fn stale(&mut self, link: Option<Link>, above: Option<u8>) -> Result<Option<(u32, Inner)>, Self::Error> {
        let Some(number) = link.and_then(Link::inner) else { return Ok(None) };
        let node = self.inner(number)?;
        match above {
            Some(above) if above >= node.bit => Err(Self::damaged()),
            _ => Ok(node.stale.then_some((number, node))),
        }
    }
}

impl Link {
    const INNER: u32 = 1 << 31;

    /// The link of a number as [`Link::number`] gave it.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number, for a store that writes links down.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// What it leads to.
    pub fn to(self) -> LinkTo {
        self.inner().map_or(LinkTo::Leaf(self.0), LinkTo::Inner)
    }

    const fn to_leaf(number: u32) -> Self {
        Self(number)
    }

    const fn to_inner(number: u32) -> Self {
        Self(number | Self::INNER)
    }

    fn inner(self) -> Option<u32> {
        (self.0 & Self::INNER != 0).then_some(self.0 & !Self::INNER)
    }
}
