//! What names a release is the same for every verb that reads; what names none is answered with every form that does.

use std::fs;
use std::path::Path;

use crate::common::{FILES, Ran, World, stele_remembering};
use stele_spec::hash::Digest;
use stele_spec::manifest::FileDigests;

const COORDINATE: &str = "acme.example/tiny@1.0.2#instruct";
const VERBS: [&str; 5] = ["show", "history", "lineage", "resolve", "diff"];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A verb with a subject, asking a copy of the log's files; `diff` compares it with the coordinate.
fn read(world: &World, verb: &str, subject: &str) -> Ran {
    let (policy, copy) = (world.at("policy"), world.at("copy"));
    let mut arguments = vec![verb, subject];
    if verb == "diff" {
        arguments.push(COORDINATE);
    }
    arguments.extend(["--policy", text(&policy), "--log", text(&copy)]);
    stele_remembering(&arguments, Some(&world.at("state")))
}

/// A repository of the Hugging Face cache with the files of the model.
fn cached(world: &World) -> std::path::PathBuf {
    let repository = world.at("hub/models--acme--tiny");
    let commit = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334";
    let snapshot = repository.join("snapshots").join(commit);
    for (path, content) in FILES {
        let file = snapshot.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    fs::create_dir_all(repository.join("blobs")).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), commit).unwrap();
    repository
}

#[test]
fn what_names_nothing_is_answered_with_every_form_that_names_something() {
    let world = World::released();
    world.log.mirror(&world.at("copy"));
    for verb in VERBS {
        for nothing in
            ["no/such/thing", "acme.example/tiny@1.0.0#", "entry:x", "pkg:", "https://acme.example/tiny", "0f1e2d"]
        {
            let ran = read(&world, verb, nothing);
            assert_eq!(ran.code, 7, "{verb} {nothing}: {ran:#?}");
            for form in [
                "a folder or a file of a release",
                "release.stele",
                "models--ORG--NAME",
                "publisher/model@version#variant",
                "entry:NUMBER",
                "a digest in hex",
                "pkg:huggingface/org/name@revision",
                "https://huggingface.co/org/name/tree/revision",
            ] {
                assert!(ran.err.contains(form), "{verb} {nothing} does not say {form}: {ran:#?}");
            }
        }
        // Well formed, and of nothing in this log.
        for absent in [
            "acme.example/other@1.0.0#base",
            &"ab".repeat(32),
            "pkg:huggingface/acme/other@main",
            "https://huggingface.co/acme/tiny/tree/1.0.3",
        ] {
            read(&world, verb, absent).fails(3, &[]);
        }
    }
}

#[test]
fn every_verb_that_reads_takes_every_form_of_a_release() {
    let world = World::released();
    world.log.mirror(&world.at("copy"));
    let model = world.model();
    let cached = cached(&world);
    let weights = World::manifest().weights_digest().to_string();
    let file = Digest::of(FILES[3].1).to_string();
    let blob = FileDigests::of(FILES[2].1).git_sha1.to_string();
    let below = |path: &str| model.join(path).to_str().unwrap().to_owned();
    let (bundle, shard, part) = (below("release.stele"), below("model.safetensors"), below("safety"));
    let config = cached.join("snapshots/0f1e2d3c4b5a69788796a5b4c3d2e1f001122334/config.json");
    let (file, named) = (format!("sha256:{file}"), format!("SHA256-{}", file.to_uppercase()));
    let (upper_weights, upper_blob) = (weights.to_uppercase(), blob.to_uppercase());
    let subjects = [
        COORDINATE,
        "entry:2",
        &weights,
        &upper_weights,
        &file,
        &named,
        &blob,
        &upper_blob,
        text(&model),
        &bundle,
        &shard,
        &part,
        text(&cached),
        text(&config),
        "pkg:huggingface/acme/tiny@1.0.2",
        // Without a revision every one is meant.
        "https://huggingface.co/acme/tiny",
        "pkg:huggingface/acme/tiny",
        "models--acme--tiny",
        "https://huggingface.co/acme/tiny/tree/1.0.2",
        "https://huggingface.co/acme/tiny/blob/1.0.2/config.json",
        "https://huggingface.co/acme/tiny/resolve/1.0.2/model.safetensors?download=true",
    ];
    for lost in [false, true] {
        if lost {
            fs::remove_file(model.join("release.stele")).unwrap();
        }
        for subject in subjects.iter().filter(|subject| !lost || !subject.ends_with("release.stele")) {
            for verb in VERBS {
                let ran = read(&world, verb, subject);
                assert!(ran.code == 0 && ran.out.contains(COORDINATE), "{verb} {subject}, lost: {lost}: {ran:#?}");
            }
        }
    }
}

#[test]
fn a_damaged_bundle_is_said_to_be_damaged_and_no_other_is_taken_in_its_place() {
    let world = World::released();
    world.log.mirror(&world.at("copy"));
    world.write("release.stele", b"not a bundle");
    for verb in VERBS {
        for subject in [world.model(), world.model().join("release.stele")] {
            let ran = read(&world, verb, text(&subject));
            assert!(ran.code != 0 && ran.err.contains("release.stele"), "{verb}: {ran:#?}");
        }
    }
}
