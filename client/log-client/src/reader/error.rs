//! Why a log could not be read, or is not what its head says.

use stele_durable::DurableError;
use stele_explain::{Exit, Explain, explain};
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
    /// A full tile or bundle is not there.
    #[error("there is no {place}: the log has pruned its beginning, or what serves it has lost the file")]
    Gone {
        /// The file.
        place: String,
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
            TiledLogError::Gone { path } => Self::Gone { place: place(&path) },
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

/// What to do about a file that is not the one of the head.
const NOT_COMMITTED_TO: &str = "what is served is not what the tree head commits to: read from another mirror; if the log itself serves \
    it, tell its operator";

impl Explain for ReadError {
    explain! {
        Self::Source(error) => error;
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::NoHead { error, .. } => Exit::Unavailable, "log-answer-malformed",
            hint: "is this the address of a Stele log, and does nothing stand between, such as a login page?",
            facts: error.facts();
        Self::Head { error, .. } => error.exit(), error.code(), hint: error.served_hint(), facts: error.facts();
        Self::Gone { .. } => Exit::Unavailable, "log-file-missing",
            hint: "read from a mirror that keeps all of the log; its operator says what its retention policy lets it prune \
                (c2sp.org/tlog-tiles), and without one nothing may be pruned",
            "expected": "every entry from 0, and every full tile", "found": "no such file";
        Self::Malformed { .. } => Exit::BadInput, "log-file-malformed", hint: NOT_COMMITTED_TO;
        Self::Tile(_) | Self::PastTheEnd { .. } => Exit::NotInLog, "no-such-entry";
        Self::NotTheTree { expected, found, size, .. } => Exit::Inconsistent, "not-the-tree", hint: NOT_COMMITTED_TO,
            "tree size": size, "expected": expected, "found": found;
        Self::NotInTree { .. } => Exit::Inconsistent, "not-the-tree", hint: NOT_COMMITTED_TO;
        Self::NotAPrefix { expected, found, now, .. } => Exit::Inconsistent, "history-rewritten",
            hint: "keep both tree heads: they are evidence that the log shows two histories; ask the witnesses which one they saw",
            "expected": expected, "found": found, "tree size now": now;
        Self::OtherManifest { expected, found, .. } => Exit::BytesDiffer, "manifest-differs",
            hint: "read it from another mirror", "expected": expected, "found": found;
        Self::Manifest { error, .. } => Exit::BadInput, error.code(), hint: "read it from another mirror";
    }
}
