//! The step from one index entry to the next, as somebody checks it who has no index: the log before it signs, an
//! index cosigner, anybody with a fraud proof.
//!
//! It shares the definition of the hashes with the builder and nothing else. From the old entry, the entries after it
//! and one path for each key touched it computes the only index entry that can follow.

use core::fmt;

use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot};
use crate::merkle::Frontier;

use super::listing::{Listing, Pointer, Value};
use super::path::{Absence, Path, PathError};

/// What the index held under each key that a batch touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transition(Vec<Touched>);

/// One key, and what it held under the root that the keys before it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The key.
    pub key: IndexKey,
    /// What it held.
    pub old: Old,
}

/// What a key held before a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Old {
    /// A list, by its frontier.
    Present {
        /// The frontier: it gives the old value, and the new one once the batch's pointers are pushed.
        list: Frontier,
        /// The way to the root.
        path: Path,
    },
    /// Nothing.
    Absent(Absence),
}

impl Transition {
    /// Takes the touched keys as they are; they are to be the batch's keys, each once, ascending.
    pub fn new(touched: Vec<Touched>) -> Self {
        Self(touched)
    }

    /// The touched keys.
    pub fn touched(&self) -> &[Touched] {
        &self.0
    }
}

/// Computes the index entry that follows `old` and the entries listed: the only right one.
///
/// `listings` are all entries after `old`, each made with [`Listing::of`] from the entry's own bytes.
pub fn check_transition(
    old: &IndexEntry,
    listings: &[Listing],
    transition: &Transition,
) -> Result<IndexEntry, TransitionError> {
    let next = check_positions(old, listings)?;
    let pointers = sorted_by_key(listings);
    let mut groups = pointers.chunk_by(|(a, _), (b, _)| a == b);
    let mut root = old.root;
    for touched in &transition.0 {
        let group = groups.next().unwrap_or_default();
        if group.first().is_none_or(|(key, _)| *key != touched.key) {
            return Err(TransitionError::NotTouched { key: touched.key });
        }
        root = step(&root, touched, group).map_err(|error| TransitionError::Path { key: touched.key, error })?;
    }
    match groups.next().and_then(<[_]>::first) {
        Some((key, _)) => Err(TransitionError::Missing { key: *key }),
        None => Ok(IndexEntry { position: next, root }),
    }
}

/// The running root after one key has got its pointers.
fn step(
    root: &IndexRoot,
    Touched { key, old }: &Touched,
    added: &[(IndexKey, Pointer)],
) -> Result<IndexRoot, PathError> {
    match old {
        Old::Present { list, path } => {
            path.check_present(root, key, &Value::of(list))?;
            Ok(path.root_with_value(key, &value_after(list.clone(), added)))
        }
        Old::Absent(absence) => {
            absence.check_absent(root, key)?;
            Ok(absence.root_with_key(key, &value_after(Frontier::new(), added)))
        }
    }
}

fn value_after(mut list: Frontier, added: &[(IndexKey, Pointer)]) -> Value {
    for (_, pointer) in added {
        list.push(pointer.list_leaf());
    }
    Value::of(&list)
}

/// Every key with every pointer under it: keys ascend, and the pointers of a key are in log order.
pub(crate) fn sorted_by_key(listings: &[Listing]) -> Vec<(IndexKey, Pointer)> {
    let pairs = listings.iter().flat_map(|listing| listing.keys().iter().map(|key| (*key, listing.pointer())));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable_by_key(|(key, pointer)| (*key, pointer.position));
    pairs
}

/// The entries are those after the old index entry, without a gap; the new one comes after the last.
pub(crate) fn check_positions(old: &IndexEntry, listings: &[Listing]) -> Result<u64, TransitionError> {
    listings.iter().try_fold(old.position.saturating_add(1), |expected, listing| {
        let found = listing.pointer().position;
        if found != expected {
            return Err(TransitionError::Position { expected, found });
        }
        Ok(expected.saturating_add(1))
    })
}

/// Why a transition shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionError {
    /// The entries are not those after the old index entry, in order and without a gap.
    Position {
        /// The position that comes next.
        expected: u64,
        /// The position of the listing.
        found: u64,
    },
    /// A key is given that the entries do not touch, or not in ascending order.
    NotTouched {
        /// The key given.
        key: IndexKey,
    },
    /// A key that the entries touch is not given.
    Missing {
        /// The key touched.
        key: IndexKey,
    },
    /// What is given for a key is not what the running root says.
    Path {
        /// The key.
        key: IndexKey,
        /// What is wrong with it.
        error: PathError,
    },
}

impl fmt::Display for TransitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { expected, found } => {
                write!(f, "expected the entry at {expected}, found the one at {found}")
            }
            Self::NotTouched { key } => write!(f, "index key {key} is not the next one that the entries touch"),
            Self::Missing { key } => write!(f, "index key {key} is touched and has no path"),
            Self::Path { key, error } => write!(f, "index key {key}: {error}"),
        }
    }
}

impl core::error::Error for TransitionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Path { error, .. } => Some(error),
            Self::Position { .. } | Self::NotTouched { .. } | Self::Missing { .. } => None,
        }
    }
}
