use serde_json::{Value, json};

use super::*;
use crate::canonical::vectors;
use crate::key::SecretKey;

#[test]
fn the_vectors_of_envelopes_are_these() {
    let refused: Vec<_> = envelope::cases()
        .into_iter()
        // One of them is 65,536 bytes of which only the number counts.
        .filter(|case| case.bytes.len() <= MAX_STATEMENT)
        .map(|case| json!({"comment": case.comment, "code": case.code, "hex": hex::encode(case.bytes)}))
        .collect();
    vectors::check_json(
        "statement/envelopes.json",
        &json!({
            "comment": "Signed statements, byte for byte. Refused ones are the accepted claim with one thing changed, and signed again where that can be. The key is the Ed25519 seed 01 01 ... 01.",
            "public_key": hex::encode(key().public().as_bytes()),
            "refused": refused,
            "accepted": [accepted("a claim of a name", &claim()), accepted("sample-release.toml", &release())],
        }),
    );
}

fn accepted(comment: &str, statement: &Statement) -> Value {
    let signed = sign(statement, &key()).unwrap();
    let (issuer, subject) = statement.claims();
    json!({
        "comment": comment,
        "kid": signed.kid(),
        "iss": issuer,
        "sub": subject,
        "payload_hex": hex::encode(statement.payload().unwrap()),
        "hex": hex::encode(signed.bytes()),
    })
}

#[test]
fn the_vectors_of_fields_are_these() {
    let refused: Vec<_> = refusals::cases()
        .into_iter()
        .map(|case| {
            let edits: Vec<_> = case
                .edits
                .into_iter()
                .map(|edit| match edit {
                    refusals::Edit::Set(pointer, value) => json!({"set": pointer, "to": value}),
                    refusals::Edit::Remove(pointer) => json!({"remove": pointer}),
                })
                .collect();
            json!({"comment": case.comment, "code": case.code, "field": case.field, "edits": edits})
        })
        .collect();
    vectors::check_json(
        "statement/fields.json",
        &json!({
            "comment": "Changes of the accepted payload (JSON pointers, RFC 6901), each refused with the code and for the field it names.",
            "refused": refused,
            "accepted": [serde_json::to_value(sample_release()).unwrap()],
        }),
    );
}

#[test]
fn the_manifest_of_the_sample_is_this() {
    let made = manifest::tests::sample();
    vectors::check_json(
        "statement/manifest.json",
        &json!({
            "comment": "The manifest of sample-release.toml. The content of each file is 'The content of <path>.' and a line feed.",
            "digest": made.digest(),
            "files": made.files(),
        }),
    );
}

#[test]
fn the_vectors_of_the_other_kinds_are_these() {
    let refused: Vec<_> = kinds::cases()
        .into_iter()
        .map(|(kind, code, pointer, to)| match to {
            Some(to) => json!({"kind": kind, "code": code, "set": pointer, "to": to}),
            None => json!({"kind": kind, "code": code, "remove": pointer}),
        })
        .collect();
    let samples = kinds::samples();
    let mut said: Vec<_> = samples.iter().map(|statement| accepted(statement.kind().as_str(), statement)).collect();
    said.push(accepted("a claim of two keys that both sign it and every release", &kinds::approved_claim()));
    for statement in kinds::approved_samples() {
        said.push(accepted(&format!("{}, approved", statement.kind()), &statement));
    }
    let mut approved = sample_claim();
    approved.keys = [&key(), &SecretKey::from_seed([2; 32])].map(|key| key.public().into()).to_vec();
    approved.threshold = 2;
    approved.approve(&SecretKey::from_seed([2; 32])).unwrap();
    let approved = Statement::Publisher(approved);
    vectors::check_json(
        "statement/kinds.json",
        &json!({
            "comment": "Changes of the samples (sample-<kind>.toml, by JSON pointers, RFC 6901), each refused with the code; then the samples as signed statements by the Ed25519 seed 01 01 ... 01, alone and approved by the seed 02 02 ... 02, and a claim of two keys that both sign: the second, of seed 02 02 ... 02, approves.",
            "refused": refused,
            "accepted": said,
            "approved": {
                "signs": String::from_utf8(approved.approved_bytes().unwrap()).unwrap(),
                "statement": accepted("a claim that two keys sign", &approved),
            },
        }),
    );
}

/// Ed25519 signing and CBOR are deterministic, so the files above never change by themselves.
#[test]
fn signing_twice_gives_the_same_bytes() {
    assert_eq!(sign(&release(), &key()).unwrap(), sign(&release(), &SecretKey::from_seed([1; 32])).unwrap());
}

#[test]
fn another_codec_writes_every_accepted_payload_alike() {
    let approved = kinds::approved_samples().into_iter().chain([kinds::approved_claim()]);
    for statement in kinds::samples().into_iter().chain([claim(), release()]).chain(approved) {
        let payload = statement.payload().unwrap();
        let read: ciborium::Value = ciborium::from_reader(payload.as_slice()).unwrap();
        let mut written = Vec::new();
        ciborium::into_writer(&read, &mut written).unwrap();
        assert_eq!(written, payload);
        let json: Value = read.deserialized().unwrap();
        assert_eq!(crate::canonical::tests::by_ciborium(&json), payload);
    }
}
