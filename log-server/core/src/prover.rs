//! Proofs of inclusion under the published head, each verified before it leaves.
//!
//! The inner nodes of a tile are computed once and kept: a tile of 256 hashes with its inner nodes takes 16 KiB.

use crate::tiles::{StoreError, TileStore};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use stele_spec::hash::{LeafHash, NodeHash};
use stele_spec::merkle::{InclusionError, InclusionProof, Nodes, node_hash, prove_inclusion};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::proof::{ProofError, TlogProof, check_under};
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, TileError, TilePath, TileSource};

/// How many tiles are kept with their inner nodes: 16 MiB.
const KEPT: usize = 1024;

/// Makes proofs. Cloning shares what it keeps.
#[derive(Clone, Debug)]
pub struct Prover {
    store: TileStore,
    kept: Arc<Mutex<Kept>>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The store does not have what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such entry under this head.
    #[error("no entry {position} in a tree of {size}")]
    OutOfRange {
        /// The position asked for.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof did not pass its own check: the store and the head disagree.
    #[error("the proof that was made does not verify: {0}")]
    Check(ProofError),
    /// The path has a shape that it cannot have.
    #[error("the tree cannot be proven: {0}")]
    Shape(String),
}

impl Prover {
    /// A prover over these files.
    pub fn new(store: &TileStore) -> Self {
        Self { store: store.clone(), kept: Arc::default() }
    }

    /// The proof that `entry` is at `position`, checked under the head.
    pub fn prove(&self, published: &TrustedCheckpoint, position: u64, entry: &[u8]) -> Result<TlogProof, ProveError> {
        let path = self.path(published, position, published.size())?;
        let proof = TlogProof::new(position, path, published.note().clone());
        check_under(&proof, entry, published.trusted().clone()).map_err(ProveError::Check)?;
        Ok(proof)
    }

    /// The path from `position` to the root of the tree of `size` entries, which is published or older; not checked.
    pub fn path(&self, published: &TrustedCheckpoint, position: u64, size: u64) -> Result<InclusionProof, ProveError> {
        if size > published.size() {
            return Err(ProveError::OutOfRange { position: size, size: published.size() });
        }
        // Every perfect subtree of an older tree is one of the published tree.
        let nodes = KeptNodes { prover: self, size: published.size() };
        prove_inclusion(&nodes, position, size).map_err(|error| match error {
            InclusionError::OutOfRange { position, size } => ProveError::OutOfRange { position, size },
            InclusionError::Nodes(error) => ProveError::Store(error),
            other => ProveError::Shape(format!("{other:?}")),
        })
    }

    /// The leaf hashes at ascending positions of the published tree. Each tile is read once, and none is kept: who asks
    /// for a long list must not drive out what every proof needs.
    pub fn leaves(&self, published: &TrustedCheckpoint, positions: &[u64]) -> Result<Vec<LeafHash>, ProveError> {
        let (width, size) = (u64::from(TILE_WIDTH), published.size());
        let mut leaves = Vec::with_capacity(positions.len());
        for group in positions.chunk_by(|a, b| a / width == b / width) {
            let Some(index) = group.first().map(|position| position / width) else { continue };
            let path = TilePath {
                resource: Resource::Level(0),
                index,
                width: size.saturating_sub(index * width).min(width) as u16,
            };
            let tile = self.store.tile(path)?;
            for position in group {
                let leaf = tile.leaf((position % width) as u16);
                leaves.push(leaf.ok_or(ProveError::OutOfRange { position: *position, size })?);
            }
        }
        Ok(leaves)
    }

    /// The proof of what is at `position`, and its bytes.
    pub fn prove_stored(
        &self,
        published: &TrustedCheckpoint,
        position: u64,
    ) -> Result<(TlogProof, Vec<u8>), ProveError> {
        let size = published.size();
        if position >= size {
            return Err(ProveError::OutOfRange { position, size });
        }
        let entry = self.store.entry(position, size)?;
        Ok((self.prove(published, position, &entry)?, entry))
    }

    fn subtrees(&self, path: TilePath) -> Result<Arc<Subtrees>, StoreError> {
        if let Some(found) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).tiles.get(&path) {
            return Ok(found.clone());
        }
        let tile = self.store.tile(path)?;
        let subtrees = Arc::new(Subtrees::of((0..path.width).filter_map(|i| tile.hash(i)).collect()));
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).keep(path, subtrees.clone());
        Ok(subtrees)
    }
}

/// The nodes of a tree of `size` entries, from kept tiles.
struct KeptNodes<'a> {
    prover: &'a Prover,
    size: u64,
}

impl Nodes for KeptNodes<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<NodeHash, StoreError> {
        let missing = || StoreError::Tile(TileError::NoSuchSubtree { level, index });
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let tile_index = index >> (TILE_HEIGHT - height);
        let hashes = self.size.checked_shr(8 * u32::from(tile_level)).unwrap_or(0);
        let before = tile_index.checked_mul(u64::from(TILE_WIDTH)).ok_or_else(missing)?;
        let width = hashes.saturating_sub(before).min(u64::from(TILE_WIDTH)) as u16;
        if width == 0 {
            return Err(missing());
        }
        let path = TilePath { resource: Resource::Level(tile_level), index: tile_index, width };
        let within = index - (tile_index << (TILE_HEIGHT - height));
        self.prover.subtrees(path)?.node(height, within).ok_or_else(missing)
    }
}

/// A tile with the roots of all perfect subtrees in it, by height.
#[derive(Debug)]
struct Subtrees(Vec<Vec<NodeHash>>);

impl Subtrees {
    fn of(hashes: Vec<NodeHash>) -> Self {
        let mut levels = vec![hashes];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let (pairs, _) = below.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(above);
        }
        Self(levels)
    }

    fn node(&self, height: u8, index: u64) -> Option<NodeHash> {
        self.0.get(usize::from(height))?.get(usize::try_from(index).ok()?).copied()
    }
}

#[derive(Debug, Default)]
struct Kept {
    tiles: HashMap<TilePath, Arc<Subtrees>>,
    order: VecDeque<TilePath>,
}

impl Kept {
    fn keep(&mut self, path: TilePath, subtrees: Arc<Subtrees>) {
        if self.tiles.insert(path, subtrees).is_none() {
            self.order.push_back(path);
        }
        while self.order.len() > KEPT {
            let Some(oldest) = self.order.pop_front() else { return };
            self.tiles.remove(&oldest);
        }
    }
}
