//! Tree heads as what they stand for: the batches that led to them.

use std::collections::BTreeSet;
use std::fmt;

/// A batch of entries that no other is equal to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Batch {
    /// Which process made it, from 0.
    pub by: u8,
    /// Its how manieth, from 0.
    pub number: u8,
}

/// A tree head: the batches in their order. A consistency proof between two exists where one begins with the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Head(Vec<Batch>);

impl Head {
    /// The head of these batches.
    pub fn of(batches: &[Batch]) -> Self {
        Self(batches.to_vec())
    }

    /// The head with one batch more.
    pub fn with(&self, batch: Batch) -> Self {
        Self(self.0.iter().copied().chain([batch]).collect())
    }

    /// Whether its tree begins with the other.
    pub fn continues(&self, before: &Self) -> bool {
        self.0.starts_with(&before.0)
    }

    /// Whether one of both continues the other.
    pub fn agrees(&self, other: &Self) -> bool {
        self.continues(other) || other.continues(self)
    }

    /// Its batches.
    pub fn batches(&self) -> &[Batch] {
        &self.0
    }

    /// Whether every batch of it is in one of the sets.
    pub fn is_within(&self, sets: &[&BTreeSet<Batch>]) -> bool {
        self.0.iter().all(|batch| sets.iter().any(|set| set.contains(batch)))
    }
}

/// Whether any two of them agree: whether they are one history.
pub fn is_one_history<'a>(heads: impl IntoIterator<Item = &'a Head>) -> bool {
    let heads: Vec<&Head> = heads.into_iter().collect();
    heads.iter().enumerate().all(|(at, head)| heads.iter().skip(at + 1).all(|other| head.agrees(other)))
}

/// The heads that at least `quorum` witnesses have cosigned.
pub fn certified(cosigned: &BTreeSet<(u8, Head)>, quorum: usize) -> BTreeSet<&Head> {
    let count = |head: &Head| cosigned.iter().filter(|(_, other)| other == head).count();
    cosigned.iter().map(|(_, head)| head).filter(|head| count(head) >= quorum).collect()
}

/// The letter by which a process is called.
pub fn letter(process: u8) -> char {
    char::from(b'A'.saturating_add(process))
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", letter(self.by), self.number + 1)
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batches: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "[{}]", batches.join(" "))
    }
}
