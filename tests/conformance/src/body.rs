//! The body of `add-checkpoint`: what is right, kept in parts, so that a check can change one of them.

use std::fmt;

use stele_spec::checkpoint::Checkpoint;
use stele_spec::note::SignedNote;

use super::logs::{Branch, TestLog};
use stele_probe::failure::Step;

/// A request for a cosignature, as text.
#[derive(Clone, Debug)]
pub struct Request {
    /// The old size.
    pub old: String,
    /// The proof, a hash a line.
    pub proof: Vec<String>,
    /// The signed checkpoint.
    pub note: String,
    /// What is in the note: what would be cosigned.
    pub checkpoint: Checkpoint,
}

impl Request {
    /// From the size that was cosigned last to a larger or equal one, with its proof, all of it right.
    pub fn growth(log: &mut TestLog, size: u64) -> Step<Self> {
        Self::between(log, log.size, size)
    }

    /// The same from any size.
    pub fn between(log: &mut TestLog, old: u64, size: u64) -> Step<Self> {
        let branch = log.branch;
        let proof = if old <= size { log.proof(branch, old, size)? } else { Vec::new() };
        Self::of(log, branch, old, size, proof)
    }

    /// Of a history, with any proof.
    pub fn of(log: &mut TestLog, branch: Branch, old: u64, size: u64, proof: Vec<String>) -> Step<Self> {
        let checkpoint = log.checkpoint(branch, size)?;
        let note = log.sign(&checkpoint)?;
        Ok(Self::with_note(old, proof, checkpoint, &note))
    }

    /// With any note.
    pub fn with_note(old: u64, proof: Vec<String>, checkpoint: Checkpoint, note: &SignedNote) -> Self {
        Self { old: old.to_string(), proof, note: note.to_string(), checkpoint }
    }

    /// The same with more signature lines.
    #[must_use]
    pub fn and(mut self, lines: &[String]) -> Self {
        self.note.push_str(&lines.concat());
        self
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        write!(f, "\n{}", self.note)
    }
}
