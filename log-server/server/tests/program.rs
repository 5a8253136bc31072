//! The program as an operator starts it: what it makes, and what it refuses before it signs anything.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn log(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stele-log")).args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, said: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for words in said {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn init_makes_a_folder_once_and_a_log_without_a_quorum_does_not_start() {
    let home = tempfile::tempdir().unwrap();
    let made = log(&["init", "log", "--origin", "log.example/test"], home.path());
    assert!(made.status.success());
    let vkey = String::from_utf8(made.stdout).unwrap();
    assert!(vkey.starts_with("log.example/test+"), "{vkey}");
    let policy = fs::read_to_string(home.path().join("log/policy")).unwrap();
    assert!(policy.contains(&format!("\nlog {vkey}")), "{policy}");
    refused(&log(&["init", "log", "--origin", "log.example/test"], home.path()), 7, &["log.toml", "hint:"]);
    // The quorum is a person's to decide.
    refused(&log(&["run", "log", "--listen", "127.0.0.1:0"], home.path()), 6, &["quorum"]);
    assert!(!home.path().join("log/data/public/checkpoint").exists());
}

#[test]
fn an_origin_that_could_not_stay_for_ever_makes_no_log() {
    let home = tempfile::tempdir().unwrap();
    for origin in ["//x", "log.example/", "log.example//stele", "Log.example/stele", "https://log.example/stele"] {
        let made = log(&["init", "log", "--origin", origin], home.path());
        refused(&made, 7, &["error: origin: ", "expected", "hint: use the address of the log without https://"]);
        assert!(!home.path().join("log").exists(), "{origin}");
    }
}

#[test]
fn a_field_that_is_not_known_is_refused_by_its_name() {
    let home = tempfile::tempdir().unwrap();
    assert!(log(&["init", "log", "--origin", "log.example/test"], home.path()).status.success());
    let file = home.path().join("log/log.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("republish_every", "republish_evry")).unwrap();
    refused(&log(&["run", "log"], home.path()), 7, &["republish_evry", "fields are never ignored"]);
}
