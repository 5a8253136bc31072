//! What Prometheus reads: for each log its size, the age of the last cosignature, answers by status, conflicts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::decide::Conflict;

/// The counters of one log, or of requests that belong to none.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Counts>);

/// A look at the counters.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Answers to add-checkpoint by HTTP status.
    pub answers: BTreeMap<u16, u64>,
    /// The HTTP status of the last of them; 0 before the first.
    pub last_status: u16,
    /// Answers to sign-subtree by HTTP status.
    pub subtrees: BTreeMap<u16, u64>,
    /// Conflicting checkpoints that were seen, kept or not.
    pub conflicts: BTreeMap<Conflict, u64>,
    /// For a log that we ask ourselves: how its answers were taken.
    pub pulls: BTreeMap<Pulled, u64>,
    /// When its checkpoint was last read and was as it should be, in seconds since 1970; 0 if never.
    pub pulled_at: u64,
    /// How many questions in a row have failed.
    pub pull_failing: u64,
    /// Evidence that could not be written.
    pub evidence_lost: u64,
    /// Files of evidence that are kept.
    pub held: BTreeMap<Conflict, u64>,
    /// The size that was cosigned last.
    pub size: u64,
    /// When, in seconds since 1970; 0 if never.
    pub time: u64,
}

/// What came of asking a log for its checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pulled {
    /// It was cosigned.
    Cosigned,
    /// It is the one that was cosigned last, not long ago.
    Unchanged,
    /// The log has used up what it may have a day.
    TooOften,
    /// It is smaller than what was cosigned.
    WentBack,
    /// It is not cosigned: a fork, or no proof of growth.
    Refused,
    /// It or its tiles cannot be had, or are not the log's.
    Failed,
    /// We cannot sign now.
    Unwell,
}

impl Pulled {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Cosigned, Self::Unchanged, Self::TooOften, Self::WentBack, Self::Refused, Self::Failed, Self::Unwell];

    /// In kebab-case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cosigned => "cosigned",
            Self::Unchanged => "unchanged",
            Self::TooOften => "too-often",
            Self::WentBack => "went-back",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unwell => "unwell",
        }
    }

    /// Whether the log or we are not as we should be.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Cosigned | Self::Unchanged | Self::TooOften)
    }
}

impl Counters {
    /// Counts something.
    pub fn note(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts an answer.
    pub fn answered(&self, status: u16) {
        self.note(|counts| {
            *counts.answers.entry(status).or_default() += 1;
            counts.last_status = status;
        });
    }

    /// Counts an answer to sign-subtree.
    pub fn signed_subtree(&self, status: u16) {
        self.note(|counts| *counts.subtrees.entry(status).or_default() += 1);
    }

    /// Counts a question to a log.
    pub fn pulled(&self, outcome: Pulled, now: u64) {
        self.note(|counts| {
            *counts.pulls.entry(outcome).or_default() += 1;
            if outcome.is_failure() {
                counts.pull_failing += 1;
            } else {
                counts.pull_failing = 0;
                counts.pulled_at = now;
            }
        });
    }

    /// A look at them.
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The exposition: one line a value, each family with its help and type.
///
/// `logs` by origin; `stray` are the answers to requests that name no log of ours.
pub fn exposition(logs: &[(&str, Counts)], stray: &Counts) -> String {
    let mut text = String::new();
    family(&mut text, "size", "gauge", "Tree size that was cosigned last");
    for (origin, counts) in logs {
        line(&mut text, "size", &[("origin", origin)], counts.size);
    }
    family(&mut text, "cosigned_timestamp_seconds", "gauge", "Time in the last cosignature, 0 if there is none");
    for (origin, counts) in logs {
        line(&mut text, "cosigned_timestamp_seconds", &[("origin", origin)], counts.time);
    }
    family(&mut text, "last_status", "gauge", "HTTP status of the last answer to add-checkpoint, 0 before the first");
    for (origin, counts) in logs {
        line(&mut text, "last_status", &[("origin", origin)], counts.last_status.into());
    }
    family(&mut text, "answers_total", "counter", "Answers to add-checkpoint by HTTP status; no origin: none of ours");
    for (origin, counts) in logs.iter().map(|(origin, counts)| (*origin, counts)).chain([("", stray)]) {
        for (status, count) in &counts.answers {
            line(&mut text, "answers_total", &[("origin", origin), ("status", &status.to_string())], *count);
        }
    }
    family(&mut text, "subtrees_total", "counter", "Answers to sign-subtree by HTTP status; no origin: none of ours");
    for (origin, counts) in logs.iter().map(|(origin, counts)| (*origin, counts)).chain([("", stray)]) {
        for (status, count) in &counts.subtrees {
            line(&mut text, "subtrees_total", &[("origin", origin), ("status", &status.to_string())], *count);
        }
    }
    family(
        &mut text,
        "conflicts_total",
        "counter",
        "Checkpoints signed by their log that contradict what was cosigned",
    );
    for (origin, counts) in logs {
        for kind in Conflict::ALL {
            let count = counts.conflicts.get(&kind).copied().unwrap_or_default();
            line(&mut text, "conflicts_total", &[("origin", origin), ("kind", kind.word())], count);
        }
    }
    family(
        &mut text,
        "evidence",
        "gauge",
        "Files of evidence against the log that are kept; unproven ones are suspicions",
    );
    for (origin, counts) in logs {
        for kind in Conflict::ALL {
            let count = counts.held.get(&kind).copied().unwrap_or_default();
            line(&mut text, "evidence", &[("origin", origin), ("kind", kind.word())], count);
        }
    }
    family(&mut text, "evidence_lost_total", "counter", "Conflicts that could not be written to the disk");
    for (origin, counts) in logs {
        line(&mut text, "evidence_lost_total", &[("origin", origin)], counts.evidence_lost);
    }
    pulls(&mut text, logs);
    text
}

/// Of the logs that were asked at least once.
fn pulls(text: &mut String, logs: &[(&str, Counts)]) {
    let asked: Vec<_> = logs.iter().filter(|(_, counts)| !counts.pulls.is_empty()).collect();
    family(text, "pulls_total", "counter", "Checkpoints asked for, by what came of it");
    for (origin, counts) in &asked {
        for outcome in Pulled::ALL {
            let count = counts.pulls.get(&outcome).copied().unwrap_or_default();
            line(text, "pulls_total", &[("origin", origin), ("outcome", outcome.word())], count);
        }
    }
    family(text, "pull_success_timestamp_seconds", "gauge", "When a checkpoint was last read and was as it should be");
    for (origin, counts) in &asked {
        line(text, "pull_success_timestamp_seconds", &[("origin", origin)], counts.pulled_at);
    }
    family(text, "pull_failing", "gauge", "How many questions in a row have failed");
    for (origin, counts) in &asked {
        line(text, "pull_failing", &[("origin", origin)], counts.pull_failing);
    }
}

pub(crate) fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP stele_witness_{name} {help}\n# TYPE stele_witness_{name} {kind}");
}

pub(crate) fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let _ = writeln!(text, "stele_witness_{name}{{{}}} {value}", labels.join(","));
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_cannot_write_lines_of_its_own() {
        let text = exposition(&[("a\"} 1\nstele_witness_size{origin=\"b", Counts::default())], &Counts::default());
        assert!(text.contains("stele_witness_size{origin=\"a\\\"} 1\\nstele_witness_size{origin=\\\"b\"} 0\n"));
    }

    #[test]
    fn answers_are_counted_by_status() {
        let counters = Counters::default();
        [200, 409, 200].into_iter().for_each(|status| counters.answered(status));
        counters.note(|counts| *counts.conflicts.entry(Conflict::SameSize).or_default() += 1);
        counters.note(|counts| *counts.held.entry(Conflict::SameSize).or_default() += 2);
        let text = exposition(&[("log.example/a", counters.counts())], &Counts::default());
        for line in [
            "stele_witness_answers_total{origin=\"log.example/a\",status=\"200\"} 2\n",
            "stele_witness_answers_total{origin=\"log.example/a\",status=\"409\"} 1\n",
            "stele_witness_last_status{origin=\"log.example/a\"} 200\n",
            "stele_witness_conflicts_total{origin=\"log.example/a\",kind=\"same-size\"} 1\n",
            "stele_witness_conflicts_total{origin=\"log.example/a\",kind=\"unproven\"} 0\n",
            "stele_witness_evidence{origin=\"log.example/a\",kind=\"same-size\"} 2\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
