//! A publisher claims a name for its keys, and later adds, replaces and revokes some.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Approval, FieldError, LoggedEntry, Prose, PublisherName, Timestamp, approval, approved_bytes};
use crate::canonical::{self, CanonicalError, FieldPath, vocabulary};
use crate::hash::{Digest, KeyId};
use crate::key::{PublicKey, SecretKey};
use crate::name::Publisher;
use crate::text::hex_exact;

/// The most keys of one claim.
pub const MAX_KEYS: usize = 16;

vocabulary! {
    /// The kind of this statement.
    pub enum PublisherKind {
        /// The only word.
        Publisher = "publisher",
    }
}

vocabulary! {
    /// What happens to the keys of a name.
    pub enum Action {
        /// The name is claimed for these keys.
        Claim = "claim",
        /// Keys are added.
        Add = "add",
        /// Keys replace others.
        Rotate = "rotate",
        /// Keys may speak no longer.
        Revoke = "revoke",
    }
}

vocabulary! {
    /// The algorithms of publishers' keys.
    pub enum Algorithm {
        /// RFC 8032.
        Ed25519 = "ed25519",
    }
}

/// A claim of a name, or a change of its keys: signed by as many of its keys as its threshold says.
///
/// One of them signs the envelope; the others approve: each signs [`super::Statement::approved_bytes`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherClaim {
    /// `publisher`.
    pub kind: PublisherKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The name.
    pub publisher: PublisherName,
    /// What happens.
    pub action: Action,
    /// The keys that may speak from now on, beside those that are not revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<PublisherKey>,
    /// The keys that may speak no longer. What they signed before stays valid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<KeyId>,
    /// How many keys sign the next change of keys.
    pub threshold: u64,
    /// How many keys sign each statement about a release from now on, where that is more than one: at most `threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_threshold: Option<u64>,
    /// The name's newest key statement, which this one changes: so two changes cannot cross, and none can be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<LoggedEntry>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Prose>,
    /// The other signatures, where the threshold is above one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// A key of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherKey {
    /// The SHA-256 of its SubjectPublicKeyInfo.
    pub kid: KeyId,
    /// `ed25519`.
    pub algorithm: Algorithm,
    /// Its 32 bytes, in lower-case hex.
    #[serde(serialize_with = "write_key", deserialize_with = "read_key")]
    pub public_key: PublicKey,
}

impl PublisherClaim {
    /// A claim of a name for some keys, of which one is enough.
    pub fn new(name: Publisher, issued_at: Timestamp, keys: &[PublicKey]) -> Self {
        let keys = keys.iter().map(|key| PublisherKey::from(*key)).collect();
        Self {
            kind: PublisherKind::Publisher,
            issued_at,
            publisher: PublisherName { name },
            action: Action::Claim,
            keys,
            revoked: Vec::new(),
            threshold: 1,
            release_threshold: None,
            previous: None,
            reason: None,
            approvals: Vec::new(),
        }
    }

    /// The key with an id, if the statement brings it.
    pub fn key(&self, kid: &KeyId) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid == *kid).map(|key| &key.public_key)
    }

    /// How many keys sign a statement about a release; the field is left out where one is enough.
    pub fn keys_for_releases(&self) -> u64 {
        self.release_threshold.unwrap_or(1)
    }

    /// Approves the statement with one more key. Nothing else of it may change after that.
    pub fn approve(&mut self, key: &SecretKey) -> Result<(), CanonicalError> {
        let plain = Self { approvals: Vec::new(), ..self.clone() };
        let bytes = approved_bytes(Digest::of(&canonical::to_bytes(&plain)?));
        approval::take(&mut self.approvals, key.public().key_id(), key.sign(&bytes));
        Ok(())
    }

    /// Every check of the fields.
    pub fn check(&self) -> Result<(), FieldError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with the fields, in their order. What depends on the keys that the name has, the log checks.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        self.check_action(&mut problems);
        problems.at_most("keys", &self.keys, MAX_KEYS);
        for (position, key) in self.keys.iter().enumerate() {
            let expected = key.public_key.key_id();
            if key.kid != expected {
                let path = FieldPath::new(format!("keys[{position}].kid"));
                problems.push(FieldError::KeyIdDiffers { path, expected, found: key.kid });
            }
        }
        problems.different("keys", self.keys.iter().map(|key| key.kid));
        problems.at_most("revoked", &self.revoked, MAX_KEYS);
        problems.different("revoked", &self.revoked);
        for (position, kid) in self.revoked.iter().enumerate() {
            if self.key(kid).is_some() {
                problems.unexpected(&format!("revoked[{position}]"), "the same statement adds this key");
            }
        }
        let most = if self.action == Action::Claim { self.keys.len() } else { MAX_KEYS };
        if !(1..=most as u64).contains(&self.threshold) {
            problems.push(FieldError::ThresholdOutOfRange { most, found: self.threshold });
        }
        // Else the fewer keys that change the keys could lower it, or bring keys of their own.
        if let Some(found) = self.release_threshold.filter(|found| !(2..=self.threshold).contains(found)) {
            problems.push(FieldError::ReleaseThresholdOutOfRange { most: self.threshold, found });
        }
        approval::check(&self.approvals, &mut problems);
        if self.action == Action::Claim {
            for (position, approval) in self.approvals.iter().enumerate() {
                if self.key(&approval.kid).is_none() {
                    let path = FieldPath::new(format!("approvals[{position}].kid"));
                    problems.push(FieldError::ApproverNotListed { path, found: approval.kid });
                }
            }
        }
        problems.into_vec()
    }

    /// Each action has its own fields.
    fn check_action(&self, problems: &mut Problems) {
        let (keys, revoked) = match self.action {
            Action::Claim => (true, false),
            Action::Add => (true, false),
            Action::Rotate => (true, true),
            Action::Revoke => (false, true),
        };
        if keys {
            problems.at_least_one("keys", &self.keys);
        } else if !self.keys.is_empty() {
            problems.unexpected("keys", "revoke adds no key; rotate does both");
        }
        if revoked {
            problems.at_least_one("revoked", &self.revoked);
        } else if !self.revoked.is_empty() {
            problems.unexpected("revoked", "only rotate and revoke take keys away");
        }
        match (self.action, &self.previous) {
            (Action::Claim, Some(_)) => problems.unexpected("previous", "a claim is a name's first statement"),
            (Action::Claim, None) | (_, Some(_)) => {}
            (_, None) => problems.required("previous", "a change of keys names the key statement that it changes"),
        }
    }
}

impl From<PublicKey> for PublisherKey {
    fn from(public_key: PublicKey) -> Self {
        Self { kid: public_key.key_id(), algorithm: Algorithm::Ed25519, public_key }
    }
}

fn write_key<S: serde::Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(key.as_bytes()))
}

fn read_key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    let bytes = hex_exact(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
    PublicKey::from_bytes(&bytes).map_err(serde::de::Error::custom)
}
