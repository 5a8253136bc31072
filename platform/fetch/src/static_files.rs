//! Static files by their paths, in a folder or behind an address: what a log of tiles or its mirror serves.
//!
//! What is read is not trusted here: the caller checks it. A file that is not there is no error. An address is asked again, with
//! pauses, while the connection is refused or breaks, or the answer is that it cannot be given now. It is not asked again after a
//! timeout, which would only take the same time twice, nor where `Retry-After` asks for more than [`LONGEST_PAUSE`]: then the error says
//! when to try again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::http_client::{ClientLimits, HttpClient, HttpError, Response, status_line};
use stele_durable::{self as durable, DurableError};
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, explain};

/// How often a file is asked for before its absence is an error: a log that is started anew is back after that.
pub const TRIES: u32 = 5;
/// What is waited for after the first try; doubled after each other.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between two tries. Where `Retry-After` asks for more, there is no other try.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The static files of one log.
#[derive(Debug, Clone)]
pub enum StaticFiles {
    /// A web server: the log itself or a mirror.
    Http {
        /// Its address without a `/` at the end.
        url: String,
        /// The client.
        http: HttpClient,
        /// How often a file is asked for.
        tries: u32,
    },
    /// A folder with `checkpoint` and `tile/` in it.
    Folder(PathBuf),
    /// What a program hands over.
    Handed(Arc<dyn HandedFiles>),
}

/// Static files of a log that are neither behind an address nor in a folder: a seam, for a simulation.
pub trait HandedFiles: fmt::Debug + Send + Sync {
    /// A file by its path, of at most `limit` bytes; none where there is none.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// Where they are, for messages.
    fn place(&self) -> String;
}

/// Why a file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No server answers.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// This machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// An answer that is none.
    #[error("{place} answers {}", status_line(*.status))]
    Status {
        /// The address.
        place: String,
        /// The HTTP status.
        status: u16,
        /// After how long the server wants to be asked again, if it says so.
        retry_after: Option<Duration>,
    },
    /// More than it may be.
    #[error("{place} is too large")]
    TooLarge {
        /// The file.
        place: String,
        /// The most bytes.
        limit: u64,
        /// Bytes found.
        found: u64,
    },
    /// What must be there is not.
    #[error("there is no {place}")]
    Missing {
        /// The file.
        place: String,
    },
}

impl StaticFiles {
    /// An address, asked by a program that names itself `user_agent`.
    pub fn http(url: &str, user_agent: &str) -> Self {
        Self::asked(url, HttpClient::new(user_agent, ClientLimits::default()), TRIES)
    }

    /// An address, asked by this client so many times at most.
    pub fn asked(url: &str, http: HttpClient, tries: u32) -> Self {
        Self::Http { url: url.trim_end_matches('/').to_owned(), http, tries }
    }

    /// A folder.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::Folder(path.into())
    }

    /// What a person writes: an address, or the path of a folder.
    pub fn parse(text: &str, user_agent: &str) -> Self {
        if is_address(text) { Self::http(text, user_agent) } else { Self::folder(text) }
    }

    /// A file by its path, of at most `limit` bytes; none where there is none.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Self::Folder(folder) => Ok(durable::read_file(&folder.join(path), limit)?),
            Self::Handed(files) => files.read(path, limit),
            Self::Http { url, http, tries } => {
                let url = format!("{url}/{path}");
                let answer = asked(*tries, |length| http.pause(length), || http.get(&url, None))?;
                match answer.status {
                    404 | 410 => Ok(None),
                    // A log denies what it has pruned (c2sp.org/tlog-tiles): full tiles and bundles.
                    403 | 451 if path.starts_with("tile/") && !path.contains(".p/") => Ok(None),
                    200 if answer.body.len() as u64 > limit => Err(SourceError::TooLarge {
                        place: without_secrets(&url).into_owned(),
                        limit,
                        found: answer.body.len() as u64,
                    }),
                    200 => Ok(Some(answer.body)),
                    status => {
                        let place = without_secrets(&url).into_owned();
                        Err(SourceError::Status { place, status, retry_after: answer.retry_after() })
                    }
                }
            }
        }
    }

    /// The same for a file that must be there.
    pub fn needed(&self, path: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
        self.read(path, limit)?.ok_or_else(|| SourceError::Missing { place: self.place_of(path) })
    }

    /// Where a file is, for messages.
    pub fn place_of(&self, path: &str) -> String {
        format!("{self}/{path}")
    }
}

impl fmt::Display for StaticFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(&without_secrets(url)),
            Self::Folder(path) => path.display().fmt(f),
            Self::Handed(files) => f.write_str(&files.place()),
        }
    }
}

/// Asks again while connections are refused or break, or while the answer is that it cannot be given now.
pub fn patiently(ask: impl Fn() -> Result<Response, HttpError>) -> Result<Response, HttpError> {
    asked(TRIES, sleep, ask)
}

/// Whether a text is an address; any other is the path of a folder.
fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn asked(
    tries: u32,
    rest: impl Fn(Duration),
    ask: impl Fn() -> Result<Response, HttpError>,
) -> Result<Response, HttpError> {
    let mut pause = PAUSE;
    for _ in 1..tries {
        match ask() {
            Ok(answer) if matches!(answer.status, 429 | 500..) => {
                let length = answer.retry_after().unwrap_or(pause);
                if length > LONGEST_PAUSE {
                    return Ok(answer);
                }
                rest(length.max(PAUSE));
            }
            Err(HttpError::Unreachable { .. } | HttpError::Broken { .. }) => rest(pause),
            done => return done,
        }
        pause *= 2;
    }
    ask()
}

/// What to do about an answer that no log gives.
const NOT_A_WHOLE_LOG: &str = "is this the address of a log (c2sp.org/tlog-tiles), or a whole mirror? A mirror that is being copied \
    is behind: try again";

impl Explain for SourceError {
    explain! {
        Self::Http(error) => error;
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Status { status: 429 | 500.., retry_after: Some(after), .. } => Exit::Unavailable, "log-answer-malformed",
            hint: format!("the server asks not to be asked before {} s from now: try again then", after.as_secs());
        Self::Status { status: 502..=504, .. } => Exit::Unavailable, "log-answer-malformed",
            hint: "the server, or a proxy in front of it, cannot answer now: try again later";
        Self::Status { .. } => Exit::Unavailable, "log-answer-malformed", hint: NOT_A_WHOLE_LOG;
        Self::Missing { place } if !is_address(place) => Exit::Unavailable, "log-file-missing",
            hint: "it is looked for in a folder of this machine; an address begins with http:// or https://";
        Self::Missing { .. } => Exit::Unavailable, "log-file-missing", hint: NOT_A_WHOLE_LOG;
        Self::TooLarge { limit, found, .. } => Exit::BadInput, "log-file-too-large",
            hint: "what is served is not what the tree head commits to: read from another mirror; if the log itself serves it, tell its operator",
            "expected": format!("at most {limit} bytes"), "found": found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};
    use std::cell::RefCell;

    fn answer(status: u16, retry_after: Option<&'static str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert("retry-after", HeaderValue::from_static(value));
        }
        Response { status, headers, body: Vec::new() }
    }

    /// The pauses that are made while a server always answers so, and how often it was asked.
    fn pauses(status: u16, retry_after: Option<&'static str>) -> (Vec<Duration>, u32) {
        let (pauses, count) = (RefCell::new(Vec::new()), RefCell::new(0));
        let given = asked(
            TRIES,
            |length| pauses.borrow_mut().push(length),
            || {
                *count.borrow_mut() += 1;
                Ok(answer(status, retry_after))
            },
        );
        assert_eq!(given.unwrap().status, status);
        (pauses.into_inner(), count.into_inner())
    }

    #[test]
    fn a_server_that_asks_for_a_day_is_not_waited_for() {
        for (status, value) in [(429, "86400"), (503, "31"), (503, "18446744073709551616")] {
            assert_eq!(pauses(status, Some(value)), (Vec::new(), 1), "{status} {value}");
        }
        let after = answer(429, Some("86400")).retry_after();
        let error = SourceError::Status { place: "http://log".into(), status: 429, retry_after: after };
        assert!(error.hint().unwrap().contains("86400 s"), "{:?}", error.hint());
    }

    #[test]
    fn a_status_has_its_reason_and_that_of_a_proxy_a_hint() {
        let of = |status| SourceError::Status { place: "http://log/checkpoint".into(), status, retry_after: None };
        for (status, reason) in [(502, " Bad Gateway"), (503, " Service Unavailable"), (504, " Gateway Timeout")] {
            assert_eq!(of(status).to_string(), format!("http://log/checkpoint answers {status}{reason}"));
            assert!(of(status).hint().unwrap().contains("a proxy in front of it"), "{status}");
        }
        assert_eq!(of(599).to_string(), "http://log/checkpoint answers 599");
        assert!(!of(403).hint().unwrap().contains("proxy"));
    }

    #[test]
    fn a_short_wish_is_followed_and_nonsense_is_none() {
        assert_eq!(pauses(503, Some("7")), (vec![Duration::from_secs(7); 4], 5));
        assert_eq!(pauses(503, Some("0")), (vec![PAUSE; 4], 5));
        let doubled: Vec<Duration> = [1, 2, 4, 8].map(|times| PAUSE * times).into();
        for value in [None, Some("soon"), Some("-1"), Some("Wed, 21 Oct 2026 07:28:00 GMT")] {
            assert_eq!(pauses(429, value), (doubled.clone(), 5), "{value:?}");
        }
        assert_eq!(pauses(404, Some("7")), (Vec::new(), 1));
    }
}
