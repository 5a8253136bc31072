//! What a log answered so far, by path. A page fetches; this module says what is still to be asked, and begins again from the start.
//!
//! Nothing waits: a question without an answer is noted and refused with [`NotFetched`], and whoever asked stops there. The page fetches
//! what was noted, all at once, and calls again with all that it has. Proofs are checked again each time; that takes milliseconds.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use stele_explain::printable::one_line;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};

/// An answer of the log, unverified.
#[derive(Debug)]
pub struct Answer {
    /// The status; 0 where nothing answered.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The answers of one log.
#[derive(Debug)]
pub struct Answers {
    url: String,
    known: BTreeMap<String, Answer>,
    needed: RefCell<BTreeSet<String>>,
}

impl Answers {
    /// Of the log at an address, for messages alone: nothing here fetches.
    pub fn new(url: &str, known: BTreeMap<String, Answer>) -> Self {
        Self { url: without_secrets(url).into_owned(), known, needed: RefCell::default() }
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body of an answer.
    pub fn body(&self, path: &str) -> Result<&[u8], Failure> {
        match self.known.get(path) {
            Some(Answer { status: 200, body }) => Ok(body),
            Some(answer) => Err(Refused::of(&self.url, path, answer).into()),
            None => {
                self.needed.borrow_mut().insert(path.to_owned());
                Err(NotFetched.into())
            }
        }
    }

    /// The body of an answer; none where the log has nothing at the path.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self.known.get(path) {
            Some(Answer { status: 404, .. }) => Ok(None),
            _ => self.body(path).map(|body| Some(body.to_vec())),
        }
    }

    /// Notes paths whose answers will be needed, so that they are fetched together. Whether all are here.
    pub fn has_all(&self, paths: impl IntoIterator<Item = String>) -> bool {
        let missing: Vec<String> = paths.into_iter().filter(|path| !self.known.contains_key(path)).collect();
        let has_all = missing.is_empty();
        self.needed.borrow_mut().extend(missing);
        has_all
    }

    /// The paths that were asked for and are not here.
    pub fn needed(&self) -> Vec<String> {
        self.needed.borrow().iter().cloned().collect()
    }

    /// An answer that is no answer to what was asked.
    pub fn nonsense(&self, expected: &'static str, found: String) -> Failure {
        Nonsense { url: self.url.clone(), expected, found }.into()
    }
}

/// A value in a query, as the log's own client writes it.
pub fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/@:".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// The page has to fetch first.
#[derive(Debug, thiserror::Error)]
#[error("the log has not been asked yet")]
pub struct NotFetched;

impl Explain for NotFetched {
    explain! {
        Self { .. } => Exit::Unavailable, "not-fetched", hint: "load the page again";
    }
}

/// The log says no, or nothing answered.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    message: String,
    status: u16,
    hint: Option<String>,
}

impl Refused {
    fn of(url: &str, path: &str, answer: &Answer) -> Self {
        let document = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
        let said = |name: &str| document.get(name).and_then(serde_json::Value::as_str).map(short);
        let message = match answer.status {
            0 => format!("the log at {url} does not answer"),
            status => {
                let said = said("message").map(|said| format!(": {said}")).unwrap_or_default();
                format!("the log at {url} answers /{path} with {status}{said}")
            }
        };
        Self { message: short(&message), status: answer.status, hint: said("hint") }
    }
}

impl Explain for Refused {
    fn exit(&self) -> Exit {
        Exit::Unavailable
    }

    fn code(&self) -> &'static str {
        if self.status == 0 { "unreachable" } else { "log-refused" }
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone().or_else(|| Some("ask again later; the release itself is verified without the log".to_owned()))
    }
}

/// An answer that does not hold what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the log at {url} answers with something else than was asked")]
pub struct Nonsense {
    url: String,
    expected: &'static str,
    found: String,
}

impl Explain for Nonsense {
    explain! {
        Self { expected, found, .. } => Exit::Unavailable, "not-an-answer",
            hint: "ask again, or at another address: something between this page and the log may have changed the answer",
            "expected": expected, "found": found;
    }
}

/// What a log says, as a part of a line of ours.
fn short(text: &str) -> String {
    one_line(&text.trim().chars().take(400).collect::<String>()).into_owned()
}
