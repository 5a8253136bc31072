//! Which files that a manifest does not name a loader would take: by the role of their names, and by their bytes.
//!
//! A table of names is never complete, so what begins like weights is weights whatever its name.

use crate::manifest::{FilePath, Manifest, ManifestFile, Role};

/// The largest header that the safetensors library takes.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// Names that loaders look for and whose role by name is none of [`is_loaded`].
const LOADED_NAMES: [(&str, Role); 56] = [
    ("model_index.json", Role::Config),
    ("params.json", Role::Config),
    ("adapter_config.json", Role::Config),
    ("modelfile", Role::Config),
    ("feature_extractor.json", Role::Config),
    ("hparams.json", Role::Config),
    ("hparams.yaml", Role::Config),
    ("hyperparams.yaml", Role::Code),
    // Of TensorFlow.js and of Paddle: the graph.
    ("model.json", Role::Config),
    ("inference.json", Role::Config),
    ("model.yaml", Role::Config),
    ("model.yml", Role::Config),
    ("recipe.yaml", Role::Config),
    ("preprocessor.json", Role::Config),
    // Of KerasHub: what it looks for one by one.
    ("task.json", Role::Config),
    ("image_converter.json", Role::Config),
    ("audio_converter.json", Role::Config),
    ("video_converter.json", Role::Config),
    ("model.weights.json", Role::WeightsIndex),
    // Of servers: which model is loaded in the place of this one, and what is imported (DJL Serving, MLServer); of PaddleX, of Foundry Local.
    ("serving.properties", Role::Config),
    ("model-settings.json", Role::Config),
    ("inference.yml", Role::Config),
    ("inference_model.json", Role::Config),
    // Of LeRobot, which imports their steps.
    ("policy_preprocessor.json", Role::Config),
    ("policy_postprocessor.json", Role::Config),
    // What is installed, or imported, before the weights are.
    ("requirements.txt", Role::Code),
    ("conda.yaml", Role::Code),
    ("python_env.yaml", Role::Code),
    ("mlmodel", Role::Config),
    ("dtypes.json", Role::Config),
    ("manifest.json", Role::Config),
    ("params", Role::Config),
    ("ndarray-cache.json", Role::WeightsIndex),
    ("tensor-cache.json", Role::WeightsIndex),
    // TensorFlow's: names the checkpoint that is restored.
    ("checkpoint", Role::WeightsIndex),
    ("unigram.json", Role::Tokenizer),
    ("encoder.json", Role::Tokenizer),
    ("bpe.codes", Role::Tokenizer),
    ("bpe.vocab", Role::Tokenizer),
    ("dict.txt", Role::Tokenizer),
    ("tokens.txt", Role::Tokenizer),
    ("vocab.tsv", Role::Tokenizer),
    // Of CTranslate2: the JSON before the text.
    ("vocabulary.json", Role::Tokenizer),
    ("vocabulary.txt", Role::Tokenizer),
    ("shared_vocabulary.json", Role::Tokenizer),
    ("shared_vocabulary.txt", Role::Tokenizer),
    ("source_vocabulary.json", Role::Tokenizer),
    ("source_vocabulary.txt", Role::Tokenizer),
    ("target_vocabulary.json", Role::Tokenizer),
    ("target_vocabulary.txt", Role::Tokenizer),
    ("source_vocab.json", Role::Tokenizer),
    ("target_vocab.json", Role::Tokenizer),
    ("normalizer.json", Role::Tokenizer),
    // Ollama's, by the names of layers.
    ("template", Role::ChatTemplate),
    ("system", Role::SystemPrompt),
    ("messages", Role::SystemPrompt),
];
/// Ends of weights that loaders unpack, and of those whose role by name is none of [`is_loaded`].
const PACKED: [&str; 10] = [".7z", ".gz", ".bz2", ".xz", ".z", ".zst", ".lz4", ".lzma", ".zip", ".tar"];
/// Stems of archives that are unpacked to a model.
const PACKED_STEMS: [&str; 5] = ["model", "weights", "pytorch_model", "checkpoint", "saved_model"];
/// Extensions of weights whose role by name is none of [`is_loaded`].
const WEIGHTS: [&str; 6] = ["cpkl", "rds", "lora", "exl2", "sft", "th"];
/// Extensions of programs that Python loads and whose role by name is none of [`is_loaded`].
const PROGRAMS: [&str; 3] = ["pyc", "pyd", "dylib"];

/// What a loader would take a file of a name for. The name may be one that a manifest cannot hold.
pub fn loadable_by_name(shown: &str) -> Option<&'static str> {
    loaded_role(shown).map(Role::as_str)
}

/// The role in which a loader would take a file of a name.
pub fn loaded_role(shown: &str) -> Option<Role> {
    let name = shown.rsplit('/').next().unwrap_or(shown).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if name.starts_with("adapter_model.") {
        return Some(Role::Weights);
    }
    if let Some((_, role)) = LOADED_NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*role);
    }
    if WEIGHTS.contains(&extension) || is_packed_model(&name) {
        return Some(Role::Weights);
    }
    if PROGRAMS.contains(&extension) {
        return Some(Role::Code);
    }
    // The folder may give another role, to a configuration below `safety/` for example; a loader goes by the name.
    [shown.to_owned(), plain(&name)].iter().find_map(|path| {
        let role = Role::of_path(&path.parse::<FilePath>().ok()?);
        is_loaded(role).then_some(role)
    })
}

/// What a loader would take a file of a name for beside the files of a manifest: programs of Stable Diffusion take `NAME.yaml` beside a checkpoint `NAME` as its
/// configuration, and import what that names; LocalAI takes all YAML in the folder of a GGUF file as configurations of models.
pub(super) fn loadable_beside(manifest: &Manifest, shown: &str) -> Option<&'static str> {
    let (stem, _) = shown.rsplit_once('.').filter(|(_, end)| matches!(*end, "yaml" | "yml"))?;
    let has = |end: &str| format!("{stem}.{end}").parse().is_ok_and(|path| manifest.file(&path).is_some());
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let is_gguf = |file: &ManifestFile| {
        let path = file.path.as_str();
        path.to_ascii_lowercase().ends_with(".gguf") && folder(path) == folder(shown)
    };
    let is_taken =
        ["safetensors", "ckpt", "sft", "pt", "pth"].into_iter().any(has) || manifest.files().iter().any(is_gguf);
    is_taken.then_some(Role::Config.as_str())
}

/// Whether a name is that of weights in a compressed file or an archive: `model.pkl.gz`, `weights.zip`, `model.tar.gz`.
fn is_packed_model(name: &str) -> bool {
    let mut stem = name;
    while let Some(rest) = PACKED.iter().find_map(|end| stem.strip_suffix(end)).or_else(|| stem.strip_suffix(".tgz")) {
        stem = rest;
    }
    let is_weights = || plain(stem).parse::<FilePath>().is_ok_and(|path| Role::of_path(&path) == Role::Weights);
    stem.len() < name.len() && (PACKED_STEMS.contains(&stem) || is_weights())
}

/// A name with only such characters as every path can have.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let mut plain: String = name.chars().map(plain).collect();
    // The extension is at the end.
    plain.split_off(plain.len().saturating_sub(200))
}

/// Whether a loader takes files of a role.
fn is_loaded(role: Role) -> bool {
    match role {
        Role::Weights
        | Role::WeightsIndex
        | Role::Config
        | Role::Code
        | Role::Tokenizer
        | Role::ChatTemplate
        | Role::GenerationConfig
        | Role::SystemPrompt
        | Role::Classifier => true,
        Role::Licence | Role::ModelCard | Role::Safety | Role::Evaluation | Role::Other => false,
    }
}

/// Whether bytes begin a file of weights: a pickle, safetensors, GGUF or GGML, HDF5, NumPy, TensorFlow Lite.
pub fn begins_weights(bytes: &[u8]) -> bool {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    is_pickle(bytes)
        || is_safetensors(bytes)
        || [&b"GGUF"[..], b"lmgg", b"tjgg", b"fmgg", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY"].into_iter().any(begins)
        || bytes.get(4..8) == Some(b"TFL3")
}

/// Protocols 2 to 5 begin with their number; the older ones with an opcode, of which a global is the one that runs code.
fn is_pickle(bytes: &[u8]) -> bool {
    if let [0x80, 2..=5, ..] = bytes {
        return true;
    }
    let mut lines = bytes.strip_prefix(b"c").unwrap_or_default().splitn(3, |byte| *byte == b'\n');
    let is_name = |text: &[u8]| {
        !text.is_empty() && text.len() < 200 && text.iter().all(|b| b.is_ascii_alphanumeric() || b"._".contains(b))
    };
    let (module, name, rest) = (lines.next(), lines.next(), lines.next());
    module.is_some_and(is_name) && name.is_some_and(is_name) && rest.is_some_and(|rest| rest.ends_with(b"."))
}

/// The length of a JSON header, and the header.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
    (2..=MAX_SAFETENSORS_HEADER).contains(&length) && bytes.get(8) == Some(&b'{')
}

/// Whether bytes begin a ZIP archive, whose list of files is at its end.
pub fn begins_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Whether the names in an archive are those of PyTorch's or NumPy's.
pub fn archive_holds_weights(bytes: &[u8]) -> bool {
    let holds = |name: &[u8]| bytes.windows(name.len()).any(|found| found == name);
    holds(b".pkl") || holds(b".npy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_loader_looks_for_is_known_wherever_it_lies() {
        for (path, role) in [
            ("pytorch_model.bin", "weights"),
            ("model.safetensors.index.json", "weights-index"),
            ("adapter_config.json", "config"),
            ("adapter_model.safetensors", "weights"),
            ("sub/modeling_tiny.py", "code"),
            ("__pycache__/modeling_tiny.cpython-311.pyc", "code"),
            ("tokenizer.json", "tokenizer"),
            ("chat_template.jinja", "chat-template"),
            ("generation_config.json", "generation-config"),
            ("system_prompt.txt", "system-prompt"),
            ("model_index.json", "config"),
            ("safety/config.json", "config"),
            ("safety/model.safetensors", "classifier"),
            ("a\nb/modeling\u{7}.py", "code"),
            ("ndarray-cache.json", "weights-index"),
            ("checkpoint", "weights-index"),
            ("hyperparams.yaml", "code"),
            ("model.mlpackage/Manifest.json", "config"),
            ("unigram.json", "tokenizer"),
            ("system", "system-prompt"),
            ("model.pkl.gz", "weights"),
            ("scaler.joblib.z", "weights"),
            ("model.tar.gz", "weights"),
            ("weights.zip", "weights"),
            ("model.tgz", "weights"),
            ("model.7z", "weights"),
            ("web/model.json", "config"),
            ("inference.json", "config"),
            ("vocabulary.json", "tokenizer"),
            ("task.json", "config"),
            ("requirements.txt", "code"),
            ("MLmodel", "config"),
            ("dream.sft", "weights"),
            ("serving.properties", "config"),
            ("model-settings.json", "config"),
            ("policy_preprocessor.json", "config"),
            ("inference.yml", "config"),
            ("inference_model.json", "config"),
        ] {
            assert_eq!(loadable_by_name(path), Some(role), "{path}");
        }
        for path in [
            "README.md",
            "notes.txt",
            "LICENSE",
            ".DS_Store",
            "figure.png",
            "release.toml",
            ".gitattributes",
            "photos.zip",
            "photos.7z",
            "paper.tar.gz",
        ] {
            assert_eq!(loadable_by_name(path), None, "{path}");
        }
    }

    #[test]
    fn yaml_is_taken_beside_the_checkpoint_of_its_name_and_beside_any_gguf() {
        let file = |path: &str| ManifestFile {
            path: path.parse().unwrap(),
            role: Role::Weights,
            size: 0,
            sha256: crate::hash::Digest::of(b""),
            git_sha1: crate::manifest::FileDigests::of(b"").git_sha1,
        };
        let manifest = Manifest::new(vec![file("dream.safetensors"), file("gguf/tiny-q4.GGUF")]).unwrap();
        for path in ["dream.yaml", "dream.yml", "gguf/any.yaml"] {
            assert_eq!(loadable_beside(&manifest, path), Some("config"), "{path}");
        }
        for path in ["other.yaml", "gguf/sub/any.yaml", "gguf/any.txt", "gguf"] {
            assert_eq!(loadable_beside(&manifest, path), None, "{path}");
        }
    }

    #[test]
    fn what_begins_like_weights_is_weights() {
        let safetensors = [&2u64.to_le_bytes()[..], b"{}"].concat();
        let weights: [&[u8]; 6] = [
            b"\x80\x04\x95\x00",
            b"cposix\nsystem\n(S'id'\ntR.",
            &safetensors,
            b"GGUF\x03",
            b"\x89HDF\r\n\x1a\n",
            b"\x1c\0\0\0TFL3",
        ];
        for bytes in weights {
            assert!(begins_weights(bytes), "{bytes:?}");
        }
        for bytes in [&b""[..], b"\x80", b"{\"a\": 1}", b"# Notes\n", b"code\nis\nhere\n", &[0xff; 64]] {
            assert!(!begins_weights(bytes), "{bytes:?}");
        }
    }
}
