//! Who held a name when: its key statements, each proven to be in the log, folded in the order of the log.
//!
//! The fold is the log's own rule, so a reader and the log cannot differ about whose key it was. A
//! key counts at the position of what it signed: one that was revoked later signed well, one that was revoked before did
//! not. Whether the statements are all that there are, a bundle alone does not show; the log, asked, does.

use core::fmt;

use super::admit::{admit, authenticate, signers};
use super::keys::Holder;
use super::refusal::Refusal;
use super::registry::{Binding, Registry, View};
use crate::hash::{Digest, KeyId, LeafHash};
use crate::merkle::leaf_hash;
use crate::name::{Coordinate, Publisher};
use crate::proof::Proven;
use crate::statement::{Prose, SignedStatement, Statement};

/// The keys of one name through its history.
#[derive(Debug, Clone)]
pub struct KeyHistory {
    publisher: Publisher,
    steps: Vec<Step>,
}

/// Who holds the name from a position on.
#[derive(Debug, Clone)]
struct Step {
    position: u64,
    holder: Holder,
    /// Why, as the statement says.
    reason: Option<Prose>,
}

impl KeyHistory {
    /// Folds the key statements of a name, given in any order; those of other names, and other kinds, change nothing.
    pub fn fold<'a>(
        publisher: &Publisher,
        statements: impl IntoIterator<Item = &'a Proven<SignedStatement>>,
    ) -> Result<Self, BrokenHistory> {
        let about = |proven: &&Proven<SignedStatement>| match proven.value().statement() {
            Statement::Publisher(change) => change.publisher.name == *publisher,
            _ => false,
        };
        let mut own: Vec<_> = statements.into_iter().filter(about).collect();
        own.sort_by_key(|proven| proven.position());
        // The same entry twice counts once; another statement at its place is judged, and breaks the history.
        own.dedup_by(|a, b| a.position() == b.position() && a.value().bytes() == b.value().bytes());
        let mut registry = Registry::default();
        let mut steps = Vec::with_capacity(own.len());
        for proven in own {
            let (position, signed) = (proven.position(), proven.value());
            let broken = |refusal| BrokenHistory { publisher: publisher.clone(), position, refusal };
            let leaf = leaf_hash(signed.bytes());
            let keys = signers(signed, &registry).map_err(broken)?;
            authenticate(signed, &keys).map_err(broken)?;
            admit(&leaf, signed, &registry).map_err(broken)?;
            registry.apply(position, leaf, signed.statement());
            let reason = match signed.statement() {
                Statement::Publisher(change) => change.reason.clone(),
                _ => None,
            };
            steps.extend(registry.holder(publisher).cloned().map(|holder| Step { position, holder, reason }));
        }
        Ok(Self { publisher: publisher.clone(), steps })
    }

    /// Whose history it is.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// The position of the claim.
    pub fn claimed_at(&self) -> Option<u64> {
        self.steps.first().map(|step| step.position)
    }

    /// How many key statements there are.
    #[allow(clippy::len_without_is_empty, reason = "a count of steps; a history without a claim has `claimed_at` none")]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Who holds the name at a position: what the entries before it have left.
    pub fn at(&self, position: u64) -> Option<&Holder> {
        self.steps.iter().rev().find(|step| step.position < position).map(|step| &step.holder)
    }

    /// Whether a statement at a position is signed by keys that held the name there, and by as many as it asked for.
    pub fn check(&self, position: u64, signed: &SignedStatement) -> Result<(), Refusal> {
        let view = Held { publisher: &self.publisher, holder: self.at(position) };
        authenticate(signed, &signers(signed, &view)?)
    }

    /// The entry that revoked a key, if one did.
    pub fn revoked_at(&self, kid: &KeyId) -> Option<u64> {
        self.revocation(kid).map(|(position, _)| position)
    }

    /// The same, and the reason that it gives.
    pub fn revocation(&self, kid: &KeyId) -> Option<(u64, Option<&Prose>)> {
        let step = self.steps.iter().find(|step| step.holder.revoked.contains(kid))?;
        Some((step.position, step.reason.as_ref()))
    }
}

/// One name at one point of the log.
struct Held<'a> {
    publisher: &'a Publisher,
    holder: Option<&'a Holder>,
}

impl View for Held<'_> {
    fn position_of(&self, _: &LeafHash) -> Option<u64> {
        None
    }

    fn holder(&self, publisher: &Publisher) -> Option<&Holder> {
        self.holder.filter(|_| publisher == self.publisher)
    }

    fn binding(&self, _: &Coordinate) -> Option<&Binding> {
        None
    }

    fn approved(&self, _: &Digest) -> Option<u64> {
        None
    }
}

/// A key statement that the ones before it do not allow: no honest log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenHistory {
    /// The name.
    pub publisher: Publisher,
    /// The entry.
    pub position: u64,
    /// The rule that it breaks.
    pub refusal: Refusal,
}

impl fmt::Display for BrokenHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { publisher, position, refusal } = self;
        write!(
            f,
            "the key statement of {publisher} at entry {position} does not follow from those before it: {refusal}"
        )
    }
}

impl core::error::Error for BrokenHistory {}
