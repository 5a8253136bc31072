//! What a witness counts of each log while it runs: answers by status, conflicts, questions to a log that does not call.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::decide::ConflictKind;

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
    pub conflicts: BTreeMap<ConflictKind, u64>,
    /// For a log that we ask ourselves: how its answers were taken.
    pub pulls: BTreeMap<Pulled, u64>,
    /// When its checkpoint was last read and was as it should be, in seconds since 1970; 0 if never.
    pub pulled_at: u64,
    /// How many questions in a row have failed.
    pub pull_failing: u64,
    /// Evidence that could not be written.
    pub evidence_lost: u64,
    /// Files of evidence that are kept.
    pub held: BTreeMap<ConflictKind, u64>,
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
