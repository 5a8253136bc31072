//! What was found, row by row.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::row::{Level, Row, Table};

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
    table: &'static Table,
    address: String,
    outcomes: BTreeMap<&'static str, Outcome>,
}

impl Report {
    /// A report of what is at an address, of which nothing is known yet.
    pub fn new(table: &'static Table, address: String) -> Self {
        Self { table, address, outcomes: BTreeMap::new() }
    }

    /// What was asked.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// What was found of a row; a deviation is never taken back.
    pub fn tell(&mut self, id: &'static str, outcome: Outcome) {
        debug_assert!(self.table.find(id).is_some(), "there is no row {id}");
        let known = self.outcomes.entry(id).or_insert_with(|| outcome.clone());
        if !matches!(known, Outcome::Deviation(_)) {
            *known = outcome;
        }
    }

    /// Tells a row what was found otherwise.
    pub fn found(&mut self, id: &'static str, wrong: Option<String>) {
        self.tell(id, wrong.map_or(Outcome::Ok, Outcome::Deviation));
    }

    /// Why rows are not asked.
    pub fn skip(&mut self, ids: &[&'static str], why: &str) {
        for id in ids {
            self.tell(id, Outcome::Skipped(why.to_owned()));
        }
    }

    /// Every row with its outcome, in their order.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, Outcome)> + '_ {
        self.table.rows.iter().map(|row| {
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
        json!({self.table.subject: self.address, "document": self.table.document, "rows": rows, "violations": self.violations()})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} against {}\n", self.address, self.table.document)?;
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
pub(crate) mod tests {
    use super::*;

    /// Three rows.
    pub(crate) const TABLE: Table = Table {
        subject: "door",
        document: "a document",
        rows: &[
            Row::new("A1", Level::Must, "Opening", "it is knocked", "opened"),
            Row::new("A2", Level::Should, "Opening", "the same", "within a second"),
            Row::new("B1", Level::Must, "Closing", "it is pushed", "closed"),
        ],
    };

    #[test]
    fn a_deviation_stays_and_only_one_from_a_must_is_a_violation() {
        let mut report = Report::new(&TABLE, "http://w".into());
        report.tell("A2", Outcome::Deviation("never".into()));
        assert_eq!(report.violations(), 0);
        report.tell("B1", Outcome::Deviation("open".into()));
        report.tell("B1", Outcome::Ok);
        report.skip(&["A2"], "nobody is there");
        assert_eq!((report.violations(), report.with("deviation")), (1, vec!["A2", "B1"]));
        let text = report.to_string();
        let end = "0 ok, 2 deviations (1 from a MUST), 1 skipped\n";
        assert!(text.contains("found: open") && text.contains("not reached") && text.ends_with(end), "{text}");
        let json = report.to_json();
        assert_eq!((&json["door"], &json["violations"]), (&"http://w".into(), &1.into()));
    }
}
