//! ML-DSA-44 against the accumulated vectors of CCTV (C2SP's Community Cryptography Test Vectors), which nobody here wrote: keys and
//! signatures of many seeds, hashed together. The procedure and the values are of `ML-DSA/accumulated` there.

#![allow(missing_docs, clippy::unwrap_used)]

use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};
use stele_spec::mldsa::SecretKey;

/// The seeds come from one SHAKE128 of nothing; each public key and the signature of an empty message go to another.
fn accumulated(keys: usize) -> String {
    let mut seeds = Shake128::default().finalize_xof();
    let mut all = Shake128::default();
    for number in 0..keys {
        let mut seed = [0; 32];
        seeds.read(&mut seed);
        let secret = SecretKey::from_seed(seed);
        let signature = secret.sign(b"");
        secret.public().verify(b"", &signature).unwrap_or_else(|error| panic!("key {number}: {error}"));
        all.update(secret.public().as_bytes());
        all.update(signature.as_bytes());
    }
    let mut result = [0; 32];
    all.finalize_xof().read(&mut result);
    hex::encode(result)
}

#[test]
fn a_hundred_keys_and_signatures_are_those_of_cctv() {
    assert_eq!(accumulated(100), "d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4");
}

#[test]
#[ignore = "a quarter of a minute: .ci/run asks for it"]
fn ten_thousand_keys_and_signatures_are_those_of_cctv() {
    assert_eq!(accumulated(10_000), "e7fd21f6a59bcba60d65adc44404bb29a7c00e5d8d3ec06a732c00a306a7d143");
}
