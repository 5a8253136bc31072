//! What follows from a log's entries: the right edge of the tree, the index, names and coordinates, the newest releases, what quotas count. It is fed
//! from a store up to one tree head after another: a start feeds it once, a standby again and again.
//!
//! Feeding reads, and writes nothing. An entry is taken whole or not at all, so after a failure of the storage the next feeding goes on where this one
//! stopped. A tree head is reached when the entries lead to its root, the last of them is the index entry of those before it, and no tile says otherwise.

use crate::contract::lookup::LookupRow;
use crate::contract::objects::ObjectError;
use crate::newest_releases::NewestReleases;
use crate::quota::{self, Past};
use crate::quota_past::DatedPast;
use crate::replay::{Parsed, ReplayError, replay};
use crate::tiles::{StoreError, TileStore, Times};
use crate::tree::{Object, Tree};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use stele_explain::{Exit, Explain};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::index::{Index, IndexError, Listing, Pointer};
use stele_spec::registration::Registry;
use stele_spec::tile::{TILE_WIDTH, TilePath};

/// The most full tiles that are remembered for the partial ones beside them: twice as many as a writer leaves behind.
const SUPERSEDED: usize = 64;

/// Of so many entries at most it is taken that they were logged just now; of more, the times of their bundles are looked at.
const JUST_LOGGED: u64 = TILE_WIDTH as u64;

/// What readers ask of the entries. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// The index; the last batch is staged in it until its head is published.
    pub index: Arc<RwLock<Index>>,
    /// Names and coordinates.
    pub registry: Arc<RwLock<Registry>>,
    /// The newest releases.
    pub newest: Arc<RwLock<NewestReleases>>,
}

/// What follows from the entries so far.
#[derive(Debug, Default)]
pub struct Replica {
    views: Views,
    tree: Tree,
    last: Option<IndexEntry>,
    /// What came since the last index entry.
    listings: Vec<Listing>,
    /// Tiles that became full and were not compared with those of the store yet.
    unchecked: VecDeque<Object>,
    /// Tiles that the store lacks: full ones, and partial ones of the newest head.
    missing: BTreeMap<TilePath, Vec<u8>>,
    /// The newest full tiles.
    full: VecDeque<TilePath>,
    /// The size at which the root is to be noted, and the root once it is known.
    noted: Option<(u64, Option<RootHash>)>,
    /// From where on rows are kept; nowhere at first.
    rows_from: Option<u64>,
    rows: Vec<LookupRow>,
    manifests: Vec<Digest>,
    lost_manifests: Vec<Digest>,
    past: DatedPast,
}

/// What becomes of the last batch in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBatch {
    /// It is settled: its head is published.
    Settled,
    /// It stays staged until its head is published: readers are shown the published tree.
    Staged,
}

/// Why the entries do not lead to a tree head.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Entries cannot be read back, or one does not fit.
    #[error(transparent)]
    Replay(#[from] ReplayError<ReplayMismatch>),
    /// A tree head is older than what was read before.
    #[error("{what} has {found} entries, and {had} were read before: it is older than what was seen of this log")]
    Older {
        /// Which head.
        what: &'static str,
        /// Its size.
        found: u64,
        /// How many entries were read.
        had: u64,
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
    /// A tile cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a replica has come to.
#[derive(Debug)]
pub struct Fed {
    /// What readers ask.
    pub views: Views,
    /// The right edge.
    pub tree: Tree,
    /// The last entry.
    pub last: Option<IndexEntry>,
    /// Rows that were kept and not taken out.
    pub rows: Vec<LookupRow>,
    /// The manifests that logged releases name.
    pub manifests: Vec<Digest>,
    /// Those of them that were not there, or had a length that no manifest has.
    pub lost_manifests: Vec<Digest>,
    /// What counts for quotas.
    pub past: Past,
    /// Full tiles with partial ones beside them, oldest first.
    pub superseded: VecDeque<TilePath>,
}

/// The head that is fed up to.
struct Feeding {
    size: u64,
    last: LastBatch,
    times: Times,
    now: u64,
}

impl FeedError {
    /// The storage's own failure, where it is one: then nothing is known to be damaged, and another try may succeed.
    pub fn machine(&self) -> Option<&dyn Explain> {
        match self {
            Self::Replay(
                ReplayError::Store(StoreError::Objects(error))
                | ReplayError::Taker(ReplayMismatch::Store(StoreError::Objects(error))),
            ) => Some(error),
            _ => None,
        }
    }
}

impl Explain for FeedError {
    fn exit(&self) -> Exit {
        self.machine().map_or(Exit::Inconsistent, Explain::exit)
    }

    fn code(&self) -> &'static str {
        if let Some(error) = self.machine() {
            return error.code();
        }
        match self {
            Self::Replay(_) => "entries-damaged",
            Self::Older { .. } => "backup-restored",
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
            Self::Older { .. } => {
                "somebody put an older copy of the public files back, or the store forgot: find out which before anything is started; what \
                 was read before is in the copies of mirrors and auditors"
            }
            _ => {
                "the files were changed or damaged: move `data/public` away and bring it back from a copy: `stele-log adopt DIR \
                 --from FOLDER-OR-URL`; never restore `data/lock`; any web server can serve readers from the copy meanwhile"
            }
        };
        Some(hint.into())
    }
}

impl Replica {
    /// How many entries were read.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The right edge of what was read.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What readers ask of it.
    pub fn views(&self) -> &Views {
        &self.views
    }

    /// Keeps rows for the lookups of entries from this position on.
    pub fn keep_rows_from(&mut self, position: u64) {
        self.rows_from = Some(position);
    }

    /// Whether it keeps rows.
    pub fn keeps_rows(&self) -> bool {
        self.rows_from.is_some()
    }

    /// Takes out the rows that were kept.
    pub fn take_rows(&mut self) -> Vec<LookupRow> {
        std::mem::take(&mut self.rows)
    }

    /// Notes the root of the first `size` entries on the way.
    pub fn note_root_at(&mut self, size: u64) {
        self.noted = Some((size, (size == self.tree.size()).then(|| self.tree.root())));
    }

    /// The root that was noted.
    pub fn noted_root(&self) -> Option<RootHash> {
        self.noted.and_then(|(_, root)| root)
    }

    /// Feeds the entries up to a tree head, which `what` names. `now` is in Unix seconds.
    pub fn feed(
        &mut self,
        store: &TileStore,
        head: &Checkpoint,
        what: &'static str,
        last: LastBatch,
        now: u64,
    ) -> Result<(), FeedError> {
        let (size, had) = (head.size(), self.tree.size());
        if size < had {
            return Err(FeedError::Older { what, found: size, had });
        }
        self.check_tiles(store).map_err(ReplayError::Taker)?;
        if size > had {
            self.settle_index();
            self.missing.retain(|path, _| path.is_full());
            let times = if size - had <= JUST_LOGGED && had > 0 {
                Times::just_now(had, size)
            } else {
                store.logged_within(quota::DAY, size, now)
            };
            let feeding = Feeding { size, last, times, now };
            replay(store, had, size, |position, bytes, parsed| self.take(store, position, bytes, parsed, &feeding))?;
            self.flush().map_err(ReplayError::Taker)?;
            self.past.forget_before(now);
        }
        let found = self.tree.root();
        if found != head.root() {
            return Err(FeedError::Root { size, what, expected: head.root(), found });
        }
        if self.last.is_none_or(|last| last.position + 1 != size) {
            return Err(FeedError::NoIndexEntry);
        }
        for object in self.tree.partials() {
            match self.compare(store, object) {
                Ok(()) => {}
                Err(ReplayMismatch::Tile { path }) => return Err(FeedError::Tile { path }),
                Err(error) => return Err(ReplayError::Taker(error).into()),
            }
        }
        Ok(())
    }

    /// Puts back the tiles that the store lacks.
    pub fn put_missing(&mut self, store: &TileStore) -> Result<(), ObjectError> {
        while let Some((path, bytes)) = self.missing.first_key_value() {
            tracing::warn!(%path, "putting back a missing tile");
            store.put(&[Object { path: *path, bytes: bytes.clone() }])?;
            self.missing.pop_first();
        }
        Ok(())
    }

    /// What a writer goes on from.
    pub fn finish(self, store: &TileStore, now: u64) -> Fed {
        let Self { views, tree, last, rows, manifests, lost_manifests, past, full, .. } = self;
        let superseded = full.into_iter().filter(|path| store.has_partials(*path)).collect();
        Fed { views, tree, last, rows, manifests, lost_manifests, past: past.at(now), superseded }
    }

    fn index(&self) -> RwLockWriteGuard<'_, Index> {
        self.views.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch that is staged was signed, so it is in the log.
    fn settle_index(&self) {
        let mut index = self.index();
        if index.settled().position() < self.tree.size() {
            // Nothing is staged where feeding stopped within a batch.
            let _ = index.commit();
        }
    }

    fn take(
        &mut self,
        store: &TileStore,
        position: u64,
        bytes: &[u8],
        parsed: Parsed,
        feeding: &Feeding,
    ) -> Result<(), ReplayMismatch> {
        // What asks the storage comes first: once something has changed, no failure is left that another try would mend.
        let manifest = match &parsed.entry {
            Entry::Statement(signed) => signed.statement().manifest_digest(),
            Entry::Index(_) => None,
        };
        let length =
            manifest.map(|digest| store.length_of_manifest(&digest)).transpose().map_err(StoreError::Objects)?;

        let mut full = Vec::new();
        self.tree.push(bytes, parsed.leaf, &mut full);
        if let Some((size, root)) = &mut self.noted
            && *size == self.tree.size()
        {
            *root = Some(self.tree.root());
        }
        for object in full {
            self.full.push_back(object.path);
            self.unchecked.push_back(object);
        }
        self.full.drain(..self.full.len().saturating_sub(SUPERSEDED));
        self.manifests.extend(manifest);
        self.lost_manifests.extend(manifest.filter(|_| length == Some(None)));
        match &parsed.entry {
            Entry::Index(entry) => self.take_index_entry(position, entry, &parsed, feeding)?,
            Entry::Statement(signed) => {
                self.listings.push(Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys));
                let statement = signed.statement();
                let registry = &self.views.registry;
                registry.write().unwrap_or_else(PoisonError::into_inner).apply(position, parsed.leaf, statement);
                self.views.newest.write().unwrap_or_else(PoisonError::into_inner).take(position, statement);
                let age = feeding.times.age(position);
                self.past.take(age, signed, length.flatten().unwrap_or(0), feeding.now);
                if self.rows_from.is_some_and(|from| position >= from) {
                    self.rows.push(LookupRow::of(position, statement, store.file_digests(statement)));
                }
            }
        }
        self.check_tiles(store)
    }

    fn take_index_entry(
        &mut self,
        position: u64,
        entry: &IndexEntry,
        parsed: &Parsed,
        feeding: &Feeding,
    ) -> Result<(), ReplayMismatch> {
        let is_staged = feeding.last == LastBatch::Staged && position + 1 == feeding.size;
        let listings = std::mem::take(&mut self.listings);
        let mut index = self.index();
        if is_staged {
            index.stage_entry(&listings)?;
        } else if !listings.is_empty() {
            index.replay(&listings)?;
        }
        if *entry != index.entry() {
            return Err(ReplayMismatch::IndexEntry { position });
        }
        if !is_staged {
            index.replay(&[Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys.clone())])?;
        }
        drop(index);
        self.last = Some(*entry);
        Ok(())
    }

    /// Gives the index what has come since the last index entry.
    fn flush(&mut self) -> Result<(), ReplayMismatch> {
        let listings = std::mem::take(&mut self.listings);
        if !listings.is_empty() {
            self.index().replay(&listings)?;
        }
        Ok(())
    }

    /// Compares the tiles that became full with those of the store.
    fn check_tiles(&mut self, store: &TileStore) -> Result<(), ReplayMismatch> {
        while let Some(object) = self.unchecked.front() {
            let object = object.clone();
            self.compare(store, object)?;
            self.unchecked.pop_front();
        }
        Ok(())
    }

    /// A tile is in the store as the entries give it, or missing.
    fn compare(&mut self, store: &TileStore, object: Object) -> Result<(), ReplayMismatch> {
        match store.read(object.path)? {
            Some(found) if found == object.bytes => Ok(()),
            Some(_) => Err(ReplayMismatch::Tile { path: object.path }),
            None => {
                self.missing.insert(object.path, object.bytes);
                Ok(())
            }
        }
    }
}
