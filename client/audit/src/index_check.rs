//! Every index entry of the log against the index of the entries before it.

use serde::{Deserialize, Serialize};
use stele_spec::entry::IndexEntry;
use stele_spec::hash::IndexKey;
use stele_spec::index::{Listing, MAX_BETWEEN, Proof, Transition, check_transition};

use crate::index_tree::{IndexTree, batch};
use crate::store::{Changes, Snapshot, StoreError, key, to_json};

/// The index so far.
#[derive(Debug)]
pub(crate) struct IndexCheck {
    tree: IndexTree,
    waiting: Vec<Listing>,
    last: Last,
}

/// The newest index entry, and what came after it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Last {
    /// The place of the newest index entry.
    position: Option<u64>,
    /// Whether it was right.
    right: bool,
    /// Up to where the tree has taken entries, where that is further.
    taken: u64,
}

/// An entry in the place where an index entry had to be at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overdue {
    /// The newest index entry before it, if there is one.
    pub(crate) from: Option<u64>,
    /// The place.
    pub(crate) at: u64,
}

/// An index entry that cannot stand where it stands.
#[derive(Debug)]
pub(crate) struct WrongIndex {
    /// What should stand there.
    pub(crate) expected: IndexEntry,
    /// Where the index entry before it is, and what shows the step, if that one was right.
    pub(crate) shown: Option<(u64, Transition)>,
}

impl IndexCheck {
    /// The index that was set down; the entries from [`IndexCheck::from`] on have to be taken again.
    pub(crate) fn open(rows: &Snapshot) -> Result<Self, StoreError> {
        let last = rows.json(&key(b'm', "last-index"))?.unwrap_or_default();
        Ok(Self { tree: IndexTree::open(rows)?, waiting: Vec::new(), last })
    }

    /// The first entry that the tree has not taken.
    pub(crate) fn from(&self) -> u64 {
        self.last.taken
    }

    /// Takes an entry that is no index entry; tells the one that stands where an index entry had to be at the latest.
    ///
    /// The tree takes the entries then: their index entry is overdue, and the roots after it are not proven with them.
    pub(crate) fn take(&mut self, rows: &Snapshot, listing: Listing) -> Result<Option<Overdue>, StoreError> {
        let at = listing.pointer().position;
        self.waiting.push(listing);
        if self.waiting.len() <= MAX_BETWEEN {
            return Ok(None);
        }
        let first = self.last.position.map_or(0, |index| index + 1) == self.last.taken;
        let batch = batch(&self.waiting);
        self.tree.apply(rows, &batch)?;
        self.last.taken += self.waiting.len() as u64;
        self.last.right = false;
        self.waiting.clear();
        Ok(first.then_some(Overdue { from: self.last.position, at }))
    }

    /// Takes an index entry; none if it is right.
    pub(crate) fn entry(
        &mut self,
        rows: &Snapshot,
        position: u64,
        found: &IndexEntry,
    ) -> Result<Option<WrongIndex>, StoreError> {
        let batch = batch(&self.waiting);
        let before = self.tree.root(rows)?;
        let expected = IndexEntry { position, root: self.tree.apply(rows, &batch)? };
        let wrong = if expected == *found {
            None
        } else {
            let shown = match self.last.position {
                Some(old) if self.last.right => {
                    self.tree.undo(rows)?;
                    let transition = self.tree.apply_shown(rows, &batch)?;
                    // The tree is not believed against the log: the format's own check decides.
                    let old = IndexEntry { position: old, root: before };
                    if check_transition(&old, &self.waiting, &transition) != Ok(expected) {
                        return Err(StoreError::Damaged);
                    }
                    Some((old.position, transition))
                }
                _ => None,
            };
            Some(WrongIndex { expected, shown })
        };
        self.waiting.clear();
        self.last = Last { position: Some(position), right: wrong.is_none(), taken: position + 1 };
        Ok(wrong)
    }

    /// What is missing from a tree of `size` entries that does not end with an index entry.
    pub(crate) fn missing(&mut self, rows: &Snapshot, size: u64) -> Result<Option<WrongIndex>, StoreError> {
        let Some(end) = size.checked_sub(1).filter(|end| self.last.position != Some(*end)) else { return Ok(None) };
        let waiting = self.waiting.split_last().map_or(&[][..], |(_, before)| before);
        let batch = batch(waiting);
        let transition = self.tree.apply_shown(rows, &batch)?;
        let expected = IndexEntry { position: end, root: self.tree.root(rows)? };
        self.tree.undo(rows)?;
        let shown = self.last.position.filter(|_| self.last.right).map(|old| (old, transition));
        Ok(Some(WrongIndex { expected, shown }))
    }

    /// What the index, up to the newest index entry, says of a key.
    pub(crate) fn prove(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Proof, StoreError> {
        self.tree.prove(rows, key)
    }

    /// Sets down what changed.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
        self.tree.set_down(changes);
        changes.insert(key(b'm', "last-index"), to_json(&self.last)?);
        Ok(())
    }
}
