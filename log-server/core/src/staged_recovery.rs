//! What is staged, at a start: what the batches on the way to the signed head hold is put again, so that it is public and durable, and so is
//! the newest checkpoint; the rest is discarded.
//!
//! A loss of power may have left their tiles and manifests torn. What is put in place of other bytes was verified first: the entries lead
//! to the root of the signed head, and a manifest has the digest that is its name.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::objects::{ObjectError, ObjectName};
use crate::log_keys::LogKeys;
use crate::staged_batch::{Span, StagedBatch, StagedBatchError, StagedBatches};
use crate::tiles::{StoreError, TileStore};
use crate::tree::{Object, Tree};
use stele_explain::Explain;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::merkle::leaf_hash;
use stele_spec::tile::TILE_WIDTH;

/// Why the batches on the way to the signed head cannot be put again.
#[derive(Debug, thiserror::Error)]
pub enum StagedRecoveryError {
    /// The storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A staged batch is damaged.
    #[error(transparent)]
    Staging(#[from] StagedBatchError),
    /// What was there before the first of them cannot be read.
    #[error(transparent)]
    Before(#[from] StoreError),
    /// The entries lead to another root.
    #[error("the entries of the tree of {size} lead to root {found}; its staged batch says {expected}")]
    Root {
        /// Which tree.
        size: u64,
        /// What the batch was staged for.
        expected: RootHash,
        /// What its entries lead to.
        found: RootHash,
    },
}

impl StagedRecoveryError {
    /// The storage's own failure, where it is one.
    pub fn machine(&self) -> Option<&dyn Explain> {
        match self {
            Self::Objects(error)
            | Self::Staging(StagedBatchError::Objects(error))
            | Self::Before(StoreError::Objects(error)) => Some(error),
            _ => None,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Objects(error) => error.code(),
            Self::Staging(_) => "staged-batch-damaged",
            Self::Before(_) => "entries-damaged",
            Self::Root { .. } => "root-differs",
        }
    }
}

/// Puts again what the batches on the way to the signed head hold, and discards all staged batches; how many were put.
pub fn finish(
    staging: &StagedBatches,
    store: &TileStore,
    size: u64,
    root: RootHash,
) -> Result<usize, StagedRecoveryError> {
    let chain = staging.chain(size, root)?;
    let Some(first) = chain.first() else {
        discard(staging)?;
        return Ok(0);
    };
    let before = tree_of(store, first.old_size)?;
    // Nothing is put before all of them are known to lead to the signed head.
    let mut tree = before.clone();
    for span in &chain {
        push(&mut tree, &read(staging, span)?.entries);
        if tree.root() != span.root {
            let (size, expected, found) = (span.new_size, span.root, tree.root());
            return Err(StagedRecoveryError::Root { size, expected, found });
        }
    }
    let mut tree = before;
    for span in &chain {
        let StagedBatch { entries, manifests, .. } = read(staging, span)?;
        for manifest in manifests {
            store.restore(&ObjectName::Manifest(Digest::of(&manifest)), &manifest)?;
        }
        let old = tree.clone();
        let full = push(&mut tree, &entries);
        for object in tree.grown_from(&old, full) {
            store.restore(&ObjectName::Tile(object.path), &object.bytes)?;
        }
    }
    store.objects().sync()?;
    discard(staging)?;
    Ok(chain.len())
}

/// The tiles and bundles that a start would put of the batches on the way to a head, which are known to lead there.
pub fn objects_of(
    staging: &StagedBatches,
    store: &TileStore,
    chain: &[Span],
) -> Result<Vec<Object>, StagedRecoveryError> {
    let Some(first) = chain.first() else { return Ok(Vec::new()) };
    let (mut tree, mut objects) = (tree_of(store, first.old_size)?, Vec::new());
    for span in chain {
        let old = tree.clone();
        let full = push(&mut tree, &read(staging, span)?.entries);
        if tree.root() != span.root {
            let (size, expected, found) = (span.new_size, span.root, tree.root());
            return Err(StagedRecoveryError::Root { size, expected, found });
        }
        objects.extend(tree.grown_from(&old, full));
    }
    Ok(objects)
}

/// Publishes again the newest staged checkpoint of this log, durably, where the public one is older, torn or gone.
///
/// One that a loss of power left in part was told nobody, and is passed over.
pub fn finish_checkpoint(
    staging: &StagedBatches,
    store: &TileStore,
    keys: &LogKeys,
) -> Result<(), StagedRecoveryError> {
    let read = |note: &[u8]| SignedCheckpoint::read(note, keys).ok();
    let staged = staging.checkpoints()?.into_iter().rev().find_map(|note| Some((read(&note)?, note)));
    let Some((staged, note)) = staged else { return Ok(()) };
    let public = store.checkpoint()?.as_deref().and_then(read);
    // Of the same size the public one is what a renewal put there, durably.
    if public.is_none_or(|public| public.checkpoint.size() < staged.checkpoint.size()) {
        tracing::info!(size = staged.checkpoint.size(), "publishing again what the loss of power took");
        return Ok(store.publish(&note)?);
    }
    // Seen is not durable: where the process was killed and the power stayed, only the staged one is certain.
    Ok(store.objects().sync()?)
}

/// Discards all that is staged.
pub fn discard(staging: &StagedBatches) -> Result<(), StagedRecoveryError> {
    for name in staging.names()? {
        tracing::info!(name, "discarding what was staged");
        staging.discard(&name)?;
    }
    Ok(())
}

/// The tree of the first entries, which are durable. Only their hashes: the entries are checked in the replay.
fn tree_of(store: &TileStore, size: u64) -> Result<Tree, StagedRecoveryError> {
    let mut tree = Tree::new();
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        drop(push(&mut tree, &store.bundle(index, size)?));
    }
    Ok(tree)
}

fn read(staging: &StagedBatches, span: &Span) -> Result<StagedBatch, StagedRecoveryError> {
    let found = staging.find(span.new_size, span.root)?;
    Ok(found.ok_or_else(|| StagedBatchError::NotABatch { name: span.name() })?)
}

/// Appends entries; the tiles that became full.
fn push(tree: &mut Tree, entries: &[Vec<u8>]) -> Vec<Object> {
    let mut full = Vec::new();
    for entry in entries {
        tree.push(entry, leaf_hash(entry), &mut full);
    }
    full
}
