//! Why a name proof, or a statement that it leads to, was refused.

use core::fmt;

use crate::entry::EntryError;
use crate::hash::{LeafHash, ListRoot};
use crate::index::{PathError, Subject, SubjectError};
use crate::merkle::{InclusionError, MAX_PROOF};
use crate::note::NoteError;
use crate::policy::RefusedCheckpoint;
use crate::proof::ProofError;

use super::limits::{MAX_POINTERS, MAX_STEPS};

/// Text that is not a name proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// More bytes than a name proof may have.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// Bytes found.
        found: usize,
    },
    /// Not a name proof of version 1.
    Header,
    /// The text ends where a line should be.
    Ended,
    /// Not a subject.
    Subject(SubjectError),
    /// Not `index` and a root.
    Index,
    /// Not a hash of the path of the last entry.
    Hash,
    /// More hashes than a path can have.
    TooManyHashes,
    /// Neither a list nor an absence.
    Answer,
    /// Not a step of the path through the index, nor what follows the path.
    Step,
    /// More steps than a key has bits.
    TooManySteps,
    /// Not where the pointers begin.
    From,
    /// Neither a pointer nor the empty line after the last.
    Pointer,
    /// More pointers than the list has, or than a proof may show.
    TooManyPointers,
    /// What follows the empty line is not a signed note.
    Note(NoteError),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "a name proof is at most {limit} bytes, found {found}"),
            Self::Header => f.write_str("expected a name proof, which begins with the line stele/name-proof@v1"),
            Self::Ended => f.write_str("expected another line"),
            Self::Subject(error) => error.fmt(f),
            Self::Index => f.write_str("expected `index` and base64 of 32 bytes"),
            Self::Hash => f.write_str("expected base64 of 32 bytes"),
            Self::TooManyHashes => write!(f, "an inclusion proof has at most {MAX_PROOF} hashes"),
            Self::Answer => f.write_str(
                "expected `list <count> <root>`, `absent`, or `absent <key> <count> <root>`, with a count of at least 1",
            ),
            Self::Step => f.write_str("expected `<bit below 256> <base64 of 32 bytes>`, or an empty line after the last"),
            Self::TooManySteps => write!(f, "a path has at most {MAX_STEPS} steps"),
            Self::From => f.write_str(
                "expected `from <position> <pointers before it>`, no more of them than positions or than the list has",
            ),
            Self::Pointer => f.write_str("expected `<position> <base64 of 32 bytes>`, or an empty line after the last"),
            Self::TooManyPointers => {
                write!(f, "a proof shows no more pointers than the list has, and at most {MAX_POINTERS}")
            }
            Self::Note(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Malformed {}

/// Why a name proof shows nothing. In the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedNameProof {
    /// It answers another question.
    OtherSubject {
        /// What was asked.
        expected: Subject,
        /// What it is about.
        found: Subject,
    },
    /// The policy does not accept the checkpoint.
    Checkpoint(RefusedCheckpoint),
    /// It carries another checkpoint than the trusted one.
    OtherHead,
    /// The checkpoint is of a tree without entries, which has no index.
    EmptyTree,
    /// The last entry of the tree does not state this root of the index.
    IndexEntry(InclusionError),
    /// The index does not say this of the key.
    Answer(PathError),
    /// The tree is smaller than one that was seen before.
    OlderHead {
        /// The size that is known.
        known: u64,
        /// The size found.
        found: u64,
    },
    /// There was a list, and the proof says that there is none.
    Vanished {
        /// How many pointers are known.
        before: u64,
    },
    /// The list of the index has fewer pointers than are known.
    Shrank {
        /// How many pointers are known.
        known: u64,
        /// How many the list has.
        found: u64,
    },
    /// The list of the index has as many pointers as are known, and they are others.
    Rewritten {
        /// The root of the list that is known.
        expected: ListRoot,
        /// The root of the list that the index has.
        found: ListRoot,
    },
    /// It does not go on where it should.
    Elsewhere {
        /// The position from which on pointers are wanted, and how many are known before it.
        expected: (u64, u64),
        /// Those of the proof.
        found: (u64, u64),
    },
    /// The positions do not rise.
    Order {
        /// The least that the position may be.
        least: u64,
        /// The position found.
        found: u64,
    },
    /// A pointer that the index cannot have yet.
    Beyond {
        /// Where it points.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// More pointers than are gathered.
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The pointers are not those of the list.
    List {
        /// The root of the list.
        expected: ListRoot,
        /// The root of the pointers.
        found: ListRoot,
    },
    /// The list is longer than what is shown of it.
    Unfinished {
        /// How many pointers are known now.
        shown: u64,
        /// How many the list has.
        count: u64,
    },
}

impl RefusedNameProof {
    /// Whether the index itself says otherwise than an index before it did, under tree heads that the policy accepts: whoever passed the
    /// proof on could not make that up.
    pub const fn is_proven(&self) -> bool {
        matches!(self, Self::Vanished { .. } | Self::Shrank { .. } | Self::Rewritten { .. })
    }

    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherSubject { .. } => "other-subject",
            Self::Checkpoint(_) => "checkpoint-refused",
            Self::OtherHead => "other-head",
            Self::EmptyTree => "empty-tree",
            Self::IndexEntry(_) => "index-entry-not-included",
            Self::Answer(_) => "index-says-otherwise",
            Self::OlderHead { .. } => "older-head",
            Self::Vanished { .. } => "list-vanished",
            Self::Shrank { .. } => "list-shrank",
            Self::Rewritten { .. } => "list-rewritten",
            Self::Elsewhere { .. } => "pointers-elsewhere",
            Self::Order { .. } => "pointers-out-of-order",
            Self::Beyond { .. } => "pointer-beyond-index",
            Self::TooMany { .. } => "too-many-pointers",
            Self::List { .. } => "list-differs",
            Self::Unfinished { .. } => "list-unfinished",
        }
    }
}

impl fmt::Display for RefusedNameProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSubject { expected, found } => write!(f, "asked for {expected}, the proof is about {found}"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::OtherHead => f.write_str("the proof carries another checkpoint than the one that is trusted"),
            Self::EmptyTree => f.write_str("the tree has no entry, so nothing states its index"),
            Self::IndexEntry(error) => write!(f, "the last entry does not state this root of the index: {error}"),
            Self::Answer(error) => write!(f, "the index does not say so: {error}"),
            Self::OlderHead { known, found } => {
                write!(f, "a tree of {known} entries is known, the proof is of an older one of {found}")
            }
            Self::Vanished { before } => {
                write!(f, "{before} entries are known to be listed, the proof says that there is no list")
            }
            Self::Shrank { known, found } => {
                write!(f, "{known} entries are known to be listed, the index lists {found}")
            }
            Self::Rewritten { expected, found } => {
                write!(
                    f,
                    "the index lists as many entries as are known, and others: expected list root {expected}, found {found}"
                )
            }
            Self::Elsewhere { expected, found } => write!(
                f,
                "expected the pointers from position {} on, after {} that are known; found those from {} on, after {}",
                expected.0, expected.1, found.0, found.1
            ),
            Self::Order { least, found } => write!(f, "expected a position of at least {least}, found {found}"),
            Self::Beyond { position, size } => {
                write!(f, "position {position} is not in the index of a tree of {size} entries")
            }
            Self::TooMany { limit } => write!(f, "the list has more than {limit} pointers: read the entries instead"),
            Self::List { expected, found } => {
                write!(f, "the pointers are not the list: expected list root {expected}, found {found}")
            }
            Self::Unfinished { shown, count } => {
                write!(f, "the list has {count} pointers, {shown} are shown so far: ask for the rest")
            }
        }
    }
}

impl core::error::Error for RefusedNameProof {}

/// Why an entry is not one of the statements that a name proof lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedStatement {
    /// Another number of entries than are listed.
    Count {
        /// How many are listed.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// Nothing is listed at that position, or not next.
    NotListed {
        /// The position of its proof.
        position: u64,
    },
    /// Other bytes than those listed.
    OtherBytes {
        /// The position.
        position: u64,
        /// The leaf hash listed.
        expected: LeafHash,
        /// The leaf hash of the entry.
        found: LeafHash,
    },
    /// It is not proven to be in the log.
    Proof(ProofError),
    /// Not a log entry.
    Entry {
        /// The position.
        position: u64,
        /// What is wrong with it.
        error: Box<EntryError>,
    },
    /// The index lists it under a key that it does not have: the log's index is wrong.
    NotAbout {
        /// The position.
        position: u64,
        /// What it is listed under.
        subject: Subject,
    },
}

impl RefusedStatement {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "statements-missing",
            Self::NotListed { .. } => "statement-not-listed",
            Self::OtherBytes { .. } => "statement-differs",
            Self::Proof(_) => "statement-not-included",
            Self::Entry { .. } => "entry-malformed",
            Self::NotAbout { .. } => "statement-not-about",
        }
    }
}

impl fmt::Display for RefusedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { expected, found } => write!(f, "{expected} statements are listed, {found} came"),
            Self::NotListed { position } => write!(f, "entry {position} is not the one that is listed next"),
            Self::OtherBytes { position, expected, found } => {
                write!(f, "entry {position}: expected leaf hash {expected}, found {found}")
            }
            Self::Proof(error) => error.fmt(f),
            Self::Entry { position, error } => write!(f, "entry {position}: {error}"),
            Self::NotAbout { position, subject } => {
                write!(f, "entry {position} is listed under {subject} and is not about it: the log's index is wrong")
            }
        }
    }
}

impl core::error::Error for RefusedStatement {}
