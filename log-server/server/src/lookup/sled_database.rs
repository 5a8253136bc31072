//! The lookups in sled: package URLs and parents, a few keys a release.
//!
//! sled 0.34 does not sync what it flushes, and may not open after a power cut; so each flush is followed by a sync of the file system, it is
//! opened with a check of its head against the log, and on any error, a panic included, it is set aside and rebuilt.

use super::database::{Database, Head, LookupError, Row, of_bytes, of_io, to_bytes};
use super::keys::Changes;
use std::time::{Duration, Instant};
use stele_durable::Dir;

/// The database's folder below the data folder.
pub(super) const FOLDER: &str = "lookup.sled";

/// Where the head is. Its number is that of the keys: a database with another one is made again.
const HEAD: &[u8] = b"head.7";

/// sled's cache, in bytes. What is not flushed is kept beside it.
const CACHE: u64 = 8 << 20;

/// How long a database of this process may take to close before another is opened. Other processes are kept out by the
/// log's own lock.
const CLOSING: Duration = Duration::from_secs(5);

/// The database.
#[derive(Debug)]
pub(super) struct SledDatabase {
    data: Dir,
    db: sled::Db,
}

impl SledDatabase {
    /// Opens the database, or makes it.
    pub(super) fn open(data: &Dir) -> Result<Self, LookupError> {
        let db = open(data)?;
        if db.get(HEAD).map_err(failed)?.is_none() && !db.is_empty() {
            return Err(LookupError::Earlier);
        }
        Ok(Self { data: data.clone(), db })
    }
}

/// sled gives its lock back a little after the database was dropped: what is closing is not broken.
fn open(data: &Dir) -> Result<sled::Db, LookupError> {
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

impl Database for SledDatabase {
    fn head(&self) -> Result<Option<Head>, LookupError> {
        self.db.get(HEAD).map_err(failed)?.map(|bytes| of_bytes(&bytes)).transpose()
    }

    fn write(&self, changes: &Changes, head: Option<Head>) -> Result<(), LookupError> {
        let mut batch = sled::Batch::default();
        changes.set.iter().for_each(|(key, value)| batch.insert(key.as_slice(), value.as_slice()));
        changes.removed.iter().for_each(|key| batch.remove(key.as_slice()));
        if let Some(head) = &head {
            batch.insert(HEAD, to_bytes(head));
        }
        self.db.apply_batch(batch).map_err(failed)
    }

    fn range(&self, from: &[u8], to: &[u8], most: usize) -> Result<Vec<Row>, LookupError> {
        let found = self.db.range(from..=to).take(most);
        found.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(failed)).collect()
    }

    fn sync(&self) -> Result<(), LookupError> {
        self.db.flush().map_err(failed)?;
        Ok(self.data.sync_filesystem()?)
    }
}

fn failed(error: sled::Error) -> LookupError {
    match error {
        sled::Error::Io(error) => of_io(&error),
        error => LookupError::Database(error.to_string()),
    }
}
