//! What an audit remembers, on disk: rows of bytes under a tag and a subject, of which a bounded cache is in memory.
//!
//! Everything here follows from the log's own files and can be deleted: the audit then begins anew. Rows change in one
//! transaction for each stretch of entries, so a killed audit goes on after the last stretch.
//!
//! | tag | subject | row |
//! |---|---|---|
//! | `l` | leaf hash | the statement's position |
//! | `h` | publisher | who holds the name |
//! | `p` | publisher | the positions of its key statements |
//! | `b` | coordinate | the release that binds it |
//! | `k` | key id | the key |
//! | `i` | number | a bucket of the index |
//! | `n` | number of a page | inner nodes of the index |
//! | `f` | index key | the frontier of its list |
//! | `R`, `I` | number | what the rules remember of a release, of an incident |
//! | `N`, `W`, `F`, `J` | digest | the number of a release by its name, weights or file; of an incident |
//! | `!` | position, number | a finding |
//! | `m` | word | where the audit is |

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, ReadOnlyTable, ReadableDatabase as _, TableDefinition};
use stele_explain::{Exit, Explain, explain};
use tempfile::TempDir;

const ROWS: TableDefinition<'_, &'static [u8], &'static [u8]> = TableDefinition::new("rows");

/// The database's cache, in bytes: with the pages of the index, what an audit needs beside one stretch of entries.
const CACHE: usize = 32 << 20;

/// The database's file in the folder of an audit.
const FILE: &str = "audit.redb";

/// The length of redb's magic number, with which its files begin.
const MAGIC: u64 = 9;

/// The form of the rows; another one is not read.
const FORM: &[u8] = b"3";

/// The rows of one audit.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    /// Removed after the database is closed.
    _folder: Option<TempDir>,
}

/// The rows as they were at one moment.
pub(crate) struct Snapshot {
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// Rows that are set as well, and being written.
    ahead: Arc<Changes>,
}

/// Rows to be set.
pub(crate) type Changes = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

impl Store {
    /// Opens the rows of a folder, or makes them.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::at(&folder.join(FILE), None)
    }

    /// Rows that are gone when the audit is over.
    pub(crate) fn temporary() -> Result<Self, StoreError> {
        let folder = tempfile::Builder::new().prefix("stele-audit-").tempdir().map_err(StoreError::Folder)?;
        Self::at(&folder.path().join(FILE), Some(folder))
    }

    fn at(path: &Path, folder: Option<TempDir>) -> Result<Self, StoreError> {
        let file = FileBackend::new(file(path)?).map_err(database)?;
        let database = Database::builder().set_cache_size(CACHE).create_with_backend(file).map_err(database)?;
        let store = Self { database, _folder: folder };
        // The table is made by the first write.
        store.write(&Changes::new())?;
        let form = key(b'm', "form");
        match store.snapshot()?.row(&form)? {
            None => store.write(&Changes::from([(form, FORM.to_vec())]))?,
            Some(found) if found == FORM => {}
            Some(_) => return Err(StoreError::Form),
        }
        Ok(store)
    }

    /// The rows as they are now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let reading = self.database.begin_read().map_err(database)?;
        let rows = reading.open_table(ROWS).map_err(database)?;
        Ok(Snapshot { rows, ahead: Arc::default() })
    }

    /// The rows as they will be when these changes are written. All that was written before must be in the store.
    pub(crate) fn ahead(&self, changes: &Arc<Changes>) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { ahead: changes.clone(), ..self.snapshot()? })
    }

    /// Sets rows: all of them or none, durably.
    pub(crate) fn write(&self, changes: &Changes) -> Result<(), StoreError> {
        let writing = self.database.begin_write().map_err(database)?;
        {
            let mut rows = writing.open_table(ROWS).map_err(database)?;
            for (key, row) in changes {
                rows.insert(key.as_slice(), row.as_slice()).map_err(database)?;
            }
        }
        writing.commit().map_err(database)
    }
}

/// The database's file, locked, and made where it is not there.
///
/// redb writes its magic number last, so a file that begins with zeros is of an audit that was killed while it made one: it holds
/// nothing, and is made again. The lock is the one that the database takes: two audits do not do this at once.
fn file(path: &Path) -> Result<File, StoreError> {
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(StoreError::Folder)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => database(redb::Error::DatabaseAlreadyOpen),
        TryLockError::Error(error) => StoreError::Folder(error),
    })?;
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(MAGIC).read_to_end(&mut start).map_err(StoreError::Folder)?;
    if start.iter().all(|byte| *byte == 0) {
        file.set_len(0).map_err(StoreError::Folder)?;
    }
    Ok(file)
}

impl Snapshot {
    /// One row.
    pub(crate) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(row) = self.ahead.get(key) {
            return Ok(Some(row.clone()));
        }
        Ok(self.rows.get(key).map_err(database)?.map(|row| row.value().to_vec()))
    }

    /// One row that is JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.row(key)?.map(|row| serde_json::from_slice(&row).map_err(StoreError::Row)).transpose()
    }

    /// One row that is a number.
    pub(crate) fn number(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(row) = self.row(key)? else { return Ok(None) };
        row.try_into().map(u64::from_be_bytes).map(Some).map_err(|_| StoreError::Damaged)
    }

    /// Every row of a tag, in the order of the subjects; those alone that are written.
    pub(crate) fn all(&self, tag: u8) -> Result<impl Iterator<Item = Result<Vec<u8>, StoreError>> + use<>, StoreError> {
        let (from, to) = ([tag], [tag + 1]);
        let range = self.rows.range::<&[u8]>(from.as_slice()..to.as_slice()).map_err(database)?;
        Ok(range.map(|row| row.map(|(_, row)| row.value().to_vec()).map_err(database)))
    }
}

/// A tag and a subject.
pub(crate) fn key(tag: u8, subject: impl AsRef<[u8]>) -> Vec<u8> {
    [&[tag], subject.as_ref()].concat()
}

/// A row as JSON.
pub(crate) fn to_json(row: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(row).map_err(StoreError::Row)
}

fn database(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Database(Box::new(error.into()))
}

/// Why the rows cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the audit's database failed")]
    Database(#[source] Box<redb::Error>),
    /// A row is not what it should be.
    #[error("the audit's database holds a row that is none")]
    Row(#[source] serde_json::Error),
    /// A row of a wrong length.
    #[error("the audit's database is damaged")]
    Damaged,
    /// Rows of another version of this program.
    #[error("the audit's database is of another version")]
    Form,
    /// No folder or file for it.
    #[error("cannot make a folder or a file for the audit's database")]
    Folder(#[source] std::io::Error),
}

impl Explain for StoreError {
    explain! {
        Self::Database(error) if matches!(**error, redb::Error::DatabaseAlreadyOpen) => Exit::Locked, "audit-running",
            hint: "another audit works in this folder: wait for it";
        _ => Exit::Io, "audit-state-failed",
            hint: "delete audit.redb in the folder: the audit then begins anew, from the files that are there";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_was_not_finished_is_made_again_and_another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let changes = Changes::from([(b"x".to_vec(), b"row".to_vec())]);
        for unfinished in [0, 1, 9, 320, 1 << 20] {
            std::fs::write(&path, vec![0; unfinished]).unwrap();
            Store::open(folder.path()).unwrap().write(&changes).unwrap();
            let again = Store::open(folder.path()).unwrap();
            assert_eq!(again.snapshot().unwrap().row(b"x").unwrap().as_deref(), Some(&b"row"[..]), "{unfinished}");
            assert_eq!(Store::open(folder.path()).unwrap_err().exit(), Exit::Locked);
        }
        std::fs::write(&path, "a text of somebody").unwrap();
        assert_eq!(Store::open(folder.path()).unwrap_err().exit(), Exit::Io);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a text of somebody");
    }
}
