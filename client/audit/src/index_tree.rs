//! The index of the entries so far, as the auditor computes it: a Patricia tree on disk, with what its leaves hold.
//!
//! It shares the hashes of the chapter on the index with the log's builder and no other code. When the log's index entry is
//! not the root that comes out here, the transition check of the format decides who is wrong, from paths taken here.

use std::collections::{BTreeMap, HashMap};

use stele_spec::hash::{IndexKey, IndexRoot, ListRoot, NodeHash};
use stele_spec::index::{Absence, Old, Path, Pointer, Proof, Step, Subtree, Touched, Transition, Value, empty_root};
use stele_spec::merkle::Frontier;

use crate::pages::Pages;
use crate::store::{Changes, Snapshot, StoreError, key};

/// Key, count and list root.
const LEAF: usize = 32 + 8 + 32;
/// Hash, left, right, bit, and whether the hash is stale.
const INNER: usize = 32 + 4 + 4 + 1 + 1;

/// What the entries of a batch add, by key.
pub(crate) type Batch = BTreeMap<IndexKey, Vec<Pointer>>;

/// The tree; it names its nodes by number.
#[derive(Debug)]
pub(crate) struct IndexTree {
    leaves: Pages<LEAF>,
    inners: Pages<INNER>,
    root: Option<Link>,
    /// Frontiers by the number of the leaf, where a list has two pointers or more.
    lists: HashMap<u32, List>,
    undo: Option<Undo>,
}

#[derive(Debug)]
struct List {
    frontier: Frontier,
    changed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Leaf {
    key: IndexKey,
    value: Value,
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    hash: Subtree,
    left: Link,
    right: Link,
    bit: u8,
    stale: bool,
}

/// The number of a leaf or, with the top bit set, of an inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link(u32);

/// How everything was before the batch under way.
#[derive(Debug)]
struct Undo {
    leaves: u32,
    inners: u32,
    root: Option<Link>,
    values: Vec<(u32, Leaf)>,
    nodes: Vec<(u32, Inner)>,
    lists: Vec<(u32, Option<Frontier>)>,
}

impl IndexTree {
    /// The tree that was set down.
    pub(crate) fn open(rows: &Snapshot) -> Result<Self, StoreError> {
        let mut sizes = [0u32; 3];
        if let Some(row) = rows.row(&key(b'm', "index"))? {
            let (numbers, _) = row.as_chunks::<4>();
            for (size, number) in sizes.iter_mut().zip(numbers) {
                *size = u32::from_be_bytes(*number);
            }
        }
        let [leaves, inners, root] = sizes;
        let root = (leaves > 0).then_some(Link(root));
        Ok(Self {
            leaves: Pages::new(b'i', leaves),
            inners: Pages::new(b'n', inners),
            root,
            lists: HashMap::new(),
            undo: None,
        })
    }

    /// What changed since the last time.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) {
        self.undo = None;
        let root = self.root.map_or(0, |link| link.0);
        let sizes = [self.leaves.count(), self.inners.count(), root].map(u32::to_be_bytes).concat();
        changes.insert(key(b'm', "index"), sizes);
        self.leaves.set_down(changes);
        self.inners.set_down(changes);
        for (number, list) in self.lists.drain().filter(|(_, list)| list.changed) {
            changes.insert(key(b'f', number.to_be_bytes()), frontier_row(&list.frontier));
        }
    }

    /// The root.
    pub(crate) fn root(&mut self, rows: &Snapshot) -> Result<IndexRoot, StoreError> {
        self.root.map_or(Ok(empty_root()), |root| Ok(self.hash(rows, root)?.root()))
    }

    /// Takes a batch, and gives the root after it. [`IndexTree::undo`] takes it back until the next one.
    pub(crate) fn apply(&mut self, rows: &Snapshot, batch: &Batch) -> Result<IndexRoot, StoreError> {
        self.begin();
        for (key, pointers) in batch {
            self.append(rows, key, pointers)?;
        }
        self.rehash(rows)?;
        self.root(rows)
    }

    /// Takes the same batch key by key, for anyone who checks it with paths alone.
    pub(crate) fn apply_shown(&mut self, rows: &Snapshot, batch: &Batch) -> Result<Transition, StoreError> {
        self.begin();
        let mut touched = Vec::with_capacity(batch.len());
        for (key, pointers) in batch {
            touched.push(Touched { key: *key, old: self.old(rows, key)? });
            self.append(rows, key, pointers)?;
            // The next key's path is one under the running root.
            self.rehash(rows)?;
        }
        Ok(Transition::new(touched))
    }

    /// Takes the last batch back.
    pub(crate) fn undo(&mut self, rows: &Snapshot) -> Result<(), StoreError> {
        let Some(undo) = self.undo.take() else { return Ok(()) };
        self.root = undo.root;
        // Newest first, so that a node written down twice ends as it was.
        for (number, leaf) in undo.values.into_iter().rev() {
            self.leaves.set(rows, number, &leaf.to_record())?;
        }
        for (number, inner) in undo.nodes.into_iter().rev() {
            self.inners.set(rows, number, &inner.to_record())?;
        }
        for (number, frontier) in undo.lists.into_iter().rev() {
            match frontier {
                Some(frontier) => drop(self.lists.insert(number, List { frontier, changed: true })),
                None => drop(self.lists.remove(&number)),
            }
        }
        self.leaves.truncate(undo.leaves);
        self.inners.truncate(undo.inners);
        Ok(())
    }

    /// What the tree says of a key, with its proof.
    pub(crate) fn prove(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Proof, StoreError> {
        let Some((trail, nearest)) = self.descend(rows, key)? else { return Ok(Proof::Absent(Absence::Empty)) };
        let mut steps = Vec::with_capacity(trail.len());
        for number in trail.iter().rev() {
            let Inner { bit, left, right, .. } = self.inner(rows, *number)?;
            let sibling = self.hash(rows, if bit_of(key, bit) { left } else { right })?;
            steps.push(Step { bit, sibling });
        }
        let (path, Leaf { key: other, value }) = (Path::new(steps), self.leaf(rows, nearest)?);
        if other == *key {
            return Ok(Proof::Present { value, path });
        }
        Ok(Proof::Absent(Absence::Other { key: other, value, path }))
    }

    fn begin(&mut self) {
        self.undo = Some(Undo {
            leaves: self.leaves.count(),
            inners: self.inners.count(),
            root: self.root,
            values: Vec::new(),
            nodes: Vec::new(),
            lists: Vec::new(),
        });
    }

    fn old(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Old, StoreError> {
        match self.prove(rows, key)? {
            Proof::Absent(absence) => Ok(Old::Absent(absence)),
            Proof::Present { value, path } => {
                let number = self.find(rows, key)?.ok_or(StoreError::Damaged)?;
                Ok(Old::Present { list: self.list(rows, number, &value)?, path })
            }
        }
    }

    /// Adds pointers to the list of a key, which may be new.
    fn append(&mut self, rows: &Snapshot, key: &IndexKey, pointers: &[Pointer]) -> Result<(), StoreError> {
        let trail = self.descend(rows, key)?;
        let nearest = match &trail {
            Some((_, number)) => Some(self.leaf(rows, *number)?),
            None => None,
        };
        let known = nearest.filter(|leaf| leaf.key == *key);
        let mut frontier = match (&trail, known) {
            (Some((_, number)), Some(leaf)) => self.list(rows, *number, &leaf.value)?,
            _ => Frontier::new(),
        };
        pointers.iter().for_each(|pointer| frontier.push(pointer.list_leaf()));
        let leaf = Leaf { key: *key, value: Value::of(&frontier) };
        let number = match (trail, nearest) {
            (Some((trail, number)), Some(before)) if before.key == *key => {
                self.mark_dirty(rows, &trail)?;
                if let Some(undo) = &mut self.undo {
                    undo.values.push((number, before));
                }
                self.leaves.set(rows, number, &leaf.to_record())?;
                number
            }
            (Some((trail, number)), Some(other)) => self.split(rows, &leaf, &trail, number, &other)?,
            _ => {
                let number = self.leaves.push(rows, &leaf.to_record())?;
                self.root = Some(Link(number));
                number
            }
        };
        if frontier.size() > 1 {
            let before = self.lists.insert(number, List { frontier, changed: true });
            let before = match before {
                Some(list) => Some(list.frontier),
                None => rows.row(&key_of_list(number))?.map(|row| read_frontier(&row)).transpose()?,
            };
            if let Some(undo) = &mut self.undo {
                undo.lists.push((number, before));
            }
        }
        Ok(())
    }

    /// Puts a new leaf at the first bit at which it differs from the leaf that a search for it ends at.
    fn split(
        &mut self,
        rows: &Snapshot,
        leaf: &Leaf,
        trail: &[u32],
        nearest: u32,
        other: &Leaf,
    ) -> Result<u32, StoreError> {
        let bit = first_difference(&leaf.key, &other.key).ok_or(StoreError::Damaged)?;
        let mut above = Vec::with_capacity(trail.len());
        let mut hanging = Link(nearest);
        // Bits rise on the way down: the new node stands below the lower ones.
        for number in trail {
            if self.inner(rows, *number)?.bit > bit {
                hanging = Link::to_inner(*number);
                break;
            }
            above.push(*number);
        }
        self.mark_dirty(rows, &above)?;
        let number = self.leaves.push(rows, &leaf.to_record())?;
        let new = Link(number);
        let (left, right) = if bit_of(&leaf.key, bit) { (hanging, new) } else { (new, hanging) };
        let inner = Inner { hash: Subtree::from_bytes([0; 32]), left, right, bit, stale: true };
        let split = Link::to_inner(self.inners.push(rows, &inner.to_record())?);
        match above.last() {
            None => self.root = Some(split),
            Some(parent) => {
                let mut node = self.inner(rows, *parent)?;
                if bit_of(&leaf.key, node.bit) {
                    node.right = split
                } else {
                    node.left = split
                }
                self.inners.set(rows, *parent, &node.to_record())?;
            }
        }
        Ok(number)
    }

    /// Hashes every stale node, each once, children first.
    fn rehash(&mut self, rows: &Snapshot) -> Result<(), StoreError> {
        let mut open = Vec::new();
        if let Some(root) = self.root {
            open.extend(self.stale(rows, root)?);
        }
        while let Some(&number) = open.last() {
            let mut node = self.inner(rows, number)?;
            let waiting = open.len();
            open.extend(self.stale(rows, node.left)?);
            open.extend(self.stale(rows, node.right)?);
            if open.len() == waiting {
                node.hash = Subtree::inner(node.bit, &self.hash(rows, node.left)?, &self.hash(rows, node.right)?);
                node.stale = false;
                self.inners.set(rows, number, &node.to_record())?;
                open.pop();
            }
        }
        Ok(())
    }

    /// Marks inner nodes stale.
    fn mark_dirty(&mut self, rows: &Snapshot, trail: &[u32]) -> Result<(), StoreError> {
        for number in trail {
            let mut node = self.inner(rows, *number)?;
            // A stale node was written down when it became stale.
            if node.stale {
                continue;
            }
            if let Some(undo) = self.undo.as_mut().filter(|undo| *number < undo.inners) {
                undo.nodes.push((*number, node));
            }
            node.stale = true;
            self.inners.set(rows, *number, &node.to_record())?;
        }
        Ok(())
    }

    /// The inner nodes that a search passes, root first, and the leaf that it ends at.
    fn descend(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Option<(Vec<u32>, u32)>, StoreError> {
        let Some(mut here) = self.root else { return Ok(None) };
        let mut trail = Vec::with_capacity(32);
        while let Some(number) = here.inner() {
            // One node a bit: a longer way is a circle.
            if trail.len() > 256 {
                return Err(StoreError::Damaged);
            }
            trail.push(number);
            let node = self.inner(rows, number)?;
            here = if bit_of(key, node.bit) { node.right } else { node.left };
        }
        Ok(Some((trail, here.0)))
    }

    fn find(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Option<u32>, StoreError> {
        let Some((_, number)) = self.descend(rows, key)? else { return Ok(None) };
        Ok((self.leaf(rows, number)?.key == *key).then_some(number))
    }

    fn list(&mut self, rows: &Snapshot, number: u32, value: &Value) -> Result<Frontier, StoreError> {
        if let Some(list) = self.lists.get(&number) {
            return Ok(list.frontier.clone());
        }
        if value.count == 1 {
            // A tree of one leaf has that leaf's hash as its root.
            let root = NodeHash::from_bytes(*value.root.as_bytes());
            return Frontier::from_parts(1, vec![root]).ok_or(StoreError::Damaged);
        }
        read_frontier(&rows.row(&key_of_list(number))?.ok_or(StoreError::Damaged)?)
    }

    fn hash(&mut self, rows: &Snapshot, link: Link) -> Result<Subtree, StoreError> {
        match link.inner() {
            Some(number) => Ok(self.inner(rows, number)?.hash),
            None => self.leaf(rows, link.0).map(|leaf| Subtree::leaf(&leaf.key, &leaf.value)),
        }
    }

    fn stale(&mut self, rows: &Snapshot, link: Link) -> Result<Option<u32>, StoreError> {
        let Some(number) = link.inner() else { return Ok(None) };
        Ok(self.inner(rows, number)?.stale.then_some(number))
    }

    fn leaf(&mut self, rows: &Snapshot, number: u32) -> Result<Leaf, StoreError> {
        self.leaves.record(rows, number).map(|record| Leaf::of(&record))
    }

    fn inner(&mut self, rows: &Snapshot, number: u32) -> Result<Inner, StoreError> {
        self.inners.record(rows, number).map(|record| Inner::of(&record))
    }
}

impl Leaf {
    fn of(record: &[u8; LEAF]) -> Self {
        let mut fields = Fields(record);
        let key = IndexKey::from_bytes(fields.next());
        let value = Value { count: u64::from_be_bytes(fields.next()), root: ListRoot::from_bytes(fields.next()) };
        Self { key, value }
    }

    fn to_record(self) -> [u8; LEAF] {
        fill(&[self.key.as_bytes(), &self.value.to_bytes()])
    }
}

impl Inner {
    fn of(record: &[u8; INNER]) -> Self {
        let mut fields = Fields(record);
        let hash = Subtree::from_bytes(fields.next());
        let left = Link(u32::from_be_bytes(fields.next()));
        let right = Link(u32::from_be_bytes(fields.next()));
        let [bit, stale] = fields.next();
        Self { hash, left, right, bit, stale: stale == 1 }
    }

    fn to_record(self) -> [u8; INNER] {
        let links = [self.left.0.to_be_bytes(), self.right.0.to_be_bytes()].concat();
        fill(&[self.hash.as_bytes(), &links, &[self.bit, u8::from(self.stale)]])
    }
}

impl Link {
    const INNER: u32 = 1 << 31;

    fn to_inner(number: u32) -> Self {
        Self(number | Self::INNER)
    }

    fn inner(self) -> Option<u32> {
        (self.0 & Self::INNER != 0).then_some(self.0 & !Self::INNER)
    }
}

/// The fields of a record, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn next<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *field
    }
}

fn fill<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut record = [0; N];
    record.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
    record
}

fn key_of_list(number: u32) -> Vec<u8> {
    key(b'f', number.to_be_bytes())
}

fn frontier_row(frontier: &Frontier) -> Vec<u8> {
    let mut row = frontier.size().to_be_bytes().to_vec();
    frontier.peaks().iter().for_each(|peak| row.extend_from_slice(peak.as_bytes()));
    row
}

fn read_frontier(row: &[u8]) -> Result<Frontier, StoreError> {
    let (size, peaks) = row.split_first_chunk::<8>().ok_or(StoreError::Damaged)?;
    let (peaks, _) = peaks.as_chunks::<32>();
    let peaks = peaks.iter().map(|peak| NodeHash::from_bytes(*peak)).collect();
    Frontier::from_parts(u64::from_be_bytes(*size), peaks).ok_or(StoreError::Damaged)
}

/// The bit of a key, most significant first.
fn bit_of(key: &IndexKey, bit: u8) -> bool {
    key.as_bytes().get(usize::from(bit / 8)).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1)
}

/// The first bit at which two keys differ.
fn first_difference(a: &IndexKey, b: &IndexKey) -> Option<u8> {
    (0..=u8::MAX).find(|bit| bit_of(a, *bit) != bit_of(b, *bit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use stele_spec::entry::IndexEntry;
    use stele_spec::hash::{Digest, LeafHash};
    use stele_spec::index::{Index, Listing, check_transition};

    /// Keys that come again, and keys that share long beginnings.
    fn listings(from: u64, count: u64) -> Vec<Listing> {
        let key = |seed: String| IndexKey::from_bytes(*Digest::of(seed.as_bytes()).as_bytes());
        (from..from + count)
            .map(|position| {
                let leaf = LeafHash::from_bytes(*Digest::of(&position.to_be_bytes()).as_bytes());
                let mut near = [0; 32];
                near[31] = (position % 7) as u8;
                let keys = vec![
                    key(format!("one {position}")),
                    key(format!("few {}", position % 5)),
                    IndexKey::from_bytes(near),
                ];
                Listing::new(Pointer { position, leaf }, keys)
            })
            .collect()
    }

    fn batch(listings: &[Listing]) -> Batch {
        let mut batch = Batch::new();
        for listing in listings {
            for key in listing.keys() {
                batch.entry(*key).or_default().push(listing.pointer());
            }
        }
        batch
    }

    #[test]
    fn the_tree_on_disk_has_the_roots_of_the_builder_however_often_it_is_set_down_or_taken_back() {
        let store = Store::temporary().unwrap();
        let mut index = Index::new();
        let mut tree = IndexTree::open(&store.snapshot().unwrap()).unwrap();
        // The first entry of every log is the index of nothing.
        index.stage(&[]).unwrap();
        index.commit().unwrap();
        let mut position = 1;
        for round in 0..40u64 {
            let rows = store.snapshot().unwrap();
            let listings = listings(position, 1 + round % 9);
            let before = index.entry();
            let staged = index.stage(&listings).unwrap();
            index.commit().unwrap();
            position += listings.len() as u64 + 1;

            let old_root = tree.root(&rows).unwrap();
            assert_eq!(old_root, before.root);
            assert_eq!(tree.apply(&rows, &batch(&listings)).unwrap(), staged.entry.root, "round {round}");
            if round % 2 == 0 {
                tree.undo(&rows).unwrap();
                assert_eq!(tree.root(&rows).unwrap(), old_root);
                let transition = tree.apply_shown(&rows, &batch(&listings)).unwrap();
                assert_eq!(transition, staged.transition);
                let old = IndexEntry { position: listings[0].pointer().position - 1, root: old_root };
                assert_eq!(check_transition(&old, &listings, &transition), Ok(staged.entry));
                assert_eq!(tree.root(&rows).unwrap(), staged.entry.root);
            }
            if round % 3 == 0 {
                let mut changes = Changes::new();
                tree.set_down(&mut changes);
                store.write(&changes).unwrap();
                tree = IndexTree::open(&store.snapshot().unwrap()).unwrap();
            }
        }
    }
}
