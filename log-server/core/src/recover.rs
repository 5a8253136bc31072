//! From what is on the disk to a writer that can go on, or to a refusal.
//!
//! The signed head in the lock decides. Every entry is read back and hashed, and the tree that comes out must have the
//! root that was signed; tiles, index entries and the published checkpoint must agree with it.
//!
//! | found | done |
//! |---|---|
//! | nothing at all | a new log |
//! | staged batches that lead to the signed head | their tiles and manifests are put again: the power went before they were durable |
//! | any other staged batch | discarded: it was never signed, or is durable elsewhere |
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
use crate::newest_releases::NewestReleases;
use crate::quota::{self, Logged, Past};
use crate::replay::{Parsed, ReplayError, replay};
use crate::staged_batch::StagedBatches;
use crate::staged_recovery::{StagedRecoveryError, discard, finish, finish_checkpoint};
use crate::tiles::{StoreError, TileStore, Times};
use crate::tree::{Object, Tree};
use std::collections::VecDeque;
use std::sync::Arc;
use stele_explain::{Exit, Explain};
use stele_spec::checkpoint::CheckpointError;
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::index::{Index, IndexError, Listing, Pointer};
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::registration::Registry;
use stele_spec::tile::{Resource, TilePath};

/// Everything that a log knows of itself.
#[derive(Debug)]
pub struct Recovered {
    /// The right edge at the signed size.
    pub tree: Tree,
    /// The index at the signed size; the last batch is staged in it unless its head is published.
    pub index: Index,
    /// The last entry of the signed tree.
    pub last: Option<IndexEntry>,
    /// Names and coordinates.
    pub registry: Registry,
    /// The newest releases.
    pub newest: NewestReleases,
    /// The newest signed head.
    pub signed: Option<Arc<SignedCheckpoint>>,
    /// The newest published head, if it still satisfies the policy.
    pub published: Option<TrustedCheckpoint>,
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
    /// Entries cannot be read back, or one does not fit.
    #[error(transparent)]
    Replay(#[from] ReplayError<ReplayMismatch>),
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
    /// The entries lead to another root.
    #[error("the entries of the tree of {size} lead to root {found}; {what} says {expected}")]
    Root {
        /// Which tree.
        size: u64,
        /// Which head says otherwise.
        what: &'static str,
        /// Its root.
        expected: RootHash,
        /// The root of the entries.
        found: RootHash,
    },
    /// The last entry is none of the index.
    #[error("the signed tree does not end with an index entry")]
    NoIndexEntry,
    /// A tile holds other bytes than its entries give.
    #[error("{path} holds other bytes than the entries give")]
    Tile {
        /// Which.
        path: TilePath,
    },
}

/// Why an entry does not fit where it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplayMismatch {
    /// The index does not take it.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It states another index than that of the entries before it.
    #[error("the index entry at {position} does not state the index of the entries before it")]
    IndexEntry {
        /// Where.
        position: u64,
    },
    /// A tile differs.
    #[error("{path} holds other bytes than the entries give")]
    Tile {
        /// Which.
        path: TilePath,
    },
    /// A tile cannot be read or put back.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RecoverError {
    /// The storage's own failure, where it is one: then nothing is known to be damaged.
    fn machine(&self) -> Option<&dyn Explain> {
        match self {
            Self::HeadStore(error) => Some(error),
            Self::Staged(error) => error.machine(),
            Self::Objects(error)
            | Self::Replay(
                ReplayError::Store(StoreError::Objects(error))
                | ReplayError::Taker(ReplayMismatch::Store(StoreError::Objects(error))),
            ) => Some(error),
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
            Self::Replay(_) => "entries-damaged",
            Self::HeadLost => "signed-head-lost",
            Self::Head(_) => "signed-head-refused",
            Self::Checkpoint(_) => "checkpoint-refused",
            Self::Restored { .. } => "backup-restored",
            Self::Root { .. } => "root-differs",
            Self::NoIndexEntry => "index-entry-missing",
            Self::Tile { .. } => "tile-differs",
        }
    }

    fn hint(&self) -> Option<String> {
        if let Some(error) = self.machine() {
            return error.hint();
        }
        let hint = match self {
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

/// Reads everything back.
///
/// `now` is in Unix seconds.
pub fn recover(
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
        if public.is_some() || store.has_tiles()? {
            return Err(RecoverError::HeadLost);
        }
        discard(staging)?;
        return Ok(Recovered::nothing());
    };
    if let Some(public) = &public
        && public.checkpoint.size() > signed.checkpoint.size()
    {
        let (signed, published) = (signed.checkpoint.size(), public.checkpoint.size());
        return Err(RecoverError::Restored { signed, published });
    }
    let (size, root) = (signed.checkpoint.size(), signed.checkpoint.root());
    let finished = finish(staging, store, size, root)?;

    let published = note.and_then(|note| {
        let trusted = TrustedCheckpoint::parse(&note, policy);
        trusted.inspect_err(|error| tracing::warn!(%error, "the published checkpoint")).ok()
    });

    let mut state = Replayed {
        size,
        public_size: public.as_ref().map_or(0, |head| head.checkpoint.size()),
        // Without a head to serve, the lookups are made from the entries, not from memory.
        records_from: published.as_ref().map_or(u64::MAX, TrustedCheckpoint::size),
        times: store.logged_within(quota::DAY, size, now),
        ..Replayed::default()
    };
    replay(store, size, |position, bytes, parsed| state.take(store, position, bytes, parsed))?;
    state.flush().map_err(ReplayError::Taker)?;

    if state.tree.root() != root {
        return Err(RecoverError::Root {
            size,
            what: "the signed tree head",
            expected: root,
            found: state.tree.root(),
        });
    }
    let public_size = state.public_size;
    if let (Some(public), Some(found)) = (&public, state.public_root)
        && public.checkpoint.root() != found
    {
        let expected = public.checkpoint.root();
        return Err(RecoverError::Root { size: public_size, what: "the published checkpoint", expected, found });
    }
    let Some(last) = state.last.filter(|last| last.position + 1 == size) else {
        return Err(RecoverError::NoIndexEntry);
    };
    for object in state.tree.partials() {
        match settle(store, &object) {
            Ok(()) => {}
            Err(ReplayMismatch::Tile { path }) => return Err(RecoverError::Tile { path }),
            Err(error) => return Err(ReplayError::Taker(error).into()),
        }
    }
    let bundles = (0..size / 256).map(|index| TilePath::full(Resource::Entries, index));
    let tiles = (0..8_u8).flat_map(|level| {
        let tiles = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        (0..tiles).map(move |index| TilePath::full(Resource::Level(level), index))
    });
    let superseded = bundles.chain(tiles).filter(|path| store.has_partials(*path)).collect();
    if finished > 0 {
        tracing::info!(size, batches = finished, "put again what was signed and perhaps not durable");
    }
    Ok(Recovered {
        tree: state.tree,
        index: state.index,
        last: Some(last),
        registry: state.registry,
        newest: state.newest,
        signed: Some(Arc::new(signed)),
        published,
        unpublished: state.unpublished,
        manifests: state.manifests,
        lost_manifests: state.lost_manifests,
        past: state.past,
        superseded,
    })
}

impl Recovered {
    fn nothing() -> Self {
        Self {
            tree: Tree::new(),
            index: Index::new(),
            last: None,
            registry: Registry::default(),
            newest: NewestReleases::default(),
            signed: None,
            published: None,
            unpublished: Vec::new(),
            manifests: Vec::new(),
            lost_manifests: Vec::new(),
            past: Past::default(),
            superseded: VecDeque::new(),
        }
    }
}

/// A full or final tile must be on the disk as the entries give it; a missing one is put back.
fn settle(store: &TileStore, object: &Object) -> Result<(), ReplayMismatch> {
    match store.read(object.path)? {
        Some(found) if found == object.bytes => Ok(()),
        Some(_) => Err(ReplayMismatch::Tile { path: object.path }),
        None => {
            tracing::warn!(path = %object.path, "putting back a missing tile");
            store.put(std::slice::from_ref(object)).map_err(StoreError::Objects)?;
            Ok(())
        }
    }
}

#[derive(Default)]
struct Replayed {
    tree: Tree,
    index: Index,
    last: Option<IndexEntry>,
    registry: Registry,
    newest: NewestReleases,
    listings: Vec<Listing>,
    size: u64,
    public_size: u64,
    public_root: Option<RootHash>,
    /// From where on records are kept.
    records_from: u64,
    unpublished: Vec<LookupRow>,
    manifests: Vec<Digest>,
    lost_manifests: Vec<Digest>,
    times: Times,
    past: Past,
}

impl Replayed {
    fn take(&mut self, store: &TileStore, position: u64, bytes: &[u8], parsed: Parsed) -> Result<(), ReplayMismatch> {
        let mut full = Vec::new();
        self.tree.push(bytes, parsed.leaf, &mut full);
        for object in &full {
            settle(store, object)?;
        }
        if self.tree.size() == self.public_size {
            self.public_root = Some(self.tree.root());
        }
        if let Entry::Index(entry) = &parsed.entry {
            // Readers are shown the published tree, so what is not published yet is only staged.
            let staged = position + 1 == self.size && self.public_size < self.size;
            if staged {
                self.index.stage(&std::mem::take(&mut self.listings))?;
            } else {
                self.flush()?;
            }
            if *entry != self.index.entry() {
                return Err(ReplayMismatch::IndexEntry { position });
            }
            self.last = Some(*entry);
            if !staged {
                self.index.replay(&[Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys)])?;
            }
            return Ok(());
        }
        self.listings.push(Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys));
        if let Entry::Statement(signed) = &parsed.entry {
            self.registry.apply(position, parsed.leaf, signed.statement());
            self.newest.take(position, signed.statement());
            let mut manifest = 0;
            if let Some(digest) = signed.statement().manifest_digest() {
                self.manifests.push(digest);
                match store.length_of_manifest(&digest).map_err(StoreError::Objects)? {
                    Some(length) => manifest = length,
                    None => self.lost_manifests.push(digest),
                }
            }
            match self.times.age(position) {
                Some(age) => self.past.last_day.push(Logged::of(age, signed, manifest)),
                None if quota::is_claim(signed) => drop(self.past.claimers.insert(signed.kid())),
                None => {}
            }
            if position >= self.records_from {
                let files = store.file_digests(signed.statement());
                self.unpublished.push(LookupRow::of(position, signed.statement(), files));
            }
        }
        Ok(())
    }

    /// Gives the index what has come since the last index entry.
    fn flush(&mut self) -> Result<(), ReplayMismatch> {
        let listings = std::mem::take(&mut self.listings);
        if !listings.is_empty() {
            self.index.replay(&listings)?;
        }
        Ok(())
    }
}
