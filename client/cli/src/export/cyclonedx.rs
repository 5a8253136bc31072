//! A CycloneDX 1.6 ML-BOM: the model is the component that the document is about, its files are parts of it.

use serde_json::{Map, Value, json};
use stele_spec::manifest::ManifestFile;
use stele_spec::statement::{Ancestor, Evaluation, Parent};

use super::remainder::{leaves, remainder};
use super::subject::{BUNDLE, Subject};

/// The fields that have a place of their own in the format.
const SAID: &[&str] =
    &["publisher.name", "model.name", "model.version", "model.architecture", "model.purl", "license.spdx"];

pub(super) fn document(of: &Subject<'_>) -> Value {
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", of.uuid("cyclonedx")),
        "version": 1,
        "metadata": {
            "timestamp": of.time(),
            "tools": { "components": [{ "type": "application", "name": "stele", "version": env!("CARGO_PKG_VERSION") }] },
            "component": model(of),
        },
        // The manifest, which is signed, names every file.
        "compositions": [{ "aggregate": "complete", "assemblies": [of.verified.coordinate().to_string()] }],
    })
}

fn model(of: &Subject<'_>) -> Value {
    let release = of.release;
    let mut rest = remainder(release, SAID);
    rest.insert("status".into(), of.status());
    let properties = leaves(&rest).into_iter();
    let files = of.verified.manifest().files().iter().enumerate();
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": of.verified.coordinate().to_string(),
        "publisher": release.publisher.name.as_str(),
        "name": release.model.name.as_str(),
        "version": release.model.version.as_str(),
        "licenses": [{ "expression": release.license.spdx.as_str(), "acknowledgement": "declared" }],
        "externalReferences": references(of),
        "properties": properties.map(|(name, value)| property(&name, value)).collect::<Vec<_>>(),
        "components": files.map(|(number, file)| part(number, file)).collect::<Vec<_>>(),
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let (Some(fields), Some(value)) = (component.as_object_mut(), value) {
            fields.insert(name.to_owned(), value);
        }
    };
    add("purl", release.model.purl.as_ref().map(|purl| purl.to_string().into()));
    add("modelCard", card(of));
    if !release.lineage.is_empty() {
        add("pedigree", Some(json!({ "ancestors": release.lineage.iter().map(ancestor).collect::<Vec<_>>() })));
    }
    component
}

/// The architecture and the results, if there are any.
fn card(of: &Subject<'_>) -> Option<Value> {
    let mut card = Map::new();
    if let Some(architecture) = &of.release.model.architecture {
        card.insert("modelParameters".into(), json!({ "modelArchitecture": architecture.as_str() }));
    }
    if !of.release.evaluations.is_empty() {
        let metrics: Vec<Value> = of.release.evaluations.iter().map(metric).collect();
        card.insert("quantitativeAnalysis".into(), json!({ "performanceMetrics": metrics }));
    }
    (!card.is_empty()).then(|| card.into())
}

fn metric(evaluation: &Evaluation) -> Value {
    json!({
        "type": evaluation.metric.as_str(),
        "value": evaluation.value.to_string(),
        "slice": evaluation.dataset.name.as_str(),
    })
}

/// A parent by its name and the digest that is known of it; what it was used for is a property.
fn ancestor(ancestor: &Ancestor) -> Value {
    let mut component = match &ancestor.parent {
        Parent::Logged(parent) => json!({
            "type": "machine-learning-model",
            "publisher": parent.coordinate.publisher.as_str(),
            "name": parent.coordinate.model.as_str(),
            "version": parent.coordinate.version.as_str(),
            "properties": [property("coordinate", parent.coordinate.to_string()), property("entry", parent.entry.to_string())],
        }),
        Parent::Unlogged(_) | Parent::Unseen(_) => json!({ "type": "machine-learning-model" }),
    };
    if let (Some(purl), Some(fields)) = (ancestor.parent.purl(), component.as_object_mut()) {
        fields.insert("name".into(), purl.to_string().into());
        fields.insert("purl".into(), purl.to_string().into());
    }
    component
}

/// One file. Its bom-ref is a number: a path may be longer than a reference should be.
fn part(number: usize, file: &ManifestFile) -> Value {
    json!({
        "type": "file",
        "bom-ref": format!("file-{number}"),
        "name": file.path.as_str(),
        "hashes": [{ "alg": "SHA-256", "content": file.sha256 }],
        "properties": [
            property("role", file.role.to_string()),
            property("size", file.size.to_string()),
            property("git_sha1", file.git_sha1.to_string()),
        ],
    })
}

fn references(of: &Subject<'_>) -> Vec<Value> {
    let card = &of.release.model_card;
    let text = &of.release.license.text;
    let mut references = vec![
        json!({
            "type": "attestation",
            "url": BUNDLE,
            "comment": of.proof_in_words(),
            "hashes": [{ "alg": "SHA-256", "content": of.bundle }],
        }),
        json!({ "type": "model-card", "url": Subject::place(card), "hashes": [{ "alg": "SHA-256", "content": card.sha256 }] }),
        json!({ "type": "license", "url": Subject::place(text), "hashes": [{ "alg": "SHA-256", "content": text.sha256 }] }),
    ];
    references
        .extend(of.release.hosts.iter().map(|host| json!({ "type": "distribution", "url": host.locator.as_str() })));
    references
}

fn property(name: &str, value: impl Into<Value>) -> Value {
    json!({ "name": format!("stele:{name}"), "value": value.into() })
}
