//! The copy of one log: a folder of immutable files, as c2sp.org/tlog-tiles names them.
//!
//! | path | what |
//! |---|---|
//! | `tile/` | tiles and entry bundles |
//! | `manifests/<digest>` | what entries of a Stele log name |
//! | `missing/<digest>` | an empty file: a manifest that the log did not have; it is asked for again |
//! | `frozen` | what the log said of its end last, if it ever did |
//! | `copied` | how many entries are durably here, with every file that they make |

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use stele_durable::{Dir, Disk, DurableError, Machine, Put};
use stele_spec::frozen::FILE;
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::MAX_NOTE;
use stele_spec::text::decimal;
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, TilePath};
use stele_spec::tiledlog::{Files, MAX_BUNDLE, MAX_TILE};

const WIDTH: u64 = TILE_WIDTH as u64;

/// The file that counts.
const COPIED: &str = "copied";

/// The copy of one log.
#[derive(Clone, Debug)]
pub struct Store(Dir, Arc<Mutex<()>>);

impl Store {
    /// Opens it, creating the folder when missing.
    pub fn open(folder: &Path) -> Result<Self, DurableError> {
        Self::open_on(Arc::new(Machine), folder)
    }

    /// The same on a disk that is handed in.
    pub fn open_on(disk: Arc<dyn Disk>, folder: &Path) -> Result<Self, DurableError> {
        Ok(Self(Dir::open_on(disk, folder)?, Arc::default()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// How many entries are durably here; 0 where nobody has counted.
    pub fn copied(&self) -> Result<u64, DurableError> {
        let text = self.0.read(COPIED, 32)?.unwrap_or_default();
        let text = String::from_utf8(text).unwrap_or_default();
        Ok(text.strip_suffix('\n').and_then(|digits| decimal(digits).ok()).unwrap_or_default())
    }

    /// Says so, only after every file of them was put. It never goes back, also where another thread counts.
    pub fn count(&self, entries: u64) -> Result<(), DurableError> {
        let _alone = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if entries > self.copied()? { self.0.replace(COPIED, format!("{entries}\n").as_bytes()) } else { Ok(()) }
    }

    /// Begins to count anew: files are missing.
    pub fn recount(&self) -> Result<(), DurableError> {
        let _alone = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.replace(COPIED, b"0\n")
    }

    /// Puts files that never change. Other bytes in the place of one are an error and stay as they are.
    pub fn put(&self, files: impl IntoIterator<Item = (TilePath, Vec<u8>)>) -> Result<(), DurableError> {
        self.0.put_all_if_absent(files.into_iter().map(|(path, bytes)| (path.to_string(), bytes)))?;
        Ok(())
    }

    /// A tile or a bundle.
    pub fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, DurableError> {
        let limit = if path.resource == Resource::Entries { MAX_BUNDLE } else { MAX_TILE };
        self.0.read(&path.to_string(), limit)
    }

    /// Removes partial tiles of a tree of `old` entries where one of `new` entries has the full one (c2sp.org/tlog-tiles allows it).
    /// Killed before that, some hundred kilobytes stay that nobody needs.
    pub fn prune(&self, old: u64, new: u64) -> Result<(), DurableError> {
        let entries = std::iter::once((Resource::Entries, 0));
        let levels = (0..8).map(|level| (Resource::Level(level), u32::from(level * TILE_HEIGHT)));
        for (resource, shift) in entries.chain(levels) {
            let (before, now) = (old >> shift, new >> shift);
            let index = before / WIDTH;
            if before.is_multiple_of(WIDTH) || now / WIDTH <= index {
                continue;
            }
            let partial = TilePath { resource, index, width: 1 }.to_string();
            let folder = partial.strip_suffix("/1").unwrap_or(&partial);
            for left in self.0.list(folder)?.unwrap_or_default() {
                self.0.remove(&format!("{folder}/{}", left.name))?;
            }
        }
        Ok(())
    }

    /// What the log says of its end.
    pub fn end(&self) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.read(FILE, MAX_NOTE as u64)
    }

    /// Keeps what the log says of its end, whose signature was checked.
    pub fn keep_end(&self, note: &[u8]) -> Result<(), DurableError> {
        if self.end()?.as_deref() == Some(note) { Ok(()) } else { self.0.replace(FILE, note) }
    }

    /// A manifest.
    pub fn manifest(&self, digest: Digest) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.read(&format!("manifests/{digest}"), MAX_MANIFEST as u64)
    }

    /// Whether a manifest is here.
    pub fn has_manifest(&self, digest: Digest) -> Result<bool, DurableError> {
        self.0.exists(&format!("manifests/{digest}"))
    }

    /// Keeps a manifest whose digest was checked.
    pub fn keep_manifest(&self, digest: Digest, bytes: &[u8]) -> Result<Put, DurableError> {
        let put = self.0.put_if_absent(&format!("manifests/{digest}"), bytes)?;
        self.0.remove(&format!("missing/{digest}"))?;
        Ok(put)
    }

    /// Remembers that a manifest is to be asked for again.
    pub fn miss_manifest(&self, digest: Digest) -> Result<(), DurableError> {
        self.0.put_if_absent(&format!("missing/{digest}"), b"").map(drop)
    }

    /// The manifests that the log did not have, in the order of their digests.
    pub fn missing_manifests(&self) -> Result<Vec<Digest>, DurableError> {
        let listed = self.0.list("missing")?.unwrap_or_default();
        Ok(listed.iter().filter_map(|name| Digest::from_hex(&name.name).ok()).collect())
    }
}

impl Files for Store {
    type Error = DurableError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.read(path, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_tiles_go_when_the_full_one_is_there_and_not_before() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        let partial = |width| TilePath { resource: Resource::Level(0), index: 1, width };
        store.put([(partial(7), vec![1; 7 * 32]), (partial(9), vec![1; 9 * 32])]).unwrap();
        store.prune(256 + 7, 256 + 9).unwrap();
        assert!(store.tile(partial(7)).unwrap().is_some(), "a head of that size was served");
        store.put([(partial(256), vec![1; 8192])]).unwrap();
        store.prune(256 + 9, 600).unwrap();
        assert!([7, 9].iter().all(|width| store.tile(partial(*width)).unwrap().is_none()));
        assert!(store.tile(partial(256)).unwrap().is_some());
    }

    #[test]
    fn what_nobody_counted_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path()).unwrap();
        assert_eq!(store.copied().unwrap(), 0);
        store.count(512).unwrap();
        store.count(300).unwrap();
        assert_eq!(store.copied().unwrap(), 512, "it does not go back");
        std::fs::write(home.path().join("copied"), "0512\n").unwrap();
        assert_eq!(store.copied().unwrap(), 0, "another spelling");
    }
}
