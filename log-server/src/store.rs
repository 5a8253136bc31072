//! What the log serves, as plain immutable files: tiles, entry bundles, manifests, and the one file that changes, the
//! published checkpoint.
//!
//! This is the `Objects` contract: put-if-absent, never other bytes under a name. The layout below `public/` is that of
//! c2sp.org/tlog-tiles, so that any web server can serve the folder.

use crate::tree::Object;
use std::collections::{HashMap, VecDeque};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use stele_clock::{Clock as _, SystemClock};
use stele_durable::{Dir, DurableError};
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::MAX_NOTE;
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TileError, TilePath, TileSource, decode_bundle, encode_bundle};

/// The largest object: a bundle of 256 entries of 65,535 bytes, each after two length bytes.
pub(crate) const MAX_OBJECT: u64 = 256 * 65_537;

/// The files of a log. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Store {
    data: Dir,
}

/// When the newest entries were logged.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Everything before is older.
    from: u64,
    /// Sizes of the tree that were reached lately, smallest first, and how long ago.
    ends: Vec<(u64, Duration)>,
}

impl Times {
    /// How long ago an entry was logged; `None`: longer than was asked for.
    pub fn age(&self, position: u64) -> Option<Duration> {
        if position < self.from {
            return None;
        }
        // It may be older than the first file that has it; it is not younger.
        self.ends.get(self.ends.partition_point(|(end, _)| *end <= position)).map(|(_, age)| *age)
    }
}

/// Why an object could not be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// It is there and is not what it should be.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// It should be there and is not.
    #[error("{path} is missing")]
    Missing {
        /// Which.
        path: TilePath,
    },
}

impl Store {
    /// The store in a data folder.
    pub fn new(data: &Dir) -> Self {
        Self { data: data.clone() }
    }

    /// Puts tiles and bundles; other bytes under one of their names are an error.
    pub fn put(&self, objects: &[Object]) -> Result<(), DurableError> {
        self.data.put_all_if_absent(objects.iter().map(|object| (file(object.path), &object.bytes))).map(|_| ())
    }

    /// Reads a tile or bundle. A partial one that was cleaned up is cut from the full one.
    pub fn read(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = self.data.read(&file(path), MAX_OBJECT)? {
            return Ok(Some(bytes));
        }
        if path.is_full() {
            return Ok(None);
        }
        let full = TilePath { width: TILE_WIDTH, ..path };
        let Some(mut bytes) = self.data.read(&file(full), MAX_OBJECT)? else { return Ok(None) };
        match path.resource {
            Resource::Level(_) => bytes.truncate(usize::from(path.width) * 32),
            Resource::Entries => {
                let entries = decode_bundle(&bytes, TILE_WIDTH)?;
                bytes = encode_bundle(entries.into_iter().take(usize::from(path.width)))?;
            }
        }
        Ok(Some(bytes))
    }

    /// Reads an entry bundle of the tree of `size` entries.
    pub fn bundle(&self, index: u64, size: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let width = size.saturating_sub(index * u64::from(TILE_WIDTH)).min(u64::from(TILE_WIDTH)) as u16;
        let path = TilePath { resource: Resource::Entries, index, width };
        let bytes = self.read(path)?.ok_or(StoreError::Missing { path })?;
        Ok(decode_bundle(&bytes, width)?.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Reads one entry of the tree of `size` entries.
    pub fn entry(&self, position: u64, size: u64) -> Result<Vec<u8>, StoreError> {
        let width = u64::from(TILE_WIDTH);
        let mut entries = self.bundle(position / width, size)?;
        let within = (position % width) as usize;
        if within >= entries.len() {
            let path = TilePath::full(Resource::Entries, position / width);
            return Err(StoreError::Missing { path });
        }
        Ok(entries.swap_remove(within))
    }

    /// The published checkpoint.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, DurableError> {
        self.data.read("public/checkpoint", MAX_NOTE as u64)
    }

    /// Publishes a checkpoint.
    pub fn publish(&self, note: &[u8]) -> Result<(), DurableError> {
        self.data.replace("public/checkpoint", note)
    }

    /// Reads a manifest that a release names.
    pub fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, DurableError> {
        self.data.read(&format!("public/manifests/{digest}"), MAX_MANIFEST as u64)
    }

    /// Whether a manifest is there.
    pub fn has_manifest(&self, digest: &Digest) -> Result<bool, DurableError> {
        self.data.exists(&format!("public/manifests/{digest}"))
    }

    /// The length of a manifest, if it is there and has one that a manifest can have.
    pub fn length_of_manifest(&self, digest: &Digest) -> Result<Option<u64>, DurableError> {
        let found = self.data.open_file(&format!("public/manifests/{digest}"))?;
        Ok(found.map(|(_, length)| length).filter(|length| (1..=MAX_MANIFEST as u64).contains(length)))
    }

    /// How long ago the entries of the tree of `size` were logged, of those that were within a time: by the files of their bundles.
    ///
    /// Of a bundle whose partial files are gone all entries are as old as the last one. Best effort: a file whose time cannot be had
    /// says nothing.
    pub fn logged_within(&self, within: Duration, size: u64) -> Times {
        let (now, width) = (SystemClock.unix_seconds(), u64::from(TILE_WIDTH));
        let (mut ends, mut from) = (Vec::new(), size);
        for index in (0..size.div_ceil(width)).rev() {
            let full = TilePath::full(Resource::Entries, index);
            let mut files = vec![(width, self.data.path_of(&file(full)))];
            let partials = std::fs::read_dir(self.data.path_of(&format!("{}.p", file(full))));
            files.extend(partials.into_iter().flatten().flatten().filter_map(|entry| {
                let width = entry.file_name().to_str()?.parse().ok()?;
                Some((width, entry.path()))
            }));
            let (mut lately, mut older) = (false, index * width);
            for (width, path) in files {
                let end = index * u64::from(TILE_WIDTH) + width;
                match age_of(&path, now) {
                    Some(age) if age < within => {
                        ends.push((end, age));
                        lately = true;
                    }
                    Some(_) => older = older.max(end),
                    None => {}
                }
            }
            if !lately {
                break;
            }
            from = older;
        }
        ends.sort_unstable();
        Times { from, ends }
    }

    /// Keeps a manifest that a release names.
    pub fn put_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), DurableError> {
        self.data.put_if_absent(&format!("public/manifests/{digest}"), bytes).map(|_| ())
    }

    /// Puts the right bytes in the place of a damaged manifest.
    pub fn replace_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), DurableError> {
        self.data.replace(&format!("public/manifests/{digest}"), bytes)
    }

    /// Whether any tile was ever put.
    pub fn has_tiles(&self) -> Result<bool, DurableError> {
        self.data.exists("public/tile")
    }

    /// Makes files of entry bundles older than any time that is asked for: of a copy nobody knows when its entries were logged.
    ///
    /// Best effort: an entry that seems younger than it is counts against its publisher's quota for a day.
    pub fn forget_times(&self, paths: impl IntoIterator<Item = TilePath>) {
        for path in paths.into_iter().filter(|path| path.resource == Resource::Entries) {
            let path = self.data.path_of(&file(path));
            let outcome = std::fs::File::open(&path).and_then(|file| file.set_modified(UNIX_EPOCH));
            if let Err(error) = outcome {
                tracing::debug!(path = %path.display(), %error, "the time of a file cannot be set");
            }
        }
    }

    /// Removes the partial tiles of full ones that have been there for a time, as far as `waiting` begins with them; reads are then
    /// served from the full ones. More than `most` do not wait.
    ///
    /// A reader with an earlier checkpoint, behind a web server that does not cut, has that time to finish. Not durable and
    /// best effort: what is left behind takes room and harms nothing.
    pub fn sweep(&self, waiting: &mut VecDeque<TilePath>, kept_for: Duration, most: usize) {
        let now = SystemClock.unix_seconds();
        waiting.retain(TilePath::is_full);
        while let Some(path) = waiting.front() {
            let full = file(*path);
            // Gone is as good as old: there is nothing to wait for.
            let due = age_of(&self.data.path_of(&full), now).is_none_or(|age| age >= kept_for);
            if !due && waiting.len() <= most {
                return;
            }
            let partials = self.data.path_of(&format!("{full}.p"));
            match std::fs::remove_dir_all(&partials) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path = %partials.display(), %error, "cannot remove partial tiles"),
            }
            waiting.pop_front();
        }
    }

    /// Whether a full tile has partial ones beside it.
    pub fn has_partials(&self, full: TilePath) -> bool {
        self.data.path_of(&format!("{}.p", file(full))).is_dir()
    }
}

impl TileSource for Store {
    type Error = StoreError;

    fn tile(&self, path: TilePath) -> Result<Tile, StoreError> {
        let bytes = self.read(path)?.ok_or(StoreError::Missing { path })?;
        Ok(Tile::parse(&bytes, path.width)?)
    }
}

/// The store as it will be when some objects are put: what a self-check reads.
#[derive(Debug)]
pub struct Overlay<'a> {
    store: &'a Store,
    objects: HashMap<TilePath, &'a [u8]>,
}

impl<'a> Overlay<'a> {
    /// `objects` over `store`.
    pub fn new(store: &'a Store, objects: &'a [Object]) -> Self {
        Self { store, objects: objects.iter().map(|object| (object.path, object.bytes.as_slice())).collect() }
    }
}

impl TileSource for Overlay<'_> {
    type Error = StoreError;

    fn tile(&self, path: TilePath) -> Result<Tile, StoreError> {
        if let Some(bytes) = self.objects.get(&path) {
            return Ok(Tile::parse(bytes, path.width)?);
        }
        // A narrower tile than the one to be published must be read from that one: it is what will be served.
        let wider = (path.width..=TILE_WIDTH).find_map(|width| {
            let bytes = self.objects.get(&TilePath { width, ..path })?;
            bytes.get(..usize::from(path.width) * 32)
        });
        match wider {
            Some(bytes) => Ok(Tile::parse(bytes, path.width)?),
            None => self.store.tile(path),
        }
    }
}

/// How old a file is, by its time and the clock; a time of the future is no age.
fn age_of(path: &Path, now: u64) -> Option<Duration> {
    let written = std::fs::metadata(path).ok()?.mtime();
    Some(Duration::from_secs(now.saturating_sub(u64::try_from(written).unwrap_or(0))))
}

fn file(path: TilePath) -> String {
    format!("public/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;
    use stele_spec::merkle::{leaf_hash, root_at};
    use stele_spec::tile::TileNodes;

    fn grow(tree: &mut Tree, to: u64) -> Vec<Object> {
        let old = tree.clone();
        let mut full = Vec::new();
        for i in tree.size()..to {
            let entry = i.to_be_bytes();
            tree.push(&entry, leaf_hash(&entry), &mut full);
        }
        tree.grown_from(&old, full)
    }

    #[test]
    fn other_bytes_under_a_name_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&Dir::open(home.path()).unwrap());
        let mut objects = grow(&mut Tree::new(), 3);
        store.put(&objects).unwrap();
        store.put(&objects).unwrap();
        objects[0].bytes[3] ^= 1;
        assert!(matches!(store.put(&objects), Err(DurableError::Differs { .. })));
    }

    #[test]
    fn a_partial_tile_that_was_swept_is_read_from_the_full_one() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&Dir::open(home.path()).unwrap());
        let mut tree = Tree::new();
        store.put(&grow(&mut tree, 5)).unwrap();
        let early = tree.root();
        let before = [Resource::Entries, Resource::Level(0)]
            .map(|resource| store.read(TilePath { resource, index: 0, width: 5 }).unwrap().unwrap());
        let objects = grow(&mut tree, 300);
        store.put(&objects).unwrap();
        let hour = Duration::from_secs(3600);
        let mut waiting: VecDeque<TilePath> = objects.iter().map(|object| object.path).collect();
        store.sweep(&mut waiting, hour, 8);
        assert_eq!(waiting.len(), 2, "the full ones");
        assert!(home.path().join("public/tile/0/000.p/5").exists(), "a reader may be under way");
        // A web server that only has the files serves an earlier checkpoint for an hour.
        for full in ["public/tile/0/000", "public/tile/entries/000"] {
            let full = std::fs::File::open(home.path().join(full)).unwrap();
            full.set_modified(std::time::SystemTime::now() - hour).unwrap();
        }
        store.sweep(&mut waiting, hour, 8);
        assert!(waiting.is_empty());
        assert!(!home.path().join("public/tile/0/000.p").exists());
        assert!(home.path().join("public/tile/0/001.p/44").exists());
        let after = [Resource::Entries, Resource::Level(0)]
            .map(|resource| store.read(TilePath { resource, index: 0, width: 5 }).unwrap().unwrap());
        assert_eq!(before, after);
        assert_eq!(root_at(&TileNodes::new(&store, 5), 5).unwrap(), early);
        assert_eq!(store.entry(299, 300).unwrap(), 299_u64.to_be_bytes());
        assert!(store.entry(300, 300).is_err());
        assert_eq!(store.read(TilePath::full(Resource::Level(0), 7)).unwrap(), None);
    }

    #[test]
    fn more_than_so_many_partial_tiles_do_not_wait() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&Dir::open(home.path()).unwrap());
        let mut tree = Tree::new();
        let mut waiting = VecDeque::new();
        for size in [5, 300, 520, 800] {
            let objects = grow(&mut tree, size);
            store.put(&objects).unwrap();
            waiting.extend(objects.iter().map(|object| object.path));
        }
        store.sweep(&mut waiting, Duration::from_secs(3600), 2);
        assert_eq!(waiting.len(), 2);
        let left = |name: &str| home.path().join(format!("public/tile/{name}.p")).exists();
        assert_eq!(["entries/000", "entries/001", "entries/002"].map(left), [false, false, true]);
    }

    #[test]
    fn entries_are_as_old_as_the_file_that_first_has_them() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&Dir::open(home.path()).unwrap());
        let mut tree = Tree::new();
        for size in [5, 256, 300, 310] {
            store.put(&grow(&mut tree, size)).unwrap();
        }
        let hour = Duration::from_secs(3600);
        let date = |name: &str, hours: u32| {
            let file = std::fs::File::open(home.path().join("public/tile/entries").join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - hour * hours).unwrap();
        };
        for (path, age) in [("000.p/5", 30), ("000", 23), ("001.p/44", 4), ("001.p/54", 1)] {
            date(path, age);
        }
        let times = store.logged_within(24 * hour, 310);
        let hours = |position| times.age(position).map(|age| (age.as_secs() + 60) / 3600);
        let found = [0, 4, 5, 255, 256, 299, 300, 309, 310].map(hours);
        assert_eq!(found, [None, None, Some(23), Some(23), Some(4), Some(4), Some(1), Some(1), None]);
        assert_eq!(store.logged_within(2 * hour, 310).age(299), None);
        store.forget_times([44, 54].map(|width| TilePath { resource: Resource::Entries, index: 1, width }));
        assert_eq!(store.logged_within(24 * hour, 310).age(309), None);
    }

    #[test]
    fn the_overlay_reads_old_trees_from_what_will_be_published() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(&Dir::open(home.path()).unwrap());
        let mut tree = Tree::new();
        store.put(&grow(&mut tree, 250)).unwrap();
        let old = tree.root();
        let mut objects = grow(&mut tree, 260);
        let root =
            |objects: &[Object], size| root_at(&TileNodes::new(&Overlay::new(&store, objects), size), size).unwrap();
        assert_eq!(root(&objects, 250), old);
        assert_eq!(root(&objects, 260), tree.root());
        let tile = objects.iter_mut().find(|o| o.path == TilePath::full(Resource::Level(0), 0)).unwrap();
        tile.bytes[0] ^= 1;
        assert_ne!(root(&objects, 250), old);
    }
}
