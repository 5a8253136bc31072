//! What a start finds on a disk, and what it does about it.

use crate::common::{make_ready, start};
use std::fs;
use std::path::{Path, PathBuf};
use stele_durable::fault;
use stele_explain::Explain as _;
use stele_log_core::contract::objects::ObjectErrorKind;
use stele_log_core::samples::{claim, release};
use stele_log_core::writer::WriteError;
use stele_spec::merkle::root_at;
use stele_spec::statement::SignedStatement;
use stele_spec::tile::{Resource, TileNodes, TilePath};

/// Two batches, published and durable.
fn log() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    let mut log = start(&path).unwrap();
    log.write(vec![]).unwrap();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    log.write(vec![release("acme.example", 1, "base", 1).0, release("acme.example", 1, "instruct", 2).0]).unwrap();
    log.publish();
    log.writer.sync().unwrap();
    (home, path)
}

fn next() -> Vec<SignedStatement> {
    vec![claim("other.example", 2)]
}

fn refusal(path: &Path) -> &'static str {
    start(path).map(|_| ()).unwrap_err().code()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_log_is_found_as_it_was_left_and_goes_on() {
    let (_home, path) = log();
    let mut log = start(&path).unwrap();
    let found = log.found.take().unwrap();
    assert_eq!((log.writer.tree.size(), found.published.unwrap().size()), (6, 6));
    assert_eq!(found.views.registry.read().unwrap().counts(), (3, 1, 2));
    assert!(found.unpublished.is_empty());
    log.write(next()).unwrap();
    drop(log);
    let log = start(&path).unwrap();
    assert_eq!(log.writer.tree.size(), 8);
    let found = log.found.unwrap();
    assert_eq!(found.published.unwrap().size(), 6);
    assert_eq!(found.unpublished.len(), 1);
}

#[test]
fn a_restored_backup_is_refused() {
    let (_home, path) = log();
    let head = path.join("lock/signed-head");
    let old = fs::read(&head).unwrap();
    let mut log = start(&path).unwrap();
    log.write(next()).unwrap();
    log.publish();
    drop(log);
    fs::write(&head, old).unwrap();
    assert_eq!(refusal(&path), "backup-restored");
}

#[test]
fn a_lost_lock_is_refused_whether_a_checkpoint_is_public_or_only_tiles() {
    let (_home, path) = log();
    fs::remove_file(path.join("lock/signed-head")).unwrap();
    assert_eq!(refusal(&path), "signed-head-lost");
    fs::remove_file(path.join("public/checkpoint")).unwrap();
    assert_eq!(refusal(&path), "signed-head-lost");
}

#[test]
fn a_deleted_database_of_entries_is_refused() {
    let (_home, path) = log();
    fs::remove_dir_all(path.join("public/tile")).unwrap();
    assert_eq!(refusal(&path), "entries-damaged");
}

#[test]
fn a_flipped_bit_is_refused_wherever_it_is() {
    for (file, at, code) in [
        ("public/tile/entries/000.p/6", 40, "root-differs"),
        ("public/tile/0/000.p/6", 40, "tile-differs"),
        ("public/checkpoint", 30, "checkpoint-refused"),
        ("lock/signed-head", 30, "signed-head-refused"),
    ] {
        let (_home, path) = log();
        flip(&path.join(file), at);
        let found = refusal(&path);
        // In an entry the flip may also meet the parser first.
        assert!(found == code || (file.contains("entries") && found == "entries-damaged"), "{file}: {found}");
    }
}

#[test]
fn another_key_s_head_is_refused() {
    let (_home, path) = log();
    let head = fs::read_to_string(path.join("lock/signed-head")).unwrap();
    fs::write(path.join("lock/signed-head"), head.replace("log.example/stele", "log.example/other")).unwrap();
    assert_eq!(refusal(&path), "signed-head-refused");
}

#[test]
fn a_tile_that_is_gone_is_put_back() {
    let (_home, path) = log();
    let tile = path.join("public/tile/0/000.p/6");
    let before = fs::read(&tile).unwrap();
    fs::remove_file(&tile).unwrap();
    start(&path).unwrap();
    assert_eq!(fs::read(&tile).unwrap(), before);
}

#[test]
fn a_batch_that_was_staged_and_never_signed_is_discarded() {
    let (_home, path) = log();
    let mut log = start(&path).unwrap();
    let armed = fault::arm(&format!("fail:rename:{}/lock/signed-head:1", path.display())).unwrap();
    assert!(matches!(log.write(next()), Err(WriteError::Swap(_))));
    drop((armed, log));
    assert_eq!(fs::read_dir(path.join("staged")).unwrap().count(), 1);
    let log = start(&path).unwrap();
    assert_eq!(log.writer.tree.size(), 6);
    assert_eq!(fs::read_dir(path.join("staged")).unwrap().count(), 0);
}

#[test]
fn a_batch_that_was_signed_is_published_at_the_next_start() {
    let (_home, path) = log();
    let mut log = start(&path).unwrap();
    let armed = fault::arm(&format!("fail:create:{}/public/tile/0:1", path.display())).unwrap();
    assert!(matches!(log.write(next()), Err(WriteError::After(_))));
    drop((armed, log));
    assert!(!path.join("public/tile/0/000.p/8").exists());
    let log = start(&path).unwrap();
    assert_eq!(log.writer.tree.size(), 8);
    assert!(path.join("public/tile/0/000.p/8").exists());
    assert_eq!(fs::read_dir(path.join("staged")).unwrap().count(), 0);
}

#[test]
fn a_damaged_staged_batch_of_the_signed_head_is_refused() {
    for in_a_spare in [false, true] {
        let (_home, path) = log();
        let mut log = start(&path).unwrap();
        if in_a_spare {
            make_ready(&log);
        }
        let armed = fault::arm(&format!("fail:create:{}/public/tile/0:1", path.display())).unwrap();
        log.write(next()).unwrap_err();
        drop((armed, log));
        let staged = fs::read_dir(path.join("staged")).unwrap().map(|file| file.unwrap().path());
        let staged = staged.max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
        assert_eq!(staged.to_string_lossy().contains("spare-"), in_a_spare);
        let bytes = fs::read(&staged).unwrap();
        fs::write(&staged, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(refusal(&path), "staged-batch-damaged");
        // Where its name cannot be read any more, its tiles are missed.
        fs::write(&staged, &bytes[..10]).unwrap();
        assert!(["staged-batch-damaged", "entries-damaged", "root-differs"].contains(&refusal(&path)));
    }
}

#[test]
fn a_checkpoint_that_was_answered_for_is_public_again_whatever_the_loss_of_power_left_of_it() {
    for left in [None, Some(""), Some("log.example/stele\n"), Some("the one before")] {
        let (_home, path) = log();
        let public = path.join("public/checkpoint");
        let before = fs::read(&public).unwrap();
        let mut log = start(&path).unwrap();
        log.write(next()).unwrap();
        assert_eq!(log.publish().size(), 8);
        let published = fs::read(&public).unwrap();
        drop(log);
        match left {
            None => fs::remove_file(&public).unwrap(),
            Some("the one before") => fs::write(&public, &before).unwrap(),
            Some(torn) => fs::write(&public, torn).unwrap(),
        }
        let log = start(&path).unwrap();
        assert_eq!(log.found.unwrap().published.unwrap().size(), 8, "{left:?}");
        assert_eq!(fs::read(&public).unwrap(), published);
        assert_eq!(fs::read_dir(path.join("staged")).unwrap().count(), 0);
    }
}

#[test]
fn a_lost_lock_is_refused_where_only_the_staged_checkpoint_knows_of_a_larger_tree() {
    let (_home, path) = log();
    let head = path.join("lock/signed-head");
    let (old, public) = (fs::read(&head).unwrap(), fs::read(path.join("public/checkpoint")).unwrap());
    let mut log = start(&path).unwrap();
    log.write(next()).unwrap();
    log.publish();
    drop(log);
    fs::write(&head, old).unwrap();
    fs::write(path.join("public/checkpoint"), public).unwrap();
    assert_eq!(refusal(&path), "backup-restored");
}

/// Every step of a publication fails once, with and without its effect: what was published is found at the next start, and the process
/// that lives on publishes it.
#[test]
fn whatever_step_of_a_publication_fails_what_was_answered_is_found() {
    let mut failed = 0;
    for with_spares in [false, true] {
        for place in ["staged", "public/checkpoint"] {
            for step in ["open", "create", "write", "sync", "link", "rename", "unlink", "sync-dir"] {
                for action in ["fail", "fail-persisted", "full"] {
                    let (_home, path) = log();
                    let mut log = start(&path).unwrap();
                    log.write(next()).unwrap();
                    if with_spares {
                        make_ready(&log);
                    }
                    let armed = fault::arm(&format!("{action}:{step}:{}/{place}:1", path.display())).unwrap();
                    let outcome = log.try_publish().map(|published| published.size());
                    drop(armed);
                    let case = format!("{action} {step} {place} {with_spares}: {outcome:?}");
                    failed += usize::from(outcome.is_err());
                    if outcome.as_ref().is_err_and(|error| error.kind() == ObjectErrorKind::NoRoom) {
                        assert_eq!(log.try_publish().unwrap().size(), 8, "{case}");
                    }
                    drop(log);
                    let log = start(&path).unwrap_or_else(|error| panic!("{case}: {error}"));
                    let published = log.found.unwrap().published.unwrap().size();
                    assert!(published == 8 || (outcome.is_err() && published == 6), "{case}");
                }
            }
        }
    }
    assert!(failed >= 24, "{failed}");
}

#[test]
fn a_tile_that_changed_under_the_writer_stops_it_before_it_signs() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    let mut log = start(&path).unwrap();
    log.write(vec![]).unwrap();
    // A full tile and more, so that the next batch has to read the full one from the disk.
    let many = (0..150).map(|i| claim(&format!("a{i}.example"), 1)).collect();
    log.write(many).unwrap();
    let many = (150..300).map(|i| claim(&format!("a{i}.example"), 1)).collect();
    log.write(many).unwrap();
    let before = fs::read(path.join("lock/signed-head")).unwrap();
    flip(&path.join("public/tile/1/000.p/1"), 3);
    // The tile of level 1 is not rewritten by this batch: what is on the disk counts.
    let error = log.write(next()).unwrap_err();
    assert!(matches!(error, WriteError::Check(_)) && error.is_fatal(), "{error}");
    assert_eq!(fs::read(path.join("lock/signed-head")).unwrap(), before);
}

/// Every step of a batch fails once, with and without its effect: afterwards the log starts again, has the old head or the
/// new one, and every head that it ever signed is the beginning of the newest.
#[test]
fn whatever_step_fails_the_history_stays_one() {
    let (mut failed, mut resumed) = (0, 0);
    for (place, with_spares) in [("staged", false), ("staged", true), ("lock/signed-head", true), ("public/tile", true)]
    {
        for step in ["open", "create", "write", "sync", "link", "rename", "unlink", "sync-dir"] {
            for action in ["fail", "fail-persisted", "full"] {
                let (_home, path) = log();
                let mut log = start(&path).unwrap();
                if with_spares {
                    make_ready(&log);
                }
                let old = log.writer.signed.clone().unwrap();
                let armed = fault::arm(&format!("{action}:{step}:{}/{place}:1", path.display())).unwrap();
                let outcome = log.write(next());
                drop(armed);
                let case = format!("{action} {step} {place} {with_spares}: {outcome:?}");
                failed += usize::from(outcome.is_err());
                let signed_by_memory = log.writer.tree.size();
                let is_signed = matches!(outcome, Ok(_) | Err(WriteError::After(_)));
                assert_eq!(signed_by_memory, if is_signed { 8 } else { 6 }, "{case}");
                if let (Ok(written), true) = (&outcome, log.writer.pending.is_some()) {
                    // Signed, and tiles without room: the same process puts them and goes on.
                    assert!(action == "full" && place.starts_with("public"), "{case}");
                    let again = log.write(vec![claim("later.example", 5)]).unwrap().head;
                    let found = root_at(&TileNodes::new(&log.store, again.checkpoint.size()), 8).unwrap();
                    assert_eq!(found, written.head.checkpoint.root(), "{case}");
                    resumed += 1;
                    continue;
                }
                if let Err(error) = &outcome
                    && !error.is_fatal()
                {
                    // Nothing has happened: the same process goes on.
                    // A full disk under the signed head is one only before its new file is whole.
                    assert!(place == "staged" || (action == "full" && place == "lock/signed-head"), "{case}");
                    assert_eq!(log.write(next()).unwrap().head.checkpoint.size(), 8, "{case}");
                }
                drop(log);
                let mut log = start(&path).unwrap_or_else(|error| panic!("{case}: {error}"));
                let size = log.writer.tree.size();
                assert!(size == 6 || size == 8, "{case}");
                let root = root_at(&TileNodes::new(&log.store, size), 6).unwrap();
                assert_eq!(root, old.checkpoint.root(), "{case}");
                let last = log.write(vec![claim("third.example", 3)]).unwrap().head;
                let root = root_at(&TileNodes::new(&log.store, last.checkpoint.size()), size).unwrap();
                assert_eq!(root, log.found.unwrap().signed.unwrap().checkpoint.root(), "{case}");
            }
        }
    }
    // The rest are steps that a place does not take: a head is renamed, never linked, and tiles are not synced with their batch.
    assert!(failed >= 36 && resumed >= 3, "{failed} {resumed}");
}

#[test]
fn a_sync_that_fails_leaves_everything_staged_and_the_next_start_puts_it_again() {
    let (_home, path) = log();
    let mut log = start(&path).unwrap();
    log.write(next()).unwrap();
    let staged = || fs::read_dir(path.join("staged")).unwrap().count();
    let armed = fault::arm(&format!("fail-persisted:sync-fs:{}:1", path.display())).unwrap();
    let error = log.writer.sync().unwrap_err();
    assert!(error.is_fatal() && !error.is_no_room(), "{error}");
    drop((armed, log));
    assert_eq!(staged(), 1);
    // As a disk that lost what it could not sync.
    for torn in ["entries/000.p/8", "0/000.p/8"] {
        fs::write(path.join("public/tile").join(torn), b"").unwrap();
    }
    let log = start(&path).unwrap();
    assert_eq!((log.writer.tree.size(), staged()), (8, 0));
    assert_eq!(root_at(&TileNodes::new(&log.store, 8), 8).unwrap(), log.writer.tree.root());
    assert_eq!(log.store.entry(6, 8).unwrap(), next()[0].bytes());
}

#[test]
fn tiles_of_many_levels_survive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    let mut log = start(&path).unwrap();
    log.write(vec![]).unwrap();
    for batch in 0..6 {
        let many = (0..100).map(|i| claim(&format!("a{batch}-{i}.example"), 1)).collect();
        log.write(many).unwrap();
    }
    log.publish();
    drop(log);
    let log = start(&path).unwrap();
    assert_eq!(log.writer.tree.size(), 607);
    assert!(log.store.read(TilePath::full(Resource::Level(0), 1)).unwrap().is_some());
    // Partial tiles stay for readers who are late; the writer removes them when they are old.
    assert!(path.join("public/tile/0/000.p").exists());
    assert!(log.found.as_ref().unwrap().superseded.contains(&TilePath::full(Resource::Level(0), 0)));
}
