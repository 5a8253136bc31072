//! Bringing the copy of a log to a checkpoint: entry by entry, each known to be of its tree before it is written.
//!
//! Bundles are read from the log and checked under the checkpoint; tiles are not copied but computed from the entries. Files are put
//! durably, then counted in `copied`, and only when all are there the caller may sign. Killed at any point, the next run goes on from
//! the count: what was written and not counted is the same bytes again. At most [`AT_ONCE`] bytes and one bundle are held.

use stele_durable::DurableError;
use stele_fetch::http_client::HttpError;
use stele_fetch::static_files::SourceError;
use stele_fetch::timed_files::{TimedError, TimedFiles};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::entry::Entry;
use stele_spec::frozen::{FILE, Frozen};
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::MAX_NOTE;
use stele_spec::tile::{TILE_WIDTH, TileError};
use stele_spec::tiledlog::{Chunk, FilesFn, Growth, TiledLog, TiledLogError};
use stele_witness_core::trusted_log::TrustedLog;

use crate::store::Store;

/// The bytes that are gathered before they are written together.
pub const AT_ONCE: usize = 8 << 20;

/// The most manifests that are asked for again in one round.
const ASKED_AGAIN: usize = 64;

/// Why a copy did not get so far.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// What the log serves cannot be had, or is not of the checkpoint's tree.
    #[error("the log: {0}")]
    Log(#[from] TiledLogError<TimedError>),
    /// This machine failed, or other bytes are in the place of a file.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A manifest cannot be had now.
    #[error("a manifest: {0}")]
    Manifest(TimedError),
    /// A bundle that cannot be written: a bug of ours.
    #[error(transparent)]
    Bundle(#[from] TileError),
}

/// Copies what is missing of the tree of `checkpoint`. When it returns `Ok`, all of it is on the disk.
pub fn copy(store: &Store, checkpoint: &Checkpoint, files: &TimedFiles) -> Result<(), CopyError> {
    let log = TiledLog::open(FilesFn(|path: &str, limit: u64| files.read(path, limit)), checkpoint.clone())?;
    let mut growth = Growth::after(store.copied()?.min(log.size()), &log)?;
    for chunk in log.entries(growth.size()) {
        let chunk = chunk?;
        keep_manifests(store, &chunk, files)?;
        growth.bundle(&chunk.entries, &chunk.leaves)?;
        if growth.untaken() >= AT_ONCE {
            let whole = growth.size() / u64::from(TILE_WIDTH) * u64::from(TILE_WIDTH);
            store.put(growth.take())?;
            store.count(whole)?;
        }
    }
    store.put(growth.take().into_iter().chain(growth.edge()))?;
    store.count(growth.size())?;
    ask_again(store, files)
}

/// Keeps what the log says of its end, for ever: beside a larger tree it shows that the log did not keep to its word. What the log has not signed is
/// as if it said nothing: the copy of the tree does not rest on it.
pub(crate) fn keep_end(store: &Store, log: &TrustedLog, files: &TimedFiles) -> Result<(), CopyError> {
    let note = match files.read(FILE, MAX_NOTE as u64) {
        Ok(Some(note)) => note,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::debug!(origin = %log.origin(), %error, "whether the log has ended cannot be read");
            return Ok(());
        }
    };
    let said = log.keys().iter().find_map(|key| Frozen::verify(&note, key).ok());
    if said.is_some_and(|said| said.origin() == log.origin()) {
        store.keep_end(&note)?;
    }
    Ok(())
}

/// The manifests that entries name, where they are statements of Stele: what a log of another kind has is none.
fn keep_manifests(store: &Store, chunk: &Chunk, files: &TimedFiles) -> Result<(), CopyError> {
    for entry in &chunk.entries {
        let Ok(Entry::Statement(signed)) = Entry::parse(entry) else { continue };
        let Some(digest) = signed.statement().manifest_digest() else { continue };
        if !store.has_manifest(digest)? && !keep_manifest(store, digest, files)? {
            tracing::warn!(%digest, "the log does not have a manifest that an entry names");
            store.miss_manifest(digest)?;
        }
    }
    Ok(())
}

/// Whether the log has it.
fn keep_manifest(store: &Store, digest: Digest, files: &TimedFiles) -> Result<bool, CopyError> {
    match files.read(&format!("manifests/{digest}"), MAX_MANIFEST as u64) {
        Ok(Some(bytes)) if Digest::of(&bytes) == digest => {
            store.keep_manifest(digest, &bytes)?;
            Ok(true)
        }
        // Not there, not this one, or not of a size or an encoding that a manifest has.
        Ok(_)
        | Err(TimedError::Source(
            SourceError::TooLarge { .. }
            | SourceError::Status { .. }
            | SourceError::Http(HttpError::TooLarge { .. } | HttpError::Encoding { .. }),
        )) => Ok(false),
        Err(error) => Err(CopyError::Manifest(error)),
    }
}

/// A manifest is not part of the tree: without one the copy of the tree is whole.
fn ask_again(store: &Store, files: &TimedFiles) -> Result<(), CopyError> {
    for digest in store.missing_manifests()?.into_iter().take(ASKED_AGAIN) {
        keep_manifest(store, digest, files)?;
    }
    Ok(())
}
