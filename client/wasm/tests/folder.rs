//! Files that were dropped, judged as those of a disk are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story that cannot be told is a failure")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stele_explain::Failure;
use stele_wasm::folder::{compare, plan, plan_file, role_of};
use stele_wasm::session::Session;

/// The first bundle of the vectors that is accepted.
fn session() -> Session {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/bundle/bundles.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let case = vectors["cases"].as_array().unwrap().iter().find(|case| case["accept"].is_object()).unwrap();
    let policy = vectors["policies"][case["policy"].as_str().unwrap()].as_str().unwrap();
    Session::verify(&STANDARD.decode(case["bundle"].as_str().unwrap()).unwrap(), policy.as_bytes(), b"").unwrap()
}

/// Every file of the record, as a page finds it.
fn all(session: &Session) -> Vec<Value> {
    let files = session.describe()["files"].as_array().unwrap().clone();
    files.iter().map(|file| json!({ "path": file["path"], "size": file["size"], "sha256": file["sha256"] })).collect()
}

fn code<T>(result: Result<T, Failure>) -> &'static str {
    result.err().map_or("accepted", |failure| failure.as_explain().code())
}

#[test]
fn a_file_is_read_only_where_that_decides() {
    let session = session();
    let recorded = &all(&session)[0];
    let (path, size) = (recorded["path"].as_str().unwrap(), recorded["size"].as_u64().unwrap());
    let step = |path: &str, size: u64| {
        let planned = plan(&session, &json!([[path, size]])).unwrap();
        (planned[0]["step"].as_str().unwrap().to_owned(), planned[0]["counts"].as_bool().unwrap())
    };
    assert_eq!(step(path, size), ("hash".into(), true));
    assert_eq!(step(path, size + 1), ("differs".into(), true));
    assert_eq!(
        step(path, 1 << 40),
        ("name".into(), true),
        "a terabyte is not read to say that it is none of the record"
    );
    assert_eq!(step("modeling_x.py", 10), ("name".into(), true));
    assert_eq!(step("notes.txt", 10), ("look".into(), true));
    assert_eq!(step("release.stele", 10), ("look".into(), false));
    assert_eq!(step(".git/objects/aa/bb", 10), ("skip".into(), false));
    assert_eq!(step("a/.git/notes", 10), ("look".into(), false));
    assert_eq!(step(".cache/modeling.py", 10), ("name".into(), false));
    assert_eq!(plan_file(&session, &json!(["x", size])).unwrap()["step"], "hash");
    let many: Vec<Value> = (0..200_001).map(|n| json!([n.to_string(), 1])).collect();
    assert_eq!(code(plan(&session, &many.into())), "folder-too-large");
    assert_eq!(code(plan(&session, &json!({}))), "module-misused");
}

#[test]
fn what_a_loader_takes_is_known_by_its_beginning_and_its_end() {
    let zip = [b"PK\x03\x04".as_slice(), &[0; 5000]].concat();
    for (path, size, beginning, end, role) in [
        ("modeling_x.py", 3, b"".as_slice(), b"".as_slice(), Some("code")),
        ("notes.txt", 4, b"GGUF", b"GGUF", Some("weights")),
        ("notes.txt", 60, b"cposix\nsystem\n(S'id'\ntR.", b"", Some("weights")),
        ("notes.txt", 9000, &zip, b"x/data.pkl", Some("weights")),
        ("notes.txt", 9000, &zip, b"word/document.xml", None),
        ("notes.txt", 7, b"# Notes", b"# Notes", None),
        ("notes.txt", 0, b"", b"", None),
    ] {
        assert_eq!(role_of(path, size, beginning, end), role, "{path} {beginning:?}");
    }
    // A pickle of an old protocol that imports nothing so far: whole it is harmless, and as a beginning nobody knows.
    let harmless = b"I1\n0".repeat(1000);
    assert_eq!(role_of("notes.txt", harmless.len() as u64, &harmless, b""), None);
    assert_eq!(role_of("notes.txt", 1 << 30, &harmless, b""), Some("weights"));
}

#[test]
fn each_file_is_in_one_list_and_the_worst_is_told() {
    let session = session();
    let files = all(&session);
    let judge = |files: Vec<Value>| {
        let report = compare(&session, &json!({ "files": files })).unwrap();
        report.require(Default::default()).map_err(Failure::from)
    };
    assert_eq!(code(judge(files.clone())), "accepted");
    let path = files[0]["path"].as_str().unwrap().to_owned();
    let with = |file: Value| [&files[1..], &[file]].concat();
    for (file, expected) in [
        (json!({ "path": path, "size": files[0]["size"], "sha256": "0".repeat(64) }), "bytes-differ"),
        (json!({ "path": path, "size": 1, "cause": "shorter" }), "bytes-differ"),
        (json!({ "path": path, "size": files[0]["size"] }), "file-unusable"),
        (json!({ "path": path, "unusable": "it went away" }), "file-unreadable"),
        (json!({ "path": format!("{path}/x"), "role": null }), "file-unusable"),
        (json!({ "path": "notes.txt", "role": null }), "incomplete"),
    ] {
        assert_eq!(code(judge(with(file.clone()))), expected, "{file}");
    }
    let beside = |file: Value| code(judge([&files[..], &[file]].concat()));
    assert_eq!(beside(json!({ "path": "notes.txt", "role": null })), "accepted");
    assert_eq!(beside(json!({ "path": "notes.txt", "role": "weights" })), "unrecorded");
    assert_eq!(beside(json!({ "path": "a//b.py", "role": null })), "unrecorded", "a path that a release cannot have");
    for wrong in [json!({}), json!({ "files": [{}] }), json!({ "files": [{ "path": "x", "role": "no role" }] })] {
        assert_eq!(code(compare(&session, &wrong)), "module-misused", "{wrong}");
    }
}

#[test]
fn one_file_may_be_any_of_the_release_that_has_its_bytes() {
    let session = session();
    let files = all(&session);
    let alone = |file: Value| compare(&session, &json!({ "file": file }));
    let mut renamed = files[0].clone();
    renamed["path"] = "downloaded (1)".into();
    let report = alone(renamed.clone()).unwrap();
    assert_eq!(report.matching.first().map(ToString::to_string).as_deref(), files[0]["path"].as_str());
    renamed["sha256"] = "0".repeat(64).into();
    assert_eq!(code(alone(renamed)), "not-of-the-release");
    let mut changed = files[0].clone();
    changed["sha256"] = "0".repeat(64).into();
    assert_eq!(alone(changed).unwrap().differing.len(), 1);
    assert_eq!(code(alone(json!({ "path": "x", "size": 1, "unusable": "it went away" }))), "file-unreadable");
}
