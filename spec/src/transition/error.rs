//! Why bytes are no transition proof, and why one shows nothing.

use core::fmt;

use super::limits::MAX_TRANSITION;
use crate::hash::{IndexKey, IndexRoot};
use crate::index::MAX_BETWEEN;

/// Why bytes are no transition proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedTransition {
    /// Above [`MAX_TRANSITION`].
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// It does not begin with the version.
    Header,
    /// The bytes end in a node.
    Short {
        /// Where the node begins.
        at: usize,
    },
    /// No node begins with this byte.
    Tag {
        /// Where.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// An inner node below another whose bit is not above the other's.
    Bits {
        /// Where the lower node begins.
        at: usize,
        /// The bit of the node above.
        above: u8,
        /// Its own.
        below: u8,
    },
    /// A list of no pointers.
    NoPointer {
        /// Where the node begins.
        at: usize,
    },
    /// The index of nothing below an inner node.
    Empty {
        /// Where.
        at: usize,
    },
    /// Bytes after the last node.
    Trailing {
        /// How many.
        found: usize,
    },
}

impl fmt::Display for MalformedTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => {
                write!(f, "a transition proof has at most {MAX_TRANSITION} bytes, this one has {found}")
            }
            Self::Header => f.write_str("expected a transition proof to begin with the line \"stele/transition@v1\""),
            Self::Short { at } => write!(f, "the transition proof ends in the node at byte {at}"),
            Self::Tag { at, found } => {
                write!(f, "expected a node at byte {at}, which begins with 0 to 4, found {found}")
            }
            Self::Bits { at, above, below } => {
                write!(f, "the node at byte {at} has bit {below} below bit {above}; bits rise on the way down")
            }
            Self::NoPointer { at } => write!(f, "the node at byte {at} has a list of no pointers"),
            Self::Empty { at } => write!(f, "an empty index stands at byte {at}, below another node"),
            Self::Trailing { found } => write!(f, "{found} bytes follow the last node of the transition proof"),
        }
    }
}

impl core::error::Error for MalformedTransition {}

/// Why a transition proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedTransition {
    /// The entries are not those after the old index entry, in order and without a gap.
    Position {
        /// The position that comes next.
        expected: u64,
        /// The position of the listing.
        found: u64,
    },
    /// More entries than may stand between two index entries.
    TooMany {
        /// How many.
        found: usize,
    },
    /// The place of a key that the entries touch is not shown.
    Missing {
        /// The key.
        key: IndexKey,
    },
    /// A key is shown that no entry touches and no search ends at, or with a list although no entry touches it.
    Foreign {
        /// The key.
        key: IndexKey,
    },
    /// An inner node is shown that no search passes.
    Surplus {
        /// Its bit.
        bit: u8,
    },
    /// An empty index is shown, and no key is touched: then the proof is the hash of the old index.
    Empty,
    /// A key that the entries touch is shown without its list.
    NoList {
        /// The key.
        key: IndexKey,
    },
    /// A key stands where it cannot be.
    Misplaced {
        /// The bit of the node that it stands at the wrong side of, or that parts others than it says.
        bit: u8,
    },
    /// The index shown is not the old one: it is another log's or another size's, or a value in it is changed.
    OldRoot {
        /// The root in the old index entry.
        expected: IndexRoot,
        /// The root of what is shown.
        found: IndexRoot,
    },
    /// The index entry that the log states is not the one that follows.
    NewRoot {
        /// The root that follows.
        expected: IndexRoot,
        /// The root stated.
        found: IndexRoot,
    },
}

impl RefusedTransition {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Position { .. } => "entry-out-of-order",
            Self::TooMany { .. } => "too-many-entries",
            Self::Missing { .. } => "key-missing",
            Self::Foreign { .. } => "key-foreign",
            Self::Surplus { .. } => "node-surplus",
            Self::Empty => "empty-shown",
            Self::NoList { .. } => "list-missing",
            Self::Misplaced { .. } => "key-misplaced",
            Self::OldRoot { .. } => "old-root",
            Self::NewRoot { .. } => "wrong-index-root",
        }
    }
}

impl fmt::Display for RefusedTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { expected, found } => {
                write!(f, "expected the entry at {expected}, found the one at {found}")
            }
            Self::TooMany { found } => {
                write!(f, "at most {MAX_BETWEEN} entries stand between two index entries, found {found}")
            }
            Self::Missing { key } => write!(f, "the entries touch index key {key}, and its place is not shown"),
            Self::Foreign { key } => write!(f, "index key {key} is shown and no entry touches it"),
            Self::Surplus { bit } => write!(f, "a node of bit {bit} is shown that no entry reaches"),
            Self::Empty => {
                f.write_str("expected the hash of the old index, since no entry touches a key; found an empty index")
            }
            Self::NoList { key } => write!(f, "the entries touch index key {key}, and its list is not shown"),
            Self::Misplaced { bit } => write!(f, "the keys below a node of bit {bit} do not part there"),
            Self::OldRoot { expected, found } => {
                write!(f, "expected the index of root {expected}, what is shown has root {found}")
            }
            Self::NewRoot { expected, found } => {
                write!(f, "the entries lead to index root {expected}, the index entry states {found}")
            }
        }
    }
}

impl core::error::Error for RefusedTransition {}
