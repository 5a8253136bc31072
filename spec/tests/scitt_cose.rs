//! The receipts that scitt-cose publishes as vectors, through this crate's verifier: `vectors/foreign/scitt-cose.json`.

use serde_json::Value;
use stele_spec::key::PublicKey;
use stele_spec::receipt::{ForeignReceipt, Receipt};

#[test]
fn the_receipts_of_scitt_cose_have_the_verdicts_that_it_publishes_where_the_algorithm_is_read_here() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/foreign/scitt-cose.json")).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let hex_of = |case: &Value, field: &str| hex::decode(case[field].as_str().unwrap()).unwrap();
    let mut verified = 0;
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let (bytes, entry) = (hex_of(case, "receipt"), hex_of(case, "entry"));
        let verdict = ForeignReceipt::parse(&bytes).map_err(|error| error.code()).and_then(|receipt| {
            let key = PublicKey::from_pem(case["key"].as_str().unwrap()).map_err(|_| "key-refused")?;
            receipt.check(&entry, &key).map(|found| found.root().to_string()).map_err(|error| error.code())
        });
        match verdict {
            Ok(root) => {
                assert_eq!(
                    (case["scitt_cose"].as_bool(), case["root"].as_str()),
                    (Some(true), Some(root.as_str())),
                    "{name}"
                );
                assert!(case["stele"].is_null(), "{name}");
                verified += 1;
            }
            Err(code) => assert_eq!(case["stele"].as_str(), Some(code), "{name}"),
        }
        assert!(Receipt::parse(&bytes).is_err(), "{name} is no receipt of a log of this project");
    }
    assert!(cases.len() >= 20 && verified >= 4, "{verified} of {}", cases.len());
}
