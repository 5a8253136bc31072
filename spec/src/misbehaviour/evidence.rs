//! What a file of evidence shows, of whatever kind.

use super::error::Unproven;
use super::format::Kind;
use super::heads::{ImpossibleHead, Rollback, SplitView};
use super::index_root::WrongIndexRoot;
use super::index_step::WrongIndexStep;
use super::known::KnownKeys;
use super::registration::RegistrationViolated;
use super::swap::SilentSwap;
use super::verdict::Verdict;

/// A file of evidence as it was read; nothing in it is verified before [`Misbehaviour::check`].
///
/// A closed set: anyone who reads evidence decides what each kind means to him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Two trees that cannot both be one log.
    SplitView(SplitView),
    /// A tree of no entries that has some.
    ImpossibleHead(ImpossibleHead),
    /// An older tree, called the largest later.
    Rollback(Rollback),
    /// An index entry that is not what the entries make, shown key by key.
    WrongIndexRoot(WrongIndexRoot),
    /// The same, shown by the step that a log brought to an index cosigner.
    WrongIndexStep(WrongIndexStep),
    /// An entry that registration refuses.
    RegistrationViolated(RegistrationViolated),
    /// Two weights for one coordinate.
    SilentSwap(SilentSwap),
}

impl Misbehaviour {
    /// What it is evidence of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::SplitView(_) => Kind::SplitView,
            Self::ImpossibleHead(_) => Kind::ImpossibleHead,
            Self::Rollback(_) => Kind::Rollback,
            Self::WrongIndexRoot(_) | Self::WrongIndexStep(_) => Kind::WrongIndexRoot,
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
            Self::WrongIndexStep(evidence) => evidence.check(keys),
            Self::RegistrationViolated(evidence) => evidence.check(keys),
            Self::SilentSwap(evidence) => evidence.check(keys),
        }
    }
}
