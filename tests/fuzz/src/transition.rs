//! A transition proof: what parses is written back as it was, and is checked without a panic.

use stele_spec::hash::{IndexKey, LeafHash};
use stele_spec::index::{Listing, Pointer, genesis};
use stele_spec::transition::{Node, TransitionProof, check};

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(proof) = TransitionProof::parse(data) {
        assert_eq!(proof.to_bytes(), data);
        // Entries that touch every other key that is shown, and one that is not.
        let keys = proof.nodes().iter().filter_map(|node| match node {
            Node::Touched { key, .. } | Node::Other { key, .. } => Some(*key),
            _ => None,
        });
        let keys: Vec<IndexKey> = keys.step_by(2).chain([IndexKey::from_bytes([7; 32])]).collect();
        let listing = Listing::new(Pointer { position: 1, leaf: LeafHash::from_bytes([1; 32]) }, keys);
        let _ = check(&proof, &genesis(), &[listing]);
    }
}
