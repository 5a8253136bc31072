//! The newest releases, for the log's page. They decide nothing.

use std::collections::VecDeque;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Statement, Timestamp};

/// How many are remembered.
pub const NEWEST: usize = 20;

/// A release for the log's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its position.
    pub position: u64,
    /// What was released.
    pub coordinate: Coordinate,
    /// When, as the publisher says.
    pub issued_at: Timestamp,
}

/// The newest releases, oldest first.
#[derive(Clone, Debug, Default)]
pub struct NewestReleases(VecDeque<Listed>);

impl NewestReleases {
    /// Takes the next statement of the log, if it is a release.
    pub fn take(&mut self, position: u64, statement: &Statement) {
        let Some(release) = statement.release() else { return };
        self.0.push_back(Listed { position, coordinate: release.coordinate(), issued_at: release.issued_at });
        if self.0.len() > NEWEST {
            self.0.pop_front();
        }
    }

    /// Takes what a batch added.
    pub fn absorb(&mut self, batch: Self) {
        self.0.extend(batch.0);
        self.0.drain(..self.0.len().saturating_sub(NEWEST));
    }

    /// The releases, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Listed> {
        self.0.iter()
    }
}
