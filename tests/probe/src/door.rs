//! Requests to any server over HTTP/1.1, well formed or not, each on a connection of its own unless told otherwise. What comes back is
//! bounded in size and time, since the other side may be anything.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::failure::{During, Failure, Step};
use crate::http::{self, Answer};

/// How long one answer may take.
pub const ANSWER_TIME: Duration = Duration::from_secs(20);

/// The longest answer: a note with many ML-DSA-44 lines, or a bundle of 256 short entries.
pub const MAX_ANSWER: usize = 256 * 1024;

/// A URL prefix of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    host: String,
    address: SocketAddr,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer, or why there was none.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Whatever it says.
    Answer(Answer),
    /// The connection ended or was silent.
    None(String),
}

impl Reply {
    /// The status, or 0 without an answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Answer(answer) => answer.status,
            Self::None(_) => 0,
        }
    }

    /// The answer's body, or nothing.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Answer(answer) => &answer.body,
            Self::None(_) => &[],
        }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Answer(answer) => answer.header(name),
            Self::None(_) => None,
        }
    }
}

impl core::fmt::Display for Reply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::None(why) => write!(f, "no answer ({why})"),
            Self::Answer(answer) => {
                let Ok(text) = core::str::from_utf8(&answer.body) else {
                    return write!(f, "{} and {} bytes", answer.status, answer.body.len());
                };
                let text: String = text.trim_end().chars().take(80).collect();
                if text.is_empty() { write!(f, "{}", answer.status) } else { write!(f, "{} {text:?}", answer.status) }
            }
        }
    }
}

impl Door {
    /// Reads `http://HOST[:PORT][/PATH]`, with or without a slash at the end.
    pub fn parse(url: &str) -> Step<Self> {
        let bad = |why: &str| Failure::new(format!("{url:?} {why}\nhint: http://HOST[:PORT][/PATH]"));
        let rest = url.strip_prefix("http://").ok_or_else(|| {
            bad("does not begin with http:// (for https, put a proxy on this machine that speaks TLS to the server)")
        })?;
        if rest.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'?' || byte == b'#' || byte == b'@') {
            return Err(bad("is not a URL prefix"));
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        let base = if path.is_empty() { String::new() } else { format!("/{path}") };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { host.to_owned() } else { format!("{host}:80") };
        let mut addresses = with_port.to_socket_addrs().during(format!("finding {host}"))?;
        let address = addresses.next().ok_or_else(|| bad("has no address"))?;
        Ok(Self { host: host.to_owned(), address, base, headers: Vec::new() })
    }

    /// The same with a header on every request, as `NAME: VALUE`: a key that a server asks for.
    pub fn with_header(mut self, header: &str) -> Step<Self> {
        let parts = header.split_once(':').filter(|_| !header.bytes().any(|byte| byte < b' ' || byte == 0x7f));
        let (name, value) = parts.ok_or_else(|| Failure::new(format!("expected NAME: VALUE, found {header:?}")))?;
        self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
        Ok(self)
    }

    /// Its path, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `POST` of a body.
    pub fn post(&self, path: &str, body: &[u8]) -> Reply {
        self.send("POST", path, body)
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[])
    }

    /// Any request, on a connection of its own.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        self.send_with(method, path, &[], body)
    }

    /// The same with headers.
    pub fn send_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        match self.open() {
            Ok(mut connection) => connection.send(method, path, &[&[("connection", "close")], headers].concat(), body),
            Err(failure) => Reply::None(failure.to_string()),
        }
    }

    /// A connection that is kept.
    pub fn open(&self) -> Step<Connection<'_>> {
        let step = || format!("reaching {}", self.host);
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5)).during(step())?;
        stream.set_read_timeout(Some(ANSWER_TIME)).during(step())?;
        stream.set_write_timeout(Some(ANSWER_TIME)).during(step())?;
        stream.set_nodelay(true).during(step())?;
        Ok(Connection { door: self, stream })
    }
}

impl core::fmt::Display for Door {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "http://{}{}", self.host, self.base)
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection<'a> {
    door: &'a Door,
    stream: TcpStream,
}

impl Connection<'_> {
    /// One more request on this connection, which stays open afterwards if both sides want it to.
    pub fn ask(&mut self, path: &str, body: &[u8]) -> Reply {
        self.send("POST", path, &[("connection", "keep-alive")], body)
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let Door { host, base, headers: own, .. } = self.door;
        let mut head = format!("{method} {base}{path} HTTP/1.1\r\nhost: {host}\r\n");
        let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.chain(headers.iter().copied()).for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        if method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        // A server may refuse a body before it has read it: then its answer counts, not our broken pipe.
        let _ = self.stream.write_all(head.as_bytes());
        let _ = self.stream.write_all(body);
        let _ = self.stream.flush();
        match self.read() {
            Ok(answer) => Reply::Answer(answer),
            Err(failure) => Reply::None(failure.to_string()),
        }
    }

    fn read(&mut self) -> Step<Answer> {
        let until = Instant::now() + ANSWER_TIME;
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            let ended = match self.stream.read(&mut chunk) {
                Ok(0) => Some("the connection was closed".to_owned()),
                Ok(read) => {
                    bytes.extend(chunk.iter().take(read));
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            match (http::framed(&bytes), ended) {
                (Some((answer, true)), _) | (Some((answer, false)), Some(_)) => return Ok(answer),
                (None, Some(why)) => return Err(Failure::new(why)),
                (_, None) => {}
            }
            if bytes.len() > MAX_ANSWER {
                return Err(Failure::new(format!("an answer of more than {MAX_ANSWER} bytes")));
            }
            if Instant::now() > until {
                return Err(Failure::new(format!("no whole answer within {ANSWER_TIME:?}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_an_http_url_without_a_query() {
        for url in ["", "127.0.0.1:1", "https://127.0.0.1", "http://", "http://127.0.0.1/a?b", "http://a@127.0.0.1"] {
            assert!(Door::parse(url).is_err(), "{url}");
        }
        for (url, written) in [
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://127.0.0.1:7461/", "http://127.0.0.1:7461"),
            ("http://127.0.0.1:7461/w1/", "http://127.0.0.1:7461/w1"),
        ] {
            let door = Door::parse(url).unwrap();
            assert_eq!(door.to_string(), written);
            assert_eq!(Door::parse(written).unwrap(), door);
        }
    }

    #[test]
    fn a_header_is_one_line_with_a_name() {
        let door = Door::parse("http://127.0.0.1:1").unwrap();
        assert!(door.clone().with_header("Authorization: Bearer key").is_ok());
        for wrong in ["Authorization", "a: b\r\nc: d"] {
            assert!(door.clone().with_header(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nobody_there_is_no_answer() {
        let door = Door::parse("http://127.0.0.1:1").unwrap();
        assert_eq!(door.get("/").status(), 0);
    }
}
