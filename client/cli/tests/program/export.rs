//! A release in the documents of other ecosystems: everything that it says, nothing else, and only where it is verified and stands.

use serde_json::Value;
use stele_spec::text::base64;

use crate::common::{World, stele};

const FORMS: [&str; 3] = ["in-toto", "cyclonedx", "spdx3"];

/// The arguments of an export of the world's release.
fn export<'a>(model: &'a str, form: &'a str, policy: &'a str) -> [&'a str; 6] {
    ["export", model, "--as", form, "--policy", policy]
}

/// Every leaf of a document, as text.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, found)),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Null => {}
        other => found.push(other.to_string()),
    }
}

#[test]
fn what_a_release_says_is_in_each_document_and_twice_the_same() {
    let world = World::released();
    let (model, policy) = (world.model(), world.at("policy"));
    let (model, policy) = (model.to_str().unwrap(), policy.to_str().unwrap());
    let bundle = format!("{model}/release.stele");
    let release = stele(&["show", &bundle, "--json"]).ok().json()["statement"].clone();
    let mut said = Vec::new();
    leaves(&release, &mut said);
    assert!(said.len() > 100, "{}", said.len());
    for form in FORMS {
        let arguments = export(model, form, policy);
        let text = stele(&arguments).ok().out;
        assert_eq!(text, stele(&arguments).ok().out, "{form}");
        let document: Value = serde_json::from_str(&text).unwrap();
        let found = document.to_string();
        for leaf in &said {
            // Inside a list, or an annotation, it is JSON in a string of JSON.
            let quoted = serde_json::to_string(leaf).unwrap();
            let twice = serde_json::to_string(&quoted).unwrap();
            let inner = |text: &str| text[1..text.len() - 1].to_owned();
            assert!(found.contains(&inner(&quoted)) || found.contains(&inner(&twice)), "{form}: {leaf}");
        }
        let json = stele(&[&arguments[..], &["--json"]].concat()).ok().json();
        assert_eq!(json["document"], document, "{form}");
    }
}

#[test]
fn a_file_is_written_once_and_only_of_what_is_verified() {
    let world = World::released();
    let (model, policy, made) = (world.model(), world.at("policy"), world.at("made.json"));
    let (model, policy, made) = (model.to_str().unwrap(), policy.to_str().unwrap(), made.to_str().unwrap());
    let arguments = [&export(model, "in-toto", policy)[..], &["-o", made]].concat();
    stele(&arguments).ok().says(&["wrote "]);
    stele(&arguments).fails(7, &["exists already", "hint:"]);
    stele(&["export", model, "--as", "pdf", "--policy", policy]).fails(2, &["in-toto", "cyclonedx", "spdx3"]);
    // The policy of another log, and a bit that is another.
    let other = world.at("other");
    std::fs::write(&other, crate::common::Log::new(2).policy(None, 2)).unwrap();
    stele(&export(model, "spdx3", other.to_str().unwrap())).fails(6, &["has another key for this log", "hint:"]);
    let bundle = world.model().join("release.stele");
    let mut damaged = std::fs::read(&bundle).unwrap();
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    std::fs::write(&bundle, damaged).unwrap();
    for form in FORMS {
        let ran = stele(&export(model, form, policy));
        assert!(ran.code != 0 && ran.out.is_empty(), "{form}: {}", ran.code);
    }
}

#[test]
fn a_release_that_was_withdrawn_is_exported_only_where_that_is_accepted_and_said() {
    let vectors: Value = serde_json::from_str(include_str!("../../../../spec/vectors/bundle/bundles.json")).unwrap();
    let withdrawn = |case: &&Value| case["accept"]["state"] == "withdrawn";
    let case = vectors["cases"].as_array().unwrap().iter().find(withdrawn).expect("a vector of a withdrawn release");
    let world = World::new();
    world.write("withdrawn.stele", &base64(case["bundle"].as_str().unwrap()).unwrap());
    world.write("its-policy", vectors["policies"][case["policy"].as_str().unwrap()].as_str().unwrap().as_bytes());
    let (bundle, policy) = (world.model().join("withdrawn.stele"), world.model().join("its-policy"));
    let held = stele(&["inspect", bundle.to_str().unwrap(), "--json"]).ok().json();
    let mut statements = held["names"]["said"].as_array().unwrap().iter().map(|said| &said["statement"]["statement"]);
    let reason = statements.find(|statement| statement["kind"] == "withdraw").unwrap()["reason"].as_str().unwrap();
    for form in FORMS {
        let arguments = export(bundle.to_str().unwrap(), form, policy.to_str().unwrap());
        assert!(stele(&arguments).fails(17, &["was withdrawn by its publisher", "--accept withdrawn"]).out.is_empty());
        // Whoever wants it all the same has a document that says so.
        let document = stele(&[&arguments[..], &["--accept", "withdrawn"]].concat()).ok().out;
        // As a field, or in an annotation as JSON in a string.
        assert!(document.contains("withdrawn") && document.contains(reason), "{form}: {document}");
    }
}
