//! The keys under which evidence is judged.

use super::Unproven;
use crate::checkpoint::{Checkpoint, CheckpointError, verify_log_signature};
use crate::cosignature::{UnixTime, verify_cosignature};
use crate::note::{NoteSignature, SignedNote, VerifierKey};
use crate::policy::Policy;

/// A witness's word about a head: the tree is consistent with all that it saw, and at `time`, if there is one, the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cosigner<'a> {
    pub(super) key: &'a VerifierKey,
    pub(super) time: Option<UnixTime>,
}

/// Logs and witnesses whose signatures are admissions. No quorum is asked for: one signature convicts who made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownKeys {
    logs: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
}

impl KnownKeys {
    /// Every key of a policy.
    pub fn of_policy(policy: &Policy) -> Self {
        Self {
            logs: policy.logs().iter().map(|log| log.key.clone()).collect(),
            witnesses: policy.witnesses().iter().map(|witness| witness.key.clone()).collect(),
        }
    }

    /// These keys, each for all that its type can sign: an ML-DSA-44 key (type 06) may be a log's or a witness's.
    pub fn new(keys: impl IntoIterator<Item = VerifierKey>) -> Self {
        let mut known = Self::default();
        for key in keys {
            if key.key_type().signs_logs() {
                known.logs.push(key.clone());
            }
            if key.key_type().cosigns() {
                known.witnesses.push(key);
            }
        }
        known
    }

    /// The tree head in a note, and the known log that signed it under its own origin.
    pub(super) fn head<'a>(&'a self, note: &SignedNote) -> Result<(Checkpoint, &'a VerifierKey), Unproven> {
        let claimed = Checkpoint::parse(note.text()).map_err(Unproven::Head)?;
        let origin = claimed.origin();
        let mut refusal = Unproven::UnknownLog { found: origin.clone() };
        for key in self.logs.iter().filter(|key| key.name().as_str() == origin.as_str()) {
            match verify_log_signature(note, key) {
                Ok(checkpoint) => return Ok((checkpoint, key)),
                Err(CheckpointError::NotSigned) => {}
                Err(error) => refusal = Unproven::Head(error),
            }
        }
        Err(refusal)
    }

    /// A note with the lines of known logs alone: what evidence needs of a head, without the cosignatures.
    ///
    /// The note as it is, if it has no such line.
    pub fn without_cosignatures(&self, note: &SignedNote) -> SignedNote {
        let own = |line: &&NoteSignature| self.logs.iter().any(|log| log.is_meant_by(line));
        let lines = note.signatures().iter().filter(own).cloned().collect();
        SignedNote::new(note.text().to_owned(), lines).unwrap_or_else(|_| note.clone())
    }

    /// Each known witness that cosigned a head, with the time that it states, if it states one.
    ///
    /// A line that does not verify says nothing. A key under the log's own name signs as the log, which no witness is.
    pub(super) fn cosigners<'a>(&'a self, note: &SignedNote) -> Vec<Cosigner<'a>> {
        let origin = note.text().lines().next().unwrap_or_default();
        let mut cosigners = Vec::new();
        for key in self.witnesses.iter().filter(|key| key.name().as_str() != origin) {
            let meant = note.signatures().iter().filter(|line| key.is_meant_by(line));
            let line = meant.filter_map(|line| verify_cosignature(note.text(), line, key).ok()).next();
            cosigners.extend(line.map(|time| Cosigner { key, time }));
        }
        cosigners
    }
}
