//! Why the name proofs of a bundle do not show that it is complete.

use core::fmt;

use crate::nameproof::{Malformed, RefusedNameProof, RefusedStatement};
use crate::proof::ProofError;

/// Which of the two name proofs of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// That about the coordinate of the release.
    Release,
    /// That about the name of its publisher.
    Keys,
}

/// Why a name proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameProofRefused {
    /// Its lines and the checkpoint of the release are no name proof.
    Malformed(Malformed),
    /// It does not hold under that checkpoint.
    Check(RefusedNameProof),
}

/// What of a list is not what the bundle has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListDiffers {
    /// An entry is listed, and its statement is not in the bundle, or not in its place.
    Missing {
        /// The entry.
        position: u64,
    },
    /// A statement of the bundle is in the log, and the index does not list it.
    NotListed {
        /// The entry.
        position: u64,
    },
    /// More statements than are listed.
    Surplus {
        /// How many are listed.
        listed: usize,
    },
    /// A statement has no inclusion proof.
    Proof(ProofError),
    /// A statement is not the one that is listed.
    Statement(Box<RefusedStatement>),
}

impl NamePart {
    /// For a person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "the release",
            Self::Keys => "the publisher's keys",
        }
    }
}

impl NameProofRefused {
    /// The check of the name proof that fails.
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Check(error) => error.code(),
        }
    }
}

impl fmt::Display for NameProofRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Check(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ListDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { position } => {
                write!(f, "entry {position} is listed, and is not in the bundle in its place")
            }
            Self::NotListed { position } => write!(f, "the index does not list entry {position}, which is in the log"),
            Self::Surplus { listed } => {
                write!(f, "the bundle has further statements than the {listed} that are listed")
            }
            Self::Proof(error) => write!(f, "a further statement has no proof: {error}"),
            Self::Statement(error) => write!(f, "a further statement is not the one that is listed: {error}"),
        }
    }
}
