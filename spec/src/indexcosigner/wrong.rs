//! What a step proves to somebody who checked nothing before it: that an index entry of the log is wrong.
//!
//! The step shows the index entry that it comes from in the tree that the log signed. If that one is right, the entries leave one
//! root for the next; if it is wrong, its log is guilty of that. So nothing has to be known of the log but its key.

use super::error::RefusedStep;
use super::request::AddTransition;
use super::step::check;
use crate::entry::{Entry, IndexEntry};
use crate::hash::{IndexRoot, RootHash};
use crate::index::MAX_BETWEEN;
use crate::merkle::leaf_hash;
use crate::transition::RefusedTransition;

/// An entry of a log that cannot stand where it stands in a tree that the log signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongEntry {
    /// Where.
    pub position: u64,
    /// The root of the tree up to and including it.
    pub root: RootHash,
    /// How.
    pub fault: Fault,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An index entry with another root than the entries lead to.
    Root {
        /// The root that they lead to.
        expected: IndexRoot,
        /// The root stated.
        found: IndexRoot,
    },
    /// An index entry for another position.
    Position {
        /// The position stated.
        found: u64,
    },
    /// Another entry at the beginning of the log.
    First,
    /// Another entry at the end of the tree.
    Last,
    /// Another entry after as many as may stand between two index entries.
    Overdue,
}

/// Why a step proves nothing of the kind.
#[derive(Debug)]
pub enum NotWrong {
    /// The index entry is right.
    Right {
        /// Its root.
        root: IndexRoot,
    },
    /// The step has no entries.
    NoEntries,
    /// It shows nothing.
    Refused(RefusedStep),
}

/// What a step proves. The signature on its checkpoint is for the caller to verify.
pub fn wrong_entry(request: &AddTransition<'_>) -> Result<WrongEntry, NotWrong> {
    let (last, before) = request.entries().split_last().ok_or(NotWrong::NoEntries)?;
    let refused = match check(request, request.head().claimed()) {
        Ok(_) => {
            return Err(
                IndexEntry::parse(last).map_or(NotWrong::NoEntries, |entry| NotWrong::Right { root: entry.root })
            );
        }
        Err(refused) => refused,
    };
    let position = request.end().saturating_sub(1);
    let fault = match refused {
        RefusedStep::Transition(RefusedTransition::NewRoot { expected, found }) => Fault::Root { expected, found },
        // What comes before these was checked: the entries are in the tree.
        RefusedStep::Kind { position: at, .. } | RefusedStep::Entry { position: at, .. } if at == position => {
            match Entry::parse(last) {
                Ok(Entry::Index(entry)) => Fault::Position { found: entry.position },
                _ if position == 0 => Fault::First,
                _ if request.end() == request.checkpoint().size() => Fault::Last,
                _ if before.len() == MAX_BETWEEN && !before.iter().any(|bytes| is_index(bytes)) => Fault::Overdue,
                _ => return Err(NotWrong::Refused(refused)),
            }
        }
        _ => return Err(NotWrong::Refused(refused)),
    };
    let mut tree = request.old().map(super::head::OldTree::tree).unwrap_or_default();
    request.entries().iter().for_each(|bytes| tree.push(leaf_hash(bytes)));
    Ok(WrongEntry { position, root: tree.root(), fault })
}

fn is_index(bytes: &[u8]) -> bool {
    matches!(Entry::parse(bytes), Ok(Entry::Index(_)))
}
