//! What was found, row by row.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::rows::{Level, ROWS, Row};

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Ok,
    /// Something else, in words.
    Deviation(String),
    /// Not asked, and why.
    Skipped(String),
}

impl Outcome {
    /// `ok`, `deviation` or `skipped`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Deviation(_) => "deviation",
            Self::Skipped(_) => "skipped",
        }
    }

    fn found(&self) -> &str {
        match self {
            Self::Ok => "",
            Self::Deviation(found) | Self::Skipped(found) => found,
        }
    }
}

/// What came of every row.
#[derive(Clone, Debug)]
pub struct Report {
    witness: String,
    outcomes: BTreeMap<&'static str, Outcome>,
}

impl Report {
    /// A report of the witness at an address, of which nothing is known yet.
    pub fn new(witness: String) -> Self {
        Self { witness, outcomes: BTreeMap::new() }
    }

    /// What was found of a row; a deviation is never taken back.
    pub fn tell(&mut self, id: &'static str, outcome: Outcome) {
        debug_assert!(ROWS.iter().any(|row| row.id == id), "there is no row {id}");
        let known = self.outcomes.entry(id).or_insert_with(|| outcome.clone());
        if !matches!(known, Outcome::Deviation(_)) {
            *known = outcome;
        }
    }

    /// Every row with its outcome, in the order of [`ROWS`].
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, Outcome)> + '_ {
        ROWS.iter().map(|row| {
            let outcome = self.outcomes.get(row.id).cloned();
            (row, outcome.unwrap_or_else(|| Outcome::Skipped("not reached".to_owned())))
        })
    }

    /// The names of the rows with an outcome, given by its word.
    pub fn with(&self, word: &str) -> Vec<&'static str> {
        self.rows().filter(|(_, outcome)| outcome.word() == word).map(|(row, _)| row.id).collect()
    }

    /// How many rows that MUST hold do not.
    pub fn violations(&self) -> usize {
        self.rows()
            .filter(|(row, outcome)| row.level == Level::Must && matches!(outcome, Outcome::Deviation(_)))
            .count()
    }

    /// The same for a program.
    pub fn to_json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows()
            .map(|(row, outcome)| {
                json!({
                    "id": row.id, "level": row.level.word(), "section": row.section, "when": row.when,
                    "expected": row.expected, "outcome": outcome.word(), "found": outcome.found(),
                })
            })
            .collect();
        json!({"witness": self.witness, "rows": rows, "violations": self.violations()})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} against c2sp.org/tlog-witness\n", self.witness)?;
        for (row, outcome) in self.rows() {
            writeln!(f, "{:<9} {:<4} {:<6} {}: {}", outcome.word(), row.id, row.level.word(), row.when, row.expected)?;
            if !outcome.found().is_empty() {
                let said = if matches!(outcome, Outcome::Skipped(_)) { "because" } else { "found" };
                writeln!(f, "{:22}{said}: {}", "", outcome.found())?;
            }
        }
        let count = |word| self.with(word).len();
        writeln!(
            f,
            "\n{} ok, {} deviations ({} from a MUST), {} skipped",
            count("ok"),
            count("deviation"),
            self.violations(),
            count("skipped")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_stays_and_only_one_from_a_must_is_a_violation() {
        let mut report = Report::new("http://w".into());
        report.tell("G6b", Outcome::Deviation("none".into()));
        assert_eq!(report.violations(), 0);
        report.tell("F4", Outcome::Deviation("200".into()));
        report.tell("F4", Outcome::Ok);
        report.tell("A1", Outcome::Ok);
        assert_eq!(
            (report.violations(), report.with("deviation"), report.with("ok")),
            (1, vec!["F4", "G6b"], vec!["A1"])
        );
        let text = report.to_string();
        let end = format!("1 ok, 2 deviations (1 from a MUST), {} skipped\n", ROWS.len() - 3);
        assert!(text.contains("found: 200") && text.ends_with(&end), "{text}");
        assert_eq!(report.to_json()["violations"], 1);
    }
}
