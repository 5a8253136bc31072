use serde_json::json;

use super::*;

fn code(change: impl FnOnce(&mut serde_json::Value)) -> &'static str {
    refusal(&claim(), change).code()
}

#[test]
fn a_name_is_claimed_by_one_of_the_keys_in_the_claim() {
    let signed = sign(&claim(), &key()).unwrap();
    assert_eq!(signed.verify(&key().public()), Ok(()));
    assert_eq!(signed.statement().coordinate(), None);
    assert_eq!(
        sign(&claim(), &other_key()),
        Err(StatementError::SignerNotListed { found: other_key().public().key_id() })
    );
}

/// A change of the keys of the sample's name.
fn change(action: &str, change: impl FnOnce(&mut serde_json::Value)) -> Result<SignedStatement, &'static str> {
    let bytes = signed_after(&claim(), |value| {
        value["action"] = json!(action);
        value["previous"] = json!({"entry": 1, "leaf_hash": "00".repeat(32)});
        value["keys"][0] = json!(PublisherKey::from(other_key().public()));
        value["revoked"] = json!([key().public().key_id()]);
        match action {
            "add" => drop(value.as_object_mut().unwrap().remove("revoked")),
            "revoke" => drop(value.as_object_mut().unwrap().remove("keys")),
            _ => {}
        }
        change(value);
    });
    SignedStatement::parse(&bytes).map_err(|error| error.code())
}

#[test]
fn each_change_of_keys_has_its_own_fields() {
    let without =
        |field: &'static str| move |value: &mut serde_json::Value| drop(value.as_object_mut().unwrap().remove(field));
    let revoked = json!([key().public().key_id()]);
    assert_eq!(change("steal", |_| ()), Err("field-not-one-of"));
    for action in ["add", "rotate", "revoke"] {
        assert_eq!(change(action, without("previous")), Err("field-required"), "{action}");
        assert!(change(action, |_| ()).is_ok(), "{action}");
    }
    assert_eq!(change("add", without("keys")), Err("field-empty"));
    assert_eq!(change("add", |value| value["revoked"] = revoked.clone()), Err("field-unexpected"));
    assert_eq!(change("rotate", without("revoked")), Err("field-empty"));
    assert_eq!(change("revoke", without("revoked")), Err("field-empty"));
    let again = json!([PublisherKey::from(other_key().public())]);
    assert_eq!(change("revoke", |value| value["keys"] = again), Err("field-unexpected"));
    let same = json!([other_key().public().key_id()]);
    assert_eq!(change("rotate", |value| value["revoked"] = same), Err("field-unexpected"));
    assert_eq!(code(|value| value["revoked"] = revoked.clone()), "field-unexpected");
    let previous = json!({"entry": 1, "leaf_hash": "00".repeat(32)});
    assert_eq!(code(|value| value["previous"] = previous), "field-unexpected");
    assert_eq!(change("add", |value| value["threshold"] = json!(17)), Err("threshold-out-of-range"));
}

#[test]
fn a_claim_is_signed_by_as_many_of_its_keys_as_its_threshold_says() {
    let third = SecretKey::from_seed([3; 32]);
    let mut claim = sample_claim();
    claim.keys = [&key(), &other_key()].map(|key| key.public().into()).to_vec();
    for threshold in [0, 3] {
        claim.threshold = threshold;
        assert_eq!(claim.check().unwrap_err().code(), "threshold-out-of-range");
    }
    claim.threshold = 2;
    let sign_it = |claim: &PublisherClaim| sign(&Statement::Publisher(claim.clone()), &key());
    let code = |claim: &PublisherClaim| sign_it(claim).unwrap_err().code();
    assert_eq!(code(&claim), "approvals-missing");
    let mut by_stranger = claim.clone();
    by_stranger.approve(&third).unwrap();
    assert_eq!(code(&by_stranger), "approver-not-listed");
    let mut by_signer = claim.clone();
    by_signer.approve(&key()).unwrap();
    assert_eq!(code(&by_signer), "field-duplicate");

    claim.approve(&other_key()).unwrap();
    let signed = sign_it(&claim).unwrap();
    let Statement::Publisher(read) = signed.statement() else { unreachable!() };
    let lookup = |kid: &crate::hash::KeyId| read.key(kid).copied();
    let verified = |claim: &PublisherClaim| Statement::Publisher(claim.clone()).verify_approvals(lookup);
    assert_eq!(verified(read), Ok(()));
    // An approval is for these keys and these thresholds, and for nothing else.
    assert!(verified(&PublisherClaim { threshold: 1, ..read.clone() }).is_err());
    assert!(verified(&PublisherClaim { release_threshold: Some(2), ..read.clone() }).is_err());
    let mut changed = read.clone();
    changed.keys.push(third.public().into());
    assert!(verified(&changed).is_err());
    assert!(signed.statement().verify_approvals(|_| None).is_err());
}

#[test]
fn releases_never_ask_for_more_keys_than_a_change_of_keys() {
    let mut claim = sample_claim();
    claim.keys = [&key(), &other_key()].map(|key| key.public().into()).to_vec();
    for (threshold, release_threshold, code) in [
        (2, Some(2), None),
        (2, None, None),
        (1, None, None),
        (2, Some(1), Some("threshold-out-of-range")),
        (2, Some(0), Some("threshold-out-of-range")),
        (2, Some(3), Some("threshold-out-of-range")),
        (1, Some(2), Some("threshold-out-of-range")),
        (1, Some(1), Some("threshold-out-of-range")),
    ] {
        (claim.threshold, claim.release_threshold) = (threshold, release_threshold);
        let found = claim.check().map_err(|error| error.code()).err();
        assert_eq!(found, code, "{release_threshold:?} of {threshold}");
    }
    // What says nothing of it has the bytes that it always had.
    let text = serde_json::to_string(&sample_claim()).unwrap();
    assert!(!text.contains("release_threshold") && sample_claim().keys_for_releases() == 1);
}

#[test]
fn keys_that_prove_nothing_are_not_enrolled() {
    for (why, point) in [
        ("the identity", format!("01{}", "00".repeat(31))),
        ("order 2", format!("ec{}7f", "ff".repeat(30))),
        ("order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned()),
        ("the identity, loosely", format!("ee{}7f", "ff".repeat(30))),
        ("no point", format!("02{}", "00".repeat(31))),
        ("31 bytes", "aa".repeat(31)),
        ("upper case", hex::encode_upper(key().public().as_bytes())),
    ] {
        let error = refusal(&claim(), |value| value["keys"][0]["public_key"] = json!(point));
        assert_eq!(error.code(), "key-refused", "{why}: {error}");
        let StatementError::Field(error) = error else { panic!("{why}") };
        assert_eq!(error.path().as_str(), "keys[0].public_key");
    }
}

#[test]
fn a_key_is_there_once_with_its_own_id() {
    assert_eq!(code(|value| drop(value.as_object_mut().unwrap().remove("keys"))), "field-empty");
    assert_eq!(code(|value| value["keys"][0]["kid"] = json!("00".repeat(32))), "key-id-differs");
    assert_eq!(code(|value| value["keys"][0]["algorithm"] = json!("rsa")), "field-not-one-of");
    assert_eq!(
        code(|value| value["keys"] = json!([value["keys"][0].clone(), value["keys"][0].clone()])),
        "field-duplicate"
    );
    let many: Vec<_> = (0..=16).map(|seed| SecretKey::from_seed([seed; 32]).public()).collect();
    let name: Publisher = "acme.example".parse().unwrap();
    let claim = PublisherClaim::new(name.clone(), sample_claim().issued_at, &many);
    assert_eq!(claim.check().unwrap_err().code(), "field-too-many");
    let claim = PublisherClaim::new(name, sample_claim().issued_at, &many[..MAX_KEYS]);
    assert!(sign(&Statement::Publisher(claim), &SecretKey::from_seed([15; 32])).is_ok());
}
