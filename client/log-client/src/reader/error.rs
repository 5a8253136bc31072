//! Why a log could not be read, or is not what its head says.

use stele_durable::DurableError;
use stele_explain::{Exit, Explain};
use stele_fetch::static_files::{SourceError, StaticFiles};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::manifest::ManifestError;
use stele_spec::policy::RefusedCheckpoint;
use stele_spec::tile::TileError;
use stele_spec::tiledlog::TiledLogError;

/// Why a log could not be read, or is not what its head says.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// This machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// An address that serves something else than a log.
    #[error("{place} serves no tree head: {error}")]
    NoHead {
        /// The address.
        place: String,
        /// What is wrong with it.
        error: RefusedCheckpoint,
    },
    /// The policy does not vouch for the head.
    #[error("the tree head at {place} is refused: {error}")]
    Head {
        /// The log.
        place: String,
        /// Why.
        error: RefusedCheckpoint,
    },
    /// Not a tile, or not a bundle.
    #[error("{place} is malformed: {error}")]
    Malformed {
        /// The file.
        place: String,
        /// Where.
        error: TileError,
    },
    /// A tree that has no such tile.
    #[error("{0}")]
    Tile(TileError),
    /// The tiles of the right edge do not hash to the head.
    #[error("the tiles at {place} are not those of its tree head")]
    NotTheTree {
        /// The log.
        place: String,
        /// The head's size.
        size: u64,
        /// The head's root.
        expected: RootHash,
        /// What the tiles hash to.
        found: RootHash,
    },
    /// A file that does not hash to its place in the tree.
    #[error("{place} is not part of the tree of {size} entries")]
    NotInTree {
        /// The file.
        place: String,
        /// The tree's size.
        size: u64,
    },
    /// The tree seen before is not the beginning of this one.
    #[error("the log at {place} rewrote its history: its first {size} entries are not what they were")]
    NotAPrefix {
        /// The log.
        place: String,
        /// The size of the tree seen before.
        size: u64,
        /// Its root.
        expected: RootHash,
        /// The root at that size now.
        found: RootHash,
        /// The size of the tree now.
        now: u64,
    },
    /// An entry that this tree does not have.
    #[error("there is no entry {position} in a tree of {size}")]
    PastTheEnd {
        /// The position.
        position: u64,
        /// The tree's size.
        size: u64,
    },
    /// A manifest with other bytes than its name says.
    #[error("{place} has another digest than its name")]
    OtherManifest {
        /// The file.
        place: String,
        /// Its name.
        expected: Digest,
        /// Its digest.
        found: Digest,
    },
    /// Not a manifest.
    #[error("{place} is not a manifest: {error}")]
    Manifest {
        /// The file.
        place: String,
        /// Why.
        error: ManifestError,
    },
}

impl ReadError {
    /// What was found while the files of a source were read.
    pub(super) fn at(source: &StaticFiles, error: TiledLogError<SourceError>) -> Self {
        let place = |path: &dyn std::fmt::Display| source.place_of(&path.to_string());
        match error {
            TiledLogError::Files(error) => Self::Source(error),
            TiledLogError::Missing { path } => Self::Source(SourceError::Missing { place: place(&path) }),
            TiledLogError::Malformed { path, error } => Self::Malformed { place: place(&path), error },
            TiledLogError::Tile(error) => Self::Tile(error),
            TiledLogError::NotTheTree { size, expected, found } => {
                Self::NotTheTree { place: source.to_string(), size, expected, found }
            }
            TiledLogError::NotInTree { path, size } => Self::NotInTree { place: place(&path), size },
            TiledLogError::NotAPrefix { size, expected, found, now } => {
                Self::NotAPrefix { place: source.to_string(), size, expected, found, now }
            }
            TiledLogError::PastTheEnd { position, size } => Self::PastTheEnd { position, size },
        }
    }
}

impl Explain for ReadError {
    fn exit(&self) -> Exit {
        match self {
            Self::Source(error) => error.exit(),
            Self::Durable(error) => error.exit(),
            Self::NoHead { .. } => Exit::Unavailable,
            Self::Head { error, .. } => error.exit(),
            Self::Malformed { .. } | Self::Manifest { .. } => Exit::BadInput,
            Self::NotTheTree { .. } | Self::NotInTree { .. } => Exit::Inconsistent,
            Self::NotAPrefix { .. } => Exit::Inconsistent,
            Self::OtherManifest { .. } => Exit::BytesDiffer,
            Self::Tile(_) | Self::PastTheEnd { .. } => Exit::NotInLog,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Source(error) => error.code(),
            Self::Durable(error) => error.code(),
            Self::NoHead { .. } => "log-answer-malformed",
            Self::Head { error, .. } => error.code(),
            Self::Malformed { .. } => "log-file-malformed",
            Self::Tile(_) | Self::PastTheEnd { .. } => "no-such-entry",
            Self::NotTheTree { .. } | Self::NotInTree { .. } => "not-the-tree",
            Self::NotAPrefix { .. } => "history-rewritten",
            Self::OtherManifest { .. } => "manifest-differs",
            Self::Manifest { error, .. } => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::Durable(error) => return error.hint(),
            Self::NoHead { .. } => {
                "is this the address of a Stele log, and does nothing stand between, such as a login page?"
            }
            Self::Head { error, .. } => error.served_hint(),
            Self::Malformed { .. } | Self::NotTheTree { .. } | Self::NotInTree { .. } => {
                "what is served is not what the head commits to: read from another mirror; if the log itself serves it, tell its operator"
            }
            Self::NotAPrefix { .. } => {
                "keep both tree heads: they are evidence that the log shows two histories; ask the witnesses which one they saw"
            }
            Self::OtherManifest { .. } | Self::Manifest { .. } => "read it from another mirror",
            Self::Tile(_) | Self::PastTheEnd { .. } => return None,
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Source(error) => error.facts(),
            Self::NoHead { error, .. } | Self::Head { error, .. } => error.facts(),
            Self::NotTheTree { expected, found, size, .. } => {
                vec![("tree size", size.to_string()), ("expected", expected.to_string()), ("found", found.to_string())]
            }
            Self::NotAPrefix { expected, found, now, .. } => vec![
                ("expected", expected.to_string()),
                ("found", found.to_string()),
                ("tree size now", now.to_string()),
            ],
            Self::OtherManifest { expected, found, .. } => {
                vec![("expected", expected.to_string()), ("found", found.to_string())]
            }
            _ => Vec::new(),
        }
    }
}
