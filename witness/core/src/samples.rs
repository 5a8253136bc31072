//! A log and a witness for unit tests, here and in the crates above.
#![allow(clippy::unwrap_used, missing_docs, reason = "only tests use it, and they say what failed by failing")]

use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::hash::RootHash;
use stele_spec::merkle::{
    MemoryTree, SubtreeProof, leaf_hash, prove_consistency, prove_subtree, root_at, subtree_root,
};
use stele_spec::note::{KeyType, SignedNote, SignerKey, VerifierKey};

use crate::request::AddCheckpoint;
use crate::signer::WitnessSigner;
use crate::trusted_log::TrustedLog;

/// A log whose n-th entry is the number n, and its key.
pub struct Log {
    origin: Origin,
    key: SignerKey,
    tree: MemoryTree,
}

impl Log {
    pub fn new(origin: &str, seed: u8) -> Self {
        Self::named(origin, origin, seed)
    }

    pub fn named(origin: &str, key_name: &str, seed: u8) -> Self {
        Self::with(origin, key_name, 0, seed)
    }

    /// Another history under the same key.
    pub fn salted(origin: &str, salt: u64, seed: u8) -> Self {
        Self::with(origin, origin, salt, seed)
    }

    fn with(origin: &str, key_name: &str, salt: u64, seed: u8) -> Self {
        let mut tree = MemoryTree::new();
        (0..100_u64).for_each(|n| tree.push(leaf_hash(&(n ^ (salt << 32)).to_be_bytes())));
        let key = SignerKey::new(key_name.parse().unwrap(), KeyType::Log, [seed; 32]);
        Self { origin: origin.parse().unwrap(), key, tree }
    }

    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    pub fn vkey(&self) -> VerifierKey {
        self.key.verifier()
    }

    pub fn trusted(&self) -> TrustedLog {
        TrustedLog::new(self.origin(), vec![self.vkey()]).unwrap()
    }

    pub fn root(&self, size: u64) -> RootHash {
        root_at(&self.tree, size).unwrap()
    }

    pub fn signed(&self, size: u64) -> SignedNote {
        self.signed_root(size, self.root(size))
    }

    pub fn signed_root(&self, size: u64, root: RootHash) -> SignedNote {
        sign_checkpoint(&Checkpoint::new(self.origin(), size, root), &self.key).unwrap()
    }

    /// The hash of a part of the tree, and its proof.
    pub fn part(&self, start: u64, end: u64, size: u64) -> (RootHash, SubtreeProof) {
        (subtree_root(&self.tree, start, end).unwrap(), prove_subtree(&self.tree, start, end, size).unwrap())
    }

    /// An honest request.
    pub fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        AddCheckpoint::new(old, prove_consistency(&self.tree, old, size).unwrap(), self.signed(size)).unwrap()
    }
}

pub fn witness_key() -> WitnessSigner {
    witness_of(9)
}

pub fn witness_of(seed: u8) -> WitnessSigner {
    let key = |key_type| SignerKey::new("witness.example/w1".parse().unwrap(), key_type, [seed; 32]);
    WitnessSigner::new(key(KeyType::Cosigner), Some(key(KeyType::MlDsa))).unwrap()
}
