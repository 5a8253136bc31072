//! Why a body is no request, and why a request leads nowhere.

use core::fmt;

use super::limits::{MAX_HEAD, MAX_REQUEST};
use crate::checkpoint::CheckpointError;
use crate::entry::EntryError;
use crate::hash::RootHash;
use crate::index::{IndexError, MAX_BETWEEN};
use crate::merkle::ConsistencyError;
use crate::note::NoteError;
use crate::text::{Base64Error, DecimalError};
use crate::transition::{MalformedTransition, RefusedTransition};

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MalformedRequest {
    /// Above [`MAX_REQUEST`], or a head above [`MAX_HEAD`].
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// The body ends within this.
    Short(&'static str),
    /// The head is not text.
    Text,
    /// A line is missing or is another one.
    Line {
        /// What it should be.
        expected: &'static str,
    },
    /// A number in a line.
    Number(DecimalError),
    /// A hash in a line.
    Hash(Base64Error),
    /// The step goes back, or has more entries than one can have.
    Range {
        /// The size that it comes from.
        old: u64,
        /// The size that it leads to.
        end: u64,
    },
    /// It ends beyond the tree of the checkpoint.
    Beyond {
        /// The size that it leads to.
        end: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The checkpoint is no signed note.
    Note(NoteError),
    /// The note is no checkpoint.
    Checkpoint(CheckpointError),
    /// Bytes after the last entry of a step that has no transition.
    Trailing {
        /// How many.
        found: usize,
    },
    /// The transition proof.
    Transition(MalformedTransition),
}

impl fmt::Display for MalformedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => {
                write!(f, "a request has at most {MAX_REQUEST} bytes and its head {MAX_HEAD}, found {found}")
            }
            Self::Short(what) => write!(f, "the body ends in {what}"),
            Self::Text => f.write_str("expected the head of the request to be UTF-8"),
            Self::Line { expected } => write!(f, "expected a line `{expected}`"),
            Self::Number(error) => error.fmt(f),
            Self::Hash(error) => error.fmt(f),
            Self::Range { old, end } => {
                write!(f, "a step goes from {old} on by at most {} entries, found one to {end}", MAX_BETWEEN + 1)
            }
            Self::Beyond { end, size } => write!(f, "the step leads to {end}, the checkpoint is of {size} entries"),
            Self::Note(error) => write!(f, "checkpoint: {error}"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Trailing { found } => write!(f, "{found} bytes follow the last entry of a step without a transition"),
            Self::Transition(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MalformedRequest {}

/// Why a request leads nowhere.
#[derive(Debug)]
pub enum RefusedStep {
    /// It does not go on from the tree that was checked last.
    NotTheLast {
        /// From where it goes on.
        old: u64,
        /// The size that was checked last.
        checked: u64,
    },
    /// What it says of the old tree does not lead to the root that was checked last.
    OldTree {
        /// The root that was checked.
        checked: RootHash,
        /// The root that it leads to.
        found: RootHash,
    },
    /// The checkpoint's tree does not begin with the tree that the entries lead to.
    Tree(ConsistencyError),
    /// An entry is none of a log, or of a kind that is not known.
    Entry {
        /// Its position.
        position: u64,
        /// Why.
        error: EntryError,
    },
    /// A statement stands where the index entry must, or an index entry where a statement must.
    Kind {
        /// Where.
        position: u64,
        /// What must stand there.
        expected: &'static str,
    },
    /// The transition shows nothing, or shows that the index entry is wrong.
    Transition(RefusedTransition),
    /// The index that a replaying cosigner keeps takes no more.
    Index(IndexError),
}

impl RefusedStep {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotTheLast { .. } => "other-size",
            Self::OldTree { .. } => "other-tree",
            Self::Tree(_) => "not-in-tree",
            Self::Entry { .. } => "malformed-entry",
            Self::Kind { .. } => "no-index-entry",
            Self::Transition(error) => error.code(),
            Self::Index(_) => "index-full",
        }
    }

    /// Whether the log's own entries convict it: they are in the tree that it signed, and its index entry is not what they make.
    pub const fn convicts(&self) -> bool {
        matches!(self, Self::Transition(RefusedTransition::NewRoot { .. }))
    }
}

impl fmt::Display for RefusedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheLast { old, checked } => {
                write!(f, "the step comes from size {old}, {checked} was checked last")
            }
            Self::OldTree { checked, found } => {
                write!(f, "the tree that was checked last has root {checked}, what is shown of it has {found}")
            }
            Self::Tree(error) => write!(f, "the entries are not in the tree of the checkpoint: {error}"),
            Self::Entry { position, error } => write!(f, "entry {position}: {error}"),
            Self::Kind { position, expected } => write!(f, "expected {expected} at position {position}"),
            Self::Transition(error) => error.fmt(f),
            Self::Index(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RefusedStep {}
