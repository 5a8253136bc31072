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

/// Every entry from a position on.
fn read(map: &Map, tree: &MemoryTree, size: u64, from: u64) -> Result<Vec<Vec<u8>>, TiledLogError<Infallible>> {
    let log = open(map, tree, size)?;
    let mut all = Vec::new();
    for chunk in log.entries(from) {
        all.extend(chunk?.iter().map(|(_, leaf, bytes)| {
            assert_eq!(leaf, leaf_hash(bytes));
            bytes.to_vec()
        }));
    }
    Ok(all)
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

/// c2sp.org/tlog-tiles, Pruning: what ends at or below the minimum index is not served.
#[test]
fn a_log_that_has_pruned_its_beginning_is_read_from_there_and_says_so_before() {
    let tree = tree(70_000);
    let mut map = files(&tree, 70_000);
    map.0.retain(|path, _| {
        !["tile/entries/000", "tile/entries/001", "tile/0/000", "tile/0/001"].contains(&path.as_str())
    });
    let log = open(&map, &tree, 70_000).unwrap();
    let read: u64 = log.entries(512).map(|chunk| chunk.unwrap().entries.len() as u64).sum();
    assert_eq!(read, 70_000 - 512);
    log.check_prefix(600, crate::merkle::root_at(&tree, 600).unwrap()).unwrap();
    for position in [0, 511] {
        let gone = log.entry(position).unwrap_err();
        let file = format!("tile/entries/{:03}", position / 256);
        assert!(matches!(&gone, TiledLogError::Gone { path } if path.to_string() == file), "{gone}");
    }
    assert!(matches!(log.root_at(300), Err(TiledLogError::Gone { path }) if path.to_string() == "tile/0/001"));
}

#[test]
fn a_bundle_of_the_right_entries_in_another_order_is_none() {
    let tree = tree(10);
    let mut map = files(&tree, 10);
    let order = [0, 2, 1, 3, 4, 5, 6, 7, 8, 9].map(entry);
    map.0.insert("tile/entries/000.p/10".into(), encode_bundle(order.iter().map(Vec::as_slice)).unwrap());
    let read = open(&map, &tree, 10).and_then(|log| log.entry(9));
    assert!(matches!(read, Err(TiledLogError::NotInTree { .. })));
}

#[test]
fn partial_tiles_that_were_removed_are_cut_from_the_full_ones() {
    let tree = tree(600);
    let mut map = files(&tree, 600);
    // An older head, whose partial tiles were never copied or are gone.
    map.0.insert("tile/1/000.p/1".into(), tree.node(8, 0).unwrap().as_bytes().to_vec());
    assert_eq!(read(&map, &tree, 300, 0).unwrap(), (0..300).map(entry).collect::<Vec<_>>());
}

#[test]
fn an_empty_log_has_no_entries_and_no_log_has_any_past_its_end() {
    let empty = tree(0);
    assert_eq!(read(&Map::default(), &empty, 0, 0).unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(read(&Map::default(), &empty, 0, 5).unwrap(), Vec::<Vec<u8>>::new());
    let tree = tree(10);
    let map = files(&tree, 10);
    assert!(matches!(open(&map, &tree, 10).unwrap().entry(10), Err(TiledLogError::PastTheEnd { .. })));
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
    fn every_size_is_read_from_every_position(size in 1u64..1400, from in 0u64..1400) {
        let tree = tree(size);
        prop_assert_eq!(read(&files(&tree, size), &tree, size, from).unwrap(), (from..size).map(entry).collect::<Vec<_>>());
    }

    #[test]
    fn a_byte_changed_in_any_file_never_goes_through(file: prop::sample::Index, at: prop::sample::Index, size in 1u64..600) {
        let tree = tree(size);
        let mut map = files(&tree, size);
        let path = file.get(&map.0.keys().cloned().collect::<Vec<_>>()).clone();
        // A full tile of the leaves is not read for entries: each bundle hashes to a place in the tile above.
        prop_assume!(!path.starts_with("tile/0/") || path.contains(".p/"));
        let bytes = map.0.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1;
        prop_assert!(read(&map, &tree, size, 0).is_err(), "{}", path);
    }

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
