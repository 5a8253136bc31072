//! Every kind of statement beside claims and releases: read from its TOML, signed, and refused where it contradicts itself.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn sample<T: DeserializeOwned>(kind: &str) -> T {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/statement");
    toml::from_str(&std::fs::read_to_string(format!("{folder}/sample-{kind}.toml")).unwrap()).unwrap()
}

/// One of each, as its TOML says it.
pub(crate) fn samples() -> Vec<Statement> {
    vec![
        Statement::Amend(sample("amend")),
        Statement::Stage(sample("stage")),
        Statement::Supersede(sample("supersede")),
        Statement::Withdraw(sample("withdraw")),
        Statement::Incident(sample("incident")),
        Statement::Evaluation(sample("evaluation")),
        Statement::Observation(sample("observation")),
        Statement::Amend(sample("amend-unseen")),
        Statement::Amend(sample("amend-lineage")),
    ]
}

/// A claim of two keys that both sign it, and every release.
pub(super) fn approved_claim() -> Statement {
    let mut claim = sample_claim();
    claim.keys = [&key(), &other_key()].map(|key| key.public().into()).to_vec();
    (claim.threshold, claim.release_threshold) = (2, Some(2));
    claim.approve(&other_key()).unwrap();
    Statement::Publisher(claim)
}

/// Each sample, and a release, approved by somebody else's key.
pub(super) fn approved_samples() -> Vec<Statement> {
    let mut approved: Vec<_> = samples().into_iter().chain([release()]).collect();
    approved.iter_mut().for_each(|statement| statement.approve(&other_key()).unwrap());
    approved
}

fn of(kind: Kind) -> Statement {
    if kind == Kind::Publisher {
        return approved_claim();
    }
    samples().into_iter().find(|statement| statement.kind() == kind).unwrap()
}

fn set(path: &str, to: Value) -> impl FnOnce(&mut Value) {
    move |value| {
        let (parent, last) = path.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.insert(last.to_owned(), to)),
            Value::Array(list) => list[last.parse::<usize>().unwrap()] = to,
            other => panic!("{path} is in {other}"),
        }
    }
}

fn remove(path: &str) -> impl FnOnce(&mut Value) {
    move |value| {
        let (parent, last) = path.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(last).unwrap();
    }
}

/// What refuses each change: kind, code, pointer, and the new value, or none where the field is taken away.
pub(super) fn cases() -> Vec<(Kind, &'static str, &'static str, Option<Value>)> {
    let other = json!("other.example");
    let approval = |byte: &str, signature: &str| json!({"kid": byte.repeat(32), "signature": signature});
    let good = "00".repeat(64);
    vec![
        (Kind::Publisher, "threshold-out-of-range", "/release_threshold", Some(json!(0))),
        (Kind::Publisher, "threshold-out-of-range", "/release_threshold", Some(json!(1))),
        (Kind::Publisher, "threshold-out-of-range", "/release_threshold", Some(json!(3))),
        (Kind::Publisher, "threshold-out-of-range", "/threshold", Some(json!(1))),
        (Kind::Supersede, "field-unknown", "/release_threshold", Some(json!(2))),
        (Kind::Withdraw, "field-unexpected", "/approvals", Some(json!([approval("02", &good), approval("01", &good)]))),
        (Kind::Withdraw, "field-duplicate", "/approvals", Some(json!([approval("01", &good), approval("01", &good)]))),
        (Kind::Incident, "not-canonical", "/approvals", Some(json!([]))),
        (Kind::Evaluation, "field-invalid", "/approvals", Some(json!([approval("01", "zz")]))),
        (Kind::Stage, "field-missing", "/approvals", Some(json!([{"kid": "01".repeat(32)}]))),
        (Kind::Amend, "not-the-publisher", "/publisher/name", Some(other.clone())),
        (Kind::Amend, "nothing-amended", "/model_card", None),
        (Kind::Amend, "field-missing", "/reason", None),
        (Kind::Amend, "field-unknown", "/weights", Some(json!({"digest": "00"}))),
        (
            Kind::Amend,
            "license-unparsable",
            "/license",
            Some(
                json!({"spdx": "free of charge", "use_restricted": false, "text": {"name": "L", "sha256": "00".repeat(32)}}),
            ),
        ),
        (Kind::Amend, "field-invalid", "/release/leaf_hash", Some(json!("zz"))),
        (Kind::Amend, "component-missing", "/components", Some(json!({}))),
        (Kind::Amend, "domain-missing", "/evidence", Some(json!({"safety": {"report": {"none": "nobody wrote one"}}}))),
        (
            Kind::Amend,
            "field-unknown",
            "/model",
            Some(json!({"artifact": "base", "formats": ["gguf"], "name": "other"})),
        ),
        (Kind::Amend, "field-empty", "/model", Some(json!({"artifact": "base", "formats": []}))),
        (Kind::Amend, "quantization-missing", "/model", Some(json!({"artifact": "quantized", "formats": ["gguf"]}))),
        (
            Kind::Amend,
            "lineage-missing",
            "/model",
            Some(json!({"artifact": "quantized", "formats": ["gguf"], "quantization": "Q4_K_M"})),
        ),
        (Kind::Amend, "field-required", "/lineage", Some(json!([]))),
        (Kind::Amend, "field-missing", "/lineage", Some(json!([{"relation": "finetune", "tool": "none"}]))),
        (
            Kind::Amend,
            "field-unexpected",
            "/lineage",
            Some(json!([{
                "relation": "finetune",
                "tool": "none",
                "parent_weights": "00".repeat(32),
                "parent": {"coordinate": "acme.example/tiny@1.0.2#instruct", "entry": 3, "leaf_hash": "00".repeat(32)},
                "carries": {"license": true, "use_policy": true, "model_card": true, "risk_notes": true},
            }])),
        ),
        (
            Kind::Amend,
            "commit-missing",
            "/lineage",
            Some(json!([{
                "relation": "finetune",
                "tool": "none",
                "parent": {
                    "purl": "pkg:huggingface/acme/base@main",
                    "listing": {"digest": "00".repeat(32), "files": 1, "bytes": 1},
                },
                "carries": {"license": true, "use_policy": true, "model_card": true, "risk_notes": true},
            }])),
        ),
        (Kind::Stage, "not-the-publisher", "/publisher/name", Some(other.clone())),
        (Kind::Stage, "field-not-one-of", "/access/stage", Some(json!("recalled"))),
        (Kind::Supersede, "not-the-publisher", "/publisher/name", Some(other.clone())),
        (Kind::Supersede, "supersedes-itself", "/by/coordinate", Some(json!("acme.example/tiny@1.0.2#instruct"))),
        (Kind::Supersede, "name-grammar", "/by/coordinate", Some(json!("acme.example/tiny"))),
        (Kind::Withdraw, "not-the-publisher", "/publisher/name", Some(other)),
        (Kind::Withdraw, "field-not-one-of", "/copies", Some(json!("all-deleted"))),
        (Kind::Withdraw, "field-empty", "/actions", Some(json!([]))),
        (Kind::Withdraw, "field-required", "/actions/0", Some(json!({"what": "host-removed", "when": "2026-07-01"}))),
        (Kind::Withdraw, "field-required", "/actions/0", Some(json!({"what": "other", "when": "2026-07-01"}))),
        (Kind::Incident, "field-empty", "/affected", Some(json!([]))),
        (
            Kind::Incident,
            "field-invalid",
            "/affected/1",
            Some(json!({"coordinate": "acme.example/tiny@1.0.1#instruct", "entry": 3})),
        ),
        (
            Kind::Incident,
            "field-duplicate",
            "/affected/1",
            Some(json!({"coordinate": "acme.example/tiny@1.0.2#instruct"})),
        ),
        (Kind::Incident, "field-not-one-of", "/class", Some(json!("rumour"))),
        (Kind::Evaluation, "own-release", "/publisher/name", Some(json!("acme.example"))),
        (Kind::Evaluation, "safeguards-differ", "/evaluation/configuration", Some(json!("with-safeguards"))),
        (Kind::Observation, "field-unexpected", "/result", Some(json!("match"))),
        (
            Kind::Observation,
            "field-required",
            "/files",
            Some(
                json!([{"path": "a", "expected": "sha256:".to_owned() + &"00".repeat(32), "found": "sha256:".to_owned() + &"00".repeat(32)}]),
            ),
        ),
        (Kind::Observation, "field-required", "/files/0", Some(json!({"path": "a"}))),
        (
            Kind::Observation,
            "field-required",
            "/subject",
            Some(json!({"coordinate": "acme.example/tiny@1.0.2#instruct"})),
        ),
        (Kind::Observation, "field-invalid", "/files/0/found", Some(json!("md5:00"))),
        (Kind::Observation, "field-duplicate", "/files/1/path", Some(json!("model.safetensors"))),
    ]
}

#[test]
fn each_contradiction_is_refused_with_its_code() {
    for (kind, code, pointer, to) in cases() {
        let what = format!("{kind} {pointer} {to:?}");
        let error = refusal(&of(kind), |value| match to {
            Some(to) => set(pointer, to)(value),
            None => remove(pointer)(value),
        });
        assert_eq!(error.code(), code, "{what}: {error}");
    }
}

#[test]
fn every_kind_is_signed_read_and_verified() {
    for statement in samples() {
        let signed = sign(&statement, &key()).unwrap();
        assert_eq!(signed.verify(&key().public()), Ok(()));
        assert_eq!(SignedStatement::parse(signed.bytes()).unwrap().statement(), &statement);
        assert_eq!(statement.coordinate().unwrap().to_string(), "acme.example/tiny@1.0.2#instruct");
        assert!(Statement::from_payload(&statement.payload().unwrap()).is_ok());
    }
    assert_eq!(of(Kind::Incident).coordinates().len(), 2);
    assert_eq!(of(Kind::Incident).references().len(), 1);
    assert_eq!(of(Kind::Supersede).references().len(), 2);
    assert_eq!(of(Kind::Observation).references()[0].0, "subject");
}

/// Each kind may be signed by several keys, and an approval is good for what it was given for.
#[test]
fn every_kind_is_approved_and_an_approval_is_of_nothing_else() {
    let approver = |kid: &KeyId| (*kid == other_key().public().key_id()).then(|| other_key().public());
    let approved = approved_samples();
    for statement in &approved {
        let signed = sign(statement, &key()).unwrap();
        let read = SignedStatement::parse(signed.bytes()).unwrap();
        assert_eq!(read.statement(), statement);
        assert_eq!(statement.verify_approvals(approver), Ok(()));
        assert!(statement.verify_approvals(|_| Some(key().public())).is_err());
        assert!(statement.verify_approvals(|_| None).is_err());
        // Who signs the envelope is another key than those that approve.
        assert_eq!(sign(statement, &other_key()).unwrap_err().code(), "field-duplicate");
        assert_eq!(statement.without_approvals().approvals(), []);
        for other in approved.iter().filter(|other| *other != statement) {
            let mut moved = other.without_approvals();
            let approval = &statement.approvals()[0];
            moved.take_approval(approval.kid, approval.signature);
            assert!(moved.verify_approvals(approver).is_err(), "{} for {}", statement.kind(), other.kind());
        }
    }
    // The same again, at another time, is something else.
    let Statement::Withdraw(mut later) = of(Kind::Withdraw) else { unreachable!() };
    let mut first = Statement::Withdraw(later.clone());
    first.approve(&other_key()).unwrap();
    later.issued_at = "2030-01-01T00:00:00Z".parse().unwrap();
    later.approvals = first.approvals().to_vec();
    assert!(Statement::Withdraw(later).verify_approvals(approver).is_err());
}

#[test]
fn an_amendment_replaces_what_it_has_and_nothing_else() {
    let Statement::Amend(amend) = of(Kind::Amend) else { unreachable!() };
    let mut release = sample_release();
    amend.apply(&mut release);
    assert_eq!(Some(&release.model_card), amend.model_card.as_ref());
    let mut back = release.clone();
    back.model_card = sample_release().model_card;
    assert_eq!(back, sample_release());
    assert_eq!(amend.amended(), ["model_card"]);
}

#[test]
fn an_amended_lineage_and_amended_facts_leave_names_and_weights() {
    let Some(Statement::Amend(amend)) = samples().pop() else { unreachable!() };
    let mut release = sample_release();
    amend.apply(&mut release);
    assert_eq!(amend.amended(), ["model", "lineage"]);
    assert_eq!((release.coordinate(), &release.weights), (sample_release().coordinate(), &sample_release().weights));
    assert_eq!(release.model.parameters, Some(135_000_000));
    assert_eq!(Some(&release.lineage), amend.lineage.as_ref());
    assert!(!release.from_scratch && release.check().is_ok());

    // No parent is left: trained from nothing, which is said with what it is.
    let mut scratch = Amend::clone(&amend);
    scratch.lineage = Some(Vec::new());
    assert!(scratch.problems().is_empty());
    scratch.apply(&mut release);
    assert!(release.from_scratch && release.lineage.is_empty() && release.check().is_ok());
    if let Some(model) = &mut scratch.model {
        (model.artifact, model.quantization) = (Artifact::Quantized, Some("Q4_K_M".parse().unwrap()));
    }
    assert_eq!(scratch.problems()[0].code(), "scratch-impossible");
}

/// What is known of bytes that were never had is carried, and takes no weights with it.
#[test]
fn parents_whose_bytes_were_never_had_are_said() {
    let amend = samples().into_iter().find_map(|statement| match statement {
        Statement::Amend(amend) if amend.lineage.as_ref().is_some_and(|lineage| lineage.len() == 2) => Some(amend),
        _ => None,
    });
    let lineage = amend.unwrap().lineage.unwrap();
    let bytes = lineage.iter().map(|ancestor| match &ancestor.parent {
        Parent::Unseen(parent) => (parent.purl.commit().is_some(), &parent.bytes),
        other => panic!("{other:?}"),
    });
    assert!(matches!(
        bytes.collect::<Vec<_>>()[..],
        [(true, UnseenBytes::Listed(_)), (false, UnseenBytes::Unknown(_))]
    ));
    assert!(lineage.iter().all(|ancestor| ancestor.parent_weights.is_none() && ancestor.parent.logged().is_none()));
}

#[test]
fn an_observation_of_an_unlogged_name_needs_no_entry() {
    let Statement::Observation(mut observation) = of(Kind::Observation) else { unreachable!() };
    observation.subject = Affected::Named("evil.example/tiny@1.0.2#instruct".parse().unwrap());
    observation.result = Observed::Unlogged;
    assert!(sign(&Statement::Observation(observation), &key()).is_ok());
}
