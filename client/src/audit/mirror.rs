//! The log's static files, as they were verified: a folder that is a mirror itself.
//!
//! Entries are read from the log and checked against the head before they are written; the tiles are not copied but computed
//! from them. The checkpoint comes last: until then the folder is the mirror of the older head.

use stele_host::durable::Dir;
use stele_spec::hash::NodeHash;
use stele_spec::merkle::Nodes as _;
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, TilePath, encode_bundle};

use super::AuditError;
use super::progress::Watch;
use super::store::{Changes, Store, StoreError, key};
use crate::log_reader::{ReadError, VerifiedLog};

/// Bundles that are written together.
const AT_ONCE: usize = 32;

const WIDTH: u64 = TILE_WIDTH as u64;

/// Brings a folder to the head of a log.
pub(super) fn bring(folder: &Dir, log: &VerifiedLog<'_>, store: &Store, watch: &mut Watch) -> Result<(), AuditError> {
    let done = key(b'm', "mirrored");
    let from = store.snapshot()?.number(&done)?.unwrap_or(0).min(log.size()) / WIDTH * WIDTH;
    let mut writer = Writer::after(from, log)?;
    for (number, chunk) in (1..).zip(log.entries(from)) {
        let chunk = chunk?;
        let width = chunk.entries.len() as u16;
        let bytes = encode_bundle(chunk.entries.iter().map(Vec::as_slice)).map_err(ReadError::Tile)?;
        let path = TilePath { resource: Resource::Entries, index: chunk.first / WIDTH, width };
        writer.files.push((path.to_string(), bytes));
        chunk.leaves.iter().for_each(|leaf| writer.push(0, NodeHash::from(*leaf)));
        watch.see("mirrored", chunk.end(), log.size());
        if number % AT_ONCE == 0 {
            folder.put_all_if_absent(writer.files.drain(..))?;
            store.write(&Changes::from([(done.clone(), chunk.end().to_be_bytes().to_vec())]))?;
        }
    }
    writer.edge();
    folder.put_all_if_absent(writer.files.drain(..))?;
    folder.replace("checkpoint", &log.head().note.to_bytes())?;
    store.write(&Changes::from([(done, log.size().to_be_bytes().to_vec())]))?;
    Ok(())
}

/// The tiles that entries make.
struct Writer {
    size: u64,
    /// The hashes of each level's last tile, which is not full.
    levels: Vec<Vec<NodeHash>>,
    files: Vec<(String, Vec<u8>)>,
}

impl Writer {
    /// After `size` entries, a multiple of 256; what the tiles of the levels above begin with is the log's.
    fn after(size: u64, log: &VerifiedLog<'_>) -> Result<Self, ReadError> {
        let mut levels = vec![Vec::new()];
        for level in 1u8.. {
            let end = size.checked_shr(u32::from(level * TILE_HEIGHT)).unwrap_or(0);
            if end == 0 {
                break;
            }
            let first = end / WIDTH * WIDTH;
            levels.push((first..end).map(|index| log.node(level * TILE_HEIGHT, index)).collect::<Result<_, _>>()?);
        }
        Ok(Self { size, levels, files: Vec::new() })
    }

    fn push(&mut self, level: usize, hash: NodeHash) {
        if level == 0 {
            self.size += 1;
        }
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let Some(hashes) = self.levels.get_mut(level) else { return };
        hashes.push(hash);
        if hashes.len() < usize::from(TILE_WIDTH) {
            return;
        }
        let full = core::mem::take(hashes);
        let number = self.at(level) / WIDTH;
        if let Some(tile) = self.file(level, number.saturating_sub(1), full) {
            self.push(level + 1, tile.root());
        }
    }

    /// The partial tiles.
    fn edge(&mut self) {
        for level in 0..self.levels.len() {
            let hashes = self.levels.get(level).cloned().unwrap_or_default();
            let index = self.at(level) / WIDTH;
            self.file(level, index, hashes);
        }
    }

    /// How many hashes a level has.
    fn at(&self, level: usize) -> u64 {
        self.size.checked_shr(level as u32 * u32::from(TILE_HEIGHT)).unwrap_or(0)
    }

    fn file(&mut self, level: usize, index: u64, hashes: Vec<NodeHash>) -> Option<Tile> {
        let tile = Tile::from_hashes(hashes)?;
        let path = TilePath { resource: Resource::Level(level as u8), index, width: tile.width() };
        self.files.push((path.to_string(), tile.to_bytes()));
        Some(tile)
    }
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
