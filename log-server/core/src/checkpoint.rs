//! The tree head that the log alone has signed: a promise, public or not. What is published is a `TrustedCheckpoint`.

use stele_spec::checkpoint::{Checkpoint, CheckpointError, sign_checkpoint, verify_log_signature};
use stele_spec::entry::IndexEntry;
use stele_spec::note::{SignedNote, SignerKey, VerifierKey};
use stele_spec::transition::TransitionProof;

/// A tree head with the log's own signature: a promise, public or not. Two are equal when they say the same, whatever is known of how it follows.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, with the log's line and no other.
    pub note: SignedNote,
    /// How its index entry follows from the one before; none where this process has not written it, and for the first entry.
    pub step: Option<Step>,
}

impl PartialEq for SignedCheckpoint {
    fn eq(&self, other: &Self) -> bool {
        self.note == other.note
    }
}

impl Eq for SignedCheckpoint {}

/// From one index entry to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The index entry before.
    pub from: IndexEntry,
    /// What shows that the one after it follows.
    pub proof: TransitionProof,
}

impl Step {
    /// How many entries the tree before has.
    pub fn old_size(&self) -> u64 {
        self.from.position + 1
    }
}

impl SignedCheckpoint {
    /// Signs a tree head.
    pub fn sign(checkpoint: Checkpoint, signer: &SignerKey) -> Result<Self, CheckpointError> {
        let note = sign_checkpoint(&checkpoint, signer)?;
        Ok(Self { checkpoint, note, step: None })
    }

    /// Reads a head that this log signed, and drops every other line.
    pub fn read(bytes: &[u8], log: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(bytes).map_err(CheckpointError::Note)?;
        let checkpoint = verify_log_signature(&note, log)?;
        if checkpoint.origin().as_str() != log.name().as_str() {
            return Err(CheckpointError::NotSigned);
        }
        let own = note.signatures().iter().filter(|line| log.is_meant_by(line)).take(1).cloned().collect();
        let note = SignedNote::new(note.text().to_owned(), own).map_err(CheckpointError::Note)?;
        Ok(Self { checkpoint, note, step: None })
    }
}
