use ciborium::Value;

use super::*;

/// An envelope that is refused: why, the code, and its bytes.
pub(super) struct Case {
    pub(super) comment: &'static str,
    pub(super) code: &'static str,
    pub(super) bytes: Vec<u8>,
}

fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn int(number: i64) -> Value {
    Value::Integer(number.into())
}

/// The protected header of the sample claim, as pairs that a test can change.
fn headers() -> Vec<(Value, Value)> {
    vec![
        (int(1), int(-8)),
        (int(3), text(CONTENT_TYPE)),
        (int(4), Value::Bytes(key().public().key_id().as_bytes().to_vec())),
        (int(15), Value::Map(claims())),
    ]
}

fn claims() -> Vec<(Value, Value)> {
    vec![(int(1), text("https://acme.example")), (int(2), text("acme.example"))]
}

/// Signs the four parts as they are given, so that only what was changed is wrong.
fn parts(protected: &[u8], unprotected: Value, payload: Value) -> Vec<Value> {
    let content = payload.as_bytes().cloned().unwrap_or_default();
    let structure = Value::Array(vec![
        text("Signature1"),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(vec![]),
        Value::Bytes(content),
    ]);
    let signature = key().sign(&write(&structure)).as_bytes().to_vec();
    vec![Value::Bytes(protected.to_vec()), unprotected, payload, Value::Bytes(signature)]
}

fn enveloped(headers: Vec<(Value, Value)>) -> Vec<u8> {
    let protected = write(&Value::Map(headers));
    write(&Value::Tag(18, Box::new(Value::Array(parts(&protected, Value::Map(vec![]), payload())))))
}

fn payload() -> Value {
    Value::Bytes(claim().payload().unwrap())
}

fn good_parts() -> Vec<Value> {
    parts(&write(&Value::Map(headers())), Value::Map(vec![]), payload())
}

fn tagged(tag: u64, parts: Vec<Value>) -> Vec<u8> {
    write(&Value::Tag(tag, Box::new(Value::Array(parts))))
}

fn with_header(position: usize, label: Value, value: Value) -> Vec<u8> {
    let mut headers = headers();
    headers[position] = (label, value);
    enveloped(headers)
}

fn without_header(position: usize) -> Vec<u8> {
    let mut headers = headers();
    headers.remove(position);
    enveloped(headers)
}

fn with_claims(claims: Vec<(Value, Value)>) -> Vec<u8> {
    with_header(3, int(15), Value::Map(claims))
}

/// A payload of any bytes in an envelope that is right.
fn with_payload(payload: &[u8]) -> Vec<u8> {
    cose::sign(payload, "https://acme.example", "acme.example", &key())
}

fn with_payload_value(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
    let Value::Map(mut pairs) = ciborium::from_reader(claim().payload().unwrap().as_slice()).unwrap() else {
        panic!("a payload is a map");
    };
    change(&mut pairs);
    with_payload(&write(&Value::Map(pairs)))
}

/// The payload with one run of bytes replaced.
fn respelled(from: &[u8], to: &[u8]) -> Vec<u8> {
    let payload = claim().payload().unwrap();
    let at = payload.windows(from.len()).position(|window| window == from).expect("the run is there");
    with_payload(&[&payload[..at], to, &payload[at + from.len()..]].concat())
}

pub(super) fn cases() -> Vec<Case> {
    let good = sign(&claim(), &key()).unwrap().bytes().to_vec();
    let mut reordered = headers();
    reordered.swap(0, 1);
    let mut doubled = headers();
    doubled.insert(1, headers()[0].clone());
    let mut five = good_parts();
    five.push(int(0));
    let mut short_signature = good_parts();
    short_signature[3] = Value::Bytes(vec![0; 63]);
    let unprotected = Value::Map(vec![(int(4), Value::Bytes(vec![0; 32]))]);
    let protected = write(&Value::Map(headers()));
    let deep = [vec![0x81; 20], vec![0x00]].concat();

    [
        ("nothing", "truncated", vec![]),
        ("only the tag", "truncated", good[..1].to_vec()),
        ("half of it", "truncated", good[..good.len() / 2].to_vec()),
        ("without its last byte", "truncated", good[..good.len() - 1].to_vec()),
        ("a byte more", "trailing-bytes", [&good[..], &[0]].concat()),
        ("twice", "trailing-bytes", [&good[..], &good[..]].concat()),
        ("longer than a log entry", "statement-too-long", vec![0xd2; MAX_STATEMENT + 1]),
        ("without a tag", "wrong-tag", good[1..].to_vec()),
        ("tag 98, COSE_Sign", "wrong-tag", tagged(98, good_parts())),
        ("tag 61, CWT, around it", "wrong-tag", [&[0xd8, 61], &good[..]].concat()),
        ("tag 18 in two bytes", "not-canonical", [&[0xd8, 18], &good[1..]].concat()),
        ("three parts", "not-cose-sign1", tagged(18, good_parts()[..3].to_vec())),
        ("five parts", "not-cose-sign1", tagged(18, five)),
        ("a map for the array", "not-cose-sign1", vec![0xd2, 0xa0]),
        ("an array of indefinite length", "not-canonical", [&[0xd2, 0x9f], &good[2..], &[0xff]].concat()),
        (
            "something in the unprotected header",
            "unprotected-header",
            tagged(18, parts(&protected, unprotected, payload())),
        ),
        ("a detached payload", "detached-payload", tagged(18, parts(&protected, Value::Map(vec![]), Value::Null))),
        ("a payload in text", "not-canonical", tagged(18, parts(&protected, Value::Map(vec![]), text("{}")))),
        ("a signature of 63 bytes", "signature-length", tagged(18, short_signature)),
        ("an empty protected header", "missing-header", tagged(18, parts(b"", Value::Map(vec![]), payload()))),
        ("no alg", "missing-header", without_header(0)),
        ("no content type", "missing-header", without_header(1)),
        ("no kid", "missing-header", without_header(2)),
        ("no CWT claims", "missing-header", without_header(3)),
        ("alg -7, ES256", "wrong-algorithm", with_header(0, int(1), int(-7))),
        ("alg -19, Ed25519 by its newer number", "wrong-algorithm", with_header(0, int(1), int(-19))),
        ("alg 7", "wrong-algorithm", with_header(0, int(1), int(7))),
        ("alg in text", "wrong-algorithm", with_header(0, int(1), text("EdDSA"))),
        ("another content type", "wrong-content-type", with_header(1, int(3), text("application/cbor"))),
        ("a content type by number", "wrong-content-type", with_header(1, int(3), int(60))),
        ("a kid of 31 bytes", "kid-length", with_header(2, int(4), Value::Bytes(vec![0; 31]))),
        ("a kid in text", "not-canonical", with_header(2, int(4), text("key-1"))),
        ("header 2, crit", "unknown-header", with_header(1, int(2), Value::Array(vec![int(1)]))),
        ("a header named by text", "unknown-header", {
            let mut headers = headers();
            headers.push((text("note"), int(1)));
            enveloped(headers)
        }),
        ("headers out of order", "not-canonical", enveloped(reordered)),
        ("a header twice", "not-canonical", enveloped(doubled)),
        ("a byte after the protected header", "not-canonical", {
            tagged(18, parts(&[&protected[..], &[0]].concat(), Value::Map(vec![]), payload()))
        }),
        ("no iss", "missing-header", with_claims(claims()[1..].to_vec())),
        ("no sub", "missing-header", with_claims(claims()[..1].to_vec())),
        ("claim 3, aud", "unknown-header", with_claims([claims(), vec![(int(3), text("you"))]].concat())),
        ("claims out of order", "not-canonical", with_claims(claims().into_iter().rev().collect())),
        (
            "iss of somebody else",
            "issuer-differs",
            with_claims(vec![(int(1), text("https://evil.example")), claims()[1].clone()]),
        ),
        (
            "iss by http",
            "issuer-differs",
            with_claims(vec![(int(1), text("http://acme.example")), claims()[1].clone()]),
        ),
        (
            "sub of something else",
            "subject-differs",
            with_claims(vec![claims()[0].clone(), (int(2), text("acme.example/tiny@1#base"))]),
        ),
        (
            "a kid that is not in the claim",
            "signer-not-listed",
            cose::sign(&claim().payload().unwrap(), "https://acme.example", "acme.example", &other_key()),
        ),
        ("an empty payload", "not-canonical", with_payload(b"")),
        ("a payload that is no map", "field-wrong-type", with_payload(&[0x80])),
        ("a payload of boxes inside boxes", "too-deep", with_payload(&deep)),
        (
            "a byte after the payload's map",
            "not-canonical",
            with_payload(&[&claim().payload().unwrap()[..], &[0]].concat()),
        ),
        ("a map of indefinite length", "not-canonical", {
            let payload = claim().payload().unwrap();
            with_payload(&[&[0xbf], &payload[1..], &[0xff]].concat())
        }),
        ("an integer in two bytes", "not-canonical", respelled(b"threshold\x01", b"threshold\x18\x01")),
        ("a length in two bytes", "not-canonical", respelled(b"\x65claim", b"\x78\x05claim")),
        ("text in pieces", "not-canonical", respelled(b"\x65claim", b"\x7f\x65claim\xff")),
        ("text that is not UTF-8", "not-canonical", respelled(b"\x65claim", b"\x65cla\xff\xff")),
        ("keys in another order", "not-canonical", with_payload_value(|pairs| pairs.reverse())),
        ("a key twice", "not-canonical", with_payload_value(|pairs| pairs.insert(0, pairs[0].clone()))),
        ("a key that is a number", "not-canonical", with_payload_value(|pairs| pairs.insert(0, (int(1), int(1))))),
        ("a tag in the payload", "not-canonical", respelled(b"\x65claim", b"\xc0\x65claim")),
        ("a floating-point number", "not-canonical", respelled(b"threshold\x01", b"threshold\xf9\x3c\x00")),
        ("null for a field", "not-canonical", respelled(b"threshold\x01", b"threshold\xf6")),
        ("undefined for a field", "not-canonical", respelled(b"threshold\x01", b"threshold\xf7")),
        ("a negative integer", "not-canonical", respelled(b"threshold\x01", b"threshold\x20")),
        ("a byte string", "not-canonical", respelled(b"\x65claim", b"\x45claim")),
    ]
    .into_iter()
    .map(|(comment, code, bytes)| Case { comment, code, bytes })
    .collect()
}

#[test]
fn envelopes_that_are_not_ours_are_refused_each_with_its_code() {
    for Case { comment, code, bytes } in cases() {
        match SignedStatement::parse(&bytes) {
            Ok(_) => panic!("{comment}: accepted"),
            Err(error) => assert_eq!(error.code(), code, "{comment}: {error}"),
        }
    }
}

#[test]
fn the_parts_of_these_tests_make_the_envelope_that_is_accepted() {
    let signed = sign(&claim(), &key()).unwrap();
    assert_eq!(enveloped(headers()), signed.bytes());
    assert_eq!(with_payload_value(|_| ()), signed.bytes());
    assert_eq!(signed.bytes()[0], 0xd2);
}

/// The signature is over what RFC 9052 §4.4 says, encoded by a codec that is not ours.
#[test]
fn the_signature_is_over_the_sig_structure() {
    let signed = sign(&release(), &key()).unwrap();
    let Value::Tag(18, inner) = ciborium::from_reader::<Value, _>(signed.bytes()).unwrap() else {
        panic!("tag 18");
    };
    let parts = inner.into_array().unwrap();
    let structure = Value::Array(vec![text("Signature1"), parts[0].clone(), Value::Bytes(vec![]), parts[2].clone()]);
    let signature: [u8; 64] = parts[3].as_bytes().unwrap().as_slice().try_into().unwrap();
    assert!(key().public().verify(&write(&structure), &Signature::from_bytes(signature)).is_ok());
}
