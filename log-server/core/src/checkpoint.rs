//! The tree head that the log alone has signed: a promise, public or not. What is published is a `TrustedCheckpoint`.

use crate::log_keys::{LogKeys, LogSigner};
use stele_spec::checkpoint::{Checkpoint, CheckpointError, sign_checkpoint, verify_log_signature};
use stele_spec::entry::IndexEntry;
use stele_spec::note::{NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_spec::transition::TransitionProof;

/// A tree head with the log's own signature: a promise, public or not. Two are equal when they say the same, whatever is known of how it follows.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, with a line of each key of the log that has signed it, and no other.
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
    /// Signs a tree head with every key of the log.
    pub fn sign(checkpoint: Checkpoint, signer: &LogSigner) -> Result<Self, CheckpointError> {
        let lines = signer.signers().map(|key| line(&checkpoint, key)).collect::<Result<Vec<_>, _>>()?;
        let note = SignedNote::new(checkpoint.to_string(), lines).map_err(CheckpointError::Note)?;
        Ok(Self { checkpoint, note, step: None })
    }

    /// The same head with one line of each key of the log: those that it has, and new ones.
    pub fn signed_with(&self, signer: &LogSigner) -> Result<Self, CheckpointError> {
        let lines = signer.signers().map(|key| {
            let known = self.note.signatures().iter().find(|line| key.verifier().is_meant_by(line));
            known.map_or_else(|| line(&self.checkpoint, key), |known| Ok(known.clone()))
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let note = SignedNote::new(self.note.text().to_owned(), lines).map_err(CheckpointError::Note)?;
        Ok(Self { note, ..self.clone() })
    }

    /// Reads a head that a key of this log signed, and drops every other line. Each line of its keys must verify.
    pub fn read(bytes: &[u8], log: &LogKeys) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(bytes).map_err(CheckpointError::Note)?;
        let line_of = |key: &VerifierKey| note.signatures().iter().find(|line| key.is_meant_by(line)).cloned();
        let (mut checkpoint, mut own) = (None, Vec::new());
        for (key, line) in log.iter().filter_map(|key| Some((key, line_of(key)?))) {
            checkpoint = Some(verify_log_signature(&note, key)?);
            own.push(line);
        }
        let checkpoint = checkpoint.filter(|found| found.origin().as_str() == log.name().as_str());
        let checkpoint = checkpoint.ok_or(CheckpointError::NotSigned)?;
        let note = SignedNote::new(note.text().to_owned(), own).map_err(CheckpointError::Note)?;
        Ok(Self { checkpoint, note, step: None })
    }
}

fn line(checkpoint: &Checkpoint, key: &SignerKey) -> Result<NoteSignature, CheckpointError> {
    let note = sign_checkpoint(checkpoint, key)?;
    note.signatures().first().cloned().ok_or(CheckpointError::NotSigned)
}
