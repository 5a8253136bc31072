//! Where the static files of a log are: behind an address, or in a folder.

use std::fmt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use stele_host::durable;
use stele_host::http_client::{ClientLimits, HttpClient, HttpError, Response};

use super::ReadError;

/// How often a file is asked for before its absence is an error: a log that is started anew is back after that.
const TRIES: u32 = 5;
/// What is waited for after the first try; doubled after each other.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause, also where the log asks for a longer one.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The static files of one log.
#[derive(Debug, Clone)]
pub(crate) enum LogSource {
    /// A web server: the log itself or a mirror.
    Http {
        /// Its address without a `/` at the end.
        url: String,
        /// The client.
        http: HttpClient,
    },
    /// A folder with `checkpoint` and `tile/` in it.
    Folder(PathBuf),
}

impl LogSource {
    /// An address.
    pub(crate) fn http(url: &str) -> Self {
        let agent = concat!("stele/", env!("CARGO_PKG_VERSION"));
        let http = HttpClient::new(agent, ClientLimits::default());
        Self::Http { url: url.trim_end_matches('/').to_owned(), http }
    }

    /// A folder.
    pub(crate) fn folder(path: impl Into<PathBuf>) -> Self {
        Self::Folder(path.into())
    }

    /// What a person writes: an address, or the path of a folder.
    pub(crate) fn parse(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") { Self::http(text) } else { Self::folder(text) }
    }

    /// A file by its path, of at most `limit` bytes; none where there is none.
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        match self {
            Self::Folder(folder) => Ok(durable::read_file(&folder.join(path), limit)?),
            Self::Http { url, http } => {
                let url = format!("{url}/{path}");
                let answer = patiently(|| http.get(&url, None))?;
                match answer.status {
                    404 | 410 => Ok(None),
                    200 if answer.body.len() as u64 > limit => {
                        Err(ReadError::TooLarge { place: url, limit, found: answer.body.len() as u64 })
                    }
                    200 => Ok(Some(answer.body)),
                    status => Err(ReadError::Status { place: url, status }),
                }
            }
        }
    }

    /// The same for a file that must be there.
    pub(crate) fn needed(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        self.read(path, limit)?.ok_or_else(|| ReadError::Missing { place: self.place_of(path) })
    }

    /// Where a file is, for messages.
    pub(crate) fn place_of(&self, path: &str) -> String {
        format!("{self}/{path}")
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(url),
            Self::Folder(path) => path.display().fmt(f),
        }
    }
}

/// Asks again while nobody answers, or while the answer is that it cannot be given now.
pub(crate) fn patiently(ask: impl Fn() -> Result<Response, HttpError>) -> Result<Response, HttpError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match ask() {
            Ok(answer) if matches!(answer.status, 429 | 500..) => {
                let asked = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
                sleep(asked.map_or(pause, Duration::from_secs).clamp(PAUSE, MAX_PAUSE));
            }
            Err(HttpError::Unreachable { .. } | HttpError::TimedOut { .. } | HttpError::Broken { .. }) => sleep(pause),
            done => return done,
        }
        pause *= 2;
    }
    ask()
}
