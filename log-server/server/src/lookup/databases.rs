//! Both databases as one: opened against the log, made again from its entries, asked.

use super::database::{Database, Head, LookupError, guarded};
use super::keys::{Changes, Part, key, manifest_of, position_of, unread};
use super::redb_database::{self, RedbDatabase};
use super::sled_database::{self, SledDatabase};
use std::io::ErrorKind;
use stele_durable::Dir;
use stele_log_core::contract::lookup::{LookupKey, LookupRow};
use stele_log_core::file_digests::FileDigestIndex;
use stele_log_core::replay::parse_entries;
use stele_log_core::tiles::{StoreError, TileStore};
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::merkle::root_at;
use stele_spec::tile::{TILE_WIDTH, TileNodes};

/// After so many entries a rebuild syncs: what is written and not synced takes memory and room.
const SYNC_ENTRIES: u64 = 1024;

/// Both databases.
#[derive(Debug)]
pub(super) struct Databases {
    pub(super) files: Box<dyn Database>,
    pub(super) origins: Box<dyn Database>,
}

/// A release whose manifest could not be read, by its position.
pub(super) type Unread = (u64, Option<Digest>);

impl Databases {
    /// Opens both, each made anew where it is not this log's, or broken; and up to where both are complete.
    pub(super) fn open(data: &Dir, store: &TileStore, target: Head) -> Result<(Self, u64), LookupError> {
        let (files, at) = opened(data, redb_database::FILE, || {
            let files: Box<dyn Database> = Box::new(RedbDatabase::open(data)?);
            let at = within(&*files, store, target)?;
            Ok((files, at))
        })?;
        let (origins, reached) = opened(data, sled_database::FOLDER, || {
            let origins: Box<dyn Database> = Box::new(SledDatabase::open(data)?);
            let at = within(&*origins, store, target)?;
            Ok((origins, at))
        })?;
        Ok((Self { files, origins }, at.min(reached)))
    }

    /// Adds rows, and that everything is there up to a head.
    pub(super) fn add(&self, rows: &[LookupRow], head: Head) -> Result<(), LookupError> {
        self.files.write(&Changes::of(rows, Part::Files), Some(head))?;
        self.origins.write(&Changes::of(rows, Part::Origins), Some(head))
    }

    /// Adds the entries from `at` on up to the end of their bundle; the new end.
    ///
    /// A crash afterwards loses nothing: the head in the same batch says up to where. What one of both has already is set again.
    pub(super) fn catch_up(&self, store: &TileStore, at: u64, target: Head) -> Result<u64, LookupError> {
        let width = u64::from(TILE_WIDTH);
        let start = at / width * width;
        let bundle = store.bundle(at / width, target.size)?;
        let end = start + bundle.len() as u64;
        let mut rows = Vec::new();
        for (position, parsed) in (start..).zip(parse_entries(&bundle)) {
            let parsed = parsed.map_err(|error| LookupError::Database(format!("entry {position}: {error}")))?;
            if let (true, Entry::Statement(signed)) = (position >= at, &parsed.entry) {
                let files = store.file_digests(signed.statement());
                rows.push(LookupRow::of(position, signed.statement(), files));
            }
        }
        self.add(&rows, Head { size: end, root: root_within(store, end, target)? })?;
        if at / SYNC_ENTRIES != end / SYNC_ENTRIES {
            self.sync()?;
        }
        Ok(end)
    }

    /// The positions under a key, ascending.
    pub(super) fn positions(&self, by: LookupKey<'_>, from: u64, most: usize) -> Result<Vec<u64>, LookupError> {
        let found = self.part(Part::of(by)).range(&key(by, from), &key(by, u64::MAX), most)?;
        let found: Vec<u64> = found.iter().map(|(key, _)| placed(key)).collect::<Result<_, _>>()?;
        // Which files a release without a manifest has is not known: it is a candidate for every file that is found nowhere else.
        match by {
            LookupKey::File(_) | LookupKey::GitBlob(_) if found.is_empty() => {
                Ok(self.unread(from, most)?.into_iter().map(|(position, _)| position).collect())
            }
            _ => Ok(found),
        }
    }

    /// The releases whose manifest could not be read, each with its manifest.
    pub(super) fn unread(&self, from: u64, most: usize) -> Result<Vec<Unread>, LookupError> {
        let found = self.files.range(&unread(from), &unread(u64::MAX), most)?;
        found.into_iter().map(|(key, manifest)| Ok((placed(&key)?, manifest_of(&manifest)))).collect()
    }

    /// Reads again what has no files yet, in a tree of `size` entries; how many have them now.
    pub(super) fn settle(&self, store: &TileStore, releases: &[Unread], size: u64) -> Result<usize, LookupError> {
        let mut settled = 0;
        for (position, manifest) in releases {
            // Cheaper than to read the entry that names it.
            if manifest.is_some_and(|digest| !is_sound(store, &digest)) {
                continue;
            }
            let Some(files) = files_now(store, *position, size)? else { continue };
            let mut changes = Changes::default();
            changes.add_files(&files, *position);
            changes.removed.push(unread(*position));
            self.files.write(&changes, None)?;
            settled += 1;
        }
        Ok(settled)
    }

    /// Makes both durable.
    pub(super) fn sync(&self) -> Result<(), LookupError> {
        self.files.sync()?;
        self.origins.sync()
    }

    fn part(&self, part: Part) -> &dyn Database {
        match part {
            Part::Files => &*self.files,
            Part::Origins => &*self.origins,
        }
    }
}

/// Opens one database; where that fails, and not for want of room, opens a new one in its place.
pub(super) fn opened<T>(data: &Dir, name: &str, open: impl Fn() -> Result<T, LookupError>) -> Result<T, LookupError> {
    guarded(&open).or_else(|error| {
        match error {
            LookupError::NoRoom(_) => return Err(error),
            LookupError::Earlier => {
                tracing::info!(name, "the lookups of an earlier program are made again");
                remove(data, name)?;
            }
            _ => {
                tracing::warn!(name, %error, "the lookup database is set aside and rebuilt");
                set_aside(data, name)?;
            }
        }
        guarded(&open)
    })
}

/// Up to where a database is complete, if it is this log's.
fn within(database: &dyn Database, store: &TileStore, target: Head) -> Result<u64, LookupError> {
    match database.head()? {
        None => Ok(0),
        Some(head) if head.size > target.size => Err(LookupError::Database("it is ahead of the log".into())),
        Some(head) if head.size > 0 && root_within(store, head.size, target)? != head.root => {
            Err(LookupError::Database("it is another log's".into()))
        }
        Some(head) => Ok(head.size),
    }
}

/// The root of an older tree, which need not have been a head, from the tiles of a published one: each perfect subtree of the
/// older tree is one of the newer, while the older one's own partial tiles may never have been made.
pub(super) fn root_within(store: &TileStore, size: u64, target: Head) -> Result<RootHash, StoreError> {
    if size == target.size {
        return Ok(target.root);
    }
    root_at(&TileNodes::new(store, target.size), size)
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

fn placed(key: &[u8]) -> Result<u64, LookupError> {
    position_of(key).ok_or_else(|| LookupError::Database("a key is damaged".into()))
}

/// Keeps one broken database to be looked at.
fn set_aside(data: &Dir, name: &str) -> Result<(), LookupError> {
    let aside = format!("{name}.broken");
    // What is there and is no database is not ours to remove.
    remove(data, &aside)?;
    match std::fs::rename(data.path_of(name), data.path_of(&aside)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(LookupError::Database(format!("it cannot be set aside: {error}")))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove(data: &Dir, name: &str) -> Result<(), LookupError> {
    let path = data.path_of(name);
    let is_folder = name.starts_with(sled_database::FOLDER);
    let removed = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(LookupError::Database(format!("{} cannot be removed: {error}", path.display())))
        }
        _ => Ok(()),
    }
}
