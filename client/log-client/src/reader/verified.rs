//! The tree under a head that the policy vouches for; its errors say where the file is.

use stele_fetch::static_files::{SourceError, StaticFiles};
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::merkle::{ConsistencyProof, Nodes};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tiledlog::{Chunk, Files, TiledLog, TiledLogError};

use super::ReadError;

/// A log under a head that the policy vouches for.
#[derive(Debug)]
pub struct VerifiedLog<'a> {
    source: &'a StaticFiles,
    head: TrustedCheckpoint,
    tree: TiledLog<Reading<'a>>,
}

/// A source as files of a log.
#[derive(Debug)]
struct Reading<'a>(&'a StaticFiles);

impl Files for Reading<'_> {
    type Error = SourceError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.read(path, limit)
    }
}

impl<'a> VerifiedLog<'a> {
    pub(super) fn open(source: &'a StaticFiles, head: TrustedCheckpoint) -> Result<Self, ReadError> {
        let tree = TiledLog::open(Reading(source), head.checkpoint().clone());
        Ok(Self { source, tree: tree.map_err(|error| ReadError::at(source, error))?, head })
    }

    /// The head.
    pub fn head(&self) -> &TrustedCheckpoint {
        &self.head
    }

    /// Where it is read.
    pub fn place(&self) -> String {
        self.source.to_string()
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.head.size()
    }

    /// The root of the first `size` entries of this tree.
    pub fn root_at(&self, size: u64) -> Result<RootHash, ReadError> {
        self.explained(self.tree.root_at(size))
    }

    /// Whether a tree that was seen before is the beginning of this one.
    pub fn check_prefix(&self, size: u64, root: RootHash) -> Result<(), ReadError> {
        self.explained(self.tree.check_prefix(size, root))
    }

    /// The proof that the tree of `old` entries, as this log has it, is the beginning of this one.
    pub fn prove_consistency(&self, old: u64) -> Result<ConsistencyProof, ReadError> {
        self.explained(self.tree.prove_consistency(old))
    }

    /// The entries from a position to the end, in checked chunks.
    pub fn entries(&self, from: u64) -> impl Iterator<Item = Result<Chunk, ReadError>> {
        self.tree.entries(from).map(|chunk| self.explained(chunk))
    }

    /// The entries of one bundle of 256.
    pub fn bundle(&self, index: u64) -> Result<Chunk, ReadError> {
        self.explained(self.tree.bundle(index))
    }

    /// One entry.
    pub fn entry(&self, position: u64) -> Result<Vec<u8>, ReadError> {
        self.explained(self.tree.entry(position))
    }

    fn explained<T>(&self, outcome: Result<T, TiledLogError<SourceError>>) -> Result<T, ReadError> {
        outcome.map_err(|error| ReadError::at(self.source, error))
    }
}

impl Nodes for VerifiedLog<'_> {
    type Error = ReadError;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, ReadError> {
        self.explained(self.tree.node(level, index))
    }
}
