//! Why bytes are no report of what was read, and why a report proves nothing.

use core::fmt;

use crate::canonical::CanonicalError;
use crate::checkpoint::Origin;
use crate::index::{Subject, SubjectError};
use crate::merkle::ConsistencyError;
use crate::nameproof::{Malformed, RefusedNameProof};
use crate::note::NoteError;
use crate::policy::RefusedCheckpoint;

/// Why bytes are not a report, or would not be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MalformedCoverage {
    /// Not the one CBOR encoding.
    Canonical(CanonicalError),
    /// Another version of the format.
    Version {
        /// The version found.
        found: String,
    },
    /// More of something than a report has.
    TooMany {
        /// Of what.
        part: &'static str,
        /// The limit.
        limit: usize,
        /// How many.
        found: usize,
    },
    /// A tree head that is not a signed note.
    Note(NoteError),
    /// A hash of another length.
    Hash {
        /// Its bytes.
        found: usize,
    },
    /// A path that is longer than a proof can be.
    Path,
    /// A subject that is none.
    Subject(SubjectError),
}

impl fmt::Display for MalformedCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(error) => error.fmt(f),
            Self::Version { found } => write!(f, "expected a report of version stele/coverage@v1, found {found:?}"),
            Self::TooMany { part, limit, found } => write!(f, "expected at most {limit} {part}, found {found}"),
            Self::Note(error) => write!(f, "a tree head is no signed note: {error}"),
            Self::Hash { found } => write!(f, "expected a hash of 32 bytes, found {found}"),
            Self::Path => f.write_str("a path is longer than a proof of consistency"),
            Self::Subject(error) => write!(f, "a subject is none: {error}"),
        }
    }
}

impl core::error::Error for MalformedCoverage {}

/// Why a report does not prove what it says. In the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedCoverage {
    /// It is about no log, or a log has no tree head in it.
    Nothing,
    /// The policy does not accept a tree head.
    Checkpoint(RefusedCheckpoint),
    /// The tree heads of one log are of several.
    OtherLog {
        /// The log of the first.
        expected: Origin,
        /// Another one.
        found: Origin,
    },
    /// Logs, or subjects of one, that are not in order, or are twice there.
    Order {
        /// Of what: `logs` or `lists`.
        part: &'static str,
    },
    /// A tree head that is no larger than the one before.
    NotLarger {
        /// The size of the one before.
        before: u64,
        /// Its own.
        found: u64,
    },
    /// The tree of the head before is not shown to be the beginning of this one.
    Inconsistent {
        /// The size of the tree before.
        older: u64,
        /// The size of this one.
        newer: u64,
        /// Why.
        error: ConsistencyError,
    },
    /// Entries that were read before cannot be unread, and those beyond a tree cannot be read.
    Range {
        /// Up to where entries had been read before.
        from: u64,
        /// Up to where they are said to be read.
        read: u64,
        /// The size of the tree.
        size: u64,
    },
    /// Lines about the index of a tree on which no list rests.
    UnusedIndex {
        /// The size of the tree.
        size: u64,
    },
    /// A list under a head that is not there.
    NoHead {
        /// Of what.
        subject: Subject,
        /// The number of the head.
        found: u64,
    },
    /// The lines of a list are not those of a name proof.
    Answer {
        /// Of what.
        subject: Subject,
        /// What is wrong.
        error: Malformed,
    },
    /// A frontier with another number of hashes than its list has.
    Peaks {
        /// Of what.
        subject: Subject,
    },
    /// The list is not what the index of that tree has under the subject.
    List {
        /// Of what.
        subject: Subject,
        /// Why.
        error: Box<RefusedNameProof>,
    },
}

impl RefusedCoverage {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "coverage-of-nothing",
            Self::Checkpoint(_) => "checkpoint-refused",
            Self::OtherLog { .. } => "coverage-other-log",
            Self::Order { .. } => "coverage-order",
            Self::NotLarger { .. } => "coverage-heads-order",
            Self::Inconsistent { .. } => "coverage-heads-inconsistent",
            Self::Range { .. } => "coverage-range-impossible",
            Self::UnusedIndex { .. } => "coverage-index-unused",
            Self::NoHead { .. } => "coverage-head-missing",
            Self::Answer { .. } => "coverage-list-malformed",
            Self::Peaks { .. } | Self::List { .. } => "coverage-list-unproven",
        }
    }
}

impl fmt::Display for RefusedCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("it shows no tree head of a log"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::OtherLog { expected, found } => write!(f, "expected a tree head of {expected}, found one of {found}"),
            Self::Order { part } => write!(f, "its {part} are not in ascending order, each once"),
            Self::NotLarger { before, found } => {
                write!(f, "expected a tree of more than {before} entries, found one of {found}")
            }
            Self::Inconsistent { older, newer, error } => {
                write!(f, "the tree of {older} entries is not shown to be the beginning of that of {newer}: {error}")
            }
            Self::Range { from, read, size } => {
                write!(f, "expected entries read up to between {from} and {size}, the size of the tree, found {read}")
            }
            Self::UnusedIndex { size } => {
                write!(f, "no list rests on the index of the tree of {size} entries, which is there")
            }
            Self::NoHead { subject, found } => {
                write!(f, "the list of {subject} is under tree head {found}, which is not there")
            }
            Self::Answer { subject, error } => write!(f, "the list of {subject}: {error}"),
            Self::Peaks { subject } => {
                write!(f, "the list of {subject}: the frontier has another number of hashes than its count")
            }
            Self::List { subject, error } => write!(f, "the list of {subject}: {error}"),
        }
    }
}

impl core::error::Error for RefusedCoverage {}
