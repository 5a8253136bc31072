//! Many connections: whose is let go, and how a server stops.

use super::*;

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
