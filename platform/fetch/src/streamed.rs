//! Exchanges whose bodies are too long to be held in memory: a file that is sent, and one that is read as it comes.

use std::io::{self, Read};
use std::time::Instant;

use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{Method, Request, Uri};
use stele_explain::Explain as _;
use stele_explain::secrets::without_secrets;
use ureq::{BodyReader, SendBody};

use crate::exchange::{self, Exchange, Outcome};
use crate::http_client::{Connections, HttpClient, HttpError, has_ended, run};
use crate::pace::Pace;

/// What is sent.
pub enum Sent<'a> {
    /// No body.
    Nothing,
    /// Bytes.
    Bytes(&'a [u8]),
    /// What a reader gives, of a length that is known.
    Reader {
        /// The reader.
        from: &'a mut dyn Read,
        /// How many bytes it gives.
        length: u64,
    },
}

/// An answer whose body was not read yet.
pub struct Streamed {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    body: BodyReader<'static>,
    pace: Pace,
    url: String,
    client: HttpClient,
}

impl Streamed {
    /// A header as text; none when it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole body, of at most `limit` bytes.
    pub fn bytes(mut self, limit: u64) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        let read = self.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| self.error(error))?;
        if bytes.len() as u64 > limit {
            return Err(HttpError::TooLarge { url: without_secrets(&self.url).into_owned(), limit });
        }
        Ok(bytes)
    }

    /// Why reading its body failed.
    pub fn error(&self, error: io::Error) -> HttpError {
        self.client.error(&self.url, ureq::Error::from(error))
    }
}

impl Read for Streamed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        let count = self.body.read(into)?;
        self.pace.count(count as u64, began.elapsed())?;
        Ok(count)
    }
}

impl HttpClient {
    /// A request with these headers and no others of its caller, through the proxy of the environment. A body is sent once; a request without one is
    /// asked again where a kept connection had ended. No encoding is asked for, and none undone: what comes are the bytes that the other side
    /// sent. How long it may take in all is the client's, and a body that trickles ends before; how much is read is the caller's to limit.
    pub fn stream(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Sent<'_>,
    ) -> Result<Streamed, HttpError> {
        let began = Instant::now();
        let came = self.open(method, url, headers, body);
        if let Some(observer) = exchange::observer() {
            let outcome = match &came {
                Ok(answer) => {
                    let declared = answer.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
                    Outcome::Answer { status: answer.status, bytes: declared.unwrap_or(0) }
                }
                Err(error) => Outcome::None(error.code()),
            };
            observer(&Exchange { method: method.as_str(), url: without_secrets(url), outcome, took: began.elapsed() });
        }
        came
    }

    fn open(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Sent<'_>,
    ) -> Result<Streamed, HttpError> {
        let bad = |reason: String| HttpError::BadUrl { url: without_secrets(url).into_owned(), reason };
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| bad(e.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("neither http nor https".into()));
        }
        let proxy = self.proxy_of(&uri)?;
        let agent = self.agent(uri.scheme_str() == Some("https"))?;
        let request = |length: Option<u64>| {
            let mut request = Request::builder().method(method.clone()).uri(uri.clone());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if let Some(length) = length {
                request = request.header(CONTENT_LENGTH, length);
            }
            request
        };
        let left = self.time_left(url)?;
        let sent = match body {
            Sent::Nothing if *method == Method::GET || *method == Method::HEAD => {
                let send = |connections| {
                    let request = request(None).body(()).map_err(|e| bad(e.to_string()))?;
                    Ok::<_, HttpError>(run(agent, request, proxy.clone(), left, connections))
                };
                match send(Connections::KeptOrNew)? {
                    Err(error) if has_ended(&error) => send(Connections::New)?,
                    sent => sent,
                }
            }
            Sent::Nothing => {
                let request = request(None).body(&[][..]).map_err(|e| bad(e.to_string()))?;
                run(agent, request, proxy, left, Connections::New)
            }
            Sent::Bytes(bytes) => {
                let request = request(None).body(bytes).map_err(|e| bad(e.to_string()))?;
                run(agent, request, proxy, left, Connections::New)
            }
            Sent::Reader { mut from, length } => {
                let body = SendBody::from_reader(&mut from);
                let request = request(Some(length)).body(body).map_err(|e| bad(e.to_string()))?;
                run(agent, request, proxy, left, Connections::New)
            }
        };
        let answer = sent.map_err(|e| self.error(url, e))?;
        let (parts, body) = answer.into_parts();
        Ok(Streamed {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.into_reader(),
            pace: Pace::default(),
            url: url.to_owned(),
            client: self.clone(),
        })
    }
}
