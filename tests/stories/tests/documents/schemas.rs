//! Every document of `--json` has a schema, every schema a document, and no schema accepts a document that breaks what it promises.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

mod client;
mod log;
mod recorder;
mod witness;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stele_probe::failure::Step;
use stele_schemas::{catalogue, document, spoiled};

use recorder::Recorder;

/// A name with its version of a document that no `--json` writes: a line of the monitor, and what its hook gets.
const EVENT: &str = "stele/event@v1";

/// The same of a line that the guard of the Python package writes.
const DECISION: &str = "stele/guard-decision@v1";

#[test]
fn every_schema_has_a_document_and_refuses_it_when_one_promise_is_broken() -> Step {
    let mut recorder = Recorder::start()?;
    client::publish(&mut recorder)?;
    client::read(&mut recorder)?;
    client::watch(&mut recorder)?;
    log::run(&mut recorder)?;
    witness::run(&mut recorder)?;
    client::say(&mut recorder)?;
    log::adopt(&mut recorder)?;

    let written: BTreeSet<String> = recorder.documents.iter().map(|(name, _)| name.clone()).collect();
    let schemas: BTreeSet<String> = catalogue::documents(None).into_iter().collect();
    assert_eq!(written, schemas, "left: documents that were written, right: files of docs/schemas");

    for (name, good) in &recorder.documents {
        document::check_as(name, good).unwrap();
        let all = spoiled::all(name, good);
        assert!(all.len() >= 4, "{name} promises next to nothing");
        let accepted: Vec<&str> = all
            .iter()
            .filter(|spoiled| document::check_as(name, &spoiled.document).is_ok())
            .map(|spoiled| spoiled.what.as_str())
            .collect();
        assert!(accepted.is_empty(), "the schema of {name} accepts {accepted:#?} of {good}");
    }
    Ok(())
}

#[test]
fn a_document_without_a_name_or_with_one_that_has_no_schema_is_refused() {
    for (document, expected) in [
        (json!({}), "does not say in `schema`"),
        (json!({"schema": 1, "ok": true, "exit": 0}), "does not say in `schema`"),
        (json!({"schema": "stele/verify@v0", "ok": true, "exit": 0}), "docs/schemas/stele/verify.v0.json"),
        (json!({"schema": "stele-log/verify@v1", "ok": true, "exit": 0}), "docs/schemas/stele-log/verify.v1.json"),
        (json!({"schema": "../common.json", "ok": true, "exit": 0}), "no schema"),
        // An error is never all well, and success has no exit code.
        (json!({"schema": "stele/error@v1", "ok": true, "exit": 0}), "stele/error@v1"),
        (json!({"schema": "stele/error@v1", "ok": false, "exit": 0, "error": "internal", "message": "x"}), "exit"),
        (json!({"schema": "stele/version@v1", "ok": true, "exit": 1, "version": "0.1.0"}), "exit"),
    ] {
        let refused = document::check(&document).unwrap_err();
        assert!(refused.contains(expected), "{document}: {refused}");
    }
}

/// Each property says what it is: by itself, or by the part that it refers to.
#[test]
fn every_property_is_described() {
    fn walk(file: &str, at: &str, schema: &Value, silent: &mut Vec<String>) {
        let Some(fields) = schema.as_object() else { return };
        for (name, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // A condition names a property that is described elsewhere.
            let is_condition = at.ends_with("/if") || at.ends_with("/then") || at.ends_with("/else");
            let is_described = property["description"].as_str().is_some_and(|text| text.ends_with(['.', '`']));
            if !is_described && !is_condition && property.get("$ref").is_none() {
                silent.push(format!("{file}{at}/{name}"));
            }
        }
        for (name, inner) in fields {
            match inner {
                Value::Array(items) => items.iter().for_each(|item| walk(file, &format!("{at}/{name}"), item, silent)),
                _ => walk(file, &format!("{at}/{name}"), inner, silent),
            }
        }
    }
    let mut silent = Vec::new();
    for (file, schema) in catalogue::files() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{file}");
        assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{file}");
        walk(file, "", schema, &mut silent);
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// An audit names its rules in SARIF: the schema of its JSON has their codes, and no others.
#[test]
fn the_codes_of_findings_are_those_of_the_rules() -> Step {
    let recorder = Recorder::start()?;
    let rules = recorder.sarif()?["runs"][0]["tool"]["driver"]["rules"].clone();
    let words = |name: &str| -> BTreeSet<String> {
        let place = format!("/properties/findings/items/properties/{name}/enum");
        let listed = catalogue::files()["stele/audit.v1.json"].pointer(&place).unwrap();
        listed.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let of = |pointer: &str| -> BTreeSet<String> {
        let rules = rules.as_array().unwrap().iter();
        rules.map(|rule| rule.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()).collect()
    };
    assert_eq!((words("code"), words("mode")), (of("/id"), of("/properties/mode")));
    Ok(())
}
