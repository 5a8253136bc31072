//! A report as it came: tree heads, how far entries were read, and lists; nothing in it is verified.

use crate::hash::NodeHash;
use crate::index::Subject;
use crate::merkle::ConsistencyProof;
use crate::nameproof::NameProof;
use crate::note::SignedNote;

/// The longest report in bytes: notes of tens of kilobytes, and some kilobytes for each list.
pub const MAX_COVERAGE: usize = 32 * 1024 * 1024;

/// The most logs in one report.
pub const MAX_LOGS: usize = 16;

/// The most tree heads of one log: the first that was seen, and the newest.
pub const MAX_HEADS: usize = 64;

/// The most lists of one log.
pub const MAX_LISTS: usize = 1024;

/// What somebody has read of logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Each log, by origin ascending.
    pub logs: Vec<LogCoverage>,
}

/// What somebody has read of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCoverage {
    /// The tree heads that were seen, from the smallest tree to the largest.
    pub heads: Vec<SeenHead>,
    /// What is listed under subjects, by their text ascending.
    pub lists: Vec<SeenList>,
}

/// A tree head that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenHead {
    /// With all its signatures.
    pub note: SignedNote,
    /// That the tree of the head before is the beginning of this one; empty for the first.
    pub path: ConsistencyProof,
    /// When this was the newest head, the entries at positions below this had been read.
    pub read: u64,
    /// The lines of a name proof that state the index of this tree; empty where no list rests on it.
    pub index: Vec<u8>,
}

/// The list of a subject, known whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenList {
    /// Under what it is listed.
    pub subject: Subject,
    /// Under which of the heads, from 0.
    pub head: u64,
    /// The frontier of the list, largest first; empty where there is none.
    pub peaks: Vec<NodeHash>,
    /// The lines of a name proof that answer, without pointers.
    pub answer: Vec<u8>,
}

impl SeenHead {
    /// A head on which no list rests yet.
    pub const fn new(note: SignedNote, path: ConsistencyProof, read: u64) -> Self {
        Self { note, path, read, index: Vec::new() }
    }
}

impl SeenList {
    /// The list that a proof is about, under the head of that number, whose `index` has the lines of the proof.
    pub fn new(proof: &NameProof, size: u64, head: u64, peaks: Vec<NodeHash>) -> Self {
        let answer = proof.without_pointers(size).answer_lines().into_bytes();
        Self { subject: proof.subject().clone(), head, peaks, answer }
    }
}
