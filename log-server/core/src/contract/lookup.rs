//! Where an entry is: positions by leaf hash, name, digest, file and parent. Derived, and nothing that is decided rests on it.
//!
//! # Contract
//! - Positions are ascending, and at most [`MAX_POSITIONS`] in one answer.
//! - What [`Lookup::extend`] adds is found afterwards, or the lookup says that it is not open. A lookup that fails is made again from the
//!   entries.

use crate::file_digests::FileDigestIndex;
use std::fmt::Debug;
use stele_spec::hash::{LeafHash, RootHash};
use stele_spec::statement::{Kind, Parent, Statement};

/// The most positions in one answer.
pub const MAX_POSITIONS: usize = 1000;

/// A derived index from names and digests to positions.
pub trait Lookup: Send + Sync + Debug {
    /// Adds the rows of entries that were published with the tree of this size and root.
    fn extend(&self, rows: &[LookupRow], size: u64, root: RootHash);

    /// The positions under a key, ascending, from `from` on; at most [`MAX_POSITIONS`].
    fn positions(&self, by: LookupKey<'_>, from: u64) -> Result<Vec<u64>, LookupUnavailable>;

    /// Whether it answers: not while it is made again.
    fn is_open(&self) -> bool;

    /// Makes durable what was added.
    fn flush(&self);
}

/// Why nothing can be looked up now, in the words of the lookup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LookupUnavailable(pub String);

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupRow {
    /// Where it is.
    pub position: u64,
    /// Its hash.
    pub leaf: LeafHash,
    /// Who said it.
    pub publisher: String,
    /// Whether it claims or changes the keys of that name.
    pub is_key_statement: bool,
    /// What it is about.
    pub coordinates: Vec<String>,
    /// The weights it is about, in hex.
    pub digest: Option<String>,
    /// The files of the release.
    pub files: FileDigestIndex,
    /// Its package URL.
    pub purl: Option<String>,
    /// What it was made of.
    pub parents: Vec<String>,
}

impl LookupRow {
    /// The record of a statement, and of the files of its manifest.
    pub fn of(position: u64, leaf: LeafHash, statement: &Statement, files: FileDigestIndex) -> Self {
        let release = statement.release();
        let lineage = release.map(|release| release.lineage.as_slice()).unwrap_or_default();
        Self {
            position,
            leaf,
            publisher: statement.publisher().to_string(),
            is_key_statement: statement.kind() == Kind::Publisher,
            coordinates: statement.coordinates().iter().map(ToString::to_string).collect(),
            digest: statement.weights_digest().map(|digest| digest.to_string()),
            files,
            purl: release.and_then(|release| release.model.purl.as_ref()).map(ToString::to_string),
            parents: lineage
                .iter()
                .map(|ancestor| match &ancestor.parent {
                    Parent::Logged(logged) => logged.coordinate.to_string(),
                    Parent::Unlogged(unlogged) => unlogged.purl.to_string(),
                })
                .collect(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum LookupKey<'a> {
    /// The entry with this leaf hash.
    Leaf(&'a LeafHash),
    /// Everything about a coordinate, by any speaker.
    Coordinate(&'a str),
    /// Everything that a publisher says.
    Publisher(&'a str),
    /// The key statements of a publisher.
    Keys(&'a str),
    /// Everything about a weights digest, in hex.
    Digest(&'a str),
    /// The releases that have a file, by its SHA-256 in hex.
    File(&'a str),
    /// The same by git's blob id in hex.
    GitBlob(&'a str),
    /// The releases with a package URL.
    Purl(&'a str),
    /// The releases that were made of a coordinate, or of a package URL.
    Parent(&'a str),
}
