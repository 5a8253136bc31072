//! What is refused before anything is sent, and what is said before it.

use super::*;

#[test]
fn where_the_bundle_goes_is_looked_at_before_anything_is_sent() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let output = |path: &str| world.at(path).display().to_string();
    publish(&world, &["--claim", "--output", &output("no/such/folder/x.stele")])
        .fails(10, &["the bundle cannot be written to", "--output", "nothing has been sent"]);
    let inside = world.model().join("x.stele").display().to_string();
    publish(&world, &["--claim", "--output", &inside]).fails(7, &["is inside the folder", "nothing has been sent"]);
    std::fs::write(world.at("mine"), "not ours").unwrap();
    publish(&world, &["--claim", "--output", &output("mine")])
        .fails(7, &["holds a file that is no bundle", "--replace-bundle", "nothing has been sent"]);
    assert_eq!(std::fs::read_to_string(world.at("mine")).unwrap(), "not ours");
    assert_eq!(served.log.lock().unwrap().entries.len(), 1, "nothing was sent, not even the claim");

    publish(&world, &["--claim", "--output", &output("tiny.stele")]).ok().says(&["tiny.stele"]);
    assert!(!world.model().join("release.stele").exists());
    world.verify(&["--bundle", &output("tiny.stele")]).ok().says(&["5 of 5 files, all match"]);
}

/// A GGUF file of one tensor of eight F32 at the beginning of its data, without the data.
fn gguf_header() -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend([1_u64.to_le_bytes(), 0_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    bytes.extend(b"t");
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(8_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes
}

#[test]
fn a_gguf_that_is_shorter_than_its_tensors_is_refused_before_anything_is_sent() {
    let (world, served) = served();
    let whole = [gguf_header(), vec![0; 64 + 32 - gguf_header().len()]].concat();
    world.write("model.gguf", &whole[..whole.len() - 1]);
    let drafted = draft(&world).ok();
    assert!(drafted.err.contains("model.gguf: expected at least 96 bytes by its header, found 95"), "{drafted:?}");
    decide(&world);
    publish(&world, &["--claim"]).fails(
        7,
        &["model.gguf: expected at least 96 bytes by its own header, found 95", "weights-cut", "Nothing has been sent"],
    );
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
    world.write("model.gguf", &whole);
    publish(&world, &["--claim"]).ok();
}

#[test]
fn what_a_folder_must_not_hold_is_refused_before_anything_is_sent() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    world.write("deep/Key.txt", b"-----BEGIN PRIVATE KEY-----");
    publish(&world, &["--claim"]).fails(7, &["deep/Key.txt: holds a private key", "Nothing has been sent"]);
    std::fs::remove_file(world.model().join("deep/Key.txt")).unwrap();
    // A password has no form of its own: it is known in files of settings, and in no other.
    let password = ["password = tr0ub", "4dor9x\n"].concat();
    world.write("deep/server.ini", password.as_bytes());
    world.write("notes.txt", password.as_bytes());
    let ran = publish(&world, &["--claim"]).fails(7, &["deep/server.ini: holds a password or token under its name"]);
    assert!(!ran.err.contains("notes.txt"), "{ran:?}");
    std::fs::remove_file(world.model().join("deep/server.ini")).unwrap();
    std::fs::remove_file(world.model().join("notes.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", world.model().join("host")).unwrap();
    publish(&world, &["--claim"]).fails(7, &["host: a symlink that leaves the folder"]);
    std::fs::remove_file(world.model().join("host")).unwrap();
    world.write("Config.json", b"{}");
    publish(&world, &["--claim"]).fails(7, &["Config.json and config.json fall on one name"]);
    std::fs::remove_file(world.model().join("Config.json")).unwrap();
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
}

#[test]
fn a_folder_in_the_place_of_the_form_is_called_one() {
    let (world, served) = served();
    std::fs::create_dir(world.model().join("release.toml")).unwrap();
    let said = &["release.toml is a folder, and not a file", "expected: a file", "found: a folder", "hint:"];
    draft(&world).fails(7, said);
    publish(&world, &["--claim"]).fails(7, said);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
}

#[test]
fn fields_that_do_not_fit_are_named_with_their_line() {
    let (world, _served) = served();
    draft(&world).ok();
    decide(&world);
    let path = world.model().join("release.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to, said) in [
        ("use_restricted = false", "use_restricted = 1", "license.use_restricted"),
        ("use_restricted = false", "used_restricted = false", "license"),
        ("stage = \"internal\"", "stage = \"opened\"", "access.stage"),
        ("stage = \"internal\"", "stage = \"open\"", "hosts"),
        ("spdx = \"Apache-2.0\"", "spdx = \"Apache 2\"", "license.spdx"),
        ("[openness]", "[openness", ""),
    ] {
        std::fs::write(&path, good.replace(from, to)).unwrap();
        publish(&world, &["--claim"]).fails(7, &[said, "release.toml", "hint:"]);
    }
    std::fs::write(&path, good.clone() + "\n[roles]\n\"gone.bin\" = \"weights\"\n").unwrap();
    publish(&world, &["--claim"]).fails(7, &["gone.bin is not in the folder"]);
    std::fs::write(&path, good + "\n[roles]\n\"config.json\" = \"weights\"\n").unwrap();
    publish(&world, &["--claim"]).fails(7, &["role-contradicted", "config.json: by its content and name it is config"]);
    let meant = publish(&world, &["--claim", "--json", "--allow-file", "config.json"]);
    assert_eq!(meant.ok().json()["weights"]["files"], 2);
}

#[test]
fn a_log_that_is_down_is_unavailable_and_a_key_that_others_read_is_refused() {
    let (world, _served) = served();
    draft(&world).ok();
    decide(&world);
    let ran = publish(&world, &["--log", "http://127.0.0.1:1"]).fails(9, &["cannot reach", "hint:"]);
    assert_eq!(ran.out, "");
    std::fs::set_permissions(world.at("publisher.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    publish(&world, &[]).fails(7, &["can be used by others", "chmod 600"]);
}

#[test]
fn what_no_one_means_to_publish_is_told_all_at_once_and_nothing_is_sent() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4661211808\n";
    let whole = FILES[3].1;
    for (path, bytes) in [
        ("pointer.safetensors", pointer.as_bytes()),
        ("empty.safetensors", b""),
        ("cut.safetensors", &whole[..whole.len() - 1]),
        ("page.bin", b"<!DOCTYPE html><html>404</html>"),
        ("._model.safetensors", b"\0\x05\x16\x07"),
        (".DS_Store", b"x"),
        ("__pycache__/x.pyc", b"x"),
        ("model-00001.safetensors.incomplete", b"x"),
        ("id_ed25519", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n"),
        ("settings.json", b"{\"token\": \"hf_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAaB3d\"}"),
        ("model.safetensors.index.json", b"{\"weight_map\": {\"a\": \"gone.safetensors\"}}"),
        ("certificate.pem", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"),
    ] {
        world.write(path, bytes);
    }
    let ran = publish(&world, &["--claim"]).fails(
        7,
        &[
            "pointer.safetensors: a Git LFS pointer",
            "git lfs pull",
            "empty.safetensors: expected weights, found an empty file",
            "cut.safetensors: expected at least",
            "page.bin: an HTML page",
            "._model.safetensors: what macOS keeps",
            ".DS_Store",
            "__pycache__/x.pyc",
            "model-00001.safetensors.incomplete",
            "id_ed25519: holds a private key",
            "settings.json: holds a Hugging Face token",
            "gone.safetensors: named by model.safetensors.index.json, and not here",
            "--allow-file",
            "Nothing has been sent",
        ],
    );
    assert!(!ran.err.contains("certificate.pem"), "a certificate is public: {}", ran.err);
    assert!(!ran.err.contains("hf_aB3"), "a secret is not repeated: {}", ran.err);
    assert_eq!(served.log.lock().unwrap().entries.len(), 1, "not even the claim");
    for gone in
        ["pointer.safetensors", "empty.safetensors", "cut.safetensors", "page.bin", "._model.safetensors", "id_ed25519"]
    {
        std::fs::remove_file(world.model().join(gone)).unwrap();
    }
    for gone in [".DS_Store", "settings.json", "model.safetensors.index.json", "model-00001.safetensors.incomplete"] {
        std::fs::remove_file(world.model().join(gone)).unwrap();
    }
    publish(&world, &["--claim"]).fails(7, &["__pycache__/x.pyc"]);
    publish(&world, &["--claim", "--allow-file", "__pycache__/*"]).ok();
}

#[test]
fn what_a_failed_download_left_is_refused_in_the_place_of_every_file() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    let model = onnx_with_data("zeros.data");
    let left: [(&str, &[u8], &str); 17] = [
        ("a.bin", &[0; 5000], "every byte is zero"),
        ("a.keras", &[0; 5000], "every byte is zero"),
        ("a.tflite", &[0; 1], "every byte is zero"),
        ("a.h5", &[&b"\x89HDF\r\n\x1a\n"[..], &[0; 5000]].concat(), "every byte behind the first 512 is zero"),
        ("pytorch_model-00001-of-00001.bin", &[0; 5000], "every byte is zero"),
        ("tokenizer.model", &[0; 5000], "every byte is zero"),
        ("b/tokenizer.model", b"", "found an empty file"),
        ("b/chat_template.jinja", b"", "found an empty file"),
        ("b/LICENSE", b"", "found an empty file"),
        ("b/README.md", b"404: Not Found", "a host's answer"),
        ("b/config.json", br#"{"error":"Repository not found"}"#, "a host's answer"),
        ("b/vocab.json", br#"{"detail":"Not Found"}"#, "a host's answer"),
        ("b/tokenizer.json", br#"{"version":"1.0","trunc"#, "expected JSON to its end"),
        ("c/tokenizer.json", b"null", "expected an object or a list"),
        ("c/model.safetensors.index.json", b"{}", "it names no file of weights"),
        ("slurm-123.out", b"step 1", "what a job of a cluster printed"),
        ("@eaDir/a", b"x", "a folder of a desktop"),
    ];
    let sound: [(&str, &[u8]); 6] = [
        ("zeros.data", &[0; 64]),
        ("named.onnx", &model),
        ("code/__init__.py", b""),
        ("code/added_tokens.json", b"{}"),
        ("code/vocab.json", br#"{"error": 0, "message": 1}"#),
        ("code/generation_config.json", b"// words\n{}"),
    ];
    for (path, bytes) in left.iter().map(|(path, bytes, _)| (path, bytes)).chain(sound.iter().map(|(p, b)| (p, b))) {
        world.write(path, bytes);
    }
    let ran = publish(&world, &["--claim"]).fails(7, &["17 files in the folder", "Nothing has been sent"]);
    for (path, _, said) in left {
        let line = ran.err.lines().find(|line| line.contains(&format!(" {path}: ")));
        assert!(line.is_some_and(|line| line.contains(said)), "{path}, {said}: {ran:?}");
    }
    assert_eq!(served.log.lock().unwrap().entries.len(), 1);
    for (path, ..) in left {
        std::fs::remove_file(world.model().join(path)).unwrap();
    }
    publish(&world, &["--claim"]).ok();
}

/// A model of ONNX of one tensor, whose numbers are in a file beside it.
fn onnx_with_data(location: &str) -> Vec<u8> {
    let bytes = |number: u8, content: &[u8]| [&[number << 3 | 2, content.len() as u8], content].concat();
    let entry = bytes(13, &[bytes(1, b"location"), bytes(2, location.as_bytes())].concat());
    let tensor = [entry, vec![0x70, 1]].concat();
    [vec![0x08, 10], bytes(7, &bytes(5, &tensor)), bytes(8, &[0x10, 18])].concat()
}

#[test]
fn an_error_that_auditors_will_report_is_said_before_a_statement_is_sent() {
    let (world, served) = served();
    draft(&world).ok();
    decide(&world);
    publish(&world, &["--claim"]).ok();
    let (key, policy) = (world.at("publisher.pem"), world.at("policy"));
    let coordinate = "acme.example/tiny@1.0#base";
    let stage = |to: &str, more: &[&str]| {
        let said = ["stage", coordinate, "--to", to, "--since", "2026-07-01", "--reason", "Because."];
        let asked = ["--key", key.to_str().unwrap(), "--policy", policy.to_str().unwrap()];
        let receipt = world.at(&format!("{to}.stele")).display().to_string();
        stele(&[&said[..], &asked, &["--output", &receipt], more].concat())
    };
    stage("open", &[]).ok();
    let entries = || served.log.lock().unwrap().entries.len();
    let before = entries();
    let told = stage("internal", &[]).ok();
    assert!(told.err.contains("auditors will report: error: stage-narrowed"), "{told:?}");
    assert_eq!(entries(), before + 1);
}

#[test]
fn weights_that_another_release_has_are_said_before_they_are_published_again() {
    let (world, _served) = served();
    draft(&world).ok();
    decide(&world);
    let first = publish(&world, &["--claim"]).ok();
    assert!(!first.err.contains("file-in-many"), "{first:?}");
    let again = publish(&world, &[]).ok();
    assert!(!again.err.contains("file-in-many"), "a release is not another one: {again:?}");
    let path = world.model().join("release.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"1.0\"", "\"1.1\"")).unwrap();
    let second = publish(&world, &["--replace-bundle"]).ok();
    assert!(second.err.contains("file-in-many: 1 weights file is also in acme.example/tiny@1.0#base"), "{second:?}");
}
