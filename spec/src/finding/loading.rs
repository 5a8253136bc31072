//! Unsafe loading: files that run a program when they are loaded, and configurations that name one.

use serde_json::Value;

use super::sheet::{Sheet, shown, shown_list};
use super::{Code, Finding};
use crate::manifest::{FilePath, Manifest, ManifestFile, Role};
use crate::name::Coordinate;

/// Endings of Python's pickle and of archives that hold one: what reads them can be told to run anything. Numpy's own
/// `.npy` and `.npz` hold a pickle only where the reader allows it, and are not among them.
const PICKLE: [&str; 13] =
    ["bin", "ckpt", "dill", "joblib", "mar", "nemo", "pdparams", "pickle", "pkl", "pt", "pth", "sav", "t7"];

/// Endings of files that are themselves programs, whatever their role. The list is part of the rule `code-files`.
const PROGRAM: [&str; 16] =
    ["c", "cc", "cpp", "cu", "dll", "h", "ipynb", "jar", "js", "llamafile", "py", "pyx", "rs", "sh", "so", "ts"];

/// What a configuration names to be run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeReference {
    /// Which field.
    pub field: String,
    /// What it names: `modeling_tiny.TinyModel`, `acme/other--modeling.Model`.
    pub runs: String,
}

pub(super) fn check(manifest: Option<&Manifest>, sheet: &mut Sheet) {
    let Some(manifest) = manifest else { return };
    let named = |wanted: &dyn Fn(&ManifestFile) -> bool| -> Vec<&FilePath> {
        manifest.files().iter().filter(|file| wanted(file)).map(|file| &file.path).collect()
    };
    let is_model = |file: &ManifestFile| matches!(file.role, Role::Weights | Role::Classifier);
    for (code, what, files) in [
        (Code::PickleWeights, "weights", named(&|file| is_pickle(&file.path) && is_model(file))),
        (Code::PickleFile, "other", named(&|file| is_pickle(&file.path) && !is_model(file))),
    ] {
        if !files.is_empty() {
            let summary = format!("{} {what} files of the pickle family: to load one is to run it", files.len());
            sheet.report(code, summary, shown_list("file", files));
        }
    }
    let programs = named(&|file| file.role == Role::Code || PROGRAM.contains(&ending(&file.path).as_str()));
    if !programs.is_empty() {
        let summary = format!("{} files are programs", programs.len());
        sheet.report(Code::CodeFiles, summary, shown_list("file", programs));
    }
}

/// Whether a file is of the pickle family, by its name. `ggml` files that end in `.bin` are not.
pub fn is_pickle(path: &FilePath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    PICKLE.contains(&ending(path).as_str()) && !(name.starts_with("ggml") && name.ends_with(".bin"))
}

fn ending(path: &FilePath) -> String {
    path.file_name().rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// What a configuration would run, for whoever has the file.
pub fn of_config(
    position: Option<u64>,
    coordinate: Option<&Coordinate>,
    path: &FilePath,
    bytes: &[u8],
) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, coordinate.cloned());
    for CodeReference { field, runs } in code_in_config(bytes) {
        let summary = format!("{path} names code to be run: {runs}");
        sheet.report(
            Code::CodeInConfig,
            summary,
            vec![shown("file", path), shown("field", field), shown("runs", runs)],
        );
    }
    sheet.into_sorted()
}

/// The code that a JSON configuration names to be run by Transformers, Diffusers or Sentence Transformers.
///
/// Bytes that are not JSON name nothing.
pub fn code_in_config(bytes: &[u8]) -> Vec<CodeReference> {
    let mut found = Vec::new();
    let Ok(config) = serde_json::from_slice::<Value>(bytes) else { return found };
    // config.json, tokenizer_config.json, processor_config.json, generation_config.json: {class: "file.Class" or a list}.
    for (class, names) in config.get("auto_map").and_then(Value::as_object).into_iter().flatten() {
        texts(names, &mut |runs| found.push(CodeReference { field: format!("auto_map.{class}"), runs }));
    }
    // config.json of a pipeline of one's own: {task: {impl: "file.Class"}}.
    for (task, pipeline) in config.get("custom_pipelines").and_then(Value::as_object).into_iter().flatten() {
        if let Some(runs) = pipeline.get("impl").and_then(Value::as_str) {
            found.push(CodeReference { field: format!("custom_pipelines.{task}.impl"), runs: runs.to_owned() });
        }
    }
    // generation_config.json: a repository whose generate.py is run.
    if let Some(runs) = config.get("custom_generate").and_then(Value::as_str) {
        found.push(CodeReference { field: "custom_generate".to_owned(), runs: runs.to_owned() });
    }
    // model_index.json of Diffusers: {part: [library, class]}, where the library is a file of the release.
    if config.get("_diffusers_version").is_some() {
        for (part, value) in config.as_object().into_iter().flatten() {
            if let Some([Value::String(library), Value::String(class)]) = value.as_array().map(Vec::as_slice)
                && !["diffusers", "transformers", "onnxruntime", "flax", "optimum", "sentencepiece", "stable_diffusion"]
                    .contains(&library.as_str())
            {
                found.push(CodeReference { field: part.clone(), runs: format!("{library}.{class}") });
            }
        }
        if let Some([Value::String(file), Value::String(class)]) =
            config.get("_class_name").and_then(Value::as_array).map(Vec::as_slice)
        {
            found.push(CodeReference { field: "_class_name".to_owned(), runs: format!("{file}.{class}") });
        }
    }
    // modules.json of Sentence Transformers: [{type: "sentence_transformers.models.Pooling"}].
    for (n, module) in config.as_array().into_iter().flatten().enumerate() {
        if let Some(runs) =
            module.get("type").and_then(Value::as_str).filter(|text| !text.starts_with("sentence_transformers."))
        {
            found.push(CodeReference { field: format!("[{n}].type"), runs: runs.to_owned() });
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The texts of a text or a list of texts.
fn texts(value: &Value, each: &mut dyn FnMut(String)) {
    match value {
        Value::String(text) => each(text.clone()),
        Value::Array(values) => values.iter().filter_map(Value::as_str).for_each(|text| each(text.to_owned())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(config: &str) -> Vec<String> {
        code_in_config(config.as_bytes()).into_iter().map(|found| format!("{} {}", found.field, found.runs)).collect()
    }

    #[test]
    fn configurations_that_run_code_are_read() {
        assert_eq!(
            runs(r#"{"auto_map": {"AutoModel": "modeling_x.X", "AutoTokenizer": ["acme/other--tok.T", null]}}"#),
            ["auto_map.AutoModel modeling_x.X", "auto_map.AutoTokenizer acme/other--tok.T"]
        );
        assert_eq!(
            runs(r#"{"custom_pipelines": {"pair": {"impl": "pair.Pair", "pt": ["AutoModel"]}}}"#),
            ["custom_pipelines.pair.impl pair.Pair"]
        );
        assert_eq!(
            runs(r#"{"_diffusers_version": "0.30", "unet": ["my_unet", "Unet"], "vae": ["diffusers", "Vae"]}"#),
            ["unet my_unet.Unet"]
        );
        assert_eq!(
            runs(r#"[{"type": "sentence_transformers.models.Pooling"}, {"type": "custom_st.Transformer"}]"#),
            ["[1].type custom_st.Transformer"]
        );
    }

    #[test]
    fn a_plain_configuration_names_nothing() {
        assert_eq!(runs(r#"{"architectures": ["LlamaForCausalLM"], "auto_map": {}}"#), Vec::<String>::new());
        assert_eq!(runs("not json"), Vec::<String>::new());
        assert_eq!(runs("[1, null, []]"), Vec::<String>::new());
    }

    #[test]
    fn pickles_are_known_by_their_names() {
        for path in ["pytorch_model.bin", "a/b.PT", "last.ckpt", "scaler.joblib", "x.pdparams", "m.nemo"] {
            assert!(is_pickle(&path.parse().unwrap()), "{path}");
        }
        for path in ["model.safetensors", "ggml-base.bin", "m.gguf", "a.npy", "bin", "config.json"] {
            assert!(!is_pickle(&path.parse().unwrap()), "{path}");
        }
    }
}
