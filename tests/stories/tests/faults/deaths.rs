//! How logs really died. Each of these ended a log in production somewhere, or would have; here each ends in a refusal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use stele_harness::binaries::Binary;
use stele_harness::command::run;
use stele_harness::history::{Head, History};
use stele_harness::network::{Network, path};
use stele_harness::process::poll;
use stele_probe::failure::{During as _, Failure, Step};
use stele_probe::http::{self, ANSWER};
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::cosignature::{UnixTime, verify_cosignature};
use stele_spec::note::{SignedNote, VerifierKey};

/// The exit code for state that contradicts what was signed.
const INCONSISTENT: i32 = 12;
/// The exit code for data that another process works on.
const LOCKED: i32 = 11;

/// A network with some claims in its log.
fn with_claims(claims: u64) -> Step<Network> {
    let network = Network::start(2, 2)?;
    add_claims(&network, 0..claims)?;
    Ok(network)
}

fn add_claims(network: &Network, numbers: std::ops::Range<u64>) -> Step {
    for number in numbers {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    Ok(())
}

fn replace(folder: &Path, by: &Path) -> Step {
    fs::remove_dir_all(folder).unwrap();
    model::copy(by, folder)
}

/// The log does not start, says why, and touches nothing that is public.
fn refuses_to_start(network: &mut Network, expected: i32) -> Step<String> {
    let before = files(&network.at("log/data/public"));
    let (status, messages) = network.log.start_refused()?;
    assert_eq!(status.code(), Some(expected), "{messages}");
    assert!(messages.contains("hint:"), "{messages}");
    assert_eq!(files(&network.at("log/data/public")), before);
    Ok(messages)
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                found.insert(path, bytes);
            }
        }
    }
    found
}

#[test]
fn two_writers() -> Step {
    let mut network = with_claims(1)?;
    let log = network.log_address()?;
    let arguments = ["run", "log", "--policy", "policy", "--listen", "127.0.0.1:0"];
    let told = stele_harness::command::run_in(stele_harness::binaries::Binary::Log, arguments, Some(network.home()))?;
    let told = told.expect(LOCKED)?;
    assert!(told.stderr.contains("hint:"), "{}", told.stderr);
    add_claims(&network, 1..2)?;
    let history = History::of(log)?;
    network.stop()?;
    History::in_folder(&network.at("log/data/public"))?.check(&history.head)
}

#[test]
fn a_backup_of_the_lock_restored() -> Step {
    let mut network = with_claims(1)?;
    network.log.stop()?;
    let (lock, backup) = (network.at("log/data/lock"), network.at("backup"));
    model::copy(&lock, &backup)?;
    network.start_log()?;
    add_claims(&network, 1..3)?;
    network.log.stop()?;
    replace(&lock, &backup)?;
    refuses_to_start(&mut network, INCONSISTENT).map(drop)
}

#[test]
fn a_backup_of_everything_restored() -> Step {
    let mut network = with_claims(1)?;
    network.log.stop()?;
    let (data, backup) = (network.at("log/data"), network.at("backup"));
    model::copy(&data, &backup)?;
    network.start_log()?;
    add_claims(&network, 1..3)?;
    let newest = Head::of(network.log_address()?)?.unwrap();
    network.log.stop()?;
    replace(&data, &backup)?;

    // Nothing on this disk tells; the witnesses remember (`restored.rs` tells the rest).
    let signed = fs::read(network.at("log/data/lock/signed-head")).unwrap();
    network.log.start()?;
    poll(ANSWER, "a writer that has stopped", || {
        network.get("/healthz").ok().filter(|answer| answer.text().contains("backup-restored"))
    })?;
    let answer = network.submit(Speaker::new(9)?.claim()?.bytes())?.expect(503)?;
    assert_eq!(answer.error_code()?, "backup-restored");
    assert_eq!(fs::read(network.at("log/data/lock/signed-head")).unwrap(), signed);
    let published = Head::of(network.log_address()?)?;
    assert!(published.is_none_or(|head| head.size < newest.size), "a fork was published");
    assert_ne!(network.get("/healthz")?.status, 200);
    Ok(())
}

#[test]
fn the_operator_deleted_the_signed_head() -> Step {
    let mut network = with_claims(1)?;
    network.log.stop()?;
    fs::remove_dir_all(network.at("log/data/lock")).unwrap();
    refuses_to_start(&mut network, INCONSISTENT).map(drop)
}

#[test]
fn the_operator_deleted_the_database() -> Step {
    let mut network = with_claims(3)?;
    let lookup = |network: &Network| network.get("/lookup/publisher?name=publisher-1.example")?.expect(200)?.json();
    let before = lookup(&network)?;
    assert_eq!(before["positions"].as_array().map(Vec::len), Some(1), "{before}");
    network.log.stop()?;
    fs::remove_dir_all(network.at("log/data/lookup.sled")).unwrap();
    network.start_log()?;
    assert_eq!(lookup(&network)?["positions"], before["positions"]);

    // Damaged is no worse than deleted.
    network.log.stop()?;
    for path in files(&network.at("log/data/lookup.sled")).keys() {
        fs::write(path, b"not a database").unwrap();
    }
    network.start_log()?;
    assert_eq!(lookup(&network)?["positions"], before["positions"]);
    add_claims(&network, 3..4)
}

#[test]
fn a_bit_flip_in_an_incorporated_entry() -> Step {
    let mut network = with_claims(3)?;
    network.log.stop()?;
    let bundles = files(&network.at("log/data/public/tile/entries"));
    for path in bundles.keys() {
        model::flip_one_bit(path)?;
    }
    refuses_to_start(&mut network, INCONSISTENT).map(drop)
}

#[test]
fn a_bit_flip_in_a_tile() -> Step {
    let mut network = with_claims(3)?;
    network.log.stop()?;
    for path in files(&network.at("log/data/public/tile/0")).keys() {
        model::flip_one_bit(path)?;
    }
    refuses_to_start(&mut network, INCONSISTENT).map(drop)
}

#[test]
fn the_disk_is_full() -> Step {
    let mut network = with_claims(1)?;
    let log = network.log_address()?;
    let before = Head::of(log)?.unwrap();
    network.log.stop()?;
    network.log.set_env("STELE_FAULT", Some("full:write:staged/:1+;full:create:staged/:1+"));
    network.start_log()?;
    let claim = Speaker::new(5)?.claim()?;
    network.submit(claim.bytes())?.expect(503)?;
    assert_eq!(Head::of(log)?.unwrap().size, before.size);
    network.log.kill();

    network.log.set_env("STELE_FAULT", None);
    network.start_log()?;
    let index = network.accepted(claim.bytes())?;
    let history = History::of(log)?;
    assert_eq!(history.positions(claim.bytes()), [index]);
    history.check(&before)
}

#[test]
fn an_error_after_signing_stops_the_writer_and_reading_goes_on() -> Step {
    // "Reload after a fatal error failed as well, and the log carried on": ours stops at the first.
    let mut network = with_claims(1)?;
    let log = network.log_address()?;
    let before = Head::of(log)?.unwrap();
    for fault in ["fail-persisted:rename:signed-head:1+", "fail:write:public/tile:1+"] {
        network.log.stop()?;
        network.log.set_env("STELE_FAULT", Some(fault));
        network.start_log()?;
        let claim = Speaker::new(100 + fault.len() as u64)?.claim()?;
        network.submit(claim.bytes())?.expect(503)?;
        network.submit(Speaker::new(99)?.claim()?.bytes())?.expect(503)?;
        http::get(log, "/checkpoint")?.expect(200)?;
        assert_ne!(network.get("/healthz")?.status, 200, "{fault}");
        network.log.kill();
        network.log.set_env("STELE_FAULT", None);
        network.start_log()?;
        let index = network.accepted(claim.bytes())?;
        let history = History::of(log)?;
        assert_eq!(history.positions(claim.bytes()), [index], "{fault}");
        history.check(&before)?;
    }
    Ok(())
}

#[test]
fn killed_at_each_step_of_a_batch() -> Step {
    let mut network = with_claims(1)?;
    let log = network.log_address()?;
    let mut heads = vec![Head::of(log)?.unwrap()];
    let mut acknowledged = Vec::new();
    for (number, fault) in (200..).zip([
        "kill:create:staged/:1",
        "kill:write:staged/:1",
        "kill-after:write:staged/:1",
        "kill:sync-dir:staged:1",
        "kill:write:staged/spare:1",
        "kill-after:write:staged/spare:1",
        "kill-after:sync:staged/spare:1",
        "kill:rename:signed-head:1",
        "kill-after:rename:signed-head:1",
        "kill:write:public/tile/entries:1",
        "kill-after:write:public/tile/entries:1",
        "kill:write:public/tile/0:1",
        "kill-after:write:public/tile/0:1",
        "kill:write:staged/spare:2",
        "kill-after:sync:staged/spare:2",
        "kill:rename:public/checkpoint:1",
        "kill-after:rename:public/checkpoint:1",
    ]) {
        network.log.stop()?;
        network.log.set_env("STELE_FAULT", Some(fault));
        network.log.start()?;
        // Spares are made beside the first sync after a batch, so other claims may go in before it strikes.
        let mut numbers = (number..).step_by(1000).skip(1);
        let mut claim = Speaker::new(number)?.claim()?;
        // It may strike at once, or only when the log takes statements.
        poll(ANSWER, fault, || match network.submit(claim.bytes()) {
            Ok(answer) if answer.status == 200 => {
                claim = Speaker::new(numbers.next()?).ok()?.claim().ok()?;
                None
            }
            Ok(_) => None,
            Err(_) => Some(()),
        })?;
        assert_eq!(network.log.wait_for_end()?.signal(), Some(9), "{fault}");
        network.log.kill();
        network.log.set_env("STELE_FAULT", None);
        network.start_log()?;
        let index = network.accepted(claim.bytes())?;
        acknowledged.push((index, claim));
        heads.push(Head::of(log)?.unwrap());
    }
    let history = History::of(log)?;
    heads.iter().try_for_each(|head| history.check(head))?;
    for (index, claim) in &acknowledged {
        assert_eq!(history.positions(claim.bytes()), [*index]);
    }
    Ok(())
}

#[test]
fn partial_tiles_served_as_immutable_and_then_changed() -> Step {
    let mut network = with_claims(1)?;
    let public = network.at("log/data/public");
    let mut seen: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for number in 1..12 {
        if number == 6 {
            network.log.kill();
            network.start_log()?;
        }
        add_claims(&network, number..number + 1)?;
        for (path, bytes) in files(&public.join("tile")) {
            if let Some(before) = seen.insert(path.clone(), bytes.clone()) {
                assert_eq!(before, bytes, "{} changed", path.display());
            }
        }
    }
    assert!(seen.len() > 20);
    Ok(())
}

#[test]
fn a_witness_restored_from_a_backup() -> Step {
    let mut network = with_claims(1)?;
    network.witnesses[0].stop()?;
    let (state, backup) = (network.at("witness-1/state"), network.at("backup"));
    model::copy(&state, &backup)?;
    network.witnesses[0].start()?;
    add_claims(&network, 1..3)?;
    network.witnesses[0].stop()?;
    replace(&state, &backup)?;
    let (status, messages) = network.witnesses[0].start_refused()?;
    assert_eq!(status.code(), Some(INCONSISTENT), "{messages}");
    assert!(messages.contains("hint:"), "{messages}");
    Ok(())
}

/// What nobody can notice from inside: the quorum is what stands against it.
#[test]
fn a_witness_of_which_all_is_put_back_is_one_that_may_lie() -> Step {
    let mut network = with_claims(1)?;
    network.witnesses[0].stop()?;
    let both = ["state", "marks"].map(|name| (network.at(&format!("witness-1/{name}")), network.at(name)));
    for (folder, backup) in &both {
        model::copy(folder, backup)?;
    }
    network.witnesses[0].start()?;
    add_claims(&network, 1..3)?;
    network.witnesses[0].stop()?;
    for (folder, backup) in &both {
        replace(folder, backup)?;
    }
    network.witnesses[0].start()?;
    let url = network.witnesses[0].url()?;
    let told = run(Binary::Witness, ["doctor", path(&network.at("witness-1"))?, "--url", &url])?;
    assert!(told.stdout.contains("on the same disk as the state"), "{}", told.stdout);
    // A log that is honest brings it up to date.
    add_claims(&network, 3..4)
}

#[test]
fn a_witness_that_lost_its_state() -> Step {
    let mut network = with_claims(2)?;
    network.witnesses[0].stop()?;
    fs::remove_dir_all(network.at("witness-1/state")).unwrap();
    let (status, messages) = network.witnesses[0].start_refused()?;
    assert_eq!(status.code(), Some(INCONSISTENT), "{messages}");
    Ok(())
}

/// When each witness cosigned the published tree head, in seconds since the epoch.
fn cosigned_at(network: &Network) -> Step<Vec<u64>> {
    let note = SignedNote::parse(&network.get("/checkpoint")?.expect(200)?.body).during("reading a checkpoint")?;
    let time_of = |vkey: &String| {
        let key: VerifierKey = vkey.parse().during("reading a verifier key")?;
        let line = note.signatures().iter().find(|line| key.is_meant_by(line));
        let line = line.ok_or_else(|| Failure::new(format!("no line of {vkey}: {note}")))?;
        let time = verify_cosignature(note.text(), line, &key).during("verifying a cosignature")?;
        time.map(UnixTime::seconds).ok_or_else(|| Failure::new("a cosignature without a time"))
    };
    network.witness_vkeys().iter().map(time_of).collect()
}

#[test]
fn a_clock_set_back() -> Step {
    let mut network = with_claims(1)?;
    let before = cosigned_at(&network)?;
    for witness in &mut network.witnesses {
        witness.stop()?;
        witness.set_env("STELE_TEST_CLOCK_OFFSET", Some("-86400"));
        witness.start()?;
    }
    // A witness never signs an older time than it signed before; whether it cosigns at its last time or not at all, what is
    // published is never older.
    let answer = network.submit(Speaker::new(7)?.claim()?.bytes())?;
    assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
    let after = cosigned_at(&network)?;
    assert!(after.iter().zip(&before).all(|(after, before)| after >= before), "{after:?} is older than {before:?}");
    Ok(())
}
