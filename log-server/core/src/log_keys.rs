//! The keys of a log: one that signs its heads, and beside it a second one of the same name, while readers and witnesses come to know it.
//!
//! A head is signed with both (c2sp.org/tlog-checkpoint: a log may sign with several keys), and read where either has signed it. So a
//! reader who knows only one of them loses nothing, and the first can be retired when enough know the second.

use stele_explain::{Exit, Explain, explain};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::key::PublicKey;
use stele_spec::note::{KeyName, Material, NoteSignature, SignerKey, VerifierKey};
use stele_spec::receipt::RootSignature;

/// The secret keys of a log.
#[derive(Clone, Debug)]
pub struct LogSigner {
    first: SignerKey,
    second: Option<SignerKey>,
}

/// The public keys of a log, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys {
    first: VerifierKey,
    second: Option<VerifierKey>,
}

/// Why two keys are not those of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMismatch {
    /// A key that signs no logs.
    #[error("expected a log's key (type 01, or 06 for ML-DSA-44), found one of another type: {found}")]
    Type {
        /// The key.
        found: String,
    },
    /// Two names: the name is the log's origin.
    #[error("the keys of one log have one name, found {first} and {second}")]
    Names {
        /// The first key's.
        first: KeyName,
        /// The second key's.
        second: KeyName,
    },
    /// One key twice.
    #[error("the second key is the first one")]
    Same,
}

impl Explain for KeyMismatch {
    explain! {
        _ => Exit::BadInput, "other-key", hint: "make one with `stele-log key add`";
    }
}

impl LogSigner {
    /// Checks types and names.
    pub fn new(first: SignerKey, second: Option<SignerKey>) -> Result<Self, KeyMismatch> {
        LogKeys::new(first.verifier(), second.as_ref().map(SignerKey::verifier))?;
        Ok(Self { first, second })
    }

    /// The public keys.
    pub fn keys(&self) -> LogKeys {
        LogKeys { first: self.first.verifier(), second: self.second.as_ref().map(SignerKey::verifier) }
    }

    /// Signs the root of a checkpoint for receipts, with the first of the keys that is Ed25519; none where none is.
    pub fn sign_root(&self, checkpoint: &Checkpoint) -> Option<RootSignature> {
        self.signers().find_map(|key| RootSignature::sign(checkpoint, key))
    }

    /// One or two keys, the first one first.
    pub fn signers(&self) -> impl Iterator<Item = &SignerKey> {
        std::iter::once(&self.first).chain(&self.second)
    }
}

impl LogKeys {
    /// Checks types and names.
    pub fn new(first: VerifierKey, second: Option<VerifierKey>) -> Result<Self, KeyMismatch> {
        if let Some(found) =
            [Some(&first), second.as_ref()].into_iter().flatten().find(|key| !key.key_type().signs_logs())
        {
            return Err(KeyMismatch::Type { found: found.to_string() });
        }
        match &second {
            Some(second) if *second == first => Err(KeyMismatch::Same),
            Some(second) if second.name() != first.name() => {
                Err(KeyMismatch::Names { first: first.name().clone(), second: second.name().clone() })
            }
            _ => Ok(Self { first, second }),
        }
    }

    /// The origin of the log.
    pub fn name(&self) -> &KeyName {
        self.first.name()
    }

    /// The key that a policy lists first.
    pub fn first(&self) -> &VerifierKey {
        &self.first
    }

    /// The key beside it.
    pub fn second(&self) -> Option<&VerifierKey> {
        self.second.as_ref()
    }

    /// One or two keys, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &VerifierKey> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// Those of them that are Ed25519, in this order: the first signs receipts.
    pub fn ed25519(&self) -> impl Iterator<Item = &PublicKey> {
        self.iter().filter_map(|key| match key.material() {
            Material::Log(key) => Some(key),
            _ => None,
        })
    }

    /// Whether it is one of them.
    pub fn contains(&self, key: &VerifierKey) -> bool {
        self.iter().any(|own| own == key)
    }

    /// The key that a signature line means, if it is one of them.
    pub fn meant_by(&self, line: &NoteSignature) -> Option<&VerifierKey> {
        self.iter().find(|key| key.is_meant_by(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::note::KeyType;

    fn key(name: &str, key_type: KeyType, seed: u8) -> SignerKey {
        SignerKey::new(name.parse().unwrap(), key_type, [seed; 32])
    }

    #[test]
    fn keys_of_two_logs_of_a_witness_or_one_twice_are_not_those_of_a_log() {
        let first = || key("log.example/a", KeyType::Log, 1);
        let refused = |second| LogSigner::new(first(), Some(second)).unwrap_err();
        assert!(matches!(refused(key("log.example/b", KeyType::MlDsa, 2)), KeyMismatch::Names { .. }));
        assert!(matches!(refused(key("log.example/a", KeyType::Cosigner, 2)), KeyMismatch::Type { .. }));
        assert_eq!(refused(first()), KeyMismatch::Same);
        assert!(LogSigner::new(key("log.example/a", KeyType::Cosigner, 1), None).is_err());
    }
}
