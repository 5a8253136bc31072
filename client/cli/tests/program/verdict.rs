//! What a script may believe: exit 0 only for all that was asked for, and for nothing else that a loader would take.

use crate::common::{FILES, Ran, World};
use stele_spec::manifest::FileDigests;

/// The whole answer, for a person who asked for no page.
fn lines(ran: &Ran) -> Vec<String> {
    ran.out.lines().chain(ran.err.lines()).map(str::to_owned).collect()
}

fn remove(world: &World, path: &str) {
    std::fs::remove_file(world.model().join(path)).unwrap();
}

#[test]
fn the_first_line_is_the_verdict_and_a_few_more_are_enough() {
    let world = World::released();
    let ran = world.verify_briefly(&world.model(), &[]).ok();
    let told = lines(&ran);
    assert!(told.len() <= 8, "{told:#?}");
    assert_eq!(told[0], "verified  acme.example/tiny@1.0.2#instruct: all 5 files are as acme.example released them.");
    ran.says(&[
        "licence Apache-2.0; access open; logged by 2026-06-25 as entry 2 of log.example/stele, seen by 3 of 3 witnesses",
        "as of 2026-06-25T09:31:01Z",
        "is not known here (--online asks the log)",
        "not checked: whether what the publisher says of it is true",
    ]);
    // No terminal, no colour; the page only for who asks.
    let page = world.verify_briefly(&world.model(), &["-v"]).ok().says(&["integrity", "weights         match: "]);
    assert!(page.out.starts_with(&told[0]) && !page.out.contains('\u{1b}'));
    // Who asks for the exit code alone gets nothing else.
    let quiet = world.verify_briefly(&world.model(), &["-q"]).ok();
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));

    let json = world.verify(&["--json"]).ok().json();
    assert_eq!(
        [&json["verdict"], &json["ok"], &json["exit"], &json["error"], &json["problems"]],
        [&serde_json::json!("verified"), &true.into(), &0.into(), &serde_json::Value::Null, &serde_json::json!([])]
    );
    assert_eq!(json["integrity"]["weights"]["state"], "match");
    assert_eq!(json["integrity"]["weights"]["digest"], World::manifest().weights_digest().to_string());
    assert_eq!(json["headline"], told[0]);
}

#[test]
fn a_pickle_in_the_place_of_all_weights_is_not_a_verified_model() {
    let world = World::released();
    remove(&world, "model.safetensors");
    world.write("pytorch_model.bin", b"x\n");
    let ran = world.verify_briefly(&world.model(), &[]).fails(15, &["missing: model.safetensors", "hint: "]);
    let told = lines(&ran);
    assert!(told.len() <= 8, "{told:#?}");
    assert_eq!(
        told[0],
        "INCOMPLETE  acme.example/tiny@1.0.2#instruct: 4 of 5 files match; 1 is missing, all weights among them; \
         1 file here that a loader may take is not in the record: pytorch_model.bin."
    );
    let json = world.verify(&["--json"]).json();
    assert_eq!(
        (&json["error"], &json["verdict"], &json["ok"]),
        (&"incomplete".into(), &"incomplete".into(), &false.into())
    );
    let codes: Vec<_> = json["problems"].as_array().unwrap().iter().map(|problem| &problem["error"]).collect();
    assert_eq!(codes, ["incomplete", "unrecorded"]);
    assert_eq!(json["integrity"]["weights"], serde_json::json!({ "state": "not here", "files_here": 0, "files": 1 }));
    assert_eq!(json["integrity"]["tree"]["digest"], serde_json::Value::Null);
    let page = world.verify(&[]);
    assert!(page.out.contains("not here (0 of 1 files)"), "{page:?}");
    assert!(!page.out.contains(&World::manifest().weights_digest().to_string()), "{page:?}");

    // To accept the one is not to accept the other.
    world.verify_briefly(&world.model(), &["--partial"]).fails(16, &["not in the record: pytorch_model.bin (weights)"]);
    world.verify_briefly(&world.model(), &["--allow-extra", "*.bin"]).fails(15, &["1 of the 5 files"]);
    let more = ["--partial", "--allow-extra", "*.bin"];
    let ran = world.verify_briefly(&world.model(), &more).ok();
    assert!(ran.out.starts_with("verified  acme.example/tiny@1.0.2#instruct: 4 of 5 files are as"), "{ran:?}");
    assert!(ran.out.contains("1 is missing, all weights among them"), "{ran:?}");
    let json = world.verify(&[more.as_slice(), &["--json"]].concat()).ok().json();
    assert_eq!(json["accepted"], serde_json::json!(["incomplete", "unrecorded"]));
    assert_eq!(json["integrity"]["bytes"]["allowed"], serde_json::json!(["pytorch_model.bin"]));
}

#[test]
fn every_kind_of_file_that_a_loader_takes_is_unrecorded_beside_a_whole_folder() {
    for (path, content) in [
        ("modeling_custom.py", b"".as_slice()),
        ("adapter_config.json", b"{}"),
        ("adapter_model.safetensors", b""),
        ("model.safetensors.index.json", b"{}"),
        ("tokenizer.json", b"{}"),
        ("chat_template.jinja", b""),
        ("generation_config.json", b"{}"),
        ("sub/config.json", b"{}"),
        (".cache/modeling.py", b""),
        (".git/modeling.py", b""),
        ("notes.txt", b"\x80\x04\x95 a pickle"),
        ("data", b"GGUF\x03\0\0\0"),
    ] {
        let world = World::released();
        world.write(path, content);
        world.verify_briefly(&world.model(), &[]).fails(16, &[path, "hint: do not load this folder with them"]);
        let json = world.verify(&["--json"]).json();
        assert_eq!((&json["error"], &json["exit"]), (&"unrecorded".into(), &16.into()), "{path}");
        assert_eq!(json["integrity"]["bytes"]["unrecorded"][0]["path"], path);
        world.verify_briefly(&world.model(), &["--allow-extra", path]).ok();
        // A star stays within its folder.
        let ran = world.verify_briefly(&world.model(), &["--allow-extra", "*"]);
        assert_eq!(ran.code, if path.contains('/') { 16 } else { 0 }, "{path}");
        world.verify_briefly(&world.model(), &["--allow-extra", "**"]).ok();
    }
    // What the hint says can be pasted into a shell, whatever a file is called.
    let world = World::released();
    world.write("x'; touch y; '.py", b"");
    world.verify_briefly(&world.model(), &[]).fails(16, &["--allow-extra 'GLOB'"]);
    let world = World::released();
    for path in ["notes.txt", "figure.png", ".gitattributes", ".git/objects/aa/bb.py", ".cache/huggingface/x.metadata"]
    {
        world.write(path, b"mine");
    }
    world.verify_briefly(&world.model(), &[]).ok().says(&["not in record   .gitattributes, figure.png, notes.txt"]);
    world.verify(&["--allow-extra", "["]).fails(2, &["expected a glob"]);
}

#[test]
fn a_part_of_a_release_is_complete_by_itself_and_a_part_of_a_part_is_not() {
    let world = World::released();
    let safety = world.model().join("safety");
    let ran = world.verify_briefly(&safety, &[]).ok();
    assert!(ran.out.contains("the one file of safety/ is as acme.example released it"), "{ran:?}");
    let json = world.verify_path(&safety, &["--json"]).ok().json();
    assert_eq!((&json["integrity"]["bytes"]["part"], &json["integrity"]["bytes"]["of"]), (&"safety".into(), &1.into()));
    // The bundle may lie elsewhere.
    let elsewhere = world.at("elsewhere.stele");
    std::fs::copy(world.model().join("release.stele"), &elsewhere).unwrap();
    world.verify_briefly(&safety, &["--bundle", elsewhere.to_str().unwrap()]).ok();
    // What lies in it, and what lies beside it.
    world.write("modeling.py", b"");
    world.verify_briefly(&safety, &[]).ok();
    world.write("safety/modeling.py", b"");
    world.verify_briefly(&safety, &[]).fails(16, &["safety/modeling.py"]);
    std::fs::remove_file(safety.join("modeling.py")).unwrap();
    remove(&world, "safety/input-classifier.safetensors");
    world.verify_briefly(&safety, &[]).fails(15, &["missing: safety/input-classifier.safetensors"]);
    // One file asks for nothing else.
    world.verify_briefly(&world.model().join("config.json"), &[]).ok();
    // A folder that the release has nothing of has no bundle, whatever lies above it.
    world.write("docs/notes.txt", b"");
    world.verify_briefly(&world.model().join("docs"), &[]).fails(3, &["there is no release.stele"]);
}

#[test]
fn none_of_the_files_is_not_a_part_of_them() {
    let world = World::released();
    for (path, _) in FILES {
        remove(&world, path);
    }
    world.verify_briefly(&world.model(), &[]).fails(15, &["5 of the 5 files of the record are missing here"]);
    let ran = world.verify_briefly(&world.model(), &["--partial"]).fails(15, &["hint: name the folder that holds"]);
    assert!(ran.out.contains("none of its 5 files is here"), "{ran:?}");
    let ran = world.verify_briefly(&world.model(), &["--no-hash"]).ok();
    assert!(
        ran.out.starts_with("record only  acme.example/tiny@1.0.2#instruct: the release is proven, and no file"),
        "{ran:?}"
    );
    assert_eq!(world.verify(&["--no-hash", "--json"]).ok().json()["verdict"], "record-only");
}

#[test]
fn another_length_is_told_at_once_and_what_stands_in_a_file_s_place_is_named() {
    let world = World::released();
    let weights = world.model().join("model.safetensors");
    // A tebibyte without a block on the disk.
    std::fs::OpenOptions::new().write(true).open(&weights).unwrap().set_len(1 << 40).unwrap();
    let started = std::time::Instant::now();
    let ran = world
        .verify_briefly(&world.model(), &[])
        .fails(1, &["another length (1099511627776 bytes), and so not hashed"]);
    assert!(lines(&ran).len() <= 8 && ran.out.starts_with("DIFFERS  "), "{ran:?}");
    world.verify_briefly(&weights, &[]).fails(1, &["not hashed"]);
    assert!(started.elapsed().as_secs() < 20);
    let json = world.verify(&["--json"]).json();
    assert_eq!(json["integrity"]["bytes"]["differing"][0]["found"]["sha256"], serde_json::Value::Null);
    assert_eq!(json["integrity"]["weights"]["state"], "differ");

    let oid = FileDigests::of(FILES[3].1).sha256;
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 27\n");
    world.write("model.safetensors", pointer.as_bytes());
    let ran = world
        .verify_briefly(&world.model(), &[])
        .fails(1, &["hint: this is a Git LFS pointer to the recorded file: run `git lfs pull`"]);
    assert!(ran.out.contains("model.safetensors (a Git LFS pointer to the recorded file); do not load it"), "{ran:?}");
    world.write("model.safetensors", FILES[3].1);
    world.write("README.md", &String::from_utf8(FILES[1].1.to_vec()).unwrap().replace('\n', "\r\n").into_bytes());
    world.verify_briefly(&world.model(), &[]).fails(1, &["with other line ends", "hint: git or an editor changed"]);
    // Of two kinds each is said with its file, in the verdict, in the facts and in the hint.
    world.write("model.safetensors", pointer.as_bytes());
    let ran = world.verify_briefly(&world.model(), &[]).fails(
        1,
        &[
            "README.md: git or an editor changed the line ends",
            "; model.safetensors: this is a Git LFS pointer to the recorded file: run `git lfs pull`",
            "found: README.md: ",
            "found: model.safetensors: ",
        ],
    );
    assert!(
        ran.out.contains("README.md (the recorded text with other line ends), model.safetensors (a Git LFS"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("do not load these files"), "{ran:?}");
    // What has no known cause comes first, with the careful words.
    world.write("config.json", b"{\"architectures\": [\"LlamaForCausalLM\"], \"other\": true}");
    let careful = "hint: config.json: do not load these files: fetch them again";
    world.verify_briefly(&world.model(), &[]).fails(1, &[careful, "; README.md: git or an editor"]);
}

#[test]
fn an_early_error_has_the_keys_of_a_verdict() {
    let world = World::released();
    let verdict = world.verify(&["--json"]).ok().json();
    let ran = world.verify(&["--publisher", "other.example", "--json"]);
    let early = ran.json();
    assert_eq!((&early["verdict"], &early["ok"], &early["exit"]), (&"not-verified".into(), &false.into(), &5.into()));
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in keys(&verdict) {
        assert!(early.get(&key).is_some(), "{key}");
    }
    for part in ["integrity", "publisher", "as_of"] {
        for key in keys(&verdict[part]) {
            assert!(early[part].get(&key).is_some(), "{part}.{key}");
        }
    }
    let quiet = world.verify_briefly(&world.model(), &["--publisher", "other.example", "--quiet"]);
    assert!(quiet.code == 5 && quiet.out.is_empty() && quiet.err.starts_with("error: "), "{quiet:?}");
}
