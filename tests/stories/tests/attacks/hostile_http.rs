//! Rude, slow and broken clients. The server sheds them and goes on serving others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use stele_harness::crowd::Crowd;
use stele_harness::network::{COSE, Network};
use stele_harness::process::{START, poll};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_probe::http;
use stele_samples::model;
use stele_samples::statements::Speaker;
use stele_spec::submission;

/// Both servers of a small network, each with a path that answers 200.
fn doors(network: &Network) -> Step<[(SocketAddr, &'static str); 2]> {
    Ok([(network.log_address()?, "/checkpoint"), (network.witnesses[0].address()?, "/healthz")])
}

#[test]
fn garbage_is_answered_and_forgotten() -> Step {
    let network = Network::start(1, 1)?;
    for (door, well) in doors(&network)? {
        for garbage in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            b"\0\0\0\0\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /entries HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            b"POST /entries HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        ] {
            let mut stream = http::connect(door)?;
            stream.write_all(garbage).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
        }
        http::get(door, well)?.expect(200)?;
    }
    Ok(())
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() -> Step {
    let network = Network::start(1, 1)?;
    for (door, path) in [(network.log_address()?, "/entries"), (network.witnesses[0].address()?, "/add-checkpoint")] {
        let mut stream = http::connect(door)?;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(http::read_answer(&mut stream)?.status, 413, "announced, {path}");

        let answer = http::post(door, path, "application/octet-stream", &vec![0xd2; 4 << 20])?;
        assert_eq!(answer.status, 413, "sent, {path}");

        let mut stream = http::connect(door)?;
        let head = format!("GET /checkpoint HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(1 << 20));
        let _ = stream.write_all(head.as_bytes());
        // A reset may overtake the answer.
        if let Ok(answer) = http::read_answer(&mut stream) {
            assert_eq!(answer.status, 431);
        }
    }
    network.accepted(Speaker::new(1)?.claim()?.bytes()).map(drop)
}

#[test]
fn a_request_after_which_the_client_only_listens_is_answered() -> Step {
    let network = Network::start(1, 1)?;
    for (door, well) in doors(&network)? {
        let mut stream = http::connect(door)?;
        stream.write_all(format!("GET {well} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(http::read_answer(&mut stream)?.status, 200);
    }
    Ok(())
}

/// Takes as long as the servers' patience with a header, 10 seconds.
#[test]
fn many_who_send_a_byte_now_and_then_hold_nobody_up_and_are_cut_off() -> Step {
    let network = Network::start(1, 1)?;
    let doors = doors(&network)?;
    thread::scope(|scope| {
        let stories = doors.map(|(door, well)| scope.spawn(move || drip(door, well)));
        stories.into_iter().try_for_each(|story| story.join().unwrap())
    })?;
    network.accepted(Speaker::new(1)?.claim()?.bytes()).map(drop)
}

fn drip(door: SocketAddr, well: &str) -> Step {
    let mut slow: Vec<TcpStream> = (0..100).map(|_| http::connect(door)).collect::<Step<_>>()?;
    for stream in &mut slow {
        stream.write_all(b"POST /entries HTTP/1.1\r\nhost: x\r\n").unwrap();
    }
    let started = Instant::now();
    http::get(door, well)?.expect(200)?;
    assert!(started.elapsed() < Duration::from_secs(3), "others are served at once");

    let mut one = slow.pop().unwrap();
    one.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let ended = poll(Duration::from_secs(25), "a slow header to be cut off", || {
        let mut answer = Vec::new();
        let dripped = one.write_all(b"x");
        (dripped.is_err() || one.read_to_end(&mut answer).is_ok()).then_some(answer)
    })?;
    assert!(ended.is_empty() || ended.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&ended));
    Ok(())
}

/// More than the connections of either server.
const STRANGERS: usize = 600;

/// What each of the strangers sends of a request: nothing, a part of its head, or a part of its body.
fn beginnings(path: &str, content_type: &str, body: &[u8]) -> Vec<Vec<u8>> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: ");
    let half = [format!("{head}{}\r\n\r\n", body.len()).as_bytes(), &body[..body.len() / 2]].concat();
    [Vec::new(), head.into_bytes(), half].into_iter().cycle().take(STRANGERS).collect()
}

#[test]
fn strangers_hold_every_connection_of_the_log_and_of_its_witness_and_a_release_is_published_and_cosigned() -> Step {
    let network = Network::start(1, 1)?;
    let (log, witness) = (network.log_address()?, network.witnesses[0].address()?);
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("model");
    model::write(&folder, 1)?;
    acme.prepare(&folder, "1.0.0")?;

    let claim = Speaker::new(1)?.claim()?;
    let at_log = Crowd::at(log, beginnings("/entries", COSE, claim.bytes()))?;
    let at_witness = Crowd::at(witness, beginnings("/add-checkpoint", "text/plain", &[b'x'; 4000]))?;
    for (crowd, server) in [(&at_log, "the log"), (&at_witness, "the witness")] {
        let full = || (crowd.turned_out() > 0).then_some(());
        poll(START, &format!("{server} to have no place left"), full)?;
    }
    let before = (at_log.turned_out(), at_witness.turned_out());
    acme.publish(&folder)?.expect(0)?;
    acme.verify_with(&folder, &["--online"])?.expect(0)?;
    let cosigned = network.get("/checkpoint")?.expect(200)?.text();
    assert!(cosigned.contains("\u{2014} witness-1.example "), "{cosigned}");
    for (address, well) in doors(&network)? {
        http::get(address, well)?.expect(200)?;
    }
    assert!(
        at_log.turned_out() > before.0 && at_witness.turned_out() > before.1,
        "the strangers were there all the time"
    );
    Ok(())
}

/// The log's room for large bodies, by default.
const ROOM: usize = 64 << 20;

#[test]
fn strangers_who_stop_within_large_manifests_hold_all_the_room_and_a_large_release_is_published() -> Step {
    let network = Network::start(1, 1)?;
    let stranger = Speaker::new(1)?;
    network.accepted(stranger.claim()?.bytes())?;
    let speaker = Speaker::new(2)?;
    network.accepted(speaker.claim()?.bytes())?;

    // Each has its place in the room as soon as its statement was found good.
    const MANIFEST: usize = 8 << 20;
    let beginnings = (0..2 * ROOM / MANIFEST).map(|number| -> Step<Vec<u8>> {
        let released = stranger.release(&format!("1.0.{number}"), number as u64)?;
        let body = submission::encode(released.statement.bytes(), &vec![b' '; MANIFEST]);
        let (length, kind) = (body.len(), submission::MEDIA_TYPE);
        let head =
            format!("POST /entries HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        Ok([head.as_bytes(), &body[..128 * 1024]].concat())
    });
    let crowd = Crowd::at(network.log_address()?, beginnings.collect::<Step<_>>()?)?;
    poll(START, "the room to be full", || (crowd.turned_out() > 0).then_some(()))?;
    let before = crowd.turned_out();
    let released = speaker.release_of_many_files("1.0.0", 2000)?;
    let manifest = released.manifest.encode();
    assert!(manifest.len() > 128 * 1024, "a body that needs room: {}", manifest.len());
    let published = poll(Duration::from_secs(60), "room for an honest manifest", || {
        // As `stele publish` does: busy is asked again.
        let answer = network.submit_release(released.statement.bytes(), &manifest).ok()?;
        (answer.status != 503).then_some(answer)
    })?;
    published.expect(200)?;
    assert!(crowd.turned_out() > before, "the strangers were there all the time");
    Ok(())
}
