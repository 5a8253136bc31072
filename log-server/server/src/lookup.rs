//! Where is it? A derived database from leaf hash, coordinate, publisher, weights digest, file and parent to positions.
//!
//! Nothing that is decided rests on it: it can be deleted at any time and is made again from the entries, in bounded memory.
//! While much is missing, it is made in the background, and the log goes on without lookups. sled 0.34 does not
//! sync what it flushes, and may not open after a power cut; so each flush is followed by a sync of the file system, it is
//! opened with a check of its head against the log, and on any error, a panic included, it is set aside and rebuilt.
//!
//! Keys: one letter (`l` leaf, `c` coordinate, `p` publisher, `k` its key statements, `d` digest, `f` a file by SHA-256, `g` by
//! git's blob id, `u` package URL, `a` releases made of a coordinate, `m` releases whose manifest could not be read, with no
//! subject), the subject, a zero byte, the position as a big-endian u64. What is `m` is a candidate for every file that is found
//! nowhere else, and is read again until its manifest is back. Names and hex hold no zero byte, so a prefix is exactly one subject. `head.4` holds the size
//! and root of the log up to which everything is there; it changes in the same atomic batch. Its number is that of these keys:
//! a database with another one is made again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use stele_clock::{Clock as _, SystemClock};
use stele_durable::{Dir, DurableError};
use stele_log_core::alarms::Alarms;
use stele_log_core::contract::lookup::{Lookup, LookupKey, LookupRow, LookupUnavailable, MAX_POSITIONS};
use stele_log_core::file_digests::FileDigestIndex;
use stele_log_core::replay::parse_entries;
use stele_log_core::tiles::{StoreError, TileStore};
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::merkle::root_at;
use stele_spec::tile::{TILE_WIDTH, TileNodes};

/// The database's folder below the data folder.
pub const FOLDER: &str = "lookup.sled";

/// How often what is new is flushed and synced.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Where the size and the root are.
const HEAD: &[u8] = b"head.5";

/// sled's cache, in bytes. What is not flushed is kept beside it, so a rebuild flushes as it goes.
const CACHE: u64 = 16 << 20;

/// After so many entries a rebuild flushes: a release takes about 40 kB of sled's memory until then, so 40 MB.
const FLUSH_ENTRIES: u64 = 1024;

/// How long a database of this process may take to close before another is opened. Other processes are kept out by the
/// log's own lock.
const CLOSING: Duration = Duration::from_secs(5);

/// How often releases without a manifest are looked at again.
const SETTLE_EVERY: Duration = Duration::from_secs(30);

/// So many of them at a time.
const SETTLED_AT_ONCE: usize = 256;

/// Up to so many entries are caught up before the log serves; more in the background.
const AT_ONCE: u64 = 4096;

/// The database. Cloning shares it.
#[derive(Clone, Debug)]
pub struct SledLookup(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    data: Dir,
    db: RwLock<Option<sled::Db>>,
    dirty: AtomicBool,
    /// Up to where the lookups must be complete. Held while what is published is added.
    target: Mutex<Target>,
}

/// A published tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    size: u64,
    root: RootHash,
}

/// Why the database cannot be opened, made or read.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The database failed; it is rebuilt at the next start.
    #[error("the lookup database failed: {0}")]
    Database(String),
    /// The files that it is made from cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be synced or set aside.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl SledLookup {
    /// Opens the database and brings it to the log's size; makes it anew when it is not that log's, or broken. Where much is
    /// missing this goes on in the background, and nothing can be looked up until it is done.
    pub fn open(data: &Dir, store: &TileStore, size: u64, root: RootHash) -> Self {
        let target = Target { size, root };
        let inner = Arc::new(Inner {
            data: data.clone(),
            db: RwLock::new(None),
            dirty: AtomicBool::new(true),
            target: Mutex::new(target),
        });
        match guarded(|| attempt(data, store, target)) {
            Ok(opened) if opened.missing(target) <= AT_ONCE => inner.finish(store, opened),
            Ok(opened) => inner.finish_in_the_background(store, opened),
            Err(error) => {
                tracing::warn!(%error, "the lookup database is set aside and rebuilt");
                match set_aside(data).and_then(|()| guarded(|| attempt(data, store, target))) {
                    Ok(opened) if opened.missing(target) <= AT_ONCE => inner.finish(store, opened),
                    Ok(opened) => inner.finish_in_the_background(store, opened),
                    // A log without lookups still logs and serves.
                    Err(error) => tracing::error!(%error, "there are no lookups in this run"),
                }
            }
        }
        let (weak, store) = (Arc::downgrade(&inner), store.clone());
        let flusher = std::thread::Builder::new().name("lookup flush".into()).spawn(move || {
            let (mut next, mut due) = (0, Instant::now());
            loop {
                // Not held while asleep: the database closes with its last user.
                std::thread::sleep(FLUSH_EVERY);
                let Some(inner) = weak.upgrade() else { return };
                if due <= Instant::now() {
                    let settled = inner.settle(&store, &mut next);
                    due = Instant::now() + if settled > 0 { Duration::ZERO } else { SETTLE_EVERY };
                }
                inner.flush();
            }
        });
        if let Err(error) = flusher {
            tracing::warn!(%error, "the lookup database is flushed at the end only");
        }
        Self(inner)
    }
}

impl Lookup for SledLookup {
    fn extend(&self, records: &[LookupRow], size: u64, root: RootHash) {
        let mut target = self.0.target();
        *target = Target { size, root };
        // While it is made in the background, what is published is read from the store like the rest.
        self.0.with(|db| insert(db, records, size, root));
        self.0.dirty.store(true, Ordering::Relaxed);
    }

    fn positions(&self, by: LookupKey<'_>, from: u64) -> Result<Vec<u64>, LookupUnavailable> {
        let found = self.0.with(|db| {
            let found = listed(db, by, from, MAX_POSITIONS)?;
            // Which files a release without a manifest has is not known: who asks is told of it, and decides by what is served.
            match by {
                LookupKey::File(_) | LookupKey::GitBlob(_) if found.is_empty() => {
                    Ok(unread(db, from, MAX_POSITIONS)?.into_iter().map(|(position, _)| position).collect())
                }
                _ => Ok(found),
            }
        });
        found.ok_or_else(|| LookupUnavailable(LookupError::Database("not open".into()).to_string()))
    }

    fn is_open(&self) -> bool {
        self.0.db.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Flushes and syncs.
    fn flush(&self) {
        self.0.flush();
    }
}

impl Inner {
    /// After an error or a panic nothing is asked of the database again.
    fn with<T>(&self, call: impl FnOnce(&sled::Db) -> Result<T, LookupError>) -> Option<T> {
        let outcome = {
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let db = db.as_ref()?;
            guarded(|| call(db))
        };
        outcome
            .inspect_err(|error| {
                tracing::error!(%error, "lookups are off until the next start, which rebuilds them");
                *self.db.write().unwrap_or_else(PoisonError::into_inner) = None;
            })
            .ok()
    }

    fn target(&self) -> MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish_in_the_background(self: &Arc<Self>, store: &TileStore, opened: Opened) {
        let missing = opened.missing(*self.target());
        tracing::info!(missing, "lookups are made in the background; the log goes on without them");
        let (weak, store) = (Arc::downgrade(self), store.clone());
        let started = std::thread::Builder::new().name("lookup rebuild".into()).spawn(move || {
            if let Some(inner) = weak.upgrade() {
                inner.finish(&store, opened);
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "there are no lookups in this run");
        }
    }

    /// Adds what is missing until nothing is, and lets others use the database then.
    fn finish(&self, store: &TileStore, mut opened: Opened) {
        loop {
            let goal = *self.target();
            if let Err(error) = guarded(|| opened.catch_up(store, goal)) {
                tracing::error!(%error, "there are no lookups in this run");
                return;
            }
            // Nothing is published between the comparison and the opening.
            let target = self.target();
            if *target == goal {
                *self.db.write().unwrap_or_else(PoisonError::into_inner) = Some(opened.db);
                self.dirty.store(true, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Reads again what had no manifest, some entries from `next` on; gives how many have one now.
    fn settle(&self, store: &TileStore, next: &mut u64) -> usize {
        let size = self.target().size;
        let settled = self.with(|db| {
            let positions = unread(db, *next, SETTLED_AT_ONCE)?;
            *next = positions.last().filter(|_| positions.len() == SETTLED_AT_ONCE).map_or(0, |(last, _)| last + 1);
            let mut settled = 0;
            for (position, manifest) in positions {
                // Cheaper than to read the entry that names it.
                if manifest.is_some_and(|digest| !is_sound(store, &digest)) {
                    continue;
                }
                let Some(files) = files_now(store, position, size)? else { continue };
                let mut batch = sled::Batch::default();
                insert_files(&mut batch, &files, position);
                batch.remove(unread_key(position));
                db.apply_batch(batch).map_err(failed)?;
                settled += 1;
            }
            Ok(settled)
        });
        let settled = settled.unwrap_or(0);
        self.dirty.fetch_or(settled > 0, Ordering::Relaxed);
        settled
    }

    fn flush(&self) {
        if self.dirty.swap(false, Ordering::Relaxed) {
            self.with(|db| db.flush().map_err(failed));
            if let Err(error) = self.data.sync_filesystem() {
                static FAILED: Alarms = Alarms::new();
                if FAILED.is_due(SystemClock.steady(), "lookup-sync", &error.to_string()) {
                    tracing::warn!(%error, "cannot sync the lookup database");
                }
            }
        }
    }
}

/// A database and up to where it is complete.
#[derive(Debug)]
struct Opened {
    db: sled::Db,
    at: u64,
    /// How often it was flushed while it was made.
    flushes: u64,
}

fn attempt(data: &Dir, store: &TileStore, target: Target) -> Result<Opened, LookupError> {
    let db = open_database(data)?;
    let at = match head(&db)? {
        None if db.is_empty() => 0,
        None => return Err(LookupError::Database("it has no head".into())),
        Some((found, _)) if found > target.size => {
            return Err(LookupError::Database("it is ahead of the log".into()));
        }
        Some((0, _)) => 0,
        Some((found, known)) => {
            if root_within(store, found, target)? != known {
                return Err(LookupError::Database("it is another log's".into()));
            }
            found
        }
    };
    Ok(Opened { db, at, flushes: 0 })
}

/// sled gives its lock back a little after the database was dropped: what is closing is not broken.
fn open_database(data: &Dir) -> Result<sled::Db, LookupError> {
    let config = sled::Config::new().path(data.path_of(FOLDER)).cache_capacity(CACHE).flush_every_ms(None);
    let started = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if error.to_string().contains("could not acquire lock") && started.elapsed() < CLOSING =>
            {
                std::thread::sleep(CLOSING / 50);
            }
            opened => return opened.map_err(failed),
        }
    }
}

/// The root of an older tree, which need not have been a head, from the tiles of a published one: each perfect subtree of the
/// older tree is one of the newer, while the older one's own partial tiles may never have been made.
fn root_within(store: &TileStore, size: u64, target: Target) -> Result<RootHash, StoreError> {
    if size == target.size {
        return Ok(target.root);
    }
    root_at(&TileNodes::new(store, target.size), size)
}

impl Opened {
    fn missing(&self, target: Target) -> u64 {
        target.size.saturating_sub(self.at)
    }

    /// Adds what is missing, bundle by bundle, and flushes as it goes.
    fn catch_up(&mut self, store: &TileStore, target: Target) -> Result<(), LookupError> {
        let width = u64::from(TILE_WIDTH);
        let mut unflushed = 0;
        while self.at < target.size {
            let start = self.at / width * width;
            let bundle = store.bundle(self.at / width, target.size)?;
            let end = start + bundle.len() as u64;
            let mut records = Vec::new();
            for (position, parsed) in (start..).zip(parse_entries(&bundle)) {
                let parsed = parsed.map_err(|error| LookupError::Database(format!("entry {position}: {error}")))?;
                if let (true, Entry::Statement(signed)) = (position >= self.at, &parsed.entry) {
                    let files = store.file_digests(signed.statement());
                    records.push(LookupRow::of(position, parsed.leaf, signed.statement(), files));
                }
            }
            // A crash here loses nothing: the head in the same batch says up to where.
            insert(&self.db, &records, end, root_within(store, end, target)?)?;
            unflushed += end - self.at;
            self.at = end;
            if unflushed >= FLUSH_ENTRIES {
                self.db.flush().map_err(failed)?;
                (unflushed, self.flushes) = (0, self.flushes + 1);
            }
        }
        Ok(())
    }
}

fn insert(db: &sled::Db, records: &[LookupRow], size: u64, root: RootHash) -> Result<(), LookupError> {
    let mut batch = sled::Batch::default();
    for record in records {
        let at = record.position;
        batch.insert(key(LookupKey::Leaf(&record.leaf), at), &[]);
        batch.insert(key(LookupKey::Publisher(&record.publisher), at), &[]);
        if record.is_key_statement {
            batch.insert(key(LookupKey::Keys(&record.publisher), at), &[]);
        }
        for coordinate in &record.coordinates {
            batch.insert(key(LookupKey::Coordinate(coordinate), at), &[]);
        }
        if let Some(digest) = &record.digest {
            batch.insert(key(LookupKey::Digest(digest), at), &[]);
        }
        insert_files(&mut batch, &record.files, at);
        if let Some(purl) = &record.purl {
            batch.insert(key(LookupKey::Purl(purl), at), &[]);
            // Who names no version is answered with every one.
            if let Some((bare, _)) = purl.split_once(['@', '?', '#']) {
                batch.insert(key(LookupKey::Purl(bare), at), &[]);
            }
        }
        record.parents.iter().for_each(|parent| batch.insert(key(LookupKey::Parent(parent), at), &[]));
    }
    batch.insert(HEAD, [&size.to_be_bytes()[..], root.as_bytes()].concat());
    db.apply_batch(batch).map_err(failed)
}

fn insert_files(batch: &mut sled::Batch, files: &FileDigestIndex, at: u64) {
    files.sha256.iter().for_each(|digest| batch.insert(key(LookupKey::File(digest), at), &[]));
    files.git_sha1.iter().for_each(|id| batch.insert(key(LookupKey::GitBlob(id), at), &[]));
    if let Some(manifest) = &files.unread {
        batch.insert(unread_key(at), manifest.as_bytes());
    }
}

/// The files of a release, where its manifest is there now.
fn files_now(store: &TileStore, position: u64, size: u64) -> Result<Option<FileDigestIndex>, LookupError> {
    let width = u64::from(TILE_WIDTH);
    let bundle = store.bundle(position / width, size)?;
    let place = usize::try_from(position % width).unwrap_or(usize::MAX);
    let Some(Ok(parsed)) = parse_entries(&bundle).into_iter().nth(place) else { return Ok(None) };
    let Entry::Statement(signed) = &parsed.entry else { return Ok(None) };
    if !signed.statement().manifest_digest().is_some_and(|digest| is_sound(store, &digest)) {
        return Ok(None);
    }
    Ok(Some(store.file_digests(signed.statement())).filter(|files| files.unread.is_none()))
}

fn is_sound(store: &TileStore, manifest: &Digest) -> bool {
    let bytes = store.manifest(manifest).unwrap_or_default();
    bytes.is_some_and(|bytes| Digest::of(&bytes) == *manifest)
}

fn listed(db: &sled::Db, by: LookupKey<'_>, from: u64, most: usize) -> Result<Vec<u64>, LookupError> {
    positions_in(db, key(by, from)..=key(by, u64::MAX), most)
}

/// The releases whose manifest could not be read, each with its manifest; databases of before name none.
fn unread(db: &sled::Db, from: u64, most: usize) -> Result<Vec<(u64, Option<Digest>)>, LookupError> {
    let found = db.range(unread_key(from)..=unread_key(u64::MAX)).take(most);
    found
        .map(|item| {
            let (key, manifest) = item.map_err(failed)?;
            Ok((position_of(&key)?, <[u8; 32]>::try_from(manifest.as_ref()).ok().map(Digest::from_bytes)))
        })
        .collect()
}

fn positions_in(db: &sled::Db, keys: std::ops::RangeInclusive<Vec<u8>>, most: usize) -> Result<Vec<u64>, LookupError> {
    db.range(keys).take(most).map(|item| item.map_err(failed).and_then(|(key, _)| position_of(&key))).collect()
}

fn unread_key(position: u64) -> Vec<u8> {
    [&b"m\0"[..], &position.to_be_bytes()].concat()
}

fn head(db: &sled::Db) -> Result<Option<(u64, RootHash)>, LookupError> {
    let Some(bytes) = db.get(HEAD).map_err(failed)? else { return Ok(None) };
    let split = bytes.split_first_chunk::<8>();
    let head =
        split.and_then(|(size, root)| Some((u64::from_be_bytes(*size), RootHash::from_bytes(root.try_into().ok()?))));
    head.map(Some).ok_or_else(|| LookupError::Database("its head is damaged".into()))
}

fn key(by: LookupKey<'_>, position: u64) -> Vec<u8> {
    let (letter, subject) = match by {
        LookupKey::Leaf(leaf) => (b'l', &leaf.as_bytes()[..]),
        LookupKey::Coordinate(text) => (b'c', text.as_bytes()),
        LookupKey::Publisher(text) => (b'p', text.as_bytes()),
        LookupKey::Keys(text) => (b'k', text.as_bytes()),
        LookupKey::Digest(text) => (b'd', text.as_bytes()),
        LookupKey::File(text) => (b'f', text.as_bytes()),
        LookupKey::GitBlob(text) => (b'g', text.as_bytes()),
        LookupKey::Purl(text) => (b'u', text.as_bytes()),
        LookupKey::Parent(text) => (b'a', text.as_bytes()),
    };
    [&[letter][..], subject, &[0], &position.to_be_bytes()].concat()
}

fn position_of(key: &[u8]) -> Result<u64, LookupError> {
    let position = key.split_last_chunk::<8>().map(|(_, position)| u64::from_be_bytes(*position));
    position.ok_or_else(|| LookupError::Database("a key is damaged".into()))
}

fn failed(error: sled::Error) -> LookupError {
    LookupError::Database(error.to_string())
}

/// sled panics where it finds what it does not expect.
fn guarded<T>(call: impl FnOnce() -> Result<T, LookupError>) -> Result<T, LookupError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(LookupError::Database("it panicked".into())))
}

/// Keeps one broken database to be looked at.
fn set_aside(data: &Dir) -> Result<(), LookupError> {
    let (broken, aside) = (data.path_of(FOLDER), data.path_of("lookup.sled.broken"));
    let moved = std::fs::remove_dir_all(&aside).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    });
    let moved = moved.and_then(|()| if broken.exists() { std::fs::rename(&broken, &aside) } else { Ok(()) });
    moved.map_err(|error| LookupError::Database(format!("it cannot be set aside: {error}")))
}

#[cfg(test)]
mod tests;
