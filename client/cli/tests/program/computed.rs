//! What the record claims is computed again from the record and from the files, and not believed.

use crate::common::{FILES, PUBLISHER, World};
use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::manifest::{FileDigests, Manifest, ManifestFile, Role};
use stele_spec::statement::{PublisherClaim, Statement, sign};

/// Releases the model of a world with other and further files.
fn released_with(files: &[(&str, &[u8])]) -> World {
    let mut world = World::new();
    let mut all: Vec<(&str, &[u8])> =
        FILES.into_iter().filter(|(path, _)| files.iter().all(|(other, _)| other != path)).collect();
    all.extend(files);
    let file = |(path, content): &(&str, &[u8])| {
        world.write(path, content);
        let path: stele_spec::manifest::FilePath = path.parse().unwrap();
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(content);
        ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
    };
    let manifest = Manifest::new(all.iter().map(file).collect()).unwrap();
    let mut release = World::release(&manifest);
    for evaluation in &mut release.evaluations {
        evaluation.subject = manifest.weights_digest();
    }
    let claim =
        PublisherClaim::new(PUBLISHER.parse().unwrap(), "2026-06-24T09:30:00Z".parse().unwrap(), &[world.key.public()]);
    let claim = sign(&Statement::Publisher(claim), &world.key).unwrap();
    let signed = sign(&Statement::Release(Box::new(release)), &world.key).unwrap();
    let claimed = world.log.push(claim.bytes().to_vec());
    let released = world.log.push(signed.bytes().to_vec());
    let bundle = Bundle {
        statement: signed.bytes().to_vec(),
        manifest: manifest.encode(),
        proof: world.log.proof(released),
        names: None,
        keys: vec![LoggedStatement { statement: claim.bytes().to_vec(), proof: world.log.proof(claimed) }],
    };
    world.write_bundle(&bundle);
    world
}

#[test]
fn what_runs_when_it_is_loaded_is_named_with_its_files() {
    let world = released_with(&[
        ("config.json", br#"{"auto_map": {"AutoModel": "modeling_tiny.TinyModel"}}"#),
        ("modeling_tiny.py", b"import os\n"),
        ("pytorch_model.bin", b"\x80\x02}q\0."),
    ]);
    world.verify(&[]).ok().says(&[
        "pickle-weights",
        "pytorch_model.bin",
        "code-files",
        "modeling_tiny.py",
        "code-in-config: config.json names code to be run: modeling_tiny.TinyModel",
    ]);
    world
        .verify_briefly(&world.model(), &[])
        .ok()
        .says(&["whole page, with ", " by the rules of auditors: code-files, code-in-config"]);
    let json = world.verify(&["--json"]).ok().json();
    let codes: Vec<_> = json["computed"]["findings"].as_array().unwrap().iter().map(|found| &found["code"]).collect();
    for code in ["pickle-weights", "code-files", "code-in-config"] {
        assert!(codes.iter().any(|found| *found == code), "{code} in {codes:?}");
    }
    // From the record alone the names are known, and what the configuration says is not.
    let bundle = world.model().join("release.stele");
    let ran = world.verify_path(&bundle, &[]).fails(15, &["no file"]).says(&["pickle-weights", "not at hand"]);
    assert!(!ran.out.contains("code-in-config"), "{}", ran.out);
    world.verify(&["--no-hash"]).ok().says(&["not with --no-hash"]);
}

#[test]
fn what_a_file_is_its_content_says_where_it_is_at_hand() {
    let world = released_with(&[
        ("openvino_model.bin", &[7; 64]),
        ("config.json", br#"{"limit": [0.0, Infinity], "auto_map": {"AutoModel": "acme/other--x.X"}}"#),
        ("generation_config.json", b"{\"a\": 1,}"),
        ("adapter_config.json", br#"{"base_model_name_or_path": "/home/user/models/base"}"#),
    ]);
    let ran = world.verify(&[]).ok().says(&[
        "code-in-config: config.json names code to be run: acme/other--x.X",
        "config-unreadable: generation_config.json",
    ]);
    for code in ["pickle-weights", "parent-missing"] {
        assert!(!ran.out.contains(code), "{}", ran.out);
    }
    // The record has the name alone.
    let bundle = world.model().join("release.stele");
    world.verify_path(&bundle, &[]).fails(15, &["no file"]).says(&["pickle-weights", "by name"]);
}

#[test]
fn base_models_that_the_card_names_and_the_lineage_does_not_are_missing_parents() {
    let card = b"---\nbase_model:\n- elder/vocabulary\n- stranger/one\n- stranger/two\n---\n# Tiny\n";
    let world = released_with(&[("README.md", card)]);
    let ran = world.verify(&[]).ok().says(&["parent-missing: README.md names stranger/one", "stranger/two"]);
    assert!(!ran.out.contains("names elder/vocabulary"), "{}", ran.out);
    // A file that does not match the record is not read for it.
    world.write("README.md", b"---\nbase_model: stranger/three\n---\n");
    let ran = world.verify(&[]).fails(1, &["README.md"]);
    assert!(!ran.out.contains("parent-missing"), "{}", ran.out);
}

#[test]
fn the_licence_text_is_compared_word_by_word() {
    // The world's licence is two lines of Apache-2.0's many.
    let world = released_with(&[]);
    let ran = world.verify(&[]).ok();
    assert!(!ran.out.contains("is that of the licence"), "{}", ran.out);
    let json = world.verify(&["--json"]).ok().json();
    assert_ne!(json["computed"]["license_text"]["is"], "same");
    assert_ne!(json["computed"]["license_text"]["is"], "not-here");
    assert_eq!(json["computed"]["openness_class"]["claimed"], "III");
    assert!(json["computed"]["osaid"]["lacks"].is_array());
}
