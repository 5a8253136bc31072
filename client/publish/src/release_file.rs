//! `release.toml`: the release as a person writes it. A [`Form`], with conveniences of its own.
//!
//! It has the fields of the statement (`stele-spec`'s chapter `statement`), and `publish` resolves before it signs:
//!
//! - `manifest`, `weights` and `tree` may be left out; where they are there, they must be right.
//! - A document whose `name` is a file of the folder needs no `sha256`.
//! - `subject = "this-release"` in an evaluation is the weights digest of this release.
//! - `[roles]` gives files another role than their name does: `"extra/ranker.bin" = "classifier"`.
//! - A parent in the log needs only its coordinate: its entry and `parent_weights` are looked up, and proven.
//! - `issued_at` may be left out: the first `publish` writes it into the file, so that every later one signs the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_spec::manifest::{FilePath, Manifest, ManifestError, ManifestFile, Role};
use stele_spec::statement::{ManifestMismatch, Release, Timestamp};
use toml::{Table, Value};

use crate::form::{Form, resolve_one};

/// What stands for the weights digest of the release itself.
const THIS: &str = "this-release";

/// A `release.toml`, read and not yet resolved.
#[derive(Debug)]
pub struct ReleaseFile {
    path: PathBuf,
    form: Form,
    roles: BTreeMap<FilePath, Role>,
}

impl ReleaseFile {
    /// Reads the file; refuses it while anything in it is undecided.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let mut form = Form::read(path, "a release.toml: `stele draft DIR --publisher NAME` writes one")?;
        let given = match form.take("roles") {
            None => Table::new(),
            Some(Value::Table(given)) => given,
            Some(_) => return Err(form.invalid("roles", "expected a table [roles]".into()).into()),
        };
        let mut roles = BTreeMap::new();
        for (name, role) in given {
            let at = format!("roles.{name}");
            let file = name.parse().map_err(|error| form.invalid(&at, format!("roles: {name}: {error}")))?;
            let role = role.as_str().and_then(Role::from_text).ok_or_else(|| {
                form.invalid(&at, format!("roles: {name}: expected one of {}, found {role}", Role::TEXTS.join(", ")))
            })?;
            roles.insert(file, role);
        }
        Ok(Self { path: path.to_owned(), form, roles })
    }

    /// The role that the file gives a file of the folder.
    pub fn role_of(&self, path: &FilePath) -> Option<Role> {
        self.roles.get(path).copied()
    }

    /// The manifest of these files, with the roles that the file gives.
    pub fn manifest(&self, mut files: Vec<ManifestFile>) -> Result<Manifest, ReleaseFileError> {
        for path in self.roles.keys() {
            if !files.iter().any(|file| file.path == *path) {
                return Err(ReleaseFileError::RoleOfNothing { path: self.path.clone(), file: path.clone() });
            }
        }
        for file in &mut files {
            if let Some(role) = self.roles.get(&file.path) {
                file.role = *role;
            }
        }
        Manifest::new(files).map_err(ReleaseFileError::Manifest)
    }

    /// Gives each parent that is named by its coordinate its entry and its weights, proven.
    ///
    /// A coordinate has one release for ever, so publishing again finds the same entry and signs the same bytes.
    pub fn resolve_parents(&mut self, record: &mut ProvenEntries) -> Result<(), Failure> {
        let before = self.form.clone();
        self.form.each("lineage.*", |path, ancestor| -> Result<(), Failure> {
            let Value::Table(ancestor) = ancestor else { return Ok(()) };
            let Some(parent) = ancestor.get_mut("parent") else { return Ok(()) };
            let Some(logged) = resolve_one(&before, &format!("{path}.parent"), parent, record)? else { return Ok(()) };
            if let Some(release) = logged.statement().release() {
                ancestor.entry("parent_weights").or_insert(release.weights.digest.to_string().into());
            }
            Ok(())
        })
    }

    /// The release of this manifest. Without `issued_at` in the file it is `now`.
    pub fn resolve(&self, manifest: &Manifest, now: Timestamp) -> Result<Release, Failure> {
        let mut form = self.form.clone();
        let digest = manifest.weights_digest().to_string();
        form.default("kind", "release");
        form.default("issued_at", now.to_string());
        form.default("manifest", manifest.digest().to_string());
        form.default("weights.digest", digest.as_str());
        form.default("weights.files", integer(manifest.weights_files()));
        form.default("weights.bytes", integer(manifest.weights_bytes()));
        form.default("tree.digest", manifest.tree_digest().to_string());
        form.fill_documents(|name| {
            let path = name.parse().ok()?;
            Some(manifest.file(&path)?.sha256)
        });
        let absent = form.documents_without_digest();
        if !absent.is_empty() {
            return Err(ReleaseFileError::NoDocument { path: self.path.clone(), absent }.into());
        }
        if manifest.weights_files() == 0 {
            return Err(ReleaseFileError::NoWeights { files: manifest.files().len() }.into());
        }
        form.each("evaluations.*.subject", |_, subject| -> Result<(), Failure> {
            if subject.as_str() == Some(THIS) {
                *subject = digest.as_str().into();
            }
            Ok(())
        })?;
        let release: Release = form.typed()?;
        form.check(&release.problems())?;
        release.check_manifest(manifest).map_err(|mismatch| ReleaseFileError::Disagrees {
            path: self.path.clone(),
            mismatch: Box::new(mismatch),
        })?;
        Ok(release)
    }

    /// Writes `issued_at` into the file, where it is not there, before the first submission.
    pub fn keep_issued_at(&self, issued_at: Timestamp) -> Result<(), Failure> {
        self.form.keep_issued_at(issued_at, self.form.has("issued_at"))
    }
}

fn integer(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from)
}

/// Why a `release.toml` cannot be published, beyond what ails any form.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseFileError {
    /// The file says something else than the folder.
    #[error("{} and the folder do not agree: {mismatch}", .path.display())]
    Disagrees {
        /// The file.
        path: PathBuf,
        /// Where.
        mismatch: Box<ManifestMismatch>,
    },
    /// A role of a file that is not there.
    #[error("{}: roles: {file} is not in the folder", .path.display())]
    RoleOfNothing {
        /// The file.
        path: PathBuf,
        /// The path in it.
        file: FilePath,
    },
    /// The files make no manifest.
    #[error("the folder is not a release: {0}")]
    Manifest(ManifestError),
    /// Documents that are named and not there.
    #[error("{} names documents that are not in the folder", .path.display())]
    NoDocument {
        /// The file.
        path: PathBuf,
        /// Field and name of each.
        absent: Vec<(String, String)>,
    },
    /// No file is weights.
    #[error("no file of the folder is known for weights")]
    NoWeights {
        /// How many files there are.
        files: usize,
    },
}

impl Explain for ReleaseFileError {
    explain! {
        Self::Disagrees { mismatch, .. } => Exit::BadInput, mismatch.code(),
            hint: "remove the digests that you did not write: publish fills them in";
        Self::RoleOfNothing { .. } => Exit::BadInput, "role-of-nothing",
            hint: "correct the path in [roles], or remove the line";
        Self::Manifest(error) => Exit::BadInput, error.code(), hint: "rename or remove the file; nothing has been sent";
        Self::NoDocument { absent, .. } => Exit::BadInput, "document-missing",
            hint: "put the file into the folder, correct its name, or give its sha256; nothing has been sent",
            facts: absent
                .iter()
                .map(|(field, name)| ("found", format!("{field}: there is no file {name:?} in the folder")))
                .collect();
        Self::NoWeights { files } => Exit::BadInput, "weights-missing",
            hint: "name the files that hold the weights under [roles] in release.toml: \"model.xyz\" = \"weights\"; nothing has been sent",
            "expected": "at least one file of weights", "found": format!("{files} files of other roles");
    }
}
