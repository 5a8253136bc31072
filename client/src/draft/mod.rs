//! What a folder says about itself, and the `release.toml` that is filled from it.
//!
//! Nothing here is believed or decided: a fact is written as a value with a comment that says where it is from, and what only
//! a person can decide is written as `"DECIDE: ..."`. Every file is read with a bound, and a file that is malformed
//! is a fact less and a note on stderr, never an error.

mod bases;
mod card;
mod config;
mod gguf;
mod gguf_length;
mod licences;
mod origin;
mod safetensors;
mod write;

use std::path::Path;

use stele_spec::finding::{DeclaredBase, is_pickle};
use stele_spec::manifest::{FilePath, Role};

use crate::error::Failure;
use crate::folder::{self, Found};

pub(crate) use bases::declared_bases;
pub(crate) use write::{Names, release_toml};

/// The largest config or model card that is read.
const MAX_TEXT: u64 = 4 << 20;

/// The names of the files in which a loader finds code to be run.
const CONFIGS: [&str; 8] = [
    "config.json",
    "tokenizer_config.json",
    "generation_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "adapter_config.json",
    "model_index.json",
    "modules.json",
];
/// How many files a note names.
const NAMED: usize = 20;

/// What a folder says.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// `config.json`.
    config: config::Config,
    /// The front matter of the model card.
    card: card::Card,
    /// Of all GGUF files, the first.
    gguf: Option<gguf::Header>,
    /// The sum over the safetensors files, and where that is from.
    parameters: Option<(u64, &'static str)>,
    /// Where the folder came from.
    origin: origin::Origin,
    /// The formats of the weights.
    formats: Vec<&'static str>,
    /// Files by role.
    licence_files: Vec<(FilePath, Option<&'static str>)>,
    card_file: Option<FilePath>,
    use_policy: Option<FilePath>,
    safety_report: Option<FilePath>,
    system_prompt: Option<FilePath>,
    code: Vec<FilePath>,
    weights: Vec<FilePath>,
    has_chat_template: bool,
    is_adapter: bool,
    evaluations: Vec<FilePath>,
    /// The base models that files name: model card, adapter config, GGUF header.
    pub(crate) bases: Vec<DeclaredBase>,
    /// The JSON files that a loader reads, with their texts.
    pub(crate) configs: Vec<(FilePath, String)>,
    /// Files of the pickle family: to load one is to run it.
    pickles: Vec<FilePath>,
    /// What could not be read.
    pub(crate) notes: Vec<String>,
}

/// How many bytes a GGUF file of weights must have by its own header; `None` where it is no such file, or cannot be read.
pub(crate) fn least_length_of_gguf(file: &Found) -> Option<u64> {
    let is_gguf = file.path.as_str().to_ascii_lowercase().ends_with(".gguf");
    is_gguf.then(|| gguf::Header::read(&file.open).ok()).flatten().map(|header| header.least_length)
}

/// Reads what a folder says.
pub(crate) fn facts(root: &Path) -> Result<Facts, Failure> {
    let walk = folder::walk(root)?;
    let mut facts = Facts { origin: origin::of(root), ..Facts::default() };
    facts.notes.extend(walk.odd.iter().map(|(path, oddity)| format!("{path}: {oddity}: publish will refuse it")));
    for file in &walk.files {
        facts.take(file);
    }
    facts.name_loaders();
    facts.formats.sort_unstable();
    facts.formats.dedup();
    if facts.parameters.is_none() {
        facts.parameters = facts.gguf.as_ref().and_then(|header| Some((header.parameters?, "the GGUF header")));
    }
    Ok(facts)
}

impl Facts {
    /// A base model that a file names. A path on somebody's disk names none.
    fn declare(&mut self, file: &Found, field: &str, name: String) {
        if name.starts_with(['/', '.', '~']) {
            return;
        }
        self.bases.push(DeclaredBase { file: file.path.clone(), field: field.to_owned(), name });
    }

    /// The notes about files that run a program when they are loaded.
    fn name_loaders(&mut self) {
        let list = |files: &[FilePath]| {
            let mut names: Vec<&str> = files.iter().take(NAMED).map(FilePath::as_str).collect();
            names.extend((files.len() > NAMED).then_some("and more"));
            names.join(", ")
        };
        if !self.pickles.is_empty() {
            let files = list(&self.pickles);
            self.notes.push(format!("to load one of these is to run it, they are of the pickle family: {files}"));
        }
        if !self.code.is_empty() {
            self.notes.push(format!("these files are programs: {}", list(&self.code)));
        }
        if self.config.runs_code {
            self.notes.push("config.json names code to be run when the model is loaded (auto_map)".to_owned());
        }
    }

    fn take(&mut self, file: &Found) {
        if is_pickle(&file.path) {
            self.pickles.push(file.path.clone());
        }
        let name = file.path.as_str();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let role = Role::of_path(&file.path);
        match role {
            Role::Weights => {
                self.formats.extend(format_of(&extension));
                self.weights.push(file.path.clone());
            }
            Role::Licence => {
                let text = self.text(file).unwrap_or_default();
                self.licence_files.push((file.path.clone(), licences::of_text(&text)));
            }
            Role::ModelCard if !name.contains('/') && self.card_file.is_none() => {
                self.card = self.text(file).map(|text| card::Card::parse(&text)).unwrap_or_default();
                self.card_file = Some(file.path.clone());
                for name in self.card.all("base_model").to_vec() {
                    self.declare(file, "base_model", name);
                }
            }
            Role::Safety if name.to_ascii_lowercase().contains("use_policy") => {
                self.use_policy = Some(file.path.clone())
            }
            Role::Safety if self.safety_report.is_none() => self.safety_report = Some(file.path.clone()),
            Role::SystemPrompt => self.system_prompt = Some(file.path.clone()),
            Role::ChatTemplate => self.has_chat_template = true,
            Role::Code => self.code.push(file.path.clone()),
            Role::Evaluation => self.evaluations.push(file.path.clone()),
            _ => {}
        }
        if CONFIGS.contains(&file.path.file_name()) {
            let text = self.text(file);
            self.configs.extend(text.map(|text| (file.path.clone(), text)));
        }
        match (name, extension.as_str()) {
            ("config.json", _) => {
                if let Some(text) = self.text(file) {
                    match config::Config::parse(&text) {
                        Ok(config) => self.config = config,
                        Err(error) => self.notes.push(format!("config.json: {error}")),
                    }
                }
            }
            ("adapter_config.json", _) => {
                self.is_adapter = true;
                if let Some(base) = self.text(file).as_deref().and_then(config::adapter_base) {
                    self.declare(file, "base_model_name_or_path", base);
                }
            }
            ("tokenizer_config.json", _) => {
                self.has_chat_template |= self.text(file).is_some_and(|text| text.contains("\"chat_template\""));
            }
            (_, "safetensors") if role == Role::Weights => match safetensors::parameters(&file.open, file.size) {
                Ok(count) => {
                    let sum = self.parameters.map_or(0, |(sum, _)| sum);
                    self.parameters = Some((sum.saturating_add(count), "the safetensors headers"));
                }
                Err(error) => self.notes.push(format!("{name}: {error}")),
            },
            (_, "gguf") if self.gguf.is_none() => match gguf::Header::read(&file.open) {
                Ok(header) => {
                    if header.least_length > file.size {
                        let (expected, found) = (header.least_length, file.size);
                        let note = format!("{name}: expected at least {expected} bytes by its header, found {found}");
                        self.notes.push(note + ": publish will refuse it");
                    }
                    header.base_models.iter().for_each(|(key, name)| self.declare(file, key, name.clone()));
                    self.gguf = Some(header);
                }
                Err(error) => self.notes.push(format!("{name}: {error}")),
            },
            _ => {}
        }
    }

    fn text(&mut self, file: &Found) -> Option<String> {
        match stele_host::durable::read_file(&file.open, MAX_TEXT) {
            Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                self.notes.push(error.to_string());
                None
            }
        }
    }
}

fn format_of(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "safetensors" => "safetensors",
        "gguf" => "gguf",
        "ggml" => "ggml",
        "onnx" | "onnx_data" => "onnx",
        "bin" | "pt" | "pth" | "ckpt" | "pkl" | "pickle" => "pytorch",
        "h5" | "hdf5" | "keras" => "keras",
        "tflite" => "tflite",
        "msgpack" => "flax",
        "npz" | "npy" => "numpy",
        _ => return None,
    })
}
