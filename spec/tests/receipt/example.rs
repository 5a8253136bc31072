//! A small log with one witness, and the receipts that it gives.

use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::receipt::{Receipt, RootSignature};
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement, sign};

pub(crate) const ORIGIN: &str = "log.example/stele";

pub(crate) fn signer() -> SignerKey {
    SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [1; 32])
}

fn witness() -> SignerKey {
    SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Cosigner, [2; 32])
}

/// The log and its one witness.
pub(crate) fn policy() -> Policy {
    let text = format!("log {}\nwitness w1 {}\nquorum w1\n", signer().verifier(), witness().verifier());
    Policy::parse(text.as_bytes()).unwrap()
}

/// The statement at position 3 of every tree here.
pub(crate) fn statement() -> SignedStatement {
    let secret = SecretKey::from_seed([7; 32]);
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let claim = PublisherClaim::new("acme.example".parse().unwrap(), issued_at, &[secret.public()]);
    sign(&Statement::Publisher(claim), &secret).unwrap()
}

/// A tree of so many entries, and its checkpoint.
pub(crate) fn tree(size: u8) -> (MemoryTree, Checkpoint) {
    let mut tree = MemoryTree::new();
    for position in 0..size {
        tree.push(if position == 3 { leaf_hash(statement().bytes()) } else { leaf_hash(&[position]) });
    }
    let root = root_at(&tree, size.into()).unwrap();
    (tree, Checkpoint::new(ORIGIN.parse().unwrap(), size.into(), root))
}

/// The checkpoint as it is published.
pub(crate) fn published(checkpoint: &Checkpoint) -> SignedNote {
    let signed = sign_checkpoint(checkpoint, &signer()).unwrap();
    let line = cosign(signed.text(), &witness(), UnixTime::new(1_780_000_000).unwrap()).unwrap();
    SignedNote::new(signed.text().to_owned(), [signed.signatures(), &[line]].concat()).unwrap()
}

/// The receipt of the statement in the tree of so many entries.
pub(crate) fn receipt(size: u8) -> Receipt {
    let (tree, checkpoint) = tree(size);
    let path = prove_inclusion(&tree, 3, size.into()).unwrap();
    let proof = TlogProof::new(3, path, published(&checkpoint));
    Receipt::new(&proof, &RootSignature::sign(&checkpoint, &signer()).unwrap()).unwrap()
}
