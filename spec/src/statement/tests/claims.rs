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

#[test]
fn other_changes_of_keys_are_refused_as_known_and_not_accepted_yet() {
    for action in ["add", "rotate", "revoke"] {
        assert_eq!(code(|value| value["action"] = json!(action)), "action-not-yet", "{action}");
    }
    assert_eq!(code(|value| value["action"] = json!("steal")), "field-not-one-of");
    assert_eq!(code(|value| value["threshold"] = json!(2)), "threshold-not-yet");
    assert_eq!(code(|value| value["threshold"] = json!(0)), "threshold-not-yet");
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
    assert_eq!(code(|value| value["keys"] = json!([])), "field-empty");
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
