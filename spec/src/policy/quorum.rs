//! Which sets of witnesses are enough.

use crate::note::MAX_SIGNATURES;

/// The most cosignatures that a checkpoint can carry: one signature line of a note is the log's.
pub const MAX_COSIGNATURES: usize = MAX_SIGNATURES - 1;

/// A threshold over witnesses and groups; the parser has made sure that each is counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quorum {
    /// No cosignature is asked for.
    None,
    /// The witness of this index in the policy.
    Witness(usize),
    /// At least `threshold` of the members.
    Group {
        /// The group's name in the policy.
        name: String,
        /// How many members must have cosigned.
        threshold: usize,
        /// Witnesses and groups.
        members: Vec<Quorum>,
    },
}

impl Quorum {
    /// Whether the witnesses for which `cosigned` is true are enough.
    pub fn is_met(&self, cosigned: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::None => true,
            Self::Witness(index) => cosigned(*index),
            Self::Group { threshold, members, .. } => {
                members.iter().filter(|member| member.is_met(cosigned)).count() >= *threshold
            }
        }
    }

    /// Whether a witness is in it, by its index in the policy.
    pub fn has(&self, witness: usize) -> bool {
        match self {
            Self::None => false,
            Self::Witness(index) => *index == witness,
            Self::Group { members, .. } => members.iter().any(|member| member.has(witness)),
        }
    }

    /// The least number of witnesses that can be enough.
    pub fn least(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Witness(_) => 1,
            Self::Group { threshold, members, .. } => {
                let mut least: Vec<_> = members.iter().map(Self::least).collect();
                least.sort_unstable();
                least.iter().take(*threshold).sum()
            }
        }
    }
}
