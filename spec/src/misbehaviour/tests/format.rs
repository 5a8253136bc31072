//! The bytes: one encoding of each file, whatever is done to it; and the vectors for others.

use proptest::prelude::*;
use serde_json::json;

use super::log::{LyingLog, cosigned, head, keys, publisher_key, signer, witness};
use crate::canonical::vectors::check_json;
use crate::entry::IndexEntry;
use crate::hash::{Digest, IndexRoot, RootHash};
use crate::index::{Absence, Proof, Subject};
use crate::misbehaviour::*;
use crate::statement::tests::sample_release;
use crate::statement::{PublisherClaim, Statement};

fn claim(seed: u8) -> Statement {
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    Statement::Publisher(PublisherClaim::new(
        "acme.example".parse().unwrap(),
        issued_at,
        &[publisher_key(seed).public()],
    ))
}

fn release(weights: &[u8]) -> Statement {
    let mut release = sample_release();
    release.weights.digest = Digest::of(weights);
    release.evaluations.iter_mut().for_each(|evaluation| evaluation.subject = Digest::of(weights));
    release.lineage.clear();
    release.from_scratch = true;
    Statement::Release(Box::new(release))
}

/// One of each kind and form, all of which convict.
fn examples() -> Vec<(&'static str, Misbehaviour)> {
    let root = |byte| RootHash::from_bytes([byte; 32]);
    let mut log = LyingLog::new();
    log.say(claim(1), 1);
    let old = log.push_index();
    log.say(release(b"1"), 1);
    log.say(release(b"2"), 1);
    log.say(claim(2), 2);
    let impostor = log.say(release(b"3"), 9);
    let proof = log.transition();
    let staged = log.stage();
    log.index.rollback();
    let wrong =
        log.push(IndexEntry { position: impostor + 1, root: IndexRoot::from_bytes([9; 32]) }.to_string().as_bytes());
    let logged = |positions: std::ops::RangeInclusive<u64>| positions.map(|position| log.logged(position)).collect();
    let mut honest = LyingLog::new();
    honest.say(claim(1), 1);
    let stranger = honest.say(release(b"1"), 9);
    let index = honest.push_index();
    let key = Subject::publisher(&"acme.example".parse().unwrap()).key();
    let Proof::Present { path, .. } = honest.index.prove(&key) else { panic!() };
    let pointer = crate::index::Pointer { position: 1, leaf: honest.leaf(1) };
    let history = KeyHistory { index: honest.logged(index), pointers: vec![pointer], path, other: None };
    let mut unclaimed = LyingLog::new();
    let nobodys = unclaimed.say(release(b"1"), 9);
    let empty = unclaimed.push_index();
    let Proof::Absent(Absence::Other { key, value, path }) = unclaimed.index.prove(&key) else { panic!() };
    let absent = KeyHistory { index: unclaimed.logged(empty), pointers: vec![], path, other: Some((key, value)) };
    vec![
        (
            "two roots of one size",
            Misbehaviour::SplitView(SplitView { older: head(7, root(1)), newer: head(7, root(2)), prefix: None }),
        ),
        (
            "a tree that does not begin with an older one",
            Misbehaviour::SplitView(SplitView {
                older: cosigned(&head(3, root(1)), 1, 1_800_000_000),
                newer: cosigned(&log.head_at(log.size()), 1, 1_800_000_100),
                prefix: Some(log.prefix(3)),
            }),
        ),
        ("a tree of nothing with a root", Misbehaviour::ImpossibleHead(ImpossibleHead { head: head(0, root(1)) })),
        (
            "an older tree cosigned later",
            Misbehaviour::Rollback(Rollback {
                larger: cosigned(&log.head_at(6), 1, 1_800_000_000),
                smaller: cosigned(&log.head_at(5), 1, 1_800_000_001),
            }),
        ),
        (
            "an index entry with another root",
            Misbehaviour::WrongIndexRoot(WrongIndexRoot {
                entries: logged(old..=wrong),
                transition: staged.transition,
            }),
        ),
        (
            "an index entry with another root, as it was brought to an index cosigner",
            Misbehaviour::WrongIndexStep(WrongIndexStep::new(&log.step((old + 1, wrong + 1, wrong + 1), Some(proof)))),
        ),
        (
            "a release of a coordinate that has other weights",
            Misbehaviour::RegistrationViolated(RegistrationViolated {
                entries: vec![log.logged(1), log.logged(3), log.logged(4)],
                history: None,
            }),
        ),
        (
            "a second claim of a name",
            Misbehaviour::RegistrationViolated(RegistrationViolated {
                entries: vec![log.logged(1), log.logged(5)],
                history: None,
            }),
        ),
        (
            "a statement signed with a key that does not hold the name",
            Misbehaviour::RegistrationViolated(RegistrationViolated {
                entries: vec![honest.logged(1), honest.logged(stranger)],
                history: Some(history),
            }),
        ),
        (
            "a statement under a name that nobody claimed",
            Misbehaviour::RegistrationViolated(RegistrationViolated {
                entries: vec![unclaimed.logged(nobodys)],
                history: Some(absent),
            }),
        ),
        (
            "two releases of one coordinate",
            Misbehaviour::SilentSwap(SilentSwap {
                first: log.logged_at(3, 4),
                second: log.logged(4),
                keys: vec![publisher_key(1).public()],
            }),
        ),
    ]
}

/// The same files with something wrong about them: what refuses each.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = examples().swap_remove(0).1.to_bytes().unwrap();
    let replace = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    let step = examples().swap_remove(5).1.to_bytes().unwrap();
    let at = step.windows(5).position(|window| window == b"old 3").unwrap();
    let no_step = [&step[..at], b"old 4", &step[at + 5..]].concat();
    let mut refused = vec![
        ("no bytes", Vec::new(), "evidence-malformed"),
        ("a byte after the file", [good.as_slice(), &[0]].concat(), "evidence-malformed"),
        ("a file cut short", good[..good.len() - 1].to_vec(), "evidence-malformed"),
        ("another version", replace(b"@v1", b"@v2"), "evidence-version"),
        ("another kind's fields", replace(b"\x6asplit-view", b"\x68rollback"), "evidence-malformed"),
        ("no kind", replace(b"split-view", b"split-joke"), "evidence-kind-unknown"),
        ("a step that is none", no_step, "evidence-malformed"),
        ("a note that is none", replace(b"log.example/stele\n7\n", b"log.example/stele\n7\r"), "evidence-malformed"),
    ];
    for (what, evidence) in [
        (
            "one head twice",
            SplitView {
                older: head(7, RootHash::from_bytes([1; 32])),
                newer: head(7, RootHash::from_bytes([1; 32])),
                prefix: None,
            },
        ),
        (
            "two sizes and nothing between",
            SplitView {
                older: head(7, RootHash::from_bytes([1; 32])),
                newer: head(8, RootHash::from_bytes([2; 32])),
                prefix: None,
            },
        ),
    ] {
        let evidence = Misbehaviour::SplitView(evidence);
        refused.push((what, evidence.to_bytes().unwrap(), evidence.check(&keys()).unwrap_err().code()));
    }
    refused
}

#[test]
fn vectors() {
    let refuse: Vec<_> = refused()
        .into_iter()
        .map(|(what, file, code)| {
            match Misbehaviour::parse(&file) {
                Err(error) => assert_eq!(error.code(), code, "{what}"),
                Ok(evidence) => assert_eq!(evidence.check(&keys()).unwrap_err().code(), code, "{what}"),
            }
            json!({"what": what, "code": code, "file": hex::encode(file)})
        })
        .collect();
    let convict: Vec<_> = examples()
        .into_iter()
        .map(|(what, evidence)| {
            let verdict = evidence.check(&keys()).unwrap_or_else(|error| panic!("{what}: {error}"));
            let accused: Vec<_> = verdict.accused.iter().map(|one| json!([one.role(), one.identity()])).collect();
            let (kind, file) = (verdict.kind.as_str(), hex::encode(evidence.to_bytes().unwrap()));
            json!({"what": what, "kind": kind, "says": verdict.what, "accused": accused, "name": evidence.file_name().unwrap(), "file": file})
        })
        .collect();
    let known: Vec<_> = [signer(), witness(1)].iter().map(|key| key.verifier().to_string()).collect();
    check_json("misbehaviour/evidence.json", &json!({"keys": known, "refuse": refuse, "convict": convict}));
}

#[test]
fn every_form_is_written_back_as_it_was() {
    for (what, evidence) in examples() {
        let bytes = evidence.to_bytes().unwrap();
        assert_eq!(Misbehaviour::parse(&bytes), Ok(evidence), "{what}");
    }
}

#[test]
fn more_entries_than_a_file_shows_are_refused() {
    let log = LyingLog::new();
    let of = |count| {
        let entries = vec![log.logged(0); count];
        Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history: None })
    };
    let too_many = Err(EvidenceError::TooMany { part: "entries", limit: MAX_SHOWN, found: MAX_SHOWN + 1 });
    let most = of(MAX_SHOWN).to_bytes().unwrap();
    assert_eq!(Misbehaviour::parse(&most), Ok(of(MAX_SHOWN)));
    // Neither written nor read: the same bytes with one entry more.
    assert_eq!(of(MAX_SHOWN + 1).to_bytes().map(|_| of(0)), too_many);
    let one = of(1).to_bytes().unwrap();
    let none = of(0).to_bytes().unwrap();
    let at = none.iter().rposition(|byte| *byte == 0x80).unwrap();
    let entry = &one[at + 1..at + 1 + one.len() - none.len()];
    let head = [0x99, ((MAX_SHOWN + 1) >> 8) as u8, (MAX_SHOWN + 1) as u8];
    let longer = [&none[..at], &head, &entry.repeat(MAX_SHOWN + 1), &none[at + 1..]].concat();
    assert_eq!(Misbehaviour::parse(&longer), too_many);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_bit_convicts_nobody_of_anything_else(which in 0usize..11, bit in any::<prop::sample::Index>()) {
        let (_, evidence) = examples().swap_remove(which);
        let verdict = evidence.check(&keys()).unwrap();
        let mut bytes = evidence.to_bytes().unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = Misbehaviour::parse(&bytes) {
            prop_assert_eq!(changed.to_bytes().unwrap(), bytes);
            // What is not signed may change without harm: a reader that convicts at all convicts of the same.
            if let Ok(found) = changed.check(&keys()) {
                prop_assert_eq!(found.what, verdict.what);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        if let Ok(evidence) = Misbehaviour::parse(&bytes) {
            prop_assert_eq!(evidence.to_bytes().unwrap(), bytes);
        }
    }
}
