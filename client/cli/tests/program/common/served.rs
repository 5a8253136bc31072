//! A log and a folder over HTTP, in this process.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;
use stele_spec::merkle::leaf_hash;
use stele_spec::statement::{Action, SignedStatement, Statement};

use super::{Log, World};

/// The address of a server that has the files of a folder, and answers nothing else.
pub(crate) fn file_server(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A request comes in as many pieces as its client writes.
            let (mut request, mut buffer) = (Vec::new(), [0; 8192]);
            while request.len() < 1 << 16 && !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                    _ => break,
                }
            }
            let head = String::from_utf8_lossy(&request).into_owned();
            let path = head.split_whitespace().nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
            let (status, body) = std::fs::read(folder.join(path)).map_or((404, Vec::new()), |body| (200, body));
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&body);
        }
    });
    url
}

/// A little log over HTTP, that admits what the real one does as far as a client can see.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) log: Arc<Mutex<Log>>,
    /// How many requests are answered 503 first.
    pub(crate) unwell: Arc<Mutex<u32>>,
}

impl Served {
    pub(crate) fn start(log: Log) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Self { url, log: Arc::new(Mutex::new(log)), unwell: Arc::new(Mutex::new(0)) };
        let (log, unwell) = (served.log.clone(), served.unwell.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut ill = unwell.lock().unwrap();
                let well = *ill == 0;
                *ill = ill.saturating_sub(1);
                drop(ill);
                answer(stream, &log, well);
            }
        });
        served
    }
}

fn answer(mut stream: TcpStream, log: &Mutex<Log>, well: bool) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 65_536];
    let (head, length) = loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            bytes.drain(..end + 4);
            break (head, length.unwrap_or(0));
        }
    };
    while bytes.len() < length {
        let count = stream.read(&mut buffer).unwrap_or(0);
        if count == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    let words: Vec<&str> = head.split_whitespace().collect();
    let (status, body) =
        if well { route(words[0], words[1], bytes, &mut log.lock().unwrap()) } else { (503, unwell()) };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&body);
}

fn unwell() -> Vec<u8> {
    json!({ "error": "quorum-missing", "message": "too few witnesses have cosigned" }).to_string().into_bytes()
}

fn route(method: &str, path: &str, body: Vec<u8>, log: &mut Log) -> (u16, Vec<u8>) {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        ("post", ["entries"]) => submit(body, log),
        ("get", ["entries", index]) => (200, log.entries[index.parse::<usize>().unwrap()].clone()),
        ("get", ["entries", index, "proof"]) => (200, log.proof(index.parse().unwrap())),
        ("get", ["checkpoint"]) => (200, log.checkpoint().to_bytes()),
        // Small logs have one tile, of the leaves.
        ("get", ["tile", "0", "000.p", width]) => {
            let leaves = log.entries.iter().take(width.parse().unwrap());
            (200, leaves.flat_map(|entry| *leaf_hash(entry).as_bytes()).collect())
        }
        ("get", ["manifests", ..]) => (200, World::manifest().encode()),
        // A log of an older version, without name proofs.
        ("get", ["lookup", "name" | "about" | "under" | "digest", ..]) => (404, b"{}".to_vec()),
        ("get", ["lookup", file]) if file.starts_with("file?hex=") => {
            let hex = file.trim_start_matches("file?hex=").split('&').next().unwrap();
            let manifest = World::manifest();
            let has = manifest.files().iter().any(|file| file.sha256.to_string() == hex);
            let of = |entry: &[u8]| {
                SignedStatement::parse(entry).is_ok_and(|signed| {
                    signed.statement().release().is_some_and(|release| release.manifest == manifest.digest())
                })
            };
            let positions: Vec<usize> = (0..log.entries.len()).filter(|at| has && of(&log.entries[*at])).collect();
            (200, json!({ "positions": positions }).to_string().into_bytes())
        }
        ("get", ["lookup", weights]) if weights.starts_with("digest?hex=") => {
            let hex = weights.trim_start_matches("digest?hex=").split('&').next().unwrap();
            let of = |entry: &[u8]| {
                SignedStatement::parse(entry).is_ok_and(|signed| {
                    signed.statement().weights_digest().is_some_and(|digest| digest.to_string() == hex)
                })
            };
            let positions: Vec<usize> = (0..log.entries.len()).filter(|at| of(&log.entries[*at])).collect();
            (200, json!({ "positions": positions }).to_string().into_bytes())
        }
        ("get", ["lookup", ..]) => {
            let subject = path.split_once("name=").unwrap().1.split('&').next().unwrap().replace("%23", "#");
            let of = |entry: &[u8]| {
                SignedStatement::parse(entry).is_ok_and(|signed| {
                    let statement = signed.statement();
                    let keys = matches!(statement, Statement::Publisher(_)) && path.starts_with("/lookup/keys");
                    keys && statement.publisher().as_str() == subject
                        || statement.coordinates().iter().any(|coordinate| coordinate.to_string() == subject)
                })
            };
            let hidden = &log.hidden;
            let positions: Vec<usize> =
                (0..log.entries.len()).filter(|at| of(&log.entries[*at]) && !hidden.contains(at)).collect();
            (200, json!({ "positions": positions }).to_string().into_bytes())
        }
        _ => (404, b"{}".to_vec()),
    }
}

fn submit(body: Vec<u8>, log: &mut Log) -> (u16, Vec<u8>) {
    // A release comes with its manifest: two byte strings, of which the log keeps the first.
    let body = match SignedStatement::parse(&body) {
        Ok(_) => body,
        Err(_) => statement_of(&body),
    };
    if let Some(known) = log.entries.iter().position(|entry| *entry == body) {
        return (200, log.proof(known as u64));
    }
    let offered = SignedStatement::parse(&body).unwrap();
    let claims = |signed: &SignedStatement| matches!(signed.statement(), Statement::Publisher(claim) if claim.action == Action::Claim);
    let claimed = log.entries.iter().position(|entry| {
        let known = SignedStatement::parse(entry);
        known.is_ok_and(|known| claims(&known) && known.statement().publisher() == offered.statement().publisher())
    });
    if let Some(position) = claimed.filter(|_| claims(&offered)) {
        let existing = json!({ "index": position, "proof": String::from_utf8(log.proof(position as u64)).unwrap() });
        let refusal = json!({ "error": "name-claimed", "message": "claimed", "existing": existing });
        return (409, refusal.to_string().into_bytes());
    }
    let bound = log.entries.iter().position(|entry| {
        SignedStatement::parse(entry).is_ok_and(|signed| {
            signed.statement().coordinate().is_some()
                && signed.statement().coordinate() == offered.statement().coordinate()
                && signed.statement().weights_digest() != offered.statement().weights_digest()
        })
    });
    if let Some(bound) = bound {
        let position = log.lies_about.unwrap_or(bound);
        let proof = String::from_utf8(log.proof(position as u64)).unwrap();
        let existing = json!({ "index": position, "proof": proof });
        return (
            409,
            json!({ "error": "coordinate-bound", "message": "bound", "existing": existing }).to_string().into_bytes(),
        );
    }
    let position = log.push(body);
    (200, log.proof(position))
}

/// The signed statement of a submission with a manifest.
fn statement_of(body: &[u8]) -> Vec<u8> {
    use stele_spec::submission::{Next, Part};
    let Ok(Next::Content { head, length }) = Part::Statement.head(body) else { panic!("no submission") };
    body[head..head + length].to_vec()
}
