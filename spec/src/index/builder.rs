//! The index as the one writer of a log keeps it.

use core::convert::Infallible;
use core::fmt;
use std::collections::BTreeMap;

use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot};
use crate::merkle::Frontier;

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
/// to each key, the bucket of each, and the frontier of each list that grew; for a batch of 256 entries in an index of a
/// million keys that is about 2 MB, for as long as the batch is staged. Taking it back copies them; it hashes nothing.
#[derive(Debug, Default)]
pub struct Index {
    tree: Memory,
    position: u64,
    /// How many entries it covered before the staged batch, where one is staged. The tree has a journal of its own.
    staged: Option<u64>,
}

/// A batch that is in the index and not yet in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The index entry that follows the batch in the log.
    pub entry: IndexEntry,
    /// What shows that this entry follows from the one before.
    pub transition: Transition,
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
        self.tree.positions(key)
    }

    /// What the index holds under a key.
    pub fn value(&self, key: &IndexKey) -> Option<Value> {
        self.tree.value_of(key)
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
        self.tree.frontier(key)
    }

    /// The tree as it was before the staged batch, and how many entries it covered then.
    pub(super) fn before(&self) -> (View<'_>, u64) {
        (self.tree.before(), self.staged.unwrap_or(self.position))
    }

    /// Takes entries that are in the log already, index entries included.
    pub fn replay(&mut self, listings: &[Listing]) -> Result<(), IndexError> {
        let grouped = self.group(listings)?;
        self.tree.expect(listings);
        for (key, pointers) in &grouped {
            self.tree.append(key, pointers);
        }
        sure(self.tree.rehash());
        self.tree.expect(&[]);
        self.position += listings.len() as u64;
        Ok(())
    }

    /// Takes entries that are not in the log yet. On an error nothing has changed.
    pub fn stage(&mut self, listings: &[Listing]) -> Result<Staged, IndexError> {
        let grouped = self.group(listings)?;
        self.begin(listings);
        let mut touched = Vec::with_capacity(grouped.len());
        for (key, pointers) in &grouped {
            touched.push(Touched { key: *key, old: self.old(key) });
            self.tree.append(key, pointers);
            // The next key's old path is one under the running root.
            sure(self.tree.rehash());
        }
        self.position += listings.len() as u64;
        Ok(Staged { entry: self.entry(), transition: Transition::new(touched) })
    }

    /// Takes entries that are not in the log yet, as [`Index::stage`] does; hashing costs what the batch touches, each node once.
    pub fn stage_entry(&mut self, listings: &[Listing]) -> Result<IndexEntry, IndexError> {
        let grouped = self.group(listings)?;
        self.begin(listings);
        for (key, pointers) in &grouped {
            self.tree.append(key, pointers);
        }
        sure(self.tree.rehash());
        self.position += listings.len() as u64;
        Ok(self.entry())
    }

    /// Keeps the staged batch: it and the index entry after it are in the log. The next entry comes after that one.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.staged.take().ok_or(IndexError::NothingStaged)?;
        self.tree.keep();
        self.position += 1;
        Ok(())
    }

    /// Takes the staged batch back; everything is as it was. Without a staged batch there is nothing to do.
    pub fn rollback(&mut self) {
        let Some(position) = self.staged.take() else { return };
        self.tree.take_back();
        self.position = position;
    }

    fn begin(&mut self, listings: &[Listing]) {
        self.tree.stage();
        self.tree.expect(listings);
        self.staged = Some(self.position);
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
        match (self.prove(key), self.frontier(key)) {
            (Proof::Present { path, .. }, Some(list)) => Old::Present { list, path },
            (Proof::Absent(absence), _) => Old::Absent(absence),
            // What is present has a list. If it had not, the transition check would refuse this.
            (Proof::Present { .. }, None) => Old::Absent(Absence::Empty),
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
