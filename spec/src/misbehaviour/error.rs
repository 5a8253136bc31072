//! Why bytes are no evidence, and why evidence proves nothing.

use core::fmt;

use super::format::{Kind, VERSION};
use crate::canonical::CanonicalError;
use crate::checkpoint::{CheckpointError, Origin};
use crate::hash::{IndexRoot, KeyId, RootHash};
use crate::index::TransitionError;
use crate::indexcosigner::MalformedRequest;
use crate::merkle::{ConsistencyError, InclusionError};
use crate::note::{KeyName, NoteError};
use crate::proof::ProofError;
use crate::transition::RefusedTransition;

/// Why bytes are not a file of evidence, or would not be one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Not the one CBOR encoding.
    Canonical(CanonicalError),
    /// Another version of the format.
    Version {
        /// The version found.
        found: String,
    },
    /// A kind that is none.
    Kind {
        /// The word found.
        found: String,
    },
    /// A part that is not a signed note.
    Note {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        error: NoteError,
    },
    /// A part that is not a proof of inclusion.
    Proof {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        error: ProofError,
    },
    /// A part of another length, or with another number of hashes, than it has.
    Length {
        /// Which part.
        part: &'static str,
        /// Bytes or hashes found.
        found: usize,
    },
    /// More entries, keys or paths than a file has.
    TooMany {
        /// Which part.
        part: &'static str,
        /// The limit.
        limit: usize,
        /// How many.
        found: usize,
    },
    /// A step that is none.
    Step(MalformedRequest),
    /// A part that is not an enrolled Ed25519 key.
    Key(crate::key::KeyError),
}

impl EvidenceError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "evidence-version",
            Self::Kind { .. } => "evidence-kind-unknown",
            _ => "evidence-malformed",
        }
    }
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(error) => error.fmt(f),
            Self::Version { found } => {
                write!(f, "expected evidence of version {}, found {found:?}", VERSION)
            }
            Self::Kind { found } => write!(f, "expected a kind of {}, found {found:?}", Kind::TEXTS.join(", ")),
            Self::Note { part, error } => write!(f, "{part}: {error}"),
            Self::Proof { part, error } => write!(f, "{part}: {error}"),
            Self::Length { part, found } => write!(f, "{part} has a wrong length: {found}"),
            Self::TooMany { part, limit, found } => write!(f, "expected at most {limit} {part}, found {found}"),
            Self::Step(error) => write!(f, "step: {error}"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EvidenceError {}

/// Why a file of evidence convicts nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unproven {
    /// No key of this log is known.
    UnknownLog {
        /// The log.
        found: Origin,
    },
    /// A tree head that is none, or that its log did not sign.
    Head(CheckpointError),
    /// Two logs in one file.
    OtherLog {
        /// The log of the first head.
        expected: KeyName,
        /// The log of another one.
        found: KeyName,
    },
    /// The two heads are one, or the first is the larger.
    SameTree {
        /// The first one's size.
        older: u64,
        /// The second one's size.
        newer: u64,
    },
    /// Two sizes, and nothing that leads from one to the other.
    NoPrefix,
    /// What should lead from one head to the other does not.
    Prefix(ConsistencyError),
    /// The older tree is the beginning of the newer: that is how a log grows.
    Consistent {
        /// The root that both have at the older size.
        root: RootHash,
    },
    /// A head that is possible.
    PossibleHead {
        /// Its size.
        size: u64,
    },
    /// No known witness cosigned the smaller tree after the larger.
    NoRollback {
        /// How many known witnesses cosigned both.
        both: usize,
    },
    /// No entry is shown.
    Empty,
    /// An entry that is not where its proof says.
    Inclusion {
        /// The position.
        position: u64,
        /// What is wrong with the proof.
        error: InclusionError,
    },
    /// The entries are not in the order, or not those, that the kind asks for.
    Order {
        /// The position that does not fit.
        position: u64,
        /// What would.
        expected: &'static str,
    },
    /// What is shown of the index does not lead to a root.
    Transition(TransitionError),
    /// The step shows nothing of the index.
    Step(RefusedTransition),
    /// The index entry is right.
    RightIndexRoot {
        /// The root.
        root: IndexRoot,
    },
    /// Registration does not refuse the entry, after those shown.
    Admitted {
        /// Its position.
        position: u64,
    },
    /// Registration refuses the entry after those shown; other entries that are not shown might allow it.
    NeedsMore {
        /// The position of the entry.
        position: u64,
        /// The refusal's code.
        code: &'static str,
    },
    /// Not two statements that give one coordinate two weights.
    NoSwap {
        /// What was found.
        found: &'static str,
    },
    /// A statement whose key is not in the file, or whose signature fails.
    Signature {
        /// The key it names.
        kid: KeyId,
    },
}

impl Unproven {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownLog { .. } => "unknown-log",
            Self::Head(_) => "head-not-signed",
            Self::OtherLog { .. } => "two-logs",
            Self::SameTree { .. } | Self::Consistent { .. } => "no-split",
            Self::NoPrefix | Self::Prefix(_) => "no-prefix",
            Self::PossibleHead { .. } => "possible-head",
            Self::NoRollback { .. } => "no-rollback",
            Self::Empty => "no-entries",
            Self::Inclusion { .. } => "not-in-log",
            Self::Order { .. } => "entries-order",
            Self::Transition(_) | Self::Step(_) => "no-transition",
            Self::RightIndexRoot { .. } => "right-index-root",
            Self::Admitted { .. } => "admitted",
            Self::NeedsMore { .. } => "needs-more-entries",
            Self::NoSwap { .. } => "no-swap",
            Self::Signature { .. } => "bad-signature",
        }
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLog { found } => write!(f, "no key of {found} that signed this is known"),
            Self::Head(error) => write!(f, "tree head: {error}"),
            Self::OtherLog { expected, found } => {
                write!(f, "expected heads that one key of {expected} signed, found one of {found}")
            }
            Self::SameTree { older, newer } => write!(
                f,
                "expected two trees of one size with two roots, or an older and a newer one, found sizes {older} and {newer}"
            ),
            Self::NoPrefix => {
                f.write_str("two trees of two sizes, and nothing shows that one is not the other's beginning")
            }
            Self::Prefix(error) => error.fmt(f),
            Self::Consistent { root } => {
                write!(f, "the older tree, with root {root}, is the beginning of the newer: nothing is split")
            }
            Self::PossibleHead { size } => {
                write!(
                    f,
                    "expected a tree of no entries whose root is not that of nothing, found one of {size} entries"
                )
            }
            Self::NoRollback { both } => write!(
                f,
                "expected a known witness that cosigned the smaller tree at a later time than the larger; of {both} that cosigned both, none did"
            ),
            Self::Empty => f.write_str("no entry is shown"),
            Self::Inclusion { position, error } => write!(f, "entry {position}: {error}"),
            Self::Order { position, expected } => write!(f, "entry {position}: expected {expected}"),
            Self::Transition(error) => error.fmt(f),
            Self::Step(error) => error.fmt(f),
            Self::RightIndexRoot { root } => write!(f, "the index entry is right: the root is {root}"),
            Self::Admitted { position } => {
                write!(f, "after the entries shown, entry {position} is one that a log may hold")
            }
            Self::NeedsMore { position, code } => write!(
                f,
                "entry {position} is refused ({code}) after those shown, but others that are not shown might allow it"
            ),
            Self::NoSwap { found } => {
                write!(f, "expected a release and other weights under its coordinate, found {found}")
            }
            Self::Signature { kid } => write!(f, "the file has no key {kid}, or the signature is not that key's"),
        }
    }
}

impl core::error::Error for Unproven {}
