//! Who holds which name, and which weights each coordinate is bound to: what admission asks.
//!
//! It is a pure function of the log's entries in their order, kept in memory and made again from them at each start. It
//! is the only thing that decides about duplicates, with whole hashes; the lookup database has no say.

use std::collections::{HashMap, VecDeque};
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::key::PublicKey;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{Statement, Timestamp};

/// How many of the newest releases are remembered for the log's page.
pub const NEWEST: usize = 20;

/// The claim by which keys hold a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The position of the claim.
    pub position: u64,
    /// The keys that may speak under the name.
    pub keys: Vec<PublicKey>,
}

/// The release that bound a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The position of the first release.
    pub position: u64,
    /// Its weights.
    pub weights: Digest,
}

/// A release for the log's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Its position.
    pub position: u64,
    /// What was released.
    pub coordinate: Coordinate,
    /// When, as the publisher says.
    pub issued_at: Timestamp,
}

/// What admission may ask about the log.
pub trait View {
    /// Where these very bytes are.
    fn position_of(&self, leaf: &LeafHash) -> Option<u64>;
    /// Who holds a name.
    fn holder(&self, publisher: &Publisher) -> Option<&Holder>;
    /// What a coordinate is bound to.
    fn binding(&self, coordinate: &Coordinate) -> Option<&Binding>;
}

/// The state after some entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    leaves: HashMap<LeafHash, u64>,
    holders: HashMap<Publisher, Holder>,
    bindings: HashMap<Coordinate, Binding>,
    newest: VecDeque<Newest>,
}

/// The registry, and over it what the batch under way adds.
#[derive(Clone, Copy, Debug)]
pub struct Layered<'a> {
    /// What is in the log.
    pub logged: &'a Registry,
    /// What the batch adds.
    pub batch: &'a Registry,
}

impl Registry {
    /// Takes the next statement of the log. What came first counts.
    pub fn apply(&mut self, position: u64, leaf: LeafHash, statement: &Statement) {
        self.leaves.entry(leaf).or_insert(position);
        match statement {
            Statement::Publisher(claim) => {
                let keys = claim.keys.iter().map(|key| key.public_key).collect();
                self.holders.entry(claim.publisher.name.clone()).or_insert(Holder { position, keys });
            }
            Statement::Release(release) => {
                let coordinate = release.coordinate();
                self.remember(Newest { position, coordinate: coordinate.clone(), issued_at: release.issued_at });
                self.bindings.entry(coordinate).or_insert(Binding { position, weights: release.weights.digest });
            }
        }
    }

    /// Takes everything that a batch added.
    pub fn absorb(&mut self, batch: Self) {
        for (leaf, position) in batch.leaves {
            self.leaves.entry(leaf).or_insert(position);
        }
        for (publisher, holder) in batch.holders {
            self.holders.entry(publisher).or_insert(holder);
        }
        for (coordinate, binding) in batch.bindings {
            self.bindings.entry(coordinate).or_insert(binding);
        }
        for newest in batch.newest {
            self.remember(newest);
        }
    }

    /// The newest releases, oldest first.
    pub fn newest(&self) -> impl DoubleEndedIterator<Item = &Newest> {
        self.newest.iter()
    }

    /// How many statements, names and coordinates there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.leaves.len(), self.holders.len(), self.bindings.len())
    }

    fn remember(&mut self, newest: Newest) {
        self.newest.push_back(newest);
        if self.newest.len() > NEWEST {
            self.newest.pop_front();
        }
    }
}

impl View for Registry {
    fn position_of(&self, leaf: &LeafHash) -> Option<u64> {
        self.leaves.get(leaf).copied()
    }

    fn holder(&self, publisher: &Publisher) -> Option<&Holder> {
        self.holders.get(publisher)
    }

    fn binding(&self, coordinate: &Coordinate) -> Option<&Binding> {
        self.bindings.get(coordinate)
    }
}

impl View for Layered<'_> {
    fn position_of(&self, leaf: &LeafHash) -> Option<u64> {
        self.logged.position_of(leaf).or_else(|| self.batch.position_of(leaf))
    }

    fn holder(&self, publisher: &Publisher) -> Option<&Holder> {
        self.logged.holder(publisher).or_else(|| self.batch.holder(publisher))
    }

    fn binding(&self, coordinate: &Coordinate) -> Option<&Binding> {
        self.logged.binding(coordinate).or_else(|| self.batch.binding(coordinate))
    }
}
