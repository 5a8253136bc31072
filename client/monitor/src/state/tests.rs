//! What is saved is read, whatever grows, and what is damaged says so.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use stele_explain::Exit;
use stele_spec::hash::Digest;

use super::files::CORE;
use super::limits::Limits;
use super::remembered::{Ahead, HostState, State};
use super::state_file::StateFile;
use crate::event::{Event, Kind};

fn event(number: u64) -> Event {
    let cause = ["log", &number.to_string()];
    Event::new(Kind::Entry, &cause, 7, Some("log"), format!("entry {number}"), json!({"position": number}))
}

fn refused(folder: &Path) -> (Exit, &'static str) {
    let failure = StateFile::open(folder, |_, _| {}).unwrap_err();
    (failure.as_explain().exit(), failure.as_explain().code())
}

#[test]
fn what_is_saved_is_read_and_one_process_has_it() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    for number in [5, 5, 6] {
        memory.state.say(event(number));
    }
    assert_eq!(memory.state.waiting().len(), 2);
    let log = memory.state.logs.entry("log".into()).or_default();
    (log.next, log.head) = (6, "head".into());
    assert!(log.releases.keep("acme.example/tiny@1.0.0#base", 3, "c3RhdGVtZW50".into()));
    memory.save().unwrap();
    assert!(StateFile::open(home.path(), |_, _| {}).is_err_and(|failure| failure.as_explain().exit() == Exit::Locked));
    let state = memory.state.clone();
    drop(memory);
    assert_eq!(StateFile::open(home.path(), |_, _| {}).unwrap().state, state);
}

#[test]
fn a_moment_that_has_not_come_keeps_nothing_back() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    let (year, now) = (1_900_000_000, 1_800_000_000);
    // Noted while the clock was a year ahead; the second event a minute ago, and the third by a clock that is right.
    for (at, next_try) in [(0, year + 600), (1, now + 540), (2, now)] {
        memory.state.say(event(at));
        memory.state.tried(at as usize).unwrap().next_try = next_try;
    }
    let log = memory.state.logs.entry("log".into()).or_default();
    (log.unread_since, log.behind_since) = (Some(year), Some(now - 60));
    log.ahead.insert("witness".into(), Ahead { note: String::new(), since: year });
    memory.state.core.hosts.insert("host".into(), HostState { unread_since: Some(year), ..HostState::default() });
    memory.save().unwrap();
    memory.state.forget_future(now, 600);
    memory.save().unwrap();
    let state = memory.state.clone();
    drop(memory);
    assert_eq!(StateFile::open(home.path(), |_, _| {}).unwrap().state, state);
    let tries: Vec<u64> = state.waiting().iter().map(|waiting| waiting.next_try).collect();
    assert_eq!(tries, [now, now + 540, now]);
    let log = &state.logs["log"];
    assert_eq!((log.unread_since, log.behind_since, log.ahead["witness"].since), (Some(now), Some(now - 60), now));
    assert_eq!(state.core.hosts["host"].unread_since, Some(now));
}

#[test]
fn a_damaged_file_is_said_to_be_and_accuses_nobody() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    memory.state.say(event(5));
    memory.state.logs.entry("log".into()).or_default().next = 6;
    memory.save().unwrap();
    drop(memory);
    let log = format!("logs/{}.json", Digest::of(b"log"));
    for file in [CORE, &log, "waiting/00000000000000000001.json"] {
        let path = home.path().join(file);
        let bytes = std::fs::read_to_string(&path).unwrap();
        for bad in [String::new(), bytes.replacen(":", ";", 1), bytes[..bytes.len() - 1].to_owned()] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(refused(home.path()), (Exit::Io, "monitor-state-malformed"), "{file}");
        }
        std::fs::write(&path, bytes.replace("@v3", "@v4").replace("event@v1", "event@v9")).unwrap();
        if file != log {
            assert_eq!(refused(home.path()), (Exit::Io, "monitor-state-malformed"), "{file}");
        }
        std::fs::write(&path, bytes).unwrap();
    }
    StateFile::open(home.path(), |_, _| {}).unwrap();
}

#[test]
fn a_damaged_file_of_statements_is_read_again_from_the_log() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    let log = memory.state.logs.entry("log".into()).or_default();
    log.keeps_releases = true;
    assert!(log.releases.keep("acme.example/tiny@1.0.0#base", 3, "c3RhdGVtZW50".into()));
    memory.save().unwrap();
    drop(memory);
    let file = std::fs::read_dir(home.path().join("releases")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(file, b"{").unwrap();
    let memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    let log = &memory.state.logs["log"];
    assert_eq!((log.keeps_releases, log.releases.iter().count()), (false, 0));
}

#[test]
fn statements_far_beyond_any_single_file_are_saved_and_read_and_the_head_is_never_lost() {
    let home = tempfile::tempdir().unwrap();
    // Each file may have four kilobytes: 200 releases have a hundred times as much.
    let limits = Limits { log: 4096, release: 4096, releases: 1 << 20, event: 4096, core: 4096 };
    let mut memory = StateFile::within(home.path(), limits, |_, _| {}).unwrap();
    let log = memory.state.logs.entry("log".into()).or_default();
    for number in 0..200 {
        let name = format!("acme.example/tiny@1.0.{number}#base");
        assert!(log.releases.keep_within(&name, number, "x".repeat(2000), limits));
        assert!(!log.releases.keep_within(&name, number + 1, "x".repeat(4000), limits), "more than a file may have");
    }
    memory.save().unwrap();
    let state = memory.state.clone();
    drop(memory);
    let mut memory = StateFile::within(home.path(), limits, |_, _| {}).unwrap();
    assert_eq!(memory.state, state);

    // What grows beyond its own limit is refused before it is written, and takes nothing else with it.
    memory.state.logs.entry("log".into()).or_default().head = "the newest".into();
    for number in 0..200 {
        memory.state.core.hosts.entry(format!("host {number}")).or_default().looked = number;
    }
    let failure = memory.save().unwrap_err();
    assert_eq!(failure.as_explain().code(), "monitor-state-too-large");
    drop(memory);
    let memory = StateFile::within(home.path(), limits, |_, _| {}).unwrap();
    assert_eq!((memory.state.logs["log"].head.as_str(), memory.state.core.hosts.len()), ("the newest", 0));
}

#[test]
fn a_delivery_changes_one_file_and_a_save_without_changes_none() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    (0..50).for_each(|number| memory.state.say(event(number)));
    memory.state.logs.entry("log".into()).or_default().next = 50;
    memory.save().unwrap();
    let stamps = |home: &Path| {
        let mut stamps = BTreeMap::new();
        for folder in ["", "logs", "waiting"] {
            for entry in std::fs::read_dir(home.join(folder)).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    use std::os::unix::fs::MetadataExt as _;
                    stamps.insert(entry.path(), entry.metadata().unwrap().ino());
                }
            }
        }
        stamps
    };
    let before = stamps(home.path());
    memory.save().unwrap();
    assert_eq!(stamps(home.path()), before, "nothing was replaced");
    assert_eq!(memory.state.take(0).unwrap(), event(0));
    memory.save_waiting().unwrap();
    let mut expected = before;
    expected.remove(&home.path().join("waiting/00000000000000000001.json")).unwrap();
    assert_eq!(stamps(home.path()), expected, "one file is gone, and no other was replaced");
    drop(memory);
    let memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    assert_eq!((memory.state.waiting().len(), &memory.state.waiting()[0].event), (49, &event(1)));
}

#[test]
fn the_one_file_of_earlier_versions_is_read_and_taken_apart() {
    let home = tempfile::tempdir().unwrap();
    let waiting = json!({"event": event(5), "attempts": 2, "next_try": 9});
    let old = json!({
        "format": "stele/monitor-state@v1",
        "logs": {"log": {
            "head": "head", "next": 6, "report_from": 1, "unread_since": null, "unreadable": 0,
            "releases": {"acme.example/tiny@1.0.0#base": {"3": "c3RhdGVtZW50"}}, "unkept": 0, "keeps_releases": true,
            "misbehaviour": [], "ahead": {},
        }},
        "waiting": [waiting], "alerts": {"stale log": 3},
        "hosts": {"a b": {"looked": 1, "result": "match", "detail": "", "told": false, "unread_since": null}},
        "own": ["aa"], "unsent": {}, "delivered": 4,
    });
    std::fs::write(home.path().join(CORE), old.to_string()).unwrap();
    let memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    let state = memory.state.clone();
    drop(memory);
    let log = &state.logs["log"];
    assert_eq!((log.head.as_str(), log.next, log.releases.iter().count()), ("head", 6, 1));
    assert_eq!((state.waiting()[0].attempts, state.core.delivered, state.core.alerts["stale log"]), (2, 4, 3));
    assert_eq!(StateFile::open(home.path(), |_, _| {}).unwrap().state, state, "it is in the new form now");
    std::fs::write(home.path().join(CORE), &old.to_string()[..200]).unwrap();
    assert_eq!(refused(home.path()), (Exit::Io, "monitor-state-malformed"));
}

#[test]
fn an_event_that_is_too_large_to_be_kept_loses_its_details_and_is_told() {
    let mut state = State::default();
    let large = json!({"files": "x".repeat(1 << 20)});
    state.say(Event::new(Kind::Host, &["x"], 7, None, "other weights".into(), large));
    let event = &state.waiting()[0].event;
    assert_eq!((event.summary.as_str(), event.details.len()), ("other weights", 1));
    assert!(event.details["left_out_bytes"].as_u64().unwrap() > 1 << 20);
}

#[test]
fn the_state_of_the_version_before_is_read_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    memory.state.logs.entry("log".into()).or_default().next = 6;
    memory.save().unwrap();
    let state = memory.state.clone();
    drop(memory);
    let rewrite = |file: &str, from: &str, to: &str| {
        let path = home.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    };
    rewrite(CORE, "monitor-state@v3", "monitor-state@v2");
    rewrite(&format!("logs/{}.json", Digest::of(b"log")), ",\"heads\":[],\"end\":\"\",\"lists\":{}", "");
    let mut memory = StateFile::open(home.path(), |_, _| {}).unwrap();
    assert_eq!(memory.state, state);
    memory.save().unwrap();
    let text = std::fs::read_to_string(home.path().join(CORE)).unwrap();
    assert!(text.contains("monitor-state@v3"), "{text}");
}
