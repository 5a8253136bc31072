//! What the files of a folder say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use stele_model_files::bases::{declared_bases, is_merge};
use stele_model_files::config::{AdapterConfig, Config};
use stele_model_files::content::Content;
use stele_model_files::evaluation::EvaluationResult;
use stele_model_files::gguf_models::{GgufFile, GgufModel};
use stele_model_files::licences::LicenceText;
use stele_model_files::origin::Held;
use stele_model_files::parameters::{self, Counted, Parameters};
use stele_model_files::roles::Roles;
use stele_model_files::tool::Tool;
use stele_model_files::{card, evaluation, gguf, licences, onnx, origin, part_lists, safetensors};
use stele_spec::finding::{
    BaseName, CodeReference, DeclaredBase, NotJson, code_in_config, is_config, is_pickle, may_name_code,
};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Role};
use stele_verify::folder::walk::{Found, Walk};

/// The largest config or model card that is read.
const MAX_TEXT: u64 = 4 << 20;

/// The fields of a model card that are used, but for its base models.
const CARD_FIELDS: [&str; 7] =
    ["license", "license_name", "license_link", "base_model_relation", "pipeline_tag", "library_name", "language"];

/// How the files of a whole model begin, by the libraries that write them, whatever other formats lie beside.
const USUAL: [&str; 5] = ["model", "adapter_model", "diffusion_pytorch_model", "pytorch_lora_weights", "consolidated"];

/// The files that quantizers write beside a configuration: GPTQ, AWQ, ModelOpt, and quanto.
const QUANTIZERS: [&str; 5] =
    ["hf_quant_config.json", "quant_config.json", "quantization_map.json", "quanto_qmap.json", "quantize_config.json"];

/// What a folder says.
#[derive(Debug, Default)]
pub struct Facts {
    /// `config.json`.
    pub(super) config: Config,
    /// The front matter of the model card.
    pub(super) card: card::Card,
    /// The GGUF files that are models themselves.
    pub(super) gguf: Vec<GgufModel>,
    /// GGUF files that are adapters.
    pub(super) gguf_adapters: Vec<FilePath>,
    /// GGUF files that steer a model.
    pub(super) control_vectors: Vec<FilePath>,
    /// What makes it another kind of object than a model by itself: a merge, a LoRA, a control vector.
    pub(super) made_of_others: Option<String>,
    /// That weights are quantized which `config.json` does not say.
    pub(super) unsaid_quantization: Option<String>,
    /// The bytes of all weights together.
    pub(super) weights_bytes: u64,
    /// How many parameters, and what says so.
    pub(super) parameters: Parameters,
    /// Where the folder came from.
    pub(super) origin: origin::Origin,
    /// The formats of the weights.
    pub(super) formats: Vec<&'static str>,
    /// Licence texts: those at the top, or all where none is there.
    pub(super) licence_files: Vec<(FilePath, LicenceText)>,
    /// The digest of each licence text that was read.
    pub(super) licence_digests: BTreeMap<String, Digest>,
    pub(super) card_file: Option<FilePath>,
    pub(super) use_policy: Option<FilePath>,
    pub(super) safety_report: Option<FilePath>,
    pub(super) system_prompt: Option<FilePath>,
    pub(super) code: Vec<FilePath>,
    /// What configurations name to be run, each with the file that does.
    pub(super) named_code: Vec<(FilePath, CodeReference)>,
    /// The weights; the file that stands for them comes first.
    pub(super) weights: Vec<FilePath>,
    /// Whether no file stands for the weights: a pipeline has them in several parts.
    pub(super) in_parts: bool,
    pub(super) has_chat_template: bool,
    /// Each `adapter_config.json`.
    pub(super) adapters: Vec<(FilePath, AdapterConfig)>,
    pub(super) evaluations: Vec<FilePath>,
    /// Results in the form of the hub.
    pub(super) results: Vec<(FilePath, EvaluationResult)>,
    /// The base models that files name: model card, adapter config, GGUF header.
    pub(super) bases: Vec<DeclaredBase>,
    /// Where files name a base model by a path on a disk.
    pub(super) base_paths: Vec<DeclaredBase>,
    /// Files of the pickle family: to load one is to run it.
    pub(super) pickles: Vec<FilePath>,
    /// Every file that counts.
    pub(super) files: BTreeSet<String>,
    /// What wrote the model, with its version, and the file that says so.
    pub(super) tool: Option<(Tool, FilePath)>,
    /// What exported a model of ONNX, and the file that says so.
    pub(super) exporter: Option<(Tool, FilePath)>,
    /// Files without a role, the largest first.
    pub(super) without_role: Vec<(u64, FilePath)>,
    /// What could not be read.
    pub notes: Vec<String>,
}

/// What is put together only when all files are read.
#[derive(Default)]
struct Gathered {
    gguf: Vec<GgufFile>,
    tensors: Vec<Counted>,
    totals: BTreeMap<FilePath, u64>,
    /// The folders of the parts that a pipeline names.
    pipeline: BTreeSet<String>,
    /// The file of a quantizer beside the configuration.
    quantizer: Option<FilePath>,
    /// The largest file of weights.
    largest: Option<(u64, FilePath)>,
}

impl Facts {
    pub(super) fn of(root: &Path, walk: &Walk, roles: &Roles) -> Self {
        let mut facts = Self { origin: origin::of(root), ..Self::default() };
        facts.notes.extend(walk.odd.iter().map(|(path, oddity)| format!("{path}: {oddity}: publish will refuse it")));
        let mut gathered = Gathered::default();
        facts.files.extend(walk.files.iter().map(|file| file.path.to_string()));
        for file in &walk.files {
            facts.take(file, roles, &mut gathered);
            facts.take_code(file);
        }
        let named: Vec<_> = walk.files.iter().map(|file| (file.path.clone(), file.open.clone())).collect();
        let declared = declared_bases(&named);
        facts
            .notes
            .extend(declared.unread.iter().chain(&declared.unaddressed).map(|(path, why)| format!("{path}: {why}")));
        (facts.bases, facts.base_paths) =
            declared.bases.into_iter().partition(|base| BaseName::of(&base.name) == BaseName::Model);
        facts.gather(gathered);
        facts.origin.doubt = origin::doubt(root, &facts.origin, &facts.weights, Held::Some);
        let all: Vec<FilePath> = walk.files.iter().map(|file| file.path.clone()).collect();
        facts.origin.files_doubt = origin::doubt(root, &facts.origin, &all, Held::All);
        facts.formats.sort_unstable();
        facts.formats.dedup();
        facts.without_role.sort_by(|a, b| b.cmp(a));
        let at_top = |path: &FilePath| !path.as_str().contains('/');
        if facts.licence_files.iter().any(|(path, _)| at_top(path)) {
            facts.licence_files.retain(|(path, _)| at_top(path));
        }
        facts
    }

    fn gather(&mut self, gathered: Gathered) {
        let Gathered { gguf, tensors, totals, pipeline, quantizer, largest } = gathered;
        self.gguf = GgufModel::all(gguf);
        self.parameters = parameters::count(&tensors, &totals, &self.config, &pipeline);
        self.parts_without_count(&pipeline, &tensors);
        self.made_of_others = self.made_of_others(&tensors);
        let packed = |file: &&Counted| file.tensors.is_some_and(|tensors| tensors.is_packed());
        self.unsaid_quantization = match (quantizer, tensors.iter().find(packed)) {
            _ if self.config.quantization.is_some() => None,
            (Some(path), _) => Some(format!("{path} is that of a quantization, and config.json says none")),
            (None, Some(file)) => Some(format!(
                "the weights in {} are packed or have scales, and config.json says no quantization",
                file.path
            )),
            (None, None) => None,
        };
        let of_gguf = |models: &[GgufModel]| {
            let mut counts = models.iter().map(GgufModel::parameters);
            let first = counts.next().flatten();
            // Quantizations of one model have as many numbers each.
            first.filter(|_| counts.all(|count| count == first))
        };
        if self.parameters == Parameters::None
            && let Some(model) = self.gguf.first()
        {
            self.parameters = match of_gguf(&self.gguf) {
                Some(count) => Parameters::Known { count, from: model.path().to_string() },
                None => Parameters::Open("the GGUF files are not one model, or not all of it".to_owned()),
            };
        }
        // Beside weights of other names and formats, a file under a name of its own may be a part of them.
        let main = parameters::main_file(&tensors);
        let is_usual = main.is_none_or(|path| USUAL.iter().any(|stem| path.file_name().starts_with(stem)));
        let beside = self.formats.iter().find(|format| !matches!(**format, "safetensors" | "gguf"));
        if let (Parameters::Known { .. }, false, Some(path), Some(format)) = (&self.parameters, is_usual, main, beside)
        {
            self.parameters =
                Parameters::Open(format!("there are weights in {format} beside {path}: are they the same?"));
        }
        let others = self.formats.iter().any(|format| *format != "gguf");
        let main = match main {
            Some(path) => Some(path.clone()),
            None if !others => self.gguf.first().map(|model| model.path().clone()),
            None => largest.map(|(_, path)| path),
        };
        let has_weights = |folder: &&String| self.weights.iter().any(|path| path.as_str().starts_with(folder.as_str()));
        self.in_parts = pipeline.iter().filter(has_weights).count() > 1;
        if let Some(at) = main.and_then(|main| self.weights.iter().position(|path| *path == main)) {
            self.weights.swap(0, at);
        }
    }

    /// Where a part of a pipeline has its weights in another format, the count is not that of all.
    fn parts_without_count(&mut self, pipeline: &BTreeSet<String>, counted: &[Counted]) {
        let is_in =
            |folder: &str, path: &FilePath| path.as_str().strip_prefix(folder).is_some_and(|name| !name.contains('/'));
        let is_open = |folder: &&String| {
            self.weights.iter().any(|path| is_in(folder, path)) && !counted.iter().any(|file| is_in(folder, &file.path))
        };
        if let (Parameters::Known { .. }, Some(folder)) = (&self.parameters, pipeline.iter().find(is_open)) {
            self.parameters = Parameters::Open(format!("the weights in {folder} are no safetensors"));
        }
    }

    /// What says that the weights are made of other models, or belong to one.
    fn made_of_others(&self, tensors: &[Counted]) -> Option<String> {
        // By its recipe, even one that names no model.
        const RELATIONS: [&str; 4] = ["adapter", "finetune", "merge", "quantized"];
        let named = |names: &[&str]| {
            self.files.iter().find(|path| names.iter().any(|name| path.rsplit('/').next() == Some(*name)))
        };
        if let Some(path) = self.files.iter().find(|path| path.parse().is_ok_and(|path| is_merge(&path))) {
            return Some(format!("{path} is that of a merge"));
        }
        if let Some(path) = named(&["pytorch_lora_weights.safetensors", "pytorch_lora_weights.bin"]) {
            return Some(format!("{path} is that of a LoRA"));
        }
        if let Some(file) = tensors.iter().find(|file| file.tensors.is_some_and(|tensors| tensors.has_lora)) {
            return Some(format!("{} has tensors of a LoRA", file.path));
        }
        if let Some(path) = self.control_vectors.first() {
            return Some(format!("{path} is a control vector, which steers another model"));
        }
        let relation = self.card.first("base_model_relation").filter(|said| RELATIONS.contains(&said.as_str()));
        relation.map(|relation| format!("the model card says base_model_relation {relation}"))
    }

    /// What made the model, as far as a file says so. Of several the one that knows most of the model counts.
    fn take_tool(&mut self, file: &Found) {
        if Tool::is_named_in(&file.path)
            && let Some(bytes) = self.bytes(file)
            && let Some(tool) = Tool::of(&file.path, &bytes)
            && self.tool.as_ref().is_none_or(|(known, _)| *known < tool)
        {
            self.tool = Some((tool, file.path.clone()));
        }
    }

    fn take(&mut self, file: &Found, roles: &Roles, gathered: &mut Gathered) {
        let content = roles.files.get(&file.path).and_then(|assigned| assigned.content);
        if content.and_then(|content| content.is_pickle(&file.path)).unwrap_or_else(|| is_pickle(&file.path)) {
            self.pickles.push(file.path.clone());
        }
        let name = file.path.as_str();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let role = roles.of(&file.path);
        match role {
            Role::Weights => {
                let named = roles.parts.named.get(&file.path).and_then(part_lists::format);
                self.formats.extend(named.or_else(|| format_of(&file.path, &extension, content)));
                self.weights.push(file.path.clone());
                self.weights_bytes = self.weights_bytes.saturating_add(file.size);
                // What macOS leaves beside a file is none.
                if !file.path.file_name().starts_with("._")
                    && gathered.largest.as_ref().is_none_or(|(size, _)| file.size > *size)
                {
                    gathered.largest = Some((file.size, file.path.clone()));
                }
            }
            // What is attributed to others is no licence of this.
            Role::Licence if file.path.file_name().to_ascii_lowercase().starts_with("notice") => {}
            Role::Licence => {
                let bytes = self.bytes(file);
                let digest = bytes.as_deref().map(|bytes| (name.to_owned(), Digest::of(bytes)));
                self.licence_digests.extend(digest);
                let text = bytes.map_or(LicenceText::Unreadable, |bytes| licences::of_text(&bytes));
                self.licence_files.push((file.path.clone(), text));
            }
            Role::ModelCard if !name.contains('/') && (self.card_file.is_none() || name == "README.md") => {
                self.take_card(file);
                self.card_file = Some(file.path.clone());
            }
            Role::Safety if is_use_policy(&file.path) => self.use_policy = Some(file.path.clone()),
            Role::Safety if self.safety_report.is_none() => self.safety_report = Some(file.path.clone()),
            Role::SystemPrompt => self.system_prompt = Some(file.path.clone()),
            Role::ChatTemplate => self.has_chat_template = true,
            Role::Code => self.code.push(file.path.clone()),
            Role::Evaluation => self.take_evaluation(file),
            Role::Other => self.without_role.push((file.size, file.path.clone())),
            _ => {}
        }
        self.take_tool(file);
        match (name, extension.as_str()) {
            ("config.json", _) => {
                // What cannot be read is said where code is looked for.
                let config = self.bytes(file).and_then(|bytes| Config::parse(&bytes).ok());
                self.config = config.unwrap_or_default();
            }
            (_, "json") if file.path.file_name() == "adapter_config.json" => {
                let config = self.bytes(file).and_then(|bytes| AdapterConfig::parse(&bytes).ok());
                self.adapters.push((file.path.clone(), config.unwrap_or_default()));
            }
            ("model_index.json" | "modules.json", _) => {
                let parts = self.bytes(file).map(|bytes| parameters::parts_of_pipeline(&bytes));
                gathered.pipeline.extend(parts.unwrap_or_default());
            }
            (name, "json") if QUANTIZERS.contains(&name) => gathered.quantizer = Some(file.path.clone()),
            ("tokenizer_config.json", _) => {
                let template =
                    self.bytes(file).map(|bytes| String::from_utf8_lossy(&bytes).contains("\"chat_template\""));
                self.has_chat_template |= template.unwrap_or_default();
            }
            (_, "safetensors") if role == Role::Weights => {
                let tensors = match safetensors::tensors(&file.open, file.size) {
                    Ok(tensors) => Some(tensors),
                    // What stands in its place is said by its name.
                    Err(_) if content.is_some_and(|content| content != Content::Safetensors) => None,
                    Err(error) => {
                        self.notes.push(format!("{name}: {error}"));
                        None
                    }
                };
                gathered.tensors.push(Counted { path: file.path.clone(), tensors });
            }
            (_, "json") if name.ends_with(".safetensors.index.json") => {
                // What cannot be read is said with the parts that it names.
                if let Ok(Some(total)) = parameters::total_parameters(file) {
                    gathered.totals.insert(file.path.clone(), total);
                }
            }
            (_, "onnx") if role == Role::Weights && self.exporter.is_none() => {
                let produced = File::open(&file.open).and_then(|open| onnx::producer(open, file.size));
                let tool = produced.ok().and_then(|(name, version)| Tool::of_producer(&name, &version));
                self.exporter = tool.map(|tool| (tool, file.path.clone()));
            }
            (_, "gguf") => self.take_gguf(file, gathered),
            _ => {}
        }
    }

    /// What a configuration names to be run. One that cannot be read is a note.
    fn take_code(&mut self, file: &Found) {
        // A tokenizer or a table that is longer is no configuration.
        let is_read = may_name_code(&file.path) && (file.size <= MAX_TEXT || is_config(&file.path));
        let Some(bytes) = is_read.then(|| self.bytes(file)).flatten() else { return };
        match code_in_config(&file.path, &bytes, |path| self.files.contains(path)) {
            Ok(named) => self.named_code.extend(named.into_iter().map(|code| (file.path.clone(), code))),
            Err(error) if is_config(&file.path) => self.note_unread(file, &error),
            Err(_) => {}
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

    fn take_gguf(&mut self, file: &Found, gathered: &mut Gathered) {
        // What could not be read is said with the base models that it may name.
        let Ok(header) = gguf::Header::read(&file.open) else { return };
        if header.least_length > file.size {
            let (name, expected, found) = (&file.path, header.least_length, file.size);
            let note = format!("{name}: expected at least {expected} bytes by its header, found {found}");
            self.notes.push(note + ": publish will refuse it");
        }
        if header.is_model() {
            gathered.gguf.push(GgufFile { path: file.path.clone(), header });
        } else if header.is_adapter() {
            self.gguf_adapters.push(file.path.clone());
        } else if header.is_control_vector() {
            self.control_vectors.push(file.path.clone());
        }
    }

    fn take_evaluation(&mut self, file: &Found) {
        self.evaluations.push(file.path.clone());
        if !evaluation::is_result(&file.path) {
            return;
        }
        let Some(bytes) = self.bytes(file) else { return };
        match evaluation::results(&bytes) {
            Ok(results) => self.results.extend(results.into_iter().map(|result| (file.path.clone(), result))),
            Err(why) => self.notes.push(format!("{}: {why}", file.path)),
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

    /// Whether a name is that of a file of the folder.
    pub(super) fn has_file(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    /// Whether the release is an adapter, and the file that says so. A model with an adapter beside it is none.
    pub(super) fn adapter(&self) -> Option<&FilePath> {
        if let [path, ..] = self.gguf_adapters.as_slice() {
            return Some(path)
                .filter(|_| self.gguf.is_empty() && self.adapters.is_empty() && self.config.architecture.is_none());
        }
        let is_of_adapter = |weights: &FilePath| {
            let folder =
                |path: &FilePath| path.as_str().rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
            // `adapter_model` of PEFT, `adapters` and `0000100_adapters` of mlx-lm, `pytorch_adapter` of AdapterHub.
            let named = weights.file_name().to_ascii_lowercase().contains("adapter");
            named && self.adapters.iter().any(|(config, _)| folder(config) == folder(weights))
        };
        let alone =
            self.weights.iter().all(is_of_adapter) && (!self.weights.is_empty() || self.config.architecture.is_none());
        self.adapters.first().map(|(path, _)| path).filter(|_| alone)
    }
}

/// Whether a file is a policy on uses, by its name.
fn is_use_policy(path: &FilePath) -> bool {
    let name = path.file_name().to_ascii_lowercase().replace('-', "_");
    ["use_policy", "usage_policy", "acceptable_use"].iter().any(|word| name.contains(word))
}

/// The format of a file of weights: by its content, and by the ending where the content decides nothing.
fn format_of(path: &FilePath, extension: &str, content: Option<Content>) -> Option<&'static str> {
    match content {
        Some(Content::Safetensors) => return Some("safetensors"),
        Some(Content::Gguf) => return Some("gguf"),
        Some(Content::Onnx) => return Some("onnx"),
        Some(Content::Tflite) if extension != "task" => return Some("tflite"),
        Some(Content::MessagePack | Content::Zip) if extension == "bin" => return None,
        Some(Content::Unknown) if extension == "bin" => {
            let name = path.as_str();
            let coreml = name.contains(".mlpackage/") || name.contains(".mlmodelc/");
            return if coreml { Some("coreml") } else { name.contains("openvino").then_some("openvino") };
        }
        _ => {}
    }
    let name = path.file_name().to_ascii_lowercase();
    if name.ends_with(".onnx.data") || name.contains(".onnx_data") || name.contains(".onnx.data_") {
        return Some("onnx");
    }
    if path.as_str().contains(".mlmodelc/") || path.as_str().contains(".mlpackage/") {
        return Some("coreml");
    }
    if name == "saved_model.pb" || name.contains(".data-0") {
        return Some("tensorflow");
    }
    Some(match extension {
        "safetensors" => "safetensors",
        "gguf" => "gguf",
        "ggml" => "ggml",
        "onnx" | "onnx_data" => "onnx",
        "bin" | "pt" | "pth" | "ckpt" | "pkl" | "pickle" => "pytorch",
        "pt2" => "pt2",
        "jit" | "torchscript" | "ptl" => "torchscript",
        "pte" | "ptd" => "executorch",
        "skops" => "skops",
        "task" | "litertlm" => "litert",
        "mlmodel" => "coreml",
        "h5" | "hdf5" | "keras" => "keras",
        "tflite" => "tflite",
        "msgpack" => "flax",
        "npz" | "npy" => "numpy",
        "nemo" => "nemo",
        _ => return None,
    })
}
