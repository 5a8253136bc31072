//! Logs that do not call: what they show is read, proven from their tiles, and decided on as if they had outcome it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{FileServer, Folder, Log, NOW, flip};
use stele_clock::ManualClock;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::note::SignedNote;
use stele_witness::home::WitnessDir;
use stele_witness::metrics::exposition_of;
use stele_witness_core::counters::Pulled;
use stele_witness_core::held::Held;
use stele_witness_core::witness::Witness;

const ORIGIN: &str = "log.example/quiet";

/// A witness in this process that asks a log when it is told to.
struct Asking {
    folder: Folder,
    files: FileServer,
    log: Log,
    clock: Arc<ManualClock>,
    witness: Arc<Witness>,
}

impl Asking {
    fn new() -> Self {
        let (log, files, folder) = (Log::new(ORIGIN), FileServer::start(), Folder::new(&[]));
        folder.add_pulled(&log, &files.url);
        let clock = Arc::new(ManualClock::at(NOW));
        let witness = Arc::new(WitnessDir::open(&folder.path()).unwrap().open_witness(clock.clone()).unwrap());
        Self { folder, files, log, clock, witness }
    }

    fn ask(&self) -> Pulled {
        stele_pull::ask(&self.witness, None, &ORIGIN.parse().unwrap(), &Arc::default())
    }

    /// What the log shows from now on, honestly.
    fn shows(&self, size: u64) {
        self.log.write(self.files.path(), size);
    }

    /// Size and time of what is published, if anything is.
    fn published(&self) -> Option<u64> {
        let note = SignedNote::parse(&self.witness.checkpoint(&self.log.hash())?).unwrap();
        Some(Checkpoint::parse(note.text()).unwrap().size())
    }

    fn metric(&self, line: &str) {
        let metrics = exposition_of(&self.witness);
        assert!(metrics.contains(&format!("stele_witness_{line}\n")), "{line} in\n{metrics}");
    }
}

#[test]
fn n1_a_checkpoint_that_the_log_did_not_sign_is_not_cosigned() {
    let asking = Asking::new();
    assert_eq!(asking.ask(), Pulled::Failed, "there is none");
    Log::salted(ORIGIN, 0, 9).write(asking.files.path(), 10);
    assert_eq!(asking.ask(), Pulled::Failed, "another key");
    asking.shows(10);
    let text = String::from_utf8(asking.log.signed(10).to_bytes()).unwrap().replace("\n10\n", "\n11\n");
    crate::common::put(&asking.files.path().join("checkpoint"), text.as_bytes());
    assert_eq!(asking.ask(), Pulled::Failed, "another text");
    crate::common::put(&asking.files.path().join("checkpoint"), b"no note");
    assert_eq!(asking.ask(), Pulled::Failed);
    assert_eq!(asking.published(), None);
    asking.metric("pull_failing{origin=\"log.example/quiet\"} 4");
}

#[test]
fn n2_growth_is_proven_from_tiles_and_published_on_the_monitoring_page() {
    let asking = Asking::new();
    for size in [1, 2, 255, 256, 257, 300, 512, 900] {
        asking.shows(size);
        assert_eq!(asking.ask(), Pulled::Cosigned, "{size}");
        assert_eq!(asking.published(), Some(size));
    }
    asking.metric(&format!("pull_success_timestamp_seconds{{origin=\"log.example/quiet\"}} {NOW}"));
    asking.metric("pulls_total{origin=\"log.example/quiet\",outcome=\"cosigned\"} 8");
}

#[test]
fn n3_tiles_that_are_missing_or_wrong_prove_nothing() {
    for file in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/0/000"] {
        let asking = Asking::new();
        asking.shows(100);
        assert_eq!(asking.ask(), Pulled::Cosigned);
        asking.shows(300);
        flip(&asking.files.path().join(file), 3);
        assert_eq!(asking.ask(), Pulled::Failed, "{file}");
        std::fs::remove_file(asking.files.path().join(file)).unwrap();
        assert_eq!(asking.ask(), Pulled::Failed, "{file} is gone");
        assert_eq!(asking.published(), Some(100));
        assert!(asking.folder.evidence(&asking.log).is_empty(), "a damaged tile convicts nobody");
        asking.shows(300);
        assert_eq!(asking.ask(), Pulled::Cosigned);
    }
}

#[test]
fn n4_a_fork_that_its_own_tiles_prove_is_kept_as_evidence() {
    let asking = Asking::new();
    asking.shows(100);
    assert_eq!(asking.ask(), Pulled::Cosigned);
    let other = Log::salted(ORIGIN, 1, 1);
    other.write(asking.files.path(), 300);
    assert_eq!(asking.ask(), Pulled::Refused);
    other.write(asking.files.path(), 100);
    assert_eq!(asking.ask(), Pulled::Refused, "the same size, another root");
    assert_eq!(asking.published(), Some(100));
    let evidence = asking.folder.evidence(&asking.log);
    assert_eq!(evidence.len(), 2, "{evidence:?}");
    asking.metric("conflicts_total{origin=\"log.example/quiet\",kind=\"forked\"} 1");
    asking.metric("conflicts_total{origin=\"log.example/quiet\",kind=\"same-size\"} 1");
    // What a pulled checkpoint proves is shown as what a outcome one does.
    asking.metric("evidence{origin=\"log.example/quiet\",kind=\"same-size\"} 1");
    let held = asking.witness.evidence();
    assert!(matches!(&held[..], [(_, files)] if files.len() == 2 && files.iter().all(Held::is_proof)), "{held:?}");
    let health = asking.witness.health();
    assert_eq!(
        (health[0].evidence.len(), &health[0].problem),
        (2, &None),
        "the witness is well, and says what it holds"
    );
}

#[test]
fn n5_a_log_that_goes_back_is_not_cosigned_and_an_alarm() {
    let asking = Asking::new();
    asking.shows(100);
    assert_eq!(asking.ask(), Pulled::Cosigned);
    asking.shows(60);
    assert_eq!(asking.ask(), Pulled::WentBack);
    assert_eq!(asking.published(), Some(100));
    asking.metric("pulls_total{origin=\"log.example/quiet\",outcome=\"went-back\"} 1");
}

#[test]
fn n6_an_unchanged_checkpoint_is_cosigned_again_after_an_hour() {
    let asking = Asking::new();
    asking.shows(100);
    assert_eq!(asking.ask(), Pulled::Cosigned);
    let first = asking.witness.checkpoint(&asking.log.hash()).unwrap();
    asking.clock.set(NOW + stele_pull::REFRESH.as_secs() - 1);
    assert_eq!(asking.ask(), Pulled::Unchanged);
    asking.clock.set(NOW + stele_pull::REFRESH.as_secs());
    assert_eq!(asking.ask(), Pulled::Cosigned);
    assert_ne!(asking.witness.checkpoint(&asking.log.hash()).unwrap(), first);
}

#[test]
fn n7_a_log_that_does_not_answer_holds_up_nobody_and_a_reload_is_heeded() {
    let (quiet, mute, late) = (Log::new(ORIGIN), Log::new("log.example/mute"), Log::new("log.example/late"));
    let folder = Folder::new(&[]);
    let files = FileServer::start();
    quiet.write(files.path(), 50);
    // Accepts and never says a word.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    folder.add_pulled(&mute, &format!("http://{}", hanging.local_addr().unwrap()));
    folder.add_pulled(&quiet, &files.url);
    let process = folder.start(&[]);
    wait("the log that answers", || process.listener.get(&format!("/{}/checkpoint", quiet.hash())).status == 200);
    // One more comes with a reload.
    let more = FileServer::start();
    late.write(more.path(), 20);
    folder.add_pulled(&late, &more.url);
    process.hang_up();
    wait("the log that came late", || process.listener.get(&format!("/{}/checkpoint", late.hash())).status == 200);
    quiet.write(files.path(), 70);
    let page = format!("/{}/checkpoint", quiet.hash());
    wait("growth", || process.listener.get(&page).text().contains("\n70\n"));
    assert_eq!(process.stop(), 0);
}

fn wait(what: &str, ready: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !ready() {
        assert!(Instant::now() < end, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_doctor_compares_roots_and_not_sizes() {
    let asking = Asking::new();
    asking.shows(7);
    assert_eq!(asking.ask(), Pulled::Cosigned);
    let doctor = || asking.folder.doctor("http://127.0.0.1:1").1;
    assert!(doctor().contains("ok   pull       log.example/quiet shows what was cosigned: size 7, the same root"));
    asking.shows(9);
    assert!(doctor().contains("ok   pull       log.example/quiet shows size 9, proven to grow from 7"), "{}", doctor());
    let liar = Log::salted(ORIGIN, 1, 1);
    for (size, words) in [(7, "another tree of size 7"), (9, "another tree of size 9"), (5, "went back")] {
        liar.write(asking.files.path(), size);
        let said = doctor();
        let line = said.lines().find(|line| line.starts_with("FAIL pull")).unwrap_or_default();
        assert!(line.contains(words), "{size}: {said}");
    }
}
