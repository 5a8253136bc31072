//! ML-DSA-44 against the vectors of project Wycheproof, which nobody here wrote.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use stele_spec::mldsa::{PUBLIC_KEY, PublicKey, SIGNATURE, SecretKey, Signature};
use wycheproof::TestResult;
use wycheproof::{mldsa_sign, mldsa_verify};

/// We sign and verify with an empty context only, and take keys and signatures of their one length only.
#[test]
fn every_verification_vector_gets_its_verdict() {
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa44Verify).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key: Option<&[u8; PUBLIC_KEY]> = group.pubkey.as_slice().try_into().ok();
        for test in &group.tests {
            let context = test.ctx.as_ref().is_some_and(|ctx| !ctx.is_empty());
            let signature: Option<&[u8; SIGNATURE]> = test.sig.as_slice().try_into().ok();
            let accepted = match (key, signature) {
                (Some(key), Some(signature)) => {
                    PublicKey::from_bytes(key).verify(&test.msg, &Signature::from_bytes(signature)).is_ok()
                }
                _ => false,
            };
            let expected = test.result == TestResult::Valid && !context;
            assert_eq!(accepted, expected, "test {}: {}", test.tc_id, test.comment);
            if accepted { valid += 1 } else { invalid += 1 }
        }
    }
    assert!(valid >= 20 && invalid >= 60, "{valid} valid, {invalid} invalid");
}

#[test]
fn signing_from_a_seed_gives_the_same_bytes() {
    let set = mldsa_sign::TestSet::load(mldsa_sign::TestName::MlDsa44SignSeed).unwrap();
    let mut same = 0;
    for group in &set.test_groups {
        let Some(seed) = group.privseed.as_ref().and_then(|seed| seed.as_slice().try_into().ok()) else { continue };
        let secret = SecretKey::from_seed(seed);
        if let Some(public) = &group.pubkey {
            assert_eq!(secret.public().as_bytes().as_slice(), public.as_slice());
        }
        for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
            // A context, randomness, or a hash without its message is not what we sign.
            let plain = test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
            let deterministic = test.rnd.as_ref().is_none_or(|rnd| rnd.iter().all(|byte| *byte == 0));
            let Some(message) = test.msg.as_ref().filter(|_| plain && deterministic) else { continue };
            assert_eq!(secret.sign(message).as_bytes().as_slice(), test.sig.as_slice(), "test {}", test.tc_id);
            same += 1;
        }
    }
    assert_eq!(same, 70, "vectors that could be compared");
}
