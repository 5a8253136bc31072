//! What a publisher may say, what is refused, and the vectors of both.

mod claims;
mod envelope;
pub(crate) mod kinds;
mod properties;
mod refusals;
mod releases;
mod same_verdict;
mod vectors;
mod words;

use super::*;
use crate::manifest;

/// The key of the samples: seed 01 01 01 ...
fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

/// Somebody else's key.
fn other_key() -> SecretKey {
    SecretKey::from_seed([2; 32])
}

pub(crate) fn sample_release() -> Release {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/statement/sample-release.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn sample_claim() -> PublisherClaim {
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    PublisherClaim::new("acme.example".parse().unwrap(), issued_at, &[key().public()])
}

fn claim() -> Statement {
    Statement::Publisher(sample_claim())
}

fn release() -> Statement {
    Statement::Release(Box::new(sample_release()))
}

/// A statement of which a JSON value was changed, in an envelope that is right.
fn signed_after(statement: &Statement, change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut value = serde_json::to_value(statement).unwrap();
    change(&mut value);
    let (issuer, subject) = statement.claims();
    cose::sign(&crate::canonical::to_bytes(&value).unwrap(), &issuer, &subject, &key())
}

/// What refuses a changed statement.
fn refusal(statement: &Statement, change: impl FnOnce(&mut serde_json::Value)) -> StatementError {
    SignedStatement::parse(&signed_after(statement, change)).expect_err("the change was accepted")
}

#[test]
fn a_release_is_signed_read_and_verified() {
    let signed = sign(&release(), &key()).unwrap();
    assert_eq!(signed.verify(&key().public()), Ok(()));
    let read = SignedStatement::parse(signed.bytes()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.statement(), &release());
    assert_eq!(read.kid(), key().public().key_id());
    let statement = read.statement();
    assert_eq!(statement.publisher().as_str(), "acme.example");
    assert_eq!(statement.coordinate().unwrap().to_string(), "acme.example/tiny@1.0.2#instruct");
    assert_eq!(statement.issued_at().to_string(), "2026-06-25T09:30:00Z");
    assert_eq!(statement.weights_digest(), Some(manifest::tests::sample().weights_digest()));
    assert_eq!(statement.manifest_digest(), Some(manifest::tests::sample().digest()));
}

#[test]
fn somebody_elses_signature_does_not_verify() {
    let signed = sign(&release(), &other_key()).unwrap();
    assert_eq!(
        signed.verify(&key().public()),
        Err(VerifyError::OtherKey { expected: other_key().public().key_id(), found: key().public().key_id() })
    );
    let mut forged = sign(&release(), &key()).unwrap().bytes().to_vec();
    let theirs = signed.bytes();
    let at = forged.len() - 64;
    forged[at..].copy_from_slice(&theirs[theirs.len() - 64..]);
    let forged = SignedStatement::parse(&forged).unwrap();
    assert_eq!(forged.verify(&key().public()), Err(VerifyError::BadSignature { kid: key().public().key_id() }));
}

#[test]
fn cbor_json_and_toml_spell_the_same_release() {
    let release = sample_release();
    let json = serde_json::to_string(&release).unwrap();
    assert_eq!(serde_json::from_str::<Release>(&json).unwrap(), release);
    let toml = toml::to_string(&release).unwrap();
    assert_eq!(toml::from_str::<Release>(&toml).unwrap(), release);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(Statement::Release(Box::new(release)).payload().unwrap(), crate::canonical::to_bytes(&value).unwrap());
}
