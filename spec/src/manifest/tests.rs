use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::canonical::{ShapeProblem, vectors};
use crate::hash::sha256;

/// Paths that are refused, and why a person would try them.
const REFUSED: &[(&str, &str)] = &[
    ("", "nothing"),
    ("/etc/passwd", "absolute"),
    ("../secret", "out of the folder"),
    ("a/../../secret", "out of the folder, later"),
    ("a/..", "the folder itself"),
    (".", "the folder itself"),
    ("./a", "another spelling of a"),
    ("a/./b", "another spelling of a/b"),
    ("a//b", "another spelling of a/b"),
    ("a/", "a folder"),
    ("a\\b", "a separator elsewhere, and what sha256sum escapes"),
    ("C:\\weights", "absolute elsewhere"),
    ("a\nb", "two lines of sha256sum"),
    ("a\rb", "writes over itself"),
    ("a\u{0}b", "ends early in C"),
    ("a\u{1b}[2Kb", "commands a terminal"),
    ("a\u{7f}b", "a control character"),
    ("a\u{85}b", "a control character"),
    ("evil\u{202e}snet.py", "turns the direction of writing"),
    ("a\u{2066}b", "turns the direction of writing"),
    ("model\u{200b}.bin", "a blank of no width"),
    ("\u{feff}model.bin", "a byte order mark"),
    ("a\u{2028}b", "a line separator"),
];

const ACCEPTED: &[&str] = &[
    "model.safetensors",
    "model-00001-of-00002.safetensors",
    ".gitattributes",
    "..a/b..",
    "a b/c (1).txt",
    "onnx/model.onnx",
    "モデル/重み.bin",
    "caf\u{e9}.txt",
    "cafe\u{301}.txt",
    "C:weights",
];

/// Pairs of paths that are one file, or a file and its folder, on some disk.
const COLLISIONS: &[(&str, &str, &str)] = &[
    ("README.md", "readme.md", "case"),
    ("a/b", "A/B", "case of folders"),
    ("stra\u{df}e", "STRASSE", "case of one letter that is two"),
    ("\u{3c3}", "\u{3c2}", "two lower cases of sigma"),
    ("\u{17f}ha", "sha", "the long s"),
    ("caf\u{e9}", "cafe\u{301}", "normalisation"),
    ("\u{fb01}le", "file", "compatibility normalisation"),
    ("\u{212a}elvin", "kelvin", "the sign of the unit"),
    ("\u{2126}", "\u{3c9}", "the sign of the unit"),
    ("a", "a/b", "a file and a folder"),
    ("Config", "config/x.json", "a file and a folder, by case"),
    ("x/y/Z", "x/y/z/1/2", "a file and a folder, deeper"),
];

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn file(text: &str, role: Role) -> ManifestFile {
    let FileDigests { size, sha256, git_sha1 } = FileDigests::of(format!("The content of {text}.\n").as_bytes());
    ManifestFile { path: path(text), role, size, sha256, git_sha1 }
}

/// What a reader makes of these files: it is less strict than who makes a manifest.
pub(crate) fn read(mut files: Vec<ManifestFile>) -> Result<Manifest, ManifestError> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Manifest::parse(&canonical::to_bytes(&Encoded { files, manifest: FORMAT.into() }).unwrap())
}

/// The files that `sample-release.toml` is about.
pub(crate) fn sample() -> Manifest {
    let names = [
        "tokenizer.json",
        "safety/report.md",
        "safety/input-classifier.safetensors",
        "model.safetensors",
        "generation_config.json",
        "evaluations/results.json",
        "config.json",
        "chat_template.jinja",
        "README.md",
        "LICENSE",
    ];
    Manifest::new(names.iter().map(|name| file(name, Role::of_path(&path(name)))).collect()).unwrap()
}

#[test]
fn paths_that_mean_another_file_somewhere_are_refused() {
    for (text, why) in REFUSED {
        assert!(text.parse::<FilePath>().is_err(), "{text:?}: {why}");
    }
    assert_eq!("a".repeat(MAX_SEGMENT + 1).parse::<FilePath>(), Err(PathError::SegmentTooLong { found: 256 }));
    assert_eq!("a/".repeat(600).parse::<FilePath>(), Err(PathError::TooLong { found: 1200 }));
    assert_eq!(format!("{}a", "a/".repeat(32)).parse::<FilePath>(), Err(PathError::TooDeep { found: 33 }));
    for text in ACCEPTED {
        assert_eq!(path(text).as_str(), *text);
    }
}

#[test]
fn two_paths_that_are_one_file_somewhere_are_refused() {
    for (first, second, why) in COLLISIONS {
        for (first, second) in [(first, second), (second, first)] {
            let found =
                Manifest::new(vec![file(first, Role::Other), file("m", Role::Weights), file(second, Role::Other)]);
            assert!(matches!(found, Err(ManifestError::Collision { .. })), "{first:?} {second:?}: {why}: {found:?}");
            // A reader knows no Unicode: it refuses what is one name in ASCII alone, and is told of the rest.
            let files = vec![file(first, Role::Other), file("m", Role::Weights), file(second, Role::Other)];
            let by_ascii = first.is_ascii() && second.is_ascii();
            match read(files) {
                Ok(read) => assert!(!by_ascii && read.colliding().is_some(), "{first:?} {second:?}"),
                Err(error) => assert!(by_ascii, "{first:?} {second:?}: {error}"),
            }
        }
    }
    let same = Manifest::new(vec![file("a", Role::Other), file("a", Role::Weights)]);
    assert_eq!(same, Err(ManifestError::SamePath { path: path("a") }));
    // Folders that differ by case fall together without one file taking another's place.
    assert!(Manifest::new(vec![file("a/x", Role::Other), file("A/y", Role::Other)]).is_ok());
}

#[test]
fn files_out_of_order_or_none_at_all_are_refused() {
    let mut encoded = Encoded { files: sample().files().to_vec(), manifest: FORMAT.into() };
    let parse = |encoded: &Encoded| Manifest::parse(&canonical::to_bytes(encoded).unwrap());
    assert_eq!(parse(&encoded), Ok(sample()));
    encoded.files.swap(0, 1);
    assert!(matches!(parse(&encoded), Err(ManifestError::Order { .. })));
    encoded.files = vec![file("a", Role::Weights), file("a", Role::Weights)];
    assert!(matches!(parse(&encoded), Err(ManifestError::SamePath { .. })));
    encoded.files.clear();
    assert_eq!(parse(&encoded), Err(ManifestError::NoFiles));
    assert_eq!(Manifest::new(Vec::new()), Err(ManifestError::NoFiles));
    let other = Encoded { files: vec![file("a", Role::Weights)], manifest: "stele/manifest@v2".into() };
    assert_eq!(parse(&other), Err(ManifestError::Format { found: "stele/manifest@v2".into() }));
}

#[test]
fn more_files_or_bytes_than_a_manifest_has_are_refused() {
    let small = file("x", Role::Other);
    let many = |count: usize| {
        (0..count).map(|number| ManifestFile { path: path(&format!("{number}")), ..small.clone() }).collect::<Vec<_>>()
    };
    assert_eq!(Manifest::new(many(MAX_FILES + 1)), Err(ManifestError::TooManyFiles { found: MAX_FILES + 1 }));
    let full = Manifest::new(many(MAX_FILES)).unwrap();
    assert_eq!(Manifest::parse(full.bytes()), Ok(full));
    let huge = |name: &str| ManifestFile { size: MAX_INTEGER, ..file(name, Role::Weights) };
    assert_eq!(Manifest::new(vec![huge("a"), huge("b")]), Err(ManifestError::TooManyBytes));
    assert_eq!(Manifest::new(vec![huge("a")]).unwrap().weights_bytes(), MAX_INTEGER);
    let beyond = ManifestFile { size: u64::MAX, ..file("a", Role::Weights) };
    assert_eq!(Manifest::new(vec![beyond]), Err(ManifestError::TooManyBytes));
    assert_eq!(Manifest::parse(&vec![0x81; MAX_MANIFEST + 1]), Err(ManifestError::TooLong { found: MAX_MANIFEST + 1 }));
}

#[test]
fn the_field_that_does_not_fit_is_named() {
    let mut value =
        serde_json::to_value(Encoded { files: sample().files().to_vec(), manifest: FORMAT.into() }).unwrap();
    value["files"][2]["role"] = json!("wheights");
    let Err(ManifestError::Encoding(CanonicalError::Shape(error))) =
        Manifest::parse(&canonical::to_bytes(&value).unwrap())
    else {
        panic!("accepted a role that there is not");
    };
    assert_eq!(error.path.as_str(), "files[2].role");
    assert!(matches!(error.problem, ShapeProblem::NotOneOf { .. }));
}

/// `printf 'The content of x.\n' | sha256sum`, and so on: the recipe of the chapter, without our hashing of lines.
#[test]
fn a_directory_hash_is_over_what_sha256sum_prints() {
    let printed: String = sample().files().iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect();
    assert_eq!(sample().tree_digest().as_bytes(), &sha256(&[printed.as_bytes()]));
    let weights = sample().file(&path("model.safetensors")).unwrap().clone();
    assert_eq!(sample().weights_digest(), Digest::of(format!("{}  model.safetensors\n", weights.sha256).as_bytes()));
    assert_eq!((sample().weights_files(), sample().weights_bytes()), (1, weights.size));
}

#[test]
fn a_git_id_is_what_git_hash_object_prints() {
    // printf 'hello\n' | git hash-object --stdin
    let digests = FileDigests::of(b"hello\n");
    assert_eq!(digests.git_sha1.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
    let mut hasher = FileHasher::new(6);
    hasher.update(b"hel");
    hasher.update(b"lo\n");
    assert_eq!(hasher.finish(), Ok(digests));
}

#[test]
fn a_file_that_changes_while_it_is_read_has_no_digests() {
    let mut hasher = FileHasher::new(6);
    hasher.update(b"hello");
    assert_eq!(hasher.finish(), Err(SizeChanged { expected: 6, found: 5 }));
}

#[test]
fn files_have_the_role_that_their_name_tells() {
    for (name, role) in [
        ("model-00001-of-00002.safetensors", Role::Weights),
        ("pytorch_model.bin", Role::Weights),
        ("tiny.Q4_K_M.gguf", Role::Weights),
        ("onnx/model.onnx_data", Role::Weights),
        ("training_args.bin", Role::Other),
        ("safety_checker/model.safetensors", Role::Classifier),
        ("model.safetensors.index.json", Role::WeightsIndex),
        ("pytorch_model.bin.index.json", Role::WeightsIndex),
        ("config.json", Role::Config),
        ("1_Pooling/config.json", Role::Config),
        ("adapter_config.json", Role::Config),
        ("modules.json", Role::Config),
        ("generation_config.json", Role::GenerationConfig),
        ("tokenizer_config.json", Role::Tokenizer),
        ("tokenizer.model", Role::Tokenizer),
        ("vocab.txt", Role::Tokenizer),
        ("chat_template.jinja", Role::ChatTemplate),
        ("chat_template.json", Role::ChatTemplate),
        ("SYSTEM_PROMPT.txt", Role::SystemPrompt),
        ("modeling_tiny.py", Role::Code),
        ("LICENSE", Role::Licence),
        ("LICENSE.txt", Role::Licence),
        ("NOTICE", Role::Licence),
        ("README.md", Role::ModelCard),
        ("docs/README.md", Role::ModelCard),
        ("USE_POLICY.md", Role::Safety),
        ("safety/report.pdf", Role::Safety),
        ("evals/mmlu.json", Role::Evaluation),
        (".eval_results/hle.yaml", Role::Evaluation),
        (".gitattributes", Role::Other),
        ("model.onnx", Role::Weights),
        ("model.onnx.data", Role::Weights),
        ("onnx/model.onnx_data", Role::Weights),
        ("onnx/model.onnx_data_1", Role::Weights),
        ("saved_model.pb", Role::Weights),
        ("variables/variables.data-00000-of-00001", Role::Weights),
        ("variables/variables.index", Role::WeightsIndex),
        ("model.ckpt-1000.data-00000-of-00002", Role::Weights),
        ("model.ckpt-1000.index", Role::WeightsIndex),
        ("variables/variables.data-0-of-1", Role::Other),
        ("silero.jit", Role::Weights),
        ("model.pt2", Role::Weights),
        ("model.pte", Role::Weights),
        ("gemma.task", Role::Weights),
        ("forest.skops", Role::Weights),
        ("tiny.mlpackage/Data/com.apple.CoreML/weights/weight.bin", Role::Weights),
        ("tiny.mlmodelc/coremldata.bin", Role::Weights),
        ("tiny.mlmodelc/model.espresso.net", Role::Weights),
        ("tiny.mlmodelc/model.mil", Role::Config),
        ("tiny.mlmodelc/metadata.json", Role::Config),
        ("safety/guard.onnx.data", Role::Classifier),
        ("unet/diffusion_pytorch_model.safetensors.index.fp16.json", Role::WeightsIndex),
        (".index.json", Role::Other),
        ("model.indexes.json", Role::Other),
        ("random_states_0.pkl", Role::Other),
        ("rng_state_3.pth", Role::Other),
        ("optimizer.bin", Role::Other),
        ("scaler.pt", Role::Other),
        ("scaler.joblib", Role::Weights),
        ("scheduler_config.json", Role::Config),
        ("bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", Role::Other),
        ("__pycache__/modeling.cpython-312.pyc", Role::Code),
        ("__pycache__/weights.bin", Role::Code),
        ("modeling.pyc", Role::Code),
        ("model_index.json", Role::Config),
        ("params.json", Role::Config),
        ("adapter_model.safetensors", Role::Weights),
        ("tokenizer.model.v3", Role::Tokenizer),
        ("images/logo.png", Role::Other),
        ("spm.model", Role::Tokenizer),
        ("vocab-src.json", Role::Tokenizer),
        ("openvino_model.xml", Role::Config),
        ("openvino_language_model.xml", Role::Config),
        ("tiny.ncnn.param", Role::Config),
        ("saved_model.pbtxt", Role::Config),
        ("tiny.ptd", Role::Weights),
        ("MODEL_LICENSE", Role::Licence),
        ("weights-licence.txt", Role::Licence),
        ("relicensed.txt", Role::Other),
        ("model_license.json", Role::Other),
    ] {
        assert_eq!(Role::of_path(&path(name)), role, "{name}");
    }
}

#[test]
fn the_vectors_are_these() {
    let made = sample();
    let refused_paths: Vec<_> = REFUSED.iter().map(|(text, why)| json!({"comment": why, "path": text})).collect();
    let collisions = COLLISIONS.iter().map(|(first, second, why)| json!({"comment": why, "paths": [first, second]}));
    let (readers, makers): (Vec<_>, Vec<_>) = collisions
        .partition(|case| case["paths"].as_array().unwrap().iter().all(|path| path.as_str().unwrap().is_ascii()));
    let spoil = |comment: &str, code: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = json!({"files": [file("a", Role::Weights), file("b", Role::Other)], "manifest": FORMAT});
        change(&mut value);
        let bytes = canonical::to_bytes(&value).unwrap();
        assert_eq!(Manifest::parse(&bytes).map_err(|error| error.code()), Err(code), "{comment}");
        json!({"comment": comment, "code": code, "hex": hex::encode(bytes)})
    };
    let refused = [
        spoil("no files", "manifest-empty", &|value| value["files"] = json!([])),
        spoil("files out of order", "manifest-order", &|value| value["files"].as_array_mut().unwrap().reverse()),
        spoil("a path twice", "manifest-same-path", &|value| value["files"][1]["path"] = json!("a")),
        spoil("paths that collide by case", "manifest-collision", &|value| {
            value["files"][0]["path"] = json!("B");
        }),
        spoil("another format", "manifest-format", &|value| value["manifest"] = json!("stele/manifest@v2")),
        spoil("a path out of the folder", "manifest-encoding", &|value| value["files"][0]["path"] = json!("../a")),
        spoil("an unknown role", "manifest-encoding", &|value| value["files"][0]["role"] = json!("virus")),
        spoil("an upper-case digest", "manifest-encoding", &|value| {
            value["files"][0]["sha256"] = json!("AB".repeat(32))
        }),
        spoil("a field more", "manifest-encoding", &|value| value["files"][0]["mode"] = json!("0755")),
        spoil("a field less", "manifest-encoding", &|value| {
            value["files"][0].as_object_mut().unwrap().remove("size");
        }),
        spoil("a size in text", "manifest-encoding", &|value| value["files"][0]["size"] = json!("18")),
    ];
    vectors::check_json(
        "manifest/manifests.json",
        &json!({
            "comment": "Manifests. The content of each file of the accepted one is 'The content of <path>.' and a line feed.",
            "refused_paths": refused_paths,
            "colliding_paths": readers,
            "colliding_paths_that_readers_accept": makers,
            "accepted_paths": ACCEPTED,
            "refused": refused,
            "accepted": [{
                "comment": "the files of ../statement/sample-release.toml",
                "hex": hex::encode(made.bytes()),
                "digest": made.digest(),
                "weights_digest": made.weights_digest(),
                "tree_digest": made.tree_digest(),
                "files": made.files(),
            }],
        }),
    );
}

#[test]
fn another_codec_reads_the_same_manifest() {
    let read: ciborium::Value = ciborium::from_reader(sample().bytes()).unwrap();
    let mut written = Vec::new();
    ciborium::into_writer(&read, &mut written).unwrap();
    assert_eq!(written, sample().bytes());
}

proptest! {
    #[test]
    fn a_path_that_parses_is_written_back_as_it_was(text in "[a./\\\\]{0,12}|\\PC{0,12}|.{0,12}") {
        if let Ok(path) = text.parse::<FilePath>() { prop_assert_eq!(path.as_str(), text); }
    }

    #[test]
    fn arbitrary_bytes_are_no_manifest_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Manifest::parse(&bytes).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_manifest(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let made = Manifest::new(vec![file("a/b", Role::Weights), file("c", Role::Config)]).unwrap();
        let mut bytes = made.encode();
        bytes[at.index(made.bytes().len())] ^= change;
        if let Ok(read) = Manifest::parse(&bytes) {
            prop_assert_ne!(read.digest(), made.digest());
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn any_order_of_files_makes_the_same_manifest(shuffled in Just(sample().files().to_vec()).prop_shuffle()) {
        prop_assert_eq!(Manifest::new(shuffled), Ok(sample()));
    }
}
