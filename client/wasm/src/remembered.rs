//! Tree heads that a browser has seen before.
//!
//! A page keeps signed notes and nothing else of them. What no log of the policy has signed, be it another log's or noise, is passed over: it proves nothing.
//! A head that a log has signed binds that log, whichever witnesses the policy asks for today.

use std::collections::BTreeMap;

use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::hash::RootHash;
use stele_spec::note::SignedNote;
use stele_spec::policy::{Policy, TrustedCheckpoint};

use crate::error::Misuse;

/// The most notes that are looked at, of all logs.
pub const MAX_REMEMBERED: usize = 256;
/// The most heads of one log that a page keeps: one where the log was asked, and one more for each bundle where it was not.
const MAX_KEPT: usize = 16;

/// Heads that were seen before, by logs of the policy.
#[derive(Debug, Default)]
pub struct Remembered(Vec<SeenHead>);

/// A head that its log has signed.
#[derive(Debug, Clone)]
pub struct SeenHead {
    /// The key that signed it.
    log: String,
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl Remembered {
    /// Reads a JSON list of notes; nothing is no list.
    pub fn parse(document: &[u8], policy: &Policy) -> Result<Self, Misuse> {
        if document.is_empty() {
            return Ok(Self::default());
        }
        let notes: Vec<String> = serde_json::from_slice(document).map_err(|_| Misuse("a list of notes"))?;
        let read = |note: &String| SeenHead::of(SignedNote::parse(note.as_bytes()).ok()?, policy);
        Ok(Self(notes.iter().take(MAX_REMEMBERED).filter_map(read).collect()))
    }

    /// Those of the log that has signed a head.
    pub fn of_log(self, head: &TrustedCheckpoint, policy: &Policy) -> Vec<SeenHead> {
        let log = SeenHead::of(head.note().clone(), policy).map(|head| head.log);
        self.0.into_iter().filter(|seen| Some(&seen.log) == log.as_ref()).collect()
    }
}

impl SeenHead {
    /// A note that a log of the policy has signed, by whichever of its keys.
    pub fn of(note: SignedNote, policy: &Policy) -> Option<Self> {
        let checkpoint = policy.logs().iter().find_map(|log| verify_log_signature(&note, &log.key).ok())?;
        Some(Self { log: policy.log_of(&note)?.key.to_string(), checkpoint, note })
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// Its root.
    pub fn root(&self) -> RootHash {
        self.checkpoint.root()
    }

    /// The key of its log, as a policy names it.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The note, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.note.to_bytes()).into_owned()
    }
}

/// What a page keeps for the next time: the largest head alone, where all are known to be of one tree.
pub fn to_keep(heads: impl IntoIterator<Item = SeenHead>, are_one_tree: bool) -> Vec<SeenHead> {
    let by_size: BTreeMap<u64, SeenHead> = heads.into_iter().map(|head| (head.size(), head)).collect();
    by_size.into_values().rev().take(if are_one_tree { 1 } else { MAX_KEPT }).collect()
}
