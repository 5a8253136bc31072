//! What a file of a release is for.

use super::FilePath;
use crate::canonical::vocabulary;

vocabulary! {
    /// What a file of a release is for. It decides what `weights.digest` covers, so it is part of the record.
    pub enum Role {
        /// Learned parameters.
        Weights = "weights",
        /// Which shard holds which tensor.
        WeightsIndex = "weights-index",
        /// Architecture and its numbers.
        Config = "config",
        /// Vocabulary and merges.
        Tokenizer = "tokenizer",
        /// How messages become one text.
        ChatTemplate = "chat-template",
        /// Defaults of sampling.
        GenerationConfig = "generation-config",
        /// A system prompt that travels.
        SystemPrompt = "system-prompt",
        /// A safety classifier that travels.
        Classifier = "classifier",
        /// Programs.
        Code = "code",
        /// The text of a licence.
        Licence = "licence",
        /// The model card.
        ModelCard = "model-card",
        /// Results, and what they were got with.
        Evaluation = "evaluation",
        /// Safety documents.
        Safety = "safety",
        /// Anything else.
        Other = "other",
    }
}

impl Role {
    /// The role that a file has by its name, from the table of the chapter. A publisher may say otherwise.
    pub fn of_path(path: &FilePath) -> Self {
        let name = path.file_name().to_ascii_lowercase();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let within = |folders: &[&str]| {
            let mut above: Vec<_> = path.segments().map(str::to_ascii_lowercase).collect();
            above.pop();
            above.iter().any(|folder| folders.contains(&folder.as_str()))
        };
        let document = matches!(extension, "" | "md" | "txt" | "rst" | "html" | "pdf");

        if name.ends_with(".index.json") {
            return Self::WeightsIndex;
        }
        match extension {
            "safetensors" | "gguf" | "ggml" | "bin" | "pt" | "pth" | "ckpt" | "pkl" | "pickle" | "onnx"
            | "onnx_data" | "h5" | "hdf5" | "keras" | "tflite" | "msgpack" | "npz" | "npy" | "mlmodel" | "pdparams"
            | "nemo" | "engine" | "llamafile" | "ot" | "joblib" => {
                let about_training = matches!(stem, "training_args" | "optimizer" | "scheduler" | "rng_state");
                if about_training {
                    return Self::Other;
                }
                let guards = within(&["safety", "safety_checker", "classifier", "classifiers", "guard"]);
                return if guards { Self::Classifier } else { Self::Weights };
            }
            "py" | "pyx" | "ipynb" | "sh" | "js" | "ts" | "rs" | "c" | "cc" | "cpp" | "cu" | "h" | "so" | "dll"
            | "jar" => return Self::Code,
            "spm" | "tiktoken" => return Self::Tokenizer,
            _ => {}
        }
        match name.as_str() {
            "tokenizer.json"
            | "tokenizer_config.json"
            | "special_tokens_map.json"
            | "added_tokens.json"
            | "vocab.json"
            | "vocab.txt"
            | "merges.txt"
            | "tokenizer.model"
            | "tekken.json"
            | "spiece.model"
            | "sentencepiece.bpe.model" => return Self::Tokenizer,
            "generation_config.json" => return Self::GenerationConfig,
            _ => {}
        }
        if matches!(extension, "jinja" | "jinja2") || stem == "chat_template" {
            return Self::ChatTemplate;
        }
        if stem.starts_with("system_prompt") || stem.starts_with("system-prompt") {
            return Self::SystemPrompt;
        }
        if document
            && ["license", "licence", "copying", "notice", "unlicense"].iter().any(|word| stem.starts_with(word))
        {
            return Self::Licence;
        }
        if document && matches!(stem, "readme" | "model_card" | "modelcard" | "model-card") {
            return Self::ModelCard;
        }
        if document
            && ["safety", "system_card", "system-card", "acceptable_use", "use_policy", "usage_policy"]
                .iter()
                .any(|word| stem.starts_with(word))
            || within(&["safety"])
        {
            return Self::Safety;
        }
        if within(&["eval", "evals", "evaluation", "evaluations"]) || stem.starts_with("eval_results") {
            return Self::Evaluation;
        }
        if matches!(extension, "json" | "yaml" | "yml" | "toml") && stem.contains("config") || name == "modules.json" {
            return Self::Config;
        }
        Self::Other
    }
}
