//! What a monitor keeps of what it has read: heads, and lists by their frontier.

use serde::{Deserialize, Serialize};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::NodeHash;
use stele_spec::merkle::Frontier;
use stele_spec::nameproof::Kept;
use stele_spec::note::SignedNote;
use stele_spec::text::{base64_exact, to_base64};

/// A head that was the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenHead {
    /// The signed note.
    pub note: String,
    /// The hashes that lead from the head before to this one, in base64; none for the first.
    pub path: Vec<String>,
    /// Up to where entries had been read.
    pub read: u64,
    /// The lines of a name proof that state its index; empty where no list rests on it.
    pub index: String,
}

/// The list of a watched name, as far as it is known: as much to keep for a hundred thousand entries as for a hundred.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownList {
    /// The size of the tree up to which it is known.
    pub size: u64,
    /// How many entries it has.
    pub count: u64,
    /// The frontier of the list in base64, largest first.
    pub peaks: Vec<String>,
    /// The lines of the name proof that answer, without pointers; empty where the rest of the list is still to be looked at.
    pub answer: String,
    /// Entries below this position are no news: they were reported, or were there before the monitor.
    pub reported: u64,
}

impl SeenHead {
    /// Its note and what it states; none where it is damaged.
    pub fn read(&self) -> Option<(SignedNote, Checkpoint)> {
        let note = SignedNote::parse(self.note.as_bytes()).ok()?;
        let checkpoint = Checkpoint::parse(note.text()).ok()?;
        Some((note, checkpoint))
    }

    /// The size of its tree; none where it is damaged.
    pub fn size(&self) -> Option<u64> {
        self.read().map(|(_, checkpoint)| checkpoint.size())
    }

    /// The path; none where it is damaged.
    pub fn path(&self) -> Option<Vec<NodeHash>> {
        hashes(&self.path)
    }
}

impl KnownList {
    /// What is known now, of which entries below `reported` are no news.
    pub fn of(kept: &Kept, answer: String, reported: u64) -> Self {
        let peaks = kept.list().peaks().iter().map(|peak| to_base64(peak.as_bytes())).collect();
        Self { size: kept.size(), count: kept.list().size(), peaks, answer, reported }
    }

    /// What was kept; none where it is damaged.
    pub fn kept(&self) -> Option<Kept> {
        Kept::new(self.size, Frontier::from_parts(self.count, self.peaks()?)?)
    }

    /// The frontier; none where it is damaged.
    pub fn peaks(&self) -> Option<Vec<NodeHash>> {
        hashes(&self.peaks)
    }

    /// Whether the list was looked at to its end.
    pub fn is_whole(&self) -> bool {
        !self.answer.is_empty()
    }

    /// Forgets the list, and not what was reported of it.
    pub fn forget(&mut self) {
        *self = Self { reported: self.reported.max(self.size), ..Self::default() };
    }
}

/// Hashes as the state has them.
pub(crate) fn written(hashes: &[NodeHash]) -> Vec<String> {
    hashes.iter().map(|hash| to_base64(hash.as_bytes())).collect()
}

fn hashes(texts: &[String]) -> Option<Vec<NodeHash>> {
    texts.iter().map(|text| base64_exact(text).ok().map(NodeHash::from_bytes)).collect()
}
