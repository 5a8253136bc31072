//! The right edge of the log: what is needed to append entries and to know which tiles that makes.
//!
//! It holds the last, partial tile of each level and the last, partial entry bundle: at most 256 hashes a level and 256
//! entries. Whole tiles leave it the moment they are full.

use stele_spec::hash::{LeafHash, NodeHash, RootHash};
use stele_spec::merkle::Frontier;
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TilePath};

/// A tile or bundle and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it is served.
    pub path: TilePath,
    /// What is served.
    pub bytes: Vec<u8>,
}

/// A tree of some size, by its right edge.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    frontier: Frontier,
    levels: Vec<Vec<NodeHash>>,
    bundle: Vec<u8>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Its root.
    pub fn root(&self) -> RootHash {
        self.frontier.root()
    }

    /// Appends an entry of at most 65,535 bytes; whole tiles go to `full`.
    pub fn push(&mut self, entry: &[u8], leaf: LeafHash, full: &mut Vec<Object>) {
        self.frontier.push(leaf);
        // The length fits: admission refuses what is longer than an entry may be.
        self.bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let mut node = NodeHash::from(leaf);
        for level in 0_u8.. {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(node);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            // `size / 256^(level + 1)` tiles of this level are full now, this one the last.
            let index = (self.frontier.size() >> (8 * (u32::from(level) + 1))) - 1;
            if level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                full.push(Object { path: TilePath::full(Resource::Entries, index), bytes });
            }
            let Some(tile) = Tile::from_hashes(std::mem::take(hashes)) else { return };
            full.push(Object { path: TilePath::full(Resource::Level(level), index), bytes: tile.to_bytes() });
            node = tile.root();
        }
    }

    /// The partial bundle and tiles of this size.
    pub fn partials(&self) -> Vec<Object> {
        let mut objects = Vec::new();
        for (level, hashes) in (0_u8..).zip(&self.levels) {
            let Some(path) = self.partial(level) else { continue };
            if level == 0 {
                objects.push(Object {
                    path: TilePath { resource: Resource::Entries, ..path },
                    bytes: self.bundle.clone(),
                });
            }
            objects.push(Object { path, bytes: hashes.iter().flat_map(|hash| *hash.as_bytes()).collect() });
        }
        objects
    }

    /// What a tree needs on disk that was grown from `old` to this one, given the tiles that became full.
    pub fn grown_from(&self, old: &Self, mut full: Vec<Object>) -> Vec<Object> {
        let new = |object: &Object| match object.path.resource {
            Resource::Entries => {
                old.partial(0).is_none_or(|path| (path.index, path.width) != (object.path.index, object.path.width))
            }
            Resource::Level(level) => old.partial(level) != Some(object.path),
        };
        full.extend(self.partials().into_iter().filter(new));
        full
    }

    /// The path of the partial tile of a level, if this size has one.
    fn partial(&self, level: u8) -> Option<TilePath> {
        let width = self.levels.get(usize::from(level))?.len();
        let index = self.frontier.size() >> (8 * (u32::from(level) + 1));
        (width > 0).then_some(TilePath { resource: Resource::Level(level), index, width: width as u16 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use stele_spec::merkle::leaf_hash;
    use stele_spec::tile::{decode_bundle, tiles_for};

    fn grow(tree: &mut Tree, to: u64) -> Vec<Object> {
        let old = tree.clone();
        let mut full = Vec::new();
        for i in tree.size()..to {
            let entry = format!("entry {i}");
            tree.push(entry.as_bytes(), leaf_hash(entry.as_bytes()), &mut full);
        }
        tree.grown_from(&old, full)
    }

    #[test]
    fn growing_makes_exactly_the_tiles_that_the_format_asks_for() {
        for steps in [vec![1, 2, 3, 255, 256, 257, 300], vec![700], vec![256, 512, 65_535, 65_536, 65_537, 66_000]] {
            let mut tree = Tree::new();
            for to in steps {
                let from = tree.size();
                let mut made: Vec<_> = grow(&mut tree, to).into_iter().map(|object| object.path).collect();
                let mut wanted = tiles_for(from, to);
                made.sort();
                wanted.sort();
                assert_eq!(made, wanted, "{from} to {to}");
            }
        }
    }

    #[test]
    fn one_by_one_and_at_once_give_the_same_bytes() {
        let (mut slow, mut fast) = (Tree::new(), Tree::new());
        let mut seen = BTreeMap::new();
        for to in 1..=600 {
            for object in grow(&mut slow, to) {
                seen.insert(object.path, object.bytes);
            }
        }
        for object in grow(&mut fast, 600) {
            assert_eq!(seen.get(&object.path), Some(&object.bytes), "{}", object.path);
            if object.path.resource == Resource::Entries {
                let entries = decode_bundle(&object.bytes, object.path.width).unwrap();
                assert_eq!(entries[0], format!("entry {}", object.path.index * 256).as_bytes());
            }
        }
        assert_eq!((slow.root(), slow.size()), (fast.root(), 600));
    }
}
