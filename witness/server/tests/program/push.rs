//! Entries that are brought to a mirror (c2sp.org/tlog-mirror): anyone who brings them, only the tree that was cosigned gets in.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::common::{Folder, Log, Process};
use stele_mirror::{Package, Upload, first_of};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::note::{NoteSignature, VerifierKey};
use stele_spec::tile::tiles_for;
use stele_witness::home::WitnessDir;
use stele_witness::setup;

const ORIGIN: &str = "log.example/pushed";
const BYTES: &str = "Content-Type: application/octet-stream\r\n";

/// A witness with a mirror that takes what is pushed.
struct House {
    folder: Folder,
    log: Log,
    keys: Vec<VerifierKey>,
}

struct Told {
    status: u16,
    header: String,
    body: String,
}

impl House {
    fn new() -> Self {
        let log = Log::new(ORIGIN);
        let folder = Folder::new(&[&log]);
        let own = setup::init_mirror(&folder.path(), &"mirror.example/m1".parse().unwrap()).unwrap();
        WitnessDir::mirror_log(&folder.path(), ORIGIN, true).unwrap();
        Self { folder, log, keys: own.keys().cloned().collect() }
    }

    /// The mirror's lines, each verified over the checkpoint of `size`.
    fn signed(&self, told: &Told, size: u64) {
        assert_eq!(told.status, 200, "{}", told.body);
        let lines: Vec<_> = told.body.split_inclusive('\n').map(|l| NoteSignature::parse_line(l).unwrap()).collect();
        assert_eq!(lines.len(), self.keys.len());
        for (line, key) in lines.iter().zip(&self.keys) {
            verify_cosignature(self.log.signed(size).text(), line, key).unwrap();
        }
    }

    /// Every file of the tree, as the log has them.
    fn serves(&self, process: &Process, size: u64) {
        let copy = tempfile::tempdir().unwrap();
        self.log.write(copy.path(), size);
        for path in tiles_for(0, size) {
            let answer = process.listener.get(&format!("/mirror/{}/{path}", self.log.hash()));
            assert!(
                answer.status == 200 && answer.body == crate::common::read(&copy.path().join(path.to_string())),
                "{path}"
            );
        }
    }

    fn verify(&self) {
        let folder = self.folder.path();
        let output = self.folder.command(&["mirror", "verify", folder.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

fn head(start: u64, end: u64, ticket: &[u8]) -> Upload {
    Upload { origin: ORIGIN.parse().unwrap(), start, end, ticket: ticket.to_vec() }
}

fn package(log: &Log, start: u64, end: u64) -> Package {
    let to = end.min(first_of(start) + 256);
    let entries = (start..to).map(|n| log.entry(n)).collect();
    Package { start, entries, proof: log.part(first_of(start), to, end).1 }
}

/// An upload with so many of its packages.
fn body(log: &Log, start: u64, end: u64, ticket: &[u8], packages: usize) -> Vec<u8> {
    let mut bytes = head(start, end, ticket).to_bytes();
    let mut next = start;
    for _ in 0..packages {
        if next < end {
            let package = package(log, next, end);
            next = package.end();
            bytes.extend(package.to_bytes());
        }
    }
    bytes
}

/// One request over a connection of its own.
fn send(process: &Process, headers: &str, body: &[u8]) -> Told {
    let mut stream = open(process, headers, body.len());
    // Anyone who refuses early may close before all is sent.
    let _ = stream.write_all(body);
    read(stream)
}

fn open(process: &Process, headers: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(process.listener.url.strip_prefix("http://").unwrap()).unwrap();
    let first = "POST /mirror/add-entries HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    stream.write_all(format!("{first}{headers}Content-Length: {length}\r\n\r\n").as_bytes()).unwrap();
    stream
}

fn read(mut stream: TcpStream) -> Told {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let all = String::from_utf8(all).unwrap();
    let (header, body) = all.split_once("\r\n\r\n").unwrap();
    let status = header.split(' ').nth(1).unwrap().parse().unwrap();
    Told { status, header: header.to_lowercase(), body: body.to_owned() }
}

fn push(process: &Process, body: &[u8]) -> Told {
    send(process, BYTES, body)
}

/// The size, the next entry and the ticket of 202 and 409.
fn info(told: &Told) -> (u64, u64, Vec<u8>) {
    assert!(told.header.contains("content-type: text/x.tlog.mirror-info"), "{}", told.header);
    let lines: Vec<&str> = told.body.split('\n').collect();
    assert_eq!((lines.len(), lines[3]), (4, ""));
    let ticket = stele_spec::text::base64(lines[2]).unwrap();
    (lines[0].parse().unwrap(), lines[1].parse().unwrap(), ticket)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn pending(process: &Process, log: &Log, old: u64, size: u64) {
    assert_eq!(process.listener.post_to("/mirror/add-checkpoint", &log.body(old, size)).status, 200);
}

#[test]
fn q1_what_is_no_upload_or_of_no_log_that_is_pushed_is_refused() {
    let house = House::new();
    let process = house.folder.start(&[]);
    let whole = body(&house.log, 0, 300, b"", 2);
    assert_eq!(push(&process, &whole).status, 422, "no checkpoint is pending");
    pending(&process, &house.log, 0, 300);
    assert_eq!(push(&process, &whole[..20]).status, 400, "it ends in what stands before the packages");
    assert_eq!(push(&process, &whole[..100]).status, 400, "it ends in the first package");
    assert_eq!(push(&process, &body(&house.log, 0, 300, b"", 0)).status, 400, "no package");
    let unknown = Upload { origin: "log.example/unknown".parse().unwrap(), ..head(0, 300, b"") };
    assert_eq!(push(&process, &unknown.to_bytes()).status, 404);
    assert_eq!(send(&process, "Content-Type: text/plain\r\n", &whole).status, 415);
    let told = send(&process, &format!("{BYTES}Content-Encoding: br\r\n"), &whole);
    assert!(told.status == 415 && told.header.contains("accept-encoding: gzip"));
    assert_eq!(process.listener.get(&format!("/mirror/{}/checkpoint", house.log.hash())).status, 404);
}

#[test]
fn q2_entries_of_the_pending_checkpoint_are_signed_served_and_still_there_after_a_kill() {
    let house = House::new();
    let mut process = house.folder.start(&[]);
    let mut old = 0;
    for size in [1, 200, 256, 300, 511, 512, 900] {
        pending(&process, &house.log, old, size);
        house.signed(&push(&process, &body(&house.log, old, size, b"", 4)), size);
        house.serves(&process, size);
        process.kill();
        house.verify();
        process = house.folder.start(&[]);
        old = size;
    }
    // The same again is answered with the same lines, also without any entry.
    let again = push(&process, &body(&house.log, 900, 900, b"", 0));
    house.signed(&again, 900);
    assert_eq!(push(&process, &body(&house.log, 512, 900, b"", 2)).body, again.body);
}

#[test]
fn q3_an_upload_that_stops_goes_on_where_the_answer_says() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 900);
    let mut torn = body(&house.log, 0, 900, b"", 2);
    torn.extend_from_slice(&[0, 5, b'h']);
    let told = push(&process, &torn);
    assert_eq!(told.status, 202);
    let (size, next, ticket) = info(&told);
    assert_eq!((size, next), (900, 512));
    assert_eq!(
        process.listener.get(&format!("/mirror/{}/tile/entries/000", house.log.hash())).status,
        404,
        "not signed"
    );
    house.signed(&push(&process, &body(&house.log, next, size, &ticket, 2)), 900);
    house.serves(&process, 900);
}

#[test]
fn q4_a_ticket_brings_an_older_checkpoint_back_and_a_forged_one_none() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 300);
    let (_, _, ticket) = info(&push(&process, &body(&house.log, 0, 300, b"", 1)));
    pending(&process, &house.log, 300, 700);
    let told = push(&process, &body(&house.log, 256, 300, b"", 1));
    assert_eq!((told.status, info(&told).0, info(&told).1), (409, 700, 256), "without its ticket it is not known");
    let other = Log::salted(ORIGIN, 1, 1);
    let forged = push(&process, &body(&other, 256, 300, &other.signed(300).to_bytes(), 1));
    assert_eq!(forged.status, 409, "signed by the log, and not by our witness");
    house.signed(&push(&process, &body(&house.log, 256, 300, &ticket, 1)), 300);
    house.signed(&push(&process, &body(&house.log, 300, 700, b"", 3)), 700);
    assert_eq!(push(&process, &body(&house.log, 256, 300, &ticket, 1)).status, 409, "a larger one is mirrored");
    house.serves(&process, 700);
}

#[test]
fn q5_an_upload_that_begins_beyond_what_is_here_is_told_where_to_begin() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 600);
    for (start, end) in [(256, 600), (600, 600), (0, 599), (0, 601), (0, 0)] {
        let told = push(&process, &head(start, end, b"").to_bytes());
        assert_eq!((told.status, info(&told).0, info(&told).1), (409, 600, 0), "{start} {end}");
    }
}

#[test]
fn q6_entries_of_another_history_or_with_another_proof_are_422_and_what_came_before_is_kept() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 600);
    let other = Log::salted(ORIGIN, 1, 1);
    assert_eq!(push(&process, &body(&other, 0, 600, b"", 3)).status, 422);
    let mut mixed = body(&house.log, 0, 600, b"", 1);
    mixed.extend(package(&other, 256, 600).to_bytes());
    assert_eq!(push(&process, &mixed).status, 422);
    let proof = Package { proof: package(&house.log, 512, 600).proof, ..package(&house.log, 256, 600) };
    let mut wrong = head(256, 600, b"").to_bytes();
    wrong.extend(proof.to_bytes());
    assert_eq!(push(&process, &wrong).status, 422);
    let told = push(&process, &head(512, 600, b"").to_bytes());
    assert_eq!((told.status, info(&told).1), (409, 256), "the first package is here");
    house.signed(&push(&process, &body(&house.log, 256, 600, b"", 2)), 600);
    house.serves(&process, 600);
}

#[test]
fn q7_a_body_in_gzip_is_read_and_one_that_is_none_is_refused() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 600);
    let (zipped, plain) = (format!("{BYTES}Content-Encoding: gzip\r\n"), body(&house.log, 0, 600, b"", 3));
    assert_eq!(send(&process, &zipped, &plain).status, 400);
    let bytes = gzip(&plain);
    assert_eq!(send(&process, &zipped, &bytes[..bytes.len() / 2]).status, 202, "what was whole is kept");
    house.signed(&send(&process, &zipped, &bytes), 600);
    house.serves(&process, 600);
}

#[test]
fn q8_uploads_at_once_and_one_that_pauses_do_not_harm_each_other() {
    let house = House::new();
    let process = house.folder.start(&[]);
    pending(&process, &house.log, 0, 900);
    let bytes = body(&house.log, 0, 900, b"", 4);
    // One sends half of its body and waits.
    let mut paused = open(&process, BYTES, bytes.len());
    let (first, second) = bytes.split_at(bytes.len() / 2);
    paused.write_all(first).unwrap();
    // It is one of the four that are read before the others come.
    std::thread::sleep(Duration::from_millis(500));
    let answers: Vec<Told> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..8).map(|_| scope.spawn(|| push(&process, &bytes))).collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
    });
    let signed: Vec<_> = answers.iter().filter(|told| told.status == 200).collect();
    assert!(!signed.is_empty() && answers.iter().all(|told| [200, 202, 503].contains(&told.status)));
    assert!(signed.iter().all(|told| told.body == signed[0].body), "signed once");
    // On a machine that is very slow its time is over, what was whole is kept, and the answer waits; to write would lose it.
    paused.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    if !paused.peek(&mut [0]).is_ok_and(|bytes| bytes > 0) {
        paused.write_all(second).unwrap();
        paused.shutdown(Shutdown::Write).unwrap();
    }
    paused.set_read_timeout(None).unwrap();
    let told = read(paused);
    assert!(told.status == 202 || told.body == signed[0].body, "{}", told.body);
    house.serves(&process, 900);
    process.kill();
    house.verify();
}

#[test]
fn q9_killed_or_failing_at_any_step_the_upload_goes_on_and_the_copy_is_whole() {
    let mut broken = 0;
    for step in ["create", "write", "sync", "link", "rename", "sync-dir"] {
        for action in ["kill", "kill-after", "fail"] {
            let house = House::new();
            let rule = format!("{action}:{step}:mirror/logs:2");
            // Some steps are taken at the start already.
            if let Some(process) = house.folder.try_start(&[("STELE_FAULT", &rule)]) {
                pending(&process, &house.log, 0, 600);
                broken += usize::from(!is_signed(&process, &body(&house.log, 0, 600, b"", 3)));
                process.kill();
            }
            let process = house.folder.start(&[]);
            if process.listener.get(&format!("/{}/checkpoint", house.log.hash())).status == 404 {
                pending(&process, &house.log, 0, 600);
            }
            let told = push(&process, &head(0, 600, b"").to_bytes());
            let next = if told.status == 409 { info(&told).1 } else { 0 };
            house.signed(&push(&process, &body(&house.log, next, 600, b"", 3)), 600);
            house.serves(&process, 600);
            process.kill();
            house.verify();
        }
    }
    assert!(broken >= 8, "{broken}");
}

/// Whether an upload to a mirror that may die meanwhile is answered with 200.
fn is_signed(process: &Process, body: &[u8]) -> bool {
    let mut stream = open(process, BYTES, body.len());
    let _ = stream.write_all(body);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all.starts_with(b"HTTP/1.1 200")
}

#[test]
fn a_mirror_that_stopped_while_entries_were_pushed_is_unwell_and_what_is_pushed_wrongly_is_no_illness() {
    let house = House::new();
    let process = house.folder.start(&[("STELE_FAULT", "fail:sync:/mirror/state/journal.0:2")]);
    // What is answered was looked at within the last second.
    let becomes = |process: &Process, status: u16| {
        let looks = (0..100).map(|_| {
            std::thread::sleep(Duration::from_millis(100));
            process.listener.get("/healthz")
        });
        let mut looks = looks.skip(12);
        looks.find(|answer| answer.status == status).expect("another status of /healthz").text()
    };
    becomes(&process, 200);
    let mut old = 0;
    let failed = (1..=40).any(|size| {
        pending(&process, &house.log, old, size);
        let told = push(&process, &body(&house.log, old, size, b"", 1));
        old = size;
        told.status != 200
    });
    assert!(failed, "the fault was not met");
    // Tried again it fails again, though the disk is well.
    assert_eq!(push(&process, &body(&house.log, old, old, b"", 0)).status, 503);
    let unwell = becomes(&process, 503);
    assert!(unwell.contains("start the witness again"), "{unwell}");
    drop(process);

    let process = house.folder.start(&[]);
    pending(&process, &house.log, old, 60);
    house.signed(&push(&process, &body(&house.log, old - 1, 60, b"", 1)), 60);
    pending(&process, &house.log, 60, 70);
    assert_ne!(push(&process, &body(&house.log, 60, 70, b"", 0)).status, 200);
    becomes(&process, 200);
}
