//! A publisher claims a name for its keys.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{FieldError, Timestamp};
use crate::canonical::{FieldPath, vocabulary};
use crate::hash::KeyId;
use crate::key::PublicKey;
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
        /// Keys are added; not accepted yet.
        Add = "add",
        /// Keys replace others; not accepted yet.
        Rotate = "rotate",
        /// Keys are revoked; not accepted yet.
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

/// A claim of a name, signed by one of its own keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherClaim {
    /// `publisher`.
    pub kind: PublisherKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The name.
    pub publisher: PublisherName,
    /// `claim`.
    pub action: Action,
    /// The keys that may speak under the name.
    pub keys: Vec<PublisherKey>,
    /// How many keys sign a change of keys: 1.
    pub threshold: u64,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherName {
    /// The name of the publisher.
    pub name: Publisher,
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
    /// A claim of a name for some keys.
    pub fn new(name: Publisher, issued_at: Timestamp, keys: &[PublicKey]) -> Self {
        let keys = keys.iter().map(|key| PublisherKey::from(*key)).collect();
        let (kind, action) = (PublisherKind::Publisher, Action::Claim);
        Self { kind, issued_at, publisher: PublisherName { name }, action, keys, threshold: 1 }
    }

    /// The key with an id, if the claim has it.
    pub fn key(&self, kid: &KeyId) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid == *kid).map(|key| &key.public_key)
    }

    /// Every check of the fields.
    pub fn check(&self) -> Result<(), FieldError> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        if self.action != Action::Claim {
            problems.push(FieldError::ActionNotYet { found: self.action });
        }
        problems.at_least_one("keys", &self.keys);
        problems.at_most("keys", &self.keys, MAX_KEYS);
        for (position, key) in self.keys.iter().enumerate() {
            let expected = key.public_key.key_id();
            if key.kid != expected {
                let path = FieldPath::new(format!("keys[{position}].kid"));
                problems.push(FieldError::KeyIdDiffers { path, expected, found: key.kid });
            }
        }
        problems.different("keys", self.keys.iter().map(|key| key.kid));
        if self.threshold != 1 {
            problems.push(FieldError::ThresholdNotYet { found: self.threshold });
        }
        problems.into_vec()
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
