#![doc = include_str!("../../text/policy.md")]

mod error;
mod parse;
mod quorum;
mod tolerance;
mod trusted;

mod explain;
mod trusted_checkpoint;

pub use error::{LineProblem, PolicyError, RefusedCheckpoint, WitnessProblem};
pub use parse::MAX_POLICY;
pub use quorum::{MAX_COSIGNATURES, Quorum};
pub use tolerance::{FaultTolerance, counted_twice, operator};
pub use trusted::{Cosigned, Trusted};
pub use trusted_checkpoint::TrustedCheckpoint;

use crate::note::{SignedNote, VerifierKey};

/// The name of the group whose members are index cosigners (see the chapter on them), by the policy's author.
pub const INDEX_COSIGNERS: &str = "index-cosigners";

/// A log that the policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it is served, if the policy says so.
    pub url: Option<String>,
}

/// A witness that the policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Its submission prefix, if the policy says so.
    pub url: Option<String>,
}

/// Known logs, known witnesses, and the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    quorum: Quorum,
    /// Of each witness whether it is in the group of the index cosigners.
    index_cosigners: Vec<bool>,
}

impl Policy {
    /// The logs in the order of the file.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses in the order of the file.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The log whose signature line a note bears; none where the policy accepts no such note either. The line is not verified here.
    ///
    /// Of a log with several keys this is its first line, whichever of them signed: it is one log.
    pub fn log_of(&self, note: &SignedNote) -> Option<&Log> {
        let signed = self.logs.iter().find(|log| note.signatures().iter().any(|line| log.key.is_meant_by(line)))?;
        self.logs.iter().find(|log| log.key.name() == signed.key.name())
    }

    /// Which sets of witnesses are enough; indices are those of `witnesses`.
    pub const fn quorum(&self) -> &Quorum {
        &self.quorum
    }
}

#[cfg(test)]
mod tests;
