//! The index as the one writer of a log keeps it.

use core::convert::Infallible;
use core::fmt;
use std::collections::{BTreeMap, HashMap};

use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot};
use crate::merkle::Frontier;

use super::list::List;
use super::listing::{Listing, Pointer, Value};
use super::memory::{Memory, View, sure};
use super::path::{Absence, Proof};
use super::patricia::{MAX_KEYS, NodeStore, Nodes};
use super::transition::{Old, Touched, Transition};

/// The index of the entries `[0, position)` of a log, in memory.
///
/// Entries come in log order, all of them, in batches:
///
/// - [`Index::replay`] takes what is in the log already. Hashing costs what the batch touches, each node once.
/// - [`Index::stage`] takes what is not in the log yet, and answers with the index entry that would follow and the
///   evidence that [`check_transition`](super::check_transition) wants; [`Index::stage_entry`] does without the
///   evidence. The batch is then kept with [`Index::commit`] or taken back with [`Index::rollback`]; until then
///   nothing else is taken, and [`Index::settled`] still answers as before the batch.
///
/// Staging writes in place and keeps a journal of what it overwrote: about 48 bytes for each inner node on the way
/// to each key, and the frontier of each list that grew; for a batch of 256 entries in an index of a million keys
/// that is about 1 MB, for as long as the batch is staged. Taking it back copies them; it hashes nothing.
#[derive(Debug, Default)]
pub struct Index {
    tree: Memory,
    /// By the number of the key in `tree`.
    lists: Vec<List>,
    position: u64,
    staged: Option<Undo>,
}

/// A batch that is in the index and not yet in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The index entry that follows the batch in the log.
    pub entry: IndexEntry,
    /// What shows that this entry follows from the one before.
    pub transition: Transition,
}

/// How the lists and the position were before the staged batch. The tree has a journal of its own.
#[derive(Debug)]
struct Undo {
    position: u64,
    lists: usize,
    /// The older frontier of each list that grew, by the number of its key.
    grown: HashMap<u32, Frontier>,
}

impl Index {
    /// The index of an empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it covers, and the position of the next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root.
    pub fn root(&self) -> IndexRoot {
        sure(self.tree.now().root())
    }

    /// The index entry that says so, at the next position.
    pub fn entry(&self) -> IndexEntry {
        IndexEntry { position: self.position, root: self.root() }
    }

    /// The positions of the entries listed under a key, ascending; none when the key is absent.
    pub fn positions(&self, key: &IndexKey) -> &[u64] {
        let list = self.find(key).and_then(|number| self.lists.get(number as usize));
        list.map_or(&[], List::positions)
    }

    /// What the index holds under a key.
    pub fn value(&self, key: &IndexKey) -> Option<Value> {
        let number = self.find(key)?;
        Some(sure(self.tree.now().leaf(number)).value)
    }

    /// What the index says of a key, with its proof.
    pub fn prove(&self, key: &IndexKey) -> Proof {
        sure(self.tree.now().prove(key))
    }

    /// The nodes of the tree, the staged batch among them.
    pub fn nodes(&self) -> impl Nodes<Error = Infallible> {
        self.tree.now()
    }

    /// The frontier of the list under a key; none where the key is absent.
    pub fn frontier(&self, key: &IndexKey) -> Option<Frontier> {
        let number = self.find(key)?;
        let value = sure(self.tree.now().leaf(number)).value;
        Some(self.lists.get(number as usize)?.frontier(&value))
    }

    /// The tree as it was before the staged batch, and how many entries it covered then.
    pub(super) fn before(&self) -> (View<'_>, u64) {
        (self.tree.before(), self.staged.as_ref().map_or(self.position, |undo| undo.position))
    }

    /// The positions under the key of this number, of which the staged batch added none.
    pub(super) fn settled_positions(&self, number: u32) -> &[u64] {
        let all = self.lists.get(number as usize).map_or(&[][..], List::positions);
        let before = self.staged.as_ref().and_then(|undo| undo.grown.get(&number)).map(Frontier::size);
        let count = before.and_then(|count| usize::try_from(count).ok()).unwrap_or(all.len());
        all.get(..count).unwrap_or(all)
    }

    /// Takes entries that are in the log already, index entries included.
    pub fn replay(&mut self, listings: &[Listing]) -> Result<(), IndexError> {
        let grouped = self.group(listings)?;
        for (key, pointers) in &grouped {
            self.append(key, pointers);
        }
        sure(self.tree.rehash());
        self.position += listings.len() as u64;
        Ok(())
    }

    /// Takes entries that are not in the log yet. On an error nothing has changed.
    pub fn stage(&mut self, listings: &[Listing]) -> Result<Staged, IndexError> {
        let grouped = self.group(listings)?;
        self.begin();
        let mut touched = Vec::with_capacity(grouped.len());
        for (key, pointers) in &grouped {
            touched.push(Touched { key: *key, old: self.old(key) });
            self.append(key, pointers);
            // The next key's old path is one under the running root.
            sure(self.tree.rehash());
        }
        self.position += listings.len() as u64;
        Ok(Staged { entry: self.entry(), transition: Transition::new(touched) })
    }

    /// Takes entries that are not in the log yet, as [`Index::stage`] does; hashing costs what the batch touches, each node once.
    pub fn stage_entry(&mut self, listings: &[Listing]) -> Result<IndexEntry, IndexError> {
        let grouped = self.group(listings)?;
        self.begin();
        for (key, pointers) in &grouped {
            self.append(key, pointers);
        }
        sure(self.tree.rehash());
        self.position += listings.len() as u64;
        Ok(self.entry())
    }

    /// Keeps the staged batch: it and the index entry after it are in the log. The next entry comes after that one.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.staged.take().ok_or(IndexError::NothingStaged)?;
        self.tree.commit();
        self.position += 1;
        Ok(())
    }

    /// Takes the staged batch back; everything is as it was. Without a staged batch there is nothing to do.
    pub fn rollback(&mut self) {
        let Some(undo) = self.staged.take() else { return };
        sure(self.tree.rollback());
        self.lists.truncate(undo.lists);
        for (number, frontier) in undo.grown {
            if let Some(list) = self.lists.get_mut(number as usize) {
                list.truncate(frontier);
            }
        }
        self.position = undo.position;
    }

    fn begin(&mut self) {
        self.tree.begin();
        self.staged = Some(Undo { position: self.position, lists: self.lists.len(), grown: HashMap::new() });
    }

    /// The number of a key, by which its list is found.
    fn find(&self, key: &IndexKey) -> Option<u32> {
        sure(self.tree.now().find(key))
    }

    /// The batch by key; refused unless it comes next, in order, and fits.
    fn group(&self, listings: &[Listing]) -> Result<BTreeMap<IndexKey, Vec<Pointer>>, IndexError> {
        if self.staged.is_some() {
            return Err(IndexError::Staged);
        }
        let mut grouped: BTreeMap<IndexKey, Vec<Pointer>> = BTreeMap::new();
        for (listing, expected) in listings.iter().zip(self.position..) {
            let pointer = listing.pointer();
            if pointer.position != expected {
                return Err(IndexError::Position { expected, found: pointer.position });
            }
            for key in listing.keys() {
                grouped.entry(*key).or_default().push(pointer);
            }
        }
        if grouped.len() > self.tree.room() {
            return Err(IndexError::Full);
        }
        Ok(grouped)
    }

    /// What the index holds under a key, as the transition check wants it.
    fn old(&self, key: &IndexKey) -> Old {
        let list = self.find(key).and_then(|number| self.lists.get(number as usize));
        match (self.prove(key), list) {
            (Proof::Present { value, path }, Some(list)) => Old::Present { list: list.frontier(&value), path },
            (Proof::Absent(absence), _) => Old::Absent(absence),
            // Each key has a list. If one had not, the transition check would refuse this.
            (Proof::Present { .. }, None) => Old::Absent(Absence::Empty),
        }
    }

    /// Adds pointers to the list of a key, which may be new.
    fn append(&mut self, key: &IndexKey, pointers: &[Pointer]) {
        let positions = pointers.iter().map(|pointer| pointer.position);
        let (mut before, mut after) = (None, Frontier::new());
        let number = sure(self.tree.update(key, |known| {
            before = known.and_then(|(number, value)| Some(self.lists.get(number as usize)?.frontier(&value)));
            after = before.clone().unwrap_or_default();
            pointers.iter().for_each(|pointer| after.push(pointer.list_leaf()));
            Ok(Value::of(&after))
        }));
        match (before, self.lists.get_mut(number as usize)) {
            (Some(before), Some(list)) => {
                list.extend(positions, after);
                if let Some(undo) = &mut self.staged {
                    undo.grown.insert(number, before);
                }
            }
            _ => self.lists.push(List::new(positions.collect(), after)),
        }
    }
}

/// Why a batch was not taken; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexError {
    /// The entries are not the next ones of the log, in order and without a gap.
    Position {
        /// The position that comes next.
        expected: u64,
        /// The position of the listing.
        found: u64,
    },
    /// Another batch is staged: commit it or roll it back first.
    Staged,
    /// No batch is staged that could be committed.
    NothingStaged,
    /// The index has as many keys as it can number.
    Full,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { expected, found } => write!(f, "the next entry to index is {expected}, found {found}"),
            Self::Staged => f.write_str("another batch is staged"),
            Self::NothingStaged => f.write_str("no batch is staged"),
            Self::Full => write!(f, "an index has at most {MAX_KEYS} keys"),
        }
    }
}

impl core::error::Error for IndexError {}
