//! The module says of every bundle what the format's vectors say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a vector that cannot be read is a failure")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use stele_wasm::session::Session;
use stele_wasm::verdict::verdict;

#[test]
fn every_bundle_of_the_vectors_has_its_verdict_in_the_module() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/bundle/bundles.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let (mut refused, mut accepted) = (0, 0);
    for case in cases {
        let bundle = STANDARD.decode(case["bundle"].as_str().unwrap()).unwrap();
        let policy = vectors["policies"][case["policy"].as_str().unwrap()].as_str().unwrap();
        let found = Session::verify(&bundle, policy.as_bytes(), b"");
        match (case["refuse"].as_str(), found) {
            (Some(code), Err(failure)) => {
                assert_eq!(failure.as_explain().code(), code, "{}", case["comment"]);
                refused += 1;
            }
            (None, Ok(session)) => {
                let told = verdict(&session, None, 0);
                assert_eq!(told["completeness"]["word"], case["accept"]["completeness"], "{}", case["comment"]);
                assert_eq!(told["verdict"] == "withdrawn", case["accept"]["state"] == "withdrawn", "{told}");
                let described = session.describe();
                assert_eq!(described["entry"], case["accept"]["entry"], "{}", case["comment"]);
                let witnesses = described["witnesses"].as_array().unwrap();
                let cosigned = witnesses.iter().filter(|witness| witness["cosigned"] == true).count();
                assert!(cosigned as u64 >= described["required"].as_u64().unwrap(), "{described}");
                accepted += 1;
            }
            (expected, found) => panic!("{}: expected {expected:?}, found {found:?}", case["comment"]),
        }
    }
    assert!(refused >= 40 && accepted >= 5, "{refused} refused, {accepted} accepted");
}

#[test]
fn what_is_no_policy_gives_no_verdict() {
    for policy in ["", "<html>", "log nonsense\nquorum none\n"] {
        let failure = Session::verify(b"", policy.as_bytes(), b"").unwrap_err();
        assert_eq!(failure.as_explain().code(), "policy-invalid", "{policy}");
    }
}
