//! The lookups in redb: publishers and files, of which a release may have thousands.

use super::database::{Database, Head, LookupError, Row, of_bytes, of_io, to_bytes};
use super::keys::Changes;
use redb::{Durability, ReadableDatabase as _, TableDefinition};
use stele_durable::Dir;

/// The database's file below the data folder.
pub(super) const FILE: &str = "lookup.redb";

/// The database's cache, in bytes.
const CACHE: usize = 32 << 20;

const KEYS: TableDefinition<'_, &'static [u8], &'static [u8]> = TableDefinition::new("keys.1");
const HEADS: TableDefinition<'_, &'static str, &'static [u8]> = TableDefinition::new("head.1");

/// The database.
#[derive(Debug)]
pub(super) struct RedbDatabase(redb::Database);

impl RedbDatabase {
    /// Opens the database, or makes it.
    pub(super) fn open(data: &Dir) -> Result<Self, LookupError> {
        let database = redb::Database::builder().set_cache_size(CACHE).create(data.path_of(FILE)).map_err(failed)?;
        let database = Self(database);
        // The tables are made by the first write.
        database.write(&Changes::default(), None)?;
        Ok(database)
    }
}

impl Database for RedbDatabase {
    fn head(&self) -> Result<Option<Head>, LookupError> {
        let reading = self.0.begin_read().map_err(failed)?;
        let heads = reading.open_table(HEADS).map_err(failed)?;
        heads.get("head").map_err(failed)?.map(|bytes| of_bytes(bytes.value())).transpose()
    }

    fn write(&self, changes: &Changes, head: Option<Head>) -> Result<(), LookupError> {
        let mut writing = self.0.begin_write().map_err(failed)?;
        writing.set_durability(Durability::None).map_err(failed)?;
        {
            let mut keys = writing.open_table(KEYS).map_err(failed)?;
            // In their order, neighbours share a page.
            let mut set: Vec<_> = changes.set.iter().collect();
            set.sort_unstable();
            for (key, value) in set {
                keys.insert(key.as_slice(), value.as_slice()).map_err(failed)?;
            }
            for key in &changes.removed {
                keys.remove(key.as_slice()).map_err(failed)?;
            }
            let mut heads = writing.open_table(HEADS).map_err(failed)?;
            if let Some(head) = &head {
                heads.insert("head", to_bytes(head).as_slice()).map_err(failed)?;
            }
        }
        writing.commit().map_err(failed)
    }

    fn range(&self, from: &[u8], to: &[u8], most: usize) -> Result<Vec<Row>, LookupError> {
        let reading = self.0.begin_read().map_err(failed)?;
        let keys = reading.open_table(KEYS).map_err(failed)?;
        let found = keys.range::<&[u8]>(from..=to).map_err(failed)?.take(most);
        found
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).map_err(failed))
            .collect()
    }

    fn sync(&self) -> Result<(), LookupError> {
        let mut writing = self.0.begin_write().map_err(failed)?;
        // After a kill it is then opened without reading all of it.
        writing.set_quick_repair(true);
        writing.commit().map_err(failed)
    }
}

fn failed(error: impl Into<redb::Error>) -> LookupError {
    match error.into() {
        redb::Error::Io(error) => of_io(&error),
        error => LookupError::Database(error.to_string()),
    }
}
