//! Strangers who hold connections of a running witness: the one that was idle longest ends, a paused upload ends where none is idle, and
//! the log is served. The limits are the config's.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::{Folder, Log, Process};

const ORIGIN: &str = "log.example/a";
const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// A running witness with these lines below `[limits]`.
fn limited(limits: &str) -> (Log, Folder, Process) {
    let log = Log::new(ORIGIN);
    let folder = Folder::new(&[&log]);
    let config = folder.path().join("witness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[limits]\n{limits}\n")).unwrap();
    let process = folder.start(&[]);
    (log, folder, process)
}

fn connect(process: &Process) -> TcpStream {
    let stream = TcpStream::connect(process.listener.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The head of an upload and half of its body.
fn half_an_upload(process: &Process, body: &[u8]) -> TcpStream {
    let mut stream = connect(process);
    let head = format!("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() / 2]).unwrap();
    stream
}

/// The status of the next answer, whose body is read too; `None` at an end or a reset.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("neither an answer nor an end")
            }
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    head.split(' ').nth(1).map(|status| status.parse().unwrap())
}

#[test]
fn the_longest_idle_connection_ends_for_a_log_and_half_an_upload_is_finished() {
    let (log, _folder, process) = limited("connections = 3");
    let body = log.body(0, 7);
    let (mut oldest, mut younger) = (connect(&process), connect(&process));
    for stream in [&mut oldest, &mut younger] {
        stream.write_all(GET).unwrap();
        assert_eq!(status(stream), Some(200));
    }
    let mut uploading = half_an_upload(&process, &body);
    assert_eq!(process.listener.status(&body), 200, "the fourth is the log");
    assert_eq!(status(&mut oldest), None);
    younger.write_all(GET).unwrap();
    assert_eq!(status(&mut younger), Some(200), "the younger one stays");
    uploading.write_all(&body[body.len() / 2..]).unwrap();
    assert_eq!(status(&mut uploading), Some(409), "it is read to its end: the size is cosigned already");
}

#[test]
fn where_all_uploads_pause_one_of_them_ends_and_the_log_is_served() {
    let (log, _folder, process) = limited("connections = 3");
    let body = log.body(0, 7);
    let begun = Instant::now();
    let mut paused: Vec<_> = (0..3).map(|_| half_an_upload(&process, &body)).collect();
    assert_eq!(process.listener.status(&body), 200);
    let mut finished: Vec<_> = paused.iter_mut().map(|stream| finish(stream, &body)).collect();
    // Three that begin at one moment have no order. A body has 15 s; a machine that stands still for so long ends it.
    finished.sort_unstable();
    if begun.elapsed() < Duration::from_secs(14) {
        assert_eq!(finished, [None, Some(409), Some(409)], "one ends, the others go on");
    }
}

/// The status of an upload whose other half follows now; `None` where the connection has ended.
fn finish(stream: &mut TcpStream, body: &[u8]) -> Option<u16> {
    let _ = stream.write_all(&body[body.len() / 2..]);
    status(stream)
}

#[test]
fn an_address_has_as_many_connections_as_the_config_says() {
    let (log, _folder, process) = limited("connections_per_address = 2");
    let body = log.body(0, 7);
    let mut paused: Vec<_> = (0..2).map(|_| half_an_upload(&process, &body)).collect();
    assert_eq!(status(&mut connect(&process)), Some(503), "both of this address are at work");
    for (stream, expected) in paused.iter_mut().zip([200, 409]) {
        stream.write_all(&body[body.len() / 2..]).unwrap();
        assert_eq!(status(stream), Some(expected));
    }
    // Half a second after a request a connection counts as idle.
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(process.listener.status(&log.body(7, 9)), 200, "an idle one makes room");
}
