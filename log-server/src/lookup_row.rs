//! A row of the lookup database, and the keys by which rows are found.

use crate::file_names::FileNames;
use stele_spec::hash::LeafHash;
use stele_spec::statement::{Kind, Parent, Statement};

/// What is known of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
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
    pub files: FileNames,
    /// Its package URL.
    pub purl: Option<String>,
    /// What it was made of.
    pub parents: Vec<String>,
}

impl Record {
    /// The record of a statement, and of the files of its manifest.
    pub fn of(position: u64, leaf: LeafHash, statement: &Statement, files: FileNames) -> Self {
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
pub enum By<'a> {
    /// The entry with this leaf hash.
    Leaf(&'a LeafHash),
    /// Everything about a coordinate, whoever says it.
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
