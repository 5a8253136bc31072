//! What a log says of its own end, held against the tree that it shows: see the chapter *frozen* of the format.
//!
//! It makes no verdict better or worse. A copy that leaves it out, an answer that is none and a file that the log has not signed are as if there were
//! none.

use serde_json::{Value, json};
use stele_spec::frozen::{FILE, Frozen};
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::{Policy, TrustedCheckpoint};

use crate::moment::moment;
use crate::reader::{LogReader, ReadError, VerifiedLog};

/// That a log has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    size: u64,
    time: u64,
    standing: Standing,
}

/// What the tree that is shown is to the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the last one.
    Final,
    /// It is smaller, by its size: a copy that is not complete.
    Short {
        /// How many entries it has.
        shown: u64,
    },
    /// It is larger, and continues it: the log has gone on.
    WentOn,
    /// It is of another history.
    OtherTree,
}

impl LogEnd {
    /// Asks a log or a copy of it; `opened` is the tree that it shows. An error: it could not be asked.
    pub fn read(reader: &LogReader, opened: &VerifiedLog<'_>, policy: &Policy) -> Result<Option<Self>, ReadError> {
        reader.source().read(FILE, MAX_NOTE as u64)?.map_or(Ok(None), |note| Self::of(&note, opened, policy))
    }

    /// The same, held against the newest tree that the log shows; none where it does not answer.
    pub fn newest(reader: &LogReader, policy: &Policy) -> Option<Self> {
        let note = reader.source().read(FILE, MAX_NOTE as u64).ok()??;
        let opened = reader.open(reader.head(policy).ok()?).ok()?;
        Self::of(&note, &opened, policy).ok()?
    }

    /// What a file says that was kept: it holds for ever, also where the log serves it no more. None where the log has not signed it.
    pub fn of(note: &[u8], opened: &VerifiedLog<'_>, policy: &Policy) -> Result<Option<Self>, ReadError> {
        let Some(said) = said(note, opened.head(), policy) else { return Ok(None) };
        let standing = match said.size() {
            size if size > opened.size() => Standing::Short { shown: opened.size() },
            size if opened.root_at(size)? != said.root() => Standing::OtherTree,
            size if size < opened.size() => Standing::WentOn,
            _ => Standing::Final,
        };
        Ok(Some(Self { size: said.size(), time: said.time(), standing }))
    }

    /// The file itself, for a copy of the log; none where the log has not signed it.
    pub fn note(reader: &LogReader, head: &TrustedCheckpoint, policy: &Policy) -> Result<Option<Vec<u8>>, ReadError> {
        let note = reader.source().read(FILE, MAX_NOTE as u64)?;
        Ok(note.filter(|note| said(note, head, policy).is_some()))
    }

    /// How many entries the log says that it ended with.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the log has not kept to it.
    pub fn is_contradicted(&self) -> bool {
        matches!(self.standing, Standing::WentOn | Standing::OtherTree)
    }

    /// What the tree that is shown is to the last one.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        let Self { size, time, standing } = self;
        let when = moment(*time);
        match standing {
            Standing::Final => format!("this log ended at size {size} on {when}: nothing later can be said in it"),
            Standing::Short { shown } => {
                format!(
                    "this log ended at size {size} on {when}, and what was asked has {shown} entries of it: a complete copy has more"
                )
            }
            Standing::WentOn => format!("this log said on {when} that it had ended at size {size}, and has gone on"),
            Standing::OtherTree => {
                format!(
                    "this log says that it ended at size {size} on {when} with another tree than it shows: it contradicts itself"
                )
            }
        }
    }

    /// For a script.
    pub fn json(&self) -> Value {
        let standing = match self.standing {
            Standing::Final => "final",
            Standing::Short { .. } => "short",
            Standing::WentOn => "went-on",
            Standing::OtherTree => "other-tree",
        };
        json!({ "tree_size": self.size, "time": moment(self.time), "standing": standing })
    }
}

/// What one of the log's keys has signed.
fn said(note: &[u8], head: &TrustedCheckpoint, policy: &Policy) -> Option<Frozen> {
    let origin = head.checkpoint().origin().as_str();
    let keys = policy.logs().iter().map(|log| &log.key).filter(|key| key.name().as_str() == origin);
    keys.filter_map(|key| Frozen::verify(note, key).ok()).next()
}
