//! What is known of a server: the rows that are not `ok`. A run that differs in either direction is a change to look at.
//!
//! ```text
//! # comment
//! F4 deviation
//! M2 skipped
//! ```

use std::collections::BTreeMap;
use std::fmt;

use crate::failure::{Failure, Step};
use crate::report::Report;
use crate::row::Table;

/// The longest file in bytes.
pub const MAX_FILE: usize = 64 * 1024;

/// The rows that are known not to be `ok`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected(BTreeMap<&'static str, &'static str>);

impl Expected {
    /// Reads a file; a row is named once.
    pub fn parse(table: &'static Table, text: &str) -> Step<Self> {
        if text.len() > MAX_FILE {
            return Err(Failure::new(format!("expected at most {MAX_FILE} bytes, found {}", text.len())));
        }
        let mut known = BTreeMap::new();
        for (line, text) in (1..).zip(text.split('\n')) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let bad = || Failure::new(format!("line {line}: expected `ID deviation` or `ID skipped`, found {text:?}"));
            let (id, word) = text.split_once(' ').ok_or_else(bad)?;
            let row = table.find(id).ok_or_else(|| Failure::new(format!("line {line}: there is no row {id:?}")))?;
            let word = ["deviation", "skipped"].into_iter().find(|known| *known == word).ok_or_else(bad)?;
            if known.insert(row.id, word).is_some() {
                return Err(Failure::new(format!("line {line}: {id} is there twice")));
            }
        }
        Ok(Self(known))
    }

    /// What is expected of a server that did as this report says.
    pub fn of(report: &Report) -> Self {
        let rows = report.rows().map(|(row, outcome)| (row.id, outcome.word()));
        Self(rows.filter(|(_, word)| *word != "ok").collect())
    }

    /// Every row that came out otherwise, in words.
    pub fn differences(&self, report: &Report) -> Vec<String> {
        let differs = report.rows().filter_map(|(row, outcome)| {
            let expected = self.0.get(row.id).copied().unwrap_or("ok");
            (expected != outcome.word()).then(|| format!("{}: expected {expected}, found {}", row.id, outcome.word()))
        });
        differs.collect()
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(id, word)| writeln!(f, "{id} {word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;
    use crate::report::tests::TABLE;

    #[test]
    fn loose_files_are_refused_with_their_line() {
        for text in
            ["A1", "A1 ok", "A1  deviation", "A1 deviation ", "Z9 skipped", "A1 skipped\nA1 skipped", " A1 skipped"]
        {
            let refused = Expected::parse(&TABLE, text).unwrap_err().to_string();
            assert!(refused.starts_with("line "), "{text:?}: {refused}");
        }
        assert!(Expected::parse(&TABLE, &"#".repeat(MAX_FILE + 1)).is_err());
    }

    #[test]
    fn a_change_in_either_direction_is_a_difference() {
        let mut report = Report::new(&TABLE, String::new());
        TABLE.rows.iter().for_each(|row| report.tell(row.id, Outcome::Ok));
        let expected = Expected::parse(&TABLE, "# older documents\nA1 deviation\n\nA2 skipped\n").unwrap();
        assert_eq!(
            expected.differences(&report),
            ["A1: expected deviation, found ok", "A2: expected skipped, found ok"]
        );
        report.tell("A1", Outcome::Deviation("closed".into()));
        report.tell("A2", Outcome::Skipped("none".into()));
        assert!(expected.differences(&report).is_empty());
        assert_eq!(Expected::of(&report), expected);
        report.tell("B1", Outcome::Deviation("open".into()));
        assert_eq!(expected.differences(&report), ["B1: expected ok, found deviation"]);
        assert_eq!(Expected::parse(&TABLE, &expected.to_string()).unwrap(), expected);
    }
}
