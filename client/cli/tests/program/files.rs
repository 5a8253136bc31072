//! Keys, policies, pages and parts.

use std::os::unix::fs::PermissionsExt as _;

use crate::common::{World, stele};

#[test]
fn a_key_is_made_once_and_is_its_owners_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a.pem");
    let file = file.to_str().unwrap();
    let made = stele(&["key", "new", file, "--json"]).ok().json();
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    stele(&["key", "new", file]).fails(7, &["exists already", "hint:"]);
    let shown = stele(&["key", "show", file, "--json"]).ok().json();
    assert_eq!(made["key_id"], shown["key_id"]);
    let public = home.path().join("public.pem");
    std::fs::write(&public, shown["public_key_pem"].as_str().unwrap()).unwrap();
    assert_eq!(stele(&["key", "show", public.to_str().unwrap(), "--json"]).ok().json(), shown);
    std::fs::write(file, "nonsense").unwrap();
    stele(&["key", "show", file]).fails(7, &["is not a private Ed25519 key in PEM", "expected:", "hint:"]);
    stele(&["key", "show", "/nonexistent"]).fails(7, &["there is no /nonexistent"]);
}

#[test]
fn a_bundle_is_readable_and_comes_apart_into_standard_files() {
    let world = World::released();
    let bundle = world.model().join("release.stele");
    let bundle = bundle.to_str().unwrap();
    stele(&["show", world.model().to_str().unwrap()]).ok().says(&[
        "acme.example/tiny@1.0.2#instruct",
        "Release safety",
        "Nothing here has been verified",
    ]);
    let parts = world.at("parts");
    stele(&["inspect", bundle, "--extract", parts.to_str().unwrap()]).ok().says(&["a bundle", "statement.cose"]);
    stele(&["inspect", bundle, "--extract", parts.to_str().unwrap()]).fails(7, &["exists already"]);
    std::fs::write(world.at("vkey"), world.log.policy(None, 2).split_whitespace().nth(1).unwrap()).unwrap();
    let empty = "stele/index@v1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    std::fs::write(world.at("index"), empty).unwrap();
    let proof = std::fs::read_to_string(parts.join("proof.tlog-proof")).unwrap();
    std::fs::write(world.at("checkpoint"), proof.split_once("\n\n").unwrap().1).unwrap();
    for (file, kind) in [
        ("parts/statement.cose", "statement"),
        ("parts/manifest.cbor", "manifest"),
        ("parts/proof.tlog-proof", "tlog-proof"),
        ("parts/keys/0.cose", "statement"),
        ("parts/keys/0.tlog-proof", "tlog-proof"),
        ("model/release.stele", "bundle"),
        ("policy", "policy"),
        ("vkey", "vkey"),
        ("index", "index-entry"),
        ("checkpoint", "checkpoint"),
    ] {
        let file = world.at(file);
        let json = stele(&["inspect", file.to_str().unwrap(), "--json"]).ok().json();
        assert_eq!(json["kind"], kind, "{}", file.display());
    }
    stele(&["inspect", world.model().join("config.json").to_str().unwrap()])
        .fails(7, &["JSON of no kind that these programs write", "hint:"]);
    std::fs::write(world.at("words"), "Released on Monday.\n").unwrap();
    stele(&["inspect", world.at("words").to_str().unwrap()]).fails(7, &["a text of no kind", "hint:"]);
    stele(&["show", world.at("parts/statement.cose").to_str().unwrap()]).ok();
    // A file that is no statement may be one of a release: the log is asked, and names none.
    world.log.mirror(&world.at("copy"));
    let (policy, copy) = (world.at("policy"), world.at("copy"));
    let asked = ["--policy", policy.to_str().unwrap(), "--log", copy.to_str().unwrap(), "--no-state"];
    let shown = [&["show", policy.to_str().unwrap()][..], &asked].concat();
    stele(&shown).fails(3, &["no release that the log names has", "policy (SHA-256 "]);
}

#[test]
fn a_policy_says_what_it_requires() {
    let world = World::new();
    let policy = world.at("policy");
    stele(&["policy", "check", policy.to_str().unwrap()])
        .ok()
        .says(&["operators: 2 of 3 (w1, w2, w3)", "at least        2 of 3 witnesses"]);
    std::fs::write(&policy, "witness\n").unwrap();
    stele(&["policy", "check", policy.to_str().unwrap()]).fails(6, &["line 1", "hint:"]);
}

#[test]
fn help_exit_codes_and_errors_are_documents_too() {
    stele(&["help", "exit-codes"]).ok().says(&["  4  quorum missing"]);
    stele(&["help", "verify"]).ok().says(&["--max-age"]);
    stele(&["version"]).ok().says(&["stele 0.1.0"]);
    stele(&["fly"]).fails(2, &["unrecognized"]);
    let ran = stele(&["verify", "/nonexistent", "--json"]);
    assert_eq!((ran.code, ran.json()["error"].as_str()), (7, Some("path-unreadable")));
    assert_eq!(ran.err, "");
}
