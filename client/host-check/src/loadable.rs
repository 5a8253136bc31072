//! Files at a host that are not in the record and that a loader would take all the same.
//!
//! `from_pretrained` takes what is there: an added `model.safetensors` wins over recorded shards, an added `adapter_config.json` makes it
//! take the weights of the repository that it names. So a repository whose recorded files are all unchanged may still give other
//! weights, or run code.

use serde::Serialize;
use stele_spec::manifest::{FilePath, Manifest, Role};
use stele_spec::verify::loaded_role;

/// A file beside the record that a loader would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loadable {
    /// Its path at the host.
    pub path: String,
    /// What its name makes of it.
    pub role: Role,
    /// `error` where other weights or code come into a folder of the record, else `warning`.
    pub severity: &'static str,
    /// What a loader does with it.
    pub effect: &'static str,
}

/// Those of these paths that a loader would take: by the role that the record gives a path, else by the list of the chapter *verify*.
///
/// A path may be one that no manifest can hold: a loader takes it all the same.
pub(crate) fn among(extra: &[String], manifest: &Manifest) -> Vec<Loadable> {
    let gguf_only = manifest.weights().all(|file| is_gguf(file.path.as_str()));
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: std::collections::BTreeSet<Option<String>> =
        manifest.files().iter().map(|file| folder(file.path.as_str())).collect();
    let mut all = Vec::new();
    for path in extra {
        let recorded = path.parse::<FilePath>().ok().and_then(|path| manifest.file(&path)).map(|file| file.role);
        let Some(role) = recorded.or_else(|| loaded_role(path)) else { continue };
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        // A GGUF file is loaded by its own name: another quantization beside it is nobody's default, but for a projector.
        let another_quantization = gguf_only && is_gguf(path) && !name.starts_with("mmproj");
        let Some((grave, effect)) = effect(role, &name) else { continue };
        if another_quantization {
            continue;
        }
        let severity = if grave && folders.contains(&folder(path)) { "error" } else { "warning" };
        all.push(Loadable { path: path.clone(), role, severity, effect });
    }
    all
}

/// A layer of weights beside the recorded ones.
pub(crate) fn weights(path: String) -> Loadable {
    Loadable {
        path,
        role: Role::Weights,
        severity: "error",
        effect: "a loader may take it beside the recorded weights, or in their place",
    }
}

/// What a loader does with a file of this role, and whether other weights or code come with it; none for what no loader takes.
fn effect(role: Role, name: &str) -> Option<(bool, &'static str)> {
    Some(match role {
        Role::Weights => (true, "a loader may take it in the place of the recorded weights"),
        Role::WeightsIndex => (true, "a loader takes the weights that it names"),
        Role::Code => (true, "a loader may run it"),
        Role::Config if name == "adapter_config.json" => {
            (true, "a loader takes the weights of the base that it names, with an adapter on top")
        }
        Role::Config => (false, "a loader reads it"),
        Role::Tokenizer => (false, "a loader reads the text with it"),
        Role::ChatTemplate => (false, "a loader writes every prompt with it"),
        Role::GenerationConfig => (false, "a loader takes its defaults of sampling from it"),
        Role::SystemPrompt => (false, "a loader may put it before every prompt"),
        Role::Classifier => (false, "a loader may judge prompts and answers with it"),
        Role::Licence | Role::ModelCard | Role::Evaluation | Role::Safety | Role::Other => {
            return None;
        }
    })
}

fn is_gguf(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".gguf")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::manifest::{FileDigests, ManifestFile};

    fn manifest(paths: &[&str]) -> Manifest {
        let file = |path: &&str| {
            let path: FilePath = path.parse().unwrap();
            let FileDigests { size, sha256, git_sha1 } = FileDigests::of(path.as_str().as_bytes());
            ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
        };
        Manifest::new(paths.iter().map(file).collect()).unwrap()
    }

    fn found(recorded: &[&str], extra: &[&str]) -> Vec<(String, &'static str)> {
        let extra: Vec<String> = extra.iter().map(|path| (*path).to_owned()).collect();
        among(&extra, &manifest(recorded)).into_iter().map(|file| (file.path, file.severity)).collect()
    }

    #[test]
    fn what_decides_what_is_loaded_is_found_and_documents_are_not() {
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "config.json"];
        for path in ["model.safetensors", "model.safetensors.index.json", "adapter_config.json", "modeling_tiny.py"] {
            assert_eq!(found(&shards, &[path]), [(path.to_owned(), "error")]);
        }
        for path in
            ["tokenizer.json", "chat_template.jinja", "generation_config.json", "system_prompt.txt", "onnx/model.onnx"]
        {
            assert_eq!(found(&shards, &[path]), [(path.to_owned(), "warning")]);
        }
        let silent = [".gitattributes", "release.stele", "README.md", "LICENSE", "figures/loss.png", "docs/more.md"];
        assert_eq!(found(&shards, &silent), []);
    }

    #[test]
    fn what_verify_calls_unrecorded_by_its_name_is_found_at_a_host() {
        for name in [
            "hyperparams.yaml",
            "ndarray-cache.json",
            "checkpoint",
            "model.safetensors.zip",
            "pytorch_model.bin.zip",
            "adapter_model.zip",
            "weights.tar.gz",
            "x.lora",
            "x.rds",
            "bpe.codes",
            "dict.txt",
            "normalizer.json",
            "params",
            "template",
            "system",
            "hparams.yaml",
            "recipe.yaml",
            "feature_extractor.json",
            "safety/model.safetensors",
            "a\u{7}/modeling tiny.py",
            "Adapter_Config.JSON",
        ] {
            let listed: Vec<_> = found(&["model.safetensors"], &[name]).into_iter().map(|(path, _)| path).collect();
            assert_eq!(listed, [name]);
        }
        assert_eq!(found(&["model.safetensors"], &["checkpoint"]), [("checkpoint".to_owned(), "error")]);
    }

    #[test]
    fn another_quantization_beside_a_gguf_file_is_silent_and_a_projector_is_not() {
        let gguf = ["tiny.Q4_K_M.gguf"];
        assert_eq!(found(&gguf, &["tiny.Q8_0.gguf", "tiny.BF16.GGUF"]), []);
        assert_eq!(found(&gguf, &["mmproj-tiny.gguf"]), [("mmproj-tiny.gguf".to_owned(), "error")]);
        assert_eq!(found(&gguf, &["model.safetensors"]), [("model.safetensors".to_owned(), "error")]);
        assert_eq!(found(&["model.safetensors"], &["tiny.Q8_0.gguf"]).len(), 1);
    }
}
