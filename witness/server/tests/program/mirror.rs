//! A mirror says that every entry is here: so nothing is signed or served before it is, and it stays on one history.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{FileServer, Folder, Log, NOW, flip, told};
use stele_clock::ManualClock;
use stele_durable::fault;
use stele_fetch::static_files::{SourceError, StaticFiles};
use stele_mirror::{CopyOutcome, Mirror};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::Digest;
use stele_spec::note::{SignedNote, VerifierKey};
use stele_spec::tile::{TilePath, tiles_for};
use stele_spec::tiledlog::{Files, TiledLog};
use stele_witness::copying::Copying;
use stele_witness::home::WitnessDir;
use stele_witness::setup;
use stele_witness_core::counters::Pulled;
use stele_witness_core::record::LastCosigned;
use stele_witness_core::wall_clock::MAX_JUMP;
use stele_witness_core::witness::Witness;

const ORIGIN: &str = "log.example/copied";

/// A folder whose witness pulls a log and whose mirror copies it.
struct House {
    folder: Folder,
    files: FileServer,
    log: Log,
    keys: Vec<VerifierKey>,
}

/// Witness and mirror at work in this process, when they are told to.
struct AtWork {
    witness: Arc<Witness>,
    mirror: Arc<Mirror>,
    url: String,
}

impl House {
    fn new() -> Self {
        let (log, files, folder) = (Log::new(ORIGIN), FileServer::start(), Folder::new(&[]));
        folder.add_pulled(&log, &files.url);
        let own = setup::init_mirror(&folder.path(), &"mirror.example/m1".parse().unwrap()).unwrap();
        WitnessDir::mirror_log(&folder.path(), ORIGIN, false).unwrap();
        Self { folder, files, log, keys: own.keys().cloned().collect() }
    }

    fn open(&self) -> AtWork {
        self.open_at(Arc::new(ManualClock::at(NOW)))
    }

    /// The same, with another clock for the mirror alone.
    fn open_at(&self, clock: Arc<ManualClock>) -> AtWork {
        let home = WitnessDir::open(&self.folder.path()).unwrap();
        let witness = Arc::new(home.open_witness(Arc::new(ManualClock::at(NOW))).unwrap());
        let mirror = home.open_mirror(clock).unwrap().unwrap();
        AtWork { witness, mirror, url: self.files.url.clone() }
    }

    fn shows(&self, size: u64) {
        self.log.write(self.files.path(), size);
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("mirror/logs").join(self.log.hash())
    }

    fn served_size(&self, work: &AtWork) -> Option<u64> {
        let note = SignedNote::parse(&work.mirror.checkpoint(&self.log.hash())?).unwrap();
        for key in &self.keys {
            let line = note.signatures().iter().find(|line| key.is_meant_by(line)).unwrap();
            verify_cosignature(note.text(), line, key).unwrap();
        }
        Some(Checkpoint::parse(note.text()).unwrap().size())
    }

    fn command(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = self.folder.command(arguments);
        told(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
    }

    fn verify(&self) -> (i32, String) {
        let mut command = self.folder.command(&["mirror", "verify", self.folder.path().to_str().unwrap()]);
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }
}

impl AtWork {
    fn ask(&self) -> Pulled {
        let copying = Copying(self.mirror.clone());
        stele_pull::ask(&self.witness, Some(&copying), &ORIGIN.parse().unwrap(), &Arc::default())
    }

    fn bring(&self) -> Option<CopyOutcome> {
        let asked = stele_pull::files_at(&self.url, Arc::default());
        match self.witness.last(&ORIGIN.parse().unwrap()) {
            Some(Ok(LastCosigned::Cosigned(cosigned))) => self.mirror.copy_to(&cosigned, &asked),
            _ => None,
        }
    }

    /// A round in which the log is cosigned and then copied, or not.
    fn round(&self) -> Option<CopyOutcome> {
        assert_eq!(self.ask(), Pulled::Cosigned);
        self.bring()
    }
}

#[test]
fn r0_a_log_that_compresses_unasked_is_cosigned_and_copied() {
    let house = House::new();
    house.files.compress();
    let work = house.open();
    for size in [300, 700] {
        house.shows(size);
        assert_eq!(work.round(), Some(CopyOutcome::Signed), "{size}");
        assert_eq!(house.served_size(&work), Some(size));
    }
    // What is kept is not compressed.
    let kept = crate::common::read(&house.copy().join("tile/entries/000"));
    assert_eq!(kept, crate::common::read(&house.files.path().join("tile/entries/000")));
    // A stream that ends too soon is an error of that answer, and the copy goes on later.
    house.shows(900);
    let path = house.files.path().join("tile/entries/003.p/132");
    let whole = crate::common::read(&path);
    crate::common::put(&path, b"");
    assert_eq!(work.ask(), Pulled::Cosigned);
    assert_eq!(work.bring(), Some(CopyOutcome::Failed));
    crate::common::put(&path, &whole);
    assert_eq!(work.bring(), Some(CopyOutcome::Signed));
}

#[test]
fn t4_a_clock_that_jumps_ahead_dates_no_signature_of_the_mirror() {
    let (house, clock) = (House::new(), Arc::new(ManualClock::at(NOW)));
    let work = house.open_at(clock.clone());
    house.shows(300);
    assert_eq!(work.round(), Some(CopyOutcome::Signed));
    house.shows(400);
    clock.jump(NOW + MAX_JUMP + 10);
    assert_eq!(work.round(), Some(CopyOutcome::Failed));
    assert_eq!(house.served_size(&work), Some(300));
    clock.jump(NOW + MAX_JUMP - 10);
    assert_eq!(work.bring(), Some(CopyOutcome::Signed));
    assert_eq!(house.served_size(&work), Some(400));
}

#[test]
fn r1_a_wrong_or_missing_byte_of_the_log_is_neither_signed_nor_kept() {
    for file in ["tile/entries/000", "tile/entries/001.p/44", "tile/1/000.p/1", "tile/0/001.p/44"] {
        let house = House::new();
        house.shows(300);
        let work = house.open();
        assert_eq!(work.ask(), Pulled::Cosigned, "a first checkpoint needs no tiles");
        let path = house.files.path().join(file);
        flip(&path, 9);
        assert_eq!(work.bring(), Some(CopyOutcome::Failed), "{file}");
        let bytes = crate::common::read(&path);
        crate::common::put(&path, &bytes[..bytes.len() - 1]);
        assert_eq!(work.bring(), Some(CopyOutcome::Failed), "{file} is short");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(work.bring(), Some(CopyOutcome::Failed), "{file} is gone");
        assert_eq!(house.served_size(&work), None);
        assert!(!house.copy().join("tile/entries/001.p/44").exists());
        house.shows(300);
        assert_eq!(work.bring(), Some(CopyOutcome::Signed));
        assert_eq!(house.served_size(&work), Some(300));
    }
}

#[test]
fn r2_every_file_of_the_tree_is_served_and_the_checkpoint_has_the_lines_of_log_witness_and_mirror() {
    let house = House::new();
    let work = house.open();
    let hash = house.log.hash();
    for size in [1, 200, 255, 256, 300, 511, 513, 900] {
        house.shows(size);
        assert_eq!(work.round(), Some(CopyOutcome::Signed), "{size}");
        assert_eq!(work.bring(), Some(CopyOutcome::Current));
        assert_eq!(house.served_size(&work), Some(size));
        for path in tiles_for(0, size) {
            let expected = crate::common::read(&house.files.path().join(path.to_string()));
            assert_eq!(work.mirror.tile(&hash, path), Some(expected), "{size}: {path}");
        }
    }
    let note = SignedNote::parse(&work.mirror.checkpoint(&hash).unwrap()).unwrap();
    assert_eq!(note.signatures().len(), 1 + 2 + 2);
    // The partial tiles of full ones are gone, those of the edge are there.
    let tile = |path: &str| work.mirror.tile(&hash, TilePath::parse(path).unwrap()).is_some();
    assert!(!tile("tile/entries/000.p/200") && !tile("tile/0/001.p/44") && tile("tile/0/003.p/132"));
    assert!(!tile("tile/0/003.p/133") && !tile("tile/0/003"), "beyond the tree");
}

#[test]
fn r3_a_log_that_forks_brings_no_second_history_here() {
    let house = House::new();
    house.shows(100);
    let work = house.open();
    assert_eq!(work.round(), Some(CopyOutcome::Signed));
    house.shows(300);
    assert_eq!(work.ask(), Pulled::Cosigned);
    // Before the copy is made, the log puts the files of another history in the place of those that it signed for.
    let other = Log::salted(ORIGIN, 1, 1);
    other.write(house.files.path(), 300);
    assert_eq!(work.ask(), Pulled::Refused);
    assert_eq!(work.bring(), Some(CopyOutcome::Failed));
    other.write(house.files.path(), 600);
    assert_eq!(work.ask(), Pulled::Refused);
    assert_eq!(work.bring(), Some(CopyOutcome::Failed));
    assert_eq!(house.served_size(&work), Some(100));
    assert_eq!(work.witness.evidence()[0].1.len(), 2, "both are proofs, which page, health and doctor show");
    // What was signed for is still the one history.
    house.shows(300);
    assert_eq!(work.bring(), Some(CopyOutcome::Signed));
    assert_eq!(house.verify().0, 0);
}

#[test]
fn r4_killed_before_or_after_any_step_the_copy_goes_on_and_is_whole() {
    let house = House::new();
    house.shows(600);
    let mut killed = 0;
    for (round, step) in ["create", "write", "sync", "link", "rename", "sync-dir", "mkdir"].into_iter().enumerate() {
        for action in ["kill", "kill-after"] {
            let size = 600 + 20 * round as u64 + if action == "kill" { 0 } else { 10 };
            house.shows(size);
            // In the copy, and in the state and the mark that follow it.
            let place = if round % 2 == 0 { "mirror/logs" } else { "/mirror" };
            let rule = format!("{action}:{step}:{place}:{}", 1 + round / 2);
            if let Some(mut process) = house.folder.try_start(&[("STELE_FAULT", &rule)]) {
                let end = Instant::now() + Duration::from_secs(2);
                while process.child.try_wait().unwrap().is_none() && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(20));
                }
                killed += usize::from(process.child.try_wait().unwrap().is_some());
            } else {
                killed += 1;
            }
            let process = house.folder.start(&[]);
            let page = format!("/mirror/{}/checkpoint", house.log.hash());
            let end = Instant::now() + Duration::from_secs(30);
            while !mirrored(&process.listener.try_get(&page), size) {
                assert!(Instant::now() < end, "{rule}: not mirrored");
                std::thread::sleep(Duration::from_millis(50));
            }
            process.kill();
        }
        assert_eq!(house.verify().0, 0, "{step}");
    }
    assert!(killed >= 10, "{killed}");
}

/// Whether a page is the checkpoint of that size.
fn mirrored(page: &Option<String>, size: u64) -> bool {
    page.as_ref().is_some_and(|page| page.contains(&format!("\n{size}\n")))
}

#[test]
fn r5_a_failing_or_full_disk_signs_nothing_and_the_next_round_goes_on() {
    for fault in ["full:write", "fail:sync", "fail:link", "fail-persisted:link", "fail:rename"] {
        let house = House::new();
        house.shows(300);
        let work = house.open();
        assert_eq!(work.ask(), Pulled::Cosigned);
        let armed = fault::arm(&format!("{fault}:{}:1", house.copy().display())).unwrap();
        assert_eq!(work.bring(), Some(CopyOutcome::Failed), "{fault}");
        assert_eq!(house.served_size(&work), None);
        drop(armed);
        assert_eq!(work.bring(), Some(CopyOutcome::Signed), "{fault}");
        drop(work);
        assert_eq!(house.verify().0, 0, "{fault}");
    }
}

#[test]
fn r6_a_lost_or_restored_state_of_the_mirror_is_refused_and_the_way_out_is_its_own_signature() {
    let house = House::new();
    house.shows(100);
    let work = house.open();
    assert_eq!(work.round(), Some(CopyOutcome::Signed));
    let state = house.folder.path().join("mirror/state").join(house.log.hash());
    let (older, backup) = (crate::common::read(&state), crate::common::files_of(state.parent().unwrap()));
    house.shows(300);
    assert_eq!(work.round(), Some(CopyOutcome::Signed));
    let newest = work.mirror.checkpoint(&house.log.hash()).unwrap();
    drop(work);
    backup.iter().for_each(|(path, bytes)| crate::common::put(path, bytes));
    let (code, told) = house.folder.refusal();
    assert!(code == 12 && told.contains("mirror adopt"), "{code} {told}");
    std::fs::remove_file(&state).unwrap();
    assert_eq!(house.folder.refusal().0, 12);
    let (old, new) = (house.folder.path().join("old"), house.folder.path().join("new"));
    crate::common::put(&old, &older);
    crate::common::put(&new, &newest);
    let adopt = |file: &PathBuf| {
        let folder = house.folder.path();
        house.command(&["mirror", "adopt", folder.to_str().unwrap(), "--checkpoint", file.to_str().unwrap()]).0
    };
    assert_ne!(adopt(&old), 0, "older than what the mark knows");
    assert_eq!(adopt(&new), 0);
    assert_eq!(house.served_size(&house.open()), Some(300));
}

#[test]
fn a_look_at_a_mirror_of_nothing_is_no_success() {
    let folder = Folder::new(&[]);
    let verify = |folder: &Folder| {
        let mut command = folder.command(&["mirror", "verify", folder.path().to_str().unwrap()]);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = verify(&folder);
    assert!(code == 7 && said.contains("nothing was verified: no log is mirrored here"), "{code} {said}");
    let house = House::new();
    let (code, said) = verify(&house.folder);
    assert!(code == 9 && said.contains("nothing was verified: no copy is signed yet"), "{code} {said}");
    assert!(said.contains("hint:"), "{said}");
    assert!(house.verify().1.contains(&format!("none {ORIGIN} nothing is mirrored yet")));
}

#[test]
fn r7_a_damaged_copy_is_not_served_and_a_missing_one_is_made_again() {
    let house = House::new();
    house.shows(600);
    let work = house.open();
    assert_eq!(work.round(), Some(CopyOutcome::Signed));
    drop(work);
    // In the middle: seen by a look at the whole.
    for file in ["tile/entries/000", "tile/0/001"] {
        flip(&house.copy().join(file), 7);
        let (code, told) = house.verify();
        assert!(code != 0 && told.contains("FAIL") && told.contains(file), "{code} {told}");
        flip(&house.copy().join(file), 7);
    }
    assert_eq!(house.verify().0, 0);
    // At the edge: seen at the start.
    let edge = house.copy().join("tile/0/002.p/88");
    flip(&edge, 7);
    let (code, told) = house.folder.refusal();
    assert!(code == 12 && told.contains("copy") && told.contains("mirror verify"), "{code} {told}");
    // Gone: not served, and copied again from the log.
    std::fs::remove_dir_all(house.copy()).unwrap();
    let work = house.open();
    assert_eq!(house.served_size(&work), None);
    assert_eq!(work.bring(), Some(CopyOutcome::Signed));
    assert_eq!(house.served_size(&work), Some(600));
    assert_eq!(house.verify().0, 0);
}

/// What is served at an address, as any client reads it.
struct Page(StaticFiles);

impl Files for Page {
    type Error = SourceError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.read(path, limit)
    }
}

#[test]
fn r8_when_the_log_is_gone_everything_is_read_from_the_mirror() {
    let house = House::new();
    house.shows(700);
    let page = format!("/mirror/{}/checkpoint", house.log.hash());
    let process = house.folder.start(&[]);
    let end = Instant::now() + Duration::from_secs(30);
    while process.listener.get(&page).status != 200 {
        assert!(Instant::now() < end, "not mirrored");
        std::thread::sleep(Duration::from_millis(50));
    }
    process.kill();
    house.files.vanish();
    std::fs::remove_dir_all(house.files.path()).unwrap();
    let process = house.folder.start(&[]);
    let note = SignedNote::parse(&process.listener.get(&page).body).unwrap();
    let url = format!("{}/mirror/{}/", process.listener.url, house.log.hash());
    let log = TiledLog::open(Page(StaticFiles::http(&url, "test")), Checkpoint::parse(note.text()).unwrap()).unwrap();
    let read: Vec<_> = log.entries(0).flat_map(|chunk| chunk.unwrap().entries).collect();
    assert_eq!(read, (0..700).map(|n| house.log.entry(n)).collect::<Vec<_>>());
    let tile = process.listener.get(&format!("/mirror/{}/tile/0/000", house.log.hash()));
    assert_eq!(tile.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert!(
        process
            .listener
            .get("/mirror/metrics")
            .text()
            .contains("stele_witness_mirror_size{origin=\"log.example/copied\"} 700\n")
    );
    let absent = Digest::of(b"nothing");
    for path in ["tile/0/002", "tile/0/000.p/256", "tile/0/0", "manifests/zz", &format!("manifests/{absent}")] {
        assert_eq!(process.listener.get(&format!("/mirror/{}/{path}", house.log.hash())).status, 404, "{path}");
    }
    assert_eq!(process.stop(), 0);
}

#[test]
fn r9_a_mirror_is_another_cosigner_than_the_witness_and_copies_only_what_is_pulled() {
    let log = Log::new("log.example/called");
    let folder = Folder::new(&[&log]);
    let path = folder.path();
    let path = path.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        told(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
    };
    let (code, told) = run(&["mirror", "init", path, "--name", "witness.example/w1"]);
    assert!(code == 7 && told.contains("two cosigners"), "{code} {told}");
    assert!(!folder.path().join("mirror.key").exists());
    assert_eq!(run(&["mirror", "add", path, &log.origin]).0, 7, "no mirror yet");
    assert_eq!(run(&["mirror", "init", path, "--name", "mirror.example/m1"]).0, 0);
    assert_eq!(run(&["mirror", "init", path, "--name", "mirror.example/m2"]).0, 7, "one is there");
    let (code, told) = run(&["mirror", "add", path, &log.origin]);
    assert!(code == 7 && told.contains("pull"), "{code} {told}");
    let page = folder.start(&[]).listener.get("/").text();
    assert_eq!(page.matches("<pre>mirror.example/m1+").count(), 2, "{page}");
}

#[test]
fn a_mirror_that_stopped_after_a_failed_sync_says_so_until_it_is_started_again() {
    let house = House::new();
    let problem = |work: &AtWork| work.mirror.health()[0].problem.clone();
    let work = house.open();
    house.shows(3);
    assert_eq!((work.round(), problem(&work)), (Some(CopyOutcome::Signed), None));
    house.shows(7);
    let armed = fault::arm(&format!("fail:sync:{}:1", house.folder.path().join("mirror/state").display())).unwrap();
    assert_eq!(work.round(), Some(CopyOutcome::Failed));
    assert!(problem(&work).is_some());
    drop(armed);
    // The disk is well again. What a failed sync has left on it, a start finds out; until then nothing is signed.
    house.shows(9);
    assert_eq!(work.round(), Some(CopyOutcome::Failed));
    let said = problem(&work).unwrap();
    assert!(said.contains("start the witness again"), "{said}");
    drop(work);
    let work = house.open();
    house.shows(12);
    assert_eq!((work.round(), problem(&work), house.served_size(&work)), (Some(CopyOutcome::Signed), None, Some(12)));
}
