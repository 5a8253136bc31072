//! The log, asked over HTTP. Nothing of what it answers is believed: proofs are checked under the policy.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use serde::Deserialize;
use stele_clock::duration::HumanDuration;
use stele_explain::printable::one_line;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure};
use stele_fetch::http_client::{ClientLimits, HttpClient, Response, status_line};
use stele_fetch::static_files::{StaticFiles, TRIES};
use stele_spec::entry::MAX_ENTRY;
use stele_spec::index::{Kind, Subject};
use stele_spec::nameproof::{Malformed, NameProof};
use stele_spec::statement::SignedStatement;
use stele_spec::submission;

/// The media type of a signed statement (RFC 9052 §11.2).
const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";
/// What is waited for between two tries, where the log does not say.
const RETRY: Duration = Duration::from_secs(2);
/// The shortest pause between two tries.
const SHORTEST: Duration = Duration::from_millis(500);

/// One log.
#[derive(Debug)]
pub struct LogClient {
    url: String,
    http: HttpClient,
    wait: HumanDuration,
    /// Gets a line for a person when the client begins to try again.
    notify: fn(&str),
}

/// What the log says where it says no.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    existing: Option<Existing>,
}

impl Refusal {
    /// What something else says in the log's place. A page for people, as a proxy writes, says nothing beyond its status.
    fn of_another(answer: &Response) -> Self {
        let message = if answer.is_page() { String::new() } else { answer.text() };
        Self { message, ..Self::default() }
    }
}

/// The entry that stands in the way.
#[derive(Debug, Clone, Deserialize)]
pub struct Existing {
    /// Its position, as the log says.
    pub index: u64,
    /// Its proof, to be checked.
    pub proof: String,
}

/// A page of a lookup, and where the next one begins.
#[derive(Debug, Deserialize)]
struct Positions {
    positions: Vec<u64>,
    #[serde(default)]
    next: Option<u64>,
}

impl LogClient {
    /// The log at an address without a `/` at its end; `wait` is how long it is asked again while it cannot answer;
    /// `notify` gets a line for a person when that begins.
    pub fn new(url: String, wait: HumanDuration, notify: fn(&str)) -> Self {
        let agent = concat!("stele/", env!("CARGO_PKG_VERSION"));
        Self { url, http: HttpClient::new(agent, ClientLimits::default()), wait, notify }
    }

    /// The same, with one moment at which all of its answers must be there.
    pub fn until(self, deadline: Instant) -> Self {
        Self { http: self.http.until(deadline), ..self }
    }

    /// The static files of the same log, under the same deadline.
    pub fn files(&self) -> StaticFiles {
        StaticFiles::asked(&self.url, self.http.clone(), TRIES)
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The newest tree head's bytes, not yet checked.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.get("checkpoint")?.body)
    }

    /// Submits a statement, a release with its manifest, and gives the proof that the log answers with. Submitting it twice is
    /// harmless.
    pub fn submit(&self, statement: &SignedStatement, manifest: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        let url = format!("{}/entries", self.url);
        let (media_type, body) = match manifest {
            Some(manifest) => (submission::MEDIA_TYPE, Cow::Owned(submission::encode(statement.bytes(), manifest))),
            None => (COSE, Cow::Borrowed(statement.bytes())),
        };
        let answer = self.patiently(|| Ok(self.http.post(&url, media_type, Some("text/plain"), &body)?))?;
        Ok(answer.body)
    }

    /// An entry's bytes.
    pub fn entry(&self, position: u64) -> Result<Vec<u8>, Failure> {
        let entry = self.get(&format!("entries/{position}"))?.body;
        if entry.len() > MAX_ENTRY {
            return Err(self.nonsense("an entry of at most 65535 bytes", format!("{} bytes", entry.len())).into());
        }
        Ok(entry)
    }

    /// The proof of an entry under the newest tree head.
    pub fn proof(&self, position: u64) -> Result<Vec<u8>, Failure> {
        Ok(self.get(&format!("entries/{position}/proof"))?.body)
    }

    /// The positions that a lookup gives, at most so many; ascending, each once. The log's word, to be checked.
    pub fn positions(&self, lookup: &str, subject: &str, most: usize) -> Result<Vec<u64>, Failure> {
        let question = format!("lookup/{lookup}{}", escaped(subject));
        let mut found: Vec<u64> = Vec::new();
        let mut from = 0;
        while found.len() < most {
            let answer = self.get(&format!("{question}&from={from}"))?;
            let Ok(Positions { positions, next }) = serde_json::from_slice(&answer.body) else {
                return Err(self.nonsense("JSON with positions", shorten(&answer.text())).into());
            };
            found.extend(positions.into_iter().filter(|position| *position >= from));
            match next {
                // An answer that leads back would be asked for ever.
                Some(next) if next > from => from = next,
                _ => break,
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(most);
        Ok(found)
    }

    /// What the log lists under a subject from a position on, with its proof: to be checked. It is asked for under the tree head of `at` entries, of which
    /// a cache may keep it for ever; where the log does not publish that one now, under the one that it publishes.
    pub fn name_proof(&self, subject: &Subject, from: u64, at: Option<u64>) -> Result<NameProof, Failure> {
        let parameter = if subject.kind() == Kind::Digest { "hex" } else { "name" };
        let question = format!("lookup/{}/proof?{parameter}={}", subject.kind(), escaped(subject.text()));
        let newest = || self.get(&format!("{question}&from={from}"));
        let answer = match at.map(|at| self.get(&format!("{question}&at={at}&from={from}"))) {
            Some(Err(failure)) if is_of_the_head(&failure) => newest()?,
            Some(answer) => answer?,
            None => newest()?,
        };
        let nonsense = |error: Malformed| self.nonsense("a name proof", error.to_string());
        Ok(NameProof::parse(&answer.body).map_err(nonsense)?)
    }

    fn get(&self, path: &str) -> Result<Response, Failure> {
        let url = format!("{}/{path}", self.url);
        self.patiently(|| Ok(self.http.get(&url, None)?))
    }

    /// Asks again while the log says that it cannot answer now, until the time is over. Where the log asks for a pause that would end
    /// after that, the refusal is given at once, and says when to try again.
    fn patiently(&self, ask: impl Fn() -> Result<Response, Failure>) -> Result<Response, Failure> {
        let until = Instant::now() + Duration::from_secs(self.wait.0.min(86_400));
        let mut notified = false;
        loop {
            let answer = ask()?;
            if answer.is_success() {
                return Ok(answer);
            }
            let refused = self.refused(&answer);
            let pause = answer.retry_after().unwrap_or(RETRY).max(SHORTEST);
            let left = until.saturating_duration_since(Instant::now());
            // A standby that hears of the writer takes nothing, however long it is asked.
            let is_elsewhere = refused.is_a_standbys() && answer.retry_after().is_none();
            if !matches!(answer.status, 429 | 503) || is_elsewhere || pause > left {
                return Err(refused.into());
            }
            if !std::mem::replace(&mut notified, true) {
                (self.notify)(&format!("{refused}; trying again for {}\n", self.wait));
            }
            self.http.pause(pause);
        }
    }

    /// Asks again for what may hold a little later, until the time that the log is given is over.
    pub fn until_it_holds<T>(
        &self,
        mut ask: impl FnMut() -> Result<T, Failure>,
        may_hold_later: impl Fn(&Failure) -> bool,
    ) -> Result<T, Failure> {
        let until = Instant::now() + Duration::from_secs(self.wait.0.min(86_400));
        let mut notified = false;
        loop {
            match ask() {
                Err(failure) if may_hold_later(&failure) && RETRY < until.saturating_duration_since(Instant::now()) => {
                    if !std::mem::replace(&mut notified, true) {
                        (self.notify)(&format!("{}; trying again for {}\n", failure.as_explain(), self.wait));
                    }
                    self.http.pause(RETRY);
                }
                outcome => return outcome,
            }
        }
    }

    fn refused(&self, answer: &Response) -> LogError {
        let refusal = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Refusal::of_another(answer));
        LogError::Refused {
            url: without_secrets(&self.url).into_owned(),
            status: answer.status,
            code: shorten(&refusal.error),
            message: shorten(&refusal.message),
            hint: refusal.hint.as_deref().map(shorten),
            existing: refusal.existing,
            retry_after: answer.retry_after().map(|after| after.as_secs()),
        }
    }

    /// The log answered with something that is no answer.
    pub fn nonsense(&self, expected: &'static str, found: String) -> LogError {
        LogError::Nonsense { url: without_secrets(&self.url).into_owned(), expected, found }
    }
}

/// Whether a log gives no answer under the tree head that was named: it publishes another, or it does not know how to name one.
fn is_of_the_head(failure: &Failure) -> bool {
    let error: &dyn std::error::Error = failure.as_explain();
    matches!(error.downcast_ref(), Some(LogError::Refused { code, .. }) if code == "other-head" || code == "bad-query")
}

/// A name as a value in a query: `#` and `+` mean something else there.
fn escaped(subject: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/@:".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    subject.bytes().map(escape).collect()
}

/// What a log says, as a part of a line of ours.
fn shorten(text: &str) -> String {
    one_line(&text.trim().chars().take(400).collect::<String>()).into_owned()
}

/// The status with the log's message; with its reason phrase where there is none.
fn said(status: u16, message: &str) -> String {
    if message.is_empty() { status_line(status) } else { format!("{status}: {message}") }
}

/// Whether a log says of something by this word that it does not have it.
fn is_of_a_log(code: &str) -> bool {
    matches!(code, "not-found" | "no-receipt") || CODES.contains(&code)
}

/// What a log may call its refusal to log a statement, and we call so too: every code that the description of the API names for it.
const CODES: [&str; 45] = [
    "quorum-missing",
    "asking-witnesses",
    "not-yet-published",
    "starting",
    "standby",
    "stopping",
    "writer-stopped",
    "backup-restored",
    "pool-full",
    "too-slow",
    "busy",
    "disk-full",
    "log-frozen",
    "quota",
    "internal",
    "proof-failed",
    "not-a-statement",
    "not-a-submission",
    "body-cut",
    "request-timeout",
    "too-large",
    "manifest-missing",
    "manifest-unexpected",
    "manifest-digest-differs",
    "manifest-count-differs",
    "manifest-document-differs",
    "manifest-file-missing",
    "claim-not-allowed",
    "name-claimed",
    "name-unclaimed",
    "key-not-held",
    "key-revoked",
    "key-held",
    "approvals-missing",
    "approvals-used",
    "keys-moved",
    "keys-left",
    "too-many-key-statements",
    "bad-signature",
    "other-key",
    "coordinate-bound",
    "coordinate-released",
    "reference-unknown",
    "weights-differ",
    "false-recall",
];

/// What the log said instead of yes.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No, or not now.
    #[error("the log at {url} answers {}", said(*.status, .message))]
    Refused {
        /// The log.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The log's stable word.
        code: String,
        /// The log's message.
        message: String,
        /// The log's hint.
        hint: Option<String>,
        /// The entry that stands in the way.
        existing: Option<Existing>,
        /// After how many seconds the log wants to be asked again, if it says so.
        retry_after: Option<u64>,
    },
    /// Something that is no answer.
    #[error("the log at {url} gives an answer that cannot be read")]
    Nonsense {
        /// The log.
        url: String,
        /// What should have come.
        expected: &'static str,
        /// What came.
        found: String,
    },
}

impl LogError {
    /// Whether a standby of the log refused.
    fn is_a_standbys(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "standby")
    }
}

impl Explain for LogError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { code, .. } if code == "quorum-missing" => Exit::QuorumMissing,
            Self::Refused { status: 429 | 500.., .. } => Exit::Unavailable,
            // A log's refusal has a word of its own: any other comes from something that stands in its place.
            Self::Refused { code, .. } if code.is_empty() => Exit::Unavailable,
            Self::Refused { status: 404, code, .. } if is_of_a_log(code) => Exit::NotInLog,
            // A mirror or another server has nothing at the address: that says nothing of the log.
            Self::Refused { status: 404, .. } => Exit::Unavailable,
            Self::Refused { .. } => Exit::Refused,
            Self::Nonsense { .. } => Exit::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        // The log's own word is among the facts: ours are a closed set.
        match self {
            Self::Refused { code, .. } => CODES.into_iter().find(|known| known == code).unwrap_or("log-refused"),
            Self::Nonsense { .. } => "log-answer-malformed",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { status: 502..=504, code, retry_after, .. } if code.is_empty() => {
                let when =
                    retry_after.map_or_else(|| "later".to_owned(), |after| format!("in {}", HumanDuration(after)));
                Some(format!(
                    "a proxy in front of the log answered, and not the log: the log may be stopped, or too slow; \
                     try again {when}: submitting twice is harmless"
                ))
            }
            Self::Refused { retry_after: None, .. } if self.is_a_standbys() => {
                Some("ask the log at its own address, or its writer, with --log".into())
            }
            Self::Refused { status: 429 | 500.., retry_after: Some(after), .. } => {
                Some(format!("try again in {}: submitting twice is harmless", HumanDuration(*after)))
            }
            Self::Refused { status: 429 | 500.., .. } => Some("try again later: submitting twice is harmless".into()),
            Self::Refused { code, .. } if code.is_empty() => Some(
                "is this the address of a Stele log, without a login in front? Redirections are not followed".into(),
            ),
            Self::Refused { status: 404, code, .. } if !is_of_a_log(code) => Some(
                "a mirror answers no lookups: `stele audit URL --state FOLDER` copies the log from it, and `--log FOLDER/mirror` reads the copy; or ask the log itself"
                    .into(),
            ),
            Self::Refused { hint: Some(_), .. } => {
                Some("do what the log's hint above says; the hint is the log's own and was not checked".into())
            }
            Self::Refused { .. } => None,
            Self::Nonsense { .. } => Some("is this the address of a Stele log?".into()),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Refused { code, hint, existing, .. } => {
                let mut facts: Vec<_> =
                    Some(("log says", code.clone())).into_iter().filter(|_| !code.is_empty()).collect();
                facts.extend(hint.clone().map(|hint| ("log's hint", hint)));
                if let Some(existing) = existing {
                    facts.push(("existing entry", existing.index.to_string()));
                }
                facts
            }
            Self::Nonsense { expected, found, .. } => vec![("expected", (*expected).into()), ("found", found.clone())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn refusal(status: u16, body: &str) -> LogError {
        let log = LogClient::new("http://log".into(), HumanDuration(0), |_| {});
        log.refused(&Response { status, headers: Default::default(), body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_page_of_a_proxy_is_told_by_its_status() {
        let page = "\r\n<html>\r\n<head><title>502 Bad Gateway</title></head></html>";
        for (status, line) in [(502, "502 Bad Gateway"), (503, "503 Service Unavailable"), (504, "504 Gateway Timeout")]
        {
            for body in [page, ""] {
                let error = refusal(status, body);
                assert_eq!(error.to_string(), format!("the log at http://log answers {line}"));
                assert!(error.hint().unwrap().contains("a proxy in front of the log"), "{:?}", error.hint());
                assert_eq!((error.exit(), error.facts()), (Exit::Unavailable, vec![]));
            }
        }
        let forbidden = refusal(403, page);
        assert_eq!(forbidden.to_string(), "the log at http://log answers 403 Forbidden");
        assert!(!forbidden.hint().unwrap().contains("proxy"));
    }

    #[test]
    fn what_the_log_and_a_server_say_in_words_is_shown() {
        let ours = refusal(503, r#"{"error": "busy", "message": "too many at once", "hint": "wait"}"#);
        assert_eq!(ours.to_string(), "the log at http://log answers 503: too many at once");
        assert_eq!((ours.code(), ours.hint().unwrap().contains("proxy")), ("busy", false));
        assert_eq!(refusal(500, "no room\n").to_string(), "the log at http://log answers 500: no room");
    }

    #[test]
    fn every_code_that_the_api_describes_for_a_submission_is_known() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.yaml"))
            .expect("the description");
        let (_, route) = text.split_once("\n  /entries:\n").expect("the route");
        let (route, _) = route.split_once("\n  /").expect("the next route");
        let described: BTreeSet<&str> = route
            .lines()
            .filter(|line| line.trim_start().starts_with("\"4") || line.trim_start().starts_with("\"5"))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter(|word| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()) && *word != "existing")
            .collect();
        let known: BTreeSet<&str> = CODES.into_iter().collect();
        assert_eq!(known.len(), CODES.len(), "one is there twice");
        assert_eq!(described, known);
    }
}
