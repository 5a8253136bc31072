//! A log behind a proxy: which variables of the environment are read, and what of them is never shown.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::publishing::served;
use crate::common::{Ran, World, stele_with};

/// What an HTTP client asks a proxy for: the first line and its credentials, of each request.
struct Recorder {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// One that lets nobody through.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let recorder = Self { address: listener.local_addr().unwrap().to_string(), asked: Arc::default() };
        let asked = recorder.asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // A request comes in as many pieces as its client writes.
                let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
                while request.len() < 1 << 16 && !request.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                        _ => break,
                    }
                }
                asked.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 407 no\r\ncontent-length: 0\r\n\r\n");
            }
        });
        recorder
    }

    fn seen(&self) -> String {
        std::mem::take(&mut *self.asked.lock().unwrap()).join("\n")
    }
}

/// `stele claim` at a log of this address, with these variables.
fn claim(world: &World, log: &str, environment: &[(&str, &str)]) -> Ran {
    let (key, policy) = (world.at("publisher.pem"), world.at("policy"));
    let (key, policy) = (key.to_str().unwrap(), policy.to_str().unwrap());
    stele_with(&["claim", "acme.example", "--key", key, "--policy", policy, "--log", log], environment)
}

#[test]
fn a_proxy_is_asked_for_the_logs_that_it_is_for_and_its_password_is_never_shown() {
    let (world, _served) = served();
    let proxy = Recorder::start();
    let url = format!("http://us%40er:hunter2@{}", proxy.address);
    for (log, environment, through) in [
        ("https://log.invalid", &[("HTTPS_PROXY", url.as_str())][..], Some("CONNECT log.invalid:443")),
        (
            "https://log.invalid",
            &[("https_proxy", &url), ("HTTPS_PROXY", "http://127.0.0.1:1")],
            Some("CONNECT log.invalid:443"),
        ),
        ("https://log.invalid", &[("http_proxy", &url)], None),
        ("https://log.invalid", &[("ALL_PROXY", &url), ("NO_PROXY", "other.invalid")], Some("CONNECT log.invalid:443")),
        ("https://log.invalid", &[("ALL_PROXY", &url), ("NO_PROXY", "other.invalid, .invalid")], None),
        ("https://log.invalid", &[("ALL_PROXY", &url), ("NO_PROXY", "*")], None),
        ("http://log.invalid:8080", &[("http_proxy", &url)], Some("CONNECT log.invalid:8080")),
        ("http://log.invalid:8080", &[("HTTP_PROXY", &url)], None),
        ("http://127.0.0.1:1", &[("ALL_PROXY", &url)], None),
    ] {
        let ran = claim(&world, log, environment).fails(9, &["hint: "]);
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
        let seen = proxy.seen();
        assert_eq!(through.is_some(), !seen.is_empty(), "{log} {environment:?}: {seen}");
        // us@er:hunter2
        let authorized = seen.contains("Proxy-Authorization: Basic dXNAZXI6aHVudGVyMg==\r\n");
        assert!(seen.starts_with(through.unwrap_or_default()) && authorized == through.is_some(), "{seen}");
    }
}

#[test]
fn what_is_no_proxy_stops_and_is_not_gone_around() {
    let (world, served) = served();
    for value in ["ftp://user:hunter2@127.0.0.1", "http://user:hunter2@127.0.0.1:port"] {
        let ran = claim(&world, "https://log.invalid", &[("https_proxy", value)])
            .fails(7, &["https_proxy is no address of a proxy", "hint: correct or unset https_proxy"]);
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
    // This machine's own addresses need none.
    claim(&world, &served.url, &[("http_proxy", "ftp://nothing")]).ok();
}
