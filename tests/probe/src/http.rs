//! One HTTP/1.1 request and its answer over a connection of its own: no redirects, no retries, nothing decoded but the
//! framing. A story that says "the server answered 409" must mean the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::{During, Failure, Step};

/// How long one answer may take: a log below its quorum answers after it has asked every witness.
pub const ANSWER: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// 200, 409...
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Step<serde_json::Value> {
        serde_json::from_slice(&self.body).during(format!("reading JSON from {:?}", self.text()))
    }

    /// `error` of a JSON refusal.
    pub fn error_code(&self) -> Step<String> {
        let value = self.json()?;
        let code = value.get("error").and_then(|code| code.as_str());
        code.map(str::to_owned).ok_or_else(|| Failure::new(format!("no error code in {value}")))
    }

    /// The answer itself if it has the status, else a failure that shows it.
    pub fn expect(self, status: u16) -> Step<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(Failure::new(format!("expected status {status}, found {}: {}", self.status, self.text())))
    }
}

/// `GET`.
pub fn get(address: SocketAddr, path: &str) -> Step<Answer> {
    send(address, "GET", path, &[], b"")
}

/// `POST` of a body of one media type.
pub fn post(address: SocketAddr, path: &str, content_type: &str, body: &[u8]) -> Step<Answer> {
    send(address, "POST", path, &[("content-type", content_type)], body)
}

/// `PUT` of a body of one media type.
pub fn put(address: SocketAddr, path: &str, content_type: &str, body: &[u8]) -> Step<Answer> {
    send(address, "PUT", path, &[("content-type", content_type)], body)
}

/// Any request.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Step<Answer> {
    let step = format!("{method} http://{address}{path}");
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method != "GET" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut stream = connect(address)?;
    stream.write_all(head.as_bytes()).during(&step)?;
    // A server may refuse a body before it has read it: then its answer counts, not our broken pipe.
    let _ = stream.write_all(body);
    let _ = stream.flush();
    read_answer(&mut stream).during(&step)
}

/// A connection that waits at most [`ANSWER`].
pub fn connect(address: SocketAddr) -> Step<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).during(format!("reaching {address}"))?;
    stream.set_read_timeout(Some(ANSWER)).during("setting a timeout")?;
    stream.set_write_timeout(Some(ANSWER)).during("setting a timeout")?;
    stream.set_nodelay(true).during("setting no delay")?;
    Ok(stream)
}

/// Reads an answer until the server closes.
pub fn read_answer(stream: &mut impl Read) -> Step<Answer> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => bytes.extend(chunk.iter().take(read)),
            // A reset after the answer is how a server drops a body that it did not want.
            Err(_) if framed(&bytes).is_some() => break,
            Err(error) => return Err(Failure::new(format!("{error}, after {} bytes", bytes.len()))),
        }
        if framed(&bytes).is_some_and(|(_, complete)| complete) {
            break;
        }
    }
    let found = || Failure::new(format!("not an HTTP answer: {:?}", String::from_utf8_lossy(&bytes)));
    match framed(&bytes) {
        Some((answer, _)) => Ok(answer),
        None => Err(found()),
    }
}

/// The answer in the bytes so far, and whether its framing says that it is all.
pub fn framed(bytes: &[u8]) -> Option<(Answer, bool)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at_checked(end + 4)?;
    let head = core::str::from_utf8(head).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if (100..200).contains(&status) {
        return framed(body);
    }
    let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let (body, complete) = match (find("transfer-encoding").as_deref(), find("content-length")) {
        (Some("chunked"), _) => unchunk(body),
        (_, Some(length)) => {
            let length: usize = length.parse().ok()?;
            (body.get(..length).unwrap_or(body).to_vec(), body.len() >= length)
        }
        _ => (body.to_vec(), false),
    };
    Some((Answer { status, headers, body }, complete))
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = rest.get(..end).and_then(|line| core::str::from_utf8(line).ok());
        let Some(size) = size.and_then(|size| usize::from_str_radix(size, 16).ok()) else { break };
        if size == 0 {
            return (body, true);
        }
        let Some(data) = rest.get(end + 2..end + 2 + size) else { break };
        body.extend_from_slice(data);
        let Some(next) = rest.get(end + 4 + size..) else { break };
        rest = next;
    }
    (body, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whatever_its_framing() {
        for (bytes, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", "ab"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nab", "ab"),
        ] {
            let answer = read_answer(&mut bytes.as_bytes()).unwrap();
            assert_eq!((answer.status, answer.text().as_str()), (200, body));
        }
        assert!(read_answer(&mut &b"SSH-2.0-x\r\n"[..]).is_err());
    }
}
