//! What a reader keeps of a list to go on from.

use crate::merkle::Frontier;

/// The list of a subject as a reader knows it: complete up to a tree size, by its frontier.
///
/// It is a few hashes, whatever the length of the list. It belongs to one subject of one log: keep it under both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    size: u64,
    list: Frontier,
}

impl Kept {
    /// Nothing is known yet: a list is asked for from its beginning.
    pub const fn nothing() -> Self {
        Self { size: 0, list: Frontier::new() }
    }

    /// What was kept: the size of the tree, and the frontier of the list of entries below it.
    ///
    /// None if the list has more pointers than the tree has entries.
    pub fn new(size: u64, list: Frontier) -> Option<Self> {
        (list.size() <= size).then_some(Self { size, list })
    }

    /// The size of the tree up to which the list is complete, and the position to ask from.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The frontier of the list.
    pub const fn list(&self) -> &Frontier {
        &self.list
    }
}
