//! Documents that are named by a file get the digest of that file.

use std::path::{Path, PathBuf};

use stele_explain::Failure;
use stele_spec::hash::Digest;
use stele_verify::folder::hash::{Job, Want, hash_all};
use toml::{Table, Value};

use super::{Form, FormError};
use crate::error::FileError;
use crate::problems::Problems;

/// Where statements of all kinds name documents.
const DOCUMENTS: [&str; 12] = [
    "license.text",
    "model_card",
    "rationale.text",
    "obligations.use_policy",
    "safety.report",
    "docs.*",
    "evaluations.*.result",
    "lineage.*.recipe",
    "evidence.safety.report",
    "evidence.evaluations.*.result",
    "advisory",
    "evaluation.result",
];

/// The folders in which documents are looked for by their names.
#[derive(Debug, Default)]
pub struct DocumentFolders(Vec<PathBuf>);

impl DocumentFolders {
    /// Beside a form, and in the folder of the model where that is named.
    pub fn of(form: &Form, folder: Option<&Path>) -> Self {
        let beside = form.path().map(|path| path.parent().map_or_else(PathBuf::new, Path::to_owned));
        Self(folder.map(Path::to_owned).into_iter().chain(beside).collect())
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let plain = !Path::new(name).is_absolute() && !name.split('/').any(|part| part == "..");
        self.0.iter().map(|folder| folder.join(name)).find(|path| plain && path.is_file())
    }
}

impl Form {
    /// Gives each document that has no digest that of the file with its name, as `digest_of` knows it.
    pub fn fill_documents(&mut self, digest_of: impl Fn(&str) -> Option<Digest>) {
        for pattern in DOCUMENTS {
            let filled: Result<(), std::convert::Infallible> = self.each(pattern, |_, document| {
                if let Value::Table(document) = document
                    && let Some(digest) = document.get("name").and_then(Value::as_str).and_then(&digest_of)
                {
                    document.entry("sha256").or_insert(digest.to_string().into());
                }
                Ok(())
            });
            let Ok(()) = filled;
        }
    }

    /// The documents that have a name and no digest: field and name.
    pub fn documents_without_digest(&mut self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for pattern in DOCUMENTS {
            let looked: Result<(), std::convert::Infallible> = self.each(pattern, |path, document| {
                if let Value::Table(document) = document
                    && let Some(name) = document.get("name").and_then(Value::as_str)
                    && !document.contains_key("sha256")
                {
                    found.push((path.to_owned(), name.to_owned()));
                }
                Ok(())
            });
            let Ok(()) = looked;
        }
        found
    }

    /// Gives what is still looked for a value that fits, in a form that is only checked: documents that are not here, and the
    /// entries of parents that were not found.
    pub(crate) fn stand_in(&mut self, absent: &[(String, String)]) {
        let nothing = Digest::of(b"").to_string();
        for pattern in DOCUMENTS {
            let filled: Result<(), std::convert::Infallible> = self.each(pattern, |path, document| {
                if let Value::Table(document) = document
                    && absent.iter().any(|(field, _)| field == path)
                {
                    document.entry("sha256").or_insert(nothing.as_str().into());
                }
                Ok(())
            });
            let Ok(()) = filled;
        }
        for pattern in ["release", "by", "affected.*"] {
            let filled: Result<(), std::convert::Infallible> = self.each(pattern, |_, reference| {
                if let Value::Table(reference) = reference
                    && reference.contains_key("coordinate")
                    && !reference.contains_key("unrecorded")
                {
                    reference.entry("entry").or_insert(0.into());
                    reference.entry("leaf_hash").or_insert(nothing.as_str().into());
                }
                Ok(())
            });
            let Ok(()) = filled;
        }
        let filled: Result<(), std::convert::Infallible> = self.each("lineage.*", |_, ancestor| {
            let Value::Table(ancestor) = ancestor else { return Ok(()) };
            let Some(Value::Table(parent)) = ancestor.get_mut("parent") else { return Ok(()) };
            if parent.contains_key("coordinate") {
                parent.entry("entry").or_insert(0.into());
                parent.entry("leaf_hash").or_insert(nothing.as_str().into());
                ancestor.entry("parent_weights").or_insert(nothing.as_str().into());
            }
            Ok(())
        });
        let Ok(()) = filled;
    }

    /// The same with the files of folders; a digest that is given must be that of the file, where the file is there.
    pub fn fill_from(&mut self, folders: &DocumentFolders) -> Result<(), Failure> {
        let mut problems = Problems::default();
        self.fill_all(folders, &mut problems);
        problems.check()
    }

    /// The same, with every document that is not here or differs kept as a problem.
    pub fn fill_all(&mut self, folders: &DocumentFolders, problems: &mut Problems) {
        let before = self.clone();
        for pattern in DOCUMENTS {
            let filled: Result<(), std::convert::Infallible> = self.each(pattern, |path, document| {
                problems.keep(before.fill_one(path, document, folders));
                Ok(())
            });
            let Ok(()) = filled;
        }
    }

    fn fill_one(&self, path: &str, document: &mut Value, folders: &DocumentFolders) -> Result<(), Failure> {
        let Value::Table(document) = document else { return Ok(()) };
        let Some(name) = document.get("name").and_then(Value::as_str) else { return Ok(()) };
        let Some(file) = folders.find(name) else {
            return match document.get("sha256") {
                Some(_) => Ok(()),
                None => {
                    let message = format!("{path}: there is no file {name} beside it to take the sha256 of");
                    Err(self.invalid(path, message).into())
                }
            };
        };
        let found = digest_of(&file)?.to_string();
        match document.get("sha256").and_then(Value::as_str) {
            Some(said) if said != found => {
                let (field, file) = (path.to_owned(), file.display().to_string());
                Err(FormError::DocumentDiffers { field, file, expected: said.to_owned(), found }.into())
            }
            _ => {
                document.insert("sha256".into(), found.into());
                Ok(())
            }
        }
    }
}

/// A document that an option names by its file: `{name, sha256}`, and where a copy may be.
pub fn named_file(file: &Path, uri: Option<&str>) -> Result<Value, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut document = Table::new();
    document.insert("name".into(), name.into());
    document.insert("sha256".into(), digest_of(file)?.to_string().into());
    if let Some(uri) = uri {
        document.insert("uri".into(), uri.into());
    }
    Ok(document.into())
}

fn digest_of(file: &Path) -> Result<Digest, Failure> {
    let shown = || file.display().to_string();
    let found = match std::fs::metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(FileError::Missing { path: shown(), what: "a document" }.into());
        }
        Err(source) => return Err(FileError::Read { path: shown(), source }.into()),
    };
    let job = Job { path: file.to_owned(), size: found.len() };
    match hash_all(&[job], Want::Sha256, &|_| {}).pop() {
        Some(Ok(hashed)) => Ok(hashed.sha256),
        Some(Err(error)) => {
            Err(FileError::Read { path: shown(), source: std::io::Error::other(error.to_string()) }.into())
        }
        None => Err(FileError::Missing { path: shown(), what: "a document" }.into()),
    }
}
