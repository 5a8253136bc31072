//! Tree heads: honest ones convict nobody, whatever is done to the file.

use super::log::{LyingLog, cosigned, head, keys, signer, witness};
use crate::cosignature::{UnixTime, cosign};
use crate::hash::RootHash;
use crate::merkle::empty_root;
use crate::misbehaviour::*;
use crate::note::{KeyType, SignedNote, SignerKey};

fn root(byte: u8) -> RootHash {
    RootHash::from_bytes([byte; 32])
}

fn split(older: SignedNote, newer: SignedNote, prefix: Option<Prefix>) -> Result<Verdict, Unproven> {
    Misbehaviour::SplitView(SplitView { older, newer, prefix }).check(&keys())
}

/// Two logs that grew from the same first entries.
fn forked() -> (LyingLog, LyingLog) {
    let (mut one, mut other) = (LyingLog::new(), LyingLog::new());
    for log in [&mut one, &mut other] {
        (0..5).for_each(|n| {
            log.push(&[n]);
        });
    }
    (0..9).for_each(|n| {
        one.push(&[10, n]);
    });
    (0..9).for_each(|n| {
        other.push(&[20, n]);
    });
    (one, other)
}

#[test]
fn a_log_that_only_grew_is_not_convicted() {
    let (log, _) = forked();
    for old in 1..log.size() {
        let refused = split(log.head_at(old), log.head_at(log.size()), Some(log.prefix(old)));
        assert_eq!(refused, Err(Unproven::Consistent { root: log.prefix(old).root }), "{old}");
        assert_eq!(split(log.head_at(old), log.head_at(log.size()), None), Err(Unproven::NoPrefix));
        let swapped = split(log.head_at(log.size()), log.head_at(old), Some(log.prefix(old)));
        assert!(matches!(swapped, Err(Unproven::SameTree { .. })), "{swapped:?}");
    }
    let same = split(log.head_at(7), log.head_at(7), None);
    assert_eq!(same, Err(Unproven::SameTree { older: 7, newer: 7 }));
}

#[test]
fn a_path_that_does_not_lead_to_the_newer_head_convicts_nobody() {
    let (one, other) = forked();
    let size = one.size();
    for old in 6..size {
        // The other log's path, or another root: neither leads to this head.
        assert!(matches!(
            split(other.head_at(old), one.head_at(size), Some(other.prefix(old))),
            Err(Unproven::Prefix(_))
        ));
        let made_up = Prefix { root: root(7), path: one.prefix(old).path };
        assert!(matches!(split(one.head_at(old), one.head_at(size), Some(made_up)), Err(Unproven::Prefix(_))));
    }
}

#[test]
fn somebody_elses_signature_convicts_nobody() {
    let forger = SignerKey::new(signer().verifier().name().clone(), KeyType::Log, [66; 32]);
    let forged = |byte| {
        let checkpoint = crate::checkpoint::Checkpoint::parse(head(7, root(byte)).text()).unwrap();
        crate::checkpoint::sign_checkpoint(&checkpoint, &forger).unwrap()
    };
    assert!(matches!(split(forged(1), forged(2), None), Err(Unproven::UnknownLog { .. })));
    assert!(matches!(split(head(7, root(1)), forged(2), None), Err(Unproven::UnknownLog { .. })));
    // Two keys that the reader knows under one origin: two signers, and none of them signed both.
    let both = KnownKeys::new([signer().verifier(), forger.verifier()]);
    let evidence = SplitView { older: head(7, root(1)), newer: forged(2), prefix: None };
    assert!(matches!(Misbehaviour::SplitView(evidence).check(&both), Err(Unproven::OtherLog { .. })));
}

#[test]
fn two_roots_of_one_size_convict_the_log_and_whoever_cosigned_both() {
    let (one, other) = forked();
    let size = one.size();
    let older = cosigned(&cosigned(&one.head_at(size), 1, 100), 2, 100);
    let newer = cosigned(&other.head_at(size), 2, 90);
    let verdict = split(older, newer, None).unwrap();
    assert_eq!(verdict.accused, [Accused::Log(signer().verifier()), Accused::Witness(witness(2).verifier())]);
    assert_eq!(verdict.what, format!("log.example/stele signed two trees of {size} entries"));
}

#[test]
fn a_tree_that_does_not_begin_with_an_older_one_convicts_the_log_at_any_size() {
    let (one, other) = forked();
    for old in 7..one.size() {
        let verdict = split(other.head_at(old), one.head_at(one.size()), Some(one.prefix(old))).unwrap();
        assert_eq!(verdict.accused, [Accused::Log(signer().verifier())]);
    }
    // Up to the fork there is one history.
    for old in 1..=6 {
        let refused = split(other.head_at(old), one.head_at(one.size()), Some(one.prefix(old)));
        assert!(matches!(refused, Err(Unproven::Consistent { .. })));
    }
}

#[test]
fn only_a_tree_of_nothing_that_has_a_root_is_impossible() {
    let check = |note| Misbehaviour::ImpossibleHead(ImpossibleHead { head: note }).check(&keys());
    assert_eq!(check(head(0, empty_root())), Err(Unproven::PossibleHead { size: 0 }));
    assert_eq!(check(head(1, root(1))), Err(Unproven::PossibleHead { size: 1 }));
    assert_eq!(check(head(0, root(1))).unwrap().accused, [Accused::Log(signer().verifier())]);
}

#[test]
fn a_witness_is_convicted_by_its_own_times_and_by_nothing_else() {
    let log = forked().0;
    let check = |larger, smaller| Misbehaviour::Rollback(Rollback { larger, smaller }).check(&keys());
    let (small, large) = (log.head_at(3), log.head_at(9));
    // In order; at one time; two witnesses that each saw one tree; the wrong way round; not cosigned.
    assert_eq!(check(cosigned(&large, 1, 20), cosigned(&small, 1, 10)), Err(Unproven::NoRollback { both: 1 }));
    assert_eq!(check(cosigned(&large, 1, 20), cosigned(&small, 1, 20)), Err(Unproven::NoRollback { both: 1 }));
    assert_eq!(check(cosigned(&large, 1, 20), cosigned(&small, 2, 30)), Err(Unproven::NoRollback { both: 0 }));
    assert!(matches!(check(cosigned(&small, 1, 20), cosigned(&large, 1, 30)), Err(Unproven::SameTree { .. })));
    assert_eq!(check(large.clone(), small.clone()), Err(Unproven::NoRollback { both: 0 }));
    let verdict = check(cosigned(&large, 1, 20), cosigned(&small, 1, 30)).unwrap();
    assert_eq!(verdict.accused, [Accused::Witness(witness(1).verifier())]);
    // The witness's key is all that is needed.
    let alone = KnownKeys::new([witness(1).verifier()]);
    let evidence = Rollback { larger: cosigned(&large, 1, 20), smaller: cosigned(&small, 1, 30) };
    assert!(Misbehaviour::Rollback(evidence).check(&alone).is_ok());
}

/// A witness with an ML-DSA-44 key, whose lines may state no time.
fn quantum() -> SignerKey {
    SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::MlDsa, [9; 32])
}

/// A head with one more line of `signer`; the time 0 is what `sign-subtree` gives to anybody.
fn signed_by(note: &SignedNote, signer: &SignerKey, time: u64) -> SignedNote {
    let line = cosign(note.text(), signer, UnixTime::new(time).unwrap()).unwrap();
    SignedNote::new(note.text().to_owned(), [note.signatures(), &[line]].concat()).unwrap()
}

#[test]
fn a_line_that_states_no_time_convicts_no_honest_witness_of_a_rollback() {
    let log = forked().0;
    let (small, large) = (log.head_at(3), log.head_at(9));
    let keys = KnownKeys::new([signer().verifier(), quantum().verifier()]);
    let check = |larger, smaller| Misbehaviour::Rollback(Rollback { larger, smaller }).check(&keys);
    for (first, last) in [(0, 30), (20, 0), (0, 0)] {
        let refused = check(signed_by(&large, &quantum(), first), signed_by(&small, &quantum(), last));
        assert_eq!(refused, Err(Unproven::NoRollback { both: 1 }), "{first} {last}");
    }
    // With two times the same key is convicted.
    let verdict = check(signed_by(&large, &quantum(), 20), signed_by(&small, &quantum(), 30)).unwrap();
    assert_eq!(verdict.accused, [Accused::Witness(quantum().verifier())]);
}

#[test]
fn a_witness_that_vouched_for_two_contradicting_trees_is_convicted_with_or_without_times() {
    let (one, other) = forked();
    let size = one.size();
    let keys = KnownKeys::new([signer().verifier(), quantum().verifier()]);
    for (first, second) in [(0, 0), (0, 7), (7, 7)] {
        let older = signed_by(&one.head_at(size), &quantum(), first);
        let newer = signed_by(&other.head_at(size), &quantum(), second);
        let verdict = Misbehaviour::SplitView(SplitView { older, newer, prefix: None }).check(&keys).unwrap();
        assert_eq!(verdict.accused, [Accused::Log(signer().verifier()), Accused::Witness(quantum().verifier())]);
    }
}

#[test]
fn an_ml_dsa_key_that_is_given_alone_is_known_as_the_log_s_and_the_log_is_no_witness_of_itself() {
    let log = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::MlDsa, [5; 32]);
    let keys = KnownKeys::new([log.verifier()]);
    let head = |byte| {
        let checkpoint = crate::checkpoint::Checkpoint::new("log.example/stele".parse().unwrap(), 7, root(byte));
        crate::checkpoint::sign_checkpoint(&checkpoint, &log).unwrap()
    };
    let evidence = SplitView { older: head(1), newer: head(2), prefix: None };
    let verdict = Misbehaviour::SplitView(evidence).check(&keys).unwrap();
    assert_eq!(verdict.accused, [Accused::Log(log.verifier())]);
}
