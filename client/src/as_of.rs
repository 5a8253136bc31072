//! As of when: the age of a tree head, and how a status is known.

use serde_json::{Value, json};
use stele_host::exit::{Exit, Explain};

use crate::log_reader::Head;
use crate::span::{Span, moment};
use crate::standing::{Source, Standing};

/// How old a tree head is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age {
    as_of: Option<u64>,
    now: u64,
}

impl Age {
    /// The age of a head: from the median of its cosignatures' times.
    pub(crate) fn of(head: &Head, now: u64) -> Self {
        Self { as_of: head.trusted.time().map(|time| time.seconds()), now }
    }

    /// In seconds; nothing where no witness gives a time.
    pub(crate) fn seconds(self) -> Option<u64> {
        self.as_of.map(|as_of| self.now.saturating_sub(as_of))
    }

    /// The younger of two: what an older head proves, a newer one of the same tree proves as well.
    pub(crate) fn or_younger(self, other: Self) -> Self {
        Self { as_of: self.as_of.max(other.as_of), now: self.now }
    }

    /// Refuses what is older.
    pub(crate) fn check(self, max: Option<Span>) -> Result<(), TooOld> {
        let Some(max) = max else { return Ok(()) };
        match self.seconds() {
            Some(found) if found <= max.0 => Ok(()),
            found => Err(TooOld { max, found: found.map(Span) }),
        }
    }

    /// `2026-06-25T09:31:01Z (3 days ago)`.
    pub(crate) fn text(self) -> String {
        match self.as_of {
            None => "an unknown time: no witness gives one".to_owned(),
            Some(as_of) if as_of > self.now => {
                format!("{} ({} ahead of this machine's clock)", moment(as_of), Span(as_of - self.now))
            }
            Some(as_of) => format!("{} ({} ago)", moment(as_of), Span(self.now - as_of)),
        }
    }

    /// For a script.
    pub(crate) fn json(self) -> Value {
        json!({ "time": self.as_of.map(moment), "age_seconds": self.seconds() })
    }
}

/// On what a status rests, in a sentence.
pub(crate) fn status(standing: &Standing, now: u64) -> String {
    let head = format!("{}, head of size {}", Age::of(&standing.head, now).text(), standing.head.size());
    let complete = match standing.complete {
        true => "complete up to there, by the log's index",
        false => "all that the log named; that it named all is its word",
    };
    match standing.source {
        Source::Bundle => format!(
            "{head}; it rests on the release alone: later statements, a withdrawal for example, are not in this evidence (--online asks the log)"
        ),
        Source::Kept => format!(
            "{head}, when the log was last asked: {complete}; what came later is not known here (--online asks)"
        ),
        Source::Log => format!("{head}, asked now: {complete}"),
    }
}

/// The same for a script.
pub(crate) fn status_json(standing: &Standing, now: u64) -> Value {
    let age = Age::of(&standing.head, now);
    json!({
        "source": standing.source.as_str(),
        "complete": standing.complete,
        "tree_size": standing.head.size(),
        "time": age.as_of.map(moment),
        "age_seconds": age.seconds(),
    })
}

/// Evidence that holds and is older than asked for.
#[derive(Debug, thiserror::Error)]
#[error("the evidence is too old")]
pub(crate) struct TooOld {
    /// What was asked for.
    max: Span,
    /// How old it is, if it has a time.
    found: Option<Span>,
}

impl Explain for TooOld {
    fn exit(&self) -> Exit {
        Exit::QuorumMissing
    }

    fn code(&self) -> &'static str {
        "evidence-too-old"
    }

    fn hint(&self) -> Option<String> {
        Some("--online asks the log; or get a newer release.stele: the release is the same, the proof younger".into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let found = self.found.map_or_else(|| "no time at all".to_owned(), |found| found.to_string());
        vec![("expected", format!("at most {}", self.max)), ("found", found)]
    }
}
