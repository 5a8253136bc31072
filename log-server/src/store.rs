//! What the log serves, as plain immutable files: tiles, entry bundles, manifests, and the one file that changes, the
//! published checkpoint.
//!
//! This is the `Objects` contract: put-if-absent, never other bytes under a name. The layout below `public/` is that of
//! c2sp.org/tlog-tiles, so that any web server can serve the folder.

use crate::tree::Object;
use std::collections::HashMap;
use stele_host::durable::{Dir, DurableError};
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

    /// Whether a manifest is there and has a length that one can have.
    pub fn seems_to_have_manifest(&self, digest: &Digest) -> Result<bool, DurableError> {
        let found = self.data.open_file(&format!("public/manifests/{digest}"))?;
        Ok(found.is_some_and(|(_, length)| (1..=MAX_MANIFEST as u64).contains(&length)))
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

    /// Removes the partial tiles of which the full one is there; reads are then served from that one.
    ///
    /// Not durable and best effort: what is left behind takes room and harms nothing.
    pub fn sweep(&self, full: impl IntoIterator<Item = TilePath>) {
        for path in full.into_iter().filter(TilePath::is_full) {
            let partials = self.data.path_of(&format!("{}.p", file(path)));
            match std::fs::remove_dir_all(&partials) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(path = %partials.display(), %error, "cannot remove partial tiles"),
            }
        }
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
        store.sweep(objects.iter().map(|object| object.path));
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
