//! An SPDX 3.0.1 document, JSON-LD: the model is a package of the AI profile that contains its files.

use serde_json::{Map, Value, json};
use stele_spec::hash::Digest;
use stele_spec::statement::{Ancestor, Evaluation, Parent};

use super::remainder::remainder;
use super::subject::{BUNDLE, Subject};

/// The fields that have a place of their own in the format.
const SAID: &[&str] =
    &["publisher.name", "issued_at", "model.name", "model.version", "model.architecture", "model.purl", "license.spdx"];

/// The one creation info, which all elements share.
const CREATION: &str = "_:creation";

pub(super) fn document(of: &Subject<'_>) -> Value {
    let mut graph = Graph { base: format!("urn:uuid:{}", of.uuid("spdx3")), elements: Vec::new() };
    let tool = graph.id("tool");
    graph.elements.push(json!({
        "type": "CreationInfo",
        "@id": CREATION,
        "specVersion": "3.0.1",
        "created": of.time(),
        "createdBy": [tool],
    }));
    graph.add("SoftwareAgent", "tool", json!({ "name": format!("stele {}", env!("CARGO_PKG_VERSION")) }));
    graph.add("Agent", "publisher", json!({ "name": of.release.publisher.name.as_str() }));
    graph.add("ai_AIPackage", "model", package(of, &graph));
    let licence = json!({ "simplelicensing_licenseExpression": of.release.license.spdx.as_str() });
    graph.add("simplelicensing_LicenseExpression", "licence", licence);
    graph.relate("has-licence", "hasDeclaredLicense", &["licence".to_owned()]);
    files(of, &mut graph);
    graph.add("software_File", "proof", file(BUNDLE, of.bundle, Some(&of.proof_in_words()), "evidence"));
    graph.relate("has-proof", "hasEvidence", &["proof".to_owned()]);
    parents(of, &mut graph);
    let rest = Value::Object(remainder(of.release, SAID));
    let what = json!({ "coordinate": of.verified.coordinate().to_string(), "release": rest, "log": of.log(), "status": of.status() });
    let annotation = json!({
        "annotationType": "other",
        "contentType": "application/json",
        "subject": graph.id("model"),
        "statement": what.to_string(),
    });
    graph.add("Annotation", "rest", annotation);
    let elements: Vec<Value> = graph.elements.iter().filter_map(|element| element.get("spdxId").cloned()).collect();
    let about = json!({
        "profileConformance": ["core", "software", "simpleLicensing", "ai"],
        "rootElement": [graph.id("model")],
        "element": elements,
    });
    graph.add("SpdxDocument", "document", about);
    json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph.elements })
}

/// The elements so far, whose names begin with the same words.
struct Graph {
    base: String,
    elements: Vec<Value>,
}

impl Graph {
    fn id(&self, name: &str) -> String {
        format!("{}#{name}", self.base)
    }

    fn add(&mut self, kind: &str, name: &str, fields: Value) {
        let mut element = Map::new();
        element.insert("type".into(), kind.into());
        element.insert("spdxId".into(), self.id(name).into());
        element.insert("creationInfo".into(), CREATION.into());
        if let Value::Object(fields) = fields {
            element.extend(fields);
        }
        self.elements.push(element.into());
    }

    /// The model stands in a relation to others.
    fn relate(&mut self, name: &str, kind: &str, to: &[String]) {
        let to: Vec<String> = to.iter().map(|name| self.id(name)).collect();
        let fields = json!({ "from": self.id("model"), "relationshipType": kind, "to": to });
        self.add("Relationship", name, fields);
    }
}

fn package(of: &Subject<'_>, graph: &Graph) -> Value {
    let release = of.release;
    let mut package = json!({
        "name": release.model.name.as_str(),
        "software_packageVersion": release.model.version.as_str(),
        "software_primaryPurpose": "model",
        "suppliedBy": graph.id("publisher"),
        "releaseTime": release.issued_at.to_string(),
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let (Some(fields), Some(value)) = (package.as_object_mut(), value) {
            fields.insert(name.to_owned(), value);
        }
    };
    add("software_downloadLocation", release.hosts.first().map(|host| host.locator.as_str().into()));
    add("software_packageUrl", release.model.purl.as_ref().map(|purl| purl.to_string().into()));
    add("ai_typeOfModel", release.model.architecture.as_ref().map(|architecture| json!([architecture.as_str()])));
    add("ai_metric", (!release.evaluations.is_empty()).then(|| release.evaluations.iter().map(metric).collect()));
    package
}

fn metric(evaluation: &Evaluation) -> Value {
    let key = format!("{} on {} ({})", evaluation.metric, evaluation.dataset.name, evaluation.id);
    json!({ "type": "DictionaryEntry", "key": key, "value": evaluation.value.to_string() })
}

fn files(of: &Subject<'_>, graph: &mut Graph) {
    let recorded = of.verified.manifest().files();
    let mut names = Vec::with_capacity(recorded.len());
    for (number, recorded) in recorded.iter().enumerate() {
        let name = format!("file-{number}");
        let purpose = if recorded.role == stele_spec::manifest::Role::Weights { "model" } else { "file" };
        let fields = file(recorded.path.as_str(), recorded.sha256, None, purpose);
        graph.add("software_File", &name, fields);
        names.push(name);
    }
    graph.relate("has-files", "contains", &names);
}

fn file(name: &str, sha256: Digest, comment: Option<&str>, purpose: &str) -> Value {
    let mut file = json!({
        "name": name,
        "software_primaryPurpose": purpose,
        "verifiedUsing": [{ "type": "Hash", "algorithm": "sha256", "hashValue": sha256 }],
    });
    if let (Some(fields), Some(comment)) = (file.as_object_mut(), comment) {
        fields.insert("comment".into(), comment.into());
    }
    file
}

/// Each parent as a package of which no more is said than its name, its version and its package URL.
fn parents(of: &Subject<'_>, graph: &mut Graph) {
    let mut names = Vec::new();
    for (number, ancestor) in of.release.lineage.iter().enumerate() {
        let name = format!("parent-{number}");
        graph.add("software_Package", &name, parent(ancestor));
        names.push(name);
    }
    if !names.is_empty() {
        graph.relate("has-parents", "descendantOf", &names);
    }
}

fn parent(ancestor: &Ancestor) -> Value {
    let made = format!("{} of this, with {}", ancestor.relation, ancestor.tool);
    match &ancestor.parent {
        Parent::Logged(parent) => json!({
            "name": parent.coordinate.to_string(),
            "software_packageVersion": parent.coordinate.version.as_str(),
            "software_primaryPurpose": "model",
            "comment": format!("entry {} of the same log; the model is {made}", parent.entry),
        }),
        Parent::Unlogged(_) | Parent::Unseen(_) => {
            let purl = ancestor.parent.purl().map(ToString::to_string).unwrap_or_default();
            json!({
                "name": purl,
                "software_packageUrl": purl,
                "software_primaryPurpose": "model",
                "comment": format!("the model is {made}"),
            })
        }
    }
}
