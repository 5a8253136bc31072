//! A proxy in front of a log, which passes requests on and answers some of them itself: what a cache, a middlebox or a log
//! that lies to one reader can do.
//!
//! ```text
//! let proxy = Proxy::start(network.log_address()?)?;
//! proxy.answer(|path| path.contains("/proof?").then(|| (404, Vec::new())));     from now on
//! proxy.url()
//! ```

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::failure::{During, Step};
use crate::http;

/// The largest request that is passed on: a manifest of a test's model.
const MAX_REQUEST: usize = 1 << 20;

/// A path with its query to a status and a body; none to pass the request on.
type Rule = Box<dyn Fn(&str) -> Option<(u16, Vec<u8>)> + Send>;

/// Serves until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    rule: Arc<Mutex<Rule>>,
    gone: Arc<AtomicBool>,
}

impl Proxy {
    /// In front of a log, on a free port. At first everything is passed on.
    pub fn start(log: SocketAddr) -> Step<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").during("listening")?;
        let address = listener.local_addr().during("listening")?;
        let gone = Arc::new(AtomicBool::new(false));
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(|_| None)));
        let (stop, rules) = (gone.clone(), rule.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let rules = rules.clone();
                let Ok(stream) = stream else { continue };
                thread::spawn(move || serve(stream, log, &rules));
            }
        });
        Ok(Self { address, rule, gone })
    }

    /// Answers by this rule from now on.
    pub fn answer(&self, rule: impl Fn(&str) -> Option<(u16, Vec<u8>)> + Send + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
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

fn serve(mut stream: TcpStream, log: SocketAddr, rule: &Mutex<Rule>) -> Option<()> {
    let (head, body) = read_request(&mut stream)?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let answered = rule.lock().unwrap_or_else(PoisonError::into_inner)(path);
    let (status, body) = match answered {
        Some(answer) => answer,
        None => {
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
            };
            let headers: Vec<(&str, &str)> =
                ["content-type", "accept"].into_iter().filter_map(|name| Some((name, header(name)?))).collect();
            let answer = http::send(log, method, path, &headers, &body).ok()?;
            (answer.status, answer.body)
        }
    };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
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
