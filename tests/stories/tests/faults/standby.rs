//! Standbys of a log in a bucket: each follows the writer, and one takes over when it is gone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stele_harness::auditor::Report;
use stele_harness::binaries::Binary;
use stele_harness::command::run;
use stele_harness::history::History;
use stele_harness::network::{Network, path, submit};
use stele_harness::process::{START, Server, poll};
use stele_harness::publisher::Publisher;
use stele_log_storage_s3::simulated::SimulatedS3;
use stele_object_store::bucket::Bucket as _;
use stele_object_store::memory::MemoryBucket;
use stele_probe::failure::{Failure, Step};
use stele_probe::http;
use stele_samples::model;
use stele_samples::statements::Speaker;

use crate::bucket::{Place, prepared};

/// A network of three witnesses whose log is kept in a bucket and runs; a second without a word is enough for its standbys.
fn network(service: &SimulatedS3) -> Step<Network> {
    let mut network = prepared(&Place::of(service), 3, 2)?;
    let config = network.at("log/log.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, format!("{text}\n[standby]\ndetect_seconds = 1\n")).unwrap();
    network.start_log()?;
    Ok(network)
}

/// A standby on a machine of its own, following.
fn standby(network: &Network, number: usize) -> Step<Server> {
    let folder = network.at(&format!("log-{number}"));
    fs::create_dir(&folder).unwrap();
    for file in ["log.toml", "log.key", "objects.credentials"] {
        fs::copy(network.at("log").join(file), folder.join(file)).unwrap();
    }
    let policy = network.policy_path();
    let arguments = ["run", path(&folder)?, "--standby", "--policy", path(&policy)?].map(Into::into).to_vec();
    let messages = network.at(&format!("messages/log-{number}"));
    let mut server = Server::new(&format!("stele-log-{number}"), Binary::Log.path()?, arguments, messages);
    server.start()?;
    assert_eq!(health(&server)?["writer"], "standby");
    Ok(server)
}

fn health(server: &Server) -> Step<Value> {
    http::get(server.address()?, "/healthz")?.json()
}

fn signal(server: &Server, signal: Signal) -> Step {
    let pid = i32::try_from(server.pid()?).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).map_err(|error| Failure::new(error.to_string()))
}

/// The index of a statement at whoever of them takes it: asking again is harmless.
fn accepted_by(servers: &[&Server], statement: &[u8]) -> Step<(usize, u64)> {
    poll(START, "a log that takes a statement", || {
        servers.iter().enumerate().find_map(|(number, server)| {
            let answer = submit(server.address().ok()?, statement).ok().filter(|answer| answer.status == 200)?;
            Some((number, answer.json().ok()?.get("index")?.as_u64()?))
        })
    })
}

/// A publisher who claims one name after another until the log is gone, and keeps what was acknowledged.
fn crowd(
    log: SocketAddr,
    first: u64,
    acknowledged: &Arc<Mutex<Vec<(u64, u64)>>>,
    is_over: &Arc<AtomicBool>,
) -> thread::JoinHandle<()> {
    let (acknowledged, is_over) = (acknowledged.clone(), is_over.clone());
    thread::spawn(move || {
        for number in first.. {
            if is_over.load(Ordering::SeqCst) {
                return;
            }
            let claim = Speaker::new(number).unwrap().claim().unwrap();
            let answer = submit(log, claim.bytes()).ok().filter(|answer| answer.status == 200);
            let Some(answer) = answer else { return };
            let index = answer.json().unwrap()["index"].as_u64().unwrap();
            acknowledged.lock().unwrap().push((index, number));
        }
    })
}

#[test]
fn a_writer_is_killed_five_times_and_each_time_a_standby_goes_on() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = network(&service)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    acme.release(&folder, "1.0.0", 1)?;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..5 {
        let mut next = standby(&network, 2 + round)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let first = 1000 * (1 + round as u64);
        let before = acknowledged.lock().unwrap().len();
        let publishing = crowd(network.log_address()?, first, &acknowledged, &is_over);
        poll(START, "statements that are acknowledged", || {
            (acknowledged.lock().unwrap().len() >= before + 3 + round).then_some(())
        })?;
        network.log.kill();
        is_over.store(true, Ordering::SeqCst);
        publishing.join().unwrap();
        // What was under way is sent again, and then something new.
        for number in [first + 500, first + 501] {
            let (_, index) = accepted_by(&[&next], Speaker::new(number)?.claim()?.bytes())?;
            acknowledged.lock().unwrap().push((index, number));
        }
        std::mem::swap(&mut network.log, &mut next);
        network.write_policy()?;
        assert_eq!(health(&network.log)?["writer"], "running");
    }
    let history = History::of(network.log_address()?)?;
    for (index, number) in acknowledged.lock().unwrap().iter() {
        let claim = Speaker::new(*number)?.claim()?;
        assert_eq!(history.positions(claim.bytes()), [*index], "statement {number}");
    }
    Report::of(&network)?.told.expect(0)?;
    acme.verify(&folder)?.expect(0)?;
    acme.verify_with(&folder, &["--online"])?.expect(0)?;
    network.stop()
}

#[test]
fn a_standby_serves_what_is_published_says_where_the_writer_is_and_takes_over_when_it_is_told() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = network(&service)?;
    let claim = Speaker::new(1)?.claim()?;
    let index = network.accepted(claim.bytes())?;
    let mut next = standby(&network, 2)?;
    let address = next.address()?;
    // What the writer has staged it forgets by itself.
    let objects = || {
        let mut all = service.bucket().list(&"mine".parse().unwrap(), None).unwrap();
        all.retain(|key| !key.as_str().contains("/staged/"));
        all
    };
    let before = objects();

    let refused = submit(address, Speaker::new(2)?.claim()?.bytes())?.expect(503)?.json()?;
    assert_eq!(refused["error"], "standby");
    assert_eq!(refused["writer"], network.log.url()?, "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains(&network.log.url()?), "{refused}");
    // What is published is read and proven from it, and asking again for what is logged is answered.
    assert_eq!(submit(address, claim.bytes())?.expect(200)?.json()?["index"], index);
    let published = network.get("/checkpoint")?.text();
    assert_eq!(http::get(address, "/checkpoint")?.text(), published);
    assert_eq!(http::get(address, &format!("/entries/{index}"))?.expect(200)?.body, claim.bytes());
    http::get(address, "/lookup/name/proof?name=publisher-1.example")?.expect(200)?;
    let accept = [("accept", "application/scitt-receipt+cose")];
    let receipt = http::send(address, "GET", &format!("/entries/{index}"), &accept, &[])?;
    assert_eq!(receipt.status, 503, "a standby signs nothing: {}", receipt.text());
    let well = http::get(address, "/healthz")?.expect(200)?.json()?;
    assert_eq!(
        (&well["standby"]["active_writer"], &well["standby"]["behind_entries"]),
        (&network.log.url()?.into(), &0.into())
    );
    let metrics = http::get(address, "/metrics")?.text();
    assert!(metrics.contains("stele_standby 1\n") && metrics.contains("stele_standby_behind_entries 0\n"), "{metrics}");
    assert_eq!(objects(), before, "a standby writes nothing");
    let folder = network.at("log-2");
    let told = run(Binary::Log, ["status", path(&folder)?, "--url", &next.url()?])?.expect(0)?;
    assert!(told.stdout.contains(&network.log.url()?), "{}", told.stdout);

    // `doctor` says who holds the lock, whether each witness answers, and how far the standby is.
    let (policy, url) = (network.policy_path(), next.url()?);
    let told = run(Binary::Log, ["doctor", path(&folder)?, "--policy", path(&policy)?, "--url", &url])?.expect(0)?;
    let log = network.log.url()?;
    for line in [&format!("{log}, the run 1 of"), "has read everything that is signed", "witness-3.example: answers"] {
        assert!(told.stdout.contains(line), "{line}: {}", told.stdout);
    }
    assert_eq!(objects(), before, "doctor writes nothing");

    // It follows, and a writer that is idle for longer than its standby waits is none that is gone.
    let second = network.accepted(Speaker::new(3)?.claim()?.bytes())?;
    poll(START, "a standby that has read it", || {
        http::get(address, &format!("/entries/{second}")).ok().filter(|answer| answer.status == 200)
    })?;
    thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(health(&next)?["writer"], "standby");

    signal(&next, Signal::USR1)?;
    let (_, third) = accepted_by(&[&next], Speaker::new(4)?.claim()?.bytes())?;
    assert!(third > second);
    network.submit(Speaker::new(5)?.claim()?.bytes())?.expect(503)?;
    assert!(network.get("/healthz")?.text().contains("overtaken"), "{}", network.get("/healthz")?.text());
    // Who is the writer takes no notice of being told once more.
    signal(&next, Signal::USR1)?;
    accepted_by(&[&next], Speaker::new(6)?.claim()?.bytes())?;
    network.log.stop()?;
    next.stop()
}

#[test]
fn a_writer_that_slept_after_its_signature_says_that_it_is_overtaken() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = network(&service)?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let next = standby(&network, 2)?;
    let records = || service.bucket().list(&"mine/lock".parse().unwrap(), None).unwrap().len();
    let before = records();

    // The head is in the lock, no witness has answered, and its submitter waits.
    network.witnesses.iter().try_for_each(|witness| signal(witness, Signal::STOP))?;
    let (log, slept) = (network.log_address()?, Speaker::new(2)?.claim()?);
    let submitter = thread::spawn({
        let slept = slept.bytes().to_vec();
        move || submit(log, &slept)
    });
    poll(START, "a record of the signed head", || (records() > before).then_some(()))?;
    signal(&network.log, Signal::STOP)?;
    network.witnesses.iter().try_for_each(|witness| signal(witness, Signal::CONT))?;

    // The standby finishes that head, and goes on from it.
    let (_, other) = accepted_by(&[&next], Speaker::new(3)?.claim()?.bytes())?;
    signal(&network.log, Signal::CONT)?;
    assert_eq!(submitter.join().unwrap()?.status, 503);
    poll(START, "a writer that says that it is overtaken", || {
        let health = network.get("/healthz").ok()?.text();
        health.contains("overtaken").then_some(())
    })?;
    let (_, index) = accepted_by(&[&next], slept.bytes())?;
    assert!(index < other);
    assert_eq!(History::of(next.address()?)?.positions(slept.bytes()), [index]);
    Ok(())
}

#[test]
fn of_three_standbys_one_takes_over() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = network(&service)?;
    let index = network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let standbys = [standby(&network, 2)?, standby(&network, 3)?, standby(&network, 4)?];
    network.log.kill();
    let claim = Speaker::new(2)?.claim()?;
    let (winner, second) = accepted_by(&standbys.each_ref(), claim.bytes())?;
    assert!(second > index);
    // The others wait for as long as it runs.
    thread::sleep(std::time::Duration::from_secs(3));
    for (number, server) in standbys.iter().enumerate() {
        let health = health(server)?;
        assert_eq!(health["writer"], if number == winner { "running" } else { "standby" }, "{number}: {health}");
        if number != winner {
            assert_eq!(health["standby"]["active_writer"], standbys[winner].url()?, "{health}");
        }
    }
    Ok(())
}

/// Waits until a server is well, its lookups included, and says that it is a standby of the writer at this address.
fn follows(server: &Server, writer: &Server) -> Step {
    let (address, url) = (server.address()?, writer.url()?);
    poll(START, "a standby that follows the new writer", || {
        let health: Value = http::get(address, "/healthz").ok().filter(|answer| answer.status == 200)?.json().ok()?;
        (health["writer"] == "standby" && health["standby"]["active_writer"] == url).then_some(())
    })
}

#[test]
fn an_idle_writer_learns_that_it_was_overtaken_and_one_that_was_a_standby_follows_again() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let mut network = network(&service)?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let mut next = standby(&network, 2)?;
    signal(&next, Signal::USR1)?;
    // Nobody submits anything to it, and its checkpoint is young.
    poll(START, "a writer that says that it is overtaken", || {
        let health = health(&network.log).ok()?;
        (health["writer"] == "stopped" && health.to_string().contains("overtaken")).then_some(())
    })?;
    let (log, url) = (network.at("log"), network.log.url()?);
    let told = run(Binary::Log, ["status", path(&log)?, "--url", &url])?.expect(9)?;
    assert!(told.stdout.contains("overtaken"), "{}", told.stdout);
    network.log.stop()?;
    accepted_by(&[&next], Speaker::new(2)?.claim()?.bytes())?;

    // The one that took over is overtaken in its turn: the same process follows, serves reading, and can be told to take over again.
    let mut third = standby(&network, 3)?;
    signal(&third, Signal::USR1)?;
    follows(&next, &third)?;
    let (_, index) = accepted_by(&[&third], Speaker::new(3)?.claim()?.bytes())?;
    let address = next.address()?;
    poll(START, "a standby that has read it", || {
        http::get(address, &format!("/entries/{index}")).ok().filter(|answer| answer.status == 200)
    })?;
    signal(&next, Signal::USR1)?;
    follows(&third, &next)?;
    let (_, last) = accepted_by(&[&next], Speaker::new(4)?.claim()?.bytes())?;
    assert!(last > index);
    third.stop()?;
    next.stop()
}

#[test]
fn of_two_standbys_that_are_told_at_once_one_takes_over_and_the_other_follows_it() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = network(&service)?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let standbys = [standby(&network, 2)?, standby(&network, 3)?];
    standbys.iter().try_for_each(|standby| signal(standby, Signal::USR1))?;
    let (winner, _) = accepted_by(&standbys.each_ref(), Speaker::new(2)?.claim()?.bytes())?;
    follows(&standbys[1 - winner], &standbys[winner])?;
    // It still does when it has waited for its whole time.
    thread::sleep(std::time::Duration::from_secs(3));
    follows(&standbys[1 - winner], &standbys[winner])?;
    assert_eq!(health(&standbys[winner])?["writer"], "running");
    Ok(())
}

#[test]
fn a_publisher_who_asks_a_standby_is_told_at_once_where_the_writer_is() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = network(&service)?;
    network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    let next = standby(&network, 2)?;
    let acme = Publisher::new(&network, "acme.example")?;
    // It is ready to wait for longer than a story may take.
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;
    let told = acme.publish_with(&folder, &["--log", &next.url()?, "--wait", "1h"])?.expect(9)?;
    let (writer, said) = (network.log.url()?, told.all());
    assert!(said.contains("this is a standby") && said.contains(&format!("the writer is at {writer}")), "{said}");
    acme.publish_with(&folder, &["--log", &writer])?.expect(0)?;
    Ok(())
}

#[test]
fn a_bucket_that_is_gone_is_no_log_without_entries() -> Step {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let network = network(&service)?;
    let index = network.accepted(Speaker::new(1)?.claim()?.bytes())?;
    drop(service);
    let (log, url) = (network.at("log"), network.log.url()?);
    let told = run(Binary::Log, ["status", path(&log)?, "--url", &url])?.expect(9)?;
    assert!(told.stdout.contains("checkpoint-unreadable"), "{}", told.stdout);
    let tree = format!("{} entries when the storage could be read last", index + 2);
    assert!(told.stdout.contains(&tree), "{}", told.stdout);
    Ok(())
}

#[test]
fn a_log_in_files_has_no_standby() -> Step {
    let network = Network::start(1, 1)?;
    let (log, policy) = (network.at("log"), network.policy_path());
    let arguments = ["--json", "run", path(&log)?, "--standby", "--policy", path(&policy)?, "--listen", "127.0.0.1:0"];
    let told = run(Binary::Log, arguments)?.expect(7)?.json()?;
    assert_eq!(told["error"], "standby-in-files");
    assert!(told["hint"].as_str().unwrap().contains("--objects"), "{told}");
    network.accepted(Speaker::new(1)?.claim()?.bytes()).map(drop)
}
