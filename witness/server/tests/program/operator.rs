//! The program as an operator uses it: what it is named, what it is told of logs, and how it says that it does not start.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{Folder, Log, told};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use stele_spec::note::VerifierKey;

fn witness(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stele-witness"));
    command.args(arguments).current_dir(folder).env_remove("SSH_AUTH_SOCK").output().unwrap()
}

/// The one document on stdout, which is as its schema says.
fn document(output: &Output) -> Value {
    let document = serde_json::from_slice(&output.stdout).unwrap();
    stele_schemas::document::check(&document).unwrap();
    document
}

#[test]
fn a_name_that_could_not_stay_for_ever_makes_no_witness_and_no_mirror() {
    let home = tempfile::tempdir().unwrap();
    let bad = ["https://w.example/w", "W.EXAMPLE/W", "w.example/w/", "//", "w.example//w", "w.example/\u{202e}t"];
    for name in bad {
        let (code, words) = told(witness(&["init", "w", "--name", name], home.path()));
        assert_eq!(code, 2, "{name:?}: {words}");
        assert!(words.contains("error: name ") && words.contains("hint: use its address without https://"), "{words}");
        assert!(!home.path().join("w").exists(), "{name:?}");
    }
    let made = witness(&["init", "w", "--name", "w.example/w"], home.path());
    assert!(made.status.success());
    for line in String::from_utf8(made.stdout).unwrap().lines() {
        assert_eq!(line.parse::<VerifierKey>().unwrap().name().as_str(), "w.example/w");
    }
    for name in bad {
        assert_eq!(told(witness(&["mirror", "init", "w", "--name", name], home.path())).0, 2, "{name:?}");
    }
    assert!(!home.path().join("w/mirror.key").exists());
}

#[test]
fn what_is_said_of_a_known_log_is_written_and_not_dropped() {
    let log = Log::new("log.example/a");
    let folder = Folder::new(&[]);
    let (dir, home) = (folder.path(), folder.path());
    let dir = dir.to_str().unwrap();
    let vkey = log.vkey();
    let add = |more: &[&str]| {
        let output = witness(&[&["logs", "add", dir, "--vkey", &vkey, "--json"], more].concat(), &home);
        let document = document(&output);
        (document["added"].as_bool().unwrap(), document["changed"].as_bool().unwrap())
    };
    let config = || fs::read_to_string(home.join("witness.toml")).unwrap();
    assert_eq!(add(&[]), (true, false));
    assert_eq!(add(&["--pull", "https://log.example/", "--pull-seconds", "60"]), (false, true));
    assert!(config().contains("pull = \"https://log.example/\"\npull_seconds = 60\n"), "{}", config());
    // Said once more, and nothing said: nothing changes.
    let before = config();
    assert_eq!(add(&["--pull", "https://log.example/"]), (false, false));
    assert_eq!(add(&[]), (false, false));
    assert_eq!(config(), before);
    assert_eq!(add(&["--pull", "https://elsewhere.example/"]), (false, true));
    assert_eq!(config(), before.replace("log.example/\"\npull_seconds", "elsewhere.example/\"\npull_seconds"));
    // What cannot be is refused, and nothing is written.
    let before = config();
    let (code, words) = told(witness(&["logs", "add", dir, "--vkey", &vkey, "--pull", "elsewhere"], &home));
    assert!(code == 7 && words.contains("expected an address"), "{code} {words}");
    assert_eq!(config(), before);
    // Who adds a disabled log reads that it is.
    assert!(witness(&["logs", "disable", dir, "log.example/a"], &home).status.success());
    let (code, words) = told(witness(&["logs", "add", dir, "--vkey", &vkey], &home));
    assert!(code == 0 && words.contains("already there: log.example/a (disabled"), "{words}");
}

#[test]
fn other_roots_for_a_listed_bastion_are_refused_and_not_dropped() {
    let folder = Folder::new(&[]);
    let home = folder.path();
    let dir = home.to_str().unwrap();
    for name in ["one.pem", "two.pem"] {
        let root = rcgen::generate_simple_self_signed(vec!["b.example".to_owned()]).unwrap();
        let text = STANDARD.encode(root.cert.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        fs::write(home.join(name), pem).unwrap();
    }
    let add = |more: &[&str]| told(witness(&[&["bastion", "add", dir, "--host", "b.example"], more].concat(), &home));
    assert_eq!(add(&["--ca", "one.pem"]).0, 0);
    let before = fs::read(home.join("witness.toml")).unwrap();
    assert_eq!(add(&[]).0, 0);
    assert_eq!(add(&["--ca", "one.pem"]).0, 0);
    let (code, words) = add(&["--ca", "two.pem"]);
    assert!(code != 0 && words.contains("not with these roots") && words.contains("hint:"), "{code} {words}");
    assert_eq!(fs::read(home.join("witness.toml")).unwrap(), before);
}

#[test]
fn a_witness_that_does_not_start_says_why_in_a_document_where_one_is_asked_for() {
    let folder = Folder::new(&[]);
    let running = folder.start(&[]);
    let path = folder.path();
    let dir = path.to_str().unwrap();
    let second = witness(&["run", dir, "--listen", "127.0.0.1:0", "--json"], &path);
    assert_eq!(second.status.code(), Some(11));
    let document = document(&second);
    assert_eq!(
        (&document["schema"], &document["error"], &document["exit"]),
        (&"stele-witness/error@v1".into(), &"locked".into(), &11.into()),
        "{document}"
    );
    drop(running);
}

#[test]
fn a_witness_without_an_agent_reads_of_its_own_options() {
    let home = tempfile::tempdir().unwrap();
    let (code, words) = told(witness(&["init", "w", "--name", "w.example/w", "--ssh-agent", "SHA256:x"], home.path()));
    assert_eq!(code, 7, "{words}");
    assert!(words.contains("--socket") && words.contains("[agent] of witness.toml"), "{words}");
}
