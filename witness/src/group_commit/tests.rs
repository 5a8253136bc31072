use std::path::Path;
use std::thread;

use stele_host::fault::{self, Armed};

use super::*;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

struct Place(tempfile::TempDir);

impl Place {
    /// Six files that hold `0`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let dir = place.group().dir().clone();
        NAMES.iter().for_each(|name| dir.replace(name, b"0").unwrap());
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn group(&self) -> Group {
        Group::new(Dir::open(self.path()).unwrap())
    }

    fn groups(&self) -> usize {
        let names = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with(PREFIX)).count()
    }

    fn fault(&self, action: &str, op: &str, file: &str, count: &str) -> Armed {
        fault::arm(&format!("{action}:{op}:{}{file}:{count}", self.path().display())).unwrap()
    }
}

/// All six at once, as one group: what is written while somebody else has the turn.
fn together(group: &Group, from: &str, to: &str) -> Vec<Result<(), CasError>> {
    let (mut jobs, mut words) = (Vec::new(), Vec::new());
    for name in NAMES {
        let (told, word) = mpsc::channel();
        jobs.push(Job { name: name.into(), expected: Some(from.into()), new: to.into(), told });
        words.push(word);
    }
    group.write(&mut group.files(), jobs);
    words
        .into_iter()
        .map(|word| match word.recv().unwrap() {
            Word::Done(done) => done,
            Word::Lead => panic!("nobody was asked to lead"),
        })
        .collect()
}

fn contents(group: &Group) -> Vec<String> {
    NAMES.iter().map(|name| String::from_utf8(group.member(name).load().unwrap().unwrap()).unwrap()).collect()
}

#[test]
fn a_content_that_is_not_the_last_is_refused_alone_and_the_others_of_its_group_are_written() {
    let place = Place::new();
    let group = place.group();
    group.member("c").swap(Some(b"0"), b"x").unwrap();
    let done = together(&group, "0", "1");
    assert!(matches!(&done[2], Err(CasError::Conflict { found: Some(found), .. }) if found == b"x"), "{done:?}");
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5);
    assert_eq!(contents(&group), ["1", "1", "x", "1", "1", "1"]);
    assert!(group.member("a").swap(Some(b"0"), b"2").is_err(), "what a group says counts before it is in the file");
    assert_eq!(place.groups(), 1);
}

#[test]
fn a_file_that_somebody_else_changed_is_noticed_though_its_newest_content_is_in_a_group() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    std::fs::write(place.path().join("b"), "restored").unwrap();
    assert_eq!(contents(&group)[1], "restored");
    let found = group.member("b").swap(Some(b"1"), b"2").unwrap_err();
    assert!(matches!(found, CasError::Conflict { .. }));
    group.flush().unwrap();
    assert_eq!(contents(&group), ["1", "restored", "1", "1", "1", "1"], "and it is not written over");
}

#[test]
fn after_a_crash_the_newest_content_is_found_in_the_groups_and_written() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    together(&group, "1", "2");
    group.member("d").swap(Some(b"2"), b"3").unwrap();
    drop(group);
    let beside = place.group();
    assert_eq!(beside.peek("a").unwrap().unwrap(), b"2");
    assert_eq!(beside.peek("d").unwrap().unwrap(), b"3", "it went on by itself");
    assert_eq!((beside.peek("none").unwrap(), place.groups()), (None, 2));
    let again = place.group();
    again.recover().unwrap();
    assert_eq!((contents(&again), place.groups()), (["2", "2", "2", "3", "2", "2"].map(String::from).to_vec(), 0));
    together(&again, "2", "4");
    assert_eq!(contents(&again)[3], "3");
    again.flush().unwrap();
    assert_eq!((std::fs::read(place.path().join("a")).unwrap(), place.groups()), (b"4".to_vec(), 0));
}

#[test]
fn a_group_that_was_left_over_brings_nothing_back() {
    let place = Place::new();
    let group = place.group();
    together(&group, "0", "1");
    let name = format!("{PREFIX}{:020}", 0);
    let left_over = std::fs::read(place.path().join(&name)).unwrap();
    together(&group, "1", "2");
    group.flush().unwrap();
    drop(group);
    std::fs::write(place.path().join(name), left_over).unwrap();
    let again = place.group();
    again.recover().unwrap();
    assert_eq!((contents(&again), place.groups()), (vec!["2".to_owned(); 6], 0));
}

#[test]
fn a_damaged_group_is_named_and_nothing_is_changed() {
    let place = Place::new();
    together(&place.group(), "0", "1");
    let path = place.path().join(format!("{PREFIX}{:020}", 0));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let again = place.group();
    assert!(matches!(again.recover().unwrap_err(), GroupError::Damaged { path: named, .. } if named == path));
    assert!(again.peek("a").is_err());
    assert_eq!(contents(&again), vec!["0"; 6]);
}

#[test]
fn what_was_not_answered_for_is_never_found_beside_what_was() {
    for action in ["fail", "full", "fail-persisted"] {
        for op in ["create", "write", "sync", "link", "sync-dir"] {
            let place = Place::new();
            let group = place.group();
            let armed = place.fault(action, op, &format!("/{PREFIX}"), "1");
            let failed = together(&group, "0", "1");
            drop(armed);
            assert!(failed.iter().all(Result::is_err), "{action} {op}");
            assert_eq!(contents(&group), vec!["0"; 6], "{action} {op}");
            assert!(together(&group, "0", "2").iter().all(Result::is_ok), "{action} {op}");
            drop(group);
            let again = place.group();
            again.recover().unwrap();
            assert_eq!(contents(&again), vec!["2"; 6], "{action} {op}: answered, and lost");
        }
    }
}

#[test]
fn while_a_doubtful_group_cannot_be_removed_nothing_is_written() {
    let place = Place::new();
    let group = place.group();
    let armed = [
        place.fault("fail-persisted", "link", &format!("/{PREFIX}"), "1"),
        place.fault("fail", "unlink", &format!("/{PREFIX}"), "1+"),
    ];
    assert!(together(&group, "0", "1").iter().all(Result::is_err));
    assert!(together(&group, "0", "2").iter().all(Result::is_err));
    assert!(group.member("a").swap(Some(b"0"), b"2").is_err());
    drop(armed);
    assert!(together(&group, "0", "2").iter().all(Result::is_ok));
    drop(group);
    let again = place.group();
    again.recover().unwrap();
    assert_eq!(contents(&again), vec!["2"; 6]);
}

#[test]
fn a_flush_that_fails_anywhere_loses_nothing() {
    for op in ["create", "write", "sync", "rename", "sync-dir", "unlink"] {
        for count in ["1", "3"] {
            let place = Place::new();
            let group = place.group();
            together(&group, "0", "1");
            together(&group, "1", "2");
            let armed = place.fault("fail", op, "", count);
            let flushed = group.flush();
            drop(armed);
            assert_eq!(contents(&group), vec!["2"; 6], "{op} {count} {flushed:?}");
            // Killed right after it, or going on.
            let again = place.group();
            again.recover().unwrap();
            assert_eq!(contents(&again), vec!["2"; 6], "{op} {count}");
        }
    }
}

#[test]
fn many_threads_count_without_losing_a_step_and_few_groups_wait() {
    let place = Place::new();
    let group = place.group();
    let rounds = 150;
    thread::scope(|scope| {
        for name in NAMES {
            let member = group.member(name);
            scope.spawn(move || {
                for step in 0..rounds {
                    member.swap(Some(step.to_string().as_bytes()), (step + 1).to_string().as_bytes()).unwrap();
                }
            });
        }
    });
    assert!(place.groups() < MAX_WAITING, "{}", place.groups());
    assert_eq!(contents(&group), vec![rounds.to_string(); 6]);
    drop(group);
    let again = place.group();
    again.recover().unwrap();
    assert_eq!(contents(&again), vec![rounds.to_string(); 6]);
}
