//! An in-toto statement, version 1: the subjects are the files, the predicate is the release and where its log has it.

use serde_json::{Value, json};

use super::subject::Subject;

/// What the predicate is.
pub(super) const PREDICATE: &str = "https://stele.example/release/v1";

pub(super) fn document(of: &Subject<'_>) -> Value {
    let files = of.verified.manifest().files().iter();
    let subjects: Vec<Value> = files
        .map(|file| {
            let digest = json!({ "sha256": file.sha256, "gitBlob": file.git_sha1 });
            json!({ "name": file.path.as_str(), "digest": digest })
        })
        .collect();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "coordinate": of.verified.coordinate().to_string(),
            "signer": of.verified.signer(),
            "release": of.release,
            "log": of.log(),
            "status": of.status(),
        },
    })
}
