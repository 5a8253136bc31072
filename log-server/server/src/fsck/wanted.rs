//! What is staged on the way to the signed head counts as there: a start puts it again before it reads anything.

use super::finding::{Finding, Findings, Problem, Remedy};
use crate::fsck_error::FsckError;
use std::collections::{BTreeMap, BTreeSet};
use stele_log_core::contract::objects::{MAX_OBJECT, ObjectErrorKind, ObjectName};
use stele_log_core::staged_batch::{StagedBatch, StagedBatchError, StagedBatches};
use stele_log_core::staged_recovery::{StagedRecoveryError, objects_of};
use stele_log_core::tiles::{StoreError, TileStore};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::tile::TilePath;

/// What is wrong with a file that was read.
pub(super) type Flaw = (Problem, String);

/// The files below `public`, and what a start would put among them.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The files.
    pub(super) store: &'a TileStore,
    staged: BTreeMap<TilePath, Vec<u8>>,
    manifests: BTreeSet<Digest>,
    /// Staged batches on the way to the head that cannot be used, by name.
    pub(super) unusable: Vec<(String, String)>,
}

impl<'a> Wanted<'a> {
    /// The files alone.
    pub(super) fn of_files(store: &'a TileStore) -> Self {
        Self { store, staged: BTreeMap::new(), manifests: BTreeSet::new(), unusable: Vec::new() }
    }

    /// The files and what is staged on the way to a head.
    pub(super) fn with_staged(
        store: &'a TileStore,
        staging: &StagedBatches,
        size: u64,
        root: RootHash,
    ) -> Result<Self, FsckError> {
        let mut wanted = Self::of_files(store);
        let unusable = |error: &StagedBatchError| match error {
            StagedBatchError::NotABatch { name } | StagedBatchError::Gone { name } => {
                Some((name.clone(), error.to_string()))
            }
            StagedBatchError::Objects(_) => None,
        };
        let chain = match staging.chain(size, root) {
            Ok(chain) => chain,
            Err(StagedBatchError::Objects(error)) => return Err(error.into()),
            Err(error) => {
                wanted.unusable.extend(unusable(&error));
                return Ok(wanted);
            }
        };
        match objects_of(staging, store, &chain) {
            Ok(objects) => {
                wanted.staged = objects.into_iter().map(|object| (object.path, object.bytes)).collect();
                for span in &chain {
                    let batch = staging.find(span.new_size, span.root).map_err(StagedRecoveryError::from)?;
                    let manifests = batch.into_iter().flat_map(|StagedBatch { manifests, .. }| manifests);
                    wanted.manifests.extend(manifests.map(|manifest| Digest::of(&manifest)));
                }
            }
            Err(error) if error.machine().is_some() => return Err(error.into()),
            Err(error) => {
                let wrong = chain.iter().find(|span| match &error {
                    StagedRecoveryError::Root { size, .. } => *size == span.new_size,
                    StagedRecoveryError::Staging(
                        StagedBatchError::NotABatch { name } | StagedBatchError::Gone { name },
                    ) => *name == span.name(),
                    // What is below them cannot be read, which is said where it is read.
                    _ => false,
                });
                wanted.unusable.extend(wrong.map(|span| (span.name(), error.to_string())));
            }
        }
        Ok(wanted)
    }

    /// Reads a tile or bundle. Where the file is not what is staged for it, that is noted, and the staged bytes count.
    pub(super) fn read(&self, path: TilePath, findings: &mut Findings) -> Result<Result<Vec<u8>, Flaw>, FsckError> {
        let read = match self.store.read(path) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) | Err(StoreError::Missing { .. }) => Err((Problem::Missing, String::new())),
            Err(StoreError::Tile(error)) => Err((Problem::Damaged, error.to_string())),
            Err(StoreError::Objects(error)) if error.kind() == ObjectErrorKind::TooLarge => {
                Err((Problem::Damaged, error.to_string()))
            }
            Err(StoreError::Objects(error)) => return Err(error.into()),
        };
        let Some(staged) = self.staged.get(&path) else { return Ok(read) };
        if read.as_ref() != Ok(staged) {
            let (problem, found) = read.err().unwrap_or((Problem::Damaged, String::new()));
            findings.add(Finding::new(public(path), problem, Remedy::Staged, found));
        }
        Ok(Ok(staged.clone()))
    }

    /// Reads the very file of a tile; `None` where it is not there.
    pub(super) fn file(&self, path: TilePath) -> Result<Option<Vec<u8>>, FsckError> {
        match self.store.objects().get(&ObjectName::Tile(path), MAX_OBJECT) {
            Err(error) if error.kind() == ObjectErrorKind::TooLarge => Ok(Some(Vec::new())),
            read => Ok(read?),
        }
    }

    /// Holds a manifest against its name.
    pub(super) fn manifest(&self, digest: &Digest, findings: &mut Findings) -> Result<(), FsckError> {
        let problem = match self.store.manifest(digest) {
            Ok(Some(bytes)) if Digest::of(&bytes) == *digest => return Ok(()),
            Ok(Some(_)) => Problem::Damaged,
            Ok(None) => Problem::Missing,
            Err(error) if error.kind() == ObjectErrorKind::TooLarge => Problem::Damaged,
            Err(error) => return Err(error.into()),
        };
        let remedy = if self.manifests.contains(digest) { Remedy::Staged } else { Remedy::Publisher };
        findings.add(Finding::new(format!("public/manifests/{digest}"), problem, remedy, ""));
        Ok(())
    }
}

/// Where a tile is, below the data folder.
pub(super) fn public(path: TilePath) -> String {
    format!("public/{path}")
}
