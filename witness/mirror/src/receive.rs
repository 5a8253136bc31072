//! Keeping packages that were pushed: each is checked under a checkpoint that our witness cosigned, then written, then counted.
//!
//! What two uploads bring of one log is the same, since both are parts of one history; so they may come at once, and what is here
//! already is not written again. A bundle is written when its package came; the tiles of a tree's edge when it is signed.

use std::io::Read;

use stele_durable::DurableError;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::{LeafHash, NodeHash};
use stele_spec::merkle::{Frontier, Nodes, SubtreeError, leaf_hash};
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, TileError, TilePath, decode_bundle, encode_bundle};
use stele_spec::tiledlog::Growth;

use crate::store::Store;
use crate::upload::{Package, Upload, first_of};

/// The most packages that are taken from one request; the specification asks clients to send 32. What follows is left: the answer says
/// where to go on.
pub const MAX_PACKAGES: usize = 64;

/// Why a package was not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Entries that are no part of the checkpoint's tree.
    #[error("the entries from {start} to {end} are no part of the tree of {size}: {reason}")]
    NotInTree {
        /// The first entry.
        start: u64,
        /// One beyond the last.
        end: u64,
        /// The tree.
        size: u64,
        /// Why.
        reason: SubtreeError,
    },
    /// This machine failed, or other bytes are in the place of a file.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A file of ours is not there, or is not what it was.
    #[error("{path} of the copy cannot be read")]
    Copy {
        /// Which.
        path: TilePath,
    },
    /// A bundle that cannot be written: a bug of ours.
    #[error(transparent)]
    Bundle(#[from] TileError),
}

/// How far an upload came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// One beyond the last entry of the upload that is here.
    pub to: u64,
    /// Whether a package was authenticated.
    pub any: bool,
}

/// Reads, checks and keeps packages until the upload's end or the body's. `upload.start` must not be beyond what is here.
pub fn receive(
    store: &Store,
    upload: &Upload,
    checkpoint: &Checkpoint,
    body: &mut impl Read,
) -> Result<Received, ReceiveError> {
    let mut received = Received { to: upload.start, any: false };
    for _ in 0..MAX_PACKAGES {
        if received.to >= upload.end {
            break;
        }
        let Some(package) = Package::read(body, received.to, upload.end) else { break };
        keep(store, &package, checkpoint)?;
        received = Received { to: package.end(), any: true };
    }
    Ok(received)
}

fn keep(store: &Store, package: &Package, checkpoint: &Checkpoint) -> Result<(), ReceiveError> {
    let (start, end, first) = (package.start, package.end(), first_of(package.start));
    let mut entries = stored(store, first, start)?;
    entries.extend_from_slice(&package.entries);
    let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut part = Frontier::new();
    leaves.iter().for_each(|leaf| part.push(*leaf));
    let (size, root) = (checkpoint.size(), checkpoint.root());
    let checked = package.proof.check(first, end, part.root(), size, root);
    checked.map_err(|reason| ReceiveError::NotInTree { start, end, size, reason })?;
    if end <= store.copied()? {
        return Ok(());
    }
    if entries.len() == usize::from(TILE_WIDTH) {
        let mut growth = Growth::after(first, &Full(store))?;
        growth.bundle(&entries, &leaves)?;
        store.put(growth.take())?;
    } else {
        let path = bundle_path(first, end);
        store.put([(path, encode_bundle(entries.iter().map(Vec::as_slice))?)])?;
    }
    Ok(store.count(end)?)
}

/// Puts what the tree of `size` entries has at its edge. All of its entries must be here.
pub fn finish(store: &Store, size: u64) -> Result<(), ReceiveError> {
    let first = first_of(size);
    let mut growth = Growth::after(first, &Full(store))?;
    if first < size {
        let entries = stored(store, first, size)?;
        let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        growth.bundle(&entries, &leaves)?;
    }
    Ok(store.put(growth.take().into_iter().chain(growth.edge()))?)
}

/// The entries `[first, end)` of one bundle, from here.
fn stored(store: &Store, first: u64, end: u64) -> Result<Vec<Vec<u8>>, ReceiveError> {
    if first == end {
        return Ok(Vec::new());
    }
    let path = bundle_path(first, store.copied()?.min(first + u64::from(TILE_WIDTH)));
    let unread = || ReceiveError::Copy { path };
    let bytes = store.tile(path)?.ok_or_else(unread)?;
    let entries = decode_bundle(&bytes, path.width).map_err(|_| unread())?;
    let wanted: Vec<_> = entries.into_iter().take((end - first) as usize).map(<[u8]>::to_vec).collect();
    if wanted.len() as u64 == end - first { Ok(wanted) } else { Err(unread()) }
}

fn bundle_path(first: u64, end: u64) -> TilePath {
    let width = end.saturating_sub(first).min(u64::from(TILE_WIDTH)) as u16;
    TilePath { resource: Resource::Entries, index: first / u64::from(TILE_WIDTH), width }
}

/// The hashes above full tiles that are here: what `Growth` begins with.
struct Full<'a>(&'a Store);

impl Nodes for Full<'_> {
    type Error = ReceiveError;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, ReceiveError> {
        let below = (level / TILE_HEIGHT).saturating_sub(1);
        let path = TilePath::full(Resource::Level(below), index);
        let bytes = self.0.tile(path)?.ok_or(ReceiveError::Copy { path })?;
        Tile::parse(&bytes, TILE_WIDTH).map(|tile| tile.root()).map_err(|_| ReceiveError::Copy { path })
    }
}
