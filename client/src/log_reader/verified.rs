//! The tree under a head, from tiles that are each checked before they are used.
//!
//! The tiles of the right edge are partial ones, and the peaks of the tree are in them and nowhere else: so they are right
//! if and only if their peaks fold to the root of the head. A full tile is right if it hashes to its place in the tile
//! above it. No tile of the leaves is read for entries: a bundle hashes to its place in a tile of level 1.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use stele_spec::hash::{LeafHash, NodeHash, RootHash};
use stele_spec::merkle::{self, ConsistencyProof, Nodes, node_hash};
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, TilePath, decode_bundle};

use super::entries::{Chunk, Entries};
use super::{Head, LogSource, ReadError};

/// How many full tiles are kept: a walk from start to end needs one of each level.
const KEPT: usize = 32;
/// The largest bundle: 256 entries of 65,535 bytes, each after two length bytes.
const MAX_BUNDLE: u64 = 256 * 65_537;
/// The largest tile.
const MAX_TILE: u64 = 256 * 32;
const WIDTH: u64 = TILE_WIDTH as u64;

/// A log under a head that the policy vouches for.
#[derive(Debug)]
pub(crate) struct VerifiedLog<'a> {
    source: &'a LogSource,
    head: Head,
    edge: Edge,
    kept: RefCell<VecDeque<(u8, u64, Arc<Tile>)>>,
}

/// The partial tiles of a tree, by level: they hold all its peaks.
#[derive(Debug)]
struct Edge(Vec<Option<Arc<Tile>>>);

impl<'a> VerifiedLog<'a> {
    pub(super) fn open(source: &'a LogSource, head: Head) -> Result<Self, ReadError> {
        let size = head.size();
        let mut edge = Edge(Vec::new());
        let mut hashes = size;
        for level in 0u8.. {
            if hashes == 0 {
                break;
            }
            let width = (hashes % WIDTH) as u16;
            let path = TilePath { resource: Resource::Level(level), index: hashes / WIDTH, width };
            edge.0.push(if width == 0 { None } else { Some(Arc::new(read_tile(source, path)?)) });
            hashes /= WIDTH;
        }
        let found = merkle::root_at(&edge, size).map_err(ReadError::Tile)?;
        let expected = head.checkpoint().root();
        if found != expected {
            return Err(ReadError::NotTheTree { place: source.to_string(), size, expected, found });
        }
        Ok(Self { source, head, edge, kept: RefCell::default() })
    }

    /// The head.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// How many entries.
    pub(crate) fn size(&self) -> u64 {
        self.head.size()
    }

    /// The root of the first `size` entries of this tree.
    pub(crate) fn root_at(&self, size: u64) -> Result<RootHash, ReadError> {
        merkle::root_at(self, size)
    }

    /// Whether a tree that was seen before is the beginning of this one.
    pub(crate) fn check_prefix(&self, size: u64, root: RootHash) -> Result<(), ReadError> {
        let found = self.root_at(size)?;
        if found == root {
            return Ok(());
        }
        Err(ReadError::NotAPrefix { place: self.source.to_string(), size, expected: root, found, now: self.size() })
    }

    /// The proof that the tree of `old` entries, as this log has it, is the beginning of this one.
    pub(crate) fn prove_consistency(&self, old: u64) -> Result<ConsistencyProof, ReadError> {
        merkle::prove_consistency(self, old, self.size()).map_err(|error| match error {
            merkle::ConsistencyError::Nodes(error) => error,
            _ => ReadError::Tile(TileError::NoSuchSubtree { level: 0, index: old }),
        })
    }

    /// The entries from a position to the end, in checked chunks.
    pub(crate) fn entries(&self, from: u64) -> Entries<'_> {
        Entries::new(self, from)
    }

    /// One entry.
    pub(crate) fn entry(&self, position: u64) -> Result<Vec<u8>, ReadError> {
        let mut chunk = self.bundle(position / WIDTH)?;
        let at = (position % WIDTH) as usize;
        if at >= chunk.entries.len() {
            return Err(ReadError::PastTheEnd { position, size: self.size() });
        }
        Ok(chunk.entries.swap_remove(at))
    }

    /// The entries of one bundle, checked.
    pub(super) fn bundle(&self, index: u64) -> Result<Chunk, ReadError> {
        let first = index.saturating_mul(WIDTH);
        let width = self.size().saturating_sub(first).min(WIDTH) as u16;
        if width == 0 {
            return Err(ReadError::PastTheEnd { position: first, size: self.size() });
        }
        let path = TilePath { resource: Resource::Entries, index, width };
        let (bytes, have) = read_at_least(self.source, path, MAX_BUNDLE)?;
        let malformed = |error| ReadError::Malformed { place: self.source.place_of(&path.to_string()), error };
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
            Err(ReadError::NotInTree { place: self.source.place_of(&path.to_string()), size: self.size() })
        }
    }

    /// A tile of this tree, checked: of the edge, or full.
    fn tile(&self, level: u8, index: u64) -> Result<Arc<Tile>, ReadError> {
        let refuse = || ReadError::Tile(TileError::NoSuchSubtree { level, index });
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
        let tile = read_tile(self.source, path)?;
        // The tree is not deeper than its edge, so this ends there.
        let above = self.tile(level + 1, index / WIDTH)?;
        let hashes = (0..TILE_WIDTH).filter_map(|at| tile.hash(at)).collect();
        if above.hash((index % WIDTH) as u16) != fold(hashes) {
            return Err(ReadError::NotInTree { place: self.source.place_of(&path.to_string()), size: self.size() });
        }
        let tile = Arc::new(tile);
        let mut kept = self.kept.borrow_mut();
        kept.push_front((level, index, tile.clone()));
        kept.truncate(KEPT);
        Ok(tile)
    }

    fn keeps(&self, level: u8, index: u64) -> Option<Arc<Tile>> {
        let mut kept = self.kept.borrow_mut();
        let at = kept.iter().position(|(l, i, _)| (*l, *i) == (level, index))?;
        let found = kept.remove(at)?;
        let tile = found.2.clone();
        kept.push_front(found);
        Some(tile)
    }
}

impl Nodes for VerifiedLog<'_> {
    type Error = ReadError;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, ReadError> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let tile_index = index >> (TILE_HEIGHT - height);
        let within = index - (tile_index << (TILE_HEIGHT - height));
        let tile = self.tile(tile_level, tile_index)?;
        subtree(&tile, height, within).ok_or(ReadError::Tile(TileError::NoSuchSubtree { level, index }))
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

fn read_tile(source: &LogSource, path: TilePath) -> Result<Tile, ReadError> {
    let (mut bytes, have) = read_at_least(source, path, MAX_TILE)?;
    let malformed = |error| ReadError::Malformed { place: source.place_of(&path.to_string()), error };
    if bytes.len() != usize::from(have) * 32 {
        return Err(malformed(TileError::TileLength { expected: usize::from(have) * 32, found: bytes.len() }));
    }
    bytes.truncate(usize::from(path.width) * 32);
    Tile::parse(&bytes, path.width).map_err(malformed)
}

/// A tile or bundle and its width: a partial one may have been removed once the full one is there (c2sp.org/tlog-tiles).
fn read_at_least(source: &LogSource, path: TilePath, limit: u64) -> Result<(Vec<u8>, u16), ReadError> {
    if let Some(bytes) = source.read(&path.to_string(), limit)? {
        return Ok((bytes, path.width));
    }
    let full = TilePath { width: TILE_WIDTH, ..path };
    if !path.is_full()
        && let Some(bytes) = source.read(&full.to_string(), limit)?
    {
        return Ok((bytes, TILE_WIDTH));
    }
    Err(ReadError::Missing { place: source.place_of(&path.to_string()) })
}
