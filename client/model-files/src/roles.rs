//! The roles of files that no manifest records yet: by their content and by what other files name, where they are at hand,
//! and by their names otherwise.

use std::collections::BTreeMap;
use std::fmt;

use stele_spec::manifest::{FilePath, Role};
use stele_verify::folder::walk::Found;

use crate::content::Content;
use crate::parts::{Parts, parts};

/// From this size on, a file that nothing is known of may be the weights: a page of documents is smaller, and so is a picture of
/// a model card.
const LARGE: u64 = 1 << 20;
/// What is smaller holds no model, however small the weights beside it are.
const SMALL: u64 = 4 << 10;

/// Endings of documents, pictures, sounds, films and tables, which no loader takes for weights.
const DOCUMENTS: [&str; 30] = [
    "avi", "bib", "csv", "gif", "html", "jpeg", "jpg", "json", "jsonl", "lock", "log", "md", "mkv", "mov", "mp3",
    "mp4", "ogg", "parquet", "pdf", "png", "rst", "svg", "tex", "tsv", "txt", "wav", "webm", "webp", "xml", "yaml",
];

/// Why a file has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// By its name.
    Name,
    /// By its content, whatever its name.
    Content(Content),
    /// Another file names it as a part of itself.
    NamedBy(FilePath),
}

/// The role of a file, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// What it is for.
    pub role: Role,
    /// Why.
    pub why: Why,
    /// What it is by its content; nothing where it cannot be read.
    pub content: Option<Content>,
}

/// The roles of the files of a folder.
#[derive(Debug, Default)]
pub struct Roles {
    /// Each file.
    pub files: BTreeMap<FilePath, Assigned>,
    /// What the files name as their parts.
    pub parts: Parts,
}

impl Roles {
    /// Looks into files.
    pub fn of_files(files: &[Found]) -> Self {
        let parts = parts(files);
        let assigned = files.iter().map(|file| {
            let content = Content::of_file(&file.open).ok();
            (file.path.clone(), assign(&file.path, content, parts.named.get(&file.path)))
        });
        Self { files: assigned.collect(), parts }
    }

    /// The role of a file; of one that was not looked into, by its name.
    pub fn of(&self, path: &FilePath) -> Role {
        self.files.get(path).map_or_else(|| Role::of_path(path), |assigned| assigned.role)
    }
}

fn assign(path: &FilePath, content: Option<Content>, named_by: Option<&FilePath>) -> Assigned {
    let by_name = Role::of_path(path);
    let model = matches!(by_name, Role::Weights | Role::Classifier);
    if let Some(by) = named_by.filter(|_| !model) {
        return Assigned { role: in_place_of(path), why: Why::NamedBy(by.clone()), content };
    }
    let settled = model || matches!(by_name, Role::Code | Role::Evaluation) || Role::is_training_state(path);
    match content.filter(|content| content.is_weights() && !settled) {
        Some(found) => Assigned { role: in_place_of(path), why: Why::Content(found), content },
        None => Assigned { role: by_name, why: Why::Name, content },
    }
}

/// The role that weights have in the folder of a file: those of a guard are a classifier's.
fn in_place_of(path: &FilePath) -> Role {
    let folder = path.as_str().rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    format!("{folder}w.safetensors").parse().map_or(Role::Weights, |path| Role::of_path(&path))
}

/// A file of the role `other` that may be weights: a person has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The file.
    pub path: FilePath,
    /// Its size in bytes.
    pub size: u64,
    /// The bytes of all weights together.
    pub weights: u64,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, size, weights } = self;
        write!(f, "{path}: {size} bytes of no known role, beside {weights} bytes of weights: is this weights?")
    }
}

/// The files that may be weights although nothing says so: those of the role `other` that are larger than a document is, or
/// than all weights together. Each file is given by its path, its role and its size; `said` tells whether a person gave the
/// file its role.
pub fn questions<'a>(
    files: impl IntoIterator<Item = (&'a FilePath, Role, u64)>,
    said: impl Fn(&FilePath) -> bool,
) -> Vec<Question> {
    let files: Vec<_> = files.into_iter().collect();
    let weights = files.iter().filter(|(_, role, _)| *role == Role::Weights).map(|(_, _, size)| size).sum();
    let is_open = |(path, role, size): &&(&FilePath, Role, u64)| {
        *role == Role::Other
            && (*size > LARGE || *size > weights && *size > SMALL)
            && !is_document(path)
            && !Role::is_training_state(path)
            && !said(path)
    };
    let ask = |(path, _, size): &(&FilePath, Role, u64)| Question { path: (*path).clone(), size: *size, weights };
    files.iter().filter(is_open).map(ask).collect()
}

fn is_document(path: &FilePath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    name.starts_with(".git") || name.rsplit_once('.').is_some_and(|(_, ending)| DOCUMENTS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx;
    use stele_verify::folder::walk as folder;

    fn roles(files: &[(&str, &[u8])]) -> Roles {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Roles::of_files(&folder::walk(folder.path()).unwrap().files)
    }

    fn of(roles: &Roles, path: &str) -> Role {
        roles.of(&path.parse().unwrap())
    }

    #[test]
    fn what_a_loader_reads_as_weights_is_weights_whatever_its_name() {
        let model = onnx::tests::model("6e3f.data", "numbers");
        let roles = roles(&[
            ("model.onnx", &model),
            ("6e3f.data", b"1"),
            ("numbers", b"2"),
            ("unnamed.data", b"3"),
            ("x.safetensors.index.json", br#"{"weight_map": {"a": "shard.one"}}"#),
            ("shard.one", b"4"),
            ("pickled", b"\x80\x02}q\0."),
            ("safety/pickled", b"\x80\x02}q\0."),
            ("training_args.bin", b"\x80\x02}q\0."),
            ("model.py", b"\x80\x02}q\0."),
            ("openvino_model.bin", &[0; 32]),
            ("README.md", b"# Tiny"),
        ]);
        for (path, role) in [
            ("model.onnx", Role::Weights),
            ("6e3f.data", Role::Weights),
            ("numbers", Role::Weights),
            ("unnamed.data", Role::Other),
            ("shard.one", Role::Weights),
            ("pickled", Role::Weights),
            ("safety/pickled", Role::Classifier),
            ("training_args.bin", Role::Other),
            ("model.py", Role::Code),
            ("openvino_model.bin", Role::Weights),
            ("README.md", Role::ModelCard),
            ("not/here.data", Role::Other),
            ("not/here.onnx.data", Role::Weights),
        ] {
            assert_eq!(of(&roles, path), role, "{path}");
        }
        let why = |path: &str| roles.files[&path.parse::<FilePath>().unwrap()].why.clone();
        assert_eq!(why("numbers"), Why::NamedBy("model.onnx".parse().unwrap()));
        assert_eq!(why("pickled"), Why::Content(Content::Pickle));
        assert_eq!(why("model.onnx"), Why::Name);
    }

    #[test]
    fn what_a_component_of_spacy_has_learned_is_weights() {
        let roles = roles(&[
            ("meta.json", br#"{"spacy_version": ">=3.7.5,<3.9.0", "pipeline": ["tok2vec", "ner", "lemmatizer"]}"#),
            ("ner/model", b"\x84\xa5nodes"),
            ("ner/moves", b"\x81\xa5moves"),
            ("tok2vec/model", b"\x84\xa5nodes"),
            ("other/model", b"\x84\xa5nodes"),
            ("vocab/vectors", b"\x93NUMPY"),
        ]);
        let weights = roles.files.iter().filter(|(_, assigned)| assigned.role == Role::Weights);
        let weights: Vec<_> = weights.map(|(path, _)| path.as_str()).collect();
        assert_eq!(weights, ["ner/model", "tok2vec/model", "vocab/vectors"]);
    }

    #[test]
    fn a_large_file_of_no_role_is_asked_about() {
        let files = [
            ("a.weights2", Role::Other, LARGE + 1),
            ("b.blob", Role::Other, 8_000),
            ("c.tiny", Role::Other, 4_000),
            ("d.mp4", Role::Other, LARGE + 1),
            ("e.said", Role::Other, LARGE + 1),
            ("f.safetensors", Role::Weights, 6_000),
            ("optimizer.pt", Role::Other, LARGE + 1),
            ("z.config", Role::Config, LARGE + 1),
        ]
        .map(|(path, role, size)| (path.parse::<FilePath>().unwrap(), role, size));
        let files = files.iter().map(|(path, role, size)| (path, *role, *size));
        let asked = questions(files, |path| path.as_str() == "e.said");
        assert_eq!(asked.iter().map(|question| question.path.as_str()).collect::<Vec<_>>(), ["a.weights2", "b.blob"]);
        assert!(asked[0].to_string().ends_with("is this weights?"));
    }
}
