//! How many parameters the safetensors files of a folder are: each weight once, unpacked. What is not certain is left open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read as _};

use serde::Deserialize;
use serde::de::IgnoredAny;
use stele_spec::finding::Json;
use stele_spec::manifest::FilePath;
use stele_verify::folder::walk::Found;

use crate::config::Config;
use crate::parts::numbered;
use crate::safetensors::Tensors;

/// The longest index that is read.
const MAX_INDEX: u64 = 128 << 20;
/// Quantizations whose packing is known, by the first word of what a configuration says.
const KNOWN: [&str; 7] = ["gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors", "mxfp4", "modelopt"];

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Parameters {
    /// So many.
    Known {
        /// How many.
        count: u64,
        /// What says so: a file, or several.
        from: String,
    },
    /// It is not known, for a reason that a person should know.
    Open(String),
    /// There are no safetensors files.
    #[default]
    None,
}

impl Parameters {
    /// How many, where that is known.
    pub fn known(&self) -> Option<u64> {
        match self {
            Self::Known { count, .. } => Some(*count),
            Self::Open(_) | Self::None => None,
        }
    }
}

/// A safetensors file of weights; without its tensors where its header cannot be read.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Where it is.
    pub path: FilePath,
    /// What it holds.
    pub tensors: Option<Tensors>,
}

/// `metadata.total_parameters` of an index of shards, which Transformers writes.
pub fn total_parameters(index: &Found) -> io::Result<Option<u64>> {
    #[derive(Deserialize)]
    struct Index {
        #[serde(default)]
        metadata: Option<Metadata>,
        #[serde(default, rename = "weight_map")]
        _weight_map: IgnoredAny,
    }
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        total_parameters: Option<u64>,
    }
    if index.size > MAX_INDEX {
        return Ok(None);
    }
    let read: Index = serde_json::from_reader(BufReader::new(File::open(&index.open)?.take(MAX_INDEX)))?;
    Ok(read.metadata.and_then(|metadata| metadata.total_parameters))
}

/// The folders of the parts that a pipeline names, each with its slash and the top without: `model_index.json` of diffusers names each
/// part with its class, `modules.json` of sentence-transformers lists them. None where it names none, or cannot be read.
pub fn parts_of_pipeline(bytes: &[u8]) -> BTreeSet<String> {
    let folder = |name: &str| {
        let name = name.trim_end_matches('/');
        if name.is_empty() { String::new() } else { format!("{name}/") }
    };
    let is_class = |part: &Json| part.as_list().is_some_and(|list| list.iter().any(|word| word.as_str().is_some()));
    match Json::parse(bytes) {
        Ok(Json::Map(parts)) => {
            let named = parts.iter().filter(|(name, part)| !name.starts_with('_') && is_class(part));
            named.map(|(name, _)| folder(name)).collect()
        }
        Ok(Json::List(modules)) => {
            modules.iter().filter_map(|module| module.get("path")?.as_str().map(folder)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Counts the parameters. `totals` are what indexes say; `pipeline` are the folders of the parts that together are the model, where it
/// is made of parts.
pub fn count(
    files: &[Counted],
    totals: &BTreeMap<FilePath, u64>,
    config: &Config,
    pipeline: &BTreeSet<String>,
) -> Parameters {
    let mut sets = sets(files);
    // What no part names is the same once more: the whole in one file, another version of a part, a checkpoint.
    if sets.len() > 1 && sets.iter().any(|set| pipeline.contains(set.folder)) {
        sets.retain(|set| pipeline.contains(set.folder));
    }
    let mut folders: BTreeMap<&str, Vec<&Set<'_>>> = BTreeMap::new();
    sets.iter().for_each(|set| folders.entry(set.folder).or_default().push(set));
    let several = |sets: &[&Set<'_>]| {
        let names: Vec<String> = sets.iter().take(3).map(|set| format!("{}{}", set.folder, set.stem)).collect();
        Parameters::Open(format!("several sets of weights, {}: are they parts, or the same twice?", names.join(", ")))
    };
    match (sets.as_slice(), !pipeline.is_empty()) {
        ([], _) => return Parameters::None,
        ([_], _) => {}
        (_, true) if folders.values().all(|sets| sets.len() == 1) => {}
        (all, _) => return several(&all.iter().collect::<Vec<_>>()),
    }
    let mut sum = 0_u64;
    let mut from = Vec::new();
    for set in &sets {
        match set.count(totals, config) {
            Ok((count, file)) => {
                let Some(next) = sum.checked_add(count) else {
                    return Parameters::Open("more numbers than there can be".to_owned());
                };
                sum = next;
                from.push(file);
            }
            Err(why) => return Parameters::Open(why),
        }
    }
    let from = match from.as_slice() {
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
        [] => return Parameters::None,
    };
    Parameters::Known { count: sum, from }
}

/// The file that stands for the weights: the first of the first set.
pub fn main_file(files: &[Counted]) -> Option<&FilePath> {
    sets(files).first().and_then(|set| set.files.first()).map(|file| &file.path)
}

/// Files that are one set of weights: one file, or shards.
struct Set<'a> {
    /// With its slash; empty at the top.
    folder: &'a str,
    /// The name without number and ending.
    stem: &'a str,
    files: Vec<&'a Counted>,
    /// Of how many shards it is.
    shards: usize,
}

impl Set<'_> {
    /// Its parameters, and the file that says so.
    fn count(&self, totals: &BTreeMap<FilePath, u64>, config: &Config) -> Result<(u64, String), String> {
        let first = self.files.first().map(|file| file.path.to_string()).unwrap_or_default();
        let mut tensors = Tensors::default();
        for file in &self.files {
            let more = file.tensors.ok_or_else(|| format!("{} could not be read", file.path))?;
            tensors = tensors.and(more).ok_or_else(|| "more numbers than there can be".to_owned())?;
        }
        let is_quantized = config.quantization.is_some() || tensors.is_packed();
        if is_quantized {
            if self.files.len() < self.shards {
                return Err(format!("{} of {} shards of {} are here", self.files.len(), self.shards, self.stem));
            }
            let count = unpacked(&tensors, config)?;
            return Ok((count, self.headers(first, ", unpacked")));
        }
        let index = format!("{}{}.safetensors.index.json", self.folder, self.stem);
        if let Some((path, total)) =
            totals.get_key_value(&index.parse().map_err(|_| "an index without a name".to_owned())?)
        {
            // The headers are what is there; with shards missing, no more can be held against the index.
            let is_whole = self.files.len() >= self.shards;
            let learned = tensors.numbers.saturating_sub(tensors.buffers);
            if !is_whole && *total >= learned || is_whole && (*total == learned || *total == tensors.numbers) {
                return Ok((*total, format!("metadata.total_parameters of {path}")));
            }
            return Err(format!("{path} says {total} parameters, and the headers have {} numbers", tensors.numbers));
        }
        if self.files.len() < self.shards {
            return Err(format!("{} of {} shards of {} are here", self.files.len(), self.shards, self.stem));
        }
        let learned = tensors.numbers.checked_sub(tensors.buffers);
        let learned = learned.ok_or_else(|| "more buffers than numbers".to_owned())?;
        Ok((learned, self.headers(first, "")))
    }

    fn headers(&self, first: String, how: &str) -> String {
        match self.files.len() {
            0 | 1 => format!("{first}{how}"),
            many => format!("{first} and {} more{how}", many - 1),
        }
    }
}

/// The numbers of the model that was quantized.
fn unpacked(tensors: &Tensors, config: &Config) -> Result<u64, String> {
    let said = config.quantization.as_deref().unwrap_or_default();
    let method = said.split([',', ' ', '_']).next().unwrap_or_default();
    let open = || {
        let what = if said.is_empty() { "a quantization that config.json does not say" } else { said };
        format!("the weights are packed by {what}, so that their numbers are not those of the model")
    };
    // Packing without words or bytes is in pairs, which needs no bits.
    let is_plain = said.is_empty() && tensors.packed_words == 0 && tensors.bytes == 0;
    let is_mlx = tensors.mlx_words > 0 && tensors.packed_words == 0 && tensors.bytes == 0;
    if !(KNOWN.contains(&method) || method == "fbgemm" || is_plain || is_mlx) {
        return Err(open());
    }
    let in_words = |words: u64| match (words, config.bits) {
        (0, _) => Some(0),
        (words, Some(bits @ (2..=6 | 8))) => words.checked_mul(32).filter(|all| all % bits == 0).map(|all| all / bits),
        _ => None,
    };
    let biases = if is_mlx { 0 } else { tensors.biases };
    let bytes = match (tensors.bytes, config.bits) {
        (0, _) => Some(0),
        (bytes, Some(4)) if method == "bitsandbytes" => bytes.checked_mul(2),
        (bytes, Some(8)) => Some(bytes),
        _ => None,
    };
    let pairs = tensors.packed_pairs.checked_mul(2);
    let (words, mlx) = (in_words(tensors.packed_words), in_words(tensors.mlx_words));
    let sum = [words, mlx, bytes, pairs, Some(biases)]
        .into_iter()
        .try_fold(tensors.plain, |sum, more| sum.checked_add(more?));
    sum.filter(|sum| *sum > 0).ok_or_else(open)
}

/// The sets of weights, each weight in one: variants (`model.fp16`), what Mistral consolidates and checkpoints of training are the
/// same weights again.
fn sets(files: &[Counted]) -> Vec<Set<'_>> {
    let mut sets: BTreeMap<(&str, &str), Set<'_>> = BTreeMap::new();
    let is_checkpoint = |path: &FilePath| {
        let number = |name: &str| {
            let rest = name.strip_prefix("checkpoint-").or_else(|| name.strip_prefix("checkpoint_"));
            rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        // Of mlx-lm: `0000100_adapters.safetensors` beside `adapters.safetensors`.
        let of_mlx = path.file_name().strip_suffix("_adapters.safetensors");
        path.as_str().rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(number))
            || of_mlx.is_some_and(|step| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let all_are = files.iter().all(|file| is_checkpoint(&file.path));
    for file in files.iter().filter(|file| all_are || !is_checkpoint(&file.path)) {
        let path = file.path.as_str();
        let at = path.rfind('/').map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(at);
        let (stem, shards) = match numbered(name) {
            Some(numbered) => (numbered.stem, numbered.count as usize),
            None => (name.rsplit_once('.').map_or(name, |(stem, _)| stem), 1),
        };
        let set = sets.entry((folder, stem)).or_insert_with(|| Set { folder, stem, files: Vec::new(), shards });
        set.shards = set.shards.max(shards);
        set.files.push(file);
    }
    let names: Vec<(&str, &str)> = sets.keys().copied().collect();
    let is_again = |folder: &str, stem: &str| {
        let others = || names.iter().filter(|(other, name)| *other == folder && *name != stem);
        let is_variant = stem.rsplit_once('.').is_some_and(|(base, _)| others().any(|(_, name)| *name == base));
        let is_consolidated = |name: &str| name == "consolidated" || name.starts_with("consolidated.");
        is_variant || is_consolidated(stem) && others().any(|(_, name)| !is_consolidated(name))
    };
    sets.into_values().filter(|set| !is_again(set.folder, set.stem)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(numbers: u64) -> Tensors {
        Tensors { numbers, plain: numbers, ..Tensors::default() }
    }

    fn files(list: &[(&str, Tensors)]) -> Vec<Counted> {
        list.iter().map(|(path, tensors)| Counted { path: path.parse().unwrap(), tensors: Some(*tensors) }).collect()
    }

    fn counted(list: &[(&str, u64)], totals: &[(&str, u64)], pipeline: &[&str]) -> Option<u64> {
        let list: Vec<_> = list.iter().map(|(path, numbers)| (*path, plain(*numbers))).collect();
        let totals = totals.iter().map(|(path, total)| (path.parse().unwrap(), *total)).collect();
        let pipeline = pipeline.iter().map(|folder| (*folder).to_owned()).collect();
        match count(&files(&list), &totals, &Config::default(), &pipeline) {
            Parameters::Known { count, .. } => Some(count),
            Parameters::Open(_) | Parameters::None => None,
        }
    }

    #[test]
    fn what_may_be_the_same_twice_or_not_all_is_open() {
        for list in [
            &[("a.safetensors", 7), ("b.safetensors", 7)][..],
            &[("model.safetensors", 7), ("unet/model.safetensors", 7)],
            &[("model-00001-of-00002.safetensors", 7)],
            &[("x.fp16.safetensors", 7), ("x.bf16.safetensors", 7)],
            &[("adapter_model.safetensors", 1), ("model.safetensors", 7)],
        ] {
            assert_eq!(counted(list, &[], &[]), None, "{list:?}");
        }
        let twice = [("unet/a.safetensors", 7), ("unet/b.safetensors", 9), ("vae/m.safetensors", 9)];
        assert_eq!(counted(&twice, &[], &["unet/", "vae/"]), None, "a part that is there twice");
        for total in [1, 60, 101] {
            let index = [("model.safetensors.index.json", total)];
            assert_eq!(counted(&[("model-00001-of-00001.safetensors", 100)], &index, &[]), None, "an index of {total}");
        }
        let unread = [Counted { path: "model.safetensors".parse().unwrap(), tensors: None }];
        assert!(matches!(count(&unread, &BTreeMap::new(), &Config::default(), &BTreeSet::new()), Parameters::Open(_)));
    }

    #[test]
    fn each_weight_counts_once() {
        for (list, expected) in [
            (&[("model.safetensors", 7)][..], 7),
            (&[("model-00001-of-00002.safetensors", 3), ("model-00002-of-00002.safetensors", 4)], 7),
            (&[("model-00001-of-00001.safetensors", 7), ("consolidated.safetensors", 7)], 7),
            (&[("model.safetensors", 7), ("model.fp16.safetensors", 7), ("model.non_ema.safetensors", 8)], 7),
            (
                &[
                    ("model.safetensors", 7),
                    ("checkpoint-500/model.safetensors", 7),
                    ("a/checkpoint-9/x.safetensors", 7),
                ],
                7,
            ),
            (&[("checkpoint-500/model.safetensors", 7)], 7),
        ] {
            assert_eq!(counted(list, &[], &[]), Some(expected), "{list:?}");
        }
        let parts = [("unet/m.safetensors", 7), ("unet/m.fp16.safetensors", 7), ("vae/m.safetensors", 2)];
        assert_eq!(counted(&parts, &[], &["unet/", "vae/"]), Some(9));
        let more = [
            ("all.safetensors", 9),
            ("all-emaonly.safetensors", 9),
            ("unet/m.safetensors", 7),
            ("vae/m.safetensors", 2),
            ("vae_1_0/m.safetensors", 2),
        ];
        assert_eq!(counted(&more, &[], &["unet/", "vae/"]), Some(9), "what no part names is the same once more");
        let modules = [("model.safetensors", 7), ("2_Dense/model.safetensors", 2), ("epoch-1/model.safetensors", 7)];
        assert_eq!(counted(&modules, &[], &["", "1_Pooling/", "2_Dense/"]), Some(9));
        let shards = [("model-00001-of-00002.safetensors", 40), ("model-00002-of-00002.safetensors", 60)];
        let index = [("model.safetensors.index.json", 100)];
        assert_eq!(counted(&shards, &index, &[]), Some(100));
        assert_eq!(counted(&shards[..1], &index, &[]), Some(100), "one shard of a model that says how large it is");
    }

    #[test]
    fn a_pipeline_names_its_parts() {
        let of = |text: &str| parts_of_pipeline(text.as_bytes()).into_iter().collect::<Vec<_>>();
        let index = r#"{"_class_name": "P", "unet": ["diffusers", "U"], "vae": ["diffusers", "V"], "safety_checker": [null, null], "requires": true}"#;
        assert_eq!(of(index), ["unet/", "vae/"]);
        let modules = r#"[{"idx": 0, "path": "", "type": "T"}, {"idx": 1, "path": "1_Pooling", "type": "P"}]"#;
        assert_eq!(of(modules), ["", "1_Pooling/"]);
        assert_eq!(of("[]").len() + of("{").len(), 0);
    }

    #[test]
    fn packed_weights_are_unpacked_or_open() {
        let count = |tensors: Tensors, quantization: &str, bits: Option<u64>| {
            let quantization = Some(quantization.to_owned()).filter(|said| !said.is_empty());
            let config = Config { quantization, bits, ..Config::default() };
            match super::count(&files(&[("model.safetensors", tensors)]), &BTreeMap::new(), &config, &BTreeSet::new()) {
                Parameters::Known { count, .. } => Some(count),
                _ => None,
            }
        };
        // A layer of 1024 x 1024 in 4 bits, with scales, zeros and the order of its groups.
        let layer =
            Tensors { packed_words: 131_072, plain: 10, has_scales: true, numbers: 141_322, ..Tensors::default() };
        let million = 1 << 20;
        assert_eq!(count(layer, "gptq, 4 bits", Some(4)), Some(million + 10));
        assert_eq!(count(layer, "awq, 4 bits", Some(4)), Some(million + 10));
        assert_eq!(count(layer, "gptq", None), None);
        assert_eq!(count(layer, "", None), None);
        assert_eq!(count(layer, "vptq, 4 bits", Some(4)), None);
        let bytes = Tensors { bytes: 500, plain: 10, has_scales: true, numbers: 600, ..Tensors::default() };
        assert_eq!(count(bytes, "bitsandbytes, 4 bits", Some(4)), Some(1_010));
        assert_eq!(count(bytes, "bitsandbytes, 8 bits", Some(8)), Some(510));
        assert_eq!(count(bytes, "compressed-tensors, 4 bits", Some(4)), None);
        let floats = Tensors { plain: 100, has_scales: true, numbers: 104, ..Tensors::default() };
        assert_eq!(count(floats, "fp8", None), Some(100));
        let mlx =
            Tensors { mlx_words: 2048, plain: 64, biases: 256, has_scales: true, numbers: 2624, ..Tensors::default() };
        assert_eq!(count(mlx, "4 bits", Some(4)), Some(16_448));
        assert_eq!(count(mlx, "several numbers of bits", None), None);
        assert_eq!(count(mlx, "", None), None);
        let pairs = Tensors { packed_pairs: 50, plain: 10, has_scales: true, numbers: 64, ..Tensors::default() };
        assert_eq!(count(pairs, "mxfp4", None), Some(110));
    }
}
