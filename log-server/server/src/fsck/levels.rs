//! The tree above its full groups of 256 entries: from the root of each group, in order, the tiles of all higher levels and the root.

use serde::{Deserialize, Serialize};
use stele_log_core::tree::Object;
use stele_spec::hash::{LeafHash, NodeHash, RootHash};
use stele_spec::merkle::Frontier;
use stele_spec::text::hex_exact;
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TilePath};

/// The tree above its full groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    /// Over the roots of groups: a subtree is the same hash whatever its leaves stand for.
    groups: Frontier,
    /// The hashes of the last tile of each level, from level 1 on, while it is not full.
    levels: Vec<Vec<NodeHash>>,
}

/// The same, as it is kept between two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedLevels {
    groups: u64,
    peaks: Vec<String>,
    levels: Vec<Vec<String>>,
}

impl Levels {
    /// How many groups there are.
    pub(super) fn groups(&self) -> u64 {
        self.groups.size()
    }

    /// Adds the next group; the tiles that became full.
    pub(super) fn push(&mut self, group: NodeHash) -> Vec<Object> {
        self.groups.push(LeafHash::from_bytes(*group.as_bytes()));
        let (mut full, mut node) = (Vec::new(), group);
        for level in 1_u8.. {
            if self.levels.len() < usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level) - 1) else { break };
            hashes.push(node);
            if hashes.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let Some(tile) = Tile::from_hashes(std::mem::take(hashes)) else { break };
            let index = (self.groups.size() >> (8 * u32::from(level))) - 1;
            full.push(Object { path: TilePath::full(Resource::Level(level), index), bytes: tile.to_bytes() });
            node = tile.root();
        }
        full
    }

    /// The last tiles of the levels from 1 on, that are not full.
    pub(super) fn partials(&self) -> Vec<Object> {
        let partial = |(level, hashes): (u8, &Vec<NodeHash>)| {
            let index = self.groups.size() >> (8 * u32::from(level));
            let path = TilePath { resource: Resource::Level(level), index, width: hashes.len() as u16 };
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            (!hashes.is_empty()).then_some(Object { path, bytes })
        };
        (1_u8..).zip(&self.levels).filter_map(partial).collect()
    }

    /// The root of the tree of all groups and, behind them, fewer than 256 leaves.
    pub(super) fn root(&self, tail: &[LeafHash]) -> Option<RootHash> {
        let mut tree = Frontier::from_parts(self.groups.size() * u64::from(TILE_WIDTH), self.groups.peaks().to_vec())?;
        tail.iter().for_each(|leaf| tree.push(*leaf));
        Some(tree.root())
    }

    /// What is to be kept.
    pub(super) fn save(&self) -> SavedLevels {
        let hex = |hashes: &[NodeHash]| hashes.iter().map(ToString::to_string).collect();
        SavedLevels {
            groups: self.groups.size(),
            peaks: hex(self.groups.peaks()),
            levels: self.levels.iter().map(|hashes| hex(hashes)).collect(),
        }
    }

    /// What was kept.
    pub(super) fn load(saved: &SavedLevels) -> Option<Self> {
        let hashes = |list: &Vec<String>| -> Option<Vec<NodeHash>> {
            list.iter().map(|text| hex_exact(text).ok().map(NodeHash::from_bytes)).collect()
        };
        let levels: Vec<Vec<NodeHash>> = saved.levels.iter().map(hashes).collect::<Option<_>>()?;
        let fits = levels.iter().all(|hashes| hashes.len() < usize::from(TILE_WIDTH));
        let groups = Frontier::from_parts(saved.groups, hashes(&saved.peaks)?)?;
        (fits && levels.len() < 8).then_some(Self { groups, levels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use stele_log_core::tree::Tree;
    use stele_spec::merkle::leaf_hash;

    #[test]
    fn it_makes_the_tiles_and_the_root_that_the_writer_makes_also_when_it_was_kept_in_between() {
        let (mut tree, mut levels) = (Tree::new(), Levels::default());
        let (mut theirs, mut ours) = (BTreeMap::new(), BTreeMap::new());
        let mut group = Vec::new();
        for number in 0..256 * 259 + 5_u64 {
            let leaf = leaf_hash(&number.to_be_bytes());
            let mut full = Vec::new();
            tree.push(b"", leaf, &mut full);
            theirs.extend(full.into_iter().map(|object| (object.path, object.bytes)));
            group.push(NodeHash::from(leaf));
            if group.len() == 256 {
                let tile = Tile::from_hashes(std::mem::take(&mut group)).unwrap();
                ours.extend(levels.push(tile.root()).into_iter().map(|object| (object.path, object.bytes)));
                levels = Levels::load(&levels.save()).unwrap();
            }
        }
        theirs.retain(|path, _| !matches!(path.resource, Resource::Level(0) | Resource::Entries));
        assert_eq!(ours, theirs);
        let tail: Vec<LeafHash> = group.iter().map(|hash| LeafHash::from_bytes(*hash.as_bytes())).collect();
        assert_eq!(levels.root(&tail), Some(tree.root()));
        let mut partials = tree.partials();
        partials.retain(|object| !matches!(object.path.resource, Resource::Level(0) | Resource::Entries));
        assert_eq!(levels.partials(), partials);
    }
}
