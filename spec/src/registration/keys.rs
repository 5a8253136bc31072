//! Who holds a name: the keys that its key statements have left, one after the other.

use super::Refusal;
use crate::bundle::MAX_KEY_STATEMENTS;
use crate::hash::{KeyId, LeafHash};
use crate::key::PublicKey;
use crate::name::Publisher;
use crate::statement::{Action, Kind, LoggedEntry, MAX_KEYS, PublisherClaim};

/// The keys of a name at a point of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The position of the claim.
    pub position: u64,
    /// The newest key statement: what the next one names as `previous`.
    pub newest: LoggedEntry,
    /// How many key statements there are.
    pub statements: u64,
    /// The keys that may speak.
    pub keys: Vec<PublicKey>,
    /// How many of them sign a change of keys.
    pub threshold: u64,
    /// How many of them sign a statement about a release.
    pub release_threshold: u64,
    /// The keys that may speak no longer, and never again under this name.
    pub revoked: Vec<KeyId>,
}

impl Holder {
    /// What a claim makes.
    pub fn claimed(position: u64, leaf: LeafHash, claim: &PublisherClaim) -> Self {
        Self {
            position,
            newest: LoggedEntry { entry: position, leaf_hash: leaf },
            statements: 1,
            keys: claim.keys.iter().map(|key| key.public_key).collect(),
            threshold: claim.threshold,
            release_threshold: claim.keys_for_releases(),
            revoked: Vec::new(),
        }
    }

    /// The key with an id, if it may speak.
    pub fn key(&self, kid: &KeyId) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.key_id() == *kid)
    }

    /// Takes a change of keys that [`Holder::check`] has passed.
    pub fn change(&mut self, position: u64, leaf: LeafHash, change: &PublisherClaim) {
        self.newest = LoggedEntry { entry: position, leaf_hash: leaf };
        self.statements += 1;
        self.keys.retain(|key| !change.revoked.contains(&key.key_id()));
        self.keys.extend(change.keys.iter().map(|key| key.public_key));
        self.revoked.extend(&change.revoked);
        self.threshold = change.threshold;
        self.release_threshold = change.keys_for_releases();
    }

    /// Whether so many keys are enough for a statement that is no key statement.
    pub(super) fn check_release(&self, publisher: &Publisher, kind: Kind, found: u64) -> Result<(), Refusal> {
        let (publisher, needed) = (publisher.clone(), self.release_threshold);
        if found < needed {
            return Err(Refusal::ApprovalsMissing { publisher, kind, needed, found });
        }
        Ok(())
    }

    /// Whether the keys of the name may be changed so, their signatures aside.
    pub fn check(&self, publisher: &Publisher, signer: &KeyId, change: &PublisherClaim) -> Result<(), Refusal> {
        let publisher = publisher.clone();
        if change.action == Action::Claim {
            return Err(Refusal::NameClaimed { publisher, position: self.position });
        }
        let approvers = change.approvals.iter().map(|approval| approval.kid);
        for kid in core::iter::once(*signer).chain(approvers) {
            if self.key(&kid).is_none() {
                return Err(self.not_held(publisher, kid));
            }
        }
        // Nobody signs twice: the statement was refused as it was read.
        let (needed, found) = (self.threshold, 1 + change.approvals.len() as u64);
        if found < needed {
            return Err(Refusal::ApprovalsMissing { publisher, kind: Kind::Publisher, needed, found });
        }
        if change.previous != Some(self.newest) {
            return Err(Refusal::KeysMoved { publisher, position: self.newest.entry });
        }
        if self.statements >= MAX_KEY_STATEMENTS as u64 {
            return Err(Refusal::TooManyKeyStatements { publisher });
        }
        for key in &change.keys {
            if self.revoked.contains(&key.kid) {
                return Err(Refusal::KeyRevoked { publisher, kid: key.kid });
            }
            if self.key(&key.kid).is_some() {
                return Err(Refusal::KeyHeld { publisher, kid: key.kid });
            }
        }
        if let Some(kid) = change.revoked.iter().find(|kid| self.key(kid).is_none()) {
            return Err(self.not_held(publisher, *kid));
        }
        let left = (self.keys.len() + change.keys.len() - change.revoked.len()) as u64;
        if !(1..=MAX_KEYS as u64).contains(&left) || change.threshold > left {
            return Err(Refusal::KeysLeft { publisher, left, threshold: change.threshold });
        }
        Ok(())
    }

    /// Why a key may not speak.
    pub(super) fn not_held(&self, publisher: Publisher, kid: KeyId) -> Refusal {
        if self.revoked.contains(&kid) {
            Refusal::KeyRevoked { publisher, kid }
        } else {
            Refusal::KeyNotHeld { publisher, kid }
        }
    }
}
