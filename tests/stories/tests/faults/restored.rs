//! An older copy of the log's data is put back, or its disk is lost. The witnesses are asked before anything is signed, so no honest
//! mistake makes a second history; and a copy of the public files is a way back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, run};
use stele_harness::file_server::FileServer;
use stele_harness::history::{Head, History};
use stele_harness::network::{Network, path};
use stele_harness::process::{START, poll};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::model;
use stele_samples::statements::Speaker;

/// The exit code for state that contradicts what was signed.
const INCONSISTENT: i32 = 12;
/// The exit code for what cannot be asked now.
const UNAVAILABLE: i32 = 9;

/// A network whose log's data was copied to `backup`, and which then logged `later` batches more.
fn with_backup(witnesses: usize, quorum: usize, later: u64) -> Step<(Network, Head)> {
    let mut network = Network::start(witnesses, quorum)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    model::copy(&network.log_data(), &network.at("backup"))?;
    network.start_log()?;
    for number in 1..=later {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    let newest = Head::of(network.log_address()?)?.unwrap();
    network.log.stop()?;
    Ok((network, newest))
}

fn restore(network: &Network) -> Step {
    fs::remove_dir_all(network.log_data()).unwrap();
    model::copy(&network.at("backup"), &network.log_data())
}

fn signed_head(network: &Network) -> Vec<u8> {
    fs::read(network.at("log/data/lock/signed-head")).unwrap()
}

/// Waits until `/healthz` has a problem of this name.
fn says(network: &Network, code: &str) -> Step<Value> {
    let names = |health: &Value| health["problems"].as_array().unwrap().iter().any(|problem| problem["error"] == code);
    let mut last = String::new();
    let found = poll(START, code, || {
        let answer = network.get("/healthz").ok()?;
        last = answer.text();
        let health = answer.json().ok()?;
        (answer.status == 503 && names(&health)).then_some(health)
    });
    found.map_err(|failure| network.log.failure(&format!("{failure}; it says {last}")))
}

fn no_evidence(network: &Network) -> Step {
    for number in 1..=network.witnesses.len() {
        let told =
            run(Binary::Witness, ["evidence", "list", path(&network.at(&format!("witness-{number}")))?])?.expect(0)?;
        assert_eq!(told.stdout, "", "witness {number} holds evidence");
    }
    Ok(())
}

/// The restored log signs nothing, says what it waits for, and is readable.
fn signs_nothing(network: &mut Network, code: &str) -> Step {
    let before = signed_head(network);
    network.log.start()?;
    let health = says(network, code)?;
    assert_eq!(health["writer"], code, "{health}");
    for number in 100..102 {
        let answer = network.submit(Speaker::new(number)?.claim()?.bytes())?.expect(503)?;
        assert_eq!(answer.error_code()?, code);
    }
    assert_eq!(signed_head(network), before, "something was signed");
    assert!(Head::of(network.log_address()?)?.is_some(), "reading goes on");
    let names: Vec<_> = network.witnesses.iter().map(|witness| witness.url().unwrap()).collect();
    assert!(names.iter().all(|url| !health.to_string().contains(url.as_str())), "an address is shown: {health}");
    no_evidence(network)
}

#[test]
fn a_restored_backup_signs_nothing_one_batch_behind_or_several() -> Step {
    for later in [1, 3] {
        let (mut network, _) = with_backup(3, 2, later)?;
        restore(&network)?;
        signs_nothing(&mut network, "backup-restored")?;
        assert!(network.log.messages().contains("stele-log adopt"), "{}", network.log.messages());
        network.log.stop()?;
        signs_nothing(&mut network, "backup-restored")?;
    }
    Ok(())
}

#[test]
fn a_restored_backup_signs_nothing_whichever_witnesses_are_down() -> Step {
    let (mut network, _) = with_backup(3, 2, 2)?;
    restore(&network)?;
    network.witnesses[2].stop()?;
    signs_nothing(&mut network, "backup-restored")?;
    network.log.stop()?;
    // All three are down: a quorum may know more, and the log waits.
    network.witnesses[0].stop()?;
    network.witnesses[1].stop()?;
    signs_nothing(&mut network, "asking-witnesses")?;
    // The first that is back shows it.
    network.witnesses[0].start()?;
    says(&network, "backup-restored")?;
    Ok(())
}

/// A machine that takes connections and never says a word.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut taken = Vec::new();
        for stream in listener.incoming().flatten() {
            taken.push(stream);
        }
    });
    url
}

#[test]
fn a_restored_backup_signs_nothing_where_one_witness_is_down_and_one_is_silent() -> Step {
    let mut network = Network::start(3, 2)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    model::copy(&network.log_data(), &network.at("backup"))?;
    // The first witness sees nothing of what comes now.
    network.witnesses[0].stop()?;
    network.start_log()?;
    for number in 1..=2 {
        network.accepted(Speaker::new(number)?.claim()?.bytes())?;
    }
    let newest = Head::of(network.log_address()?)?.unwrap();
    network.log.stop()?;
    let mirror = mirror(&network)?;
    restore(&network)?;
    network.witnesses[0].start()?;
    network.witnesses[1].stop()?;
    let (policy, third) = (network.policy(), network.witnesses[2].url()?);

    // Who answers knows no more than the backup: that is no quorum, and the log waits.
    fs::write(network.policy_path(), policy.replace(&third, &silent())).unwrap();
    signs_nothing(&mut network, "asking-witnesses")?;
    network.log.stop()?;
    // Now the one that answers is the one that knows.
    let first = network.witnesses[0].url()?;
    fs::write(network.policy_path(), policy.replace(&first, &silent())).unwrap();
    signs_nothing(&mut network, "backup-restored")?;
    network.log.stop()?;

    // One of three is still down, and a copy of the public files brings the log to where it was.
    network.write_policy()?;
    adopt(&network, path(&mirror)?)?.expect(0)?;
    network.start_log()?;
    network.accepted(Speaker::new(3)?.claim()?.bytes())?;
    History::of(network.log_address()?)?.check(&newest)?;
    no_evidence(&network)
}

#[test]
fn a_log_that_lost_everything_but_its_key_signs_nothing() -> Step {
    let (mut network, _) = with_backup(2, 2, 1)?;
    fs::remove_dir_all(network.log_data()).unwrap();
    network.log.start()?;
    says(&network, "backup-restored")?;
    assert!(!network.at("log/data/lock/signed-head").exists());
    no_evidence(&network)
}

#[test]
fn two_of_three_witnesses_down_and_the_log_waits_until_it_knows() -> Step {
    let mut network = Network::start(3, 2)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    network.witnesses[0].stop()?;
    network.witnesses[1].stop()?;
    signs_nothing(&mut network, "asking-witnesses")?;
    network.witnesses[0].start()?;
    network.wait_until_well()?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    Ok(())
}

/// A witness that answers everything with a size that no log has, and shows nothing.
fn liar() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
            while !seen.windows(2).any(|pair| pair == b"\n\n") && !seen.starts_with(b"GET") {
                match stream.read(&mut chunk) {
                    Ok(read) if read > 0 => seen.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let body = "18446744073709551615\n";
            let length = body.len();
            let _ =
                write!(stream, "HTTP/1.1 409 Conflict\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn a_witness_that_names_a_size_and_shows_nothing_stops_nothing() -> Step {
    let mut network = Network::start(3, 2)?;
    network.accepted(Speaker::new(0)?.claim()?.bytes())?;
    network.log.stop()?;
    let honest = network.witnesses[2].url()?;
    fs::write(network.policy_path(), network.policy().replace(&honest, &liar())).unwrap();
    network.log.start()?;
    network.wait_until_well()?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let named = |network: &Network| -> Step<Value> {
        let health = network.get("/healthz")?.expect(200)?.json()?;
        Ok(health["witnesses"]["witness-3.example"].clone())
    };
    let said = poll(START, "the size that it names", || named(&network).ok().filter(|said| said["ahead"] == u64::MAX))?;
    assert!(said["problem"].as_str().unwrap().contains("shows none"), "{said}");
    // It cosigns again: nothing is left of it.
    network.log.stop()?;
    network.write_policy()?;
    network.start_log()?;
    network.accepted(Speaker::new(2)?.claim()?.bytes())?;
    poll(START, "a witness that is well", || named(&network).ok().filter(|said| said["problem"].is_null())).map(drop)
}

fn adopt(network: &Network, from: &str) -> Step<Told> {
    let policy = network.policy_path();
    run(Binary::Log, ["adopt", path(&network.at("log"))?, "--from", from, "--policy", path(&policy)?])
}

fn mirror(network: &Network) -> Step<PathBuf> {
    let mirror = network.at("mirror");
    model::copy(&network.at("log/data/public"), &mirror)?;
    Ok(mirror)
}

fn refused(network: &Network, from: &Path, exit: i32, code: &str) -> Step {
    let told = adopt(network, path(from)?)?.expect(exit)?;
    assert!(told.stderr.contains("hint:"), "{}", told.stderr);
    assert!(told.stderr.contains(code), "expected {code:?}: {}", told.stderr);
    Ok(())
}

#[test]
fn a_log_goes_on_from_a_mirror_of_its_public_files() -> Step {
    let mut network = Network::start(3, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    let older = network.at("older");
    model::copy(&network.at("log/data/public"), &older)?;
    network.accepted(Speaker::new(7)?.claim()?.bytes())?;
    let newest = Head::of(network.log_address()?)?.unwrap();
    network.log.stop()?;
    let mirror = mirror(&network)?;

    // The disk is lost; key, config and policy are not.
    fs::remove_dir_all(network.log_data()).unwrap();
    refused(&network, &older, INCONSISTENT, "only")?;
    assert!(!network.at("log/data/lock/signed-head").exists());
    let served = FileServer::start(&mirror)?;
    let told = adopt(&network, &served.url())?.expect(0)?;
    assert!(told.stdout.contains(&format!("goes on from {} entries", newest.size)), "{}", told.stdout);
    network.start_log()?;
    History::of(network.log_address()?)?.check(&newest)?;
    acme.verify(&folder)?.expect(0)?;
    assert_eq!(
        network.get("/lookup/publisher?name=acme.example")?.expect(200)?.json()?["positions"].as_array().map(Vec::len),
        Some(2)
    );
    network.accepted(Speaker::new(8)?.claim()?.bytes())?;
    History::of(network.log_address()?)?.check(&newest)?;
    no_evidence(&network)
}

#[test]
fn a_restored_backup_is_brought_up_to_date_and_only_by_what_is_proven() -> Step {
    let (mut network, newest) = with_backup(3, 2, 2)?;
    let mirror = mirror(&network)?;
    restore(&network)?;
    let before = signed_head(&network);
    // A bit of an entry, then a copy that the witnesses are ahead of, then too few of them to ask.
    let damaged = network.at("damaged");
    model::copy(&mirror, &damaged)?;
    model::flip_one_bit(&damaged.join(format!("tile/entries/000.p/{}", newest.size)))?;
    refused(&network, &damaged, INCONSISTENT, "entr")?;
    refused(&network, &network.at("backup/public"), INCONSISTENT, "witness-")?;
    network.witnesses[0].stop()?;
    network.witnesses[1].stop()?;
    refused(&network, &mirror, UNAVAILABLE, "what they cosigned last")?;
    assert_eq!(signed_head(&network), before);
    network.witnesses[0].start()?;
    network.witnesses[1].start()?;

    adopt(&network, path(&mirror)?)?.expect(0)?;
    adopt(&network, path(&mirror)?)?.expect(0)?;
    // What is newer here than the copy is never given up.
    network.start_log()?;
    History::of(network.log_address()?)?.check(&newest)?;
    network.accepted(Speaker::new(8)?.claim()?.bytes())?;
    network.log.stop()?;
    refused(&network, &mirror, INCONSISTENT, "lock/signed-head")?;
    network.start_log()?;
    no_evidence(&network)
}

#[test]
fn lost_and_damaged_manifests_are_noticed_at_the_next_start() -> Step {
    let mut network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    for seed in 1..3 {
        let folder = network.at(&format!("model-{seed}"));
        acme.release(&folder, &format!("1.0.{seed}"), seed)?;
    }
    network.log.stop()?;
    let manifests: Vec<_> =
        fs::read_dir(network.at("log/data/public/manifests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let whole = fs::read(&manifests[0]).unwrap();
    fs::remove_file(&manifests[0]).unwrap();
    model::flip_one_bit(&manifests[1])?;
    network.log.start()?;
    let of_both = || says(&network, "manifests-lost").ok().filter(|health| health.to_string().contains("of 2 logged"));
    poll(START, "both noticed", of_both)?;
    // Both come back, and it is well.
    fs::write(&manifests[0], whole).unwrap();
    model::flip_one_bit(&manifests[1])?;
    network.wait_until_well()
}
