//! Rows by number, of which an auditor holds some.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rows by number, of which some may be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rows<T> {
    pub(super) held: BTreeMap<usize, T>,
    pub(super) count: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), count: 0 }
    }
}

impl<T> Rows<T> {
    /// How many there are, held or not.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.held.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.held.get_mut(&number)
    }

    pub(super) fn push(&mut self, row: T) {
        self.held.insert(self.count, row);
        self.count += 1;
    }
}
