//! Unsafe loading: files that run a program when they are loaded, and configurations that name one.

use super::json_names;
use super::python_json::{Json, NotJson};
use super::sheet::{Sheet, short, shown, shown_list};
use super::yaml_names;
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

/// Endings of checkpoints whose configuration is `NAME.yaml` beside them.
const CHECKPOINTS: [&str; 5] = ["safetensors", "ckpt", "sft", "pt", "pth"];

/// The most pieces of code of one configuration that are listed; how many there are is said beside them.
const MAX_LISTED: usize = 64;

/// What a configuration names to be run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeReference {
    /// Which field.
    pub field: String,
    /// What it names: `modeling_tiny.TinyModel`, `acme/other--modeling.Model`.
    pub runs: String,
}

/// `pickled` tells of a file whether it is a pickle by its content; nothing where the content is not at hand or decides nothing.
pub(super) fn check(manifest: Option<&Manifest>, pickled: &dyn Fn(&FilePath) -> Option<bool>, sheet: &mut Sheet) {
    let Some(manifest) = manifest else { return };
    let named = |wanted: &dyn Fn(&ManifestFile) -> bool| -> Vec<&FilePath> {
        manifest.files().iter().filter(|file| wanted(file)).map(|file| &file.path).collect()
    };
    let is_model = |file: &ManifestFile| matches!(file.role, Role::Weights | Role::Classifier);
    for (by_content, by) in [(true, "content"), (false, "name")] {
        let counts = |file: &ManifestFile| match pickled(&file.path) {
            Some(is) => by_content && is,
            None => !by_content && is_pickle(&file.path) && !is_described(manifest, &file.path),
        };
        for (code, what, files) in [
            (Code::PickleWeights, "weights", named(&|file| is_model(file) && counts(file))),
            (Code::PickleFile, "other", named(&|file| !is_model(file) && counts(file))),
        ] {
            if !files.is_empty() {
                let (count, s) = (files.len(), if files.len() == 1 { "" } else { "s" });
                let summary = format!("{count} {what} file{s} of the pickle family, by {by}: to load one is to run it");
                sheet.report(code, summary, shown_list("file", files));
            }
        }
    }
    let programs = named(&|file| file.role == Role::Code || PROGRAM.contains(&ending(&file.path).as_str()));
    if !programs.is_empty() {
        let summary = match programs.len() {
            1 => "1 file is a program".to_owned(),
            count => format!("{count} files are programs"),
        };
        sheet.report(Code::CodeFiles, summary, shown_list("file", programs));
    }
}

/// Whether a file is of the pickle family, by its name.
pub fn is_pickle(path: &FilePath) -> bool {
    PICKLE.contains(&ending(path).as_str()) && !is_other_bin(path)
}

/// Whether a file that ends in `.bin` is known to be something else: a model of ggml, of Core ML or of TensorFlow.js, a language model of n-grams, the
/// tables of spaCy, the vocabulary of llama2.c. The list is part of the rule.
fn is_other_bin(path: &FilePath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    let in_package = || {
        let mut folders = path.as_str().split('/');
        folders.any(|folder| folder.ends_with(".mlpackage") || folder.ends_with(".mlmodelc"))
    };
    name.ends_with(".bin")
        && (name.starts_with("ggml")
            || name.ends_with(".lm.bin")
            || matches!(name.as_str(), "lookups.bin" | "tokenizer.bin")
            || name.starts_with("group") && name.contains("-shard")
            || in_package())
}

/// Whether what lies beside a `.bin` says what it is: the description of an OpenVINO or ncnn model, the vocabulary of a CTranslate2 model, the index
/// of the shards of an MLC model.
fn is_described(manifest: &Manifest, path: &FilePath) -> bool {
    let Some(stem) = path.as_str().strip_suffix(".bin") else { return false };
    let has = |path: String| path.parse().is_ok_and(|path| manifest.file(&path).is_some());
    let folder = stem.strip_suffix("model").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let vocabulary = |folder: &str| {
        ["", "shared_", "source_", "target_"]
            .into_iter()
            .any(|part| ["json", "txt"].into_iter().any(|end| has(format!("{folder}{part}vocabulary.{end}"))))
    };
    let above = path.as_str().strip_suffix(path.file_name()).unwrap_or_default();
    let is_shard = ["ndarray-cache.json", "tensor-cache.json"].into_iter().any(|index| has(format!("{above}{index}")));
    is_shard || ["xml", "param"].into_iter().any(|end| has(format!("{stem}.{end}"))) || folder.is_some_and(vocabulary)
}

fn ending(path: &FilePath) -> String {
    path.file_name().rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// Whether a file is a configuration in which loaders look for code, by its name alone: JSON with `config` or `processor` in its name, the lists of
/// the parts of a pipeline, and YAML of SpeechBrain, Hydra and MLflow.
pub fn is_config(path: &FilePath) -> bool {
    let name = path.file_name();
    if is_yaml_config(path) {
        return true;
    }
    name.ends_with(".json") && (name.contains("config") || name.contains("processor"))
        || matches!(name, "model_index.json" | "modules.json")
}

/// Whether [`of_config`] can find anything in a file, by its name.
pub fn may_name_code(path: &FilePath) -> bool {
    path.as_str().ends_with(".json") || is_config(path) || yaml_stem(path).is_some()
}

/// YAML with `config`, `hyperparams` or `hparams` in its name, and the description of a model that MLflow keeps.
fn is_yaml_config(path: &FilePath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    name == "mlmodel"
        || yaml_stem(path).is_some() && ["config", "hyperparams", "hparams"].iter().any(|word| name.contains(word))
}

/// Whether programs of Stable Diffusion take YAML as the configuration of the checkpoint beside it that has its name.
fn is_of_checkpoint(path: &FilePath, has: impl Fn(&str) -> bool) -> bool {
    yaml_stem(path).is_some_and(|stem| CHECKPOINTS.into_iter().any(|end| has(&format!("{stem}.{end}"))))
}

/// The path of YAML without its ending.
fn yaml_stem(path: &FilePath) -> Option<&str> {
    let (stem, ending) = path.as_str().rsplit_once('.')?;
    ["yaml", "yml"].iter().any(|yaml| ending.eq_ignore_ascii_case(yaml)).then_some(stem)
}

/// What a configuration would run, for anyone who has the file. `has` tells whether the release has a file at a path.
///
/// A configuration that Python cannot read is [`Code::ConfigUnreadable`]: it is not known what it names.
pub fn of_config(
    position: Option<u64>,
    coordinate: Option<&Coordinate>,
    path: &FilePath,
    bytes: &[u8],
    has: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let references = match code_in_config(path, bytes, has) {
        Ok(references) => references,
        Err(error) if is_config(path) => return of_unread_config(position, coordinate, path, &error.to_string()),
        // In other files no loader looks for code.
        Err(_) => return Vec::new(),
    };
    let mut sheet = Sheet::new(position, coordinate.cloned());
    for CodeReference { field, runs } in references.iter().take(MAX_LISTED) {
        let summary = format!("{path} names code to be run: {}", short(runs));
        let evidence = vec![shown("file", path), shown("field", short(field)), shown("runs", short(runs))];
        sheet.report(Code::CodeInConfig, summary, evidence);
    }
    if references.len() > MAX_LISTED {
        let (all, listed) = (references.len(), MAX_LISTED);
        let summary = format!("{path} names {all} pieces of code to be run, of which {listed} are listed");
        sheet.report(Code::CodeInConfig, summary, vec![shown("file", path), shown("runs, in all", all)]);
    }
    sheet.into_sorted()
}

/// A configuration, or the header of a model, that was not read, or not all of it: what it names is not known.
pub fn of_unread_config(
    position: Option<u64>,
    coordinate: Option<&Coordinate>,
    path: &FilePath,
    why: &str,
) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, coordinate.cloned());
    let summary = format!("{path} was not read as loaders read it, and what it names is not known: {}", short(why));
    sheet.report(Code::ConfigUnreadable, summary, vec![shown("file", path), shown("why", short(why))]);
    sheet.into_sorted()
}

/// The code that a configuration names to be run: in JSON, read as Python does, by Transformers, Diffusers, Sentence Transformers, Keras, LeRobot or
/// mlx-lm; in YAML by SpeechBrain, Hydra, NeMo, Lightning, pyannote, MLflow or Stable Diffusion.
pub fn code_in_config(
    path: &FilePath,
    bytes: &[u8],
    has: impl Fn(&str) -> bool,
) -> Result<Vec<CodeReference>, NotJson> {
    let mut found = Vec::new();
    let is_yaml = is_yaml_config(path) || is_of_checkpoint(path, &has);
    if !is_yaml && yaml_stem(path).is_some() {
        return Ok(found);
    }
    if is_yaml {
        let refused = |expected| NotJson { expected, at: 0 };
        let text = std::str::from_utf8(bytes).map_err(|_| refused("YAML in UTF-8"))?;
        let names = yaml_names::names(text).ok_or_else(|| refused("YAML without %TAG"))?;
        return Ok(names.into_iter().map(|(field, runs)| CodeReference { field, runs }).collect());
    }
    let config = Json::parse(bytes)?;
    let name = path.file_name();
    // config.json, tokenizer_config.json, processor_config.json, generation_config.json: {class: "file.Class" or a list}; old
    // configurations of tokenizers have the list alone.
    auto_map(&config, "", &mut found);
    // config.json of a pipeline of one's own: {task: {impl: "file.Class"}}.
    for (task, pipeline) in config.get("custom_pipelines").and_then(Json::as_map).into_iter().flatten() {
        if let Some(runs) = pipeline.get("impl").and_then(Json::as_str) {
            found.push(CodeReference { field: format!("custom_pipelines.{task}.impl"), runs: runs.to_owned() });
        }
    }
    // generation_config.json: a repository whose generate.py is run.
    if let Some(runs) = config.get("custom_generate").and_then(Json::as_str) {
        found.push(CodeReference { field: "custom_generate".to_owned(), runs: runs.to_owned() });
    }
    if name == "model_index.json" {
        pipeline(path, &config, has, &mut found);
    }
    // modules.json of Sentence Transformers: [{type: "sentence_transformers.models.Pooling"}].
    for (n, module) in config.as_list().filter(|_| name == "modules.json").into_iter().flatten().enumerate() {
        if let Some(runs) =
            module.get("type").and_then(Json::as_str).filter(|text| !text.starts_with("sentence_transformers."))
        {
            found.push(CodeReference { field: format!("[{n}].type"), runs: runs.to_owned() });
        }
    }
    found.extend(json_names::names(name, &config).into_iter().map(|(field, runs)| CodeReference { field, runs }));
    found.sort();
    found.dedup();
    Ok(found)
}

/// `auto_map`, as deep as JSON is kept: a model made of models has a configuration of each, such as `text_config`, from which they are made in turn.
fn auto_map(config: &Json, place: &str, found: &mut Vec<CodeReference>) {
    match config {
        Json::Map(fields) => {
            for (name, value) in fields {
                let place = format!("{place}{name}");
                match value {
                    Json::Map(classes) if name == "auto_map" => {
                        for (class, names) in classes {
                            let field = format!("{place}.{class}");
                            texts(names, &mut |runs| found.push(CodeReference { field: field.clone(), runs }));
                        }
                    }
                    names if name == "auto_map" => {
                        texts(names, &mut |runs| found.push(CodeReference { field: place.clone(), runs }));
                    }
                    _ => auto_map(value, &format!("{place}."), found),
                }
            }
        }
        Json::List(values) => {
            let part = place.trim_end_matches('.');
            values.iter().enumerate().for_each(|(n, value)| auto_map(value, &format!("{part}[{n}]."), found));
        }
        _ => {}
    }
}

/// `model_index.json` of Diffusers: `{part: [library, class]}`. The library is code of the release where the release has a file of
/// that name, beside the index or in the folder of the part; otherwise it is a package, or a pipeline of Diffusers itself.
fn pipeline(path: &FilePath, index: &Json, has: impl Fn(&str) -> bool, found: &mut Vec<CodeReference>) {
    let folder = path.as_str().strip_suffix("model_index.json").unwrap_or_default();
    for (part, value) in index.as_map().into_iter().flatten() {
        let Some([Json::Text(library), Json::Text(class)]) = value.as_list() else { continue };
        let module = library.replace('.', "/");
        let own = [format!("{folder}{part}/{module}"), format!("{folder}{module}")].iter().any(|stem| {
            [".py", ".pyc", ".so", "/__init__.py", "/__init__.pyc"].iter().any(|ending| has(&format!("{stem}{ending}")))
        });
        // The pipeline itself is a list only where its code comes with it.
        if own || part == "_class_name" {
            found.push(CodeReference { field: part.clone(), runs: format!("{library}.{class}") });
        }
    }
}

/// The texts of a text or a list of texts.
fn texts(value: &Json, each: &mut dyn FnMut(String)) {
    match value {
        Json::Text(text) => each(text.clone()),
        Json::List(values) => values.iter().filter_map(Json::as_str).for_each(|text| each(text.to_owned())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(path: &str, config: &str, files: &[&str]) -> Vec<String> {
        let found = code_in_config(&path.parse().unwrap(), config.as_bytes(), |path| files.contains(&path)).unwrap();
        found.into_iter().map(|found| format!("{} {}", found.field, found.runs)).collect()
    }

    fn runs(config: &str) -> Vec<String> {
        in_file("config.json", config, &[])
    }

    #[test]
    fn configurations_that_run_code_are_read() {
        assert_eq!(
            runs(r#"{"auto_map": {"AutoModel": "modeling_x.X", "AutoTokenizer": ["acme/other--tok.T", null]}}"#),
            ["auto_map.AutoModel modeling_x.X", "auto_map.AutoTokenizer acme/other--tok.T"]
        );
        assert_eq!(runs(r#"{"auto_map": ["tok.T", null]}"#), ["auto_map tok.T"]);
        assert_eq!(
            runs(
                r#"{"text_config": {"auto_map": {"AutoModelForCausalLM": "acme/other--x.X"}}, "parts": [{"auto_map": "y.Y"}]}"#
            ),
            ["parts[0].auto_map y.Y", "text_config.auto_map.AutoModelForCausalLM acme/other--x.X"]
        );
        assert_eq!(
            runs(r#"{"custom_pipelines": {"pair": {"impl": "pair.Pair", "pt": ["AutoModel"]}}}"#),
            ["custom_pipelines.pair.impl pair.Pair"]
        );
        assert_eq!(
            in_file(
                "modules.json",
                r#"[{"type": "sentence_transformers.models.Pooling"}, {"type": "custom_st.Transformer"}]"#,
                &[]
            ),
            ["[1].type custom_st.Transformer"]
        );
    }

    #[test]
    fn what_python_reads_hides_no_code() {
        let map = r#""auto_map": {"A": "x.X"}"#;
        for config in [
            format!(r#"{{"limit": [0.0, Infinity], {map}}}"#),
            format!(r#"{{{map}, "a": NaN, "b": -Infinity}}"#),
            format!(r#"{{"a": "\ud800", {map}}}"#),
            format!(r#"{{"a": {}, {map}}}"#, "9".repeat(400)),
            format!(r#"{{"auto_map": {{}}, {map}}}"#),
            format!(r#"{{"a": {}1{}, {map}}}"#, "[".repeat(10_000), "]".repeat(10_000)),
            format!("\u{feff}{{{map}}}"),
            r#"{"auto\u005fmap": {"A": "x.X"}}"#.to_owned(),
        ] {
            assert_eq!(runs(&config), ["auto_map.A x.X"], "{config:.80}");
        }
        // The last of equal keys is the one that counts.
        assert_eq!(runs(r#"{"auto_map": {"A": "x.X"}, "auto_map": {}}"#), Vec::<String>::new());
    }

    #[test]
    fn what_python_does_not_read_is_said() {
        let found = |path: &str, text: &[u8]| of_config(None, None, &path.parse().unwrap(), text, |_| false);
        for text in [&b"{"[..], b"{\"a\": 1,}", b"// x\n{}", b"\xff{}", b""] {
            let codes: Vec<_> = found("a/config.json", text).iter().map(|finding| finding.code).collect();
            assert_eq!(codes, [Code::ConfigUnreadable], "{text:?}");
        }
        // No loader looks for code in other files.
        assert_eq!(found("data/table.json", b"{"), []);
    }

    #[test]
    fn a_part_of_a_pipeline_is_code_where_its_file_is_here() {
        let index = r#"{"_class_name": "P", "_diffusers_version": "0.30", "unet": ["my_unet", "Unet"],
                        "watermarker": ["deepfloyd_if", "IFWatermarker"], "vae": ["diffusers", "Vae"]}"#;
        assert_eq!(in_file("model_index.json", index, &[]), Vec::<String>::new());
        assert_eq!(in_file("model_index.json", index, &["unet/my_unet.py"]), ["unet my_unet.Unet"]);
        assert_eq!(
            in_file("model_index.json", index, &["deepfloyd_if.py"]),
            ["watermarker deepfloyd_if.IFWatermarker"]
        );
        assert_eq!(in_file("x/model_index.json", index, &["x/my_unet/__init__.py"]), ["unet my_unet.Unet"]);
        assert_eq!(in_file("x/model_index.json", index, &["my_unet.py"]), Vec::<String>::new());
        let blocks = r#"{"_diffusers_version": "0.30", "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"]}"#;
        assert_eq!(in_file("unet/config.json", blocks, &["DownBlock2D.py"]), Vec::<String>::new());
        assert_eq!(in_file("model_index.json", r#"{"_class_name": ["pipe", "P"]}"#, &[]), ["_class_name pipe.P"]);
    }

    #[test]
    fn what_is_listed_of_one_file_is_bounded() {
        let many: Vec<String> = (0..500).map(|n| format!("\"c{n}\": \"{}\"", "x".repeat(5_000))).collect();
        let config = format!("{{\"auto_map\": {{{}}}}}", many.join(","));
        let found = of_config(None, None, &"config.json".parse().unwrap(), config.as_bytes(), |_| false);
        assert_eq!(found.len(), MAX_LISTED + 1);
        assert!(found.iter().any(|finding| finding.evidence.iter().any(|shown| shown.value == "500")));
        let bytes: usize = found.iter().map(|finding| serde_json::to_string(finding).unwrap().len()).sum();
        assert!(bytes < 100_000, "{bytes}");
    }

    #[test]
    fn what_is_imported_by_name_is_code_unless_it_is_of_the_library() {
        for (path, config, expected) in [
            (
                "2_Dense/config.json",
                r#"{"activation_function": "other_mod.Note"}"#,
                "activation_function other_mod.Note",
            ),
            (
                "config.json",
                r#"{"sentence_transformers": {"activation_fn": "other_mod.Note"}}"#,
                "sentence_transformers.activation_fn other_mod.Note",
            ),
            (
                "router_config.json",
                r#"{"types": {"query_0": "other_mod.Note", "doc_0": "sentence_transformers.models.Transformer"}}"#,
                "types.query_0 other_mod.Note",
            ),
            ("config.json", r#"{"model": [{"_target_": "other_mod.Note"}]}"#, "model[0]._target_ other_mod.Note"),
            ("hyperparams.yaml", "a: 1\nb: !apply:other_mod.note []\n", "line 2: !apply other_mod.note"),
            ("conf/model_config.yaml", "_target_: other_mod.Note\n", "line 1: _target_ other_mod.Note"),
            ("MLmodel", "loader_module: other_mod\n", "line 1: loader_module other_mod"),
            (
                "policy_preprocessor.json",
                r#"{"steps": [{"class": "other_mod.Note"}]}"#,
                "steps[0].class other_mod.Note",
            ),
        ] {
            assert_eq!(in_file(path, config, &[]), [expected], "{path}");
            assert!(is_config(&path.parse().unwrap()), "{path}");
        }
        for (path, config) in [
            ("2_Dense/config.json", r#"{"activation_function": "torch.nn.modules.activation.Tanh"}"#),
            ("config.json", r#"{"activation_function": "gelu_new"}"#),
            ("config.json", r#"{"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}"#),
            ("hyperparams.yaml", "a: !new:speechbrain.nnet.RNN.LSTM\n"),
        ] {
            assert_eq!(in_file(path, config, &[]), Vec::<String>::new(), "{path}");
        }
        let codes = |text: &[u8]| {
            let found = of_config(None, None, &"hyperparams.yaml".parse().unwrap(), text, |_| false);
            found.iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(b"\xff\xfea"), [Code::ConfigUnreadable]);
        assert_eq!(codes(b"%TAG !e! !new:\n---\na: 1"), [Code::ConfigUnreadable]);
        assert_eq!(codes(b"a: !new:other_mod.Note"), [Code::CodeInConfig]);
    }

    #[test]
    fn yaml_is_read_beside_the_checkpoint_of_its_name() {
        let yaml = "model:\n  target: other_mod.Note\n";
        assert_eq!(in_file("a/dream-v1.yaml", yaml, &["a/dream-v1.safetensors"]), ["line 2: target other_mod.Note"]);
        assert_eq!(in_file("a/dream-v1.yaml", yaml, &["dream-v1.safetensors"]), Vec::<String>::new());
    }

    #[test]
    fn a_plain_configuration_names_nothing() {
        assert_eq!(runs(r#"{"architectures": ["LlamaForCausalLM"], "auto_map": {}}"#), Vec::<String>::new());
        assert_eq!(runs("[1, null, []]"), Vec::<String>::new());
        assert_eq!(in_file("data.json", r#"[{"type": "text"}]"#, &[]), Vec::<String>::new());
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
