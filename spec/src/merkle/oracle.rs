//! Our tree against implementations that nobody here wrote: for all small sizes, roots and both kinds of proof.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

/// RFC 6962 hashing for `rs_merkle`.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        *leaf_hash(data).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| {
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
        })
    }
}

/// `tlog_tiles`' stored hashes: a port of Go's `sumdb/tlog`.
struct Stored(Vec<tlog_tiles::tlog::Hash>);

impl tlog_tiles::tlog::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::tlog::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[*i as usize]).collect())
    }
}

fn leaf(i: u64) -> LeafHash {
    leaf_hash(&i.to_be_bytes())
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|i| tree.push(leaf(i)));
    tree
}

#[test]
fn roots_and_inclusion_proofs_equal_rs_merkle_for_all_sizes_to_130() {
    let tree = tree(130);
    let mut frontier = Frontier::new();
    assert_eq!(root_at(&tree, 0), Ok(frontier.root()));
    for size in 1..=130 {
        frontier.push(leaf(size - 1));
        let root = root_at(&tree, size).unwrap();
        assert_eq!(root, frontier.root());
        let leaves: Vec<_> = (0..size).map(|i| *leaf(i).as_bytes()).collect();
        let theirs = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&leaves);
        assert_eq!(Some(*root.as_bytes()), theirs.root());
        for position in 0..size {
            let ours = prove_inclusion(&tree, position, size).unwrap();
            let path: Vec<_> = ours.path().iter().map(|node| *node.as_bytes()).collect();
            assert_eq!(path, theirs.proof(&[position as usize]).proof_hashes());
            assert_eq!(ours.check(leaf(position), position, size, root), Ok(()));
        }
    }
}

#[test]
fn both_proofs_equal_the_go_checksum_database_for_all_sizes_to_70() {
    use tlog_tiles::tlog;
    let tree = tree(70);
    let mut stored = Stored(Vec::new());
    for i in 0..70u64 {
        stored.0.extend(tlog::stored_hashes(i, &i.to_be_bytes(), &stored).unwrap());
    }
    for new in 1..=70 {
        let new_root = root_at(&tree, new).unwrap();
        assert_eq!(tlog::tree_hash(new, &stored).unwrap().0, *new_root.as_bytes());
        for old in 1..=new {
            let old_root = root_at(&tree, old).unwrap();
            let ours = prove_consistency(&tree, old, new).unwrap();
            let theirs = tlog::prove_tree(new, old, &stored).unwrap();
            assert_eq!(
                ours.path().iter().map(|n| *n.as_bytes()).collect::<Vec<_>>(),
                theirs.iter().map(|h| h.0).collect::<Vec<_>>()
            );
            assert_eq!(ours.check(old, old_root, new, new_root), Ok(()));
            let record = tlog::prove_record(new, old - 1, &stored).unwrap();
            let inclusion = prove_inclusion(&tree, old - 1, new).unwrap();
            assert_eq!(
                inclusion.path().iter().map(|n| *n.as_bytes()).collect::<Vec<_>>(),
                record.iter().map(|h| h.0).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_proof_with_a_hash_too_many_and_a_position_outside_the_tree_are_refused() {
    // Our own guard: `check` counts the hashes and bounds the position. No proof is verified by the library that builds trees.
    let tree = tree(3);
    let root = root_at(&tree, 3).unwrap();
    let good = prove_inclusion(&tree, 0, 3).unwrap();
    let mut longer = good.path().to_vec();
    longer.push(NodeHash::from(leaf(9)));
    let longer = InclusionProof::from_path(longer).unwrap();
    assert_eq!(longer.check(leaf(0), 0, 3, root), Err(InclusionError::TooLong));
    assert_eq!(good.check(leaf(0), 4, 3, root), Err(InclusionError::OutOfRange { position: 4, size: 3 }));
}

#[test]
fn from_the_empty_tree_and_between_equal_sizes_there_is_nothing_to_prove_and_nothing_may_be_said() {
    let tree = tree(9);
    let none = ConsistencyProof::from_path(Vec::new()).unwrap();
    let one = ConsistencyProof::from_path(vec![NodeHash::from(leaf(0))]).unwrap();
    let other = RootHash::from_bytes([7; 32]);
    for new in 0..=9 {
        let root = root_at(&tree, new).unwrap();
        for (old, old_root) in [(0, empty_root()), (new, root)] {
            assert_eq!(prove_consistency(&tree, old, new), Ok(none.clone()));
            assert_eq!(none.check(old, old_root, new, root), Ok(()));
            assert_eq!(one.check(old, old_root, new, root), Err(ConsistencyError::NotEmpty { old, new }));
            let refused = ConsistencyError::OldRoot { expected: other, computed: old_root };
            assert_eq!(none.check(old, other, new, root), Err(refused));
        }
        assert_eq!(prove_consistency(&tree, new + 1, new), Err(ConsistencyError::Shrinks { old: new + 1, new }));
        assert_eq!(none.check(new + 1, root, new, root), Err(ConsistencyError::Shrinks { old: new + 1, new }));
    }
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let tree = tree(4);
    let root = root_at(&tree, 4).unwrap();
    let inner = tree.node(1, 0).unwrap();
    let sibling = tree.node(1, 1).unwrap();
    let forged = InclusionProof::from_path(vec![sibling]).unwrap();
    // With the inner node as a leaf hash, the tree would have two leaves: but then its size is not 4.
    assert_eq!(forged.check(LeafHash::from_bytes(*inner.as_bytes()), 0, 4, root), Err(InclusionError::TooShort));
}

proptest! {
    #[test]
    fn any_change_to_a_proof_is_refused(size in 2u64..200, at in any::<u64>(), old in any::<u64>(), flip in any::<(usize, u8)>()) {
        let tree = tree(size);
        let root = root_at(&tree, size).unwrap();
        let position = at % size;
        let mutate = |path: &[NodeHash]| {
            let mut path = path.to_vec();
            let which = flip.0 % path.len();
            let mut bytes = *path[which].as_bytes();
            bytes[usize::from(flip.1) % 32] ^= 1 << (flip.0 % 8);
            path[which] = NodeHash::from_bytes(bytes);
            path
        };
        let good = prove_inclusion(&tree, position, size).unwrap();
        let bad = InclusionProof::from_path(mutate(good.path())).unwrap();
        prop_assert!(bad.check(leaf(position), position, size, root).is_err());
        for shorter in 0..good.path().len() {
            let cut = InclusionProof::from_path(good.path()[..shorter].to_vec()).unwrap();
            prop_assert!(cut.check(leaf(position), position, size, root).is_err());
        }
        let old = 1 + old % (size - 1);
        let old_root = root_at(&tree, old).unwrap();
        let good = prove_consistency(&tree, old, size).unwrap();
        let bad = ConsistencyProof::from_path(mutate(good.path())).unwrap();
        prop_assert!(bad.check(old, old_root, size, root).is_err());
        for shorter in 0..good.path().len() {
            let cut = ConsistencyProof::from_path(good.path()[..shorter].to_vec()).unwrap();
            prop_assert!(cut.check(old, old_root, size, root).is_err());
        }
    }
}
