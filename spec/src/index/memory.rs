//! The tree in memory, with the lists that its values stand for: a key costs 36 bytes, its share of a bucket and of the
//! inner node above it some ten, and an entry that is alone under its keys 40 for all of them.
//!
//! Most keys have one entry, and most entries several such keys: under all of them the list is the same, one pointer. So it is
//! kept once, with its position.

use core::convert::Infallible;
use std::collections::HashMap;

use super::bucket::{Bucket, Leaf};
use super::chunks::Chunks;
use super::list::{List, frontier_of_one};
use super::listing::{Listing, Pointer, Value};
use super::node::Subtree;
use super::patricia::{Inner, Journal, Link, MAX_KEYS, NodeStore, Nodes};
use super::sorted::subtree_of_sorted;
use crate::hash::{IndexKey, ListRoot};
use crate::merkle::Frontier;

/// What a key, a bucket, an inner node and an entry that is alone under a key take.
#[cfg(test)]
pub(super) const SIZES: [usize; 4] =
    [size_of::<PackedLeaf>(), size_of::<Packed>(), size_of::<Inner>(), size_of::<Single>()];

/// The nodes of a tree of fewer than [`MAX_KEYS`] keys.
#[derive(Debug, Default)]
pub(super) struct Memory {
    buckets: Chunks<Packed>,
    inners: Chunks<Inner>,
    /// The lists of one entry.
    singles: Chunks<Single>,
    /// The other lists.
    others: Chunks<Other>,
    keys: usize,
    top: Option<Link>,
    journal: Option<Journal>,
    /// How much there was when the journal began.
    before: Sizes,
    /// Each older bucket that has changed since the journal began, as it was kept.
    changed: HashMap<u32, Packed>,
    /// The keys that were taken out of a bucket, for the one that they come into.
    moved: Vec<PackedLeaf>,
    /// The entries that come now, by the root of the list of each alone: its position, and its number once it is kept.
    coming: HashMap<ListRoot, Coming>,
    /// The older frontier of each list that was longer than one and grew since the journal began, by its number.
    grown: HashMap<u32, Frontier>,
    /// Where the value that was set last is, and the position of the entry that was alone in its place.
    last: Option<(Place, Option<u64>)>,
}

/// How many keys and values there are.
#[derive(Debug, Default, Clone, Copy)]
struct Sizes {
    keys: usize,
    singles: u32,
    others: u32,
}

/// A bucket as it is kept. Zeros for a hash: it is stale.
#[derive(Debug)]
struct Packed {
    leaves: Box<[PackedLeaf]>,
    hash: [u8; 32],
}

#[derive(Debug, Clone, Copy)]
struct PackedLeaf {
    key: IndexKey,
    value: Place,
}

/// Where a value is: a number of `singles` or, with the top bit set, of `others`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(u32);

/// A list of one entry.
#[derive(Debug, Clone, Copy)]
struct Single {
    position: u64,
    root: ListRoot,
}

/// A list of more entries, as it was set; none where a value alone was set.
#[derive(Debug)]
struct Other {
    value: Value,
    list: List,
}

#[derive(Debug, Clone, Copy)]
struct Coming {
    position: u64,
    kept: Option<Place>,
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
        self.keys
    }

    /// How many more keys there is room for.
    pub(super) fn room(&self) -> usize {
        MAX_KEYS - self.len()
    }

    /// Says which entries come now. A list of one entry is kept as such only where it is one of these.
    pub(super) fn expect(&mut self, listings: &[Listing]) {
        let coming = |listing: &Listing| {
            let pointer = listing.pointer();
            let root = ListRoot::from_bytes(*pointer.list_leaf().as_bytes());
            (root, Coming { position: pointer.position, kept: None })
        };
        self.coming = listings.iter().filter(|listing| !listing.keys().is_empty()).map(coming).collect();
    }

    /// Starts to remember what changes, so that [`Memory::take_back`] can put it back.
    pub(super) fn stage(&mut self) {
        self.before = Sizes { keys: self.keys, singles: self.singles.len(), others: self.others.len() };
        self.begin();
    }

    /// Keeps what changed since [`Memory::stage`].
    pub(super) fn keep(&mut self) {
        self.commit();
        self.forget();
    }

    /// Puts everything back as it was at [`Memory::stage`].
    pub(super) fn take_back(&mut self) {
        sure(self.rollback());
        for (number, packed) in core::mem::take(&mut self.changed) {
            self.buckets[number] = packed;
        }
        // Every bucket is again as it was: nothing leads to what came after.
        self.singles.truncate(self.before.singles);
        self.others.truncate(self.before.others);
        for (number, frontier) in core::mem::take(&mut self.grown) {
            let other = &mut self.others[number];
            other.value = Value::of(&frontier);
            other.list.truncate(&frontier);
        }
        self.keys = self.before.keys;
        self.forget();
    }

    fn forget(&mut self) {
        (self.changed, self.coming, self.grown) = Default::default();
    }

    /// Adds pointers to the list of a key, which may be new. The nodes above it are stale then.
    pub(super) fn append(&mut self, key: &IndexKey, pointers: &[Pointer]) {
        let way = sure(self.way(key));
        let before = way.bucket.and_then(|number| self.place_in(number, key)).map(|place| self.frontier_at(place));
        let mut after = before.clone().unwrap_or_default();
        pointers.iter().for_each(|pointer| after.push(pointer.list_leaf()));
        let value = Value::of(&after);
        sure(self.set(key, value, way));
        let Some((place, alone)) = self.last.take().filter(|_| value.count > 1) else { return };
        let (number, positions) = (place.other(), pointers.iter().map(|pointer| pointer.position));
        if self.journal.is_some() && number < self.before.others {
            self.grown.entry(number).or_insert(before.unwrap_or_default());
        }
        self.others[number].list.extend(alone.into_iter().chain(positions), &after);
    }

    /// The positions of the entries listed under a key, ascending; none when the key is absent.
    pub(super) fn positions(&self, key: &IndexKey) -> &[u64] {
        let Some(place) = self.place_of(key) else { return &[] };
        match place.single() {
            Some(number) => core::slice::from_ref(&self.singles[number].position),
            None => self.others[place.other()].list.positions(),
        }
    }

    /// The frontier of the list under a key; none where the key is absent.
    pub(super) fn frontier(&self, key: &IndexKey) -> Option<Frontier> {
        self.place_of(key).map(|place| self.frontier_at(place))
    }

    fn frontier_at(&self, place: Place) -> Frontier {
        match place.single() {
            Some(number) => frontier_of_one(self.singles[number].root),
            None => self.others[place.other()].list.frontier(),
        }
    }

    /// What is held under a key.
    pub(super) fn value_of(&self, key: &IndexKey) -> Option<Value> {
        self.place_of(key).map(|place| self.value(place))
    }

    fn place_of(&self, key: &IndexKey) -> Option<Place> {
        self.place_in(sure(self.now().descend(key, |_, _| ()))?, key)
    }

    fn place_in(&self, number: u32, key: &IndexKey) -> Option<Place> {
        let leaves = &self.buckets[number].leaves;
        let at = leaves.binary_search_by_key(key, |leaf| leaf.key).ok()?;
        leaves.get(at).map(|leaf| leaf.value)
    }

    fn single(&self, place: Place) -> Option<&Single> {
        place.single().map(|number| &self.singles[number])
    }

    fn value(&self, place: Place) -> Value {
        match place.single() {
            Some(number) => Value { count: 1, root: self.singles[number].root },
            None => self.others[place.other()].value,
        }
    }

    fn unpacked(&self, packed: &Packed, value: impl Fn(Place) -> Value) -> Bucket {
        let leaves = packed.leaves.iter().map(|leaf| Leaf { key: leaf.key, value: value(leaf.value) }).collect();
        Bucket { leaves, hash: packed.hash() }
    }

    /// The value at a place before the journal began.
    fn value_before(&self, place: Place) -> Value {
        let grown = place.single().is_none().then(|| self.grown.get(&place.other())).flatten();
        grown.map_or_else(|| self.value(place), Value::of)
    }

    /// A bucket as it is kept, where this is known of its keys.
    fn packed(&mut self, bucket: &Bucket, known: &[PackedLeaf]) -> Packed {
        let mut leaves = Vec::with_capacity(bucket.leaves.len());
        let mut known = known.iter().peekable();
        for Leaf { key, value } in &bucket.leaves {
            while known.next_if(|leaf| leaf.key < *key).is_some() {}
            let known = known.next_if(|leaf| leaf.key == *key).map(|leaf| leaf.value);
            leaves.push(PackedLeaf { key: *key, value: self.place(*value, known) });
        }
        Packed { leaves: leaves.into(), hash: bucket.hash.map_or([0; 32], |hash| *hash.as_bytes()) }
    }

    /// Where a value is kept, under a key whose value was kept at `known` so far.
    fn place(&mut self, value: Value, known: Option<Place>) -> Place {
        if let Some(known) = known.filter(|known| self.value(*known) == value) {
            return known;
        }
        let place = match known.filter(|known| known.single().is_none()) {
            Some(known) => {
                self.others[known.other()].value = value;
                known
            }
            None => self.new_place(value),
        };
        self.last = Some((place, known.and_then(|known| self.single(known)).map(|single| single.position)));
        place
    }

    fn new_place(&mut self, value: Value) -> Place {
        if let Some(Coming { position, kept }) = self.coming.get(&value.root).copied().filter(|_| value.count == 1) {
            return kept.unwrap_or_else(|| {
                self.singles.push(Single { position, root: value.root });
                let place = Place(self.singles.len() - 1);
                self.coming.insert(value.root, Coming { position, kept: Some(place) });
                place
            });
        }
        self.others.push(Other { value, list: List::default() });
        Place::of_other(self.others.len() - 1)
    }
}

impl Packed {
    fn hash(&self) -> Option<Subtree> {
        (self.hash != [0; 32]).then_some(Subtree::from_bytes(self.hash))
    }
}

impl Place {
    const OTHER: u32 = 1 << 31;

    const fn of_other(number: u32) -> Self {
        Self(number | Self::OTHER)
    }

    fn single(self) -> Option<u32> {
        (self.0 & Self::OTHER == 0).then_some(self.0)
    }

    const fn other(self) -> u32 {
        self.0 & !Self::OTHER
    }
}

/// What a tree in memory answers: no node of it can fail to be read.
pub(super) fn sure<T>(answer: Result<T, Infallible>) -> T {
    let Ok(answer) = answer;
    answer
}

impl<'a> View<'a> {
    /// A bucket as it was, where it has changed since.
    fn older(&self, number: u32) -> Option<&'a Packed> {
        self.before.and_then(|_| self.tree.changed.get(&number))
    }
}

impl Nodes for View<'_> {
    type Error = Infallible;

    fn damaged() -> Infallible {
        panic!("the index in memory is no tree: to stop is better than to sign")
    }

    fn top(&self) -> Option<Link> {
        self.before.map_or(self.tree.top, |journal| journal.root)
    }

    fn bucket(&mut self, number: u32) -> Result<Bucket, Infallible> {
        let Some(old) = self.older(number) else {
            return Ok(self.tree.unpacked(&self.tree.buckets[number], |place| self.tree.value(place)));
        };
        Ok(self.tree.unpacked(old, |place| self.tree.value_before(place)))
    }

    fn bucket_hash(&mut self, number: u32) -> Result<Option<Subtree>, Infallible> {
        Ok(self.older(number).unwrap_or(&self.tree.buckets[number]).hash())
    }

    fn find(&mut self, key: &IndexKey) -> Result<Option<Value>, Infallible> {
        match self.before {
            None => Ok(self.tree.value_of(key)),
            Some(_) => {
                let Some(number) = self.descend(key, |_, _| ())? else { return Ok(None) };
                Ok(self.bucket(number)?.value(key))
            }
        }
    }

    fn inner(&mut self, number: u32) -> Result<Inner, Infallible> {
        let old = self.before.and_then(|journal| journal.inners.get(&number));
        Ok(old.copied().unwrap_or_else(|| self.tree.inners[number]))
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

    fn bucket(&mut self, number: u32) -> Result<Bucket, Infallible> {
        self.now().bucket(number)
    }

    fn bucket_hash(&mut self, number: u32) -> Result<Option<Subtree>, Infallible> {
        self.now().bucket_hash(number)
    }

    fn inner(&mut self, number: u32) -> Result<Inner, Infallible> {
        self.now().inner(number)
    }
}

impl NodeStore for Memory {
    fn counts(&self) -> (u32, u32) {
        (self.buckets.len(), self.inners.len())
    }

    fn set_top(&mut self, top: Option<Link>) {
        self.top = top;
    }

    fn set_bucket(&mut self, number: u32, bucket: &Bucket) -> Result<(), Infallible> {
        let known = core::mem::replace(&mut self.buckets[number], Packed { leaves: Box::default(), hash: [0; 32] });
        self.keys = self.keys + bucket.leaves.len() - known.leaves.len();
        self.buckets[number] = self.packed(bucket, &known.leaves);
        if let Some(last) = bucket.leaves.last().filter(|_| known.leaves.len() >= bucket.leaves.len()) {
            // Those beyond the last key come into the bucket that is pushed next.
            let from = known.leaves.partition_point(|leaf| leaf.key <= last.key);
            self.moved = known.leaves.get(from..).unwrap_or_default().to_vec();
        }
        if self.journal.as_ref().is_some_and(|journal| number < journal.count) {
            self.changed.entry(number).or_insert(known);
        }
        Ok(())
    }

    fn rehash_bucket(&mut self, number: u32) -> Result<(), Infallible> {
        let packed = &self.buckets[number];
        if packed.hash().is_none() {
            let leaf = |leaf: &PackedLeaf| (leaf.key, Subtree::leaf(&leaf.key, &self.value(leaf.value)));
            let hash = subtree_of_sorted(packed.leaves.iter().map(leaf));
            self.buckets[number].hash = hash.ok().flatten().map_or([0; 32], |hash| *hash.as_bytes());
        }
        Ok(())
    }

    fn set_inner(&mut self, number: u32, node: &Inner) -> Result<(), Infallible> {
        self.inners[number] = *node;
        Ok(())
    }

    fn push_bucket(&mut self, bucket: &Bucket) -> Result<(), Infallible> {
        let moved = core::mem::take(&mut self.moved);
        let packed = self.packed(bucket, &moved);
        self.keys += bucket.leaves.len();
        self.buckets.push(packed);
        Ok(())
    }

    fn push_inner(&mut self, node: &Inner) -> Result<(), Infallible> {
        self.inners.push(*node);
        Ok(())
    }

    fn truncate(&mut self, buckets: u32, inners: u32) {
        self.buckets.truncate(buckets);
        self.inners.truncate(inners);
    }

    fn journal(&mut self) -> &mut Option<Journal> {
        &mut self.journal
    }
}
