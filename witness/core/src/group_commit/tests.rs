use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use stele_durable::Dir;
use stele_durable::compare_and_swap::{CasError, MAX_CONTENT};
use stele_durable::fault::{self, Armed};
use stele_spec::hash::Digest;

use super::format::{self, Begun, Entry};
use super::group::*;

const FILES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

struct Place(tempfile::TempDir);

impl Place {
    /// Six files that hold `0`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let dir = Dir::open(place.path()).unwrap();
        FILES.iter().for_each(|name| dir.replace(name, b"0").unwrap());
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// As after a start.
    fn group(&self) -> GroupCommit {
        let group = GroupCommit::new(Dir::open(self.path()).unwrap(), on_a_thread);
        group.recover().unwrap();
        group
    }

    fn beside(&self) -> GroupCommit {
        GroupCommit::new(Dir::open(self.path()).unwrap(), on_a_thread)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn fault(&self, action: &str, op: &str, file: &str, count: &str) -> Armed {
        fault::arm(&format!("{action}:{op}:{}{file}:{count}", self.path().display())).unwrap()
    }
}

fn on_a_thread(work: Box<dyn FnOnce() + Send>) {
    std::thread::spawn(work);
}

/// All six at once: what is written for those who came while somebody else wrote.
fn together(group: &GroupCommit, from: &str, to: &str) -> Vec<Result<(), CasError>> {
    let words: Vec<_> = FILES
        .iter()
        .map(|name| {
            let (told, word) = mpsc::channel();
            let job = Job { name: (*name).into(), expected: Some(from.into()), new: to.into(), told };
            group.line().waiting.push(job);
            word
        })
        .collect();
    group.lead();
    let done = |word: mpsc::Receiver<Word>| match word.recv().unwrap() {
        Word::Done(done) => done,
        Word::Lead => panic!("nobody is left to lead for"),
    };
    words.into_iter().map(done).collect()
}

fn contents(group: &GroupCommit) -> Vec<String> {
    FILES.iter().map(|name| String::from_utf8(group.cell(name).load().unwrap().unwrap()).unwrap()).collect()
}

#[test]
fn a_content_that_is_not_the_last_is_refused_alone_and_the_others_are_written() {
    let place = Place::new();
    let group = place.group();
    group.cell("c").swap(Some(b"0"), b"x").unwrap();
    let done = together(&group, "0", "1");
    assert!(matches!(&done[2], Err(CasError::Conflict { found: Some(found), .. }) if found == b"x"), "{done:?}");
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5);
    assert_eq!(contents(&group), ["1", "1", "x", "1", "1", "1"]);
    assert_eq!(place.file("a"), "0", "only recorded yet");
    assert!(group.cell("a").swap(Some(b"0"), b"2").is_err(), "and what is recorded counts");
    assert!(group.cell("none").swap(Some(b"0"), b"2").is_err());
    assert!(group.cell("a").swap(None, b"2").is_err());
}

#[test]
fn before_the_journals_are_taken_up_nothing_is_swapped() {
    let place = Place::new();
    assert!(place.beside().cell("a").swap(Some(b"0"), b"1").is_err());
}

#[test]
fn a_first_content_and_one_too_large_for_a_journal_are_written_to_the_file() {
    let place = Place::new();
    let group = place.group();
    group.cell("new").swap(None, b"1").unwrap();
    assert!(group.cell("new").swap(None, b"2").is_err());
    assert_eq!(place.file("new"), "1");
    assert!(group.cell("a").swap(Some(b"0"), &vec![0; MAX_CONTENT as usize + 1]).is_err());
    together(&group, "0", "1");
    let large = vec![b'7'; MAX_CONTENT as usize];
    let jobs: Vec<Entry> =
        (0..5).map(|n| Entry { name: n.to_string(), before: Digest::of(b""), content: large.clone() }).collect();
    assert!(format::room_for(&jobs) as u64 > JOURNAL);
    group.write(&[], jobs).unwrap();
    assert_eq!((place.file("4").len(), place.file("a")), (large.len(), "1".into()));
}

#[test]
fn a_file_that_somebody_else_changed_is_noticed_though_its_newest_content_is_in_a_journal() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    std::fs::write(place.path().join("b"), "restored").unwrap();
    assert_eq!(contents(&group)[1], "restored");
    let found = group.cell("b").swap(Some(b"1"), b"2").unwrap_err();
    assert!(matches!(found, CasError::Conflict { .. }));
    group.flush().unwrap();
    assert_eq!(contents(&group), ["1", "restored", "1", "1", "1", "1"], "and it is not written over");
    group.cell("b").swap(Some(b"restored"), b"3").unwrap();
    assert_eq!(contents(&group)[1], "3");
}

#[test]
fn after_a_crash_the_newest_content_is_found_in_the_journals_and_written() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    assert!(group.turn_over(&mut group.files()).unwrap());
    together(&group, "1", "2");
    group.cell("d").swap(Some(b"2"), b"3").unwrap();
    drop(group);
    let beside = place.beside();
    let view = beside.view().unwrap();
    assert_eq!(beside.peek(&view, "a").unwrap().unwrap(), b"2");
    assert_eq!((beside.peek(&view, "d").unwrap().unwrap(), beside.peek(&view, "none").unwrap()), (b"3".to_vec(), None));
    assert_eq!(place.file("a"), "0", "a look changes nothing");
    let again = place.group();
    assert_eq!(contents(&again), ["2", "2", "2", "3", "2", "2"]);
    assert_eq!(place.file("d"), "3");
    assert!(
        place.beside().on_disk().unwrap().iter().all(|contents| contents.entries.is_empty()),
        "the journals are empty"
    );
    again.cell("a").swap(Some(b"2"), b"4").unwrap();
    drop(again);
    assert_eq!(contents(&place.group())[0], "4");
}

#[test]
fn what_is_left_over_in_a_journal_brings_nothing_back() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    together(&group, "1", "2");
    let left_over = std::fs::read(place.path().join(NAMES[0])).unwrap();
    group.flush().unwrap();
    together(&group, "2", "3");
    group.flush().unwrap();
    drop(group);
    std::fs::write(place.path().join(NAMES[0]), left_over).unwrap();
    assert_eq!(contents(&place.group()), vec!["3"; 6]);
}

#[test]
fn a_write_that_fails_or_was_torn_is_never_found_and_the_next_takes_its_place() {
    for (action, op) in [("fail", "write"), ("full", "write"), ("fail-persisted", "write")] {
        let place = Place::new();
        let group = place.group();
        together(&group, "0", "1");
        let armed = place.fault(action, op, "/journal", "1");
        assert!(together(&group, "1", "x").iter().all(Result::is_err), "{action}");
        drop(armed);
        assert_eq!(contents(&group), vec!["1"; 6], "{action}");
        assert!(together(&group, "1", "2").iter().all(Result::is_ok), "{action}");
        drop(group);
        assert_eq!(contents(&place.group()), vec!["2"; 6], "{action}: answered, and lost");
    }
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    together(&group, "1", "2");
    drop(group);
    let path = place.path().join(NAMES[0]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[format::ALIGNMENT + 300..].fill(0);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(contents(&place.group()), vec!["1"; 6], "the power ended in the second");
}

#[test]
fn after_a_failed_sync_nothing_is_written_before_the_next_start() {
    for action in ["fail", "fail-persisted"] {
        let place = Place::new();
        let group = place.group();
        let armed = place.fault(action, "sync", "/journal", "1");
        let failed = together(&group, "0", "1");
        drop(armed);
        let of_sync =
            |done: &Result<(), CasError>| matches!(done, Err(CasError::Durable(error)) if error.is_sync_failure());
        assert!(failed.iter().all(of_sync), "{failed:?}");
        assert!(together(&group, "0", "2").iter().all(of_sync));
        drop(group);
        let again = place.group();
        // Both are possible, for all of them alike.
        let found = contents(&again);
        assert!(found == vec!["0"; 6] || found == vec!["1"; 6], "{found:?}");
    }
}

#[test]
fn a_flush_that_fails_anywhere_loses_nothing() {
    for op in ["create", "write", "sync", "rename", "sync-dir"] {
        for count in ["1", "3"] {
            let place = Place::new();
            let group = place.group();
            together(&group, "0", "1");
            together(&group, "1", "2");
            let armed = place.fault("fail", op, "/", count);
            let flushed = group.flush();
            drop(armed);
            assert_eq!(contents(&group), vec!["2"; 6], "{op} {count} {flushed:?}");
            assert!(together(&group, "2", "3").iter().all(Result::is_ok), "{op} {count}: goes on");
            group.flush().unwrap();
            assert_eq!(place.file("f"), "3", "{op} {count}: and is written the next time");
            together(&group, "3", "4");
            drop(group);
            assert_eq!(contents(&place.group()), vec!["4"; 6], "{op} {count}");
        }
    }
}

#[test]
fn a_start_on_a_full_disk_keeps_what_is_recorded_and_goes_on_in_the_journals() {
    for (turned, count) in [(false, "1+"), (true, "1+"), (false, "3+"), (true, "4+")] {
        let place = Place::new();
        let group = place.group();
        together(&group, "0", "1");
        if turned {
            assert!(group.turn_over(&mut group.files()).unwrap());
        }
        together(&group, "1", "2");
        drop(group);
        let armed = place.fault("full", "create", "/", count);
        let again = place.group();
        assert_eq!(contents(&again), vec!["2"; 6], "{turned} {count}");
        assert_eq!(place.file("f"), "0", "no room for it yet");
        assert!(together(&again, "2", "3").iter().all(Result::is_ok), "{turned} {count}");
        drop(again);
        let third = place.group();
        assert_eq!(contents(&third), vec!["3"; 6], "{turned} {count}: killed once more, still full");
        drop(armed);
        third.flush().unwrap();
        assert_eq!(place.file("f"), "3", "{turned} {count}: with room it is written");
        assert!(together(&third, "3", "4").iter().all(Result::is_ok));
        drop(third);
        assert_eq!(contents(&place.group()), vec!["4"; 6], "{turned} {count}");
    }
}

#[test]
fn once_a_full_disk_has_room_the_next_group_frees_the_older_journal() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    assert!(group.turn_over(&mut group.files()).unwrap());
    let armed = place.fault("full", "create", "/", "1+");
    assert!(group.write_files().is_err());
    assert!(together(&group, "1", "2").iter().all(Result::is_ok), "tries again, and there is no room yet");
    assert!(group.files().other_needed);
    drop(armed);
    assert!(together(&group, "2", "3").iter().all(Result::is_ok));
    for _ in 0..1000 {
        if !group.files().other_needed {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!group.files().other_needed);
    drop(group);

    // Full again, and started anew: what the older journal holds is in the files, and it is free.
    let _armed = place.fault("full", "create", "/", "1+");
    let again = place.group();
    assert!(!again.files().other_needed);
    assert!(together(&again, "3", "4").iter().all(Result::is_ok));
    drop(again);
    assert_eq!(contents(&place.group()), vec!["4"; 6]);
}

#[test]
fn text_that_a_log_had_stored_is_not_taken_for_the_next_group() {
    let place = Place::new();
    let group = place.group();
    // The log knows everything of the form but the salt: what it has stored ends up where a later group will end.
    let forged = Entry { name: "b".into(), before: Digest::of(b"0"), content: b"forged".to_vec() };
    for salt in [None, Some([0; 16]), Some([7; 16])] {
        let epoch = group.files().begun.epoch + 1;
        let begun = Begun { epoch, salt };
        let stored = format::encode(&begun, 1, std::slice::from_ref(&forged));
        group.cell("a").swap(Some(&group.cell("a").load().unwrap().unwrap()), &stored).unwrap();
        // The journal is begun again, and its first group ends where the stored text begins.
        let first = format::encode(&group.begin(epoch).unwrap(), 0, &[]);
        let bytes = [first, stored].concat();
        assert_eq!(format::parse(&bytes).number, 1, "{salt:?}");
    }
}

#[test]
fn every_time_has_a_salt_of_its_own() {
    let group = Place::new().group();
    assert_ne!(group.begin(1).unwrap(), group.begin(1).unwrap());
}

#[test]
fn a_content_that_changes_while_its_file_is_written_is_neither_lost_nor_taken_for_somebody_elses() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    let stop = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Acquire) {
                group.flush().unwrap();
            }
        });
        for step in 1..200 {
            group.cell("a").swap(Some(step.to_string().as_bytes()), (step + 1).to_string().as_bytes()).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Release);
    });
    assert_eq!(contents(&group)[0], "200");
    drop(group);
    assert_eq!(contents(&place.group())[0], "200");
}

#[test]
fn many_threads_fill_both_journals_many_times_without_losing_a_step() {
    let place = Place::new();
    let group = place.group();
    let rounds = 60;
    // Large enough that the journals turn over.
    let content = |step: usize| format!("{step} {}", "x".repeat(100_000)).into_bytes();
    thread::scope(|scope| {
        for name in FILES {
            let member = group.cell(name);
            scope.spawn(move || {
                member.swap(Some(b"0"), &content(0)).unwrap();
                for step in 0..rounds {
                    member.swap(Some(&content(step)), &content(step + 1)).unwrap();
                }
            });
        }
    });
    assert!(group.files().begun.epoch >= 4, "{:?}", group.files().begun);
    assert_eq!(steps(&group), vec![rounds.to_string(); 6]);
    // A killed process has no threads that still write.
    while Arc::strong_count(&group.0) > 1 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(group);
    assert_eq!(steps(&place.group()), vec![rounds.to_string(); 6]);
}

/// The first word of each content.
fn steps(group: &GroupCommit) -> Vec<String> {
    contents(group).iter().map(|content| content.split(' ').next().unwrap().to_owned()).collect()
}
