//! One tile's worth of tree, built by `rs_merkle`; and any perfect subtree of a log from its tiles.

use rs_merkle::MerkleTree;

use super::{Resource, TILE_HEIGHT, TILE_WIDTH, TileError, TilePath};
use crate::hash::{LeafHash, NodeHash};
use crate::merkle::{Nodes, node_hash};

/// The hashing of RFC 6962 §2.1 for `rs_merkle`, whose leaves are hashes already.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        *crate::merkle::leaf_hash(data).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| *node_hash(&NodeHash::from_bytes(*left), &NodeHash::from_bytes(*right)).as_bytes())
    }
}

/// 1 to 256 consecutive hashes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    hashes: Vec<[u8; 32]>,
}

impl Tile {
    /// Takes the hashes of a tile; none if there are no or too many of them.
    pub fn from_hashes(hashes: Vec<NodeHash>) -> Option<Self> {
        let hashes: Vec<_> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
        (1..=usize::from(TILE_WIDTH)).contains(&hashes.len()).then_some(Self { hashes })
    }

    /// Reads a tile of `width` hashes.
    pub fn parse(bytes: &[u8], width: u16) -> Result<Self, TileError> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != usize::from(width) || !(1..=TILE_WIDTH).contains(&width) {
            return Err(TileError::TileLength { expected: usize::from(width) * 32, found: bytes.len() });
        }
        Ok(Self { hashes: hashes.to_vec() })
    }

    /// The bytes that are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// How many hashes the tile holds.
    pub fn width(&self) -> u16 {
        self.hashes.len() as u16
    }

    /// The hash at `position`, 0 to `width - 1`.
    pub fn hash(&self, position: u16) -> Option<NodeHash> {
        self.hashes.get(usize::from(position)).copied().map(NodeHash::from_bytes)
    }

    /// The leaf hash at `position` of a tile of level 0.
    pub fn leaf(&self, position: u16) -> Option<LeafHash> {
        self.hashes.get(usize::from(position)).copied().map(LeafHash::from_bytes)
    }

    /// The root over the whole tile.
    pub fn root(&self) -> NodeHash {
        // A tile is never empty, so its tree has a root.
        NodeHash::from_bytes(MerkleTree::<Rfc6962>::from_leaves(&self.hashes).root().unwrap_or_default())
    }

    /// The root of the perfect subtree of `height` levels (0 to 8) that is `index`-th in this tile.
    pub fn subtree(&self, height: u8, index: u64) -> Option<NodeHash> {
        let start = usize::try_from(index.checked_shl(u32::from(height))?).ok()?;
        let hashes = self.hashes.get(start..start.checked_add(1 << height)?)?;
        match hashes {
            [hash] => Some(NodeHash::from_bytes(*hash)),
            _ => MerkleTree::<Rfc6962>::from_leaves(hashes).root().map(NodeHash::from_bytes),
        }
    }
}

/// Where tiles come from: files, a server, memory.
pub trait TileSource {
    /// Why a tile could not be had.
    type Error: From<TileError>;

    /// The tile of this level and index, with exactly the width of the path.
    fn tile(&self, path: TilePath) -> Result<Tile, Self::Error>;
}

/// The perfect subtrees of a log of `size` entries, from its tiles.
#[derive(Debug, Clone, Copy)]
pub struct TileNodes<'a, S> {
    source: &'a S,
    size: u64,
}

impl<'a, S: TileSource> TileNodes<'a, S> {
    /// The tree of `size` entries over these tiles.
    pub const fn new(source: &'a S, size: u64) -> Self {
        Self { source, size }
    }
}

impl<S: TileSource> Nodes for TileNodes<'_, S> {
    type Error = S::Error;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, S::Error> {
        let refuse = || TileError::NoSuchSubtree { level, index };
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        // Tile `index >> (8 - height)` of the level holds the subtree; the tree has `size >> 8 * tile_level` hashes there.
        let tile_index = index >> (TILE_HEIGHT - height);
        let hashes = self.size.checked_shr(u32::from(tile_level) * 8).unwrap_or(0);
        let before = tile_index.checked_mul(u64::from(TILE_WIDTH)).ok_or_else(refuse)?;
        let width = hashes.saturating_sub(before).min(u64::from(TILE_WIDTH)) as u16;
        if width == 0 {
            return Err(refuse().into());
        }
        let tile = self.source.tile(TilePath { resource: Resource::Level(tile_level), index: tile_index, width })?;
        tile.subtree(height, index - (tile_index << (TILE_HEIGHT - height))).ok_or_else(|| refuse().into())
    }
}
