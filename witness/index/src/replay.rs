//! The copy of a log beside a replaying cosigner, and reading it from index entry to index entry.

use std::collections::VecDeque;

use stele_spec::entry::IndexEntry;
use stele_spec::hash::RootHash;
use stele_spec::index::MAX_BETWEEN;
use stele_spec::indexcosigner::{RefusedStep, ReplayedTree};

/// A copy of a log's entries, each in a tree that the log signed.
pub trait EntryCopy: Send + Sync {
    /// Entries from a position on, in order; none where the copy ends. On an error, why. Blocks.
    fn entries(&self, from: u64) -> Result<Vec<Vec<u8>>, String>;
}

/// Why a copy could not be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayFault {
    /// The copy.
    #[error("the copy cannot be read from entry {from} on: {reason}")]
    Copy { from: u64, reason: String },
    /// What it holds.
    #[error("the copy's index is wrong: {0}")]
    Wrong(RefusedStep),
    /// Where it leads.
    #[error("the copy is of another tree than what was cosigned")]
    OtherTree,
}

/// Reads a copy in the order of the log.
pub(crate) struct Reader<'a> {
    copy: &'a dyn EntryCopy,
    /// The position after those read ahead.
    next: u64,
    ahead: VecDeque<Vec<u8>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(copy: &'a dyn EntryCopy, from: u64) -> Self {
        Self { copy, next: from, ahead: VecDeque::new() }
    }

    /// The position of the next entry.
    pub(crate) fn position(&self) -> u64 {
        self.next.saturating_sub(self.ahead.len() as u64)
    }

    /// Statements and the index entry after them, one more than may stand together at most; none where the copy ends before.
    pub(crate) fn batch(&mut self) -> Result<Option<Vec<Vec<u8>>>, ReplayFault> {
        let mut batch = Vec::new();
        while batch.len() <= MAX_BETWEEN {
            if self.ahead.is_empty() {
                let from = self.next;
                let more = self.copy.entries(from).map_err(|reason| ReplayFault::Copy { from, reason })?;
                self.next = self.next.saturating_add(more.len() as u64);
                self.ahead.extend(more);
            }
            let Some(entry) = self.ahead.pop_front() else { return Ok(None) };
            let ends = IndexEntry::parse(&entry).is_ok();
            batch.push(entry);
            if ends {
                break;
            }
        }
        Ok(Some(batch))
    }
}

/// Whether a tree that has come over the size which was cosigned last is another one than that.
pub(crate) fn is_another(before: u64, tree: &ReplayedTree, cosigned: (u64, RootHash)) -> bool {
    let now = tree.head();
    before < cosigned.0 && now.0 >= cosigned.0 && now != cosigned
}

#[cfg(test)]
mod tests;
