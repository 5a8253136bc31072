//! An entry of a log with the proof that it is one.

use super::{KnownKeys, Unproven};
use crate::checkpoint::Checkpoint;
use crate::hash::LeafHash;
use crate::merkle::leaf_hash;
use crate::note::{SignedNote, VerifierKey};
use crate::proof::TlogProof;

/// The bytes of an entry and its inclusion proof (c2sp.org/tlog-proof), as they stand in a `release.stele`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The entry, whatever it is.
    pub entry: Vec<u8>,
    /// Where it is, and under which head.
    pub proof: TlogProof,
}

impl Logged {
    /// Its position, if the proof is right.
    pub const fn position(&self) -> u64 {
        self.proof.index()
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> LeafHash {
        leaf_hash(&self.entry)
    }
}

/// The log whose entries a file shows: every one under a head that the same key signed.
///
/// The heads may differ. Either they are heads of one tree, and so the positions are those of one log; or they are not,
/// and the key that signed them is guilty of that.
#[derive(Debug)]
pub(super) struct Docket<'a> {
    pub(super) log: &'a VerifierKey,
    checked: Vec<(SignedNote, Checkpoint)>,
    keys: &'a KnownKeys,
}

impl<'a> Docket<'a> {
    /// Checks that each of these is in the log of the first.
    pub(super) fn open(entries: &[&Logged], keys: &'a KnownKeys) -> Result<Self, Unproven> {
        let first = entries.first().ok_or(Unproven::Empty)?;
        let (_, log) = keys.head(first.proof.checkpoint())?;
        let mut docket = Self { log, checked: Vec::new(), keys };
        for entry in entries {
            docket.check(entry)?;
        }
        Ok(docket)
    }

    /// The head that an entry is shown under.
    pub(super) fn head_of(&self, entry: &Logged) -> Option<&Checkpoint> {
        self.checked.iter().find(|(note, _)| note == entry.proof.checkpoint()).map(|(_, checkpoint)| checkpoint)
    }

    fn check(&mut self, entry: &Logged) -> Result<(), Unproven> {
        let note = entry.proof.checkpoint();
        if self.head_of(entry).is_none() {
            let (checkpoint, log) = self.keys.head(note)?;
            if log != self.log {
                let (expected, found) = (self.log.name().clone(), log.name().clone());
                return Err(Unproven::OtherLog { expected, found });
            }
            self.checked.push((note.clone(), checkpoint));
        }
        let head = self.head_of(entry).ok_or(Unproven::Empty)?;
        let position = entry.position();
        let checked = entry.proof.path().check(entry.leaf(), position, head.size(), head.root());
        checked.map_err(|error| Unproven::Inclusion { position, error })
    }
}
