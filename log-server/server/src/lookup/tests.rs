use super::*;
use crate::testkit::start;
use std::path::Path;
use stele_log_core::samples::{claim, release};
use stele_spec::policy::TrustedCheckpoint;

fn log(home: &Path) -> (Dir, TileStore, TrustedCheckpoint) {
    let mut log = start(home).unwrap();
    log.write(vec![]).unwrap();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    let manifest = release("acme.example", 1, "base", 1).1;
    log.store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    log.write(vec![release("acme.example", 1, "base", 1).0, release("acme.example", 1, "instruct", 1).0]).unwrap();
    let published = log.publish();
    (Dir::open(home).unwrap(), log.store.clone(), published)
}

fn open(data: &Dir, store: &TileStore, published: &TrustedCheckpoint) -> SledLookup {
    SledLookup::open(data, store, published.size(), published.root())
}

fn check(lookup: &SledLookup) {
    let digest = release("acme.example", 1, "base", 1).1.weights_digest().to_string();
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 0).unwrap(), [1, 3, 4]);
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 2).unwrap(), [3, 4]);
    assert_eq!(lookup.positions(LookupKey::Coordinate("acme.example/tiny@1.0.2#base"), 0).unwrap(), [3]);
    assert_eq!(lookup.positions(LookupKey::Digest(&digest), 0).unwrap(), [3, 4]);
    assert!(lookup.positions(LookupKey::Publisher("acme.exampl"), 0).unwrap().is_empty());
    // Any file of the manifest leads to the releases that have it.
    for file in release("acme.example", 1, "base", 1).1.files() {
        let (sha256, git) = (file.sha256.to_string(), file.git_sha1.to_string());
        assert_eq!(lookup.positions(LookupKey::File(&sha256), 0).unwrap(), [3, 4], "{}", file.path);
        assert_eq!(lookup.positions(LookupKey::GitBlob(&git), 0).unwrap(), [3, 4], "{}", file.path);
    }
    assert!(lookup.positions(LookupKey::File(&"0".repeat(64)), 0).unwrap().is_empty());
    // Who names no version is answered with every one; another version is none.
    for (purl, found) in [
        ("pkg:huggingface/acme/tiny@1.0.2", &[3, 4][..]),
        ("pkg:huggingface/acme/tiny", &[3, 4]),
        ("pkg:huggingface/acme/tiny@1.0.3", &[]),
        ("pkg:huggingface/acme/tin", &[]),
    ] {
        assert_eq!(lookup.positions(LookupKey::Purl(purl), 0).unwrap(), found, "{purl}");
    }
    let leaf = stele_spec::merkle::leaf_hash(claim("acme.example", 1).bytes());
    assert_eq!(lookup.positions(LookupKey::Leaf(&leaf), 0).unwrap(), [1]);
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
    let lookup = SledLookup::open(&data, &store, 3, early);
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 0).unwrap(), [1]);
    drop(lookup);
    check(&open(&data, &store, &published));
}

/// A log whose batches jumped over whole tiles: between 3 and its end no size was ever a head.
fn jumped(home: &Path, statements: u32) -> (Dir, TileStore, TrustedCheckpoint) {
    let mut log = start(home).unwrap();
    log.write(vec![]).unwrap();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    log.write((0..statements).map(|i| claim(&format!("a{i}.example"), 1)).collect()).unwrap();
    let published = log.publish();
    (Dir::open(home).unwrap(), log.store.clone(), published)
}

fn check_jumped(lookup: &SledLookup, statements: u32) {
    assert!(lookup.is_open());
    for i in [0, 255, 256, 700, statements - 1] {
        let name = format!("a{i}.example");
        assert_eq!(lookup.positions(LookupKey::Publisher(&name), 0).unwrap(), [3 + u64::from(i)]);
    }
}

#[test]
fn lookups_are_made_again_after_a_batch_of_any_size() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1000);
    assert_eq!(published.size(), 1004);
    drop(open(&data, &store, &published));
    std::fs::remove_dir_all(home.path().join(FOLDER)).unwrap();
    check_jumped(&open(&data, &store, &published), 1000);
    assert!(!home.path().join("lookup.sled.broken").exists(), "the first attempt succeeds");
}

#[test]
fn a_rebuild_that_was_cut_off_at_any_bundle_goes_on_from_there() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1000);
    let target = Target { size: published.size(), root: published.root() };
    for (cut, size) in [256, 512, 768].into_iter().enumerate() {
        // What a crash between two bundles leaves: everything up to a size that was never a head.
        let opened = attempt(&data, &store, target).unwrap();
        assert_eq!(opened.at, if cut == 0 { 0 } else { 256 * cut as u64 });
        let root = root_within(&store, size, target).unwrap();
        let mut early = opened;
        early.catch_up(&store, Target { size, root }).unwrap_or_else(|error| panic!("{size}: {error}"));
        early.db.flush().unwrap();
        assert_eq!(head(&early.db).unwrap(), Some((size, root)));
    }
    check_jumped(&open(&data, &store, &published), 1000);
    assert!(!home.path().join("lookup.sled.broken").exists());
}

#[test]
fn a_rebuild_flushes_as_it_goes() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 2600);
    let target = Target { size: published.size(), root: published.root() };
    let mut opened = attempt(&data, &store, target).unwrap();
    opened.catch_up(&store, target).unwrap();
    assert_eq!(opened.at, 2604);
    // So that never more than FLUSH_ENTRIES and one bundle are held.
    assert_eq!(opened.flushes, 2604 / FLUSH_ENTRIES);
}

#[test]
fn what_is_published_while_lookups_are_made_is_in_them() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1000);
    let early = Target { size: 3, root: stele_spec::merkle::root_at(&TileNodes::new(&store, 3), 3).unwrap() };
    let inner = Arc::new(Inner {
        data: data.clone(),
        db: RwLock::new(None),
        dirty: AtomicBool::new(false),
        target: Mutex::new(early),
    });
    let lookup = SledLookup(inner.clone());
    let opened = attempt(&data, &store, early).unwrap();
    // Away: it says so, and what is published meanwhile is not lost.
    assert!(!lookup.is_open());
    assert!(lookup.positions(LookupKey::Publisher("acme.example"), 0).is_err());
    lookup.extend(&[], published.size(), published.root());
    inner.finish_in_the_background(&store, opened);
    for _ in 0..600 {
        if lookup.is_open() {
            return check_jumped(&lookup, 1000);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the lookups never came");
}

#[test]
fn a_release_whose_manifest_comes_back_is_found_by_its_files_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let manifest = release("acme.example", 1, "base", 1).1;
    let file = home.path().join("public/manifests").join(manifest.digest().to_string());
    std::fs::remove_file(&file).unwrap();
    let lookup = open(&data, &store, &published);
    let sha256 = manifest.files()[0].sha256.to_string();
    // Both releases may have any file that no other is known to have.
    assert_eq!(lookup.positions(LookupKey::File(&sha256), 0).unwrap(), [3, 4]);
    assert_eq!(lookup.positions(LookupKey::File(&"0".repeat(64)), 0).unwrap(), [3, 4]);
    assert_eq!(lookup.0.settle(&store, &mut 0), 0);
    store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    assert_eq!(lookup.0.settle(&store, &mut 0), 2);
    check(&lookup);
    drop(lookup);
    check(&open(&data, &store, &published));
}
