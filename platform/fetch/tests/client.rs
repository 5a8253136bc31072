//! The HTTP client against our own listener and against servers that misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what failed by failing"
)]

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use stele_explain::{Exit, Explain};
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError};
use stele_serve::{Limits, serve};

fn short() -> ClientLimits {
    ClientLimits {
        connect: Duration::from_millis(500),
        answer: Duration::from_millis(500),
        whole: Duration::from_millis(900),
        body: 1000,
    }
}

fn client() -> HttpClient {
    HttpClient::new("stele-test/1", short())
}

/// A server of one answer, given once the header has come.
fn oneshot(answer: &'static [u8], then: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(answer);
        std::thread::sleep(then);
    });
    url
}

async fn house() -> String {
    let router = Router::new()
        .route("/agent", get(|headers: HeaderMap| async move { headers["user-agent"].to_str().unwrap().to_owned() }))
        .route(
            "/encodings",
            get(|headers: HeaderMap| async move { headers["accept-encoding"].to_str().unwrap().to_owned() }),
        )
        .route("/large", get(|| async { "x".repeat(1001) }))
        .route("/at-limit", get(|| async { "x".repeat(1000) }))
        .route("/moved", get(|| async { (StatusCode::FOUND, [("location", "http://127.0.0.1:9/")]) }))
        .route("/no", post(|body: Bytes| async move { (StatusCode::CONFLICT, [("x-why", "because")], body) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, router, Limits::default(), std::future::pending()));
    url
}

#[test]
fn nobody_there_is_unavailable_with_a_hint() {
    let error = client().get("http://127.0.0.1:9/", None).unwrap_err();
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Unavailable);
    assert!(error.hint().is_some());
    assert!(error.to_string().contains("http://127.0.0.1:9/"));
    assert!(matches!(
        client().get("http://host.invalid/", None),
        Err(HttpError::Unreachable { .. } | HttpError::TimedOut { .. } | HttpError::Broken { .. })
    ));
}

#[test]
fn what_is_no_address_is_bad_input() {
    for url in ["", "nonsense", "ftp://x/", "file:///etc/passwd", "http://", "http://a b/"] {
        let error = client().get(url, None).unwrap_err();
        assert!(matches!(error, HttpError::BadUrl { .. }), "{url}: {error:?}");
        assert_eq!(error.exit(), Exit::BadInput);
    }
    assert!(matches!(client().get("http://127.0.0.1:9/", Some("a\r\nb: c")), Err(HttpError::BadUrl { .. })));
}

#[test]
fn a_server_that_says_nothing_or_stops_in_the_middle_is_timed_out() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        let began = Instant::now();
        let error = client().get(&oneshot(answer, Duration::from_secs(5)), None).unwrap_err();
        assert!(matches!(error, HttpError::TimedOut { .. }), "{error:?}");
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn a_truncated_or_senseless_answer_is_an_error() {
    for answer in [&b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"[..], b"SSH-2.0-OpenSSH\r\n", b""] {
        let error = client().get(&oneshot(answer, Duration::ZERO), None).unwrap_err();
        assert!(matches!(error, HttpError::Broken { .. }), "{error:?}");
    }
}

/// Answers one request on each connection and closes it when the next begins there, as a server does whose time for idle ones is over.
fn closes_what_it_kept(connections: usize) -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut requests = 0;
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            requests += usize::from(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
            requests += usize::from(stream.read(&mut [0; 4096]).unwrap() > 0);
        }
        requests
    });
    (url, served)
}

#[test]
fn a_kept_connection_that_ended_costs_another_request_and_no_error() {
    let (url, served) = closes_what_it_kept(3);
    let client = HttpClient::new("stele-test/1", ClientLimits::default());
    assert_eq!(client.get(&url, None).unwrap().text(), "ok");
    assert_eq!(client.post(&url, "text/plain", None, b"said twice").unwrap().text(), "ok");
    assert_eq!(client.get(&url, None).unwrap().text(), "ok");
    drop(client);
    // The second and the third request came twice: where the connection ended, and where it was answered.
    assert_eq!(served.join().unwrap(), 5);
}

#[test]
fn a_server_that_never_answered_is_asked_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || drop(listener.accept().unwrap()));
    assert!(matches!(client().get(&url, None), Err(HttpError::Broken { .. } | HttpError::Unreachable { .. })));
    served.join().unwrap();
}

#[test]
fn an_answer_with_an_endless_header_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").is_ok() {
        }
    });
    assert!(client().get(&url, None).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_answers_and_redirects_are_not_followed() {
    let url = house().await;
    tokio::task::spawn_blocking(move || {
        let client = client();
        let answer = client.post(&format!("{url}/no"), "text/plain", Some("text/plain"), b"mine").unwrap();
        assert_eq!((answer.status, answer.header("x-why"), answer.text().as_str()), (409, Some("because"), "mine"));
        assert!(!answer.is_success());
        let moved = client.get(&format!("{url}/moved"), None).unwrap();
        assert_eq!((moved.status, moved.header("location")), (302, Some("http://127.0.0.1:9/")));
        assert_eq!(client.put(&format!("{url}/no"), "text/plain", b"").unwrap().status, 405);
        assert_eq!(client.get(&format!("{url}/agent"), None).unwrap().text(), "stele-test/1");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_and_one_at_it_is_taken() {
    let url = house().await;
    tokio::task::spawn_blocking(move || {
        let error = client().get(&format!("{url}/large"), None).unwrap_err();
        assert!(matches!(error, HttpError::TooLarge { limit: 1000, .. }), "{error:?}");
        assert_eq!(client().get(&format!("{url}/at-limit"), None).unwrap().body.len(), 1000);
    })
    .await
    .unwrap();
}

#[test]
fn gzip_is_asked_for_and_undone_and_what_cannot_be_undone_is_named() {
    // The bytes that gzip makes of "tile", with a time of 0.
    const TILE: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x2b\xc9\xcc\x49\x05\0\x04\xa9\x8f\x76\x04\0\0\0";
    let answer = |encoding: &str, body: &[u8]| -> &'static [u8] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
        Box::leak([head.as_bytes(), body].concat().into_boxed_slice())
    };
    let get = |encoding: &str, body: &[u8]| client().get(&oneshot(answer(encoding, body), Duration::ZERO), None);
    assert_eq!(get("gzip", TILE).unwrap().text(), "tile");
    for (encoding, body) in [("br", TILE), ("gzip", &b"tile"[..]), ("gzip", &TILE[..TILE.len() - 1])] {
        let error = get(encoding, body).unwrap_err();
        assert!(matches!(error, HttpError::Encoding { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("expected") && text.contains("found"), "{text}");
        assert_eq!((error.exit(), error.code()), (Exit::Unavailable, "answer-encoding"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gets_say_which_encodings_they_read() {
    let url = house().await;
    tokio::task::spawn_blocking(move || {
        let asked = client().get(&format!("{url}/encodings"), None).unwrap();
        assert_eq!(asked.text(), "gzip, identity");
    })
    .await
    .unwrap();
}

#[test]
fn making_one_costs_nothing() {
    let began = Instant::now();
    for _ in 0..100 {
        std::hint::black_box(HttpClient::new("stele-test/1", ClientLimits::default()));
    }
    assert!(began.elapsed() < Duration::from_millis(100));
}
