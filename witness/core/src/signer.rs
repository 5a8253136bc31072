//! The signer: an Ed25519 and an ML-DSA-44 key side by side under one name.
//!
//! The Ed25519 key is in memory, or with another program ([`HeldKey`]). Each cosignature is made with both at the same time. A verifier that has only one of the keys in a policy ignores the other's line.

use std::fmt;
use std::sync::Arc;

use stele_spec::checkpoint::Subtree;
use stele_spec::cosignature::{
    CosignatureError, UnixTime, assemble, cosign, cosign_subtree, message, verify_cosignature,
};
use stele_spec::note::{KeyName, KeyType, NoteSignature, SignerKey, VerifierKey};

/// The public keys of this witness, the Ed25519 one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKeys {
    first: VerifierKey,
    second: Option<VerifierKey>,
}

/// The keys that sign.
#[derive(Clone, Debug)]
pub struct WitnessSigner {
    first: First,
    second: Option<SignerKey>,
}

#[derive(Clone, Debug)]
enum First {
    Here(SignerKey),
    Elsewhere(VerifierKey, Arc<dyn HeldKey>),
}

/// An Ed25519 key that another program holds and signs with, such as an ssh-agent.
pub trait HeldKey: fmt::Debug + Send + Sync {
    /// Its signature over a message. It is verified before anything rests on it. Blocks while the program is asked.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyUnavailable>;

    /// The error for a signature that does not verify.
    fn wrong(&self) -> KeyUnavailable;
}

/// Why the program that holds a key has not signed, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyUnavailable(pub String);

/// Why there is no cosignature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// What was to be signed cannot be.
    #[error("{0}")]
    Cosignature(CosignatureError),
    /// The program that holds the key has not signed.
    #[error("{0}")]
    Key(KeyUnavailable),
}

/// Why keys do not make a witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMismatch {
    /// A key of another type than the place is for.
    #[error("expected {expected}, found a key of another type")]
    Type {
        /// What belongs there.
        expected: &'static str,
    },
    /// Two names.
    #[error("the two keys have two names, {first} and {second}")]
    Names {
        /// The Ed25519 key's.
        first: KeyName,
        /// The ML-DSA-44 key's.
        second: KeyName,
    },
}

impl WitnessSigner {
    /// An Ed25519 cosigner's key and, beside it, an ML-DSA-44 key of the same name.
    pub fn new(first: SignerKey, second: Option<SignerKey>) -> Result<Self, KeyMismatch> {
        WitnessKeys::new(first.verifier(), second.as_ref().map(SignerKey::verifier))?;
        Ok(Self { first: First::Here(first), second })
    }

    /// The same with the first held by another program.
    pub fn with_held(
        first: VerifierKey,
        key: Arc<dyn HeldKey>,
        second: Option<SignerKey>,
    ) -> Result<Self, KeyMismatch> {
        WitnessKeys::new(first.clone(), second.as_ref().map(SignerKey::verifier))?;
        Ok(Self { first: First::Elsewhere(first, key), second })
    }

    /// The public keys.
    pub fn own(&self) -> WitnessKeys {
        WitnessKeys { first: self.first.verifier(), second: self.second.as_ref().map(SignerKey::verifier) }
    }

    /// The lines over the text of a checkpoint, one of each key. Blocks while another program is asked.
    pub fn cosign(&self, text: &str, time: UnixTime) -> Result<Vec<NoteSignature>, SignError> {
        let mut lines = vec![self.first.cosign(text, time)?];
        if let Some(key) = &self.second {
            lines.push(cosign(text, key, time).map_err(SignError::Cosignature)?);
        }
        Ok(lines)
    }

    /// The line over a part of a tree; none without an ML-DSA-44 key.
    pub fn cosign_subtree(&self, subtree: &Subtree) -> Option<NoteSignature> {
        cosign_subtree(subtree, self.second.as_ref()?).ok()
    }
}

impl First {
    fn verifier(&self) -> VerifierKey {
        match self {
            Self::Here(key) => key.verifier(),
            Self::Elsewhere(verifier, _) => verifier.clone(),
        }
    }

    fn cosign(&self, text: &str, time: UnixTime) -> Result<NoteSignature, SignError> {
        match self {
            Self::Here(key) => cosign(text, key, time).map_err(SignError::Cosignature),
            Self::Elsewhere(verifier, key) => {
                let signature = key.sign(&message(text, time)).map_err(SignError::Key)?;
                let line = assemble(verifier, time, &signature);
                // What another program signed is looked at like what a stranger signed.
                verify_cosignature(text, &line, verifier).map_err(|_| SignError::Key(key.wrong()))?;
                Ok(line)
            }
        }
    }
}

impl WitnessKeys {
    /// Checks types and names.
    pub fn new(first: VerifierKey, second: Option<VerifierKey>) -> Result<Self, KeyMismatch> {
        if first.key_type() != KeyType::Cosigner {
            return Err(KeyMismatch::Type { expected: "an Ed25519 cosigner's key (type 04)" });
        }
        if let Some(second) = &second {
            if second.key_type() != KeyType::MlDsa {
                return Err(KeyMismatch::Type { expected: "an ML-DSA-44 key (type 06)" });
            }
            if first.name() != second.name() {
                return Err(KeyMismatch::Names { first: first.name().clone(), second: second.name().clone() });
            }
        }
        Ok(Self { first, second })
    }

    /// The name of both.
    pub fn name(&self) -> &KeyName {
        self.first.name()
    }

    /// One or two keys, the Ed25519 one first.
    pub fn keys(&self) -> impl Iterator<Item = &VerifierKey> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// The key that a signature line means, if it is ours.
    pub fn meant_by(&self, line: &NoteSignature) -> Option<&VerifierKey> {
        self.keys().find(|key| key.is_meant_by(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, key_type: KeyType) -> SignerKey {
        SignerKey::new(name.parse().unwrap(), key_type, [4; 32])
    }

    #[test]
    fn keys_of_other_types_or_names_are_no_witness() {
        use KeyType::{Cosigner, Log, MlDsa};
        for (first, second) in [(Log, None), (MlDsa, None), (Cosigner, Some(Cosigner)), (Cosigner, Some(Log))] {
            let ring = WitnessSigner::new(key("w", first), second.map(|second| key("w", second)));
            assert!(matches!(ring, Err(KeyMismatch::Type { .. })), "{first:?} {second:?}");
        }
        assert!(matches!(
            WitnessSigner::new(key("w", Cosigner), Some(key("v", MlDsa))),
            Err(KeyMismatch::Names { .. })
        ));
        let both = WitnessSigner::new(key("w", Cosigner), Some(key("w", MlDsa))).unwrap();
        assert_eq!(both.own().keys().count(), 2);
    }
}
