//! From a note that somebody sent to a tree head to rely on.

use std::collections::BTreeMap;

use super::{Log, Policy, RefusedCheckpoint, WitnessProblem};
use crate::checkpoint::{Checkpoint, CheckpointError, verify_log_signature};
use crate::cosignature::{UnixTime, verify_cosignature};
use crate::note::{KeyName, SignedNote};

/// Something that a policy vouches for. Only `Policy::verify` makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted<T> {
    value: T,
    cosigned: Vec<Cosigned>,
}

/// One witness of the policy that cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Its name within the policy.
    pub witness: String,
    /// The name in its key.
    pub key_name: KeyName,
    /// When it says that it cosigned; none if its line states no time.
    pub time: Option<UnixTime>,
}

impl<T> Trusted<T> {
    /// What is vouched for.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The witnesses that cosigned, in the order of the policy.
    pub fn cosigned(&self) -> &[Cosigned] {
        &self.cosigned
    }

    /// The median of the cosignature times; none where no witness that says a time cosigned.
    ///
    /// The keys of one witness, which share its name, have one vote: the latest time. A line that states no time has none.
    pub fn time(&self) -> Option<UnixTime> {
        let mut latest: BTreeMap<&KeyName, UnixTime> = BTreeMap::new();
        for (name, stated) in self.cosigned.iter().filter_map(|one| one.time.map(|time| (&one.key_name, time))) {
            let time = latest.entry(name).or_insert(stated);
            *time = stated.max(*time);
        }
        let mut times: Vec<_> = latest.into_values().collect();
        times.sort_unstable();
        times.get(times.len().saturating_sub(1) / 2).copied()
    }
}

impl Policy {
    /// Accepts a checkpoint that a known log signed and the quorum cosigned.
    pub fn verify(&self, note: &[u8]) -> Result<Trusted<Checkpoint>, RefusedCheckpoint> {
        let note = SignedNote::parse(note).map_err(|error| RefusedCheckpoint::Log(CheckpointError::Note(error)))?;
        self.verify_note(&note)
    }

    /// The same for a note that is parsed already.
    pub fn verify_note(&self, note: &SignedNote) -> Result<Trusted<Checkpoint>, RefusedCheckpoint> {
        let checkpoint = self.verify_log(note)?;
        let origin = checkpoint.origin().as_str();
        let of_the_log: Vec<_> = self.logs.iter().filter(|log| log.key.name().as_str() == origin).collect();
        let mut cosigned = Vec::new();
        let mut met = vec![false; self.witnesses.len()];
        let mut missing = Vec::new();
        for (witness, met) in self.witnesses.iter().zip(&mut met) {
            let mut cosignature: Option<Option<UnixTime>> = None;
            // A log is no witness of itself, under whatever name its key is listed.
            let counts = !of_the_log.iter().any(|log| log.key.same_key(&witness.key));
            for line in note.signatures().iter().filter(|line| counts && witness.key.is_meant_by(line)) {
                match verify_cosignature(note.text(), line, &witness.key) {
                    Ok(time) => cosignature = cosignature.max(Some(time)),
                    // A forged or damaged line spoils the note (c2sp.org/signed-note).
                    Err(error) => return Err(RefusedCheckpoint::Cosignature { witness: witness.name.clone(), error }),
                }
            }
            match cosignature {
                Some(time) => {
                    *met = true;
                    let (witness, key_name) = (witness.name.clone(), witness.key.name().clone());
                    cosigned.push(Cosigned { witness, key_name, time });
                }
                None => missing.push(WitnessProblem {
                    witness: witness.name.clone(),
                    key_name: witness.key.name().clone(),
                    other_key: note.signatures().iter().any(|line| line.name == *witness.key.name()),
                }),
            }
        }
        if !self.quorum.is_met(&|index| met.get(index).copied().unwrap_or(false)) {
            let found = cosigned.len();
            return Err(RefusedCheckpoint::Quorum { least: self.quorum.least(), found, missing });
        }
        Ok(Trusted { value: checkpoint, cosigned })
    }

    /// Whether a witness, by its name within the policy, is one of those in the group [`INDEX_COSIGNERS`](super::INDEX_COSIGNERS).
    pub fn is_index_cosigner(&self, witness: &str) -> bool {
        let named = self.witnesses.iter().zip(&self.index_cosigners).find(|(known, _)| known.name == witness);
        named.is_some_and(|(_, is_one)| *is_one)
    }

    /// Of those that cosigned the index cosigners. The keys of one, which share its name, are one, by the first.
    pub fn index_cosigners<'a>(&self, cosigned: &'a [Cosigned]) -> Vec<&'a Cosigned> {
        let mut found: Vec<&Cosigned> = Vec::new();
        for one in cosigned.iter().filter(|one| self.is_index_cosigner(&one.witness)) {
            if !found.iter().any(|known| known.key_name == one.key_name) {
                found.push(one);
            }
        }
        found
    }

    /// The first check alone: that a known log signed it, under its own origin.
    fn verify_log(&self, note: &SignedNote) -> Result<Checkpoint, RefusedCheckpoint> {
        let claimed = Checkpoint::parse(note.text()).map_err(RefusedCheckpoint::Log)?;
        let origin = claimed.origin().as_str();
        let known: Vec<&Log> = self.logs.iter().filter(|log| log.key.name().as_str() == origin).collect();
        if known.is_empty() {
            return Err(RefusedCheckpoint::UnknownLog {
                found: claimed.origin().clone(),
                known: self.logs.iter().map(|log| log.key.name().clone()).collect(),
            });
        }
        let mut verdict = Err(CheckpointError::NotSigned);
        for log in known {
            match verify_log_signature(note, &log.key) {
                Ok(checkpoint) => verdict = Ok(checkpoint),
                // A log has an Ed25519 and an ML-DSA-44 key: either is enough, and a bad line of either is too much.
                Err(error @ CheckpointError::BadSignature) => return Err(RefusedCheckpoint::Log(error)),
                Err(CheckpointError::NotSigned) => {}
                Err(error) => verdict = verdict.or(Err(error)),
            }
        }
        verdict.map_err(RefusedCheckpoint::Log)
    }
}
