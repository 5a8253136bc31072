//! Why a statement is refused, each with a stable code and the entry that stands in the way.

use core::fmt;

use crate::hash::{Digest, KeyId};
use crate::name::{Coordinate, Publisher};
use crate::statement::{Kind, VerifyError};

/// Why a statement is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The name is held.
    NameClaimed {
        /// The name.
        publisher: Publisher,
        /// The position of the claim.
        position: u64,
    },
    /// The name is nobody's.
    NameUnclaimed {
        /// The name.
        publisher: Publisher,
    },
    /// The signer, or an approver, does not hold the name.
    KeyNotHeld {
        /// The name.
        publisher: Publisher,
        /// The key.
        kid: KeyId,
    },
    /// A key that may speak no longer.
    KeyRevoked {
        /// The name.
        publisher: Publisher,
        /// The key.
        kid: KeyId,
    },
    /// A key is to be added that is there.
    KeyHeld {
        /// The name.
        publisher: Publisher,
        /// The key.
        kid: KeyId,
    },
    /// Too few keys signed.
    ApprovalsMissing {
        /// The name.
        publisher: Publisher,
        /// What they signed.
        kind: Kind,
        /// How many keys must sign.
        needed: u64,
        /// How many did.
        found: u64,
    },
    /// Approvals of something that was logged with them.
    ApprovalsUsed {
        /// The name.
        publisher: Publisher,
        /// The position where they were used.
        position: u64,
    },
    /// A change of keys that another one has overtaken.
    KeysMoved {
        /// The name.
        publisher: Publisher,
        /// The position of the newest key statement.
        position: u64,
    },
    /// A change after which no key is left, too many are, or fewer than must sign.
    KeysLeft {
        /// The name.
        publisher: Publisher,
        /// How many keys would be left.
        left: u64,
        /// How many would have to sign the next change.
        threshold: u64,
    },
    /// More key statements than a name may have.
    TooManyKeyStatements {
        /// The name.
        publisher: Publisher,
    },
    /// The signature fails.
    Signature(VerifyError),
    /// The coordinate has other weights: the silent swap.
    CoordinateBound(Box<Swap>),
    /// The coordinate was released.
    CoordinateReleased {
        /// The coordinate.
        coordinate: Coordinate,
        /// The position of its release.
        position: u64,
    },
    /// A reference to something that this log does not have.
    ReferenceUnknown(Box<Unknown>),
    /// Other weights than the release's, in a statement about it.
    WeightsDiffer {
        /// The field.
        field: String,
        /// The weights, and where they were bound.
        swap: Box<Swap>,
    },
    /// `never-left`, of weights that are out: the false recall.
    FalseRecall {
        /// The coordinate.
        coordinate: Coordinate,
        /// The entry that made it public.
        position: u64,
    },
}

/// A reference to something that the log does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The field that refers to it.
    pub field: String,
    /// What it calls it.
    pub coordinate: Coordinate,
    /// Where it says that it is.
    pub entry: u64,
    /// Where the coordinate is released, if it is.
    pub released: Option<u64>,
}

/// Other weights under a coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The coordinate.
    pub coordinate: Coordinate,
    /// The position of the release that bound it.
    pub position: u64,
    /// The weights it is bound to.
    pub bound: Digest,
    /// The weights of the refused statement.
    pub offered: Digest,
}

impl Refusal {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameClaimed { .. } => "name-claimed",
            Self::NameUnclaimed { .. } => "name-unclaimed",
            Self::KeyNotHeld { .. } => "key-not-held",
            Self::KeyRevoked { .. } => "key-revoked",
            Self::KeyHeld { .. } => "key-held",
            Self::ApprovalsMissing { .. } => "approvals-missing",
            Self::ApprovalsUsed { .. } => "approvals-used",
            Self::KeysMoved { .. } => "keys-moved",
            Self::KeysLeft { .. } => "keys-left",
            Self::TooManyKeyStatements { .. } => "too-many-key-statements",
            Self::Signature(error) => error.code(),
            Self::CoordinateBound(_) => "coordinate-bound",
            Self::CoordinateReleased { .. } => "coordinate-released",
            Self::ReferenceUnknown(_) => "reference-unknown",
            Self::WeightsDiffer { .. } => "weights-differ",
            Self::FalseRecall { .. } => "false-recall",
        }
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NameClaimed { .. } => "sign with the keys of that claim, or choose a name of your own",
            Self::NameUnclaimed { .. } => "submit a claim of that name first",
            Self::KeyNotHeld { .. } => "sign with a key that the name's key statements list",
            Self::KeyRevoked { .. } => "a revoked key never speaks again under this name: sign with, or add, another",
            Self::KeyHeld { .. } => "leave out the keys that the name has",
            Self::ApprovalsMissing { .. } => "let further keys of the name approve the statement",
            Self::ApprovalsUsed { .. } => {
                "the log has it: nothing more is to be done; to say it again, let it be approved again, with another issued_at"
            }
            Self::KeysMoved { .. } => {
                "look at the newest key statement and make the change again, naming it as previous"
            }
            Self::KeysLeft { .. } => "leave at least one key and as many as the threshold",
            Self::TooManyKeyStatements { .. } => {
                "no change of keys is possible any more: claim a new name, and supersede the releases of the old one"
            }
            Self::Signature(_) => "the statement was changed after it was signed, or signed with another key",
            Self::CoordinateBound(_) => "other weights need another version or variant: a coordinate is never rebound",
            Self::CoordinateReleased { .. } => {
                "a coordinate is released once: change what is said about it with `stele amend`, or release another version or variant"
            }
            Self::ReferenceUnknown(_) => "refer to the release by its entry and leaf hash in this log",
            Self::WeightsDiffer { .. } => "a statement about a release repeats its weights digest and cannot change it",
            Self::FalseRecall { .. } => "say where the copies are: publicly-downloaded, or limited-recipients",
        }
    }

    /// The entry that stands in the way, if it is one.
    pub fn existing(&self) -> Option<u64> {
        match self {
            Self::NameClaimed { position, .. }
            | Self::ApprovalsUsed { position, .. }
            | Self::KeysMoved { position, .. }
            | Self::CoordinateReleased { position, .. }
            | Self::FalseRecall { position, .. } => Some(*position),
            Self::CoordinateBound(swap) | Self::WeightsDiffer { swap, .. } => Some(swap.position),
            Self::ReferenceUnknown(unknown) => unknown.released,
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameClaimed { publisher, position } => write!(f, "{publisher} was claimed at entry {position}"),
            Self::NameUnclaimed { publisher } => write!(f, "nobody has claimed {publisher} in this log"),
            Self::KeyNotHeld { publisher, kid } => write!(f, "key {kid} does not hold {publisher}"),
            Self::KeyRevoked { publisher, kid } => write!(f, "key {kid} of {publisher} was revoked"),
            Self::KeyHeld { publisher, kid } => write!(f, "key {kid} holds {publisher} already"),
            Self::ApprovalsMissing { publisher, kind: Kind::Publisher, needed, found } => {
                write!(f, "a change of the keys of {publisher} needs {needed} of them to sign, found {found}")
            }
            Self::ApprovalsMissing { publisher, kind, needed, found } => {
                write!(f, "a statement of {publisher} (here: {kind}) needs {needed} of its keys to sign, found {found}")
            }
            Self::ApprovalsUsed { publisher, position } => {
                write!(f, "the approvals of this statement of {publisher} were used for the same at entry {position}")
            }
            Self::KeysMoved { publisher, position } => {
                write!(f, "the keys of {publisher} were changed at entry {position}, which this change does not name")
            }
            Self::KeysLeft { publisher, left, threshold } => {
                write!(f, "{publisher} would be left with {left} keys, of which {threshold} would have to sign")
            }
            Self::TooManyKeyStatements { publisher } => {
                write!(
                    f,
                    "{publisher} has {} key statements, as many as a name may have",
                    crate::bundle::MAX_KEY_STATEMENTS
                )
            }
            Self::Signature(error) => error.fmt(f),
            Self::CoordinateBound(swap) => swap.fmt(f),
            Self::CoordinateReleased { coordinate, position } => {
                write!(f, "{coordinate} was released at entry {position}")
            }
            Self::ReferenceUnknown(unknown) => unknown.fmt(f),
            Self::WeightsDiffer { field, swap } => write!(f, "{field}: {swap}"),
            Self::FalseRecall { coordinate, position } => {
                write!(f, "{coordinate} was public as of entry {position}, so copies of it are out")
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, coordinate, entry, released } = self;
        match released {
            None => write!(f, "{field}: entry {entry} does not release {coordinate}; no entry of this log does"),
            Some(position) => write!(
                f,
                "{field}: expected entry {position}, which releases {coordinate}, found {entry} or another leaf hash"
            ),
        }
    }
}

impl fmt::Display for Swap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { coordinate, position, bound, offered } = self;
        write!(f, "{coordinate} is bound to weights {bound} by entry {position}; this statement says {offered}")
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::Signature(error)
    }
}

impl core::error::Error for Refusal {}
impl core::error::Error for Swap {}
