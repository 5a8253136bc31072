//! The vectors in `spec/vectors/receipt`: written by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec --test receipt`, compared on every run.

use serde_json::{Value as Json, json};

use stele_spec::receipt::{
    ForeignReceipt, Receipt, RootSignature, TransparentStatement, check, cose_key, cose_key_set, thumbprint,
};

use crate::example::{policy, published, receipt, signer, statement, tree};
use stele_spec::key::SecretKey;
use stele_spec::merkle::prove_inclusion;
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::proof::TlogProof;

fn case(comment: &str, entry: &[u8], bytes: &[u8]) -> Json {
    let mut case = json!({ "comment": comment, "receipt": hex::encode(bytes) });
    if entry != statement().bytes() {
        case["entry"] = hex::encode(entry).into();
    }
    let checked = Receipt::parse(bytes).and_then(|receipt| Ok(check(&receipt, entry, &policy())?.position()));
    match checked {
        Ok(position) => case["position"] = position.into(),
        Err(error) => case["refuse"] = error.code().into(),
    }
    // What somebody makes of it who knows the log's key and no witness.
    let key = SecretKey::from_seed([1; 32]).public();
    let alone = ForeignReceipt::parse(bytes).and_then(|receipt| receipt.check(entry, &key).map(drop));
    case["by_key_alone"] = alone.map_or_else(|error| error.code().into(), |()| "signed".into());
    case
}

#[test]
fn vectors_of_receipts() {
    let (good, entry) = (receipt(7), statement());
    let bytes = good.to_bytes();
    let (tree_of_7, checkpoint) = tree(7);
    let path = prove_inclusion(&tree_of_7, 3, 7).unwrap();
    let signature = RootSignature::sign(&checkpoint, &signer()).unwrap();
    let with = |index, note: SignedNote, signature: &RootSignature| {
        Receipt::new(&TlogProof::new(index, path.clone(), note), signature).unwrap().to_bytes()
    };
    let note = published(&checkpoint);
    let flipped = |from_end: usize| {
        let mut bytes = bytes.clone();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        bytes
    };
    let replaced = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    let alone = SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
    let stranger = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [9; 32]);
    let cases = [
        case("no bytes", entry.bytes(), b""),
        case("the end is missing", entry.bytes(), &bytes[..bytes.len() - 1]),
        case("a byte too many", entry.bytes(), &[bytes.as_slice(), &[0]].concat()),
        case("another entry", b"other", &bytes),
        case("a damaged signature", entry.bytes(), &flipped(1)),
        case("another position", entry.bytes(), &with(2, note.clone(), &signature)),
        case("no cosignature", entry.bytes(), &with(3, alone, &signature)),
        case(
            "the signature over the root of an older tree",
            entry.bytes(),
            &with(3, note.clone(), &RootSignature::sign(&tree(6).1, &signer()).unwrap()),
        ),
        case(
            "the signature of another key",
            entry.bytes(),
            &with(3, note, &RootSignature::sign(&checkpoint, &stranger).unwrap()),
        ),
        case(
            "the verifiable data structure 2",
            entry.bytes(),
            &replaced(&[0x19, 0x01, 0x8b, 0x01], &[0x19, 0x01, 0x8b, 0x02]),
        ),
        case("the algorithm ES256", entry.bytes(), &replaced(&[0x01, 0x27, 0x04], &[0x01, 0x26, 0x04])),
        case(
            "the algorithm by its number of RFC 9864, unsigned",
            entry.bytes(),
            &replaced(&[0x01, 0x27, 0x04], &[0x01, 0x32, 0x04]),
        ),
        case("another tag", entry.bytes(), &replaced(&[0xd2, 0x84], &[0xd1, 0x84])),
        case(
            "the tree size in a longer form",
            entry.bytes(),
            &replaced(&[0x58, 0x6a, 0x83, 0x07], &[0x58, 0x6b, 0x83, 0x18, 0x07]),
        ),
        case("a receipt in a tree of 7", entry.bytes(), &bytes),
        case("a receipt in a tree of 4", entry.bytes(), &receipt(4).to_bytes()),
        case("a receipt in a tree of 39", entry.bytes(), &receipt(39).to_bytes()),
    ];
    let key = SecretKey::from_seed([1; 32]).public();
    let made = TransparentStatement::new(statement(), vec![bytes.clone()]).unwrap();
    settle(
        "receipt/receipts.json",
        &json!({
            "comment": "Receipts of a log (RFC 9942) in this project's one encoding: under the policy, and by the log's key alone.",
            "policy": policy_text(),
            "public_key": hex::encode(key.as_bytes()),
            "kid": thumbprint(&key).to_string(),
            "cose_key": hex::encode(cose_key(&key)),
            "cose_key_set": hex::encode(cose_key_set(&[&key])),
            "statement": hex::encode(entry.bytes()),
            "transparent_statement": hex::encode(made.to_bytes()),
            "cases": cases,
        }),
    );
}

fn policy_text() -> String {
    let witness = policy().witnesses()[0].key.to_string();
    format!("log {}\nwitness w1 {witness}\nquorum w1\n", signer().verifier())
}

/// Compares a file of vectors with what is made here, or writes it.
fn settle(file: &str, made: &Json) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    let made = serde_json::to_string_pretty(made).unwrap() + "\n";
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == made,
        "{file} differs; if that is meant, write it again"
    );
}
