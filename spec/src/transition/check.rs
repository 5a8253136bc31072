//! The check: from the old index entry and the entries after it to the only index entry that can follow.
//!
//! It shares the definition of the hashes with the builder of the index and nothing else.

use super::error::RefusedTransition;
use super::proof::TransitionProof;
use super::shown::{Part, Place, parts};
use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot};
use crate::index::{
    Listing, MAX_BETWEEN, Pointer, Subtree, TransitionError, Value, check_positions, root_of_subtrees, sorted_by_key,
};
use crate::merkle::Frontier;

/// A step from one index entry to the next that was checked. Only [`check`] makes one.
///
/// That the index entry it leads to is right rests on the one that it comes from being right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedTransition {
    from: IndexEntry,
    to: IndexEntry,
}

impl VerifiedTransition {
    /// The index entry before the entries.
    pub const fn from(&self) -> &IndexEntry {
        &self.from
    }

    /// The only index entry that can follow them.
    pub const fn to(&self) -> &IndexEntry {
        &self.to
    }

    /// Holds an index entry, which the log states at the place of the one that follows, against it.
    pub fn states(&self, stated: &IndexEntry) -> Result<(), RefusedTransition> {
        if stated.position != self.to.position {
            return Err(RefusedTransition::Position { expected: self.to.position, found: stated.position });
        }
        if stated.root != self.to.root {
            return Err(RefusedTransition::NewRoot { expected: self.to.root, found: stated.root });
        }
        Ok(())
    }
}

/// Checks the step from `old` over `listings`, which are all entries after it, each made with [`Listing::of`] from the entry's own bytes.
pub fn check(
    proof: &TransitionProof,
    old: &IndexEntry,
    listings: &[Listing],
) -> Result<VerifiedTransition, RefusedTransition> {
    if listings.len() > MAX_BETWEEN {
        return Err(RefusedTransition::TooMany { found: listings.len() });
    }
    let position = check_positions(old, listings).map_err(|error| match error {
        TransitionError::Position { expected, found } => RefusedTransition::Position { expected, found },
        // The only thing that is checked there.
        _ => RefusedTransition::Position { expected: old.position, found: old.position },
    })?;
    let pointers = sorted_by_key(listings);
    let groups: Vec<&[(IndexKey, Pointer)]> = pointers.chunk_by(|(a, _), (b, _)| a == b).collect();
    let keys = groups.iter().filter_map(|group| group.first()).map(|(key, _)| *key).collect();
    let parts = parts(proof, keys)?;
    let found = root(parts.iter().map(|Part { place, shown }| (*place, shown.subtree(place))))?;
    if found != old.root {
        return Err(RefusedTransition::OldRoot { expected: old.root, found });
    }
    let root = root(after(&parts, &groups))?;
    Ok(VerifiedTransition { from: *old, to: IndexEntry { position, root } })
}

/// The parts of the new index, ascending: what was shown, the touched lists with their pointers, the new keys in between.
fn after(parts: &[Part], groups: &[&[(IndexKey, Pointer)]]) -> Vec<(IndexKey, Subtree)> {
    let mut new = Vec::with_capacity(parts.len() + groups.len());
    let mut groups = groups.iter().filter_map(|group| Some((group.first()?.0, *group))).peekable();
    for Part { place, shown } in parts {
        while let Some((key, added)) = groups.next_if(|(key, _)| key < place) {
            new.push((key, leaf(&key, Frontier::new(), added)));
        }
        match shown {
            Place::Touched(list) => {
                let added = groups.next_if(|(key, _)| key == place).map(|(_, added)| added);
                new.push((*place, leaf(place, list.clone(), added.unwrap_or_default())));
            }
            Place::Other(_) | Place::Pruned(_) => new.push((*place, shown.subtree(place))),
        }
    }
    new.extend(groups.map(|(key, added)| (key, leaf(&key, Frontier::new(), added))));
    new
}

fn leaf(key: &IndexKey, mut list: Frontier, added: &[(IndexKey, Pointer)]) -> Subtree {
    added.iter().for_each(|(_, pointer)| list.push(pointer.list_leaf()));
    Subtree::leaf(key, &Value::of(&list))
}

fn root(parts: impl IntoIterator<Item = (IndexKey, Subtree)>) -> Result<IndexRoot, RefusedTransition> {
    // `parts` ascend where every key stands at its place, which was checked.
    root_of_subtrees(parts).map_err(|_| RefusedTransition::Misplaced { bit: 0 })
}
