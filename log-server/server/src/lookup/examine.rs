//! Whether the databases hold what they say that they hold: every key of every entry up to their head. For a log that does not run.

use super::database::{Database, Head, LookupError, guarded};
use super::databases::{Databases, root_within};
use super::keys::{Changes, Part};
use super::redb_database::{self, RedbDatabase};
use super::sled_database::{self, SledDatabase};
use stele_durable::Dir;
use stele_log_core::contract::lookup::LookupRow;
use stele_log_core::replay::parse_entries;
use stele_log_core::tiles::TileStore;
use stele_spec::entry::Entry;
use stele_spec::hash::RootHash;
use stele_spec::tile::TILE_WIDTH;

/// The database of a name below the data folder, and what is wrong with it; nothing where all is well. One that is behind is caught up by a start.
pub fn examine(data: &Dir, store: &TileStore, size: u64, root: RootHash) -> Vec<(&'static str, Option<String>)> {
    let target = Head { size, root };
    let redb = || Ok(Box::new(RedbDatabase::open(data)?) as Box<dyn Database>);
    let sled = || Ok(Box::new(SledDatabase::open(data)?) as Box<dyn Database>);
    let mut found = Vec::new();
    for (name, part, open) in [
        (redb_database::FILE, Part::Files, &redb as &dyn Fn() -> Result<Box<dyn Database>, LookupError>),
        (sled_database::FOLDER, Part::Origins, &sled),
    ] {
        if !data.exists(name).unwrap_or(false) {
            found.push((name, None));
            continue;
        }
        match guarded(|| look(&*open()?, part, store, target)) {
            Ok(0) => {}
            Ok(missing) => found.push((name, Some(format!("{missing} keys are not in it")))),
            Err(error) => found.push((name, Some(error.to_string()))),
        }
    }
    found
}

/// Removes both and makes them again from the entries.
pub fn make_again(data: &Dir, store: &TileStore, size: u64, root: RootHash) -> Result<(), String> {
    let target = Head { size, root };
    let made = guarded(|| {
        for name in [redb_database::FILE, sled_database::FOLDER] {
            super::databases::remove(data, name)?;
        }
        let (databases, mut at) = Databases::open(data, store, target)?;
        while at < size {
            at = databases.catch_up(store, at, target)?;
        }
        databases.sync()
    });
    made.map_err(|error| error.to_string())
}

/// How many keys are missing.
fn look(database: &dyn Database, part: Part, store: &TileStore, target: Head) -> Result<usize, LookupError> {
    let Some(head) = database.head()? else { return Ok(0) };
    if head.size > target.size {
        return Err(LookupError::Database("it is ahead of the log".into()));
    }
    if head.size > 0 && root_within(store, head.size, target)? != head.root {
        return Err(LookupError::Database("it is another log's".into()));
    }
    let (width, mut missing) = (u64::from(TILE_WIDTH), 0);
    for index in 0..head.size.div_ceil(width) {
        let bundle = store.bundle(index, target.size)?;
        for (position, parsed) in (index * width..head.size).zip(parse_entries(&bundle)) {
            // What is no entry is said elsewhere.
            let Ok(Entry::Statement(signed)) = parsed.map(|parsed| parsed.entry) else { continue };
            let mut files = store.file_digests(signed.statement());
            // It may have been there when the keys were made.
            files.unread = None;
            let row = LookupRow::of(position, signed.statement(), files);
            for (key, _) in Changes::of(&[row], part).set {
                missing += usize::from(database.range(&key, &key, 1)?.is_empty());
            }
        }
    }
    Ok(missing)
}
