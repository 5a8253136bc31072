//! The listener, as a rude stranger meets it: raw sockets against a router, each phase with a short limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what failed by failing"
)]

#[path = "listener/connections.rs"]
mod connections;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};
use stele_serve::{Bodies, Drained, Limits, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// No test may wait longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(8);

struct House {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

fn short() -> Limits {
    Limits {
        connections: 16,
        connections_per_address: None,
        header_bytes: 8 * 1024,
        header_time: Duration::from_millis(300),
        body_bytes: 64 * 1024,
        body_time: Duration::from_millis(400),
        body_rate: None,
        answer_time: Duration::from_millis(900),
        idle_time: Duration::from_millis(600),
        write_time: Duration::from_millis(500),
        shutdown_time: Duration::from_millis(700),
    }
}

async fn house(limits: Limits) -> House {
    let router = Router::new()
        .route("/", get(|| async { "hello\n" }))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/echo", post(|body: Bytes| async move { format!("{} bytes\n", body.len()) }))
        .route(
            "/pieces",
            post(|body: Body| async {
                match Bodies::new(1 << 20).receive(body).rest(1000).await {
                    Ok(held) => format!("{} bytes\n", held.len()).into_response(),
                    Err(unread) => unread.answer("a word"),
                }
            }),
        )
        .route("/ignore", post(|| async { "did not look\n" }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("a handler's bug")
                }
            }),
        )
        .route("/hang", get(|| async { std::future::pending::<()>().await }))
        .route(
            "/soon",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "soon\n"
            }),
        )
        .route("/huge", get(|| async { Body::from(vec![b'x'; 64 << 20]) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve(listener, router, limits, async {
        let _ = stopped.await;
    }));
    House { address, stop, served }
}

impl House {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection and reads to its end.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes).await;
        to_end(&mut stream).await
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.served).await.expect("serve must end").unwrap()
    }
}

async fn to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the listener must close").expect("without a reset");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer with a Content-Length and leaves the connection open.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut byte)).await.unwrap().unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap().to_lowercase();
    let length: usize = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut body)).await.unwrap().unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Trickles `piece` until the other side hangs up; the answer it left.
async fn trickle(mut stream: TcpStream, start: &[u8], piece: &[u8]) -> (String, Duration) {
    let began = Instant::now();
    stream.write_all(start).await.unwrap();
    let (mut read, mut write) = stream.split();
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if write.write_all(piece).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = drip => unreachable!(),
        end = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)) => { end.expect("the listener must close").unwrap(); }
    }
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

#[tokio::test]
async fn a_header_that_trickles_ends_in_408() {
    let house = house(short()).await;
    let (answer, took) = trickle(house.connect().await, b"GET / HTTP/1.1\r\nx: ", b"a").await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len()))
            || head.ends_with(&format!("content-length: {}", body.len()))
    );
    assert!(body.contains("request-timeout"));
}

#[tokio::test]
async fn a_silent_connection_is_closed_without_a_word() {
    let house = house(short()).await;
    let began = Instant::now();
    assert_eq!(house.say(b"").await, "");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_body_that_trickles_or_stops_ends_in_408() {
    let house = house(short()).await;
    let head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
    let (answer, took) = trickle(house.connect().await, head, b"a").await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let chunked = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let (answer, _) = trickle(house.connect().await, chunked, b"1\r\na\r\n").await;
    assert_eq!(status(&answer), 408, "{answer}");
    let answer = house.say(head).await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("\"hint\""));
}

#[tokio::test]
async fn a_long_body_that_comes_at_its_rate_has_the_time_for_it_and_a_slower_one_has_not() {
    let house = house(Limits { body_rate: NonZeroU64::new(200), ..short() }).await;
    // Beyond the time for bodies, and for answers: 60 pieces, each of which adds more time than it takes.
    let long = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1500\r\n\r\n";
    let (answer, _) = trickle(house.connect().await, long, &[b'a'; 25]).await;
    assert!(status(&answer) == 200 && answer.contains("1500 bytes"), "{answer}");
    let (answer, _) = trickle(house.connect().await, long, b"a").await;
    assert_eq!(status(&answer), 408, "{answer}");
}

#[tokio::test]
async fn a_huge_body_ends_in_413_announced_or_not() {
    let house = house(short()).await;
    let announced = format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 10 << 20);
    let mut flood = announced.clone().into_bytes();
    flood.resize(flood.len() + (1 << 20), b'a');
    for bytes in [announced.as_bytes(), &flood] {
        let answer = house.say(bytes).await;
        assert_eq!(status(&answer), 413, "{answer}");
        assert!(answer.contains("connection: close"));
    }
    let mut chunks = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..9 {
        chunks.extend_from_slice(b"2000\r\n");
        chunks.resize(chunks.len() + 0x2000, b'a');
        chunks.extend_from_slice(b"\r\n");
    }
    let answer = house.say(&chunks).await;
    assert_eq!(status(&answer), 413, "{answer}");
    let large = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551615\r\n\r\n";
    let answer = house.say(large.as_bytes()).await;
    assert!(matches!(status(&answer), 400 | 413 | 431), "{answer}");
}

#[tokio::test]
async fn an_answer_to_a_body_that_nobody_took_says_that_the_connection_ends() {
    let house = house(short()).await;
    for path in ["/ignore", "/pieces", "/nowhere"] {
        let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 40000\r\n\r\n").into_bytes();
        request.resize(request.len() + 10_000, b'a');
        let answer = house.say(&request).await;
        assert!(answer.to_lowercase().contains("connection: close"), "{path}: {answer}");
    }
    let mut stream = house.connect().await;
    for _ in 0..2 {
        stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde").await.unwrap();
        let answer = one_answer(&mut stream).await;
        assert!(status(&answer) == 200 && !answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_at_the_cap_is_taken() {
    let house = house(short()).await;
    let mut request =
        format!("POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 64 * 1024);
    request.push_str(&"a".repeat(64 * 1024));
    let answer = house.say(request.as_bytes()).await;
    assert!(answer.ends_with("65536 bytes\n"), "{answer}");
}

#[tokio::test]
async fn huge_and_many_headers_end_in_431() {
    let house = house(short()).await;
    let huge = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    for (request, expected) in [(huge, &[431][..]), (many, &[431]), (long, &[431, 414])] {
        let answer = house.say(request.as_bytes()).await;
        assert!(expected.contains(&status(&answer)), "{answer}");
    }
}

#[tokio::test]
async fn garbage_ends_in_400_also_behind_a_good_request() {
    let house = house(short()).await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
    {
        assert_eq!(status(&house.say(garbage).await), 400, "{garbage:?}");
    }
    let answer = house.say(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
    assert_eq!(status(answer.split("hello\n").nth(1).unwrap()), 400, "{answer}");
}

#[tokio::test]
async fn conflicting_lengths_are_refused() {
    let house = house(short()).await;
    let two = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!";
    assert_eq!(status(&house.say(two).await), 400);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = house(short()).await;
    let twice = b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = house.say(twice).await;
    assert!(answer.find("hello").unwrap() < answer.find("127.0.0.1").unwrap(), "{answer}");
}

#[tokio::test]
async fn a_half_closed_connection_gets_its_answer() {
    let house = house(short()).await;
    let mut stream = house.connect().await;
    stream.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(to_end(&mut stream).await.ends_with("soon\n"));
    let mut stream = house.connect().await;
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = to_end(&mut stream).await;
    assert!(matches!(status(&answer), 0 | 400), "{answer}");
    let mut stream = house.connect().await;
    stream.write_all(b"GET / HT").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(matches!(status(&to_end(&mut stream).await), 0 | 400));
}

#[tokio::test]
async fn a_reader_that_reads_nothing_is_let_go() {
    let house = house(Limits { connections: 1, ..short() }).await;
    let mut stream = house.connect().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // The only slot is free again when the next is answered.
    let answer = house.say(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
    drop(stream);
}

#[tokio::test]
async fn a_reader_that_sips_is_let_go_and_a_steady_one_is_not() {
    let house = house(Limits { connections: 2, ..short() }).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut sipping = socket.connect(house.address).await.unwrap();
    sipping.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let sips = tokio::time::timeout(PATIENCE, async {
        let mut sip = [0; 512];
        while sipping.read(&mut sip).await.is_ok_and(|bytes| bytes > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut steady = house.connect().await;
    steady.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut bytes = 0;
    let mut gulp = vec![0; 1 << 20];
    let gulps = tokio::time::timeout(PATIENCE, async {
        loop {
            match steady.read(&mut gulp).await.unwrap() {
                0 => break,
                read => bytes += read,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let (sips, gulps) = tokio::join!(sips, gulps);
    sips.expect("the listener must let go of who sips");
    gulps.unwrap();
    assert!(bytes > 64 << 20);
}
