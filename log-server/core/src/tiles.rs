//! What the log serves: tiles, entry bundles, manifests, and the one object that changes, the published checkpoint.

use crate::contract::objects::{MAX_OBJECT, ObjectError, ObjectErrorKind, ObjectName, Objects};
use crate::file_digests::FileDigestIndex;
use crate::submitted_manifest::SubmittedManifest;
use crate::tree::Object;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stele_spec::hash::Digest;
use stele_spec::manifest::{MAX_MANIFEST, Manifest};
use stele_spec::note::MAX_NOTE;
use stele_spec::statement::Statement;
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TileError, TilePath, TileSource, decode_bundle, encode_bundle};

/// The published objects of a log. Cloning shares them.
#[derive(Clone, Debug)]
pub struct TileStore {
    objects: Arc<dyn Objects>,
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
    /// The entries `[from, to)` were logged a moment ago.
    pub fn just_now(from: u64, to: u64) -> Self {
        Self { from, ends: vec![(to, Duration::ZERO)] }
    }

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
    /// The storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
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

impl TileStore {
    /// The published objects in a storage.
    pub fn new(objects: &Arc<dyn Objects>) -> Self {
        Self { objects: objects.clone() }
    }

    /// The storage.
    pub fn objects(&self) -> &Arc<dyn Objects> {
        &self.objects
    }

    /// Puts tiles and bundles, durably; other bytes under one of their names are an error.
    pub fn put(&self, objects: &[Object]) -> Result<(), ObjectError> {
        let named: Vec<(ObjectName, &[u8])> =
            objects.iter().map(|object| (ObjectName::Tile(object.path), object.bytes.as_slice())).collect();
        self.objects.put(&named)
    }

    /// Makes public what a staged batch holds: manifests, then tiles and bundles. They are durable after the next [`Objects::sync`]. Other
    /// bytes under the name of a tile are an error; under that of a manifest they are damaged, and replaced.
    pub fn put_staged(&self, objects: &[Object], manifests: &[SubmittedManifest]) -> Result<(), ObjectError> {
        let named: Vec<(ObjectName, &[u8])> =
            manifests.iter().map(|manifest| (ObjectName::Manifest(manifest.digest), manifest.bytes())).collect();
        match self.objects.put_staged(&named) {
            Err(error) if error.kind() == ObjectErrorKind::Differs => {
                named.iter().try_for_each(|(name, bytes)| self.restore(name, bytes))?;
            }
            put => put?,
        }
        let named: Vec<(ObjectName, &[u8])> =
            objects.iter().map(|object| (ObjectName::Tile(object.path), object.bytes.as_slice())).collect();
        self.objects.put_staged(&named)
    }

    /// Puts what was verified in the place of whatever is there; durable after the next [`Objects::sync`].
    pub fn restore(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        match self.objects.put_staged(&[(name.clone(), bytes)]) {
            Err(error) if error.kind() == ObjectErrorKind::Differs => {
                tracing::warn!(%name, "what was damaged is put back");
                self.objects.replace(name, bytes)
            }
            put => put,
        }
    }

    /// Reads a tile or bundle. A partial one that was cleaned up is cut from the full one.
    pub fn read(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(bytes) = self.objects.get(&ObjectName::Tile(path), MAX_OBJECT)? {
            return Ok(Some(bytes));
        }
        if path.is_full() {
            return Ok(None);
        }
        let full = ObjectName::Tile(TilePath { width: TILE_WIDTH, ..path });
        let Some(mut bytes) = self.objects.get(&full, MAX_OBJECT)? else { return Ok(None) };
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
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, ObjectError> {
        self.objects.get(&ObjectName::Checkpoint, MAX_NOTE as u64)
    }

    /// Publishes a checkpoint that is staged; the public file is durable after the next [`Objects::sync`].
    pub fn publish_staged(&self, note: &[u8]) -> Result<(), ObjectError> {
        self.objects.replace_staged(&ObjectName::Checkpoint, note)
    }

    /// Publishes a checkpoint, durably.
    pub fn publish(&self, note: &[u8]) -> Result<(), ObjectError> {
        self.objects.replace(&ObjectName::Checkpoint, note)
    }

    /// What this log says of its end, if it does.
    pub fn end_mark(&self) -> Result<Option<Vec<u8>>, ObjectError> {
        self.objects.get(&ObjectName::Frozen, MAX_NOTE as u64)
    }

    /// Says that this log has ended, durably.
    pub fn put_end_mark(&self, note: &[u8]) -> Result<(), ObjectError> {
        self.objects.replace(&ObjectName::Frozen, note)
    }

    /// Takes that back, durably.
    pub fn remove_end_mark(&self) -> Result<(), ObjectError> {
        self.objects.remove(&ObjectName::Frozen)
    }

    /// Reads a manifest that a release names.
    pub fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ObjectError> {
        self.objects.get(&ObjectName::Manifest(*digest), MAX_MANIFEST as u64)
    }

    /// The length of a manifest, if it is there and has one that a manifest can have.
    pub fn length_of_manifest(&self, digest: &Digest) -> Result<Option<u64>, ObjectError> {
        let length = self.objects.length(&ObjectName::Manifest(*digest))?;
        Ok(length.filter(|length| (1..=MAX_MANIFEST as u64).contains(length)))
    }

    /// Keeps a manifest that a release names.
    pub fn put_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), ObjectError> {
        self.objects.put(&[(ObjectName::Manifest(*digest), bytes)])
    }

    /// Puts the right bytes in the place of a damaged manifest.
    pub fn replace_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<(), ObjectError> {
        self.objects.replace(&ObjectName::Manifest(*digest), bytes)
    }

    /// The file digests in the manifest that a statement names. A manifest that is lost or damaged names nothing: lookups are a help,
    /// and nothing is decided by them.
    pub fn file_digests(&self, statement: &Statement) -> FileDigestIndex {
        let Some(digest) = statement.manifest_digest() else { return FileDigestIndex::default() };
        let read = self.manifest(&digest).map_err(|error| error.to_string());
        let manifest = read.and_then(|bytes| {
            let bytes = bytes.ok_or_else(|| "it is not there".to_owned())?;
            if Digest::of(&bytes) != digest {
                return Err("it is damaged".to_owned());
            }
            Manifest::parse(&bytes).map_err(|error| error.to_string())
        });
        match manifest {
            Ok(manifest) => FileDigestIndex::of(&manifest),
            Err(error) => {
                tracing::warn!(%digest, %error, "the files of a manifest cannot be looked up");
                FileDigestIndex::unread(digest)
            }
        }
    }

    /// How long ago the entries of the tree of `size` were logged, of those that were within a time: by when their bundles were written.
    /// `now` is in Unix seconds.
    ///
    /// Of a bundle whose partial ones are gone all entries are as old as the last one. Best effort: a bundle whose time cannot be had
    /// says nothing.
    pub fn logged_within(&self, within: Duration, size: u64, now: u64) -> Times {
        let (mut ends, mut from) = (Vec::new(), size);
        for index in (0..size.div_ceil(u64::from(TILE_WIDTH))).rev() {
            let full = TilePath::full(Resource::Entries, index);
            let (mut lately, mut older) = (false, index * u64::from(TILE_WIDTH));
            for width in [TILE_WIDTH].into_iter().chain(self.objects.partials(full)) {
                let end = index * u64::from(TILE_WIDTH) + u64::from(width);
                match self.age_of(TilePath { width, ..full }, now) {
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

    /// Whether any tile was ever put.
    pub fn has_tiles(&self) -> Result<bool, ObjectError> {
        self.objects.has_tiles()
    }

    /// Removes the partial tiles of full ones that have been there for a time, as far as `waiting` begins with them; reads are then
    /// served from the full ones. More than `most` do not wait. `now` is in Unix seconds.
    ///
    /// A reader with an earlier checkpoint, behind a web server that does not cut, has that time to finish. Not durable and
    /// best effort: what is left behind takes room and harms nothing.
    pub fn sweep(&self, waiting: &mut VecDeque<TilePath>, kept_for: Duration, most: usize, now: u64) {
        waiting.retain(TilePath::is_full);
        while let Some(path) = waiting.front() {
            // Gone is as good as old: there is nothing to wait for.
            let due = self.age_of(*path, now).is_none_or(|age| age >= kept_for);
            if !due && waiting.len() <= most {
                return;
            }
            self.objects.forget_partials(*path);
            waiting.pop_front();
        }
    }

    /// Whether a full tile has partial ones beside it.
    pub fn has_partials(&self, full: TilePath) -> bool {
        !self.objects.partials(full).is_empty()
    }

    /// How old a tile is, by its time and the clock; a time of the future is no age.
    fn age_of(&self, path: TilePath, now: u64) -> Option<Duration> {
        let written = self.objects.written_at(&ObjectName::Tile(path))?;
        Some(Duration::from_secs(now.saturating_sub(written)))
    }
}

impl TileSource for TileStore {
    type Error = StoreError;

    fn tile(&self, path: TilePath) -> Result<Tile, StoreError> {
        let bytes = self.read(path)?.ok_or(StoreError::Missing { path })?;
        Ok(Tile::parse(&bytes, path.width)?)
    }
}
