//! A downloader verifies what is on the disk, offline.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use crate::common::{FILES, World, stele};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{FileDigests, Manifest};

#[test]
fn a_flipped_byte_is_found_and_both_digests_are_told() {
    let world = World::released();
    let mut weights = FILES[3].1.to_vec();
    weights[5] ^= 1;
    world.write("model.safetensors", &weights);
    let (expected, found) = (FileDigests::of(FILES[3].1).sha256, FileDigests::of(&weights).sha256);
    world
        .verify(&[])
        .fails(1, &["model.safetensors", &expected.to_string(), &found.to_string(), "hint: do not load these files"])
        .says(&["1 DIFFER; 4 of 5 files match"]);
    let json = world.verify(&["--json"]).json();
    assert_eq!(json["error"], "bytes-differ");
    assert_eq!(json["exit"], 1);
    assert_eq!(json["integrity"]["bytes"]["differing"][0]["found"]["sha256"], found.to_string());
}

#[test]
fn a_link_to_a_folder_is_none_of_the_files_that_are_left_aside() {
    let world = World::released();
    let hidden = world.at("hidden");
    std::fs::create_dir(&hidden).unwrap();
    std::fs::write(hidden.join("modeling.py"), "import os").unwrap();
    world.verify(&[]).ok();
    let to_a_folder = |name| format!("{name} (a symlink to a folder)");
    let refused = [
        ("model.sig", 7, "model.sig is a folder, and not a file".to_owned()),
        ("release.hints", 16, to_a_folder("release.hints")),
        (".cache", 16, to_a_folder(".cache")),
    ];
    for (name, code, words) in refused {
        symlink(&hidden, world.model().join(name)).unwrap();
        world.verify(&[]).fails(code, &[&words]);
        std::fs::remove_file(world.model().join(name)).unwrap();
    }
}

#[test]
fn a_truncated_file_is_likely_an_unfinished_download() {
    let world = World::released();
    world.write("model.safetensors", &FILES[3].1[..4]);
    world.verify(&[]).fails(1, &["(4 bytes)", "hint: they are shorter than the record"]);
}

#[test]
fn without_a_quorum_nothing_is_verified_and_the_missing_witnesses_are_named() {
    let mut world = World::new();
    world.log.cosigning = 1;
    let bundle = world.bundle(&SecretKey::from_seed([50; 32]));
    world.write_bundle(&bundle);
    let ran = world.verify(&[]).fails(
        4,
        &[
            "expected: at least 2 cosignatures",
            "found: 1",
            "w2 (witness-2.example/w), w3 (witness-3.example/w)",
            "hint:",
        ],
    );
    assert!(ran.out.starts_with("NOT VERIFIED  ") && ran.out.lines().count() == 1, "{ran:?}");
}

#[test]
fn another_log_s_policy_does_not_vouch() {
    let world = World::released();
    let other = world.log.policy(None, 2).replace("log log.example/stele", "log other.example/stele");
    std::fs::write(world.at("other"), other).unwrap();
    world.verify(&["--policy", world.at("other").to_str().unwrap()]).fails(6, &["is not a trust policy", "hint:"]);

    std::fs::write(world.at("other"), crate::common::Log::new(2).policy(None, 2)).unwrap();
    world.verify(&["--policy", world.at("other").to_str().unwrap()]).fails(6, &["has another key for this log"]);
    std::fs::write(world.at("other"), "quorum none\n").unwrap();
    world.verify(&["--policy", world.at("other").to_str().unwrap()]).fails(6, &["found: log.example/stele"]);
    world.verify(&["--policy", "/nonexistent"]).fails(6, &["expected: a policy file", "hint: get the policy"]);
}

#[test]
fn a_release_signed_by_a_key_that_does_not_hold_the_name_is_refused() {
    let mut world = World::new();
    let bundle = world.bundle(&SecretKey::from_seed([66; 32]));
    world.write_bundle(&bundle);
    world.verify(&[]).fails(5, &["acme.example does not hold the key", "expected:", "found:"]);

    // Nor does it help to leave the claim away.
    let mut without = bundle;
    without.keys.clear();
    world.write_bundle(&without);
    world.verify(&[]).fails(5, &["a claim of the name in the bundle"]);
}

#[test]
fn a_downloader_can_insist_on_a_publisher_and_a_key() {
    let world = World::released();
    let kid = world.key.public().key_id().to_string();
    world.verify(&["--publisher", "acme.example", "--key-id", &kid]).ok();
    world.verify(&["--publisher", "other.example"]).fails(5, &["expected: other.example", "found: acme.example"]);
    world.verify(&["--key-id", &"0".repeat(64)]).fails(5, &["another key", &kid]);
    world.verify(&["--key-id", &kid.to_uppercase()]).fails(2, &[]);
}

#[test]
fn a_swapped_manifest_is_refused() {
    let mut world = World::new();
    let mut bundle = world.bundle(&SecretKey::from_seed([50; 32]));
    let mut files = World::manifest().files().to_vec();
    files[3].sha256 = FileDigests::of(b"evil weights").sha256;
    bundle.manifest = Manifest::new(files).unwrap().encode();
    world.write_bundle(&bundle);
    world.write("model.safetensors", b"evil weights");
    world.verify(&[]).fails(1, &["not the one of the release", "expected:", "found:"]);
}

#[test]
fn a_claim_or_a_proof_of_something_else_is_refused() {
    let mut world = World::new();
    let good = world.bundle(&SecretKey::from_seed([50; 32]));
    let mut swapped = good.clone();
    std::mem::swap(&mut swapped.proof, &mut swapped.keys[0].proof);
    world.write_bundle(&swapped);
    world.verify(&[]).fails(3, &["is not proven to be in the log"]);
    let mut claim = good.clone();
    claim.statement = claim.keys[0].statement.clone();
    world.write_bundle(&claim);
    world.verify(&[]).fails(7, &["expected a release"]);
    let mut forged = good;
    *forged.statement.last_mut().unwrap() ^= 1;
    world.write_bundle(&forged);
    world.verify(&[]).fails(5, &["the signature is not that of key"]);
    world.write("release.stele", b"nonsense");
    world.verify(&[]).fails(7, &["not a release.stele", "hint:"]);
    std::fs::remove_file(world.model().join("release.stele")).unwrap();
    world.verify(&[]).fails(3, &["there is no release.stele", "found: nothing at"]);
    std::fs::create_dir(world.model().join("release.stele")).unwrap();
    let folder = &["release.stele is a folder, and not a file", "expected: a file", "found: a folder", "hint:"];
    world.verify(&[]).fails(7, folder);
    let policy = world.model().display().to_string();
    let is_folder = &["is a folder, and not a trust policy", "found: a folder", "hint:"];
    stele(&["verify", &policy, "--policy", &policy]).fails(6, is_folder);
}

#[test]
fn pipes_sockets_loops_and_links_out_are_named_and_never_opened() {
    let world = World::released();
    let model = world.model();
    std::fs::remove_file(model.join("config.json")).unwrap();
    let fifo = |name: &str| {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            model.join(name),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
    };
    fifo("config.json");
    world.verify(&[]).fails(7, &["config.json: a pipe", "hint:"]);
    std::fs::remove_file(model.join("config.json")).unwrap();

    symlink("config.json", model.join("config.json")).unwrap();
    world.verify(&[]).fails(7, &["config.json: a symlink loop"]);
    std::fs::remove_file(model.join("config.json")).unwrap();

    std::fs::write(world.at("outside"), FILES[2].1).unwrap();
    symlink("../outside", model.join("config.json")).unwrap();
    // What a link leads to cannot prove anything false: the record says which digest it has.
    world.verify(&[]).ok().says(&["5 of 5 files, all match"]);
    std::fs::write(world.at("outside"), b"other bytes").unwrap();
    world.verify(&[]).fails(1, &["config.json"]);
    std::fs::remove_file(model.join("config.json")).unwrap();

    std::fs::create_dir(model.join("config.json")).unwrap();
    world.verify(&[]).fails(7, &["config.json: a folder in a file's place"]);
    std::fs::remove_dir(model.join("config.json")).unwrap();

    // Beside the record they are only reported.
    world.write("config.json", FILES[2].1);
    fifo("pipe");
    let _socket = UnixListener::bind(model.join("socket")).unwrap();
    symlink("loop", model.join("loop")).unwrap();
    symlink("nowhere", model.join("link")).unwrap();
    world.verify(&[]).ok().says(&[
        "5 of 5 files, all match",
        "pipe (a pipe)",
        "socket (a socket)",
        "loop (a symlink loop)",
        "link (a symlink that leads nowhere)",
    ]);
    // Where it leads may be there when a loader looks.
    symlink("nowhere", model.join("modeling.py")).unwrap();
    world.verify(&[]).fails(16, &["modeling.py (a symlink that leads nowhere)"]);
    std::fs::remove_file(model.join("modeling.py")).unwrap();
    // A folder that is not looked into may hold anything, and a pipe may be read as what its name says.
    symlink("/", model.join("root")).unwrap();
    world.verify(&[]).fails(16, &["root (a symlink to a folder)"]);
    world.verify(&["--allow-extra", "root"]).ok();
    std::fs::remove_file(model.join("root")).unwrap();
    fifo("pytorch_model.bin");
    world.verify(&[]).fails(16, &["pytorch_model.bin (a pipe)"]);
}

#[test]
fn evidence_has_an_age_and_it_can_be_too_old() {
    let world = World::released();
    world.verify(&["--max-age", "1s"]).fails(4, &["the evidence is too old", "expected: at most 1 second"]);
    world.verify(&["--max-age", "5200w"]).ok().says(&["2026-06-25T09:31:01Z"]);
    world.verify(&["--max-age", "soon"]).fails(2, &["such as 30d"]);
}

#[test]
fn the_whole_folder_verifies_with_three_claims_and_no_badge() {
    let world = World::released();
    let ran = world.verify(&[]).ok().says(&[
        "acme.example/tiny@1.0.2#instruct",
        "5 of 5 files, all match",
        "entry 2 of log.example/stele, in a tree of 4",
        "3 of 3 cosigned: w1, w2, w3",
        "availability    open since 2026-06-25",
        "openness        claims open-model",
        "release safety  report safety/report.md",
        "as of",
    ]);
    assert_eq!(ran.err, "");
    let json = world.verify(&["--json"]).ok().json();
    assert_eq!(json["integrity"]["bytes"]["matching"], 5);
    assert_eq!(json["integrity"]["witnesses"]["required"], 2);
    assert_eq!(json["as_of"]["time"], "2026-06-25T09:31:01Z");
    for claim in ["availability", "openness", "release_safety"] {
        assert!(json[claim].is_object(), "{claim}");
    }
    world.verify(&["--no-hash"]).ok().says(&["not looked at (5 files in the record)"]);
    // The bundle's own path is no file of the release: without an option nothing was verified that a script could use.
    let bundle = world.model().join("release.stele");
    world.verify_path(&bundle, &[]).fails(15, &["no file of the release was read", "--no-hash"]);
    world.verify_path(&bundle, &["--no-hash"]).ok().says(&["not looked at"]);
}

#[test]
fn one_file_verifies_alone_under_its_own_or_another_name() {
    let world = World::released();
    let nested = world.model().join("safety/input-classifier.safetensors");
    world.verify_path(&nested, &[]).ok().says(&["matches safety/input-classifier.safetensors, 1 of 5 files"]);
    let bundle = world.model().join("release.stele");
    std::fs::copy(world.model().join("model.safetensors"), world.at("renamed.bin")).unwrap();
    let more = ["--bundle", bundle.to_str().unwrap()];
    world.verify_path(&world.at("renamed.bin"), &more).ok().says(&["matches model.safetensors"]);
    std::fs::write(world.at("renamed.bin"), b"other").unwrap();
    world.verify_path(&world.at("renamed.bin"), &more).fails(1, &["is not a file of this release"]);
    world.write("config.json", b"{}");
    world
        .verify_path(&world.model().join("config.json"), &[])
        .fails(1, &["expected", "found", "config.json"])
        .says(&["DIFFER"]);
    // Another recorded file's bytes are no excuse, however the path is written.
    std::fs::copy(world.model().join("model.safetensors"), world.model().join("config.json")).unwrap();
    let name = world.model().file_name().unwrap().to_owned();
    std::os::unix::fs::symlink(world.model(), world.at("link")).unwrap();
    for path in [
        world.model().join("config.json"),
        world.model().join("..").join(&name).join("config.json"),
        world.model().join("safety/../config.json"),
        world.at("link").join("config.json"),
        world.at("link").join("../link/config.json"),
    ] {
        world.verify_path(&path, &[]).fails(1, &["config.json"]).says(&["DIFFER"]);
    }
}

#[test]
fn a_copied_part_of_a_release_and_one_file_of_it_are_verified_by_a_bundle_that_lies_elsewhere() {
    let world = World::released();
    let bundle = world.model().join("release.stele").display().to_string();
    let copied = |to: &str, paths: &[&str]| {
        let folder = world.at(to);
        std::fs::create_dir_all(&folder).unwrap();
        for path in paths {
            let name = path.rsplit('/').next().unwrap();
            std::fs::copy(world.model().join(path), folder.join(name)).unwrap();
        }
        folder
    };
    let part = copied("part", &["model.safetensors", "config.json"]);
    let by = ["--bundle", &bundle];
    let ran = world.verify_briefly(&part, &by).fails(15, &[]);
    assert!(
        ran.out.starts_with("INCOMPLETE  acme.example/tiny@1.0.2#instruct: 2 of 5 files match; 3 are missing"),
        "{ran:?}"
    );
    let ran = world.verify_briefly(&part, &[&by[..], &["--partial"]].concat()).ok();
    assert!(ran.out.contains("2 of 5 files are as acme.example released them; 3 are missing"), "{ran:?}");
    let ran = world.verify_briefly(&part.join("model.safetensors"), &by).ok();
    assert!(ran.out.contains("model.safetensors is as acme.example released it"), "{ran:?}");
    world.verify_briefly(&part.join("model.safetensors"), &[&by[..], &["--partial"]].concat()).ok();
    // A folder of the release under its own name is asked for nothing else.
    let folder = copied("elsewhere/safety", &["safety/input-classifier.safetensors"]);
    let ran = world.verify_briefly(&folder, &by).ok();
    assert!(ran.out.contains("the one file of safety/ is as acme.example released it"), "{ran:?}");
    // And one other byte is told in each.
    std::fs::write(part.join("config.json"), "{}").unwrap();
    let ran = world.verify_briefly(&part, &[&by[..], &["--partial"]].concat()).fails(1, &["config.json"]);
    assert!(ran.out.starts_with("DIFFERS"), "{ran:?}");
}
