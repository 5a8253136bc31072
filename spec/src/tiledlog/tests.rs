//! A mirror that lies in one byte is found out, and what entries make is what a tree of them is.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::{NodeHash, RootHash};
use crate::merkle::{MemoryTree, Nodes as _, leaf_hash, root_at};
use crate::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, Tile, encode_bundle, tiles_for};

#[derive(Clone, Default)]
struct Map(BTreeMap<String, Vec<u8>>);

impl Files for Map {
    type Error = Infallible;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(path).filter(|bytes| bytes.len() as u64 <= limit).cloned())
    }
}

fn entry(position: u64) -> Vec<u8> {
    format!("entry {position} {}", "x".repeat((position % 97) as usize)).into_bytes()
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|position| tree.push(leaf_hash(&entry(position))));
    tree
}

fn checkpoint(size: u64, root: RootHash) -> Checkpoint {
    Checkpoint::new("log.example/tiled".parse().unwrap(), size, root)
}

/// The files of a log of `size` entries, made from a whole tree in memory.
fn files(tree: &MemoryTree, size: u64) -> Map {
    let file = |path: &crate::tile::TilePath| {
        let first = path.index * u64::from(TILE_WIDTH);
        let range = first..first + u64::from(path.width);
        let bytes = match path.resource {
            Resource::Entries => {
                let entries: Vec<_> = range.map(entry).collect();
                encode_bundle(entries.iter().map(Vec::as_slice)).unwrap()
            }
            Resource::Level(level) => {
                let hashes: Vec<NodeHash> = range.map(|i| tree.node(level * TILE_HEIGHT, i).unwrap()).collect();
                Tile::from_hashes(hashes).unwrap().to_bytes()
            }
        };
        (path.to_string(), bytes)
    };
    Map(tiles_for(0, size).iter().map(file).collect())
}

fn open<'a>(map: &'a Map, tree: &MemoryTree, size: u64) -> Result<TiledLog<&'a Map>, TiledLogError<Infallible>> {
    TiledLog::open(map, checkpoint(size, root_at(tree, size).unwrap()))
}

#[test]
fn one_other_byte_anywhere_is_found_and_named() {
    let size = 70_000;
    let tree = tree(size);
    let good = files(&tree, size);
    assert_eq!(
        open(&good, &tree, size).unwrap().entries(0).map(|chunk| chunk.unwrap().leaves.len()).sum::<usize>(),
        70_000
    );
    for (file, at) in [
        ("tile/entries/000", 5),
        ("tile/entries/273.p/112", 5),
        ("tile/0/273.p/112", 0),
        ("tile/1/000", 40),
        ("tile/1/001.p/17", 40),
        ("tile/2/000.p/1", 0),
    ] {
        let mut bad = good.clone();
        bad.0.get_mut(file).unwrap()[at] ^= 1;
        let read = open(&bad, &tree, size).and_then(|log| log.entries(0).collect::<Result<Vec<_>, _>>());
        match read.unwrap_err() {
            TiledLogError::NotTheTree { .. } => assert!(file.contains(".p/"), "{file}"),
            TiledLogError::NotInTree { path, .. } => assert_eq!(path.to_string(), file),
            other => panic!("{file}: {other}"),
        }
    }
}

#[test]
fn what_is_missing_too_long_or_too_short_is_named() {
    let tree = tree(300);
    let mut map = files(&tree, 300);
    let bundle = "tile/entries/001.p/44";
    map.0.get_mut(bundle).unwrap().pop();
    let read = |map: &Map| open(map, &tree, 300).and_then(|log| log.entry(299));
    assert!(matches!(read(&map), Err(TiledLogError::Malformed { path, .. }) if path.to_string() == bundle));
    map.0.remove(bundle);
    assert!(matches!(read(&map), Err(TiledLogError::Missing { path }) if path.to_string() == bundle));
    map.0.insert("tile/0/001.p/44".into(), vec![0; 31]);
    assert!(matches!(read(&map), Err(TiledLogError::Malformed { .. })));
}

#[test]
fn an_older_tree_is_proven_from_a_few_tiles() {
    let tree = tree(70_000);
    let map = files(&tree, 70_000);
    let log = open(&map, &tree, 70_000).unwrap();
    for old in [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000] {
        let root = root_at(&tree, old).unwrap();
        log.check_prefix(old, root).unwrap();
        log.prove_consistency(old).unwrap().check(old, root, 70_000, log.checkpoint().root()).unwrap();
        let other = RootHash::from_bytes([3; 32]);
        assert!(matches!(log.check_prefix(old, other), Err(TiledLogError::NotAPrefix { .. })));
    }
}

/// The files that come out when a tree grows through sizes, each time from the full bundles of the size before.
fn grown(tree: &MemoryTree, sizes: &[u64]) -> Map {
    let mut map = Map::default();
    let mut size = 0;
    for next in sizes {
        let mut growth = Growth::after(size, tree).unwrap();
        let mut first = growth.size();
        while first < *next {
            let end = (first + 256).min(*next);
            let entries: Vec<_> = (first..end).map(entry).collect();
            let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            growth.bundle(&entries, &leaves).unwrap();
            first = end;
        }
        size = growth.size();
        let files = growth.take().into_iter().chain(growth.edge());
        map.0.extend(files.map(|(path, bytes)| (path.to_string(), bytes)));
    }
    map
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_entries_make_is_what_the_tree_is(sizes in proptest::collection::vec(1u64..700, 1..4)) {
        let tree = tree(700);
        let mut sizes = sizes;
        sizes.sort_unstable();
        let map = grown(&tree, &sizes);
        for size in sizes {
            for (path, bytes) in files(&tree, size).0 {
                prop_assert_eq!(map.0.get(&path), Some(&bytes), "{}", path);
            }
        }
    }
}

#[test]
fn what_entries_make_goes_on_above_the_second_level() {
    let tree = tree(66_100);
    let map = grown(&tree, &[65_400, 65_536, 66_100]);
    for (path, bytes) in files(&tree, 66_100).0 {
        assert_eq!(map.0.get(&path), Some(&bytes), "{path}");
    }
}
