//! The table of roles by name. It only ever decides about files that no manifest records yet.

use super::path::FilePath;
use super::role::Role;

/// Endings of files that hold learned parameters, or the state of one that is loaded as a whole.
const WEIGHTS: [&str; 67] = [
    "bin",
    "bmodel",
    "caffemodel",
    "cbm",
    "circle",
    "ckpt",
    "dduf",
    "dill",
    "distcp",
    "dlc",
    "engine",
    "espresso",
    "ftz",
    "ggml",
    "gguf",
    "h5",
    "hdf5",
    "hef",
    "jit",
    "joblib",
    "keras",
    "litertlm",
    "llamafile",
    "mar",
    "mlmodel",
    "mnn",
    "model_state",
    "msgpack",
    "nemo",
    "nexa",
    "nnue",
    "npy",
    "npz",
    "om",
    "onnx",
    "onnx_data",
    "ort",
    "ot",
    "params",
    "pb",
    "pdiparams",
    "pdmodel",
    "pdparams",
    "pickle",
    "pkl",
    "plan",
    "pt",
    "pt2",
    "ptd",
    "pte",
    "pth",
    "ptl",
    "rknn",
    "safetensors",
    "sav",
    "skops",
    "t7",
    "task",
    "tflite",
    "tmfile",
    "torchscript",
    "trt",
    "ubj",
    "uff",
    "vmfb",
    "weights",
    "xgb",
];

/// Endings of programs: sources, and what they are compiled to.
const CODE: [&str; 46] = [
    "bash", "bat", "c", "cc", "cjs", "class", "cmd", "cpp", "cu", "cubin", "cuh", "cxx", "dll", "dylib", "egg", "exe",
    "go", "h", "hpp", "ipynb", "jar", "java", "jl", "js", "lua", "metal", "mjs", "php", "pl", "ps1", "ptx", "py",
    "pyc", "pyd", "pyo", "pyx", "r", "rb", "rs", "sh", "so", "ts", "tsx", "wasm", "whl", "zsh",
];

/// Folders whose models are guards of another model.
const GUARDS: [&str; 5] = ["safety", "safety_checker", "classifier", "classifiers", "guard"];

impl Role {
    /// The role that a file has by its name, from the table of the chapter: a guess about files that no record names yet.
    ///
    /// The role of a file of a release is the one that its manifest records. The table grows, and never changes that.
    pub fn of_path(path: &FilePath) -> Self {
        of_path(path)
    }

    /// Whether a file is what training leaves behind, by its name: the state of optimizers and of random numbers.
    pub fn is_training_state(path: &FilePath) -> bool {
        is_training_state(&path.file_name().to_ascii_lowercase())
    }
}

fn of_path(path: &FilePath) -> Role {
    let name = path.file_name().to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let above: Vec<String> = {
        let mut above: Vec<_> = path.segments().map(str::to_ascii_lowercase).collect();
        above.pop();
        above
    };
    let within = |folders: &[&str]| above.iter().any(|folder| folders.contains(&folder.as_str()));
    let compiled_model = above.iter().any(|folder| folder.ends_with(".mlmodelc"));
    let document = matches!(extension, "" | "md" | "txt" | "rst" | "html" | "pdf");

    if above.iter().any(|folder| folder == "__pycache__") {
        return Role::Code;
    }
    if is_index(&name) {
        return Role::WeightsIndex;
    }
    if is_training_state(&name) {
        return Role::Other;
    }
    // Of TensorFlow: what a saved model is called by, and what Keras keeps of its layers; the weights are elsewhere.
    if matches!(name.as_str(), "fingerprint.pb" | "keras_metadata.pb") {
        return Role::Config;
    }
    // Of llama2.c and ExecuTorch.
    if name == "tokenizer.bin" {
        return Role::Tokenizer;
    }
    if holds_weights(&name, extension) || compiled_model && name.contains(".espresso.") {
        return if within(&GUARDS) { Role::Classifier } else { Role::Weights };
    }
    if CODE.contains(&extension) {
        return Role::Code;
    }
    if is_tokenizer(&name, extension) {
        return Role::Tokenizer;
    }
    if name == "generation_config.json" {
        return Role::GenerationConfig;
    }
    if matches!(extension, "jinja" | "jinja2") || stem == "chat_template" {
        return Role::ChatTemplate;
    }
    if stem.starts_with("system_prompt") || stem.starts_with("system-prompt") {
        return Role::SystemPrompt;
    }
    if document && is_licence(stem) {
        return Role::Licence;
    }
    if document && matches!(stem, "readme" | "model_card" | "modelcard" | "model-card") {
        return Role::ModelCard;
    }
    if document
        && ["safety", "system_card", "system-card", "acceptable_use", "use_policy", "usage_policy"]
            .iter()
            .any(|word| stem.starts_with(word))
        || within(&["safety"])
    {
        return Role::Safety;
    }
    if within(&["eval", "evals", "evaluation", "evaluations", ".eval_results"]) || stem.starts_with("eval_results") {
        return Role::Evaluation;
    }
    if is_config(&name, stem, extension) || compiled_model {
        return Role::Config;
    }
    Role::Other
}

/// `LICENSE`, `LICENSES.md`, and with the word anywhere: `MODEL_LICENSE`, `weights-licence.txt`.
fn is_licence(stem: &str) -> bool {
    ["license", "licence", "copying", "notice", "unlicense"].iter().any(|word| stem.starts_with(word))
        || stem.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| matches!(word, "license" | "licence"))
}

/// `model.safetensors.index.json`, `*.safetensors.index.fp16.json`, and the index beside TensorFlow's data files.
fn is_index(name: &str) -> bool {
    let json = name.strip_suffix(".json").and_then(|rest| rest.rsplit_once(".index"));
    // Between `.index` and `.json` stands nothing, or one word that names the variant.
    let sharded = json.is_some_and(|(before, variant)| {
        !before.is_empty() && (variant.is_empty() || variant.len() > 1 && variant.starts_with('.'))
    });
    let tensorflow = name == "variables.index" || name.ends_with(".ckpt.index") || {
        name.strip_suffix(".index").is_some_and(|rest| rest.contains(".ckpt-") || rest.starts_with("ckpt-"))
    };
    sharded || tensorflow
}

fn holds_weights(name: &str, extension: &str) -> bool {
    WEIGHTS.contains(&extension)
        || name.ends_with(".onnx.data")
        || name.contains(".onnx_data_")
        || name.contains(".onnx.data_")
        || is_shard_of_tensorflow(name)
}

/// `variables.data-00000-of-00001`.
fn is_shard_of_tensorflow(name: &str) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let shard = name.rsplit_once(".data-").and_then(|(_, numbers)| numbers.split_once("-of-"));
    shard.is_some_and(|(number, of)| digits(number) && digits(of))
}

/// See [`Role::is_training_state`]. The name is in lower case.
fn is_training_state(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if !matches!(extension, "bin" | "pt" | "pth" | "pkl" | "safetensors" | "ckpt" | "distcp") {
        return false;
    }
    let numbered = |word: &str| {
        let rest = stem.strip_prefix(word);
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_' || byte == b'-'))
    };
    ["training_args", "optimizer", "scheduler", "rng_state", "random_states", "custom_checkpoint"]
        .iter()
        .any(|word| numbered(word))
        || stem == "scaler" && extension == "pt"
        || stem.ends_with("_optim_states")
}

fn is_tokenizer(name: &str, extension: &str) -> bool {
    matches!(extension, "spm" | "tiktoken")
        || name.starts_with("tokenizer.model")
        || name.starts_with("vocab-") && extension == "json"
        || matches!(
            name,
            "tokenizer.json"
                | "tokenizer_config.json"
                | "special_tokens_map.json"
                | "added_tokens.json"
                | "vocab.json"
                | "vocab.txt"
                | "vocab.bpe"
                | "merges.txt"
                | "tekken.json"
                | "spiece.model"
                | "spm.model"
                | "sentencepiece.model"
                | "sentencepiece.bpe.model"
        )
}

fn is_config(name: &str, stem: &str, extension: &str) -> bool {
    matches!(extension, "json" | "yaml" | "yml" | "toml" | "cfg" | "ini" | "pbtxt") && stem.contains("config")
        || matches!(name, "modules.json" | "model_index.json" | "params.json" | "modelfile" | "saved_model.pbtxt")
        || name.starts_with("openvino_") && extension == "xml"
        || name.ends_with(".ncnn.param")
        || matches!(extension, "prototxt" | "mil")
        || name.ends_with(".ckpt.meta")
}
