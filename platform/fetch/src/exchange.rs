//! One request and what came of it, for who wants to see each; and addresses without what opens doors.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

/// What a parameter's name holds whose value is never shown: tokens, signed addresses of object stores, passwords.
const SECRET_NAMES: [&str; 10] = ["token", "key", "secret", "pass", "pwd", "sig", "auth", "cred", "session", "code"];
/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// `GET`, `POST`, `PUT`.
    pub method: &'a str,
    /// The address, [without secrets](without_secrets).
    pub url: Cow<'a, str>,
    /// What came.
    pub outcome: Outcome,
    /// From the request to the whole answer.
    pub took: Duration,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its body's bytes.
        bytes: usize,
    },
    /// None; the code says why.
    None(&'static str),
}

impl Exchange<'_> {
    /// The exchange in a line: `GET http://127.0.0.1:8080/checkpoint: 200, 512 bytes, 3 ms`.
    pub fn line(&self) -> String {
        let (method, url, ms) = (self.method, &self.url, self.took.as_millis());
        match self.outcome {
            Outcome::Answer { status, bytes } => format!("{method} {url}: {status}, {bytes} bytes, {ms} ms"),
            Outcome::None(code) => format!("{method} {url}: no answer ({code}), {ms} ms"),
        }
    }
}

/// Who sees every exchange of this process.
static OBSERVER: OnceLock<fn(&Exchange<'_>)> = OnceLock::new();

/// Has every exchange of this process shown to `observer`, which is set once: a second one is not taken.
pub fn observe(observer: fn(&Exchange<'_>)) {
    let _ = OBSERVER.set(observer);
}

pub(crate) fn observer() -> Option<fn(&Exchange<'_>)> {
    OBSERVER.get().copied()
}

/// An address as it may be shown: without user and password, and without the values of parameters that are secrets by their names.
pub fn without_secrets(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default());
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&")),
        None => path.to_owned(),
    };
    let shown = format!("{scheme}://{authority}{path}");
    if shown == url { url.into() } else { shown.into() }
}

fn parameter(pair: &str) -> String {
    let Some((name, _)) = pair.split_once('=') else { return pair.to_owned() };
    let lower = name.to_ascii_lowercase();
    let is_secret = SECRET_NAMES.iter().any(|secret| lower.contains(secret));
    if is_secret { format!("{name}={HIDDEN}") } else { pair.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_and_the_rest_is() {
        for (url, shown) in [
            ("https://me:pw@log.example/stele", "https://***@log.example/stele"),
            ("https://tok@log.example", "https://***@log.example"),
            ("https://a@b:pw@log.example/x", "https://***@log.example/x"),
            ("https://log.example/x?token=abc&from=3", "https://log.example/x?token=***&from=3"),
            (
                "https://s3.example/o?X-Amz-Signature=1f&X-Amz-Credential=AK&X-Amz-Date=2",
                "https://s3.example/o?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=2",
            ),
            ("https://log.example/x?API_KEY=a", "https://log.example/x?API_KEY=***"),
            ("https://me:pw@log.example?password=a", "https://***@log.example?password=***"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
        for same in [
            "https://log.example/lookup/name?value=acme.example/tiny@1&from=0",
            "http://127.0.0.1:8080",
            "folder/x",
            "",
        ] {
            assert_eq!(without_secrets(same), same);
        }
    }

    #[test]
    fn a_line_says_what_was_asked_and_what_came() {
        let exchange =
            |outcome| Exchange { method: "GET", url: "http://a/b".into(), outcome, took: Duration::from_millis(7) };
        assert_eq!(exchange(Outcome::Answer { status: 404, bytes: 12 }).line(), "GET http://a/b: 404, 12 bytes, 7 ms");
        assert_eq!(exchange(Outcome::None("timed-out")).line(), "GET http://a/b: no answer (timed-out), 7 ms");
    }
}
