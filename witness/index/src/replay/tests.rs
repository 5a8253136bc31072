//! A cosigner that replays the copy beside it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it goes wrong")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use stele_clock::{Clock, SystemClock};
use stele_spec::entry::IndexEntry;
use stele_spec::hash::IndexRoot;

use super::*;
use crate::cosigner::{IndexCosigner, IndexedLog};
use crate::testkit::{Log, open};

/// A copy as long as it was told to be, in bundles of three entries.
#[derive(Default)]
struct Copied(Mutex<Vec<Vec<u8>>>);

impl EntryCopy for Copied {
    fn entries(&self, from: u64) -> Result<Vec<Vec<u8>>, String> {
        let all = self.0.lock().unwrap();
        Ok(all.iter().skip(from as usize).take(3).cloned().collect())
    }
}

impl Copied {
    fn set(&self, entries: &[Vec<u8>]) {
        *self.0.lock().unwrap() = entries.to_vec();
    }
}

fn cosigner(folder: &Path, log: &Log, copy: &Arc<Copied>, new: bool) -> IndexCosigner {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    open(folder, vec![IndexedLog { log: log.trusted(), qpd: None, copy: Some(copy.clone()) }], new, &clock)
}

fn problem(cosigner: &IndexCosigner) -> Option<String> {
    cosigner.health()[0].problem.clone()
}

fn lie(entry: IndexEntry) -> IndexEntry {
    IndexEntry { root: IndexRoot::from_bytes([7; 32]), ..entry }
}

#[test]
fn a_step_is_checked_by_its_entries_alone_and_a_wrong_root_is_refused() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), Arc::default());
    let mut log = Log::new("log.example/a");
    log.proves_nothing = true;
    let cosigner = cosigner(folder.path(), &log, &copy, true);
    for claims in [0, 2, 1] {
        let step = log.batch(claims, |entry| entry);
        assert_eq!(cosigner.add_transition(&step).status(), 200, "{claims}");
    }
    assert_eq!(cosigner.add_transition(&log.again()).status(), 200);
    let mut other = Log::new("log.example/a");
    other.proves_nothing = true;
    for claims in [0, 2, 1] {
        other.batch(claims, |entry| entry);
    }
    let wrong = other.batch(3, lie);
    for _ in 0..2 {
        let answer = cosigner.add_transition(&wrong);
        assert!(matches!(&answer, crate::StepAnswer::Refused(refused) if refused.convicts()), "{answer:?}");
    }
    // Nothing of it stayed: the log goes on.
    assert_eq!(cosigner.add_transition(&log.batch(3, |entry| entry)).status(), 200);
    assert_eq!(problem(&cosigner), None);
}

#[test]
fn what_was_cosigned_is_replayed_from_the_copy_and_what_the_copy_lacks_is_brought() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), Arc::<Copied>::default());
    let mut log = Log::new("log.example/a");
    let first = cosigner(folder.path(), &log, &copy, true);
    let steps = [0, 5, 1, 4].map(|claims| log.batch(claims, |entry| entry));
    for step in &steps {
        assert_eq!(first.add_transition(step).status(), 200);
    }
    drop(first);
    // Up to the middle of the last batch but one.
    copy.set(&log.entries[..8]);
    let second = cosigner(folder.path(), &log, &copy, false);
    assert!(problem(&second).unwrap().starts_with("replayed 0 of the 14 entries"), "{:?}", problem(&second));
    second.replay_copies();
    assert!(problem(&second).unwrap().starts_with("replayed 7 of the 14 entries"), "{:?}", problem(&second));
    // An honest log is told from where it is to go on; what it brings is cosigned once it is no less than before.
    assert!(matches!(second.add_transition(&log.again()), crate::StepAnswer::NotTheLast(7)));
    assert!(matches!(second.add_transition(&steps[2]), crate::StepAnswer::Checked(9)));
    assert_eq!(second.add_transition(&steps[3]).status(), 200);
    assert_eq!(problem(&second), None);
    drop(second);
    copy.set(&log.entries);
    let third = cosigner(folder.path(), &log, &copy, false);
    third.replay_copies();
    assert_eq!(problem(&third), None);
    assert_eq!(third.add_transition(&log.batch(2, |entry| entry)).status(), 200);
}

#[test]
fn neither_a_copy_of_another_tree_nor_a_fork_that_the_log_brings_is_believed() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), Arc::<Copied>::default());
    let (mut log, mut fork) = (Log::new("log.example/a"), Log::new("log.example/a"));
    let first = cosigner(folder.path(), &log, &copy, true);
    for claims in [0, 2] {
        assert_eq!(first.add_transition(&log.batch(claims, |entry| entry)).status(), 200);
    }
    drop(first);
    let forked = [0, 1, 4].map(|claims| fork.batch(claims, |entry| entry));
    copy.set(&fork.entries);
    let second = cosigner(folder.path(), &log, &copy, false);
    second.replay_copies();
    assert_eq!(problem(&second).unwrap(), "the copy is of another tree than what was cosigned");
    copy.set(&[]);
    assert!(matches!(second.add_transition(&forked[0]), crate::StepAnswer::Checked(1)));
    assert!(matches!(second.add_transition(&forked[1]), crate::StepAnswer::Checked(3)));
    let answer = second.add_transition(&forked[2]);
    assert!(matches!(&answer, crate::StepAnswer::Refused(RefusedStep::OldTree { .. })), "{answer:?}");
    // The copy of what was cosigned mends it.
    copy.set(&log.entries);
    second.replay_copies();
    assert_eq!(problem(&second), None);
    assert_eq!(second.add_transition(&log.batch(1, |entry| entry)).status(), 200);
}

#[test]
fn a_copy_with_a_wrong_index_is_said_to_be_so() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), Arc::<Copied>::default());
    let mut log = Log::new("log.example/a");
    log.batch(0, |entry| entry);
    log.batch(2, lie);
    copy.set(&log.entries);
    let cosigner = cosigner(folder.path(), &log, &copy, true);
    cosigner.replay_copies();
    let found = cosigner.add_transition(&log.again());
    assert!(matches!(found, crate::StepAnswer::NotTheLast(1)), "{found:?}");
    assert!(problem(&cosigner).unwrap().starts_with("the copy's index is wrong: "), "{:?}", problem(&cosigner));
}

/// A copy that cannot be read.
struct Unreadable;

impl EntryCopy for Unreadable {
    fn entries(&self, _: u64) -> Result<Vec<Vec<u8>>, String> {
        Err("no such disk".to_owned())
    }
}

#[test]
fn a_copy_that_cannot_be_read_is_told_until_the_log_has_brought_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let indexed = IndexedLog { log: log.trusted(), qpd: None, copy: Some(Arc::new(Unreadable)) };
    let cosigner = open(folder.path(), vec![indexed], true, &clock);
    cosigner.replay_copies();
    assert_eq!(problem(&cosigner).unwrap(), "the copy cannot be read from entry 0 on: no such disk");
    assert_eq!(cosigner.add_transition(&log.batch(0, |entry| entry)).status(), 200);
    assert_eq!(problem(&cosigner), None);
    cosigner.replay_copies();
    assert_eq!(problem(&cosigner), None, "nothing is missing, so it is not read");
}
