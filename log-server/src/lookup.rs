//! Where is it? A derived database from leaf hash, coordinate, publisher, weights digest, file and parent to positions.
//!
//! Nothing that is decided rests on it: it can be deleted at any time and is made again from the entries. sled 0.34 does not
//! sync what it flushes, and may not open after a power cut; so each flush is followed by a sync of the file system, it is
//! opened with a check of its head against the log, and on any error, a panic included, it is set aside and rebuilt.
//!
//! Keys: one letter (`l` leaf, `c` coordinate, `p` publisher, `k` its key statements, `d` digest, `f` a file by SHA-256, `g` by
//! git's blob id, `u` package URL, `a` releases made of a coordinate), the subject, a zero byte, the position as a
//! big-endian u64. Names and hex hold no zero byte, so a prefix is exactly one subject. `head.3` holds the size
//! and root of the log up to which everything is there; it changes in the same atomic batch. Its number is that of these keys:
//! a database with another one is made again.

use crate::file_names::FileNames;
use crate::replay::parse_entries;
use crate::store::{Store, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use stele_host::durable::{Dir, DurableError};
use stele_spec::entry::Entry;
use stele_spec::hash::{LeafHash, RootHash};
use stele_spec::merkle::root_at;
use stele_spec::statement::{Kind, Parent, Statement};
use stele_spec::tile::{TILE_WIDTH, TileNodes};

/// The database's folder below the data folder.
pub const FOLDER: &str = "lookup.sled";

/// The most positions in one answer.
pub const MAX_POSITIONS: usize = 1000;

/// How often what is new is flushed and synced.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Where the size and the root are.
const HEAD: &[u8] = b"head.3";

/// sled's cache, in bytes.
const CACHE: u64 = 32 << 20;

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

/// The database. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Lookup(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    data: Dir,
    db: RwLock<Option<sled::Db>>,
    dirty: AtomicBool,
}

/// Why nothing can be looked up.
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

impl Lookup {
    /// Opens the database and brings it to the log's size; makes it anew when it is not that log's, or broken.
    pub fn open(data: &Dir, store: &Store, size: u64, root: RootHash) -> Self {
        let opened = guarded(|| attempt(data, store, size, root));
        let db = match opened {
            Ok(db) => Some(db),
            Err(error) => {
                tracing::warn!(%error, "the lookup database is set aside and rebuilt");
                let rebuilt = set_aside(data).and_then(|()| guarded(|| attempt(data, store, size, root)));
                // A log without lookups still logs and serves.
                rebuilt.inspect_err(|error| tracing::error!(%error, "there are no lookups in this run")).ok()
            }
        };
        let inner = Arc::new(Inner { data: data.clone(), db: RwLock::new(db), dirty: AtomicBool::new(true) });
        let weak = Arc::downgrade(&inner);
        let flusher = std::thread::Builder::new().name("lookup flush".into()).spawn(move || {
            loop {
                // Not held while asleep: the database closes with its last user.
                std::thread::sleep(FLUSH_EVERY);
                let Some(inner) = weak.upgrade() else { return };
                inner.flush();
            }
        });
        if let Err(error) = flusher {
            tracing::warn!(%error, "the lookup database is flushed at the end only");
        }
        Self(inner)
    }

    /// Adds what was published.
    pub fn extend(&self, records: &[Record], size: u64, root: RootHash) {
        self.0.with(|db| insert(db, records, size, root));
        self.0.dirty.store(true, Ordering::Relaxed);
    }

    /// The positions of what is asked for, ascending, from `from` on; at most [`MAX_POSITIONS`].
    pub fn positions(&self, by: By<'_>, from: u64) -> Result<Vec<u64>, LookupError> {
        let (start, end) = (key(by, from), key(by, u64::MAX));
        let found = self.0.with(|db| {
            db.range(start..=end)
                .take(MAX_POSITIONS)
                .map(|item| item.map_err(failed).and_then(|(key, _)| position_of(&key)))
                .collect::<Result<Vec<u64>, LookupError>>()
        });
        found.ok_or_else(|| LookupError::Database("not open".into()))
    }

    /// Whether it answers.
    pub fn is_open(&self) -> bool {
        self.0.db.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Flushes and syncs.
    pub fn flush(&self) {
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

    fn flush(&self) {
        if self.dirty.swap(false, Ordering::Relaxed) {
            self.with(|db| db.flush().map_err(failed));
            if let Err(error) = self.data.sync_filesystem() {
                tracing::warn!(%error, "cannot sync the lookup database");
            }
        }
    }
}

fn attempt(data: &Dir, store: &Store, size: u64, root: RootHash) -> Result<sled::Db, LookupError> {
    let config = sled::Config::new().path(data.path_of(FOLDER)).cache_capacity(CACHE).flush_every_ms(None);
    let db = config.open().map_err(failed)?;
    let have = head(&db)?;
    let mut at = match have {
        None if db.is_empty() => 0,
        None => return Err(LookupError::Database("it has no head".into())),
        Some((found, _)) if found > size => return Err(LookupError::Database("it is ahead of the log".into())),
        Some((0, _)) => 0,
        Some((found, known)) => {
            let expected = root_at(&TileNodes::new(store, found), found)?;
            if expected != known {
                return Err(LookupError::Database("it is another log's".into()));
            }
            found
        }
    };
    let width = u64::from(TILE_WIDTH);
    while at < size {
        let start = at / width * width;
        let bundle = store.bundle(at / width, size)?;
        let end = start + bundle.len() as u64;
        let mut records = Vec::new();
        for (position, parsed) in (start..).zip(parse_entries(&bundle)) {
            let parsed = parsed.map_err(|error| LookupError::Database(format!("entry {position}: {error}")))?;
            if let (true, Entry::Statement(signed)) = (position >= at, &parsed.entry) {
                let files = FileNames::stored(store, signed.statement());
                records.push(Record::of(position, parsed.leaf, signed.statement(), files));
            }
        }
        // Between two heads of the log the root that goes with a size is computed, so a crash here loses nothing.
        let reached = if end == size { root } else { root_at(&TileNodes::new(store, end), end)? };
        insert(&db, &records, end, reached)?;
        at = end;
    }
    Ok(db)
}

fn insert(db: &sled::Db, records: &[Record], size: u64, root: RootHash) -> Result<(), LookupError> {
    let mut batch = sled::Batch::default();
    for record in records {
        let at = record.position;
        batch.insert(key(By::Leaf(&record.leaf), at), &[]);
        batch.insert(key(By::Publisher(&record.publisher), at), &[]);
        if record.is_key_statement {
            batch.insert(key(By::Keys(&record.publisher), at), &[]);
        }
        for coordinate in &record.coordinates {
            batch.insert(key(By::Coordinate(coordinate), at), &[]);
        }
        if let Some(digest) = &record.digest {
            batch.insert(key(By::Digest(digest), at), &[]);
        }
        record.files.sha256.iter().for_each(|digest| batch.insert(key(By::File(digest), at), &[]));
        record.files.git_sha1.iter().for_each(|id| batch.insert(key(By::GitBlob(id), at), &[]));
        record.purl.iter().for_each(|purl| batch.insert(key(By::Purl(purl), at), &[]));
        record.parents.iter().for_each(|parent| batch.insert(key(By::Parent(parent), at), &[]));
    }
    batch.insert(HEAD, [&size.to_be_bytes()[..], root.as_bytes()].concat());
    db.apply_batch(batch).map_err(failed)
}

fn head(db: &sled::Db) -> Result<Option<(u64, RootHash)>, LookupError> {
    let Some(bytes) = db.get(HEAD).map_err(failed)? else { return Ok(None) };
    let split = bytes.split_first_chunk::<8>();
    let head =
        split.and_then(|(size, root)| Some((u64::from_be_bytes(*size), RootHash::from_bytes(root.try_into().ok()?))));
    head.map(Some).ok_or_else(|| LookupError::Database("its head is damaged".into()))
}

fn key(by: By<'_>, position: u64) -> Vec<u8> {
    let (letter, subject) = match by {
        By::Leaf(leaf) => (b'l', &leaf.as_bytes()[..]),
        By::Coordinate(text) => (b'c', text.as_bytes()),
        By::Publisher(text) => (b'p', text.as_bytes()),
        By::Keys(text) => (b'k', text.as_bytes()),
        By::Digest(text) => (b'd', text.as_bytes()),
        By::File(text) => (b'f', text.as_bytes()),
        By::GitBlob(text) => (b'g', text.as_bytes()),
        By::Purl(text) => (b'u', text.as_bytes()),
        By::Parent(text) => (b'a', text.as_bytes()),
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

/// Keeps one broken database for whoever wants to look at it.
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
