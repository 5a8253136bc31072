//! One request and what came of it, for who wants to see each.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// `GET`, `POST`, `PUT`.
    pub method: &'a str,
    /// The address, [without secrets](stele_explain::secrets::without_secrets).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_asked_and_what_came() {
        let exchange =
            |outcome| Exchange { method: "GET", url: "http://a/b".into(), outcome, took: Duration::from_millis(7) };
        assert_eq!(exchange(Outcome::Answer { status: 404, bytes: 12 }).line(), "GET http://a/b: 404, 12 bytes, 7 ms");
        assert_eq!(exchange(Outcome::None("timed-out")).line(), "GET http://a/b: no answer (timed-out), 7 ms");
    }
}
