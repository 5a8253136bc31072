//! Heads against heads: what convicts, whom, and what does not.

use std::collections::BTreeSet;
use std::path::Path;

use stele_log_client::reader::{LogReader, StaticFiles};
use stele_samples::static_log::{self, ORIGIN, tree};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::hash::RootHash;
use stele_spec::merkle::{MemoryTree, root_at};
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;

use super::*;
use crate::state::LogState;
use crate::watch::Watch;
use crate::witnesses::HttpWitnesses;

fn signer() -> SignerKey {
    static_log::signer().unwrap()
}

fn note(size: u64, root: RootHash) -> Vec<u8> {
    static_log::note(size, root).unwrap()
}

fn mirror(folder: &Path, tree: &MemoryTree, old: u64, size: u64) {
    static_log::write(folder, tree, old, size).unwrap();
}

fn witness() -> SignerKey {
    SignerKey::new("witness.example/w".parse().unwrap(), KeyType::Cosigner, [9; 32])
}

fn policy() -> Policy {
    let text = format!("log {}\nwitness w {}\nquorum w\n", signer().verifier(), witness().verifier());
    Policy::parse(text.as_bytes()).unwrap()
}

/// A head that the log signed and the witness cosigned at a time.
fn cosigned(size: u64, root: RootHash, time: u64) -> SignedNote {
    let signed = SignedNote::parse(&note(size, root)).unwrap();
    let mut lines = signed.signatures().to_vec();
    lines.push(cosign(signed.text(), &witness(), UnixTime::new(time).unwrap()).unwrap());
    SignedNote::new(signed.text().to_owned(), lines).unwrap()
}

/// Shows a head beside the log's own of 300 entries, cosigned at 100: whether it is of another history, and what is told.
fn shown(size: u64, root: Option<u8>, time: u64) -> (bool, Option<String>) {
    let home = tempfile::tempdir().unwrap();
    let tree = tree(300);
    mirror(home.path(), &tree, 0, 300);
    let head = cosigned(300, root_at(&tree, 300).unwrap(), 100);
    std::fs::write(home.path().join("checkpoint"), head.to_bytes()).unwrap();
    let reader = LogReader::new(StaticFiles::folder(home.path()));
    let opened = reader.open(reader.head(&policy()).unwrap()).unwrap();
    let root = root.map_or_else(|| root_at(&tree, size).unwrap(), |byte| RootHash::from_bytes([byte; 32]));
    let mut memory = StateFile::open(&home.path().join("state"), |_, _| {}).unwrap();
    let offered = cosigned(size, root, time);
    let split = tell(&opened, &offered, "a test", &policy(), &mut memory, 7).unwrap();
    tell(&opened, &offered, "a test", &policy(), &mut memory, 8).unwrap();
    assert!(memory.state.waiting().len() <= 1, "it is told once");
    let told = memory.state.waiting().front().map(|waiting| {
        let details = &waiting.event.details;
        let file = std::fs::read(details["evidence"].as_str().unwrap()).unwrap();
        Misbehaviour::parse(&file).unwrap().check(&KnownKeys::of_policy(&policy())).unwrap();
        assert_eq!(waiting.event.log.as_deref(), Some(ORIGIN));
        details["misbehaviour"].as_str().unwrap().to_owned()
    });
    (split, told)
}

#[test]
fn an_older_head_of_the_same_history_convicts_nobody() {
    for size in [0, 1, 255, 256, 299] {
        assert_eq!(shown(size, None, 50), (false, None), "{size}");
    }
    assert_eq!(shown(300, None, 500), (false, None));
}

#[test]
fn another_history_convicts_the_log() {
    assert_eq!(shown(300, Some(1), 50), (true, Some("split-view".into())));
    assert_eq!(shown(257, Some(1), 50), (true, Some("split-view".into())));
    assert_eq!(shown(0, Some(1), 50), (true, Some("impossible-head".into())));
}

#[test]
fn a_witness_that_cosigned_the_smaller_tree_later_is_convicted_and_the_log_is_not() {
    assert_eq!(shown(256, None, 101), (false, Some("rollback".into())));
    assert_eq!(shown(256, None, 100), (false, None));
}

#[test]
fn a_checkpoint_s_text_is_what_is_remembered() {
    let head = cosigned(3, RootHash::from_bytes([1; 32]), 5);
    let (read, checkpoint) = signed_by_log(&head.to_string(), &policy()).unwrap();
    assert_eq!((read, checkpoint), (head, Checkpoint::new(ORIGIN.parse().unwrap(), 3, RootHash::from_bytes([1; 32]))));
    assert!(signed_by_log("", &policy()).is_none());
}

/// A monitor's memory beside a mirror of a tree of 300 entries.
struct Scene {
    home: tempfile::TempDir,
    memory: StateFile,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        mirror(home.path(), &tree(300), 0, 300);
        let memory = StateFile::open(&home.path().join("state"), |_, _| {}).unwrap();
        let scene = Self { home, memory };
        scene.shows(300);
        scene
    }

    /// The mirror shows the head of this size from now on; the tiles of the larger tree stay.
    fn shows(&self, size: u64) {
        let head = cosigned(size, root_at(&tree(300), size).unwrap(), 100);
        std::fs::write(self.home.path().join("checkpoint"), head.to_bytes()).unwrap();
    }

    fn look(&mut self, now: u64) -> Result<LogRound, Failure> {
        let log =
            WatchedLog { origin: ORIGIN.to_owned(), reader: LogReader::new(StaticFiles::folder(self.home.path())) };
        let (watch, expected) = (Watch::default(), BTreeSet::new());
        let judge = EntryFilter { watch: &watch, expected: &expected, from_beginning: true, keep_releases: false, now };
        look(&log, &policy(), &judge, &HttpWitnesses, &mut self.memory)
    }

    fn log(&mut self) -> &mut LogState {
        self.memory.state.logs.get_mut(ORIGIN).unwrap()
    }
}

#[test]
fn a_flipped_bit_in_the_remembered_head_is_damage_and_no_evidence() {
    let mut scene = Scene::new();
    scene.look(1).unwrap();
    let head = scene.log().head.clone();
    let root = head.lines().nth(2).unwrap();
    let first = head.find(root).unwrap();
    for at in [0, first - 2, first, first + 9, first + root.len() - 2, head.len() - 9] {
        for bit in [1, 2, 4] {
            let mut bytes = head.clone().into_bytes();
            bytes[at] ^= bit;
            let Ok(damaged) = String::from_utf8(bytes) else { continue };
            // The last lines are cosignatures: the log's own signature is what convicts.
            if signed_by_log(&damaged, &policy()).is_some() {
                continue;
            }
            scene.log().head = damaged;
            let told = scene.memory.state.waiting().len();
            let failure = scene.look(at as u64 * 8 + bit as u64).unwrap_err();
            let failure = failure.as_explain();
            assert_eq!((failure.exit(), failure.code()), (Exit::Io, "monitor-state-malformed"), "{at} {bit}");
            assert!(scene.log().misbehaviour.is_empty());
            let events = scene.memory.state.waiting();
            assert_eq!(events.len(), told + 1);
            assert_eq!(events.back().unwrap().event.details["alert"], "state-damaged");
            // The next look begins with what the log shows, and reads no entry twice.
            assert_eq!(scene.look(9_999).unwrap().entries, 0);
            assert_eq!(scene.log().head, head);
        }
    }
    assert!(!scene.memory.path_of("evidence").exists());
    assert!(scene.memory.path_of("damaged").exists());
}

#[test]
fn an_older_head_is_stale_and_the_newest_stays_known() {
    let mut scene = Scene::new();
    assert_eq!(scene.look(1).unwrap().size, 300);
    scene.shows(200);
    for now in [5, 9] {
        let round = scene.look(now).unwrap();
        assert_eq!((round.served, round.size), (200, 300));
        assert_eq!(scene.log().behind_since, Some(5));
    }
    scene.shows(300);
    scene.look(11).unwrap();
    assert_eq!(scene.log().behind_since, None);
    assert_eq!(scene.memory.state.waiting().len(), 0, "nobody is accused of a slow cache");
}

#[test]
fn heads_that_no_key_of_the_policy_vouches_for_convict_nobody() {
    let scene = Scene::new();
    let mut memory = scene.memory;
    let reader = LogReader::new(StaticFiles::folder(scene.home.path()));
    let opened = reader.open(reader.head(&policy()).unwrap()).unwrap();
    let note = cosigned(257, RootHash::from_bytes([1; 32]), 50);
    let text = note.text().replace("257", "258");
    let forged = SignedNote::new(text, note.signatures().to_vec()).unwrap();
    let failure = tell(&opened, &forged, "a test", &policy(), &mut memory, 7).unwrap_err();
    assert_eq!(failure.as_explain().code(), "contradiction-unproven");
    assert!(memory.state.waiting().is_empty() && !memory.path_of("evidence").exists());
}
