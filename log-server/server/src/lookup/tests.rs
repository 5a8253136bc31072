use super::database::{Database, Row};
use super::databases::{opened, root_within};
use super::keys::Changes;
use super::sled_database::FOLDER;
use super::*;
use crate::testkit::start;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use stele_log_core::samples::{claim, release};
use stele_spec::hash::Digest;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tile::TileNodes;

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

fn open(data: &Dir, store: &TileStore, published: &TrustedCheckpoint) -> DerivedLookup {
    DerivedLookup::open(data, store, published.size(), published.root()).unwrap()
}

fn check(lookup: &DerivedLookup) {
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 0).unwrap(), [1, 3, 4]);
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 2).unwrap(), [3, 4]);
    assert!(lookup.positions(LookupKey::Publisher("acme.exampl"), 0).unwrap().is_empty());
    // Any file of the manifest leads to the releases that have it.
    for file in release("acme.example", 1, "base", 1).1.files() {
        assert_eq!(lookup.positions(LookupKey::File(&file.sha256), 0).unwrap(), [3, 4], "{}", file.path);
        assert_eq!(lookup.positions(LookupKey::GitBlob(&file.git_sha1), 0).unwrap(), [3, 4], "{}", file.path);
    }
    assert!(lookup.positions(LookupKey::File(&Digest::of(b"nowhere")), 0).unwrap().is_empty());
    // Who names no version is answered with every one; another version is none.
    for (purl, found) in [
        ("pkg:huggingface/acme/tiny@1.0.2", &[3, 4][..]),
        ("pkg:huggingface/acme/tiny", &[3, 4]),
        ("pkg:huggingface/acme/tiny@1.0.3", &[]),
        ("pkg:huggingface/acme/tin", &[]),
    ] {
        assert_eq!(lookup.positions(LookupKey::Purl(purl), 0).unwrap(), found, "{purl}");
    }
}

#[test]
fn what_is_broken_is_set_aside_and_made_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    drop(open(&data, &store, &published));
    for (file, aside) in [
        ("lookup.sled/conf", "lookup.sled.broken"),
        ("lookup.sled/db", "lookup.sled.broken"),
        ("lookup.redb", "lookup.redb.broken"),
    ] {
        std::fs::write(home.path().join(file), [0xa5; 4096]).unwrap();
        check(&open(&data, &store, &published));
        assert!(home.path().join(aside).exists(), "{file}");
    }
    std::fs::remove_dir_all(home.path().join(FOLDER)).unwrap();
    std::fs::write(home.path().join(FOLDER), b"a file where the folder belongs").unwrap();
    check(&open(&data, &store, &published));
    // What a kill while the file was made leaves.
    std::fs::write(home.path().join("lookup.redb"), [0; 4096]).unwrap();
    check(&open(&data, &store, &published));
}

#[test]
fn one_of_both_that_is_gone_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    drop(open(&data, &store, &published));
    std::fs::remove_file(home.path().join("lookup.redb")).unwrap();
    check(&open(&data, &store, &published));
    std::fs::remove_dir_all(home.path().join(FOLDER)).unwrap();
    check(&open(&data, &store, &published));
    assert!(!home.path().join("lookup.redb.broken").exists() && !home.path().join("lookup.sled.broken").exists());
}

#[test]
fn the_database_of_an_earlier_program_is_replaced_and_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let db = sled_of(home.path());
    db.insert("head.4", vec![0; 40]).unwrap();
    db.flush().unwrap();
    drop(db);
    check(&open(&data, &store, &published));
    assert!(!home.path().join("lookup.sled.broken").exists());
}

fn sled_of(home: &Path) -> sled::Db {
    sled::Config::new().path(home.join(FOLDER)).flush_every_ms(None).open().unwrap()
}

#[test]
fn another_log_s_database_and_one_from_the_future_are_made_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    for size in [3, 99] {
        let lookup = open(&data, &store, &published);
        check(&lookup);
        // Straight into the databases: what the log gives them is always its own.
        let head = Head { size, root: RootHash::from_bytes([7; 32]) };
        lookup.inner.with(|databases| databases.add(&[], head)).unwrap();
        drop(lookup);
        check(&open(&data, &store, &published));
        assert!(home.path().join("lookup.redb.broken").exists() && home.path().join("lookup.sled.broken").exists());
    }
}

#[test]
fn what_came_while_it_was_away_is_caught_up() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let early = stele_spec::merkle::root_at(&TileNodes::new(&store, 3), 3).unwrap();
    let lookup = DerivedLookup::open(&data, &store, 3, early).unwrap();
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 0).unwrap(), [1]);
    drop(lookup);
    check(&open(&data, &store, &published));
}

fn row(position: u64, purl: &str, parent: &str) -> LookupRow {
    LookupRow {
        position,
        publisher: "acme.example".into(),
        files: Default::default(),
        purls: vec![purl.into()],
        parents: vec![parent.into(), "pkg:huggingface/else/where@1".into()],
    }
}

#[test]
fn what_is_published_is_in_the_next_answer_and_stays_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 300);
    let root_of = |size| stele_spec::merkle::root_at(&TileNodes::new(&store, published.size()), size).unwrap();
    let lookup = DerivedLookup::open(&data, &store, 3, root_of(3)).unwrap();
    for position in 3..200 {
        let rows = [row(position, "pkg:huggingface/acme/tiny", "acme.example/base@1.0.0")];
        lookup.extend(&rows, position + 1, root_of(position + 1));
        let expected: Vec<u64> = (3..=position).collect();
        assert_eq!(lookup.positions(LookupKey::Purl("pkg:huggingface/acme/tiny"), 3).unwrap(), expected);
        assert_eq!(lookup.positions(LookupKey::Parent("acme.example/base@1.0.0"), 3).unwrap(), expected);
        assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 3).unwrap(), expected);
        assert_eq!(lookup.behind(), 0);
    }
    assert!(lookup.positions(LookupKey::Purl("pkg:huggingface/acme/tin"), 0).unwrap().is_empty());
    drop(lookup);
    let lookup = DerivedLookup::open(&data, &store, 200, root_of(200)).unwrap();
    assert_eq!(lookup.positions(LookupKey::Purl("pkg:huggingface/acme/tiny"), 190).unwrap().len(), 10);
}

#[test]
fn rows_beyond_the_bound_are_read_from_the_entries() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1000);
    let early = stele_spec::merkle::root_at(&TileNodes::new(&store, published.size()), 3).unwrap();
    let lookup = DerivedLookup::open(&data, &store, 3, early).unwrap();
    // More keys than may wait, and none of them what the entries say: they must not be what is found.
    let parents = vec!["pkg:huggingface/no/where@1".to_owned(); MAX_WAITING + 1];
    let rows = [LookupRow { parents, ..row(500, "pkg:huggingface/acme/tiny", "acme.example/base@1.0.0") }];
    lookup.extend(&rows, published.size(), published.root());
    check_jumped(&lookup, 1000);
    assert!(lookup.positions(LookupKey::Purl("pkg:huggingface/acme/tiny"), 0).unwrap().is_empty());
    assert_eq!(lookup.inner.state().waiting_keys, 0);
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

fn check_jumped(lookup: &DerivedLookup, statements: u32) {
    assert_eq!(lookup.away(), None);
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
    let target = Head { size: published.size(), root: published.root() };
    for at in [0, 256, 512, 768] {
        // What a crash between two bundles leaves: everything up to a size that was never a head.
        let (databases, reached) = Databases::open(&data, &store, target).unwrap();
        assert_eq!(reached, at);
        let end = databases.catch_up(&store, at, target).unwrap();
        assert_eq!(end, target.size.min(at + 256));
        assert!(root_within(&store, end, target).is_ok());
        databases.sync().unwrap();
    }
    check_jumped(&open(&data, &store, &published), 1000);
    assert!(!home.path().join("lookup.sled.broken").exists() && !home.path().join("lookup.redb.broken").exists());
}

#[test]
fn what_is_published_while_lookups_are_made_is_in_them() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1000);
    let early = Head { size: 3, root: stele_spec::merkle::root_at(&TileNodes::new(&store, 3), 3).unwrap() };
    // Nobody works yet.
    let inner = Arc::new(Inner::new(&data, &store, early));
    let lookup = DerivedLookup { inner: inner.clone(), worker: None };
    // Away: it says so, and what is published meanwhile is not lost.
    assert_eq!(lookup.away(), Some(LookupUnavailable::Making { done: 0, size: 3 }));
    assert!(lookup.positions(LookupKey::Publisher("acme.example"), 0).is_err());
    lookup.extend(&[], published.size(), published.root());
    inner.begin();
    check_jumped(&lookup, 1000);
}

#[test]
fn a_release_whose_manifest_comes_back_is_found_by_its_files_again() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    let manifest = release("acme.example", 1, "base", 1).1;
    let file = home.path().join("public/manifests").join(manifest.digest().to_string());
    std::fs::remove_file(&file).unwrap();
    let lookup = open(&data, &store, &published);
    let sha256 = manifest.files()[0].sha256;
    // Both releases may have any file that no other is known to have.
    assert_eq!(lookup.positions(LookupKey::File(&sha256), 0).unwrap(), [3, 4]);
    assert_eq!(lookup.positions(LookupKey::File(&Digest::of(b"nowhere")), 0).unwrap(), [3, 4]);
    assert_eq!(lookup.inner.settle(&mut 0), 0);
    store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    assert_eq!(lookup.inner.settle(&mut 0), 2);
    check(&lookup);
    drop(lookup);
    check(&open(&data, &store, &published));
}

/// Waits until what failed was opened again.
fn wait_for(lookup: &DerivedLookup) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Some(why) = lookup.away() {
        assert!(Instant::now() < deadline, "{why}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_database_that_does_not_open_holds_up_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    // What its library reads first is a pipe into which nobody writes.
    let folder = data.path_of(FOLDER);
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("conf");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let target = Head { size: published.size(), root: published.root() };
    let lookup = DerivedLookup::open_within(&data, &store, target, Duration::from_millis(200)).unwrap();
    assert!(matches!(lookup.away(), Some(LookupUnavailable::Making { done: 0, .. })));
    // The pipe ends, and is gone: what was read is no configuration, and the database is made again.
    let writer = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    std::fs::remove_file(&pipe).unwrap();
    drop(writer);
    wait_for(&lookup);
    drop(lookup);
}

#[test]
fn what_could_not_be_opened_is_opened_by_itself_once_it_can_be() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = log(home.path());
    // A file where the database belongs, and one where it would be set aside.
    let in_the_way = ["lookup.sled", "lookup.sled.broken"].map(|name| home.path().join(name));
    in_the_way.iter().for_each(|path| std::fs::write(path, b"no database").unwrap());
    let lookup = open(&data, &store, &published);
    let why = lookup.away().unwrap();
    assert!(matches!(why, LookupUnavailable::Failed { seconds: 1 | 2 }), "{why}");
    assert_eq!(lookup.positions(LookupKey::Publisher("acme.example"), 0).unwrap_err().to_string(), why.to_string());
    in_the_way.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    wait_for(&lookup);
    check(&lookup);
}

/// A database of which each sync fails, as on a disk without room.
#[derive(Debug)]
struct Unsynced {
    inner: Box<dyn Database>,
    syncs: Arc<AtomicUsize>,
}

impl Database for Unsynced {
    fn head(&self) -> Result<Option<Head>, LookupError> {
        self.inner.head()
    }

    fn write(&self, changes: &Changes, head: Option<Head>) -> Result<(), LookupError> {
        self.inner.write(changes, head)
    }

    fn range(&self, from: &[u8], to: &[u8], most: usize) -> Result<Vec<Row>, LookupError> {
        self.inner.range(from, to, most)
    }

    fn sync(&self) -> Result<(), LookupError> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        Err(LookupError::NoRoom("a test".into()))
    }
}

#[test]
fn a_sync_that_fails_while_they_are_made_costs_a_pause_and_no_restart() {
    let home = tempfile::tempdir().unwrap();
    let (data, store, published) = jumped(home.path(), 1022);
    let target = Head { size: published.size(), root: published.root() };
    let inner = Arc::new(Inner::new(&data, &store, target));
    let (Databases { files, origins }, _) = Databases::open(&data, &store, target).unwrap();
    let syncs = Arc::<AtomicUsize>::default();
    let origins = Box::new(Unsynced { inner: origins, syncs: syncs.clone() });
    *inner.databases.write().unwrap() = Some(Databases { files, origins });
    while inner.is_behind() && inner.step() {}
    assert_eq!(syncs.load(Ordering::SeqCst), 1);
    let shared = inner.clone();
    let lookup = DerivedLookup { inner, worker: Some(std::thread::spawn(move || shared.work())) };
    assert!(matches!(lookup.away(), Some(LookupUnavailable::Failed { .. })), "{:?}", lookup.away());
    wait_for(&lookup);
    check_jumped(&lookup, 1022);
    assert_eq!(syncs.load(Ordering::SeqCst), 1, "what failed was opened again, and not asked again");
}

#[test]
fn a_full_disk_sets_no_database_aside() {
    let home = tempfile::tempdir().unwrap();
    let (data, ..) = log(home.path());
    std::fs::write(home.path().join("lookup.redb"), b"all of it").unwrap();
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let no_room = opened(&data, "lookup.redb", || Err::<(), _>(super::database::of_io(&full)));
    assert!(matches!(no_room, Err(LookupError::NoRoom(_))));
    assert_eq!(std::fs::read(home.path().join("lookup.redb")).unwrap(), b"all of it");
    assert!(!home.path().join("lookup.redb.broken").exists());
}
