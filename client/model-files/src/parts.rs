//! Which other files a file of weights is made of: what an index, a model of ONNX, a split GGUF and the lists of libraries name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use stele_spec::finding::Json;
use stele_spec::manifest::{FilePath, Role};
use stele_verify::folder::walk::Found;

use crate::{gguf, onnx, part_lists};

/// The longest index that is read: one of a million tensors is shorter.
const MAX_INDEX: u64 = 128 << 20;
/// The most parts that one file may name.
const MAX_PARTS: usize = 100_000;

/// What the files of a folder name as their parts.
#[derive(Debug, Default)]
pub struct Parts {
    /// Each part that is named, whether or not it is there, and the first file that names it.
    pub named: BTreeMap<FilePath, FilePath>,
    /// How many bytes a part must have at least, by the file that names it.
    pub least: BTreeMap<FilePath, u64>,
    /// Names that lead out of the folder or are no paths, with the files that say them.
    pub outside: Vec<(FilePath, String)>,
    /// What could not be read, and why.
    pub unread: Vec<(FilePath, String)>,
}

impl Parts {
    /// Parts that are named and are none of these files, each with the file that names it.
    pub fn missing<'a>(&'a self, files: &'a [Found]) -> impl Iterator<Item = (&'a FilePath, &'a FilePath)> {
        let here: BTreeSet<&FilePath> = files.iter().map(|file| &file.path).collect();
        self.named.iter().filter(move |(part, _)| !here.contains(part))
    }

    fn take(&mut self, by: &FilePath, name: &str, least: u64) {
        let folder = by.as_str().rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        let name = name.strip_prefix("./").unwrap_or(name);
        match format!("{folder}{name}").parse::<FilePath>() {
            Ok(path) => {
                if least > 0 {
                    let known = self.least.entry(path.clone()).or_default();
                    *known = (*known).max(least);
                }
                self.named.entry(path).or_insert_with(|| by.clone());
            }
            Err(_) if self.outside.len() < MAX_PARTS => {
                self.outside.push((by.clone(), name.chars().take(200).collect()));
            }
            Err(_) => {}
        }
    }
}

/// Reads what files name as their parts.
pub fn parts(files: &[Found]) -> Parts {
    let mut parts = Parts::default();
    let here: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for file in files {
        let name = file.path.file_name().to_ascii_lowercase();
        if name.ends_with(".onnx") {
            match File::open(&file.open).and_then(|open| onnx::external_data(open, file.size)) {
                Ok(found) => found.iter().for_each(|(name, least)| parts.take(&file.path, name, *least)),
                Err(error) => parts.unread.push((file.path.clone(), error.to_string())),
            }
            continue;
        }
        let read = if matches!(name.as_str(), "ndarray-cache.json" | "tensor-cache.json") {
            of_records(file)
        } else if name.ends_with(".json") && Role::of_path(&file.path) == Role::WeightsIndex {
            of_index(file)
        } else if name == "model.weights.json" {
            of_keras(file)
        } else if name.ends_with(".gguf") {
            of_gguf(file)
        } else if let Some(names) = part_lists::of(file, &here) {
            Ok(names)
        } else {
            continue;
        };
        match read {
            Ok(names) if names.is_empty() && is_of_weights(&name) => {
                parts.unread.push((file.path.clone(), "it names no file of weights".to_owned()));
            }
            Ok(names) => names.iter().for_each(|name| parts.take(&file.path, name, 0)),
            Err(error) => parts.unread.push((file.path.clone(), error.to_string())),
        }
    }
    for (by, names) in of_numbers(files) {
        names.iter().for_each(|name| parts.take(by, name, 0));
    }
    parts
}

/// Whether an index is one of weights, by the name before its end: `model.safetensors.index.json`. The name is in lower case.
fn is_of_weights(name: &str) -> bool {
    let indexed = name.strip_suffix(".json").and_then(|rest| rest.rsplit_once(".index")).map(|(indexed, _)| indexed);
    indexed.and_then(|indexed| indexed.parse().ok()).is_some_and(|path| Role::of_path(&path) == Role::Weights)
}

/// The shards that numbered names speak of, also without an index: all of a set, with one file of it.
fn of_numbers(files: &[Found]) -> Vec<(&FilePath, Vec<String>)> {
    let mut sets: BTreeMap<(&str, u32, &str), (&FilePath, bool)> = BTreeMap::new();
    for file in files.iter().filter(|file| Role::of_path(&file.path) == Role::Weights) {
        let Some(Numbered { stem, number, count, end }) = numbered(file.path.as_str()) else { continue };
        let (_, from_zero) = sets.entry((stem, count, end)).or_insert((&file.path, false));
        *from_zero |= number == 0;
    }
    let mut named = 0;
    let mut found = Vec::new();
    for ((stem, count, end), (by, from_zero)) in sets {
        named += count as usize;
        if named > MAX_PARTS {
            break;
        }
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        let numbers = if from_zero { 0..count } else { 1..count + 1 };
        found.push((by, numbers.map(|number| format!("{stem}-{number:05}-of-{count:05}{end}")).collect()));
    }
    found
}

/// `model-00001-of-00003.safetensors`, taken apart.
pub(crate) struct Numbered<'a> {
    pub(crate) stem: &'a str,
    number: u32,
    pub(crate) count: u32,
    /// The extension, with its dot.
    end: &'a str,
}

pub(crate) fn numbered(path: &str) -> Option<Numbered<'_>> {
    let (rest, of) = path.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let (count, end) = of.split_at_checked(5)?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_end = end.is_empty() || end.starts_with('.') && !end.contains('/');
    let parsed =
        (digits(number) && digits(count) && is_end).then(|| Some((number.parse().ok()?, count.parse().ok()?)))?;
    let (number, count) = parsed?;
    (count > 0 && number <= count).then_some(Numbered { stem, number, count, end })
}

/// The files of an index of MLC: `dataPath` of each of its `records`.
fn of_records(file: &Found) -> io::Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Records {
        records: Vec<Record>,
    }
    #[derive(Deserialize)]
    struct Record {
        #[serde(rename = "dataPath")]
        data_path: String,
    }
    let Records { records } = serde_json::from_reader(bounded(file)?)?;
    let names: BTreeSet<String> = records.into_iter().map(|record| record.data_path).collect();
    if names.len() > MAX_PARTS {
        return Err(io::Error::other(format!("it names more than {MAX_PARTS} files")));
    }
    Ok(names)
}

/// The files of sharded weights of Keras: each value of `weight_map` is a name or a list of names.
fn of_keras(file: &Found) -> io::Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Sharded {
        #[serde(default)]
        weight_map: BTreeMap<String, Shards>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shards {
        One(String),
        Many(Vec<String>),
    }
    let Sharded { weight_map } = serde_json::from_reader(bounded(file)?)?;
    let names = weight_map.into_values().flat_map(|shards| match shards {
        Shards::One(name) => vec![name],
        Shards::Many(names) => names,
    });
    Ok(names.take(MAX_PARTS).collect())
}

fn bounded(file: &Found) -> io::Result<impl io::Read> {
    if file.size > MAX_INDEX {
        return Err(io::Error::other(format!("expected an index of at most {MAX_INDEX} bytes, found {}", file.size)));
    }
    Ok(BufReader::new(File::open(&file.open)?.take(MAX_INDEX)))
}

/// The values of `weight_map`.
fn of_index(file: &Found) -> io::Result<BTreeSet<String>> {
    match serde_json::from_reader::<_, Index>(bounded(file)?) {
        Ok(index) => Ok(index.weight_map.0),
        // Loaders in Python read more than JSON: `NaN` as a size, for example.
        Err(error) => of_python_index(file).ok_or_else(|| error.into()),
    }
}

fn of_python_index(file: &Found) -> Option<BTreeSet<String>> {
    let mut bytes = Vec::new();
    bounded(file).ok()?.read_to_end(&mut bytes).ok()?;
    let index = Json::parse(&bytes).ok()?;
    let Some(map) = index.get("weight_map") else { return Some(BTreeSet::new()) };
    let names = map.as_map()?.values().map(|name| name.as_str().map(str::to_owned));
    names.collect::<Option<BTreeSet<String>>>().filter(|names| names.len() <= MAX_PARTS)
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    weight_map: Files,
}

/// The texts that are values of a map, each once: a map of a million tensors has a hundred files.
#[derive(Default)]
struct Files(BTreeSet<String>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Files;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors to files")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Files, A::Error> {
                let mut files = BTreeSet::new();
                while let Some((IgnoredAny, file)) = map.next_entry::<IgnoredAny, String>()? {
                    if !files.contains(&file) {
                        if files.len() >= MAX_PARTS {
                            return Err(serde::de::Error::custom(format!("it names more than {MAX_PARTS} files")));
                        }
                        files.insert(file);
                    }
                }
                Ok(Files(files))
            }
        }

        deserializer.deserialize_map(Values)
    }
}

/// The pieces of a split GGUF: the header says how many there are, the name how they are called.
fn of_gguf(file: &Found) -> io::Result<BTreeSet<String>> {
    let Some(count) = gguf::Header::read(&file.open)?.split_count.filter(|count| *count > 1) else {
        return Ok(BTreeSet::new());
    };
    let name = file.path.file_name();
    let Some(stem) = split_stem(name) else {
        return Err(io::Error::other(format!(
            "it is one of {count} pieces, and is not named NAME-00001-of-{count:05}.gguf"
        )));
    };
    Ok((1..=count).map(|number| format!("{stem}-{number:05}-of-{count:05}.gguf")).collect())
}

/// `tiny` of `tiny-00001-of-00003.gguf`.
pub(crate) fn split_stem(name: &str) -> Option<&str> {
    let (rest, of) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(of)).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_verify::folder::walk as folder;

    fn read(files: &[(&str, &[u8])]) -> (Parts, Vec<Found>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let found = folder::walk(folder.path()).unwrap().files;
        (parts(&found), found)
    }

    #[test]
    fn an_index_and_a_model_name_their_parts_from_their_own_folder() {
        let index = br#"{"metadata": {}, "weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors", "c": "x-1.safetensors"}}"#;
        let model = onnx::tests::model("weights", "../out.data");
        let (parts, found) = read(&[
            ("unet/x.safetensors.index.fp16.json", index),
            ("unet/x-1.safetensors", b"1"),
            ("onnx/model.onnx", &model),
            ("onnx/weights", b"2"),
            ("broken.index.json", b"{"),
            ("model.safetensors.index.json", b"{}"),
            ("faiss.index.json", b"{}"),
        ]);
        let named: Vec<_> = parts.named.keys().map(FilePath::as_str).collect();
        assert_eq!(named, ["onnx/weights", "unet/x-1.safetensors", "unet/x-2.safetensors"]);
        assert_eq!(parts.outside.len(), 1);
        let missing: Vec<_> = parts.missing(&found).map(|(part, by)| (part.as_str(), by.as_str())).collect();
        assert_eq!(missing, [("unet/x-2.safetensors", "unet/x.safetensors.index.fp16.json")]);
        let unread: Vec<_> = parts.unread.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(unread, ["broken.index.json", "model.safetensors.index.json"]);
    }

    #[test]
    fn numbered_shards_name_the_others_without_an_index() {
        let (parts, found) = read(&[
            ("model-00001-of-00003.safetensors", b"1"),
            ("model-00003-of-00003.safetensors", b"3"),
            ("unet/w-00000-of-00002.bin", b"0"),
            ("notes-00001-of-00009.txt", b"no weights"),
            ("c-00007-of-00002.bin", b"no set"),
        ]);
        let missing: Vec<_> = parts.missing(&found).map(|(part, by)| (part.as_str(), by.as_str())).collect();
        assert_eq!(
            missing,
            [
                ("model-00002-of-00003.safetensors", "model-00001-of-00003.safetensors"),
                ("unet/w-00001-of-00002.bin", "unet/w-00000-of-00002.bin")
            ]
        );
    }

    #[test]
    fn an_index_that_python_reads_and_one_of_mlc_name_their_parts() {
        let index = br#"{"metadata": {"total_size": NaN}, "weight_map": {"a": "x.safetensors"}}"#;
        let records = br#"{"metadata": {}, "records": [{"dataPath": "params_shard_0.bin", "format": "raw-shard"}]}"#;
        let (parts, found) = read(&[("x.safetensors.index.json", index), ("ndarray-cache.json", records)]);
        assert!(parts.unread.is_empty(), "{:?}", parts.unread);
        let missing: Vec<_> = parts.missing(&found).map(|(part, _)| part.as_str()).collect();
        assert_eq!(missing, ["params_shard_0.bin", "x.safetensors"]);
    }

    #[test]
    fn sharded_weights_of_keras_and_the_numbers_of_onnx_are_known_by_what_names_them() {
        let keras = br#"{"metadata": {}, "weight_map": {"/a/vars": ["model_00000.weights.h5", "model_00001.weights.h5"], "/b": "model_00000.weights.h5"}}"#;
        let model = onnx::tests::model("a.data", "a.data");
        let (parts, found) = read(&[
            ("model.weights.json", keras),
            ("model_00000.weights.h5", b"1"),
            ("other/model.weights.json", b"{}"),
            ("model.onnx", &model),
            ("a.data", b"cut"),
        ]);
        let missing: Vec<_> = parts.missing(&found).map(|(part, _)| part.as_str()).collect();
        assert_eq!(missing, ["model_00001.weights.h5"]);
        assert_eq!(
            parts.least.iter().map(|(path, least)| (path.as_str(), *least)).collect::<Vec<_>>(),
            [("a.data", 1_064)]
        );
        assert!(parts.unread.is_empty() && parts.outside.is_empty());
    }

    #[test]
    fn the_shards_of_tensorflow_js_are_named_without_an_ending() {
        let model = br#"{"format": "graph-model", "weightsManifest": [{"paths": ["group1-shard1of2", "group1-shard2of2"], "weights": []}]}"#;
        let (parts, found) = read(&[
            ("web/model.json", model),
            ("web/group1-shard1of2", b"1"),
            ("face-weights_manifest.json", br#"[{"weights": [], "paths": ["face-shard1"]}]"#),
            ("face-shard1", b"2"),
            ("boosted/model.json", br#"{"learner": {}}"#),
            ("broken/model.json", b"{"),
        ]);
        let missing: Vec<_> = parts.missing(&found).map(|(part, by)| (part.as_str(), by.as_str())).collect();
        assert_eq!(missing, [("web/group1-shard2of2", "web/model.json")]);
        assert!(parts.unread.is_empty() && parts.outside.is_empty());
    }

    #[test]
    fn a_piece_of_a_gguf_names_the_others() {
        let piece = gguf::tests::split(3);
        let (parts, found) = read(&[("tiny-00001-of-00003.gguf", &piece), ("tiny-00003-of-00003.gguf", &piece)]);
        let missing: Vec<_> = parts.missing(&found).map(|(part, _)| part.as_str()).collect();
        assert_eq!(missing, ["tiny-00002-of-00003.gguf"]);
        let (parts, _) = read(&[("other.gguf", &piece)]);
        assert_eq!(parts.unread.len(), 1);
        assert_eq!(split_stem("a-00001-of-00002.gguf"), Some("a"));
        assert_eq!(split_stem("a-1-of-2.gguf"), None);
    }
}
