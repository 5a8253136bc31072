//! What is staged, at a start: what the batches on the way to the signed head hold is put again, so that it is public and durable, and so is
//! the newest checkpoint; the rest is discarded.
//!
//! A loss of power may have left their tiles and manifests torn. What is put in place of other bytes was verified first: the entries lead
//! to the root of the signed head, and a manifest has the digest that is its name.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::objects::{ObjectError, ObjectName};
use crate::log_keys::LogKeys;
use crate::staged_batch::{Span, StagedBatch, StagedBatchError, StagedBatches, size_of};
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

/// Which staged objects a start discards once the newest signed head is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// All: no other process can have staged what it is about to sign.
    All,
    /// Those of trees that are no larger than the signed one. The next writer signs a larger tree, and may have staged it already: a run that was
    /// overtaken while it recovered must not take that away.
    UpTo(u64),
}

/// Puts again what the batches on the way to the signed head hold, and discards what is staged; how many were put. `known` is a tree whose tiles were
/// compared with the store already: what leads to it is not put again.
pub fn finish(
    staging: &StagedBatches,
    store: &TileStore,
    known: &Tree,
    (size, root): (u64, RootHash),
    discarded: Discard,
) -> Result<usize, StagedRecoveryError> {
    let mut least = usize::MAX;
    loop {
        let mut chain = staging.chain(size, root)?;
        chain.retain(|span| span.new_size > known.size());
        match put_again(store, staging, known, &chain) {
            // A run that was fenced may still be removing what it had made durable: the chain begins later now. Where it does not, the store contradicts itself.
            Err(StagedRecoveryError::Staging(StagedBatchError::Gone { .. })) if chain.len() < least => {
                least = chain.len();
            }
            done => {
                done?;
                discard(staging, discarded)?;
                return Ok(chain.len());
            }
        }
    }
}

/// Puts again what the batches of a chain hold.
fn put_again(
    store: &TileStore,
    staging: &StagedBatches,
    known: &Tree,
    chain: &[Span],
) -> Result<(), StagedRecoveryError> {
    let Some(first) = chain.first() else { return Ok(()) };
    let before = grown_to(store, known, first.old_size)?;
    // Nothing is put before all of them are known to lead to the signed head.
    let mut tree = before.clone();
    for span in chain {
        push(&mut tree, &read(staging, span)?.entries);
        if tree.root() != span.root {
            let (size, expected, found) = (span.new_size, span.root, tree.root());
            return Err(StagedRecoveryError::Root { size, expected, found });
        }
    }
    let mut tree = before;
    for span in chain {
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
    Ok(store.objects().sync()?)
}

/// The tiles and bundles that a start would put of the batches on the way to a head, which are known to lead there.
pub fn objects_of(
    staging: &StagedBatches,
    store: &TileStore,
    chain: &[Span],
) -> Result<Vec<Object>, StagedRecoveryError> {
    let Some(first) = chain.first() else { return Ok(Vec::new()) };
    let (mut tree, mut objects) = (grown_to(store, &Tree::new(), first.old_size)?, Vec::new());
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

/// Discards what is staged.
pub fn discard(staging: &StagedBatches, which: Discard) -> Result<(), StagedRecoveryError> {
    for name in staging.names()? {
        let is_over = match which {
            Discard::All => true,
            Discard::UpTo(size) => size_of(&name).is_some_and(|staged| staged <= size),
        };
        if is_over {
            tracing::info!(name, "discarding what was staged");
            staging.discard(&name)?;
        }
    }
    Ok(())
}

/// The tree of the first `size` entries, which are durable, from one that it begins with. Only their hashes: the entries are checked in the replay.
fn grown_to(store: &TileStore, known: &Tree, size: u64) -> Result<Tree, StagedRecoveryError> {
    let mut tree = if known.size() <= size { known.clone() } else { Tree::new() };
    let width = u64::from(TILE_WIDTH);
    for index in tree.size() / width..size.div_ceil(width) {
        let entries = store.bundle(index, size)?;
        let known = tree.size().saturating_sub(index * width) as usize;
        drop(push(&mut tree, entries.get(known..).unwrap_or_default()));
    }
    Ok(tree)
}

fn read(staging: &StagedBatches, span: &Span) -> Result<StagedBatch, StagedRecoveryError> {
    let found = staging.find(span.new_size, span.root)?;
    Ok(found.ok_or_else(|| StagedBatchError::Gone { name: span.name() })?)
}

/// Appends entries; the tiles that became full.
fn push(tree: &mut Tree, entries: &[Vec<u8>]) -> Vec<Object> {
    let mut full = Vec::new();
    for entry in entries {
        tree.push(entry, leaf_hash(entry), &mut full);
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::objects::Objects as _;
    use crate::samples::{MemoryHeadStore, MemoryObjects, Offline, claim};
    use std::sync::Arc;

    /// A run that was fenced removes what it had published while the next one reads it: what goes is durable elsewhere, and so is all before it.
    #[test]
    fn what_another_run_removes_meanwhile_is_no_damage() {
        // Of four batches the first holds the first entry; the newest one's tiles were not put yet.
        for (leaving, put) in [(vec![0], 3), (vec![1], 2), (vec![0, 2], 1), (vec![1, 2], 1), (vec![], 4)] {
            let objects = Arc::new(MemoryObjects::default());
            let mut log = Offline::start(Box::new(MemoryHeadStore::default()), objects.clone()).unwrap();
            log.write(vec![]).unwrap();
            for name in ["a.example", "b.example", "c.example"] {
                log.write(vec![claim(name, 1)]).unwrap();
            }
            let (staging, head) = (&log.writer.staging, (log.writer.tree.size(), log.writer.tree.root()));
            let newest = log.writer.tree.partials().into_iter().map(|object| ObjectName::Tile(object.path));
            newest.clone().for_each(|name| objects.remove(&name).unwrap());
            let mut names = staging.names().unwrap();
            names.sort();
            assert_eq!(names.len(), 4);
            leaving.iter().for_each(|at: &usize| objects.remove_once_read(ObjectName::Staged(names[*at].clone())));
            assert_eq!(finish(staging, &log.store, &Tree::new(), head, Discard::All).unwrap(), put, "{leaving:?}");
            assert!(staging.names().unwrap().is_empty(), "{leaving:?}");
            newest.for_each(|name| assert!(objects.get(&name, 1 << 20).unwrap().is_some(), "{leaving:?}: {name:?}"));
        }
    }
}
