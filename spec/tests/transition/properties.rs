//! Stories of a log that makes a transition proof, and of one that makes it wrong.

use proptest::prelude::*;

use stele_spec::entry::IndexEntry;
use stele_spec::hash::{Digest, IndexKey, LeafHash};
use stele_spec::index::{Index, Listing, Pointer, genesis};
use stele_spec::transition::{MalformedTransition, RefusedTransition, TransitionProof, check};

/// The keys that each entry of a batch is listed under.
type Batch = Vec<Vec<IndexKey>>;

/// Keys that meet often and share beginnings of every length, and some that are like hashes.
fn key() -> impl Strategy<Value = IndexKey> {
    let bit = prop::sample::select(vec![0, 1, 2, 6, 7, 8, 127, 128, 254, 255_u8]);
    let bits = prop::collection::vec(bit, 0..4).prop_map(|bits| {
        let mut bytes = [0; 32];
        bits.iter().for_each(|bit| bytes[usize::from(bit / 8)] ^= 0x80 >> (bit % 8));
        bytes
    });
    prop_oneof![4 => bits, 1 => any::<[u8; 32]>()].prop_map(IndexKey::from_bytes)
}

fn batch() -> impl Strategy<Value = Batch> {
    prop::collection::vec(prop::collection::vec(key(), 0..5), 0..8)
}

fn listings(position: u64, batch: &Batch) -> Vec<Listing> {
    let listing = |(keys, position): (&Vec<IndexKey>, u64)| {
        let leaf = LeafHash::from_bytes(*Digest::of(&position.to_be_bytes()).as_bytes());
        Listing::new(Pointer { position, leaf }, keys.clone())
    };
    batch.iter().zip(position..).map(listing).collect()
}

/// An index after these batches, and its last entry.
fn grown(batches: &[Batch]) -> (Index, IndexEntry) {
    let mut index = Index::new();
    let mut last = index.stage_entry(&[]).unwrap();
    index.commit().unwrap();
    for batch in batches {
        last = index.stage_entry(&listings(index.position(), batch)).unwrap();
        index.commit().unwrap();
    }
    (index, last)
}

#[test]
fn an_index_as_deep_as_keys_are_long_is_shown_and_read() {
    let bits = (0..256_usize).map(|bit| {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 0x80 >> (bit % 8);
        IndexKey::from_bytes(bytes)
    });
    let (mut index, last) = grown(&[vec![bits.collect()]]);
    let batch = listings(index.position(), &vec![vec![IndexKey::from_bytes([0; 32])]]);
    let proof = TransitionProof::of(&index, &batch);
    assert_eq!(TransitionProof::parse(&proof.to_bytes()), Ok(proof.clone()));
    let verified = check(&proof, &last, &batch).unwrap();
    assert_eq!(verified.to(), &index.stage_entry(&batch).unwrap());
}

#[test]
fn more_entries_than_may_stand_between_two_index_entries_are_refused() {
    let batch = listings(1, &vec![vec![]; stele_spec::index::MAX_BETWEEN + 1]);
    let proof = TransitionProof::of(&Index::new(), &batch);
    assert!(check(&proof, &genesis(), &batch[1..]).is_err());
    assert!(check(&proof, &genesis(), &batch[..stele_spec::index::MAX_BETWEEN]).is_ok());
    let refused = check(&proof, &genesis(), &batch);
    assert_eq!(refused, Err(RefusedTransition::TooMany { found: stele_spec::index::MAX_BETWEEN + 1 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_entry_that_follows_is_that_of_the_builder(
        batches in prop::collection::vec(batch(), 0..6), batch in batch(),
    ) {
        let (mut index, last) = grown(&batches);
        let batch = listings(index.position(), &batch);
        let proof = TransitionProof::of(&index, &batch);
        let bytes = proof.to_bytes();
        prop_assert_eq!(TransitionProof::parse(&bytes), Ok(proof.clone()));
        let verified = check(&proof, &last, &batch).unwrap();
        let stated = index.stage_entry(&batch).unwrap();
        prop_assert_eq!(verified.from(), &last);
        prop_assert_eq!(verified.to(), &stated);
        index.rollback();
        prop_assert_eq!(index.stage(&batch).unwrap().entry, stated);
    }

    /// There is one proof for each step: whatever else is read is refused.
    #[test]
    fn a_proof_with_a_changed_byte_shows_nothing(
        batches in prop::collection::vec(batch(), 0..6), batch in batch(), at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let (index, last) = grown(&batches);
        let batch = listings(index.position(), &batch);
        let mut bytes = TransitionProof::of(&index, &batch).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(changed) = TransitionProof::parse(&bytes) {
            prop_assert_eq!(changed.to_bytes(), bytes);
            prop_assert!(check(&changed, &last, &batch).is_err());
        }
    }

    /// A proof for fewer entries, more entries or an older index shows nothing about these.
    #[test]
    fn the_proof_of_another_step_shows_nothing(
        batches in prop::collection::vec(batch(), 0..6), batch in batch(), other in batch(),
    ) {
        let (index, last) = grown(&batches);
        let proof = TransitionProof::of(&index, &listings(index.position(), &other));
        let batch = listings(index.position(), &batch);
        if proof != TransitionProof::of(&index, &batch) {
            prop_assert!(check(&proof, &last, &batch).is_err());
        }
    }

    #[test]
    fn what_is_cut_off_or_longer_is_no_proof(batches in prop::collection::vec(batch(), 0..3), batch in batch(), at: prop::sample::Index) {
        let (index, _) = grown(&batches);
        let mut bytes = TransitionProof::of(&index, &listings(index.position(), &batch)).to_bytes();
        prop_assert!(TransitionProof::parse(&bytes[..at.index(bytes.len())]).is_err());
        bytes.push(0);
        prop_assert_eq!(TransitionProof::parse(&bytes), Err(MalformedTransition::Trailing { found: 1 }));
    }
}
