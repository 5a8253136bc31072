//! The keys under which evidence is judged.

use super::Unproven;
use crate::checkpoint::{Checkpoint, CheckpointError, verify_log_signature};
use crate::cosignature::{UnixTime, verify_cosignature};
use crate::note::{KeyType, SignedNote, VerifierKey};
use crate::policy::Policy;

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

    /// These keys, each for what its type says.
    pub fn new(keys: impl IntoIterator<Item = VerifierKey>) -> Self {
        let (logs, witnesses) = keys.into_iter().partition(|key| key.key_type() == KeyType::Log);
        Self { logs, witnesses }
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

    /// Each known witness that cosigned a note, with the earliest and the latest time at which it says that it did.
    pub(super) fn cosigners<'a>(&'a self, note: &SignedNote) -> Vec<(&'a VerifierKey, UnixTime, UnixTime)> {
        let mut cosigners = Vec::new();
        for key in &self.witnesses {
            let meant = note.signatures().iter().filter(|line| key.is_meant_by(line));
            // A line that does not verify is nobody's word.
            let times = meant.filter_map(|line| verify_cosignature(note.text(), line, key).ok());
            let span = times.fold(None, |span: Option<(UnixTime, UnixTime)>, time| {
                Some(span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))))
            });
            cosigners.extend(span.map(|(first, last)| (key, first, last)));
        }
        cosigners
    }
}
