//! Why files are not those of the tree that a checkpoint claims.

use core::fmt;

use crate::hash::RootHash;
use crate::tile::{TileError, TilePath};

/// Why a log could not be read, or is not what its checkpoint says. `E` is why a file could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TiledLogError<E> {
    /// A file could not be read.
    Files(E),
    /// What the checkpoint says must be there is not.
    Missing {
        /// The file.
        path: TilePath,
    },
    /// A full tile or bundle is not there: a log may prune its beginning where a published retention policy lets it (c2sp.org/tlog-tiles).
    Gone {
        /// The file.
        path: TilePath,
    },
    /// Not a tile, or not a bundle.
    Malformed {
        /// The file.
        path: TilePath,
        /// Where.
        error: TileError,
    },
    /// The tree has no such tile.
    Tile(TileError),
    /// The tiles of the right edge do not hash to the checkpoint's root.
    NotTheTree {
        /// The checkpoint's size.
        size: u64,
        /// Its root.
        expected: RootHash,
        /// What the tiles hash to.
        found: RootHash,
    },
    /// A file that does not hash to its place in the tree.
    NotInTree {
        /// The file.
        path: TilePath,
        /// The tree's size.
        size: u64,
    },
    /// A tree seen before is not the beginning of this one.
    NotAPrefix {
        /// The size of the tree seen before.
        size: u64,
        /// Its root.
        expected: RootHash,
        /// The root at that size now.
        found: RootHash,
        /// The size of the tree now.
        now: u64,
    },
    /// An entry that this tree does not have.
    PastTheEnd {
        /// The position.
        position: u64,
        /// The tree's size.
        size: u64,
    },
}

impl<E: fmt::Display> fmt::Display for TiledLogError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(error) => error.fmt(f),
            Self::Missing { path } => write!(f, "there is no {path}"),
            Self::Gone { path } => {
                write!(f, "there is no {path}: the log has pruned its beginning, or what serves it has lost the file")
            }
            Self::Malformed { path, error } => write!(f, "{path} is malformed: {error}"),
            Self::Tile(error) => error.fmt(f),
            Self::NotTheTree { size, expected, found } => {
                write!(f, "the tiles at the edge of a tree of {size} hash to {found}, expected {expected}")
            }
            Self::NotInTree { path, size } => write!(f, "{path} is not part of the tree of {size} entries"),
            Self::NotAPrefix { size, expected, found, now } => {
                write!(f, "the tree of {now} has the root {found} at size {size}, expected {expected}")
            }
            Self::PastTheEnd { position, size } => write!(f, "there is no entry {position} in a tree of {size}"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for TiledLogError<E> {}
