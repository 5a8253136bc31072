//! What is foreseen of a release is what a verifier computes of it.

use proptest::prelude::*;
use stele_spec::finding::{Finding, Severity, of_release};
use stele_spec::manifest::{FileDigests, FilePath};
use stele_verify::folder::walk as folder;

use super::*;
use crate::foresight::Earlier;

/// The largest licence text or configuration that is read.
const MAX_TEXT: usize = 4 << 20;
/// How many findings are kept.
const MAX_FINDINGS: usize = 1_000;

/// A GGUF file of a model, or of what goes with one, made of these.
fn gguf_of_kind(kind: &str, architecture: &str, bases: &[&str]) -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let text = |key: &str, value: &str| [string(key), 8_u32.to_le_bytes().to_vec(), string(value)].concat();
    let mut keys = vec![text("general.type", kind), text("general.architecture", architecture)];
    keys.extend(bases.iter().enumerate().map(|(n, base)| text(&format!("general.base_model.{n}.repo_url"), base)));
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend((keys.len() as u64).to_le_bytes());
    bytes.extend(keys.concat());
    bytes.extend(string("t"));
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend([4_u64, 4].iter().flat_map(|side| side.to_le_bytes()));
    bytes.extend([0; 12]);
    bytes
}

/// Files that folders of models have, each with something to find or with what looks like it.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mit = "MIT License\n\nCopyright (c) 2026 Acme\n\nPermission is hereby granted, free of charge\n";
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("LICENSE", text(mit)),
        ("README.md", text("---\nbase_model: acme/base\n---\n# Tiny\n")),
        ("README.md", text("---\nbase_model: /home/user/base\n---\n# Tiny\n")),
        ("adapter_config.json", text(r#"{"base_model_name_or_path": "/data/models/base"}"#)),
        ("adapter_config.json", text(r#"{"base_model_name_or_path": "outputs/base"}"#)),
        ("adapters/two/adapter_config.json", text(r#"{"base_model_name_or_path": "elder/two", "r": NaN}"#)),
        ("config.json", text(r#"{"limit": [0.0, Infinity], "auto_map": {"A": "acme/other--x.X"}}"#)),
        ("config.json", text("{\"a\": 1,}")),
        ("generation_config.json", vec![b' '; MAX_TEXT + 1]),
        ("mmproj-tiny-f16.gguf", gguf_of_kind("mmproj", "clip", &["https://huggingface.co/acme/vision"])),
        ("tiny.gguf", gguf_of_kind("model", "llama", &["https://huggingface.co/acme/llama", "/data/x"])),
        ("many.gguf", gguf_of_kind("model", "llama", &["https://huggingface.co/acme/many"; 100])),
        ("cut.gguf", text("GGUF\x03\0\0\0")),
        ("openvino_model.bin", vec![0; 64]),
        ("pytorch_model.bin", text("\u{80}").into_iter().chain(*b"x").collect()),
        ("pickled.bin", b"\x80\x02}q\0.".to_vec()),
        ("scaler.joblib", b"\x1f\x8b\x08\0".to_vec()),
        ("model_index.json", text(r#"{"_diffusers_version": "1", "unet": ["my_unet", "U"], "vae": ["other", "V"]}"#)),
        ("unet/my_unet.py", text("pass\n")),
        ("modules.json", text(r#"[{"type": "own.Module"}]"#)),
        ("model.onnx.data", vec![1; 16]),
    ]
}

/// The files of these samples in a folder, and the release that is made of them.
fn release_of(chosen: &[bool]) -> (tempfile::TempDir, Release, Manifest) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("w.safetensors"), b"w").unwrap();
    for ((name, content), _) in samples().into_iter().zip(chosen).filter(|(_, chosen)| **chosen) {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let walk = folder::walk(home.path()).unwrap();
    let roles = stele_model_files::roles::Roles::of_files(&walk.files);
    let files = walk.files.iter().map(|file| {
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(&std::fs::read(&file.open).unwrap());
        ManifestFile { path: file.path.clone(), role: roles.of(&file.path), size, sha256, git_sha1 }
    });
    let manifest = Manifest::new(files.collect()).unwrap();
    let sample = include_str!("../../../../spec/vectors/statement/sample-release.toml");
    let mut release: Release = toml::from_str(sample).unwrap();
    release.manifest = manifest.digest();
    release.lineage.clear();
    release.license.spdx = "MIT".parse().unwrap();
    if let Some(text) = manifest.file(&"LICENSE".parse().unwrap()) {
        release.license.text.name = "LICENSE".parse().unwrap();
        release.license.text.sha256 = text.sha256;
    }
    (home, release, manifest)
}

fn verified(home: &Path, release: &Release, manifest: &Manifest) -> Vec<Finding> {
    let matching: Vec<FilePath> = manifest.files().iter().map(|file| file.path.clone()).collect();
    let files = AtHand::new(home, &matching);
    ComputedClaims::of_files(None, release, manifest, &files, release.license.spdx.as_str(), &|_| Vec::new())
        .findings()
        .to_vec()
}

fn published(home: &Path, release: &Release, manifest: &Manifest) -> Vec<Finding> {
    let mut release = release.clone();
    release.from_scratch = false;
    foreseen(home, &release, manifest, &Earlier::default()).unwrap().findings().to_vec()
}

#[test]
fn each_sample_is_found_as_it_should_be() {
    let codes = |wanted: &[usize]| -> Vec<String> {
        let chosen: Vec<bool> = (0..samples().len()).map(|n| wanted.contains(&n)).collect();
        let (home, release, manifest) = release_of(&chosen);
        let found = verified(home.path(), &release, &manifest);
        let of_file = |finding: &&Finding| {
            use Code::*;
            matches!(finding.code, ParentMissing | ConfigUnreadable | CodeInConfig | PickleWeights)
                || matches!(finding.code, LicenseTextModified | LicenseTextOther)
        };
        found.iter().filter(of_file).map(|finding| finding.code.to_string()).collect()
    };
    assert_eq!(codes(&[0]), ["license-text-modified"]);
    assert_eq!(codes(&[1]), ["parent-missing"]);
    assert_eq!(codes(&[2, 3]), Vec::<String>::new(), "a path names no model");
    assert_eq!(codes(&[4]), Vec::<String>::new());
    assert_eq!(codes(&[5]), ["parent-missing"]);
    assert_eq!(codes(&[6]), ["code-in-config"]);
    assert_eq!(codes(&[7]), ["config-unreadable"]);
    assert_eq!(codes(&[8]), ["config-unreadable"]);
    assert_eq!(codes(&[9, 10]), ["parent-missing", "parent-missing"], "every GGUF is read, not the first");
    assert_eq!(codes(&[11])[0], "config-unreadable", "more bases than are read");
    assert_eq!(codes(&[12]), ["config-unreadable"]);
    assert_eq!(codes(&[13]), Vec::<String>::new());
    assert_eq!(codes(&[15]), ["pickle-weights"]);
    assert_eq!(codes(&[16]), ["pickle-weights"], "an archive is known by its name");
    assert_eq!(codes(&[17]), Vec::<String>::new());
    assert_eq!(codes(&[17, 18]), ["code-in-config"]);
    assert_eq!(codes(&[19]), ["code-in-config"]);
}

#[test]
fn one_file_at_hand_is_judged_by_its_content_wherever_it_lies() {
    let (home, release, manifest) = release_of(&(0..samples().len()).map(|n| n == 13).collect::<Vec<_>>());
    let pickles = |examination: &ComputedClaims| {
        examination.findings().iter().filter(|finding| finding.code == Code::PickleWeights).count()
    };
    let of_record = ComputedClaims::of_record(None, &release, Some(&manifest));
    assert_eq!(pickles(&of_record), 1, "by its name alone");
    let (path, elsewhere) = ("openvino_model.bin".parse().unwrap(), home.path().join("renamed"));
    std::fs::rename(home.path().join("openvino_model.bin"), &elsewhere).unwrap();
    let one = ComputedClaims::of_files(
        None,
        &release,
        &manifest,
        &AtHand::one(&path, &elsewhere),
        release.license.spdx.as_str(),
        &|_| Vec::new(),
    );
    assert_eq!(pickles(&one), 0);
}

#[test]
fn what_is_kept_is_the_gravest_and_the_rest_is_counted() {
    let (home, release, manifest) = release_of(&[]);
    let before = verified(home.path(), &release, &manifest).len();
    let examination = ComputedClaims::of_record(None, &release, Some(&manifest));
    let note = |n: u64, severity| {
        let mut finding = examination.findings()[0].clone();
        (finding.position, finding.severity) = (Some(n), severity);
        finding
    };
    let many = (0..3_000).map(|n| note(n, if n == 2_999 { Severity::Error } else { Severity::Note }));
    let many: Vec<_> = many.collect();
    let bounded = ComputedClaims::of_record(None, &release, Some(&manifest)).with(many);
    assert_eq!(bounded.findings().len(), MAX_FINDINGS);
    assert!(bounded.left_out() + MAX_FINDINGS >= 3_000 && before > 0);
    assert!(bounded.findings().iter().any(|finding| finding.position == Some(2_999)));
    assert!(bounded.findings().is_sorted());
    assert!(bounded.lines().len() < 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn publish_says_what_verify_says(chosen in prop::collection::vec(any::<bool>(), 21)) {
        let (home, release, manifest) = release_of(&chosen);
        let seen = verified(home.path(), &release, &manifest);
        let said = published(home.path(), &release, &manifest);
        let (own, auditors): (Vec<_>, Vec<_>) = said.into_iter().partition(|finding| seen.contains(finding));
        prop_assert_eq!(own, seen);
        // What only an auditor says, who has the names of the files and not the files, is said as well.
        let by_names = of_release(None, &release, Some(&manifest));
        prop_assert!(auditors.iter().all(|finding| by_names.contains(finding)), "{auditors:?}");
    }
}
