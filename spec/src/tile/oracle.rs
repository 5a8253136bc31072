//! Tiles against `tlog_tiles`, and proofs from tiles against proofs from the whole tree.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::hash::{LeafHash, NodeHash};
use crate::merkle::{MemoryTree, Nodes as _, leaf_hash, prove_consistency, prove_inclusion, root_at};

/// All tiles of one tree in memory.
struct Shelf(BTreeMap<TilePath, Tile>);

impl TileSource for Shelf {
    type Error = TileError;

    fn tile(&self, path: TilePath) -> Result<Tile, TileError> {
        self.0.get(&path).cloned().ok_or(TileError::Path { found: path.to_string() })
    }
}

fn leaf(i: u64) -> LeafHash {
    leaf_hash(&i.to_be_bytes())
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|i| tree.push(leaf(i)));
    tree
}

fn shelf(tree: &MemoryTree, size: u64) -> Shelf {
    let mut tiles = BTreeMap::new();
    for path in tiles_for(0, size) {
        let Resource::Level(level) = path.resource else { continue };
        let first = path.index * u64::from(TILE_WIDTH);
        let hashes = (first..first + u64::from(path.width)).map(|i| tree.node(level * TILE_HEIGHT, i).unwrap());
        tiles.insert(path, Tile::from_hashes(hashes.collect::<Vec<NodeHash>>()).unwrap());
    }
    Shelf(tiles)
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/001/002",
        "tile/0/x001.p/002",
        "tile/0/001.p",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/1/2",
        "/tile/0/001",
        "tile/data/001",
        "tile/entries/001.p/",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/..",
        "tile/0/٠٠١",
    ] {
        assert!(TilePath::parse(path).is_err(), "{path:?}");
    }
}

#[test]
fn the_tiles_of_every_growth_to_600_equal_the_peer_s() {
    for (old, new) in (0..600).flat_map(|old| [(old, old + 1), (old, 600)]).chain([(0, 70_000), (65_000, 70_000)]) {
        let ours: Vec<_> = tiles_for(old, new)
            .iter()
            .filter_map(|path| match path.resource {
                Resource::Level(level) => Some((level, path.index, u32::from(path.width))),
                Resource::Entries => None,
            })
            .collect();
        let theirs: Vec<_> = tlog_tiles::Tile::new_tiles(8, old, new)
            .iter()
            .map(|tile| (tile.level(), tile.level_index(), tile.width()))
            .collect();
        assert_eq!(ours, theirs, "from {old} to {new}");
    }
}

#[test]
fn proofs_from_tiles_equal_proofs_from_the_tree() {
    let tree = tree(1100);
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 1100] {
        let shelf = shelf(&tree, size);
        let nodes = TileNodes::new(&shelf, size);
        assert_eq!(root_at(&nodes, size), Ok(root_at(&tree, size).unwrap()));
        for position in (0..size).step_by(7) {
            assert_eq!(
                prove_inclusion(&nodes, position, size).unwrap(),
                prove_inclusion(&tree, position, size).unwrap()
            );
            let ours = prove_consistency(&nodes, position + 1, size).unwrap();
            assert_eq!(ours, prove_consistency(&tree, position + 1, size).unwrap());
        }
    }
}

#[test]
fn a_tile_s_root_is_a_perfect_subtree() {
    let tree = tree(256);
    let tile = Tile::from_hashes((0..256).map(|i| NodeHash::from(leaf(i))).collect()).unwrap();
    assert_eq!(tile.root(), tree.node(8, 0).unwrap());
    assert_eq!(tile.subtree(8, 0), Some(tile.root()));
    assert_eq!(tile.subtree(3, 31), Some(tree.node(3, 31).unwrap()));
    assert_eq!(tile.subtree(3, 32), None);
}

proptest! {
    #[test]
    fn paths_are_written_back_as_they_were(level in 0u8..64, index in any::<u64>(), width in 1u16..=256, entries in any::<bool>()) {
        let resource = if entries { Resource::Entries } else { Resource::Level(level) };
        let path = TilePath { resource, index, width };
        prop_assert_eq!(TilePath::parse(&path.to_string()), Ok(path));
    }

    #[test]
    fn what_parses_as_a_path_is_written_back(text in "tile/(entries|[0-9]{1,2})(/x[0-9]{3}){0,3}/[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = TilePath::parse(&text) { prop_assert_eq!(path.to_string(), text); }
    }

    #[test]
    fn bundles_are_written_back_as_they_were(bytes in proptest::collection::vec(any::<u8>(), 0..600), width in 1u16..4) {
        if let Ok(entries) = decode_bundle(&bytes, width) { prop_assert_eq!(encode_bundle(entries).unwrap(), bytes); }
    }

    #[test]
    fn a_bundle_with_any_byte_more_or_less_is_refused(entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..9)) {
        let mut bytes = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
        let width = entries.len() as u16;
        prop_assert_eq!(decode_bundle(&bytes, width).unwrap(), entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert!(decode_bundle(&bytes[..bytes.len() - 1], width).is_err());
        bytes.push(0);
        prop_assert!(decode_bundle(&bytes, width).is_err());
    }
}
