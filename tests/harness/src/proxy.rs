//! A proxy in front of a log, which passes requests on, answers some of them itself, and compresses: what a cache, a middlebox
//! or a log that lies to one reader can do.
//!
//! ```text
//! let proxy = Proxy::start(network.log_address()?)?;
//! proxy.answer(|path| path.contains("/proof?").then(|| (404, Vec::new())));     from now on
//! proxy.alter(|path, body| if path == "/checkpoint" { flip(body) });            from now on
//! proxy.encode(Encoding::Unasked);                                              from now on
//! proxy.url()
//! ```

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use stele_probe::failure::{During, Step};
use stele_probe::http::{self, Answer};

/// The largest request that is passed on: a manifest of a test's model.
const MAX_REQUEST: usize = 1 << 20;

/// A path with its query to a status and a body; none to pass the request on.
type Rule = Box<dyn Fn(&str) -> Option<(u16, Vec<u8>)> + Send>;

/// Changes the body of an answer 200 of the log to the path.
type Change = Box<dyn Fn(&str, &mut Vec<u8>) + Send>;

/// Who decides how the body of an answer is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// The log is asked for bodies as they are.
    #[default]
    Plain,
    /// Reader and log: what one accepts and what the other used are passed on.
    AsAsked,
    /// The proxy: every body of an answer 200 is in gzip, whatever the reader accepts.
    Unasked,
}

/// An answer that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The path that was asked for, with its query.
    pub path: String,
    /// Bytes of the body on the wire.
    pub bytes: usize,
    /// Whether they were said to be in gzip.
    pub gzip: bool,
}

/// Serves until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    gone: Arc<AtomicBool>,
}

/// What the threads of the connections know.
struct Shared {
    log: SocketAddr,
    rule: Mutex<Rule>,
    change: Mutex<Change>,
    encoding: Mutex<Encoding>,
    sent: Mutex<Vec<Sent>>,
}

impl Proxy {
    /// In front of a log, on a free port. At first everything is passed on.
    pub fn start(log: SocketAddr) -> Step<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").during("listening")?;
        let address = listener.local_addr().during("listening")?;
        let gone = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared {
            log,
            rule: Mutex::new(Box::new(|_| None)),
            change: Mutex::new(Box::new(|_, _| ())),
            encoding: Mutex::default(),
            sent: Mutex::default(),
        });
        let (stop, serving) = (gone.clone(), shared.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let serving = serving.clone();
                let Ok(stream) = stream else { continue };
                thread::spawn(move || serve(stream, &serving));
            }
        });
        Ok(Self { address, shared, gone })
    }

    /// Answers by this rule from now on.
    pub fn answer(&self, rule: impl Fn(&str) -> Option<(u16, Vec<u8>)> + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// Changes the log's answers so from now on.
    pub fn alter(&self, change: impl Fn(&str, &mut Vec<u8>) + Send + 'static) {
        *lock(&self.shared.change) = Box::new(change);
    }

    /// Encodes bodies so from now on.
    pub fn encode(&self, encoding: Encoding) {
        *lock(&self.shared.encoding) = encoding;
    }

    /// What was sent since this was asked last.
    pub fn sent(&self) -> Vec<Sent> {
        core::mem::take(&mut lock(&self.shared.sent))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let (head, body) = read_request(&mut stream)?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let answered = lock(&shared.rule)(path);
    let encoding = *lock(&shared.encoding);
    let mut answer = match answered {
        Some((status, body)) => Answer { status, headers: Vec::new(), body },
        None => {
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            let passed = ["content-type", "accept", "accept-encoding"];
            let passed = passed.iter().filter(|name| encoding == Encoding::AsAsked || **name != "accept-encoding");
            let headers: Vec<(&str, &str)> = passed.filter_map(|name| Some((*name, header(name)?))).collect();
            http::send(shared.log, method, path, &headers, &body).ok()?
        }
    };
    if answer.status == 200 {
        lock(&shared.change)(path, &mut answer.body);
    }
    let gzip = match encoding {
        Encoding::Plain => false,
        Encoding::AsAsked => answer.header("content-encoding") == Some("gzip"),
        Encoding::Unasked => answer.status == 200,
    };
    let (status, body) = (answer.status, answer.body);
    let body = if encoding == Encoding::Unasked && gzip { compressed(&body)? } else { body };
    lock(&shared.sent).push(Sent { path: path.to_owned(), bytes: body.len(), gzip });
    let (length, coded) = (body.len(), if gzip { "content-encoding: gzip\r\n" } else { "" });
    let head = format!("HTTP/1.1 {status} x\r\n{coded}content-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The head of a request as text, and its body.
fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend(chunk.iter().take(read));
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
        let length = head.lines().filter_map(|line| line.split_once(": "));
        let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value);
        let length: usize = length.next_back().and_then(|value| value.parse().ok()).unwrap_or(0);
        let body = bytes.get(end + 4..)?;
        if body.len() >= length || bytes.len() > MAX_REQUEST {
            return Some((head, body.to_vec()));
        }
    }
}
