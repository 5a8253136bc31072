//! A mirror that lies in one byte is found out before anybody sees the entry.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::merkle::{MemoryTree, Nodes as _, leaf_hash, root_at};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TilePath, encode_bundle, tiles_for};

use super::*;
use stele_spec::tile::Resource;

pub(crate) const ORIGIN: &str = "log.example/reader";

fn entry(position: u64) -> Vec<u8> {
    format!("entry {position} {}", "x".repeat((position % 97) as usize)).into_bytes()
}

pub(crate) fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|position| tree.push(leaf_hash(&entry(position))));
    tree
}

pub(crate) fn signer() -> SignerKey {
    SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [7; 32])
}

fn policy() -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", signer().verifier()).as_bytes()).unwrap()
}

pub(crate) fn note(size: u64, root: RootHash) -> Vec<u8> {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, root);
    sign_checkpoint(&checkpoint, &signer()).unwrap().to_bytes()
}

/// The static files of a log of `size` entries; what an older tree had is there as well.
pub(crate) fn mirror(folder: &Path, tree: &MemoryTree, old: u64, size: u64) {
    for path in tiles_for(old, size) {
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
        let file = folder.join(path.to_string());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    fs::write(folder.join("checkpoint"), note(size, root_at(tree, size).unwrap())).unwrap();
}

fn reader(folder: &Path) -> LogReader {
    LogReader::new(source(folder.to_str().unwrap()))
}

/// Everything from a position on, or the code of the error.
fn read(folder: &Path, from: u64) -> Result<Vec<(u64, Vec<u8>)>, &'static str> {
    use stele_host::exit::Explain as _;
    let reader = reader(folder);
    let read = || {
        let log = reader.open(reader.head(&policy())?)?;
        let mut all = Vec::new();
        for chunk in log.entries(from) {
            all.extend(chunk?.iter().map(|(position, leaf, bytes)| {
                assert_eq!(leaf, leaf_hash(bytes));
                (position, bytes.to_vec())
            }));
        }
        Ok(all)
    };
    read().map_err(|error: ReadError| error.code())
}

fn flip(folder: &Path, path: &str, at: usize) {
    let mut bytes = fs::read(folder.join(path)).unwrap();
    bytes[at] ^= 1;
    fs::write(folder.join(path), bytes).unwrap();
}

#[test]
fn one_other_byte_anywhere_is_found() {
    let size = 70_000;
    let tree = tree(size);
    for (file, at, code) in [
        ("tile/entries/000", 5, "not-the-tree"),
        ("tile/entries/273.p/112", 5, "not-the-tree"),
        ("tile/0/273.p/112", 0, "not-the-tree"),
        ("tile/1/000", 40, "not-the-tree"),
        ("tile/1/001.p/17", 40, "not-the-tree"),
        ("tile/2/000.p/1", 0, "not-the-tree"),
        ("checkpoint", 19, "bad-log-signature"),
    ] {
        let home = tempfile::tempdir().unwrap();
        mirror(home.path(), &tree, 0, size);
        assert_eq!(read(home.path(), size - 300).unwrap().len(), 300);
        flip(home.path(), file, at);
        assert_eq!(read(home.path(), 0).map(|all| all.len()), Err(code), "{file}");
    }
}

#[test]
fn a_bundle_of_the_right_entries_in_another_order_is_none() {
    let home = tempfile::tempdir().unwrap();
    mirror(home.path(), &tree(10), 0, 10);
    let order = [0, 2, 1, 3, 4, 5, 6, 7, 8, 9].map(entry);
    let bundle = encode_bundle(order.iter().map(Vec::as_slice)).unwrap();
    fs::write(home.path().join("tile/entries/000.p/10"), bundle).unwrap();
    assert_eq!(read(home.path(), 9), Err("not-the-tree"));
}

#[test]
fn what_is_missing_or_of_another_length_is_named() {
    let home = tempfile::tempdir().unwrap();
    mirror(home.path(), &tree(300), 0, 300);
    fs::remove_file(home.path().join("tile/entries/001.p/44")).unwrap();
    assert_eq!(read(home.path(), 0), Err("log-file-missing"));
    fs::write(home.path().join("tile/entries/001.p/44"), b"\0").unwrap();
    assert_eq!(read(home.path(), 0), Err("log-file-malformed"));
    fs::write(home.path().join("tile/0/001.p/44"), b"").unwrap();
    assert_eq!(read(home.path(), 0), Err("log-file-malformed"));
    fs::remove_file(home.path().join("checkpoint")).unwrap();
    assert_eq!(read(home.path(), 0), Err("log-file-missing"));
}

#[test]
fn partial_tiles_that_were_removed_are_cut_from_the_full_ones() {
    let home = tempfile::tempdir().unwrap();
    let tree = tree(600);
    mirror(home.path(), &tree, 0, 600);
    // An older head, whose partial tiles were never copied or are gone.
    fs::write(home.path().join("checkpoint"), note(300, root_at(&tree, 300).unwrap())).unwrap();
    fs::create_dir_all(home.path().join("tile/1/000.p")).unwrap();
    fs::write(home.path().join("tile/1/000.p/1"), tree.node(8, 0).unwrap().as_bytes()).unwrap();
    assert_eq!(read(home.path(), 0).unwrap(), (0..300).map(|at| (at, entry(at))).collect::<Vec<_>>());
}

#[test]
fn a_rewritten_history_is_no_prefix_and_a_grown_one_is() {
    let home = tempfile::tempdir().unwrap();
    let tree = tree(1000);
    mirror(home.path(), &tree, 0, 1000);
    let reader = reader(home.path());
    let log = reader.open(reader.head(&policy()).unwrap()).unwrap();
    for old in [0, 1, 255, 256, 257, 511, 999, 1000] {
        let root = root_at(&tree, old).unwrap();
        log.check_prefix(old, root).unwrap();
        log.prove_consistency(old).unwrap().check(old, root, 1000, log.head().checkpoint().root()).unwrap();
        let other = RootHash::from_bytes([3; 32]);
        assert!(matches!(log.check_prefix(old, other), Err(ReadError::NotAPrefix { .. })));
    }
    assert!(matches!(log.check_prefix(1001, RootHash::from_bytes([3; 32])), Err(ReadError::Tile(_))));
    assert_eq!(log.entry(999).unwrap(), entry(999));
    assert!(matches!(log.entry(1000), Err(ReadError::PastTheEnd { .. })));
}

#[test]
fn an_empty_log_has_no_entries() {
    let home = tempfile::tempdir().unwrap();
    mirror(home.path(), &tree(0), 0, 0);
    assert_eq!(read(home.path(), 0), Ok(Vec::new()));
    assert_eq!(read(home.path(), 5), Ok(Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_size_is_read_from_every_position(size in 1u64..1400, from in 0u64..1400) {
        let home = tempfile::tempdir().unwrap();
        mirror(home.path(), &tree(size), 0, size);
        prop_assert_eq!(read(home.path(), from).unwrap(), (from..size).map(|at| (at, entry(at))).collect::<Vec<_>>());
    }

    #[test]
    fn a_byte_changed_in_any_tile_of_the_leaves_or_bundle_never_goes_through(at in any::<prop::sample::Index>(), size in 1u64..600) {
        let home = tempfile::tempdir().unwrap();
        mirror(home.path(), &tree(size), 0, size);
        let path = TilePath { resource: Resource::Entries, index: size / 256, width: (size % 256) as u16 };
        prop_assume!(path.width > 0);
        let length = fs::metadata(home.path().join(path.to_string())).unwrap().len();
        flip(home.path(), &path.to_string(), at.index(length as usize));
        prop_assert!(read(home.path(), 0).is_err());
    }
}
