//! What an examination by `check` or `doctor` found: a line for each thing that was checked, in that order.

use serde_json::{Value, json};
use std::fmt::{Display, Write as _};
use stele_explain::Explain;
use stele_explain::printable::one_line;

use crate::finish::Output;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Legal, and likely not meant.
    Warning,
    /// It must be corrected.
    Failure,
}

/// What was checked, each with what was found.
#[derive(Debug, Default)]
pub struct Checks(Vec<(Level, &'static str, String)>);

impl Checks {
    /// Something that is as it should be.
    pub fn ok(&mut self, what: &'static str, words: impl Into<String>) {
        self.0.push((Level::Ok, what, words.into()));
    }

    /// Something that is likely not meant.
    pub fn warn(&mut self, what: &'static str, words: impl Into<String>) {
        self.0.push((Level::Warning, what, words.into()));
    }

    /// Something that must be corrected.
    pub fn fail(&mut self, what: &'static str, words: impl Into<String>) {
        self.0.push((Level::Failure, what, words.into()));
    }

    /// An error that must be corrected, with its hint.
    pub fn explain(&mut self, what: &'static str, error: &impl Explain) {
        let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        self.fail(what, format!("{error}{hint}"));
    }

    /// The value, if there is one; else the error is noted.
    pub fn take<T, E: Display>(&mut self, what: &'static str, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|error| self.fail(what, error.to_string())).ok()
    }

    /// How many must be corrected.
    pub fn failures(&self) -> usize {
        self.0.iter().filter(|(level, ..)| *level == Level::Failure).count()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// A line each. Words from outside stay in their line.
    fn text(&self) -> String {
        let mut text = String::new();
        for (level, what, words) in &self.0 {
            let _ = writeln!(text, "{} {what:<10} {}", level.word(), one_line(words));
        }
        text
    }

    /// A line each, and for a script an object each.
    pub fn output(&self) -> Output {
        let (text, checks) = self.parts();
        (text, json!({"checks": checks})).into()
    }

    /// The lines, and the list of objects: for a report that has more to say.
    pub fn parts(&self) -> (String, Value) {
        let each = self.0.iter();
        let each = each.map(|(level, what, words)| json!({"level": level.word().trim(), "what": what, "found": words}));
        (self.text(), each.collect())
    }
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok  ",
            Self::Warning => "warn",
            Self::Failure => "FAIL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_stays_in_its_line_and_draws_nothing() {
        let mut found = Checks::default();
        found.ok("disk", "5 MiB free");
        found.fail("witness", "w1: \u{1b}[2Jok\nok   witness    all is well");
        assert_eq!((found.count(), found.failures()), (2, 1));
        let text = found.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("ok   disk       5 MiB free\nFAIL witness    w1: \\u{1b}[2Jok\\nok"), "{text}");
        assert_eq!(found.output().json["checks"][1]["level"], "FAIL");
    }
}
