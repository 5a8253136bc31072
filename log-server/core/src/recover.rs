//! From what is stored to a writer that can go on, or to a refusal.
//!
//! The signed head in the lock decides. Every entry is read back and hashed, and the tree that comes out must have the
//! root that was signed; tiles, index entries and the published checkpoint must agree with it. A standby has read most of it before it takes over.
//!
//! | found | done |
//! |---|---|
//! | nothing at all | a new log |
//! | staged batches that lead to the signed head | their tiles and manifests are put again: the power went before they were durable |
//! | any other staged batch | discarded: it was never signed, or is durable elsewhere. Where another run may come, one of a larger tree stays |
//! | a staged checkpoint that is newer than the public one | published again: the power went before the public one was durable |
//! | a tile that is missing and follows from the entries | put back |
//! | the manifest of a logged release missing | said: nothing else rests on it |
//! | a published checkpoint beyond the signed head, or tiles and no signed head | refused: a restored backup |
//! | any other disagreement | refused |

use crate::checkpoint::SignedCheckpoint;
use crate::contract::head_store::{HeadError, HeadStore};
use crate::contract::lookup::LookupRow;
use crate::contract::objects::ObjectError;
use crate::log_keys::LogKeys;
use crate::quota::Past;
use crate::replica::{Fed, FeedError, LastBatch, Replica, Views};
use crate::staged_batch::StagedBatches;
use crate::staged_recovery::{Discard, StagedRecoveryError, discard, finish, finish_checkpoint};
use crate::tiles::TileStore;
use crate::tree::Tree;
use std::collections::VecDeque;
use std::sync::Arc;
use stele_explain::{Exit, Explain};
use stele_spec::checkpoint::CheckpointError;
use stele_spec::entry::IndexEntry;
use stele_spec::hash::Digest;
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tile::TilePath;

/// Everything that a log knows of itself.
#[derive(Debug)]
pub struct Recovered {
    /// What readers ask, at the signed size; the last batch is staged in the index unless its head is published.
    pub views: Views,
    /// The right edge at the signed size.
    pub tree: Tree,
    /// The last entry of the signed tree.
    pub last: Option<IndexEntry>,
    /// The newest signed head.
    pub signed: Option<Arc<SignedCheckpoint>>,
    /// The newest published head, if it still satisfies the policy.
    pub published: Option<TrustedCheckpoint>,
    /// What was read now and is published; nothing where a start reads everything, since its lookups are made from the entries.
    pub published_rows: Vec<LookupRow>,
    /// What is signed and not published; nothing where no checkpoint is published that satisfies the policy.
    pub unpublished: Vec<LookupRow>,
    /// The manifests that logged releases name.
    pub manifests: Vec<Digest>,
    /// Those of them that are not there, or have a length that no manifest has.
    pub lost_manifests: Vec<Digest>,
    /// What counts for quotas.
    pub past: Past,
    /// Full tiles with partial ones beside them.
    pub superseded: VecDeque<TilePath>,
}

/// Why the log does not start.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The storage of objects failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The newest signed head cannot be loaded.
    #[error(transparent)]
    HeadStore(#[from] HeadError),
    /// The batches on the way to the signed head cannot be put again.
    #[error(transparent)]
    Staged(#[from] StagedRecoveryError),
    /// The entries do not lead to the signed head.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// There are tiles or a checkpoint, and the lock holds no signed head.
    #[error("there is a published log here, and no signed tree head in lock/signed-head")]
    HeadLost,
    /// The signed head is not this key's.
    #[error("lock/signed-head: {0}")]
    Head(CheckpointError),
    /// The published checkpoint is not this key's.
    #[error("public/checkpoint: {0}")]
    Checkpoint(CheckpointError),
    /// More was published than the lock knows.
    #[error(
        "the published tree has {published} entries, the signed tree head in the lock {signed}: it is older than what it signed"
    )]
    Restored {
        /// The size in the lock.
        signed: u64,
        /// The size that is public.
        published: u64,
    },
}

impl RecoverError {
    /// The storage's own failure, where it is one: then nothing is known to be damaged.
    fn machine(&self) -> Option<&dyn Explain> {
        match self {
            Self::HeadStore(error) => Some(error),
            Self::Staged(error) => error.machine(),
            Self::Objects(error) => Some(error),
            Self::Feed(error) => error.machine(),
            _ => None,
        }
    }
}

impl Explain for RecoverError {
    fn exit(&self) -> Exit {
        self.machine().map_or(Exit::Inconsistent, Explain::exit)
    }

    fn code(&self) -> &'static str {
        if let Some(error) = self.machine() {
            return error.code();
        }
        match self {
            Self::Objects(error) => error.code(),
            Self::HeadStore(error) => error.code(),
            Self::Staged(error) => error.code(),
            Self::Feed(error) => error.code(),
            Self::HeadLost => "signed-head-lost",
            Self::Head(_) => "signed-head-refused",
            Self::Checkpoint(_) => "checkpoint-refused",
            Self::Restored { .. } => "backup-restored",
        }
    }

    fn hint(&self) -> Option<String> {
        if let Some(error) = self.machine() {
            return error.hint();
        }
        let hint = match self {
            Self::Feed(error) => return error.hint(),
            Self::HeadLost | Self::Restored { .. } => {
                "going on could sign a second history; bring the data up to date from a copy of the public files (the web \
                 server's, a mirror's): `stele-log adopt DIR --from FOLDER-OR-URL`, which asks the witnesses first"
            }
            Self::Head(_) | Self::Checkpoint(_) => {
                "are `key` and `second_key` in log.toml those of this log? A key that was added signs its first head beside the other one"
            }
            _ => {
                "the files were changed or damaged: move `data/public` away and bring it back from a copy: `stele-log adopt DIR \
                 --from FOLDER-OR-URL`; never restore `data/lock`; any web server can serve readers from the copy meanwhile"
            }
        };
        Some(hint.into())
    }
}

/// Reads back what the replica has not read yet, and finishes what was begun.
///
/// `now` is in Unix seconds.
pub fn recover(
    mut replica: Replica,
    heads: &dyn HeadStore,
    staging: &StagedBatches,
    store: &TileStore,
    keys: &LogKeys,
    policy: &Policy,
    now: u64,
) -> Result<Recovered, RecoverError> {
    let signed =
        heads.load()?.map(|note| SignedCheckpoint::read(&note, keys)).transpose().map_err(RecoverError::Head)?;
    finish_checkpoint(staging, store, keys)?;
    let note = store.checkpoint()?;
    let public =
        note.as_deref().map(|note| SignedCheckpoint::read(note, keys)).transpose().map_err(RecoverError::Checkpoint)?;
    let Some(signed) = signed else {
        if public.is_some() || store.has_tiles()? || replica.size() > 0 {
            return Err(RecoverError::HeadLost);
        }
        discard(staging, if heads.excludes_others() { Discard::All } else { Discard::UpTo(0) })?;
        return Ok(Recovered::of(replica.finish(store, now), None, None));
    };
    let (size, root) = (signed.checkpoint.size(), signed.checkpoint.root());
    let public_size = public.as_ref().map_or(0, |head| head.checkpoint.size());
    if public_size.max(replica.size()) > size {
        return Err(RecoverError::Restored { signed: size, published: public_size.max(replica.size()) });
    }
    let discarded = if heads.excludes_others() { Discard::All } else { Discard::UpTo(size) };
    let finished = finish(staging, store, replica.tree(), (size, root), discarded)?;

    let published = note.and_then(|note| {
        let trusted = TrustedCheckpoint::parse(&note, policy);
        trusted.inspect_err(|error| tracing::warn!(%error, "the published checkpoint")).ok()
    });
    if let Some(public) = &public {
        let (found, had) = (public.checkpoint.size(), replica.size());
        if found < had {
            return Err(FeedError::Older { what: "the published checkpoint", found, had }.into());
        }
        replica.note_root_at(found);
    }
    if !replica.keeps_rows() {
        // Without a head to serve, the lookups are made from the entries, not from memory.
        replica.keep_rows_from(published.as_ref().map_or(u64::MAX, TrustedCheckpoint::size));
    }
    let last = if public_size < size { LastBatch::Staged } else { LastBatch::Settled };
    replica.feed(store, &signed.checkpoint, "the signed tree head", last, now)?;
    if let (Some(public), Some(found)) = (&public, replica.noted_root())
        && public.checkpoint.root() != found
    {
        let (size, expected) = (public.checkpoint.size(), public.checkpoint.root());
        return Err(FeedError::Root { size, what: "the published checkpoint", expected, found }.into());
    }
    replica.put_missing(store)?;
    if finished > 0 {
        tracing::info!(size, batches = finished, "put again what was signed and perhaps not durable");
    }
    Ok(Recovered::of(replica.finish(store, now), Some(Arc::new(signed)), published))
}

impl Recovered {
    fn of(fed: Fed, signed: Option<Arc<SignedCheckpoint>>, published: Option<TrustedCheckpoint>) -> Self {
        let Fed { views, tree, last, rows, manifests, lost_manifests, past, superseded } = fed;
        let size = published.as_ref().map_or(0, TrustedCheckpoint::size);
        let (published_rows, unpublished) = rows.into_iter().partition(|row| row.position < size);
        Self {
            views,
            tree,
            last,
            signed,
            published,
            published_rows,
            unpublished,
            manifests,
            lost_manifests,
            past,
            superseded,
        }
    }
}
