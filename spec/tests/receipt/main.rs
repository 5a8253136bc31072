//! Receipts and transparent statements: what proves, what proves nothing, and how much may be written otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what failed by failing"
)]

mod example;
mod vectors;

use ciborium::Value;
use proptest::prelude::*;
use stele_explain::Explain;
use stele_spec::key::SecretKey;
use stele_spec::merkle::prove_inclusion;
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::receipt::*;

use example::{ORIGIN, policy, published, receipt, signer, statement, tree};

/// The log's own key, outside of its name.
fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

/// CBOR by another library, in the order given.
fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// What a key signs (RFC 9052 §4.4).
fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    cbor(&Value::Array(vec!["Signature1".into(), bytes(protected), bytes(b""), bytes(payload)]))
}

fn protected(kid: &[u8], issuer: &str, subject: &str) -> Vec<u8> {
    let claims = Value::Map(vec![(1.into(), issuer.into()), (2.into(), subject.into())]);
    cbor(&Value::Map(vec![
        (1.into(), (-8).into()),
        (4.into(), bytes(kid)),
        (15.into(), claims),
        (395.into(), 1.into()),
    ]))
}

/// A receipt as a log writes it.
fn write(protected: &[u8], proof: &[u8], note: &[u8], signature: &[u8]) -> Vec<u8> {
    let proofs = Value::Map(vec![((-1).into(), Value::Array(vec![bytes(proof)]))]);
    let unprotected = Value::Map(vec![(396.into(), proofs), ("c2sp.org/tlog-checkpoint".into(), bytes(note))]);
    let parts = Value::Array(vec![bytes(protected), unprotected, Value::Null, bytes(signature)]);
    cbor(&Value::Tag(18, Box::new(parts)))
}

fn read(bytes: &[u8]) -> &'static str {
    Receipt::parse(bytes).map_or_else(|error| error.code(), |_| "read")
}

fn verdict(receipt: &Receipt, entry: &[u8], policy: &Policy) -> &'static str {
    check(receipt, entry, policy).map_or_else(|error| Explain::code(&error), |_| "proven")
}

/// A receipt of any shape, by the log's key.
struct Shape {
    /// Pairs of the protected header, encoded.
    protected: Vec<Vec<u8>>,
    /// Pairs of the unprotected header, encoded.
    unprotected: Vec<Vec<u8>>,
    payload: Vec<u8>,
    /// What is signed instead of the root.
    root: Option<Vec<u8>>,
}

impl Shape {
    /// `scitt-cose` writes this one: no more than RFC 9942 asks for, and label 395 first.
    fn of_others() -> Self {
        Self {
            protected: vec![vec![0x19, 0x01, 0x8b, 0x01], vec![0x01, 0x27]],
            unprotected: vec![vdp(&[proof(7, 3, &path(7))])],
            payload: vec![0xf6],
            root: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let head = |pairs: u8| if pairs < 24 { vec![0xa0 | pairs] } else { vec![0xb8, pairs] };
        let map = |pairs: &[Vec<u8>]| [head(pairs.len() as u8), pairs.concat()].concat();
        let protected = map(&self.protected);
        let root = self.root.clone().unwrap_or_else(|| tree(7).1.root().as_bytes().to_vec());
        let signature = key().sign(&sig_structure(&protected, &root));
        let parts = [
            cbor(&bytes(&protected)),
            map(&self.unprotected),
            self.payload.clone(),
            cbor(&bytes(signature.as_bytes())),
        ];
        [&[0xd2, 0x84], parts.concat().as_slice()].concat()
    }

    fn verdict(&self) -> &'static str {
        let entry = statement();
        let key = key().public();
        ForeignReceipt::parse(&self.bytes())
            .and_then(|receipt| receipt.check(entry.bytes(), &key).map(drop))
            .map_or_else(|error| error.code(), |()| "signed")
    }
}

fn path(size: u8) -> Vec<Vec<u8>> {
    let path = prove_inclusion(&tree(size).0, 3, size.into()).unwrap();
    path.path().iter().map(|hash| hash.as_bytes().to_vec()).collect()
}

fn proof(size: u64, index: u64, path: &[Vec<u8>]) -> Vec<u8> {
    let path = Value::Array(path.iter().map(|hash| bytes(hash)).collect());
    cbor(&Value::Array(vec![size.into(), index.into(), path]))
}

/// Label 396 with these proofs of inclusion.
fn vdp(proofs: &[Vec<u8>]) -> Vec<u8> {
    let proofs = Value::Array(proofs.iter().map(|proof| bytes(proof)).collect());
    [cbor(&396.into()), cbor(&Value::Map(vec![((-1).into(), proofs)]))].concat()
}

#[test]
fn a_receipt_says_what_the_proof_in_it_says_and_that_the_log_s_key_signed_the_root() {
    let (receipt, entry) = (receipt(7), statement());
    assert_eq!(verdict(&receipt, entry.bytes(), &policy()), "proven");
    assert_eq!(check(&receipt, entry.bytes(), &policy()).unwrap().position(), 3);
    assert_eq!(Receipt::parse(&receipt.to_bytes()), Ok(receipt.clone()));
    assert_eq!((receipt.origin(), receipt.index(), receipt.size()), (ORIGIN, 3, 7));
    // Whoever reads COSE receipts and knows nothing of witnesses reads it as well.
    let key = key().public();
    let foreign = ForeignReceipt::parse(&receipt.to_bytes()).unwrap();
    assert_eq!(foreign.check(entry.bytes(), &key).unwrap().root(), tree(7).1.root());
    assert_eq!((foreign.issuer(), foreign.subject()), (Some("https://log.example/stele"), Some(ORIGIN)));
    assert_eq!(foreign.kid(), Some(thumbprint(&key).as_bytes().as_slice()));
}

#[test]
fn a_receipt_of_another_entry_of_another_log_or_with_too_few_witnesses_proves_nothing() {
    let (good, entry) = (receipt(7), statement());
    assert_eq!(verdict(&good, &[4], &policy()), "not-in-log");
    let (tree_of_7, checkpoint) = tree(7);
    let path = prove_inclusion(&tree_of_7, 3, 7).unwrap();
    let signature = RootSignature::sign(&checkpoint, &signer()).unwrap();
    let with = |note: SignedNote, signature: &RootSignature| {
        Receipt::new(&TlogProof::new(3, path.clone(), note), signature).unwrap()
    };
    let note = published(&checkpoint);
    let alone = SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
    assert_eq!(verdict(&with(alone, &signature), entry.bytes(), &policy()), "quorum-missing");
    // The signature of another root, and of another key.
    let older = RootSignature::sign(&tree(6).1, &signer()).unwrap();
    assert_eq!(verdict(&with(note.clone(), &older), entry.bytes(), &policy()), "bad-receipt-signature");
    let stranger = SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [9; 32]);
    let stranger = RootSignature::sign(&checkpoint, &stranger).unwrap();
    assert_eq!(verdict(&with(note, &stranger), entry.bytes(), &policy()), "receipt-key-unknown");
    let other = format!(
        "log {}\nquorum none\n",
        SignerKey::new("b.example".parse().unwrap(), KeyType::Log, [3; 32]).verifier()
    );
    let other = Policy::parse(other.as_bytes()).unwrap();
    assert!(check(&good, entry.bytes(), &other).is_err());
}

#[test]
fn a_log_with_a_key_of_another_type_signs_no_receipts() {
    let signer = SignerKey::new(ORIGIN.parse().unwrap(), KeyType::MlDsa, [1; 32]);
    assert_eq!(RootSignature::sign(&tree(7).1, &signer), None);
}

/// No bytes are both a note and what a receipt's key signs, so one key may sign both.
#[test]
fn what_is_signed_for_a_receipt_is_no_text() {
    let message = sig_structure(&protected(&[1; 32], "https://log.example/stele", ORIGIN), &[2; 32]);
    assert_eq!(core::str::from_utf8(&message[..1]).unwrap_err().error_len(), Some(1));
    assert!(SignedNote::parse(&message).is_err());
}

#[test]
fn the_receipts_of_a_log_have_one_encoding() {
    let good = receipt(7);
    let bytes = good.to_bytes();
    for end in 0..bytes.len() {
        assert!(Receipt::parse(&bytes[..end]).is_err(), "{end}");
    }
    assert_eq!(read(&[bytes.as_slice(), &[0]].concat()), "trailing-bytes");
    assert_eq!(read(&Shape::of_others().bytes()), "missing-header");
    let note = good.proof().checkpoint().to_bytes();
    let note = String::from_utf8(note).unwrap();
    let signature = RootSignature::sign(&tree(7).1, &signer()).unwrap();
    let kid = thumbprint(&key().public());
    let of = |protected: &[u8], size, note: &str| {
        write(protected, &proof(size, 3, &path(7)), note.as_bytes(), signature.signature().as_bytes())
    };
    let own = protected(kid.as_bytes(), &issuer(ORIGIN), ORIGIN);
    assert_eq!(read(&of(&own, 7, &note)), "read");
    assert_eq!(read(&of(&own, 8, &note)), "other-size");
    assert_eq!(read(&of(&own, 7, &note.replace("log.example/stele\n7", "log.example/other\n7"))), "other-log");
    assert_eq!(read(&of(&own, 7, note.trim_end())), "checkpoint-malformed");
    assert_eq!(read(&of(&own, 7, "")), "checkpoint-malformed");
    assert_eq!(read(&of(&protected(kid.as_bytes(), "https://b.example", ORIGIN), 7, &note)), "other-log");
    assert_eq!(read(&of(&protected(kid.as_bytes(), &issuer("b.example"), "b.example"), 7, &note)), "other-log");
    assert_eq!(read(&of(&protected(b"kid", &issuer(ORIGIN), ORIGIN), 7, &note)), "kid-length");
    // The algorithm of RFC 9864 says the same and has other bytes.
    let at = bytes.windows(2).position(|pair| pair == [0x01, 0x27]).unwrap();
    let mut other = bytes.clone();
    other[at + 1] = 0x32;
    assert_eq!(read(&other), "not-canonical");
    assert_eq!(read(&vec![0; MAX_RECEIPT + 1]), "receipt-too-long");
}

#[test]
fn receipts_of_others_are_read_in_any_order_and_are_not_read_loosely() {
    assert_eq!(Shape::of_others().verdict(), "signed");
    let with = |change: &dyn Fn(&mut Shape)| {
        let mut shape = Shape::of_others();
        change(&mut shape);
        shape.verdict()
    };
    // What others add is skipped, unless it must be understood.
    assert_eq!(with(&|shape| shape.protected.push(vec![0x10, 0x63, b'a', b'/', b'b'])), "signed");
    assert_eq!(
        with(&|shape| shape.unprotected.push(vec![0x61, b'x', 0xa1, 0x01, 0x82, 0xf6, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0])),
        "signed"
    );
    assert_eq!(with(&|shape| shape.protected[1] = vec![0x01, 0x32]), "signed");
    assert_eq!(with(&|shape| shape.protected.push(vec![0x02, 0x81, 0x10])), "critical-header");
    assert_eq!(with(&|shape| shape.unprotected.push(vec![0x02, 0x81, 0x10])), "critical-header");

    assert_eq!(with(&|shape| shape.protected.truncate(1)), "missing-header");
    assert_eq!(with(&|shape| drop(shape.protected.remove(0))), "missing-header");
    assert_eq!(with(&|shape| shape.protected[1] = vec![0x01, 0x26]), "wrong-algorithm");
    assert_eq!(with(&|shape| shape.protected[0] = vec![0x19, 0x01, 0x8b, 0x02]), "wrong-structure");
    assert_eq!(with(&|shape| shape.protected.push(vec![0x01, 0x27])), "not-well-encoded");
    assert_eq!(with(&|shape| shape.protected.push(vec![0x04, 0x61, b'k'])), "not-well-encoded");
    assert_eq!(with(&|shape| shape.unprotected.clear()), "missing-header");
    assert_eq!(with(&|shape| shape.unprotected[0] = vec![0x19, 0x01, 0x8c, 0xa1, 0x21, 0x80]), "missing-header");
    let proofs = |proofs: &[Vec<u8>]| {
        let pair = vdp(proofs);
        with(&|shape| shape.unprotected[0] = pair.clone())
    };
    assert_eq!(proofs(&[]), "not-one-proof");
    assert_eq!(proofs(&[proof(7, 3, &path(7)), proof(7, 3, &path(7))]), "not-one-proof");
    assert_eq!(proofs(&[proof(1, 0, &[])]), "empty-path");
    assert_eq!(proofs(&[proof(7, 3, &[vec![1; 31]])]), "hash-length");
    assert_eq!(proofs(&[proof(7, 3, &vec![vec![1; 32]; 64])]), "path-too-long");
    assert_eq!(proofs(&[proof(7, 3, &path(7)[..2])]), "not-in-log");
    assert_eq!(proofs(&[proof(3, 3, &path(7))]), "not-in-log");
    assert_eq!(proofs(&[proof(7, 2, &path(7))]), "bad-receipt-signature");
    assert_eq!(proofs(&[vec![0x82, 0x07, 0x03]]), "wrong-parts");
    assert_eq!(proofs(&[vec![0x83, 0x07, 0x20, 0x80]]), "not-well-encoded");
    assert_eq!(proofs(&[[proof(7, 3, &path(7)), vec![0]].concat()]), "trailing-bytes");

    let root = tree(7).1.root().as_bytes().to_vec();
    assert_eq!(with(&|shape| shape.payload = [vec![0x58, 0x20], root.clone()].concat()), "attached-payload");
    assert_eq!(with(&|shape| shape.payload = vec![0x00]), "not-well-encoded");
    assert_eq!(with(&|shape| shape.root = Some(vec![0; 32])), "bad-receipt-signature");
    // The proof is one header.
    let others = |count: u8| with(&|shape| shape.unprotected.extend((0..count).map(|n| vec![0x18, 0x40 + n, 0x00])));
    assert_eq!((others(31), others(32)), ("signed", "too-many-headers"));
    let deep = [vec![0x61, b'x'], vec![0x81; 40], vec![0x00]].concat();
    assert_eq!(with(&|shape| shape.unprotected.push(deep.clone())), "not-well-encoded");
    let endless = vec![0x61, b'x', 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let found = ForeignReceipt::parse(&[vec![0xd2, 0x84, 0x40, 0xa1], endless].concat());
    assert!(matches!(
        found,
        Err(ReceiptError::Encoding {
            part: Part::Receipt,
            error: stele_spec::canonical::CanonicalError::Truncated { .. }
        })
    ));
}

#[test]
fn keys_and_problems_are_cbor_that_others_read() {
    let key = key().public();
    let read = |bytes: &[u8]| ciborium::from_reader::<ciborium::Value, _>(bytes).unwrap();
    let set = read(&cose_key_set(&[&key]));
    assert_eq!(set.as_array().unwrap().as_slice(), [read(&cose_key(&key))]);
    let url = url_form(&thumbprint(&key));
    assert!(
        url.len() == 43 && url.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
        "{url}"
    );
    assert_eq!(problem_details("quota", "no"), b"\xa2\x20\x65quota\x21\x62no");
}

#[test]
fn a_statement_with_its_receipt_is_transparent_and_its_bytes_come_back() {
    let made = TransparentStatement::new(statement(), vec![receipt(7).to_bytes()]).unwrap();
    let bytes = made.to_bytes();
    assert!(TransparentStatement::looks_like(&bytes) && !TransparentStatement::looks_like(statement().bytes()));
    assert_eq!(TransparentStatement::parse(&bytes), Ok(made.clone()));
    let proven = made.check(&policy()).unwrap();
    assert_eq!((proven.entry().value(), proven.entry().position()), (&statement().bytes(), 3));
    assert_eq!(proven.head().size(), 7);
    for end in 0..bytes.len() {
        assert!(TransparentStatement::parse(&bytes[..end]).is_err(), "{end}");
    }
    assert_eq!(TransparentStatement::new(statement(), Vec::new()), Err(ReceiptError::Receipts { found: 0 }));
    assert_eq!(TransparentStatement::new(statement(), vec![vec![0]; 9]), Err(ReceiptError::Receipts { found: 9 }));
    let eight = TransparentStatement::new(statement(), vec![vec![0]; 8]).unwrap();
    assert_eq!(TransparentStatement::parse(&eight.to_bytes()), Ok(eight));
    let longest = TransparentStatement::new(statement(), vec![vec![0; MAX_RECEIPT]]).unwrap();
    assert_eq!(TransparentStatement::parse(&longest.to_bytes()), Ok(longest));
    let refused = ReceiptError::TooLong { limit: MAX_RECEIPT, found: MAX_RECEIPT + 1 };
    assert_eq!(TransparentStatement::new(statement(), vec![vec![0; MAX_RECEIPT + 1]]), Err(refused));
    let plain = TransparentStatement::parse(statement().bytes());
    assert_eq!(plain, Err(ReceiptError::Receipts { found: 0 }));
}

#[test]
fn receipts_of_other_services_are_not_judged_and_one_that_names_our_log_must_hold() {
    let verdict = |receipts: Vec<Vec<u8>>| {
        let made = TransparentStatement::new(statement(), receipts).unwrap();
        made.check(&policy()).map_or_else(|error| error.code(), |_| "proven")
    };
    let (good, others) = (receipt(7).to_bytes(), Shape::of_others().bytes());
    assert_eq!(verdict(vec![others.clone(), good.clone(), b"ccf".to_vec()]), "proven");
    assert_eq!(verdict(vec![others.clone()]), "no-known-log");
    assert_eq!(verdict(vec![b"ccf".to_vec()]), "not-well-encoded");
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(verdict(vec![good.clone(), forged]), "bad-receipt-signature");
    let at = good.windows(2).position(|pair| pair == [0x01, 0x27]).unwrap();
    let mut respelled = good.clone();
    respelled[at + 1] = 0x32;
    assert_eq!(verdict(vec![good, respelled]), "not-canonical");
}

proptest! {
    #[test]
    fn a_changed_byte_never_proves_the_entry(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (good, entry) = (receipt(7), statement());
        let mut bytes = good.to_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(read) = Receipt::parse(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
            prop_assert!(check(&read, entry.bytes(), &policy()).is_err());
        }
    }

    #[test]
    fn a_changed_byte_of_a_transparent_statement_is_seen(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let made = TransparentStatement::new(statement(), vec![receipt(5).to_bytes()]).unwrap();
        let mut bytes = made.to_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(read) = TransparentStatement::parse(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
            prop_assert!(read.check(&policy()).is_err());
        }
    }

    #[test]
    fn every_size_has_its_receipt(size in 4_u8..40) {
        let (made, entry) = (receipt(size), statement());
        prop_assert_eq!(Receipt::parse(&made.to_bytes()), Ok(made.clone()));
        prop_assert_eq!(verdict(&made, entry.bytes(), &policy()), "proven");
    }

    #[test]
    fn any_bytes_are_refused_or_written_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&[0xd2, 0x84], bytes.as_slice()].concat();
        let _ = ForeignReceipt::parse(&bytes);
        if let Ok(read) = Receipt::parse(&bytes) { prop_assert_eq!(read.to_bytes(), bytes); }
    }
}
