//! What a folder says about itself, and the `release.toml` that is filled from it.
//!
//! Nothing here is believed or decided: a fact is written as a value with a comment that says where it is from, and what only
//! a person can decide is written as `"DECIDE: ..."`. Every file is read with a bound, and a file that is malformed
//! is a fact less and a note on stderr, never an error.

mod write;

use std::path::Path;

use stele_explain::Failure;
use stele_model_files::bases::declared_bases;
use stele_model_files::content::Content;
use stele_model_files::roles::{self, Roles, Why};
use stele_model_files::{card, config, gguf, licences, origin, safetensors};
use stele_spec::finding::{BaseName, DeclaredBase, NotJson, code_in_config, is_config, is_pickle};
use stele_spec::manifest::{FilePath, Role};
use stele_verify::folder::walk::{self as folder, Found};

pub use write::{Names, release_toml};

/// The largest config or model card that is read.
const MAX_TEXT: u64 = 4 << 20;

/// The fields of a model card that are used, but for its base models.
const CARD_FIELDS: [&str; 6] =
    ["license", "license_name", "license_link", "base_model_relation", "pipeline_tag", "library_name"];

/// How many files a note names.
const NAMED: usize = 20;

/// What a folder says.
#[derive(Debug, Default)]
pub struct Facts {
    /// `config.json`.
    config: config::Config,
    /// The front matter of the model card.
    card: card::Card,
    /// Of all GGUF files, the first that is the model itself.
    gguf: Option<gguf::Header>,
    /// The sum over the GGUF files that are the model itself, where all of them say how many numbers they hold.
    gguf_parameters: Option<u64>,
    /// The quantizations of the GGUF files that are the model itself.
    quantizations: Vec<&'static str>,
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
    bases: Vec<DeclaredBase>,
    /// Where files name a base model by a path on a disk.
    base_paths: Vec<DeclaredBase>,
    /// Files of the pickle family: to load one is to run it.
    pickles: Vec<FilePath>,
    /// What could not be read.
    pub notes: Vec<String>,
}

/// Reads what a folder says.
pub fn facts(root: &Path) -> Result<Facts, Failure> {
    let walk = folder::walk(root)?;
    let mut facts = Facts { origin: origin::of(root), ..Facts::default() };
    facts.notes.extend(walk.odd.iter().map(|(path, oddity)| format!("{path}: {oddity}: publish will refuse it")));
    let roles = Roles::of_files(&walk.files);
    for file in &walk.files {
        facts.take(file, &roles);
    }
    let named: Vec<_> = walk.files.iter().map(|file| (file.path.clone(), file.open.clone())).collect();
    let declared = declared_bases(&named);
    facts.notes.extend(declared.unread.iter().map(|(path, why)| format!("{path}: {why}")));
    (facts.bases, facts.base_paths) =
        declared.bases.into_iter().partition(|base| BaseName::of(&base.name) == BaseName::Model);
    for base in facts.base_paths.iter().take(NAMED) {
        let DeclaredBase { file, field, name } = base;
        facts
            .notes
            .push(format!("{file} names a path as {field}, {name}: which model was it? Say it under [[lineage]]"));
    }
    facts.explain(&walk.files, &roles);
    facts.name_loaders();
    facts.formats.sort_unstable();
    facts.formats.dedup();
    if facts.parameters.is_none() {
        facts.parameters = facts.gguf_parameters.map(|count| (count, "the GGUF headers"));
    }
    Ok(facts)
}

impl Facts {
    /// The notes about roles that a file's name does not give, and about files that may be weights.
    fn explain(&mut self, files: &[Found], roles: &Roles) {
        for (path, assigned) in roles.files.iter().filter(|(_, assigned)| assigned.why != Why::Name).take(NAMED) {
            let why = match &assigned.why {
                Why::NamedBy(by) => format!("{by} names it as a part of itself"),
                Why::Content(content) => format!("it is {}", content.as_str()),
                Why::Name => continue,
            };
            self.notes.push(format!("{path} is taken for {}: {why}", assigned.role));
        }
        for (part, by) in roles.parts.missing(files).take(NAMED) {
            self.notes.push(format!("{by} names {part} as a part of itself, which is not here"));
        }
        let sized = files.iter().map(|file| (&file.path, roles.of(&file.path), file.size));
        let open = roles::questions(sized, |_| false);
        self.notes.extend(open.iter().take(NAMED).map(|question| format!("{question} Say it under [roles]")));
        if let [first, second, ..] = self.quantizations.as_slice() {
            self.notes
                .push(format!("the GGUF files are of several quantizations, {first} and {second}: one object each?"));
        }
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

    fn take(&mut self, file: &Found, roles: &Roles) {
        let content = roles.files.get(&file.path).and_then(|assigned| assigned.content);
        if content.and_then(|content| content.is_pickle(&file.path)).unwrap_or_else(|| is_pickle(&file.path)) {
            self.pickles.push(file.path.clone());
        }
        let name = file.path.as_str();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let role = roles.of(&file.path);
        match role {
            Role::Weights => {
                self.formats.extend(format_of(&file.path, &extension, content));
                self.weights.push(file.path.clone());
            }
            Role::Licence => {
                let text = self.text(file).unwrap_or_default();
                self.licence_files.push((file.path.clone(), licences::of_text(&text)));
            }
            Role::ModelCard if !name.contains('/') && self.card_file.is_none() => {
                self.take_card(file);
                self.card_file = Some(file.path.clone());
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
        match (name, extension.as_str()) {
            ("config.json", _) => {
                if let Some(bytes) = self.bytes(file) {
                    match config::Config::parse(&bytes) {
                        Ok(config) => self.config = config,
                        Err(error) => self.note_unread(file, &error),
                    }
                }
            }
            ("adapter_config.json", _) => self.is_adapter = true,
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
            (_, "gguf") => self.take_gguf(file),
            _ => {}
        }
        if is_config(&file.path)
            && name != "config.json"
            && let Some(bytes) = self.bytes(file)
            && let Err(error) = code_in_config(&file.path, &bytes, |_| false)
        {
            self.note_unread(file, &error);
        }
    }

    /// The front matter of the model card. What of it cannot be used is a note.
    fn take_card(&mut self, file: &Found) {
        let Some(bytes) = self.bytes(file) else { return };
        match card::Card::parse(&bytes) {
            Ok(card::ReadCard { card, aside }) => {
                self.notes.extend(aside.map(|aside| format!("{}: {aside}", file.path)));
                for field in CARD_FIELDS {
                    if let Some(odd) = card.odd(field) {
                        self.notes.push(format!("{}: {field}: expected a text, found {odd}", file.path));
                    }
                }
                self.card = card;
            }
            // Where base models are looked for, this is said of the card at the top.
            Err(_) if file.path.as_str() == "README.md" => {}
            Err(why) => self.notes.push(format!("{}: {why}", file.path)),
        }
    }

    fn take_gguf(&mut self, file: &Found) {
        // What could not be read is said with the base models that it may name.
        let Ok(header) = gguf::Header::read(&file.open) else { return };
        if header.least_length > file.size {
            let (name, expected, found) = (&file.path, header.least_length, file.size);
            let note = format!("{name}: expected at least {expected} bytes by its header, found {found}");
            self.notes.push(note + ": publish will refuse it");
        }
        if !header.is_model() {
            return;
        }
        let is_piece = header.split_count.is_some_and(|count| count > 1);
        self.gguf_parameters = match (self.gguf_parameters, header.parameters) {
            (Some(sum), Some(count)) if is_piece => sum.checked_add(count),
            // A split model can begin with a piece that holds no tensor.
            (sum, count) => sum.or(count),
        };
        if let Some(quantization) = header.quantization.filter(|known| !self.quantizations.contains(known)) {
            self.quantizations.push(quantization);
        }
        if self.gguf.is_none() {
            self.gguf = Some(header);
        }
    }

    fn note_unread(&mut self, file: &Found, error: &NotJson) {
        self.notes.push(format!("{}: not JSON, as Python reads it: {error}", file.path));
    }

    fn bytes(&mut self, file: &Found) -> Option<Vec<u8>> {
        match stele_durable::read_file(&file.open, MAX_TEXT) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.notes.push(error.to_string());
                None
            }
        }
    }

    fn text(&mut self, file: &Found) -> Option<String> {
        self.bytes(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The format of a file of weights: by its content, and by the ending where the content decides nothing.
fn format_of(path: &FilePath, extension: &str, content: Option<Content>) -> Option<&'static str> {
    match content {
        Some(Content::Safetensors) => return Some("safetensors"),
        Some(Content::Gguf) => return Some("gguf"),
        Some(Content::Onnx) => return Some("onnx"),
        Some(Content::Tflite) => return Some("tflite"),
        Some(Content::Unknown) if extension == "bin" => {
            let name = path.as_str();
            let coreml = name.contains(".mlpackage/") || name.contains(".mlmodelc/");
            return if coreml { Some("coreml") } else { name.contains("openvino").then_some("openvino") };
        }
        _ => {}
    }
    if path.file_name().to_ascii_lowercase().ends_with(".onnx.data") {
        return Some("onnx");
    }
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
