//! The tree: a map from keys to values that knows its root and can go back to where it was, over any store of nodes.
//!
//! Its lowest parts are buckets of a few keys; above them stand inner nodes. Both are named by number; where they are kept is
//! the store's. A change walks down once and marks the way stale; [`NodeStore::rehash`] then hashes each stale node once,
//! however many changes went through it. The bits of the nodes on a way down rise, so there are at most 256, and nothing
//! recurses.

use std::collections::HashMap;

use crate::hash::{IndexKey, IndexRoot};

use super::bucket::{Bucket, Leaf, MAX_BUCKET, part, parts_at, search, subtree};
use super::listing::Value;
use super::node::{Subtree, bit_of, empty_root};
use super::path::{Absence, Path, Proof, Step};

/// How many keys a tree can hold: a link has 31 bits for a number, and there may be as many buckets as keys.
pub(super) const MAX_KEYS: usize = 1 << 31;

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

/// The number of a bucket or, with the top bit set, of an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link(u32);

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkTo {
    /// The bucket of this number.
    Bucket(u32),
    /// The inner node of this number.
    Inner(u32),
}

/// What [`NodeStore::rollback`] puts back: the sizes, and each older node that has changed since, as it was at the start.
#[derive(Debug)]
pub struct Journal {
    pub(super) count: u32,
    pub(super) inner_count: u32,
    pub(super) root: Option<Link>,
    /// Each bucket below `count` that has changed since, as it was.
    buckets: HashMap<u32, Bucket>,
    pub(super) inners: HashMap<u32, Inner>,
}

/// The way from the top to where a key is, or would be.
#[derive(Debug)]
pub struct Way {
    inners: Vec<(u32, Inner)>,
    /// None in an empty tree.
    pub(super) bucket: Option<u32>,
}

/// A tree that can be read. [`Nodes::root`] and [`Nodes::prove`] expect no stale node.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The error for nodes that are no tree.
    fn damaged() -> Self::Error;

    /// The topmost node; none in an empty tree.
    fn top(&self) -> Option<Link>;

    /// The bucket of that number. It is never empty.
    fn bucket(&mut self, number: u32) -> Result<Bucket, Self::Error>;

    /// The hash over the bucket of that number; none while it is stale.
    fn bucket_hash(&mut self, number: u32) -> Result<Option<Subtree>, Self::Error> {
        Ok(self.bucket(number)?.hash)
    }

    /// The inner node of that number.
    fn inner(&mut self, number: u32) -> Result<Inner, Self::Error>;

    /// The root.
    fn root(&mut self) -> Result<IndexRoot, Self::Error> {
        self.top().map_or_else(|| Ok(empty_root()), |top| Ok(self.hash(top)?.root()))
    }

    /// The hash of the subtree at a link.
    fn hash(&mut self, link: Link) -> Result<Subtree, Self::Error> {
        match link.to() {
            LinkTo::Inner(number) => Ok(self.inner(number)?.hash),
            LinkTo::Bucket(number) => self.bucket_hash(number)?.ok_or_else(Self::damaged),
        }
    }

    /// What the tree holds under a key.
    fn find(&mut self, key: &IndexKey) -> Result<Option<Value>, Self::Error> {
        let Some(number) = self.descend(key, |_, _| ())? else { return Ok(None) };
        Ok(self.bucket(number)?.value(key))
    }

    /// What the tree says of a key, with its proof.
    fn prove(&mut self, key: &IndexKey) -> Result<Proof, Self::Error> {
        let mut trail = Vec::with_capacity(64);
        let Some(number) = self.descend(key, |_, node| trail.push(node))? else {
            return Ok(Proof::Absent(Absence::Empty));
        };
        let bucket = self.bucket(number)?;
        let (nearest, mut steps) = search(&bucket.leaves, key).ok_or_else(Self::damaged)?;
        for Inner { bit, left, right, .. } in trail.into_iter().rev() {
            steps.push(Step { bit, sibling: self.hash(if bit_of(key, bit) { left } else { right })? });
        }
        let (path, Leaf { key: other, value }) = (Path::new(steps), nearest);
        if other == *key {
            Ok(Proof::Present { value, path })
        } else {
            Ok(Proof::Absent(Absence::Other { key: other, value, path }))
        }
    }

    /// The bucket that a search for `key` ends at; `pass` is given the inner nodes on the way, root first.
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
/// Nodes are numbered from 0, buckets and inner nodes apart, in the order in which they are pushed.
pub trait NodeStore: Nodes {
    /// How many buckets and how many inner nodes there are.
    fn counts(&self) -> (u32, u32);

    /// Sets the topmost node.
    fn set_top(&mut self, top: Option<Link>);

    /// Changes a bucket. While something is under way the store keeps what an older one was, by [`Journal::bucket`] or in a way of
    /// its own.
    fn set_bucket(&mut self, number: u32, bucket: &Bucket) -> Result<(), Self::Error>;

    /// Hashes a bucket, unless that was done since it changed.
    fn rehash_bucket(&mut self, number: u32) -> Result<(), Self::Error> {
        let bucket = self.bucket(number)?;
        if bucket.hash.is_some() {
            return Ok(());
        }
        let hash = Some(subtree(&bucket.leaves).ok_or_else(Self::damaged)?);
        self.set_bucket(number, &Bucket { hash, ..bucket })
    }

    /// Changes an inner node.
    fn set_inner(&mut self, number: u32, node: &Inner) -> Result<(), Self::Error>;

    /// Adds a bucket. The caller has made sure that there is room for it.
    fn push_bucket(&mut self, bucket: &Bucket) -> Result<(), Self::Error>;

    /// Adds an inner node; there is one less than there are buckets.
    fn push_inner(&mut self, node: &Inner) -> Result<(), Self::Error>;

    /// Forgets the nodes from these numbers on.
    fn truncate(&mut self, buckets: u32, inners: u32);

    /// How to go back, where something is under way.
    fn journal(&mut self) -> &mut Option<Journal>;

    /// Sets the value of a key to what `next` makes of the one that it has.
    fn update(
        &mut self,
        key: &IndexKey,
        next: impl FnOnce(Option<Value>) -> Result<Value, Self::Error>,
    ) -> Result<(), Self::Error> {
        let way = self.way(key)?;
        let known = match way.bucket {
            Some(number) => self.bucket(number)?.value(key),
            None => None,
        };
        self.set(key, next(known)?, way)
    }

    /// The way down to a key.
    fn way(&mut self, key: &IndexKey) -> Result<Way, Self::Error> {
        let mut inners = Vec::with_capacity(64);
        let bucket = self.descend(key, |number, node| inners.push((number, node)))?;
        Ok(Way { inners, bucket })
    }

    /// Sets the value of a key, to which this is the way.
    fn set(&mut self, key: &IndexKey, value: Value, way: Way) -> Result<(), Self::Error> {
        let (leaf, new) = (Leaf { key: *key, value }, self.counts().0);
        let Way { inners: mut trail, bucket: Some(number) } = way else {
            self.push_bucket(&Bucket { leaves: vec![leaf], hash: None })?;
            self.set_top(Some(Link::to_bucket(new)));
            return Ok(());
        };
        let Bucket { mut leaves, .. } = self.bucket(number)?;
        match leaves.binary_search_by_key(key, |leaf| leaf.key) {
            Ok(at) => *leaves.get_mut(at).ok_or_else(Self::damaged)? = leaf,
            Err(at) => {
                let bit = parts_at(&leaves, key, at).ok_or_else(Self::damaged)?;
                // Bits rise on the way down. A new node stands below the lower ones, above whatever hung there.
                let below = trail.split_off(trail.partition_point(|(_, node)| node.bit < bit));
                if let Some((hanging, _)) = below.first() {
                    self.push_bucket(&Bucket { leaves: vec![leaf], hash: None })?;
                    let (hanging, leaf) = (Link::to_inner(*hanging), Link::to_bucket(new));
                    let (left, right) = if bit_of(key, bit) { (hanging, leaf) } else { (leaf, hanging) };
                    return self.hang(trail, bit, left, right);
                }
                leaves.insert(at, leaf);
            }
        }
        if leaves.len() <= MAX_BUCKET {
            self.mark_dirty(trail)?;
            return self.set_bucket(number, &Bucket { leaves, hash: None });
        }
        let parted = part(&leaves).ok_or_else(Self::damaged)?;
        self.set_bucket(number, &Bucket { leaves: parted.left.to_vec(), hash: None })?;
        self.push_bucket(&Bucket { leaves: parted.right.to_vec(), hash: None })?;
        self.hang(trail, parted.bit, Link::to_bucket(number), Link::to_bucket(new))
    }

    /// Puts a new inner node at the end of a way down, in the place of what hung there.
    fn hang(&mut self, trail: Vec<(u32, Inner)>, bit: u8, left: Link, right: Link) -> Result<(), Self::Error> {
        let split = Link::to_inner(self.counts().1);
        self.push_inner(&Inner { hash: Subtree::from_bytes([0; 32]), left, right, bit, stale: true })?;
        let parent = trail.last().copied();
        self.mark_dirty(trail)?;
        match parent {
            None => self.set_top(Some(split)),
            Some((number, mut node)) => {
                // The side of a key is that of every key below the new node.
                let side = if node.left == left || node.left == right { &mut node.left } else { &mut node.right };
                *side = split;
                self.set_inner(number, &Inner { stale: true, ..node })?;
            }
        }
        Ok(())
    }

    /// Hashes every stale node, each once, children first.
    fn rehash(&mut self) -> Result<(), Self::Error> {
        let mut open: Vec<(u32, Inner)> = Vec::new();
        let Some(top) = self.top() else { return Ok(()) };
        open.extend(self.stale(top, None)?);
        while let Some(&(number, node)) = open.last() {
            let waiting = open.len();
            open.extend(self.stale(node.left, Some(node.bit))?);
            open.extend(self.stale(node.right, Some(node.bit))?);
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
        let ((count, inner_count), root) = (self.counts(), self.top());
        let (buckets, inners) = (HashMap::new(), HashMap::new());
        *self.journal() = Some(Journal { count, inner_count, root, buckets, inners });
    }

    /// Keeps what changed since [`NodeStore::begin`].
    fn commit(&mut self) {
        *self.journal() = None;
    }

    /// Puts everything back as it was at [`NodeStore::begin`].
    fn rollback(&mut self) -> Result<(), Self::Error> {
        let Some(journal) = self.journal().take() else { return Ok(()) };
        self.truncate(journal.count, journal.inner_count);
        self.set_top(journal.root);
        for (number, bucket) in journal.buckets {
            self.set_bucket(number, &bucket)?;
        }
        for (number, node) in journal.inners {
            self.set_inner(number, &node)?;
        }
        Ok(())
    }

    /// Marks inner nodes stale, and writes down those that the journal would have to put back.
    fn mark_dirty(&mut self, trail: Vec<(u32, Inner)>) -> Result<(), Self::Error> {
        for (number, node) in trail.into_iter().filter(|(_, node)| !node.stale) {
            if let Some(journal) = self.journal().as_mut().filter(|journal| number < journal.inner_count) {
                journal.inners.entry(number).or_insert(node);
            }
            self.set_inner(number, &Inner { stale: true, ..node })?;
        }
        Ok(())
    }

    /// The inner node at a link, if it is stale; a stale bucket is hashed. A node must come below the bit above it: a circle would
    /// have no end.
    fn stale(&mut self, link: Link, above: Option<u8>) -> Result<Option<(u32, Inner)>, Self::Error> {
        match link.to() {
            LinkTo::Bucket(number) => {
                self.rehash_bucket(number)?;
                Ok(None)
            }
            LinkTo::Inner(number) => {
                let node = self.inner(number)?;
                match above {
                    Some(above) if above >= node.bit => Err(Self::damaged()),
                    _ => Ok(node.stale.then_some((number, node))),
                }
            }
        }
    }
}

impl Journal {
    /// Writes down what a bucket was, where that has to be put back and is not known yet.
    pub fn bucket(&mut self, number: u32, before: impl FnOnce() -> Bucket) {
        if number < self.count {
            self.buckets.entry(number).or_insert_with(before);
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
        self.inner().map_or(LinkTo::Bucket(self.0), LinkTo::Inner)
    }

    const fn to_bucket(number: u32) -> Self {
        Self(number)
    }

    const fn to_inner(number: u32) -> Self {
        Self(number | Self::INNER)
    }

    fn inner(self) -> Option<u32> {
        (self.0 & Self::INNER != 0).then_some(self.0 & !Self::INNER)
    }
}
