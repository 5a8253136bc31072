//! A mirror that lies is told by the code of its error; what is checked, and how, is tested with `stele_spec::tiledlog`.

use std::fs;
use std::path::Path;

use stele_samples::static_log::{self, entry, tree};
use stele_spec::hash::RootHash;
use stele_spec::merkle::{MemoryTree, leaf_hash, root_at};
use stele_spec::note::SignerKey;

use super::*;

fn signer() -> SignerKey {
    static_log::signer().unwrap()
}

fn policy() -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", signer().verifier()).as_bytes()).unwrap()
}

fn mirror(folder: &Path, tree: &MemoryTree, old: u64, size: u64) {
    static_log::write(folder, tree, old, size).unwrap();
}

fn reader(folder: &Path) -> LogReader {
    LogReader::new(source(folder.to_str().unwrap()))
}

/// Everything from a position on, or the code of the error.
fn read(folder: &Path, from: u64) -> Result<Vec<(u64, Vec<u8>)>, &'static str> {
    use stele_explain::Explain as _;
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

/// c2sp.org/tlog-tiles, Pruning: an auditor learns which file is gone and what to do, and goes on from where the log begins.
#[test]
fn a_log_that_pruned_its_beginning_is_told_so_and_read_from_there() {
    use stele_explain::Explain as _;
    let (home, tree) = (tempfile::tempdir().unwrap(), tree(700));
    mirror(home.path(), &tree, 0, 700);
    for gone in ["tile/entries/000", "tile/entries/001", "tile/0/000", "tile/0/001"] {
        fs::remove_file(home.path().join(gone)).unwrap();
    }
    assert_eq!(read(home.path(), 512).unwrap().len(), 188);
    let log = reader(home.path());
    let log = log.open(log.head(&policy()).unwrap()).unwrap();
    let error = log.entry(511).unwrap_err();
    let said = format!("{error}; {}; {:?}", error.hint().unwrap(), error.facts());
    for words in
        ["tile/entries/001: the log has pruned its beginning", "retention policy", "every entry from 0", "mirror"]
    {
        assert!(said.contains(words), "{words:?} in {said}");
    }
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
