//! The receipt that a log of this project gives: the path, and beside it the cosigned checkpoint that it leads to.

use super::error::ReceiptError;
use super::key::thumbprint;
use super::root_signature::{RootSignature, issuer};
use super::wire::{Wire, protected, write};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::KeyId;
use crate::merkle::InclusionProof;
use crate::note::{Material, SignedNote};
use crate::policy::Policy;
use crate::proof::{self, Proven, TlogProof};

/// A receipt as it came; its signature, its path and its cosignatures are not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    origin: String,
    size: u64,
    index: u64,
    path: InclusionProof,
    checkpoint: SignedNote,
    signature: RootSignature,
}

impl Receipt {
    /// Puts a receipt together from a proof and the signature over the root of its checkpoint.
    pub fn new(proof: &TlogProof, signature: &RootSignature) -> Result<Self, ReceiptError> {
        let checkpoint = Checkpoint::parse(proof.checkpoint().text()).map_err(ReceiptError::Checkpoint)?;
        if proof.path().path().is_empty() {
            return Err(ReceiptError::EmptyPath);
        }
        Ok(Self {
            origin: checkpoint.origin().as_str().to_owned(),
            size: checkpoint.size(),
            index: proof.index(),
            path: proof.path().clone(),
            checkpoint: proof.checkpoint().clone(),
            signature: signature.clone(),
        })
    }

    /// Reads the one encoding of a receipt of a log of this project.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let wire = Wire::parse(bytes)?;
        let missing = |what| ReceiptError::Missing { what };
        let kid = wire.headers.kid.ok_or(missing("the protected header 4 (kid)"))?;
        let kid = kid.try_into().map_err(|_| ReceiptError::KidLength { found: kid.len() })?;
        let found = wire.headers.issuer.ok_or(missing("the claim 1 (iss) under the protected header 15"))?;
        let subject = wire.headers.subject.ok_or(missing("the claim 2 (sub) under the protected header 15"))?;
        let note = wire.checkpoint.ok_or(missing("a cosigned checkpoint in the unprotected header"))?;
        let malformed = ReceiptError::Checkpoint;
        let note = SignedNote::parse(note).map_err(|error| malformed(CheckpointError::Note(error)))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(malformed)?;
        let origin = checkpoint.origin().as_str();
        if subject != origin || found != issuer(origin) {
            let found = if subject == origin { found } else { subject };
            return Err(ReceiptError::OtherLog {
                expected: origin.to_owned(),
                found: found.chars().take(300).collect(),
            });
        }
        if checkpoint.size() != wire.size {
            return Err(ReceiptError::OtherSize { expected: checkpoint.size(), found: wire.size });
        }
        let receipt = Self {
            origin: origin.to_owned(),
            size: wire.size,
            index: wire.index,
            path: wire.path,
            checkpoint: note,
            signature: RootSignature::of(KeyId::from_bytes(kid), wire.signature),
        };
        // What else it says, or says otherwise, has other bytes.
        if receipt.to_bytes() == bytes { Ok(receipt) } else { Err(ReceiptError::NotReproduced) }
    }

    /// The bytes of the receipt: `to_bytes(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let protected = protected(self.signature.kid().as_bytes(), &issuer(&self.origin), &self.origin);
        let proof = (self.size, self.index, &self.path);
        write(&protected, proof, &self.checkpoint.to_bytes(), self.signature.signature())
    }

    /// The log that it names.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The claimed position of the entry.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The size of the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The thumbprint of the key that signed the root.
    pub const fn kid(&self) -> KeyId {
        self.signature.kid()
    }

    /// The proof in it, as the log gives it by itself.
    pub fn proof(&self) -> TlogProof {
        TlogProof::new(self.index, self.path.clone(), self.checkpoint.clone())
    }
}

/// Checks that `entry` is in a log of the policy: the cosigned checkpoint, the path to its root, and the signature of the receipt.
pub fn check<'a>(receipt: &Receipt, entry: &'a [u8], policy: &Policy) -> Result<Proven<&'a [u8]>, ReceiptError> {
    let proven = proof::check(&receipt.proof(), entry, policy).map_err(ReceiptError::Proof)?;
    let kid = receipt.kid();
    let known = policy.logs().iter().filter(|log| log.key.name().as_str() == receipt.origin);
    let key = known
        .filter_map(|log| match log.key.material() {
            Material::Log(key) => Some(key),
            _ => None,
        })
        .find(|key| thumbprint(key) == kid)
        .ok_or_else(|| ReceiptError::UnknownKey { kid: kid.to_string() })?;
    if receipt.signature.is_by(key, &receipt.origin, proven.head().value().root()) {
        Ok(proven)
    } else {
        Err(ReceiptError::BadSignature)
    }
}
