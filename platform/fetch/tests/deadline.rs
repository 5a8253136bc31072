//! One deadline for many requests, and no second try after a silence.
#![allow(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError};
use stele_fetch::static_files::{SourceError, StaticFiles, TRIES};

/// A server that takes every connection, sends these bytes one by one for ever, slowly, and counts.
fn dripping(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                for byte in bytes.iter().cycle() {
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(20));
                }
                // Silence: the connection stays open.
                thread::sleep(Duration::from_secs(60));
            });
        }
    });
    (url, asked)
}

fn client(wait: Duration) -> HttpClient {
    HttpClient::new("test", ClientLimits::default()).until(Instant::now() + wait)
}

#[test]
fn a_silent_and_a_dripping_server_are_left_at_the_deadline() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n"] {
        let (url, _) = dripping(bytes);
        let (begun, client) = (Instant::now(), client(Duration::from_millis(400)));
        let first = client.get(&url, None).unwrap_err();
        assert!(matches!(first, HttpError::TimedOut { .. }), "{first:?}");
        // What is asked after the deadline is not asked at all.
        let second = client.get(&url, None).unwrap_err();
        assert!(second.to_string().contains("all answers together"), "{second}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[test]
fn who_was_silent_is_not_asked_again_and_who_refuses_is() {
    let (url, asked) = dripping(b"");
    let limits = ClientLimits { whole: Duration::from_millis(300), ..ClientLimits::default() };
    let source = StaticFiles::asked(&url, HttpClient::new("test", limits), TRIES);
    let refused = source.read("checkpoint", 100).unwrap_err();
    assert!(matches!(refused, SourceError::Http(HttpError::TimedOut { .. })), "{refused:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // A port where nobody listens: asked until the deadline, not beyond.
    let begun = Instant::now();
    let source = StaticFiles::asked("http://127.0.0.1:9", client(Duration::from_millis(700)), TRIES);
    assert!(source.read("checkpoint", 100).is_err());
    let took = begun.elapsed();
    assert!((Duration::from_millis(200)..Duration::from_secs(3)).contains(&took), "{took:?}");
}
