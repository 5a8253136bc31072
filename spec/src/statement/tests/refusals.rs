//! Every change of one field that is refused, as a table.

use serde_json::{Value, json};

use super::*;

#[test]
fn each_field_is_refused_by_its_name_and_with_its_code() {
    for Case { comment, code, field: expected, edits } in cases() {
        let error = refusal(&release(), |value| apply(&edits, value));
        assert_eq!((error.code(), field(&error).as_str()), (code, expected), "{comment}: {error}");
    }
}

/// A change of the sample release that is refused.
pub(super) struct Case {
    pub(super) comment: &'static str,
    pub(super) code: &'static str,
    /// The field that the error names.
    pub(super) field: &'static str,
    pub(super) edits: Vec<Edit>,
}

/// A change of one place, by its JSON pointer (RFC 6901).
pub(super) enum Edit {
    Set(&'static str, Value),
    Remove(&'static str),
}
use Edit::{Remove, Set};

impl Edit {
    fn apply(&self, value: &mut Value) {
        let (pointer, new) = match self {
            Set(pointer, new) => (*pointer, Some(new.clone())),
            Remove(pointer) => (*pointer, None),
        };
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} is nowhere"));
        match (parent, new) {
            (Value::Object(map), Some(new)) => drop(map.insert(last.to_owned(), new)),
            (Value::Object(map), None) => assert!(map.remove(last).is_some(), "{pointer} is not there"),
            (Value::Array(list), Some(new)) => list[last.parse::<usize>().unwrap()] = new,
            (Value::Array(list), None) => drop(list.remove(last.parse().unwrap())),
            _ => panic!("{pointer} is in no map or list"),
        }
    }
}

pub(super) fn apply(edits: &[Edit], value: &mut Value) {
    edits.iter().for_each(|edit| edit.apply(value));
}

fn case(comment: &'static str, code: &'static str, field: &'static str, edits: Vec<Edit>) -> Case {
    Case { comment, code, field, edits }
}

pub(super) fn cases() -> Vec<Case> {
    let long = |count: usize| json!("a".repeat(count));
    let many = |item: Value, count: usize| Value::Array(vec![item; count]);
    vec![
        case("a field less", "field-missing", "weights", vec![Remove("/weights")]),
        case("a field less, inside", "field-missing", "weights.digest", vec![Remove("/weights/digest")]),
        case(
            "a field less, in a list",
            "field-missing",
            "evaluations[1].result",
            vec![Remove("/evaluations/1/result")],
        ),
        case("an empty list, which is left out", "not-canonical", "", vec![Set("/legal", json!([]))]),
        case("a field more", "field-unknown", "weights_digest", vec![Set("/weights_digest", json!("x"))]),
        case("a field more, inside", "field-unknown", "license.name", vec![Set("/license/name", json!("x"))]),
        case("a field more, in a list", "field-unknown", "hosts[0].mirror", vec![Set("/hosts/0/mirror", json!(true))]),
        case("text for a number", "field-wrong-type", "weights.files", vec![Set("/weights/files", json!("1"))]),
        case("a number for text", "field-wrong-type", "license.spdx", vec![Set("/license/spdx", json!(1))]),
        case("text for a boolean", "field-wrong-type", "from_scratch", vec![Set("/from_scratch", json!("no"))]),
        case("a list for a map", "field-wrong-type", "access", vec![Set("/access", json!(["open", "2026-06-25"]))]),
        case("a map for a list", "field-wrong-type", "hosts", vec![Set("/hosts", json!({}))]),
        case("a kind that there is not", "kind-unknown", "kind", vec![Set("/kind", json!("rumour"))]),
        case("no kind", "field-missing", "kind", vec![Remove("/kind")]),
        case("a kind that is no text", "field-wrong-type", "kind", vec![Set("/kind", json!(18))]),
        case(
            "a time without its zone",
            "field-invalid",
            "issued_at",
            vec![Set("/issued_at", json!("2026-06-25T09:30:00"))],
        ),
        case(
            "the 29th of February 2026",
            "field-invalid",
            "access.since",
            vec![Set("/access/since", json!("2026-02-29"))],
        ),
        case("an upper-case digest", "field-invalid", "tree.digest", vec![Set("/tree/digest", json!("AB".repeat(32)))]),
        case("a short digest", "field-invalid", "manifest", vec![Set("/manifest", json!("ab"))]),
        case(
            "a publisher in upper case",
            "name-grammar",
            "publisher.name",
            vec![Set("/publisher/name", json!("Acme.example"))],
        ),
        case(
            "a look-alike publisher",
            "name-grammar",
            "publisher.name",
            vec![Set("/publisher/name", json!("xn--acm-dma.example"))],
        ),
        case("an empty version", "name-grammar", "model.version", vec![Set("/model/version", json!(""))]),
        case("a variant over its limit", "name-grammar", "model.variant", vec![Set("/model/variant", long(65))]),
        case(
            "a model of another publisher",
            "name-grammar",
            "model.name",
            vec![Set("/model/name", json!("evil/tiny"))],
        ),
        case(
            "a parent's name outside the grammar",
            "name-grammar",
            "lineage[0].parent.coordinate",
            vec![Set("/lineage/0/parent/coordinate", json!("tiny"))],
        ),
        case(
            "an artifact that there is not",
            "field-not-one-of",
            "model.artifact",
            vec![Set("/model/artifact", json!("chat"))],
        ),
        case(
            "quantized, and not how",
            "quantization-missing",
            "model.quantization",
            vec![Set("/model/artifact", json!("quantized"))],
        ),
        case(
            "how, of a service",
            "quantization-unexpected",
            "model.quantization",
            vec![Set("/model/quantization", json!("Q4_K_M")), Set("/model/artifact", json!("hosted-service"))],
        ),
        case("no format", "field-empty", "model.formats", vec![Set("/model/formats", json!([]))]),
        case(
            "a format twice",
            "field-duplicate",
            "model.formats",
            vec![Set("/model/formats", json!(["gguf", "gguf"]))],
        ),
        case(
            "too many formats",
            "field-too-many",
            "model.formats",
            vec![Set("/model/formats", json!((0..17).map(|n| format!("f{n}")).collect::<Vec<_>>()))],
        ),
        case("no package URL", "field-invalid", "model.purl", vec![Set("/model/purl", json!("https://acme.example"))]),
        case(
            "text of two lines for one",
            "field-invalid",
            "model.family",
            vec![Set("/model/family", json!("Tiny\nHuge"))],
        ),
        case(
            "text that turns its direction",
            "field-invalid",
            "model.family",
            vec![Set("/model/family", json!("\u{202e}yniT"))],
        ),
        case("text over its limit", "field-invalid", "support", vec![Set("/support", long(4097))]),
        case("no weights", "no-weights", "weights.files", vec![Set("/weights/files", json!(0))]),
        case(
            "a word that names no licence",
            "license-unparsable",
            "license.spdx",
            vec![Set("/license/spdx", json!("NOASSERTION"))],
        ),
        case(
            "a licence in words",
            "license-unparsable",
            "license.spdx",
            vec![Set("/license/spdx", json!("Apache License, Version 2.0"))],
        ),
        case("half an expression", "license-unparsable", "license.spdx", vec![Set("/license/spdx", json!("MIT OR"))]),
        case("an empty licence", "field-invalid", "license.spdx", vec![Set("/license/spdx", json!(""))]),
        case(
            "a component's licence that is none",
            "license-unparsable",
            "components.training-code.license",
            vec![Set("/components/training-code/license", json!("open source"))],
        ),
        case(
            "neither a document nor a reason",
            "field-invalid",
            "safety.report",
            vec![Set("/safety/report", json!({}))],
        ),
        case(
            "a document and a reason",
            "field-invalid",
            "safety.report",
            vec![Set("/safety/report/none", json!("There is none."))],
        ),
        case(
            "a document without a digest",
            "field-invalid",
            "docs.data_card",
            vec![Set("/docs/data_card", json!({"name": "card.pdf"}))],
        ),
        case("a model card without a digest", "field-missing", "model_card.sha256", vec![Remove("/model_card/sha256")]),
        case(
            "one document of six, and nothing of the others",
            "field-missing",
            "docs.limitations",
            vec![Remove("/docs/limitations")],
        ),
        case(
            "a component of which nothing is said",
            "component-missing",
            "components.training-logs",
            vec![Remove("/components/training-logs")],
        ),
        case(
            "a component that there is not",
            "field-not-one-of",
            "components.soul",
            vec![Set("/components/soul", json!({"included": "no"}))],
        ),
        case(
            "perhaps included",
            "field-not-one-of",
            "components.datasets.included",
            vec![Set("/components/datasets/included", json!("maybe"))],
        ),
        case(
            "a dangerous domain of which nothing is said",
            "domain-missing",
            "not_evaluated.fraud",
            vec![Remove("/not_evaluated/fraud")],
        ),
        case(
            "nothing said of any",
            "domain-missing",
            "not_evaluated.cyber-abuse",
            vec![Remove("/not_evaluated"), Remove("/evaluations")],
        ),
        case(
            "a capability result does not speak of danger",
            "domain-missing",
            "not_evaluated.cyber-abuse",
            vec![Set("/evaluations/1/class", json!("capability"))],
        ),
        case(
            "evaluated, and not",
            "domain-contradiction",
            "not_evaluated.cyber-abuse",
            vec![Set("/not_evaluated/cyber-abuse", json!("Too small."))],
        ),
        case(
            "not evaluated, without a reason",
            "field-invalid",
            "not_evaluated.fraud",
            vec![Set("/not_evaluated/fraud", json!(""))],
        ),
        case(
            "a domain that there is not",
            "field-not-one-of",
            "not_evaluated.boredom",
            vec![Set("/not_evaluated/boredom", json!("Too small."))],
        ),
        case(
            "a floating-point result in text",
            "field-invalid",
            "evaluations[0].value",
            vec![Set("/evaluations/0/value", json!("6.1e-1"))],
        ),
        case("an id twice", "field-duplicate", "evaluations", vec![Set("/evaluations/0/id", json!("cyber-bare"))]),
        case(
            "safeguards on bare weights",
            "safeguards-differ",
            "evaluations[1].safeguards",
            vec![Set("/evaluations/1/safeguards", json!(["refusals"]))],
        ),
        case(
            "safeguards, and not which",
            "safeguards-differ",
            "evaluations[2].safeguards",
            vec![Remove("/evaluations/2/safeguards")],
        ),
        case(
            "a safeguard that the release does not have",
            "safeguard-unknown",
            "evaluations[2].safeguards",
            vec![Set("/evaluations/2/safeguards", json!(["magic"]))],
        ),
        case(
            "a safeguard's id twice",
            "field-duplicate",
            "safety.safeguards",
            vec![Set("/safety/safeguards/2/id", json!("refusals"))],
        ),
        case(
            "a safeguard in the files that does not travel",
            "safeguard-file-stays",
            "safety.safeguards[1].travels",
            vec![Set("/safety/safeguards/1/travels", json!(false))],
        ),
        case(
            "a safeguard's file out of the folder",
            "field-invalid",
            "safety.safeguards[1].file",
            vec![Set("/safety/safeguards/1/file", json!("../classifier"))],
        ),
        case(
            "no class where the basis has classes",
            "class-differs",
            "openness.class",
            vec![Remove("/openness/class")],
        ),
        case(
            "a class where the basis has none",
            "class-differs",
            "openness.class",
            vec![Set("/openness/basis", json!("OSAID-1.0"))],
        ),
        case("no benefit", "field-empty", "rationale.benefits", vec![Set("/rationale/benefits", json!([]))]),
        case("no risk", "field-empty", "rationale.risks", vec![Set("/rationale/risks", json!([]))]),
        case(
            "no alternative",
            "field-empty",
            "rationale.alternatives_rejected",
            vec![Set("/rationale/alternatives_rejected", json!([]))],
        ),
        case("an empty reason", "field-invalid", "rationale.risks[0]", vec![Set("/rationale/risks", json!([""]))]),
        case(
            "too many reasons",
            "field-too-many",
            "rationale.risks",
            vec![Set("/rationale/risks", many(json!("a"), 33))],
        ),
        case("no parents, and not from scratch", "lineage-missing", "lineage", vec![Remove("/lineage")]),
        case(
            "parents, and from scratch",
            "lineage-contradiction",
            "from_scratch",
            vec![Set("/from_scratch", json!(true))],
        ),
        case(
            "a merge from scratch",
            "scratch-impossible",
            "from_scratch",
            vec![Set("/model/artifact", json!("merge")), Set("/from_scratch", json!(true)), Remove("/lineage")],
        ),
        case(
            "a parent in two places",
            "field-invalid",
            "lineage[0].parent",
            vec![Set("/lineage/0/parent/purl", json!("pkg:a/b"))],
        ),
        case(
            "a parent by its position alone",
            "field-invalid",
            "lineage[0].parent",
            vec![Set("/lineage/0/parent", json!({"entry": 3}))],
        ),
        case(
            "a parent whose bytes were had, without its weights",
            "field-required",
            "lineage[1].parent_weights",
            vec![Remove("/lineage/1/parent_weights")],
        ),
        case(
            "a logged parent without its weights",
            "field-required",
            "lineage[0].parent_weights",
            vec![Remove("/lineage/0/parent_weights")],
        ),
        case(
            "weights of bytes that nobody had",
            "field-unexpected",
            "lineage[1].parent_weights",
            vec![Set("/lineage/1/parent", unknown("The service did not say."))],
        ),
        unseen(
            "bytes that are had and unknown",
            "field-invalid",
            "lineage[1].parent",
            json!({"purl": "pkg:huggingface/acme/base", "digest": "00".repeat(32), "unknown": "The service did not say."}),
        ),
        unseen(
            "bytes that are listed and unknown",
            "field-invalid",
            "lineage[1].parent",
            json!({"purl": of_commit(), "listing": listing(1), "unknown": "The service did not say."}),
        ),
        unseen(
            "an entry whose bytes are unknown",
            "field-invalid",
            "lineage[1].parent",
            json!({"coordinate": "acme.example/tiny@1.0.0#base", "unknown": "The service did not say."}),
        ),
        unseen("a package URL alone", "field-invalid", "lineage[1].parent", json!({"purl": of_commit()})),
        unseen("unknown, for no reason", "field-invalid", "lineage[1].parent.unknown", unknown("")),
        unseen("a reason of two lines", "field-invalid", "lineage[1].parent.unknown", unknown("a\nb")),
        unseen("a reason over its limit", "field-invalid", "lineage[1].parent.unknown", unknown(&"a".repeat(513))),
        unseen(
            "a listing of no file",
            "field-invalid",
            "lineage[1].parent.listing.files",
            json!({"purl": of_commit(), "listing": listing(0)}),
        ),
        unseen(
            "a listing without its digest",
            "field-missing",
            "lineage[1].parent.listing.digest",
            json!({"purl": of_commit(), "listing": {"files": 1, "bytes": 1}}),
        ),
        unseen(
            "a listing of a branch",
            "commit-missing",
            "lineage[1].parent.purl",
            json!({"purl": "pkg:huggingface/acme/base@main", "listing": listing(1)}),
        ),
        unseen(
            "a listing of a shortened commit",
            "commit-missing",
            "lineage[1].parent.purl",
            json!({"purl": "pkg:huggingface/acme/base@9f2d", "listing": listing(1)}),
        ),
        unseen(
            "a listing of a commit in capitals",
            "commit-missing",
            "lineage[1].parent.purl",
            json!({"purl": of_commit().to_uppercase().replacen("PKG", "pkg", 1), "listing": listing(1)}),
        ),
        case("open, and no host", "hosts-missing", "hosts", vec![Remove("/hosts")]),
        case(
            "a host without the revision it has",
            "revision-missing",
            "hosts[0].revision",
            vec![Remove("/hosts/0/revision")],
        ),
        case(
            "a locator that is none",
            "field-invalid",
            "hosts[0].locator",
            vec![Set("/hosts/0/locator", json!("acme/tiny"))],
        ),
        case(
            "no incident channel",
            "field-missing",
            "obligations.incident_channel",
            vec![Remove("/obligations/incident_channel")],
        ),
        case("a legal claim without its day", "field-missing", "legal[0].as_of", vec![Remove("/legal/0/as_of")]),
    ]
}

/// The second parent of the sample, its bytes not had, as another.
fn unseen(comment: &'static str, code: &'static str, field: &'static str, parent: Value) -> Case {
    case(comment, code, field, vec![Remove("/lineage/1/parent_weights"), Set("/lineage/1/parent", parent)])
}

fn unknown(reason: &str) -> Value {
    json!({"purl": "pkg:huggingface/acme/base", "unknown": reason})
}

fn listing(files: u64) -> Value {
    json!({"digest": "00".repeat(32), "files": files, "bytes": 4096})
}

fn of_commit() -> String {
    format!("pkg:huggingface/acme/base@{}", "9f".repeat(20))
}

/// The field that an error is about.
pub(super) fn field(error: &StatementError) -> String {
    match error {
        StatementError::Field(error) => error.path().as_str().to_owned(),
        StatementError::KindUnknown { .. } => "kind".to_owned(),
        _ => String::new(),
    }
}
