#![doc = include_str!("../../text/misbehaviour.md")]

mod error;
mod heads;
mod index_root;
mod known;
mod logged;
mod registration;
mod swap;
mod verdict;
mod wire;

#[cfg(test)]
mod tests;

pub use error::{EvidenceError, Unproven};
pub use heads::{ImpossibleHead, Prefix, Rollback, SplitView};
pub use index_root::WrongIndexRoot;
pub use known::KnownKeys;
pub use logged::Logged;
pub use registration::{DUPLICATE_ENTRY, KeyHistory, MALFORMED_ENTRY, RegistrationViolated};
pub use swap::SilentSwap;
pub use verdict::{Accused, Verdict};

use crate::canonical::vocabulary;
use crate::hash::Digest;

/// The longest file of evidence in bytes: [`MAX_SHOWN`] entries of 64 KiB, each with 8 KiB of proof and head, and 1.9 KiB for what the
/// index held under each of [`MAX_TOUCHED`] keys, 32 steps below its root.
///
/// Common files have some kilobytes. A log must not escape by entries that make the proof too long for a file.
pub const MAX_EVIDENCE: usize = 320 * 1024 * 1024;

/// The most entries that one file shows: two index entries and all that may stand between them, or the key statements of a name.
pub const MAX_SHOWN: usize = crate::index::MAX_BETWEEN + 2;

/// The most keys that the entries between two index entries touch.
pub const MAX_TOUCHED: usize = crate::index::MAX_BETWEEN * crate::index::MAX_KEYS;

/// What a file of evidence is called, after its kind and digest.
pub const EXTENSION: &str = "stele-evidence";

vocabulary! {
    /// What somebody did that nobody honest does.
    pub enum Kind {
        /// A log signed two trees that cannot both be one log.
        SplitView = "split-view",
        /// A log signed a tree of no entries that has some.
        ImpossibleHead = "impossible-head",
        /// A witness said that a tree was the largest, after it had said so of a larger one.
        Rollback = "rollback",
        /// A log's index entry is not what its own entries make.
        WrongIndexRoot = "wrong-index-root",
        /// A log holds an entry that registration refuses.
        RegistrationViolated = "registration-violated",
        /// One coordinate has two weights.
        SilentSwap = "silent-swap",
    }
}

/// A file of evidence as it was read; nothing in it is verified before [`Misbehaviour::check`].
///
/// A closed set: whoever reads evidence decides what each kind means to him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Two trees that cannot both be one log.
    SplitView(SplitView),
    /// A tree of no entries that has some.
    ImpossibleHead(ImpossibleHead),
    /// An older tree, called the largest later.
    Rollback(Rollback),
    /// An index entry that is not what the entries make.
    WrongIndexRoot(WrongIndexRoot),
    /// An entry that registration refuses.
    RegistrationViolated(RegistrationViolated),
    /// Two weights for one coordinate.
    SilentSwap(SilentSwap),
}

impl Misbehaviour {
    /// Reads a file of evidence.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        wire::parse(bytes)
    }

    /// The file: `parse(x).to_bytes() == x`. An error says that it would be larger than [`MAX_EVIDENCE`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EvidenceError> {
        wire::to_bytes(self)
    }

    /// A name for the file that depends on nothing but its content.
    pub fn file_name(&self) -> Result<String, EvidenceError> {
        let digest = Digest::of(&self.to_bytes()?).to_string();
        Ok(format!("{}-{}.{EXTENSION}", self.kind(), digest.get(..16).unwrap_or(&digest)))
    }

    /// What it is evidence of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::SplitView(_) => Kind::SplitView,
            Self::ImpossibleHead(_) => Kind::ImpossibleHead,
            Self::Rollback(_) => Kind::Rollback,
            Self::WrongIndexRoot(_) => Kind::WrongIndexRoot,
            Self::RegistrationViolated(_) => Kind::RegistrationViolated,
            Self::SilentSwap(_) => Kind::SilentSwap,
        }
    }

    /// Who did what, if the file proves it under these keys. Nothing else is asked: no network, no clock, no state.
    pub fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        match self {
            Self::SplitView(evidence) => evidence.check(keys),
            Self::ImpossibleHead(evidence) => evidence.check(keys),
            Self::Rollback(evidence) => evidence.check(keys),
            Self::WrongIndexRoot(evidence) => evidence.check(keys),
            Self::RegistrationViolated(evidence) => evidence.check(keys),
            Self::SilentSwap(evidence) => evidence.check(keys),
        }
    }
}
