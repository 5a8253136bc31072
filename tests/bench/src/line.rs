//! One kept-alive connection to a log or a witness: a request at a time, as little work as HTTP/1.1 allows, since the load shares
//! the cores with what it measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use stele_harness::network::COSE;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::http;

/// The longest answer that is read.
const MAX_ANSWER: usize = 256 * 1024;

/// The type of a proof.
pub const PROOF: &str = "text/plain";

/// An open connection.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    server: SocketAddr,
    buffer: Vec<u8>,
}

impl Line {
    /// Connects. Every wait on the connection has the limit of [`http::ANSWER`].
    pub fn open(server: SocketAddr) -> Step<Self> {
        Ok(Self { stream: http::connect(server)?, server, buffer: Vec::new() })
    }

    /// Submits a statement and waits for its proof.
    pub fn submit(&mut self, statement: &[u8]) -> Step<Vec<u8>> {
        self.post("/entries", COSE, PROOF, statement)
    }

    /// Posts a body and waits for the body of a 200 or 201, of a type that `accept` names.
    pub fn post(&mut self, path: &str, media_type: &str, accept: &str, body: &[u8]) -> Step<Vec<u8>> {
        match self.ask(path, media_type, accept, body)? {
            (200 | 201, body) => Ok(body),
            (status, body) => {
                let said = String::from_utf8_lossy(&body).into_owned();
                Err(Failure::new(format!("expected status 200 or 201, found {status}: {said}")))
            }
        }
    }

    /// Posts a body and waits for the answer, whatever it is.
    pub fn ask(&mut self, path: &str, media_type: &str, accept: &str, body: &[u8]) -> Step<(u16, Vec<u8>)> {
        let (server, length) = (self.server, body.len());
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: {media_type}\r\naccept: {accept}\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).during("submitting")?;
        self.answer()
    }

    fn answer(&mut self) -> Step<(u16, Vec<u8>)> {
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some((status, body)) = framed(&self.buffer)? {
                return Ok((status, body));
            }
            match self.stream.read(&mut chunk).during("reading an answer")? {
                0 => return Err(Failure::new("the server closed a connection that was kept alive")),
                _ if self.buffer.len() > MAX_ANSWER => return Err(Failure::new("an answer without an end")),
                read => self.buffer.extend(chunk.iter().take(read)),
            }
        }
    }
}

/// Status and body, once the whole answer is there.
fn framed(bytes: &[u8]) -> Step<Option<(u16, Vec<u8>)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = bytes.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match (status, length) {
        (Some(status), Some(length)) => Ok(body.get(..length).map(|body| (status, body.to_vec()))),
        (Some(status), None) if head.contains("\r\ntransfer-encoding: chunked\r\n") => {
            Ok(unchunked(body)?.map(|body| (status, body)))
        }
        _ => Err(Failure::new(format!("an answer without a length: {head}"))),
    }
}

/// The body of a chunked answer (RFC 9112, section 7.1), once its last chunk is there. No trailers.
fn unchunked(mut bytes: &[u8]) -> Step<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let (size, rest) = bytes.split_at(end);
        let size = usize::from_str_radix(&String::from_utf8_lossy(size), 16).during("reading a chunk")?;
        let Some(rest) = rest.get(2..) else { return Ok(None) };
        let (Some(chunk), Some(b"\r\n")) = (rest.get(..size), rest.get(size..size.saturating_add(2))) else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(chunk);
        bytes = rest.get(size + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert!(framed(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        for end in 0..whole.len() {
            assert_eq!(framed(&whole[..end]).unwrap(), None, "{end}");
        }
        assert_eq!(framed(whole).unwrap(), Some((200, b"ab".to_vec())));
    }

    #[test]
    fn a_chunked_answer_ends_with_its_empty_chunk() {
        let whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\na\r\n0123456789\r\n0\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(framed(&whole[..end]).unwrap(), None, "{end}");
        }
        assert_eq!(framed(whole).unwrap(), Some((200, b"ab0123456789".to_vec())));
        assert!(framed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n").is_err());
    }
}
