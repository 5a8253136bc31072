//! Receipts of other services: the same tree and the same algorithm, whatever else they say.

use super::error::ReceiptError;
use super::wire::Wire;
use crate::hash::RootHash;
use crate::key::{PublicKey, Signature};
use crate::merkle::{InclusionProof, leaf_hash};
use crate::statement::sig_structure;

/// A receipt of any transparency service with Ed25519 and RFC9162_SHA256, as it came; nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignReceipt {
    protected: Vec<u8>,
    kid: Option<Vec<u8>>,
    issuer: Option<String>,
    subject: Option<String>,
    size: u64,
    index: u64,
    path: InclusionProof,
    signature: Signature,
}

/// An entry that is in a tree whose root a key signed. Only [`ForeignReceipt::check`] makes one. No witness has seen that tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInclusion<'a> {
    entry: &'a [u8],
    root: RootHash,
}

impl ForeignReceipt {
    /// Reads a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let wire = Wire::parse(bytes)?;
        Ok(Self {
            protected: wire.protected.to_vec(),
            kid: wire.headers.kid.map(<[u8]>::to_vec),
            issuer: wire.headers.issuer.map(str::to_owned),
            subject: wire.headers.subject.map(str::to_owned),
            size: wire.size,
            index: wire.index,
            path: wire.path,
            signature: wire.signature,
        })
    }

    /// The key that it names.
    pub fn kid(&self) -> Option<&[u8]> {
        self.kid.as_deref()
    }

    /// `iss`, the service.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The size of the tree, as the receipt says: its signature does not cover it.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The position of the entry, as the receipt says: its signature does not cover it.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Checks that `entry` is in the tree, and that the key signed its root.
    pub fn check<'a>(&self, entry: &'a [u8], key: &PublicKey) -> Result<SignedInclusion<'a>, ReceiptError> {
        let root = self.path.root(leaf_hash(entry), self.index, self.size).map_err(ReceiptError::Inclusion)?;
        let message = sig_structure(&self.protected, root.as_bytes());
        key.verify(&message, &self.signature).map_err(|_| ReceiptError::BadSignature)?;
        Ok(SignedInclusion { entry, root })
    }
}

impl SignedInclusion<'_> {
    /// The entry.
    pub const fn entry(&self) -> &[u8] {
        self.entry
    }

    /// The root that the key signed.
    pub const fn root(&self) -> RootHash {
        self.root
    }
}
