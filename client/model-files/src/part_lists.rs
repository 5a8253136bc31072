//! The lists in which libraries name the files of weights that have no ending of their own: TensorFlow.js and spaCy.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;

use serde::Deserialize;
use stele_spec::manifest::FilePath;
use stele_verify::folder::walk::Found;

/// The longest list that is read: a graph of TensorFlow.js stands in the same file.
const MAX_LIST: u64 = 32 << 20;
/// The most files that one list may name.
const MAX_NAMED: usize = 10_000;

/// What a list of TensorFlow.js has in it, as it is or within the description of a model.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shards {
    Alone(Vec<Group>),
    Within {
        #[serde(rename = "weightsManifest")]
        groups: Vec<Group>,
    },
}

#[derive(Deserialize)]
struct Group {
    paths: Vec<String>,
}

/// What spaCy says of a pipeline.
#[derive(Deserialize)]
struct Pipeline {
    #[serde(rename = "spacy_version")]
    _version: String,
    pipeline: Vec<String>,
}

/// The format of weights that a list names, by the name of the list.
pub fn format(list: &FilePath) -> Option<&'static str> {
    let name = list.file_name();
    if name == "meta.json" {
        return Some("spacy");
    }
    (name == "model.json" || name.ends_with("weights_manifest.json")).then_some("tfjs")
}

/// The files that a list names, from its own folder; nothing where a file is no such list. `here` are all files of the folder.
pub(crate) fn of(file: &Found, here: &BTreeSet<&str>) -> Option<BTreeSet<String>> {
    let format = format(&file.path).filter(|_| file.size <= MAX_LIST)?;
    let read = BufReader::new(File::open(&file.open).ok()?);
    let names: BTreeSet<String> = if format == "tfjs" {
        let (Shards::Alone(groups) | Shards::Within { groups }) = serde_json::from_reader(read).ok()?;
        groups.into_iter().flat_map(|group| group.paths).collect()
    } else {
        let Pipeline { pipeline, .. } = serde_json::from_reader(read).ok()?;
        let folder = file.path.as_str().strip_suffix("meta.json")?;
        let model = |component: String| format!("{component}/model");
        // Not every component learns: only a file that is there is one.
        let names = pipeline.into_iter().map(model).chain(["vocab/vectors".to_owned()]);
        names.filter(|name| here.contains(format!("{folder}{name}").as_str())).collect()
    };
    (names.len() <= MAX_NAMED).then_some(names)
}
