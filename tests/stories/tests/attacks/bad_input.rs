//! Malformed statements: each is refused with its stable code, and nothing is logged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use serde_json::Value;
use stele_harness::history::Head;
use stele_harness::network::Network;
use stele_probe::failure::Step;
use stele_probe::http;
use stele_samples::statements::Speaker;
use stele_spec::entry::MAX_ENTRY;
use stele_spec::statement::{Statement, sign};

const ENVELOPES: &str = include_str!("../../../../spec/vectors/statement/envelopes.json");

#[test]
fn every_malformed_envelope_is_refused_with_its_code_and_nothing_is_logged() -> Step {
    let network = Network::start(1, 1)?;
    let log = network.log_address()?;
    let size = Head::of(log)?.unwrap().size;
    let vectors: Value = serde_json::from_str(ENVELOPES).unwrap();
    let refused = vectors["refused"].as_array().unwrap();
    assert!(refused.len() > 50);
    let mut wrong = Vec::new();
    for vector in refused {
        let comment = vector["comment"].as_str().unwrap();
        let bytes = hex::decode(vector["hex"].as_str().unwrap()).unwrap();
        // The length and the first byte decide before anything is parsed.
        let code = match bytes.first() {
            _ if bytes.len() > MAX_ENTRY => "too-large",
            Some(0xd2) => vector["code"].as_str().unwrap(),
            _ => "not-a-statement",
        };
        let answer = network.submit(&bytes)?;
        let found = answer.error_code().unwrap_or_default();
        if !(400..500).contains(&answer.status) || found != code {
            wrong.push(format!("{comment}: expected 4xx {code}, found {} {found}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(Head::of(log)?.unwrap().size, size, "nothing was logged");
    for vector in vectors["accepted"].as_array().unwrap().iter().take(1) {
        network.accepted(&hex::decode(vector["hex"].as_str().unwrap()).unwrap())?;
    }
    Ok(())
}

#[test]
fn every_registration_rule_has_its_own_refusal() -> Step {
    let network = Network::start(1, 1)?;
    let log = network.log_address()?;
    let (acme, thief) = (Speaker::new(1)?, Speaker::new(2)?);
    let refused = |statement: &[u8], code: &str| -> Step {
        let size = Head::of(log)?.unwrap().size;
        let answer = network.submit(statement)?;
        assert!((400..500).contains(&answer.status), "{}: {}", answer.status, answer.text());
        assert_eq!(answer.error_code()?, code);
        assert!(answer.json()?["hint"].is_string(), "{}", answer.text());
        assert_eq!(Head::of(log)?.unwrap().size, size, "nothing was logged");
        Ok(())
    };
    let release = acme.release("1.0.0", 1)?;
    refused(release.statement.bytes(), "name-unclaimed")?;
    network.accepted(acme.claim()?.bytes())?;

    let (stolen, _) = acme.unsigned_release("1.0.0", 1)?;
    let stolen = sign(&Statement::Release(Box::new(stolen)), &thief.key).unwrap();
    refused(stolen.bytes(), "key-not-held")?;

    let mut forged = release.statement.bytes().to_vec();
    let last = forged.len() - 40;
    forged[last] ^= 1;
    refused(&forged, "bad-signature")?;

    let (mut lying, manifest) = acme.unsigned_release("1.0.0", 1)?;
    lying.weights.bytes += 1;
    let lying = sign(&Statement::Release(Box::new(lying)), &acme.key).unwrap();
    let answer = network.submit_release(lying.bytes(), manifest.bytes())?;
    assert!((400..500).contains(&answer.status), "{}", answer.text());

    let unknown = acme.release("1.0.0", 77)?;
    let answer = network.submit(unknown.statement.bytes())?;
    assert!((400..500).contains(&answer.status), "its manifest did not come with it: {}", answer.text());
    let answer = network.submit_release(unknown.statement.bytes(), release.manifest.bytes())?;
    assert!((400..500).contains(&answer.status), "another one's manifest: {}", answer.text());

    let unasked =
        http::put(log, &format!("/manifests/{}", "0".repeat(64)), "application/cbor", unknown.manifest.bytes())?;
    assert!((400..500).contains(&unasked.status), "nobody stores a manifest without a release");
    network.accepted_release(release.statement.bytes(), release.manifest.bytes()).map(drop)
}
