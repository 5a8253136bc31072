//! One table: points, outcomes, and how the program came out.

use crate::point::{Outcome, Point};
use crate::subject::Survived;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use stele_probe::failure::Failure;

/// What was found of one program at one piece of work.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    failures: Vec<String>,
    codes: BTreeSet<String>,
}

#[derive(Debug)]
struct Row {
    program: &'static str,
    work: &'static str,
    point: Point,
    cells: BTreeMap<Outcome, String>,
}

impl Report {
    /// Takes what came of one outcome at one point.
    pub fn take(
        &mut self,
        (program, work): (&'static str, &'static str),
        point: &Point,
        outcome: Outcome,
        result: &Result<Survived, Failure>,
    ) {
        let cell = match result {
            Ok(survived) => {
                if let Survived::Stopped(why) = survived {
                    self.codes.insert(why.clone());
                }
                survived.word()
            }
            Err(failure) => {
                self.failures.push(format!("{program}, {work}: {point}: {}:\n{failure}", outcome.word()));
                "BROKEN".into()
            }
        };
        let is_row = |row: &&mut Row| (row.program, row.work, &row.point) == (program, work, point);
        match self.rows.iter_mut().find(is_row) {
            Some(row) => drop(row.cells.insert(outcome, cell)),
            None => {
                let cells = BTreeMap::from([(outcome, cell)]);
                self.rows.push(Row { program, work, point: point.clone(), cells });
            }
        }
    }

    /// Takes a piece of work that could not be begun.
    pub fn could_not(&mut self, program: &str, work: &str, failure: &Failure) {
        self.failures.push(format!("{program}, {work}: {failure}"));
    }

    /// Whether every promise was kept.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many outcomes, by how they ended.
    fn counts(&self, program: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.program == program) {
            row.cells.values().for_each(|cell| *counts.entry(cell.as_str()).or_default() += 1);
        }
        counts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |row: &Row| format!("{} {}", row.work, row.point);
        let width = self.rows.iter().map(|row| told(row).chars().count()).max().unwrap_or(0);
        let mut programs: Vec<&str> = Vec::new();
        for row in &self.rows {
            if programs.last() != Some(&row.program) {
                programs.push(row.program);
                let heads = Outcome::ALL.iter().fold(String::new(), |mut line, outcome| {
                    let _ = write!(line, "  {:<12}", outcome.word());
                    line
                });
                writeln!(f, "\n{:<width$}{heads}", row.program)?;
            }
            write!(f, "{:<width$}", told(row))?;
            for outcome in Outcome::ALL {
                write!(f, "  {:<12}", row.cells.get(&outcome).map_or("", String::as_str))?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for program in programs {
            let counts: Vec<String> =
                self.counts(program).iter().map(|(word, count)| format!("{count} {word}")).collect();
            let points = self.rows.iter().filter(|row| row.program == program).count();
            let outcomes: usize = self.counts(program).values().sum();
            writeln!(f, "{program}: {points} points, {outcomes} outcomes: {}", counts.join(", "))?;
        }
        for code in &self.codes {
            writeln!(f, "stopped with: {code}")?;
        }
        for failure in &self.failures {
            writeln!(f, "\nBROKEN {failure}")?;
        }
        Ok(())
    }
}
