//! Tree heads: signed by the log alone, and published with the quorum's cosignatures.

use stele_spec::checkpoint::{Checkpoint, CheckpointError, sign_checkpoint, verify_log_signature};
use stele_spec::note::{SignedNote, SignerKey, VerifierKey};
use stele_spec::policy::Trusted;
use stele_spec::tile::TilePath;

/// A tree head with the log's own signature: a promise, public or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, with the log's line and no other.
    pub note: SignedNote,
}

impl SignedHead {
    /// Signs a tree head.
    pub fn sign(checkpoint: Checkpoint, signer: &SignerKey) -> Result<Self, CheckpointError> {
        let note = sign_checkpoint(&checkpoint, signer)?;
        Ok(Self { checkpoint, note })
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
        Ok(Self { checkpoint, note })
    }
}

/// A tree head that the policy vouches for: what the log serves and proves under.
#[derive(Clone, Debug)]
pub struct Published {
    /// The note as it is served.
    pub note: SignedNote,
    /// What it says.
    pub head: Trusted<Checkpoint>,
}

impl Published {
    /// How many entries it covers.
    pub fn size(&self) -> u64 {
        self.head.value().size()
    }

    /// Whether its tree has this tile or bundle: what is beyond it is not served, even if it is on the disk.
    pub fn covers(&self, path: TilePath) -> bool {
        path.is_within(self.size())
    }
}
