//! One finding, and the values that it rests on.

use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::code::{Code, Mode, Severity};
use crate::name::Coordinate;

/// Something that an auditor reports. Everything in it follows from the entries of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule.
    pub code: Code,
    /// The failure mode that the rule belongs to.
    pub mode: Mode,
    /// How much it weighs.
    pub severity: Severity,
    /// The entry that makes it a finding; none for a draft that is in no log.
    #[serde(default, rename = "entry", skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinate: Option<Coordinate>,
    /// One sentence for people.
    pub summary: String,
    /// The values it rests on, in the order of the chapter.
    pub evidence: Vec<Evidence>,
}

/// One value that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Finding {
    /// What decides the order: equal keys are equal findings.
    fn key(&self) -> (Option<u64>, &'static str, &Option<Coordinate>, &[Evidence], &str) {
        (self.position, self.code.as_str(), &self.coordinate, &self.evidence, &self.summary)
    }
}

impl Ord for Finding {
    /// By position, code, coordinate and evidence. The code sorts by its text, so that a new one moves no others.
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
