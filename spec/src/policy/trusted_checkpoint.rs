//! A checkpoint that a policy accepts, with the note that shows it to others.

use super::{Cosigned, Policy, RefusedCheckpoint, Trusted};
use crate::checkpoint::{Checkpoint, CheckpointError, Origin};
use crate::cosignature::UnixTime;
use crate::hash::RootHash;
use crate::note::SignedNote;

/// A trusted checkpoint and its signed note. Only a check under a policy makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCheckpoint {
    trusted: Trusted<Checkpoint>,
    note: SignedNote,
}

impl TrustedCheckpoint {
    /// Checks a note under a policy.
    pub fn verify(note: SignedNote, policy: &Policy) -> Result<Self, RefusedCheckpoint> {
        Ok(Self { trusted: policy.verify_note(&note)?, note })
    }

    /// Reads a note, and checks it under a policy.
    pub fn parse(note: &[u8], policy: &Policy) -> Result<Self, RefusedCheckpoint> {
        let note = SignedNote::parse(note).map_err(|error| RefusedCheckpoint::Log(CheckpointError::Note(error)))?;
        Self::verify(note, policy)
    }

    /// A checkpoint that is trusted already, and the note it came in; none where the note is of another checkpoint.
    pub fn of(trusted: Trusted<Checkpoint>, note: SignedNote) -> Option<Self> {
        (note.text() == trusted.value().to_string()).then_some(Self { trusted, note })
    }

    /// What the policy accepted.
    pub const fn trusted(&self) -> &Trusted<Checkpoint> {
        &self.trusted
    }

    /// The signed note.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Origin, size and root.
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.trusted.value()
    }

    /// The log's identity.
    pub const fn origin(&self) -> &Origin {
        self.checkpoint().origin()
    }

    /// The number of entries.
    pub const fn size(&self) -> u64 {
        self.checkpoint().size()
    }

    /// The root hash.
    pub const fn root(&self) -> RootHash {
        self.checkpoint().root()
    }

    /// The witnesses that cosigned, in the order of the policy.
    pub fn witnesses(&self) -> &[Cosigned] {
        self.trusted.cosigned()
    }

    /// The median of the cosignature times; none where no cosignature states a time.
    pub fn time(&self) -> Option<UnixTime> {
        self.trusted.time()
    }
}
