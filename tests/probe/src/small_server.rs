//! A server of a few lines, for the servers with faults that suites are tried on. Its threads end with the process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::failure::{During, Step};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`...
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; none where it is longer than the limit.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values, without those of the framing.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the connection is closed after it.
    pub close: bool,
}

impl Response {
    /// An answer of one media type.
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body: body.into(), close: false }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Listens on a free port of this machine, and answers every request; bodies of more than `limit` bytes are not read. Its URL.
pub fn start(limit: usize, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Step<String> {
    let listener = TcpListener::bind("127.0.0.1:0").during("listening")?;
    let url = format!("http://{}", listener.local_addr().during("listening")?);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, limit, answer.as_ref()));
        }
    });
    Ok(url)
}

fn serve(stream: TcpStream, limit: usize, answer: &impl Fn(&Request) -> Response) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = read_head(&mut reader)?;
        let length = request.header("content-length").parse().unwrap_or(0);
        if length <= limit {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            request.body = Some(body);
        }
        let answer = answer(&request);
        let close = answer.close || request.body.is_none() || request.header("connection") == "close";
        let mut head = format!("HTTP/1.1 {} x\r\n", answer.status);
        answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let connection = if close { "close" } else { "keep-alive" };
        head.push_str(&format!("content-length: {}\r\nconnection: {connection}\r\n\r\n", answer.body.len()));
        writer.write_all(&[head.as_bytes(), &answer.body].concat()).ok()?;
        if close {
            return None;
        }
    }
}

fn read_head(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(Request { method, path, headers, body: None })
}
