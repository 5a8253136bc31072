//! The one signature of a tree head on which all its receipts rest.

use super::key::thumbprint;
use super::wire::protected;
use crate::checkpoint::Checkpoint;
use crate::hash::{KeyId, RootHash};
use crate::key::{PublicKey, Signature};
use crate::note::{Material, SignerKey};
use crate::statement::sig_structure;

/// The log's signature over the root of one tree head, as receipts carry it.
///
/// The same for every entry: position, size and path are in the receipt and lead to this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSignature {
    kid: KeyId,
    signature: Signature,
}

impl RootSignature {
    /// Signs the root of a checkpoint with the log's Ed25519 key; none where the log has a key of another type.
    pub fn sign(checkpoint: &Checkpoint, signer: &SignerKey) -> Option<Self> {
        let verifier = signer.verifier();
        let Material::Log(key) = verifier.material() else { return None };
        let kid = thumbprint(key);
        let message = message(&kid, checkpoint.origin().as_str(), checkpoint.root());
        let signature = Signature::from_bytes(signer.sign(&message).try_into().ok()?);
        Some(Self { kid, signature })
    }

    /// As it stands in a receipt; nothing is proven by it.
    pub(super) const fn of(kid: KeyId, signature: Signature) -> Self {
        Self { kid, signature }
    }

    /// The thumbprint of the key.
    pub const fn kid(&self) -> KeyId {
        self.kid
    }

    /// The 64 bytes.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether it is this key's over the root of a tree of this log.
    pub fn is_by(&self, key: &PublicKey, origin: &str, root: RootHash) -> bool {
        key.verify(&message(&self.kid, origin, root), &self.signature).is_ok()
    }
}

/// `iss` of a log's receipts: its origin as a URI. Their `sub` is the origin itself, whose tree the signed root is of.
pub fn issuer(origin: &str) -> String {
    format!("https://{origin}")
}

/// What is signed (RFC 9052 §4.4). It begins with 0x84, and no note does: a note is UTF-8, and no character begins with that byte.
fn message(kid: &KeyId, origin: &str, root: RootHash) -> Vec<u8> {
    sig_structure(&protected(kid.as_bytes(), &issuer(origin), origin), root.as_bytes())
}
