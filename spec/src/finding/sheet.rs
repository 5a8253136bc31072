//! Where rules write down what they find about one entry.

use super::{Code, Evidence, Finding};
use crate::name::Coordinate;

/// The most values of a list that one finding shows; the number of all is beside them.
pub(super) const MAX_SHOWN: usize = 16;

/// The findings about one entry.
#[derive(Debug)]
pub(super) struct Sheet {
    position: Option<u64>,
    coordinate: Option<Coordinate>,
    found: Vec<Finding>,
}

impl Sheet {
    pub(super) fn new(position: Option<u64>, coordinate: impl Into<Option<Coordinate>>) -> Self {
        Self { position, coordinate: coordinate.into(), found: Vec::new() }
    }

    pub(super) fn report(&mut self, code: Code, summary: impl Into<String>, evidence: Vec<Evidence>) {
        let (mode, severity) = (code.mode(), code.severity());
        let (position, coordinate) = (self.position, self.coordinate.clone());
        self.found.push(Finding { code, mode, severity, position, coordinate, summary: summary.into(), evidence });
    }

    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}

/// The longest text of a file that a finding shows, in characters: files are longer than statements can be.
const MAX_TEXT: usize = 256;

/// A text of a file, cut where it is longer than a finding shows.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_TEXT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// One value.
pub(super) fn shown(name: &str, value: impl ToString) -> Evidence {
    Evidence { name: name.to_owned(), value: value.to_string() }
}

/// The first of a list, and how many there are when it is longer.
pub(super) fn shown_list<T: ToString>(name: &str, values: impl IntoIterator<Item = T>) -> Vec<Evidence> {
    let values: Vec<T> = values.into_iter().collect();
    let mut evidence: Vec<_> = values.iter().take(MAX_SHOWN).map(|value| shown(name, value.to_string())).collect();
    if values.len() > MAX_SHOWN {
        evidence.push(shown(&format!("{name}, in all"), values.len()));
    }
    evidence
}
