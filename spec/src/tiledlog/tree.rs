//! The tree under a checkpoint, from tiles that are each checked before they are used.
//!
//! The tiles of the right edge are partial ones, and the peaks of the tree are in them and nowhere else: so they are right
//! if and only if their peaks fold to the root of the checkpoint. A full tile is right if it hashes to its place in the tile
//! above it. No tile of the leaves is read for entries: a bundle hashes to its place in a tile of level 1.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunk::Chunk;
use super::{Files, MAX_BUNDLE, MAX_TILE, TiledLogError};
use crate::checkpoint::Checkpoint;
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::merkle::{self, ConsistencyError, ConsistencyProof, Nodes, node_hash};
use crate::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, TilePath, decode_bundle};

/// How many full tiles are kept: a walk from start to end needs one of each level.
const KEPT: usize = 32;
const WIDTH: u64 = TILE_WIDTH as u64;

/// A log under a checkpoint. Whether the checkpoint is to be believed is for anyone who brings it to know.
#[derive(Debug)]
pub struct TiledLog<F> {
    files: F,
    checkpoint: Checkpoint,
    edge: Edge,
    kept: Mutex<Kept>,
}

/// Full tiles by level and index, the newest first.
type Kept = VecDeque<(u8, u64, Arc<Tile>)>;

/// The partial tiles of a tree, by level: they hold all its peaks.
#[derive(Debug)]
struct Edge(Vec<Option<Arc<Tile>>>);

impl<F: Files> TiledLog<F> {
    /// Reads the edge of the tree and checks it.
    pub fn open(files: F, checkpoint: Checkpoint) -> Result<Self, TiledLogError<F::Error>> {
        let size = checkpoint.size();
        let mut edge = Edge(Vec::new());
        let mut hashes = size;
        for level in 0u8.. {
            if hashes == 0 {
                break;
            }
            let width = (hashes % WIDTH) as u16;
            let path = TilePath { resource: Resource::Level(level), index: hashes / WIDTH, width };
            edge.0.push(if width == 0 { None } else { Some(Arc::new(read_tile(&files, path)?)) });
            hashes /= WIDTH;
        }
        let found = merkle::root_at(&edge, size).map_err(TiledLogError::Tile)?;
        let expected = checkpoint.root();
        if found != expected {
            return Err(TiledLogError::NotTheTree { size, expected, found });
        }
        Ok(Self { files, checkpoint, edge, kept: Mutex::default() })
    }

    /// What the log is held against.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// The root of the first `size` entries of this tree.
    pub fn root_at(&self, size: u64) -> Result<RootHash, TiledLogError<F::Error>> {
        merkle::root_at(self, size)
    }

    /// Whether a tree that was seen before is the beginning of this one.
    pub fn check_prefix(&self, size: u64, root: RootHash) -> Result<(), TiledLogError<F::Error>> {
        let found = self.root_at(size)?;
        if found == root {
            return Ok(());
        }
        Err(TiledLogError::NotAPrefix { size, expected: root, found, now: self.size() })
    }

    /// The proof that the tree of `old` entries, as this log has it, is the beginning of this one.
    pub fn prove_consistency(&self, old: u64) -> Result<ConsistencyProof, TiledLogError<F::Error>> {
        merkle::prove_consistency(self, old, self.size()).map_err(|error| match error {
            ConsistencyError::Nodes(error) => error,
            _ => TiledLogError::Tile(TileError::NoSuchSubtree { level: 0, index: old }),
        })
    }

    /// One entry.
    pub fn entry(&self, position: u64) -> Result<Vec<u8>, TiledLogError<F::Error>> {
        let mut chunk = self.bundle(position / WIDTH)?;
        let at = (position % WIDTH) as usize;
        if at >= chunk.entries.len() {
            return Err(TiledLogError::PastTheEnd { position, size: self.size() });
        }
        Ok(chunk.entries.swap_remove(at))
    }

    /// The entries of one bundle, checked.
    pub fn bundle(&self, index: u64) -> Result<Chunk, TiledLogError<F::Error>> {
        let first = index.saturating_mul(WIDTH);
        let width = self.size().saturating_sub(first).min(WIDTH) as u16;
        if width == 0 {
            return Err(TiledLogError::PastTheEnd { position: first, size: self.size() });
        }
        let path = TilePath { resource: Resource::Entries, index, width };
        let (bytes, have) = read_at_least(&self.files, path, MAX_BUNDLE)?;
        let malformed = |error| TiledLogError::Malformed { path, error };
        let entries: Vec<Vec<u8>> = decode_bundle(&bytes, have)
            .map_err(malformed)?
            .into_iter()
            .take(usize::from(width))
            .map(<[u8]>::to_vec)
            .collect();
        let leaves: Vec<LeafHash> = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
        let nodes = leaves.iter().copied().map(NodeHash::from);
        let right = if width == TILE_WIDTH {
            fold(nodes.collect()) == Some(self.node(TILE_HEIGHT, index)?)
        } else {
            let tile = self.tile(0, index)?;
            tile.width() == width && nodes.zip(0..).all(|(leaf, at)| tile.hash(at) == Some(leaf))
        };
        if right {
            Ok(Chunk { first, entries, leaves })
        } else {
            Err(TiledLogError::NotInTree { path, size: self.size() })
        }
    }

    /// A tile of this tree, checked: of the edge, or full.
    fn tile(&self, level: u8, index: u64) -> Result<Arc<Tile>, TiledLogError<F::Error>> {
        let refuse = || TiledLogError::Tile(TileError::NoSuchSubtree { level, index });
        let hashes = self.size().checked_shr(u32::from(level) * 8).unwrap_or(0);
        if index == hashes / WIDTH {
            return self.edge.tile(level).ok_or_else(refuse);
        }
        if index > hashes / WIDTH {
            return Err(refuse());
        }
        if let Some(kept) = self.keeps(level, index) {
            return Ok(kept);
        }
        let path = TilePath::full(Resource::Level(level), index);
        let tile = read_tile(&self.files, path)?;
        // The tree is not deeper than its edge, so this ends there.
        let above = self.tile(level + 1, index / WIDTH)?;
        let hashes = (0..TILE_WIDTH).filter_map(|at| tile.hash(at)).collect();
        if above.hash((index % WIDTH) as u16) != fold(hashes) {
            return Err(TiledLogError::NotInTree { path, size: self.size() });
        }
        let tile = Arc::new(tile);
        let mut kept = self.kept();
        kept.push_front((level, index, tile.clone()));
        kept.truncate(KEPT);
        Ok(tile)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeps(&self, level: u8, index: u64) -> Option<Arc<Tile>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(l, i, _)| (*l, *i) == (level, index))?;
        let found = kept.remove(at)?;
        let tile = found.2.clone();
        kept.push_front(found);
        Some(tile)
    }
}

impl<F: Files> Nodes for TiledLog<F> {
    type Error = TiledLogError<F::Error>;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, TiledLogError<F::Error>> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let tile_index = index >> (TILE_HEIGHT - height);
        let within = index - (tile_index << (TILE_HEIGHT - height));
        let tile = self.tile(tile_level, tile_index)?;
        subtree(&tile, height, within).ok_or(TiledLogError::Tile(TileError::NoSuchSubtree { level, index }))
    }
}

impl Edge {
    fn tile(&self, level: u8) -> Option<Arc<Tile>> {
        self.0.get(usize::from(level))?.clone()
    }
}

/// Only for the peaks, all of which are in partial tiles.
impl Nodes for Edge {
    type Error = TileError;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, TileError> {
        let height = level % TILE_HEIGHT;
        let within = index & ((1 << (TILE_HEIGHT - height)) - 1);
        self.tile(level / TILE_HEIGHT)
            .and_then(|tile| subtree(&tile, height, within))
            .ok_or(TileError::NoSuchSubtree { level, index })
    }
}

/// The root of the perfect subtree of `height` levels that is `index`-th in a tile.
///
/// Not `Tile::subtree`: what is built by one piece of code is checked by another.
fn subtree(tile: &Tile, height: u8, index: u64) -> Option<NodeHash> {
    let first = u16::try_from(index << height).ok()?;
    let end = first.checked_add(1 << height)?;
    fold((first..end).map(|at| tile.hash(at)).collect::<Option<Vec<_>>>()?)
}

/// The root over hashes whose number is a power of two; none of another number.
fn fold(mut hashes: Vec<NodeHash>) -> Option<NodeHash> {
    while hashes.len() > 1 {
        let (pairs, rest) = hashes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop()
}

fn read_tile<F: Files>(files: &F, path: TilePath) -> Result<Tile, TiledLogError<F::Error>> {
    let (mut bytes, have) = read_at_least(files, path, MAX_TILE)?;
    let malformed = |error| TiledLogError::Malformed { path, error };
    if bytes.len() != usize::from(have) * 32 {
        return Err(malformed(TileError::TileLength { expected: usize::from(have) * 32, found: bytes.len() }));
    }
    bytes.truncate(usize::from(path.width) * 32);
    Tile::parse(&bytes, path.width).map_err(malformed)
}

/// A tile or bundle and its width: a partial one may have been removed once the full one is there (c2sp.org/tlog-tiles).
fn read_at_least<F: Files>(files: &F, path: TilePath, limit: u64) -> Result<(Vec<u8>, u16), TiledLogError<F::Error>> {
    if let Some(bytes) = files.read(&path.to_string(), limit).map_err(TiledLogError::Files)? {
        return Ok((bytes, path.width));
    }
    let full = TilePath { width: TILE_WIDTH, ..path };
    if !path.is_full()
        && let Some(bytes) = files.read(&full.to_string(), limit).map_err(TiledLogError::Files)?
    {
        return Ok((bytes, TILE_WIDTH));
    }
    Err(if path.is_full() { TiledLogError::Gone { path } } else { TiledLogError::Missing { path } })
}
