//! A publisher claims a name for its keys, and later adds, replaces and revokes some.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{FieldError, LoggedEntry, Prose, PublisherName, Timestamp, VerifyError};
use crate::canonical::{self, CanonicalError, FieldPath, vocabulary};
use crate::hash::{Digest, KeyId};
use crate::key::{PublicKey, SecretKey, Signature};
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
/// One of them signs the envelope; the others approve: each signs [`PublisherClaim::approved_bytes`].
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

/// A further key's signature over the same statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Which key.
    pub kid: KeyId,
    /// Its 64 bytes, in lower-case hex.
    #[serde(serialize_with = "write_signature", deserialize_with = "read_signature")]
    pub signature: Signature,
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
            previous: None,
            reason: None,
            approvals: Vec::new(),
        }
    }

    /// The key with an id, if the statement brings it.
    pub fn key(&self, kid: &KeyId) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid == *kid).map(|key| &key.public_key)
    }

    /// What an approving key signs: `"stele/key-approval@v1\n" || hex(SHA-256(payload without approvals)) || "\n"`.
    pub fn approved_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        let plain = Self { approvals: Vec::new(), ..self.clone() };
        let payload = canonical::to_bytes(&plain)?;
        Ok(format!("{APPROVAL}\n{}\n", Digest::of(&payload)).into_bytes())
    }

    /// Approves the statement with one more key. Nothing else of it may change after that.
    pub fn approve(&mut self, key: &SecretKey) -> Result<(), CanonicalError> {
        let signature = key.sign(&self.approved_bytes()?);
        self.take_approval(key.public().key_id(), signature);
        Ok(())
    }

    /// Takes the signature of a key over [`PublisherClaim::approved_bytes`], which the caller has verified; of each key one.
    pub fn take_approval(&mut self, kid: KeyId, signature: Signature) {
        self.approvals.retain(|approval| approval.kid != kid);
        self.approvals.push(Approval { kid, signature });
        self.approvals.sort_by_key(|approval| approval.kid);
    }

    /// Verifies every approval, strictly, under the keys that a lookup gives.
    pub fn verify_approvals(&self, key: impl Fn(&KeyId) -> Option<PublicKey>) -> Result<(), VerifyError> {
        if self.approvals.is_empty() {
            return Ok(());
        }
        let first = self.approvals.first().map_or(KeyId::from_bytes([0; 32]), |approval| approval.kid);
        let bytes = self.approved_bytes().map_err(|_| VerifyError::BadSignature { kid: first })?;
        for Approval { kid, signature } in &self.approvals {
            let good = key(kid).is_some_and(|key| key.verify(&bytes, signature).is_ok());
            if !good {
                return Err(VerifyError::BadSignature { kid: *kid });
            }
        }
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
        problems.at_most("approvals", &self.approvals, MAX_KEYS);
        problems.different("approvals", self.approvals.iter().map(|approval| approval.kid));
        if !self.approvals.is_sorted_by_key(|approval| approval.kid) {
            problems.unexpected("approvals", "approvals are in the order of their kids");
        }
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

/// The first line of what an approving key signs.
const APPROVAL: &str = "stele/key-approval@v1";

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

fn write_signature<S: serde::Serializer>(signature: &Signature, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(signature.as_bytes()))
}

fn read_signature<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
    hex_exact(&String::deserialize(deserializer)?)
        .map(|bytes: [u8; 64]| Signature::from_bytes(bytes))
        .map_err(serde::de::Error::custom)
}
