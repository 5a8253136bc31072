//! Who holds which name, and which weights each coordinate is bound to: what registration asks.

use std::collections::HashMap;

use super::Holder;
use crate::hash::{Digest, LeafHash};
use crate::name::{Coordinate, Publisher};
use crate::statement::{Action, LoggedRelease, Stage, Statement};

/// The release that bound a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The position of the release.
    pub position: u64,
    /// Its leaf hash.
    pub leaf: LeafHash,
    /// Its weights, for ever.
    pub weights: Digest,
    /// The entry that first said that copies are out, if one did.
    pub public_since: Option<u64>,
}

impl Binding {
    /// Whether this is the release that a statement refers to.
    pub fn is(&self, release: &LoggedRelease) -> bool {
        self.position == release.entry && self.leaf == release.leaf_hash
    }
}

/// What registration may ask about the log.
pub trait View {
    /// Where these very bytes are.
    fn position_of(&self, leaf: &LeafHash) -> Option<u64>;
    /// Who holds a name.
    fn holder(&self, publisher: &Publisher) -> Option<&Holder>;
    /// What a coordinate is bound to.
    fn binding(&self, coordinate: &Coordinate) -> Option<&Binding>;
    /// Where the approvals were used of what a digest names ([`Statement::used_approvals`]).
    fn approved(&self, digest: &Digest) -> Option<u64>;
}

/// The state after some entries: a pure function of them, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    leaves: HashMap<LeafHash, u64>,
    holders: HashMap<Publisher, Holder>,
    bindings: HashMap<Coordinate, Binding>,
    approved: HashMap<Digest, u64>,
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
    /// Takes the next statement of the log, which [`super::admit`] has passed. What came first counts.
    pub fn apply(&mut self, position: u64, leaf: LeafHash, statement: &Statement) {
        self.apply_over(&Self::default(), position, leaf, statement);
    }

    /// The same for the registry of a batch, over the log before it.
    pub fn apply_over(&mut self, logged: &Self, position: u64, leaf: LeafHash, statement: &Statement) {
        self.leaves.entry(leaf).or_insert(position);
        if let Some(digest) = statement.used_approvals() {
            self.approved.entry(digest).or_insert(position);
        }
        match statement {
            Statement::Publisher(change) => {
                let name = &change.publisher.name;
                match (over(&mut self.holders, &logged.holders, name), change.action) {
                    (None, Action::Claim) => {
                        self.holders.insert(name.clone(), Holder::claimed(position, leaf, change));
                    }
                    (Some(holder), Action::Add | Action::Rotate | Action::Revoke) => {
                        holder.change(position, leaf, change);
                    }
                    // Neither passes `admit`; an auditor that goes on after a finding meets them.
                    (Some(_), Action::Claim) | (None, _) => {}
                }
            }
            Statement::Release(release) => {
                let coordinate = release.coordinate();
                if over(&mut self.bindings, &logged.bindings, &coordinate).is_none() {
                    let public_since = release.access.stage.is_public().then_some(position);
                    let binding = Binding { position, leaf, weights: release.weights.digest, public_since };
                    self.bindings.insert(coordinate, binding);
                }
            }
            Statement::Stage(moved) => self.reach(logged, &moved.release, moved.access.stage, position),
            Statement::Amend(_)
            | Statement::Supersede(_)
            | Statement::Withdraw(_)
            | Statement::Incident(_)
            | Statement::Evaluation(_)
            | Statement::Observation(_) => {}
        }
    }

    /// Takes everything that a batch made with [`Registry::apply_over`] this registry.
    pub fn absorb(&mut self, batch: Self) {
        for (leaf, position) in batch.leaves {
            self.leaves.entry(leaf).or_insert(position);
        }
        self.holders.extend(batch.holders);
        self.bindings.extend(batch.bindings);
        for (digest, position) in batch.approved {
            self.approved.entry(digest).or_insert(position);
        }
    }

    /// A registry of these alone: for anyone who keeps it elsewhere and fetches what [`super::admit`] asks about a statement.
    pub fn part(
        leaves: impl IntoIterator<Item = (LeafHash, u64)>,
        holders: impl IntoIterator<Item = (Publisher, Holder)>,
        bindings: impl IntoIterator<Item = (Coordinate, Binding)>,
        approved: impl IntoIterator<Item = (Digest, u64)>,
    ) -> Self {
        Self {
            leaves: leaves.into_iter().collect(),
            holders: holders.into_iter().collect(),
            bindings: bindings.into_iter().collect(),
            approved: approved.into_iter().collect(),
        }
    }

    /// The positions of statements, by leaf hash, in no order.
    pub fn leaves(&self) -> impl Iterator<Item = (&LeafHash, u64)> {
        self.leaves.iter().map(|(leaf, position)| (leaf, *position))
    }

    /// The names held, in no order.
    pub fn holders(&self) -> impl Iterator<Item = (&Publisher, &Holder)> {
        self.holders.iter()
    }

    /// The coordinates bound, in no order.
    pub fn bindings(&self) -> impl Iterator<Item = (&Coordinate, &Binding)> {
        self.bindings.iter()
    }

    /// Where approvals were used, in no order.
    pub fn used_approvals(&self) -> impl Iterator<Item = (&Digest, u64)> {
        self.approved.iter().map(|(digest, position)| (digest, *position))
    }

    /// How many statements, names and coordinates there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.leaves.len(), self.holders.len(), self.bindings.len())
    }

    fn reach(&mut self, logged: &Self, release: &LoggedRelease, stage: Stage, position: u64) {
        if let Some(binding) = over(&mut self.bindings, &logged.bindings, &release.coordinate)
            && binding.public_since.is_none()
            && stage.is_public()
        {
            binding.public_since = Some(position);
        }
    }
}

/// The value of a key, copied up from the layer below before it is changed.
fn over<'a, K: Clone + Eq + core::hash::Hash, V: Clone>(
    own: &'a mut HashMap<K, V>,
    below: &HashMap<K, V>,
    key: &K,
) -> Option<&'a mut V> {
    if !own.contains_key(key)
        && let Some(value) = below.get(key)
    {
        own.insert(key.clone(), value.clone());
    }
    own.get_mut(key)
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

    fn approved(&self, digest: &Digest) -> Option<u64> {
        self.approved.get(digest).copied()
    }
}

impl View for Layered<'_> {
    fn position_of(&self, leaf: &LeafHash) -> Option<u64> {
        self.logged.position_of(leaf).or_else(|| self.batch.position_of(leaf))
    }

    fn holder(&self, publisher: &Publisher) -> Option<&Holder> {
        self.batch.holder(publisher).or_else(|| self.logged.holder(publisher))
    }

    fn binding(&self, coordinate: &Coordinate) -> Option<&Binding> {
        self.batch.binding(coordinate).or_else(|| self.logged.binding(coordinate))
    }

    fn approved(&self, digest: &Digest) -> Option<u64> {
        self.logged.approved(digest).or_else(|| self.batch.approved(digest))
    }
}
