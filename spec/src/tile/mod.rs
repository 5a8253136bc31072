#![doc = include_str!("../../text/tile.md")]

mod bundle;
mod path;
mod subtree;

pub use bundle::{decode_bundle, encode_bundle};
pub use path::{Resource, TilePath, tiles_for};
pub use subtree::{Tile, TileNodes, TileSource};

use core::fmt;

/// How many hashes or entries a full tile holds.
pub const TILE_WIDTH: u16 = 256;

/// The number of tree levels that one tile spans.
pub const TILE_HEIGHT: u8 = 8;

/// The highest level a tile path may name (c2sp.org/tlog-tiles).
pub const MAX_LEVEL: u8 = 63;

/// Why a tile, a bundle or a path was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TileError {
    /// Not the one spelling of a tile path.
    Path {
        /// What was found, shortened.
        found: String,
    },
    /// A tile holds 1 to 256 whole hashes, and exactly as many as its path says.
    TileLength {
        /// Bytes the tile should have.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A bundle ends within an entry, or goes on after its last one.
    BundleLength {
        /// How many entries the bundle should hold.
        expected: u16,
        /// How many whole entries there were.
        found: u16,
    },
    /// An entry too long for its two length bytes.
    EntryLength {
        /// Bytes of the entry.
        found: usize,
    },
    /// A subtree that no tile of the tree holds.
    NoSuchSubtree {
        /// Height of the subtree.
        level: u8,
        /// Its number among those of that height.
        index: u64,
    },
}

impl fmt::Display for TileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { found } => {
                write!(f, "expected a path like tile/0/x001/234.p/5 or tile/entries/000, found {found:?}")
            }
            Self::TileLength { expected, found } => write!(f, "expected a tile of {expected} bytes, found {found}"),
            Self::BundleLength { expected, found } => {
                write!(f, "expected a bundle of exactly {expected} entries, found {found} and other bytes or fewer")
            }
            Self::EntryLength { found } => write!(f, "an entry is at most 65535 bytes, found {found}"),
            Self::NoSuchSubtree { level, index } => {
                write!(f, "the tree has no complete subtree {index} of height {level}")
            }
        }
    }
}

impl core::error::Error for TileError {}

#[cfg(test)]
mod oracle;
