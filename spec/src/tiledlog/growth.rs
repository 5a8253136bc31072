//! The files that entries make: bundles and the tiles over them, in the order in which they become full.

use crate::hash::{LeafHash, NodeHash};
use crate::merkle::Nodes;
use crate::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, TilePath, encode_bundle};

const WIDTH: u64 = TILE_WIDTH as u64;

/// A tree that grows, and the files that this makes. It holds the hashes of one tile a level, and the files until they are taken.
#[derive(Debug)]
pub struct Growth {
    size: u64,
    /// The hashes of each level's last tile, which is not full.
    levels: Vec<Vec<NodeHash>>,
    files: Vec<(TilePath, Vec<u8>)>,
}

impl Growth {
    /// After `size` entries, rounded down to full bundles; what the tiles of the levels above begin with comes from `nodes`.
    pub fn after<N: Nodes>(size: u64, nodes: &N) -> Result<Self, N::Error> {
        let size = size / WIDTH * WIDTH;
        let mut levels = vec![Vec::new()];
        for level in 1u8.. {
            let end = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
            if end == 0 {
                break;
            }
            let first = end / WIDTH * WIDTH;
            levels.push((first..end).map(|index| nodes.node(level * TILE_HEIGHT, index)).collect::<Result<_, _>>()?);
        }
        Ok(Self { size, levels, files: Vec::new() })
    }

    /// How many entries there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends the entries of one bundle, full or the last one, with their leaf hashes.
    pub fn bundle(&mut self, entries: &[Vec<u8>], leaves: &[LeafHash]) -> Result<(), TileError> {
        let bytes = encode_bundle(entries.iter().map(Vec::as_slice))?;
        let path = TilePath { resource: Resource::Entries, index: self.size / WIDTH, width: entries.len() as u16 };
        self.files.push((path, bytes));
        leaves.iter().for_each(|leaf| self.push(0, NodeHash::from(*leaf)));
        Ok(())
    }

    /// The files made since the last call: full tiles and the bundles that came.
    pub fn take(&mut self) -> Vec<(TilePath, Vec<u8>)> {
        core::mem::take(&mut self.files)
    }

    /// How many bytes the files hold that were not taken yet.
    pub fn untaken(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// The partial tiles of the tree as it is.
    pub fn edge(&self) -> Vec<(TilePath, Vec<u8>)> {
        let tiles = self.levels.iter().enumerate().filter_map(|(level, hashes)| {
            let tile = Tile::from_hashes(hashes.clone())?;
            Some((self.path(level, self.at(level) / WIDTH, &tile), tile.to_bytes()))
        });
        tiles.collect()
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
        if let Some(tile) = Tile::from_hashes(full) {
            self.files.push((self.path(level, number.saturating_sub(1), &tile), tile.to_bytes()));
            self.push(level + 1, tile.root());
        }
    }

    /// How many hashes a level has.
    fn at(&self, level: usize) -> u64 {
        self.size.checked_shr(level as u32 * u32::from(TILE_HEIGHT)).unwrap_or(0)
    }

    fn path(&self, level: usize, index: u64, tile: &Tile) -> TilePath {
        TilePath { resource: Resource::Level(level as u8), index, width: tile.width() }
    }
}
