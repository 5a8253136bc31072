//! Tiles on a disk: never other bytes under a name, and partial ones that give way to full ones.

use crate::common::files;
use std::collections::VecDeque;
use std::time::Duration;
use stele_clock::{Clock as _, SystemClock};
use stele_durable::Dir;
use stele_log_core::contract::objects::ObjectErrorKind;
use stele_log_core::overlay::Overlay;
use stele_log_core::tree::{Object, Tree};
use stele_log_storage_files::objects::FileObjects;
use stele_spec::merkle::{leaf_hash, root_at};
use stele_spec::tile::{Resource, TileNodes, TilePath};

fn now() -> u64 {
    SystemClock.unix_seconds()
}

fn grow(tree: &mut Tree, to: u64) -> Vec<Object> {
    let old = tree.clone();
    let mut full = Vec::new();
    for i in tree.size()..to {
        let entry = i.to_be_bytes();
        tree.push(&entry, leaf_hash(&entry), &mut full);
    }
    tree.grown_from(&old, full)
}

#[test]
fn other_bytes_under_a_name_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let store = files(home.path());
    let mut objects = grow(&mut Tree::new(), 3);
    store.put(&objects).unwrap();
    store.put(&objects).unwrap();
    objects[0].bytes[3] ^= 1;
    assert_eq!(store.put(&objects).unwrap_err().kind(), ObjectErrorKind::Differs);
}

#[test]
fn a_partial_tile_that_was_swept_is_read_from_the_full_one() {
    let home = tempfile::tempdir().unwrap();
    let store = files(home.path());
    let mut tree = Tree::new();
    store.put(&grow(&mut tree, 5)).unwrap();
    let early = tree.root();
    let before = [Resource::Entries, Resource::Level(0)]
        .map(|resource| store.read(TilePath { resource, index: 0, width: 5 }).unwrap().unwrap());
    let objects = grow(&mut tree, 300);
    store.put(&objects).unwrap();
    let hour = Duration::from_secs(3600);
    let mut waiting: VecDeque<TilePath> = objects.iter().map(|object| object.path).collect();
    store.sweep(&mut waiting, hour, 8, now());
    assert_eq!(waiting.len(), 2, "the full ones");
    assert!(home.path().join("public/tile/0/000.p/5").exists(), "a reader may be under way");
    // A web server that only has the files serves an earlier checkpoint for an hour.
    for full in ["public/tile/0/000", "public/tile/entries/000"] {
        let full = std::fs::File::open(home.path().join(full)).unwrap();
        full.set_modified(std::time::SystemTime::now() - hour).unwrap();
    }
    store.sweep(&mut waiting, hour, 8, now());
    assert!(waiting.is_empty());
    assert!(!home.path().join("public/tile/0/000.p").exists());
    assert!(home.path().join("public/tile/0/001.p/44").exists());
    let after = [Resource::Entries, Resource::Level(0)]
        .map(|resource| store.read(TilePath { resource, index: 0, width: 5 }).unwrap().unwrap());
    assert_eq!(before, after);
    assert_eq!(root_at(&TileNodes::new(&store, 5), 5).unwrap(), early);
    assert_eq!(store.entry(299, 300).unwrap(), 299_u64.to_be_bytes());
    assert!(store.entry(300, 300).is_err());
    assert_eq!(store.read(TilePath::full(Resource::Level(0), 7)).unwrap(), None);
}

#[test]
fn more_than_so_many_partial_tiles_do_not_wait() {
    let home = tempfile::tempdir().unwrap();
    let store = files(home.path());
    let mut tree = Tree::new();
    let mut waiting = VecDeque::new();
    for size in [5, 300, 520, 800] {
        let objects = grow(&mut tree, size);
        store.put(&objects).unwrap();
        waiting.extend(objects.iter().map(|object| object.path));
    }
    store.sweep(&mut waiting, Duration::from_secs(3600), 2, now());
    assert_eq!(waiting.len(), 2);
    let left = |name: &str| home.path().join(format!("public/tile/{name}.p")).exists();
    assert_eq!(["entries/000", "entries/001", "entries/002"].map(left), [false, false, true]);
}

#[test]
fn entries_are_as_old_as_the_file_that_first_has_them() {
    let home = tempfile::tempdir().unwrap();
    let store = files(home.path());
    let mut tree = Tree::new();
    for size in [5, 256, 300, 310] {
        store.put(&grow(&mut tree, size)).unwrap();
    }
    let hour = Duration::from_secs(3600);
    let date = |name: &str, hours: u32| {
        let file = std::fs::File::open(home.path().join("public/tile/entries").join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - hour * hours).unwrap();
    };
    for (path, age) in [("000.p/5", 30), ("000", 23), ("001.p/44", 4), ("001.p/54", 1)] {
        date(path, age);
    }
    let times = store.logged_within(24 * hour, 310, now());
    let hours = |position| times.age(position).map(|age| (age.as_secs() + 60) / 3600);
    let found = [0, 4, 5, 255, 256, 299, 300, 309, 310].map(hours);
    assert_eq!(found, [None, None, Some(23), Some(23), Some(4), Some(4), Some(1), Some(1), None]);
    assert_eq!(store.logged_within(2 * hour, 310, now()).age(299), None);
    FileObjects::new(&Dir::open(home.path()).unwrap()).forget_times([44, 54].map(|width| TilePath {
        resource: Resource::Entries,
        index: 1,
        width,
    }));
    assert_eq!(store.logged_within(24 * hour, 310, now()).age(309), None);
}

#[test]
fn the_overlay_reads_old_trees_from_what_will_be_published() {
    let home = tempfile::tempdir().unwrap();
    let store = files(home.path());
    let mut tree = Tree::new();
    store.put(&grow(&mut tree, 250)).unwrap();
    let old = tree.root();
    let mut objects = grow(&mut tree, 260);
    let root = |objects: &[Object], size| root_at(&TileNodes::new(&Overlay::new(&store, objects), size), size).unwrap();
    assert_eq!(root(&objects, 250), old);
    assert_eq!(root(&objects, 260), tree.root());
    let tile = objects.iter_mut().find(|o| o.path == TilePath::full(Resource::Level(0), 0)).unwrap();
    tile.bytes[0] ^= 1;
    assert_ne!(root(&objects, 250), old);
}
