use super::*;
use crate::head::Published;
use crate::testkit::{Offline, claim, release};
use std::path::Path;

fn log(home: &Path) -> (Dir, Store, Published) {
    let mut log = Offline::start(home).unwrap();
    log.write(vec![]).unwrap();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    let manifest = release("acme.example", 1, "base", 1).1;
    log.store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    log.write(vec![release("acme.example", 1, "base", 1).0, release("acme.example", 1, "instruct", 1).0]).unwrap();
    let published = log.publish();
    (Dir::open(home).unwrap(), log.store.clone(), published)
}

fn open(data: &Dir, store: &Store, published: &Published) -> Lookup {
    Lookup::open(data, store, published.size(), published.head.value().root())
}

fn check(lookup: &Lookup) {
    let digest = release("acme.example", 1, "base", 1).1.weights_digest().to_string();
    assert_eq!(lookup.positions(By::Publisher("acme.example"), 0).unwrap(), [1, 3, 4]);
    assert_eq!(lookup.positions(By::Publisher("acme.example"), 2).unwrap(), [3, 4]);
    assert_eq!(lookup.positions(By::Coordinate("acme.example/tiny@1.0.2#base"), 0).unwrap(), [3]);
    assert_eq!(lookup.positions(By::Digest(&digest), 0).unwrap(), [3, 4]);
    assert!(lookup.positions(By::Publisher("acme.exampl"), 0).unwrap().is_empty());
    // Any file of the manifest leads to the releases that have it.
    for file in release("acme.example", 1, "base", 1).1.files() {
        let (sha256, git) = (file.sha256.to_string(), file.git_sha1.to_string());
        assert_eq!(lookup.positions(By::File(&sha256), 0).unwrap(), [3, 4], "{}", file.path);
        assert_eq!(lookup.positions(By::GitBlob(&git), 0).unwrap(), [3, 4], "{}", file.path);
    }
    assert!(lookup.positions(By::File(&"0".repeat(64)), 0).unwrap().is_empty());
    let leaf = stele_spec::merkle::leaf_hash(claim("acme.example", 1).bytes());
    assert_eq!(lookup.positions(By::Leaf(&leaf), 0).unwrap(), [1]);
}

#[test]
fn what_is_broken_is_set_aside_and_made_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    drop(open(&data, &store, &published));
    let db = home.path().join(FOLDER);
    for damage in ["conf", "db"] {
        std::fs::write(db.join(damage), [0xa5; 4096]).unwrap();
        let lookup = open(&data, &store, &published);
        check(&lookup);
        assert!(home.path().join("lookup.sled.broken").exists());
        drop(lookup);
    }
    std::fs::remove_dir_all(&db).unwrap();
    std::fs::write(&db, b"a file where the folder belongs").unwrap();
    check(&open(&data, &store, &published));
}

#[test]
fn another_log_s_database_and_one_from_the_future_are_made_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let lookup = open(&data, &store, &published);
    lookup.extend(&[], 3, RootHash::from_bytes([7; 32]));
    lookup.flush();
    drop(lookup);
    let lookup = open(&data, &store, &published);
    check(&lookup);
    lookup.extend(&[], 99, RootHash::from_bytes([7; 32]));
    lookup.flush();
    drop(lookup);
    check(&open(&data, &store, &published));
}

#[test]
fn what_came_while_it_was_away_is_caught_up() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let early = stele_spec::merkle::root_at(&TileNodes::new(&store, 3), 3).unwrap();
    let lookup = Lookup::open(&data, &store, 3, early);
    assert_eq!(lookup.positions(By::Publisher("acme.example"), 0).unwrap(), [1]);
    drop(lookup);
    check(&open(&data, &store, &published));
}
