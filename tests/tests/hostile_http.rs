//! Rude, slow and broken clients. The server sheds them and goes on serving others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use stele_tests::failure::Step;
use stele_tests::http;
use stele_tests::network::Network;
use stele_tests::statements::Speaker;

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

/// Takes as long as the server's patience with a header, 10 seconds.
#[test]
fn many_who_send_a_byte_now_and_then_hold_nobody_up_and_are_cut_off() -> Step {
    let network = Network::start(1, 1)?;
    for (door, well) in doors(&network)? {
        let mut slow: Vec<TcpStream> = (0..100).map(|_| http::connect(door)).collect::<Step<_>>()?;
        for stream in &mut slow {
            stream.write_all(b"POST /entries HTTP/1.1\r\nhost: x\r\n").unwrap();
        }
        let started = Instant::now();
        http::get(door, well)?.expect(200)?;
        assert!(started.elapsed() < Duration::from_secs(3), "others are served at once");

        let mut one = slow.pop().unwrap();
        one.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let ended = stele_tests::process::poll(Duration::from_secs(25), "a slow header to be cut off", || {
            let mut answer = Vec::new();
            let dripped = one.write_all(b"x");
            (dripped.is_err() || one.read_to_end(&mut answer).is_ok()).then_some(answer)
        })?;
        assert!(ended.is_empty() || ended.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&ended));
    }
    network.accepted(Speaker::new(1)?.claim()?.bytes()).map(drop)
}
