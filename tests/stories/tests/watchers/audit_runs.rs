//! How an audit runs: what it asks a log for, killed and gone on with, and two at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::lying_log::LyingLog;
use stele_harness::network::{Network, path};
use stele_harness::process::{START, poll};
use stele_harness::proxy::{Encoding, Proxy, Sent};
use stele_samples::statements::Speaker;
use stele_samples::supply::Supply;

use crate::audit::{FINDINGS, Scene, audit, claimed};

#[test]
fn an_audit_asks_for_gzip_and_reads_it_where_it_did_not_ask() {
    let network = Network::start(1, 1).unwrap();
    let speaker = Speaker::new(1).unwrap();
    network.accepted(speaker.claim().unwrap().bytes()).unwrap();
    for number in 0..12 {
        let released = speaker.release(&format!("1.{number}.0"), 1).unwrap();
        network.accepted_release(released.statement.bytes(), &released.manifest.encode()).unwrap();
    }
    let (policy, proxy) = (network.policy_path(), Proxy::start(network.log_address().unwrap()).unwrap());
    let through = |encoding| {
        proxy.encode(encoding);
        let told = audit(&proxy.url(), &policy, &["--json"]).expect(FINDINGS).unwrap();
        (told.stdout, proxy.sent())
    };
    let (plain, sent_plain) = through(Encoding::Plain);
    let (asked, sent_asked) = through(Encoding::AsAsked);
    let (unasked, sent_unasked) = through(Encoding::Unasked);
    assert_eq!(asked, plain);
    assert_eq!(unasked, plain);

    assert!(sent_plain.iter().all(|sent| !sent.gzip), "{sent_plain:?}");
    assert!(sent_unasked.iter().any(|sent| sent.gzip && sent.path == "/checkpoint"), "{sent_unasked:?}");
    assert!(sent_unasked.iter().any(|sent| sent.gzip && sent.path.starts_with("/manifests/")), "{sent_unasked:?}");
    let entries = |all: &[Sent]| all.iter().filter(|sent| sent.path.starts_with("/tile/entries/")).cloned().collect();
    let (entries_plain, entries_asked): (Vec<_>, Vec<_>) = (entries(&sent_plain), entries(&sent_asked));
    assert!(!entries_asked.is_empty() && entries_asked.iter().all(|sent| sent.gzip), "{entries_asked:?}");
    let bytes = |all: &[Sent]| all.iter().map(|sent| sent.bytes).sum::<usize>();
    let (less, more) = (bytes(&entries_asked), bytes(&entries_plain));
    // Releases of one model differ in a few words, and in 64 bytes of signature.
    assert!(8 * less < more, "{less} bytes asked for, {more} bytes plain");
}

/// How often the audit is killed at most: each time when it has kept one more file of the log.
const KILLS: usize = 5;

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

#[test]
fn an_audit_that_is_killed_goes_on_and_reports_the_same() {
    let mut supply = Supply::new(1).unwrap();
    let mut log = LyingLog::new().unwrap();
    log.keep_manifest(&supply.manifest().encode());
    log.say(&supply.claim().unwrap()).unwrap();
    for number in 1..=1500u64 {
        log.say(&supply.another().unwrap()).unwrap();
        if number % 50 == 0 {
            log.index().unwrap();
        }
    }
    log.index().unwrap();
    let scene = Scene::of(log);
    let state = scene.at("state");
    let mut killed = 0;
    while killed < KILLS {
        let mut command = Command::new(Binary::Stele.path().unwrap());
        command.arg("audit").arg(scene.at("log")).arg("--policy").arg(scene.at("policy")).arg("--state").arg(&state);
        let before = files_below(&state);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ended = poll(START, "an audit that goes on", || match child.try_wait().unwrap() {
            Some(_) => Some(true),
            None => (files_below(&state) > before).then_some(false),
        });
        child.kill().unwrap();
        child.wait().unwrap();
        if ended.unwrap() {
            break;
        }
        killed += 1;
    }
    let told = scene.audit(&["--json", "--state", path(&state).unwrap()]);
    assert!(killed > 0, "it was too fast to be killed");
    let fresh = scene.audit(&["--json"]);
    assert_eq!(told.code, Some(FINDINGS), "{}", told.stderr);
    assert_eq!(told.stdout, fresh.stdout);
    let report: Value = fresh.json().unwrap();
    assert_eq!(report["entries"]["statements"], 1501);
    for finding in report["findings"].as_array().unwrap() {
        assert!(!["registration", "index", "manifest"].contains(&finding["mode"].as_str().unwrap()), "{finding}");
    }
}

#[test]
fn two_audits_do_not_work_in_one_folder_nor_one_on_two_logs() {
    let speaker = Speaker::new(1).unwrap();
    let scene = Scene::of(claimed(&speaker));
    let state = scene.at("state");
    let arguments = ["--state", path(&state).unwrap()];
    scene.audit(&arguments).expect(0).unwrap();
    let network = Network::start(1, 1).unwrap();
    let told = audit(&network.log.url().unwrap(), &network.policy_path(), &arguments);
    // The head of the folder is not one that this policy vouches for.
    told.expect(6).unwrap();
}
