//! An S3 service on a free port of this machine over a bucket in memory, which may fail and lie as [`MemoryBucket`] does. For tests.
//!
//! It checks that a request is signed by somebody who has the access key, and not the signature.

use crate::location::Endpoint;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use stele_object_store::bucket::{Bucket, BucketError, Condition, PutAnswer, Trouble, Version};
use stele_object_store::key::Key;
use stele_object_store::memory::MemoryBucket;

/// The access key that it knows.
pub const ACCESS_KEY: &str = "AKIDSIMULATED";

/// The bucket that it has.
pub const BUCKET: &str = "logs";

/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(30);

/// The headers of a put that are kept with its object.
const KEPT: [&str; 3] = ["cache-control", "content-encoding", "content-type"];

/// What is kept beside the bytes, by name: lines of a head.
type Told = Mutex<BTreeMap<Key, String>>;

/// A service that runs until it is dropped.
#[derive(Debug)]
pub struct SimulatedS3 {
    address: SocketAddr,
    bucket: Arc<MemoryBucket>,
    is_stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// A request as it came.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl SimulatedS3 {
    /// Serves a bucket.
    pub fn start(bucket: MemoryBucket) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, bucket, is_stopping) =
            (listener.local_addr()?, Arc::new(bucket), Arc::new(AtomicBool::new(false)));
        let (served, stopping, told) = (bucket.clone(), is_stopping.clone(), Arc::new(Told::default()));
        let accepting = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (served, told) = (served.clone(), told.clone());
                let stopping = stopping.clone();
                std::thread::spawn(move || serve(connection, &served, &told, &stopping));
            }
        });
        Ok(Self { address, bucket, is_stopping, accepting: Some(accepting) })
    }

    /// The bucket behind it.
    pub fn bucket(&self) -> &Arc<MemoryBucket> {
        &self.bucket
    }

    /// Its address.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::of_this_machine(self.address)
    }
}

impl Drop for SimulatedS3 {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        // So that it sees that.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

/// Until the other side goes, or the service is gone, also where the connection was kept.
fn serve(connection: TcpStream, bucket: &MemoryBucket, told: &Told, is_stopping: &AtomicBool) {
    let _ = connection.set_read_timeout(Some(IDLE));
    let Ok(mut out) = connection.try_clone() else { return };
    let mut input = BufReader::new(connection);
    while let Ok(Some(request)) = read(&mut input) {
        if is_stopping.load(Ordering::SeqCst) {
            return;
        }
        // Without an answer the connection ends, as where a machine died.
        let Some(answer) = answer(&request, bucket, told) else { return };
        if out.write_all(&answer).is_err() {
            return;
        }
    }
}

fn read(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = header(&headers, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(Request { method, path, query, headers, body }))
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn answer(request: &Request, bucket: &MemoryBucket, told: &Told) -> Option<Vec<u8>> {
    let Request { method, path, headers, body, .. } = request;
    let is_head = method == "HEAD";
    let authorization = header(headers, "authorization").unwrap_or_default();
    if !authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/")) {
        return Some(error(403, "InvalidAccessKeyId", is_head));
    }
    let Some(rest) = path.strip_prefix(&format!("/{BUCKET}")) else {
        return Some(error(404, "NoSuchBucket", is_head));
    };
    if rest.is_empty() {
        return Some(list(request, bucket));
    }
    let Ok(key) = rest.trim_start_matches('/').parse::<Key>() else {
        return Some(error(400, "InvalidURI", is_head));
    };
    let answer = match method.as_str() {
        "PUT" => {
            // All puts of one name say the same: one that arrives later says it as well.
            let kept = headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
            let lines = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            told.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), lines);
            let version = header(headers, "if-match").map(|version| Version(version.to_owned()));
            let condition = match &version {
                Some(version) => Condition::Is(version),
                None if header(headers, "if-none-match").is_some() => Condition::Absent,
                None => Condition::None,
            };
            match bucket.put(&key, condition, body) {
                Ok(PutAnswer::Stored(version)) => Ok(whole(200, version.as_ref(), "", b"", false)),
                Ok(PutAnswer::ConditionFailed) => Ok(error(412, "PreconditionFailed", false)),
                Err(error) => Err(error),
            }
        }
        "DELETE" => bucket.delete(&key).map(|()| whole(204, None, "", b"", false)),
        _ => bucket.get(&key, u64::MAX).map(|found| match found {
            Some(found) => {
                let told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let told = told.get(&key).map_or("", String::as_str);
                whole(200, Some(&found.version), told, &found.bytes, is_head)
            }
            None => error(404, "NoSuchKey", is_head),
        }),
    };
    answer.map_or_else(|failed| unanswered(&failed, is_head), Some)
}

fn list(request: &Request, bucket: &MemoryBucket) -> Vec<u8> {
    let value = |name: &str| {
        let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.replace("%2F", "/"))
    };
    let folder = value("prefix").and_then(|prefix| prefix.trim_end_matches('/').parse::<Key>().ok());
    let after = value("start-after").and_then(|after| after.parse::<Key>().ok());
    let Some(folder) = folder else { return error(400, "InvalidArgument", false) };
    match bucket.list(&folder, after.as_ref()) {
        Ok(keys) => {
            let keys: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
            let document = format!("<?xml version=\"1.0\"?><ListBucketResult>{keys}</ListBucketResult>");
            whole(200, None, "", document.as_bytes(), false)
        }
        Err(failed) => unanswered(&failed, false).unwrap_or_else(|| error(503, "SlowDown", false)),
    }
}

/// A fault of the bucket: no answer, or a refusal.
fn unanswered(failed: &BucketError, is_head: bool) -> Option<Vec<u8>> {
    (failed.trouble() == Trouble::Refused).then(|| error(403, "AccessDenied", is_head))
}

fn error(status: u16, code: &str, is_head: bool) -> Vec<u8> {
    whole(status, None, "", format!("<Error><Code>{code}</Code></Error>").as_bytes(), is_head)
}

fn whole(status: u16, version: Option<&Version>, told: &str, body: &[u8], is_head: bool) -> Vec<u8> {
    let tag = version.map_or_else(String::new, |Version(version)| format!("ETag: {version}\r\n"));
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let dated = "Last-Modified: Fri, 24 May 2013 00:00:00 GMT\r\n";
    let mut bytes = format!("HTTP/1.1 {status} Said\r\n{tag}{told}{length}{dated}\r\n").into_bytes();
    if !is_head {
        bytes.extend_from_slice(body);
    }
    bytes
}
