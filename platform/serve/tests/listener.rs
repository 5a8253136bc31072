//! The listener, as a rude stranger meets it: raw sockets against a router, each phase with a short limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what failed by failing"
)]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::net::SocketAddr;
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

#[tokio::test]
async fn beyond_the_cap_newcomers_wait_while_all_are_at_work() {
    let house = house(Limits { connections: 2, ..short() }).await;
    let (mut one, mut two) = (house.connect().await, house.connect().await);
    for stream in [&mut one, &mut two] {
        stream.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    }
    let answer = house.say(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
    // Nobody was cut for it.
    assert!(one_answer(&mut one).await.ends_with("soon\n"));
    assert!(one_answer(&mut two).await.ends_with("soon\n"));
}

#[tokio::test]
async fn the_connection_that_is_idle_for_longest_makes_room() {
    let hours = Duration::from_secs(3600);
    let house = house(Limits { connections: 3, idle_time: hours, header_time: hours, ..short() }).await;
    let (mut oldest, mut younger) = (house.connect().await, house.connect().await);
    for stream in [&mut oldest, &mut younger] {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        one_answer(stream).await;
    }
    let mut in_a_header = house.connect().await;
    in_a_header.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut newcomer = house.connect().await;
    newcomer.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut newcomer).await), 200);
    assert_eq!(to_end(&mut oldest).await, "");
    younger.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut younger).await), 200, "the younger one stays");
    in_a_header.write_all(b"host: x\r\n\r\n").await.unwrap();
    assert_eq!(status(&one_answer(&mut in_a_header).await), 200, "so does one in the middle of a request");
}

#[tokio::test]
async fn whoever_pauses_within_a_request_makes_room_where_none_is_idle() {
    let hours = Duration::from_secs(3600);
    let limits = Limits { header_time: hours, body_time: hours, answer_time: hours, write_time: hours, ..short() };
    let house = house(Limits { connections: 3, ..limits }).await;
    let mut pausing = Vec::new();
    for words in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
        b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let mut stream = house.connect().await;
        stream.write_all(words).await.unwrap();
        pausing.push(stream);
    }
    // Three newcomers at once: each of the three gives up its place.
    let soon = b"GET /soon HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let (one, two, three) = tokio::join!(house.say(soon), house.say(soon), house.say(soon));
    assert_eq!([one, two, three].map(|answer| status(&answer)), [200; 3]);
    for stream in &mut pausing {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a paused connection has ended");
    }
}

#[tokio::test]
async fn an_address_with_too_many_at_work_is_sent_away() {
    let house =
        house(Limits { connections_per_address: Some(2), answer_time: Duration::from_secs(1), ..short() }).await;
    let (mut one, mut two) = (house.connect().await, house.connect().await);
    for stream in [&mut one, &mut two] {
        stream.write_all(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = house.connect().await;
    let answer = one_answer(&mut third).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("too-many-connections") && answer.contains("retry-after: 1"), "{answer}");
    // When one of the two has its answer, there is a place again.
    assert_eq!(status(&one_answer(&mut one).await), 503);
    drop(one);
    let answer = house.say(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
    drop(two);
}

#[tokio::test]
async fn a_body_that_is_cut_too_long_or_too_slow_has_a_name_each() {
    let house = house(short()).await;
    let head = |length: usize| {
        format!("POST /pieces HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n")
    };
    let mut cut = house.connect().await;
    cut.write_all((head(100) + "only this").as_bytes()).await.unwrap();
    cut.shutdown().await.unwrap();
    let answer = to_end(&mut cut).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"body-cut\""), "{answer}");
    let answer = house.say((head(1001) + &"x".repeat(1001)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"too-large\""), "{answer}");
    let answer = house.say((head(100) + "only this").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"request-timeout\""), "{answer}");
    let answer = house.say((head(4) + "1234").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("4 bytes"), "{answer}");
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let house = house(short()).await;
    for (request, cors) in [
        ("GET / HTTP/1.1\r\n", true),
        ("HEAD / HTTP/1.1\r\n", true),
        ("GET /nowhere HTTP/1.1\r\n", true),
        ("GET /panic HTTP/1.1\r\n", true),
        ("POST /echo HTTP/1.1\r\ncontent-length: 0\r\n", false),
    ] {
        let answer = house.say(format!("{request}host: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
        assert_eq!(answer.contains("\r\naccess-control-allow-origin: *\r\n"), cors, "{answer}");
    }
}

#[tokio::test]
async fn a_kept_connection_serves_again_and_ends_when_idle() {
    let house = house(short()).await;
    let mut stream = house.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(one_answer(&mut stream).await.ends_with("hello\n"));
        // Longer than a header may take, shorter than idleness.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_spoil_the_answer() {
    let house = house(short()).await;
    let mut request = b"POST /ignore HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n".to_vec();
    request.resize(request.len() + 60_000, b'a');
    let answer = house.say(&request).await;
    assert!(answer.contains("did not look"), "{answer}");
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_is_answered_for() {
    let house = house(short()).await;
    assert_eq!(status(&house.say(b"GET /panic HTTP/1.1\r\nhost: x\r\n\r\n").await), 500);
    assert_eq!(status(&house.say(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await), 503);
    assert_eq!(status(&house.say(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await), 200);
}

#[tokio::test]
async fn stopping_lets_a_request_finish_and_closes_the_idle() {
    let house = house(Limits { idle_time: Duration::from_secs(60), ..short() }).await;
    let mut fresh = house.connect().await;
    let mut kept = house.connect().await;
    kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    one_answer(&mut kept).await;
    let mut busy = house.connect().await;
    busy.write_all(b"GET /soon HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let address = house.address;
    assert_eq!(house.stop().await, Drained { cut_off: 0 });
    assert!(to_end(&mut busy).await.ends_with("soon\n"));
    assert_eq!(to_end(&mut kept).await, "");
    assert_eq!(to_end(&mut fresh).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn stopping_cuts_what_does_not_end() {
    let house = house(Limits { answer_time: Duration::from_secs(60), ..short() }).await;
    let mut busy = house.connect().await;
    busy.write_all(b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    assert_eq!(house.stop().await, Drained { cut_off: 1 });
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn nothing_leaks_under_a_mixture_of_rudeness() {
    let house = house(Limits { connections: 4, ..short() }).await;
    for round in 0..24 {
        let mut stream = house.connect().await;
        let words: &[u8] = match round % 4 {
            0 => b"GET /",
            1 => b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
            2 => b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
            _ => b"\0\0\0\0",
        };
        stream.write_all(words).await.unwrap();
        drop(stream);
    }
    let answer = house.say(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
    assert_eq!(house.stop().await, Drained { cut_off: 0 });
}
