//! `release.toml`: the release as a person writes it. A [`Form`], with conveniences of its own.
//!
//! It has the fields of the statement (`stele-spec`'s chapter `statement`), and `publish` resolves before it signs:
//!
//! - `manifest`, `weights` and `tree` may be left out; where they are there, they must be right.
//! - A document whose `name` is a file of the folder needs no `sha256`.
//! - `subject = "this-release"` in an evaluation is the weights digest of this release.
//! - `[roles]` gives files another role than their name does: `"extra/ranker.bin" = "classifier"`.
//! - A parent in the log needs only its coordinate: its entry and `parent_weights` are looked up, and proven.
//! - Another parent may name the `folder` with its files, from where the file is: `digest` and `parent_weights` are computed.
//! - One whose bytes the publisher does not have names what its host answered about a commit, `listing = "FILE"`, or why nothing is known of them,
//!   `unknown = "..."` ([`parent_listing`]).
//! - One answer for many fields, and what follows from others, is written out: see [`short_forms`].
//! - `issued_at` may be left out: the first `publish` writes it into the file, so that every later one signs the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_model_files::roles::Roles;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FileDigests, FilePath, Manifest, ManifestError, ManifestFile, Role};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{ManifestMismatch, Release, Timestamp};
use stele_verify::folder::walk::Found;
use toml::{Table, Value};

use crate::form::{self, DECIDE, Form};
use crate::host_locators;
use crate::parent_listing;
use crate::problems::Problems;
use crate::short_forms;

/// What stands for the weights digest of the release itself.
const THIS: &str = "this-release";

/// A `release.toml`, read and not yet resolved.
#[derive(Debug)]
pub struct ReleaseFile {
    path: PathBuf,
    form: Form,
    roles: BTreeMap<FilePath, Role>,
    /// The folders of parents, by the places of the parents: `lineage[0]`.
    parents: BTreeMap<String, ParentFolder>,
}

/// A folder with the files of a parent.
#[derive(Debug)]
struct ParentFolder {
    path: PathBuf,
    /// The tree digest and the weights digest, once they are computed.
    digests: Option<(Digest, Digest)>,
}

impl ReleaseFile {
    /// Reads the file, and keeps what is wrong with it; none where nothing can be read of it.
    pub fn read(path: &Path, problems: &mut Problems) -> Option<Self> {
        let read = Form::read_open(path, "a release.toml: `stele draft DIR --publisher NAME` writes one");
        let (mut form, open) = problems.keep(read)?;
        open.map(|open| problems.keep(Err::<(), _>(open)));
        let given = match form.take("roles") {
            None => Table::new(),
            Some(Value::Table(given)) => given,
            Some(_) => {
                problems.keep(Err::<(), _>(form.invalid("roles", "expected a table [roles]".into())));
                Table::new()
            }
        };
        let mut roles = BTreeMap::new();
        for (name, role) in given {
            let at = format!("roles.{name}");
            let file = name.parse().map_err(|error| form.invalid(&at, format!("roles: {name}: {error}")));
            let role = role.as_str().and_then(Role::from_text).ok_or_else(|| {
                form.invalid(&at, format!("roles: {name}: expected one of {}, found {role}", Role::TEXTS.join(", ")))
            });
            let (file, role) = (problems.keep(file), problems.keep(role));
            roles.extend(file.zip(role));
        }
        short_forms::expand(&mut form, problems);
        parent_listing::fill(&mut form, problems);
        host_locators::check(&mut form, problems);
        let parents = take_folders(&mut form, path.parent().unwrap_or(Path::new("")), problems);
        Some(Self { path: path.to_owned(), form, roles, parents })
    }

    /// The folders with the files of parents, each with the place of its parent.
    pub fn parent_folders(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.parents.iter().map(|(at, folder)| (at.as_str(), folder.path.as_path()))
    }

    /// Gives a parent the digests of its files.
    pub fn set_parent(&mut self, at: &str, files: &Manifest) {
        if let Some(folder) = self.parents.get_mut(at) {
            folder.digests = Some((files.tree_digest(), files.weights_digest()));
        }
    }

    /// The coordinate, as far as the file says it.
    pub fn coordinate(&self) -> Option<Coordinate> {
        let text = |path| self.form.text(path);
        let (publisher, model) = (text("publisher.name")?, text("model.name")?);
        format!("{publisher}/{model}@{}#{}", text("model.version")?, text("model.variant")?).parse().ok()
    }

    /// The name of the publisher, as far as the file says it.
    pub fn publisher(&self) -> Option<Publisher> {
        self.form.text("publisher.name")?.parse().ok()
    }

    /// Everything that is wrong with the file for these files of the folder, before any of them is hashed.
    pub fn check(&self, files: &[Found], roles: &Roles, now: Timestamp, problems: &mut Problems) {
        // Digests are compared once they are computed: here every file has the one of nothing.
        let nothing = FileDigests::of(b"");
        let files = files.iter().map(|file| ManifestFile {
            role: roles.of(&file.path),
            path: file.path.clone(),
            size: file.size,
            sha256: nothing.sha256,
            git_sha1: nothing.git_sha1,
        });
        let files: Vec<ManifestFile> = files.collect();
        for path in self.roles.keys() {
            if !files.iter().any(|file| file.path == *path) {
                let (path, file) = (self.path.clone(), path.clone());
                problems.keep(Err::<(), _>(ReleaseFileError::RoleOfNothing { path, file }));
            }
        }
        let manifest = Manifest::new(self.with_roles(files)).map_err(ReleaseFileError::Manifest);
        let Some(manifest) = problems.keep(manifest) else { return };
        let (mut form, absent) = self.filled(&manifest, now);
        if !absent.is_empty() {
            problems
                .keep(Err::<(), _>(ReleaseFileError::NoDocument { path: self.path.clone(), absent: absent.clone() }));
        }
        if manifest.weights_files() == 0 {
            problems.keep(Err::<(), _>(ReleaseFileError::NoWeights { files: manifest.files().len() }));
        }
        form.stand_in(&absent);
        problems.keep(form.refuse(form.problems(Release::problems)));
    }

    /// The role that the file gives a file of the folder.
    pub fn role_of(&self, path: &FilePath) -> Option<Role> {
        self.roles.get(path).copied()
    }

    /// The manifest of these files, with the roles that the file gives.
    pub fn manifest(&self, files: Vec<ManifestFile>) -> Result<Manifest, ReleaseFileError> {
        for path in self.roles.keys() {
            if !files.iter().any(|file| file.path == *path) {
                return Err(ReleaseFileError::RoleOfNothing { path: self.path.clone(), file: path.clone() });
            }
        }
        Manifest::new(self.with_roles(files)).map_err(ReleaseFileError::Manifest)
    }

    fn with_roles(&self, mut files: Vec<ManifestFile>) -> Vec<ManifestFile> {
        for file in &mut files {
            if let Some(role) = self.roles.get(&file.path) {
                file.role = *role;
            }
        }
        files
    }

    /// Gives each parent that is named by its coordinate its entry and its weights, proven.
    ///
    /// A coordinate has one release for ever, so publishing again finds the same entry and signs the same bytes.
    pub fn resolve_parents(&mut self, record: &mut ProvenEntries, problems: &mut Problems) {
        form::resolve_parents(&mut self.form, record, problems);
    }

    /// The fields with everything that follows from a manifest, and the documents that are named and not in it.
    fn filled(&self, manifest: &Manifest, now: Timestamp) -> (Form, Vec<(String, String)>) {
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
        let subjects: Result<(), std::convert::Infallible> = form.each("evaluations.*.subject", |_, subject| {
            if subject.as_str() == Some(THIS) {
                *subject = digest.as_str().into();
            }
            Ok(())
        });
        let Ok(()) = subjects;
        short_forms::expand_days(&mut form, now);
        self.fill_parents(&mut form);
        let absent = form.documents_without_digest();
        (form, absent)
    }

    /// Gives parents the digests of their folders. In a form that is only checked, those that are not computed yet are of nothing.
    fn fill_parents(&self, form: &mut Form) {
        let nothing = Digest::of(b"");
        let filled: Result<(), std::convert::Infallible> = form.each("lineage.*", |at, ancestor| {
            if let (Some(folder), Value::Table(ancestor)) = (self.parents.get(at), ancestor) {
                let (tree, weights) = folder.digests.unwrap_or((nothing, nothing));
                if let Some(Value::Table(parent)) = ancestor.get_mut("parent") {
                    parent.insert("digest".into(), tree.to_string().into());
                }
                ancestor.insert("parent_weights".into(), weights.to_string().into());
            }
            Ok(())
        });
        let Ok(()) = filled;
    }

    /// The release of this manifest. Without `issued_at` in the file it is `now`.
    pub fn resolve(&self, manifest: &Manifest, now: Timestamp) -> Result<Release, Failure> {
        let (form, absent) = self.filled(manifest, now);
        if !absent.is_empty() {
            return Err(ReleaseFileError::NoDocument { path: self.path.clone(), absent }.into());
        }
        if manifest.weights_files() == 0 {
            return Err(ReleaseFileError::NoWeights { files: manifest.files().len() }.into());
        }
        let release: Release = form.typed()?;
        form.check(
            &release.problems().into_iter().chain(form::approvals_by_hand(&release.approvals)).collect::<Vec<_>>(),
        )?;
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

/// Takes the folders of parents out of a form: a statement has their digests. One that has both is refused.
fn take_folders(form: &mut Form, beside: &Path, problems: &mut Problems) -> BTreeMap<String, ParentFolder> {
    let before = form.clone();
    let mut folders = BTreeMap::new();
    let taken: Result<(), std::convert::Infallible> = form.each("lineage.*", |at, ancestor| {
        let weights = ancestor.get("parent_weights").is_some();
        let Some(Value::Table(parent)) = ancestor.get_mut("parent") else { return Ok(()) };
        let Some(folder) = parent.remove("folder") else { return Ok(()) };
        let place = format!("{at}.parent.folder");
        let Some(text) = folder.as_str() else {
            let message = format!("{place}: expected the path of a folder, found {folder}");
            problems.keep(Err::<(), _>(before.invalid(&place, message)));
            return Ok(());
        };
        let both =
            ["coordinate", "digest", "listing", "unknown"].iter().find(|name| parent.contains_key(**name)).copied();
        if let Some(both) = both.or(weights.then_some("parent_weights")) {
            let message =
                format!("{place}: expected the folder of the parent, or {both}, found both: remove one of them");
            problems.keep(Err::<(), _>(before.invalid(&place, message)));
        }
        let path = beside.join(text);
        if !text.starts_with(DECIDE) && !path.is_dir() {
            let message =
                format!("{place}: {} is no folder: expected the parent's files as you got them", path.display());
            problems.keep(Err::<(), _>(before.invalid(&place, message)));
        }
        folders.insert(at.to_owned(), ParentFolder { path, digests: None });
        Ok(())
    });
    let Ok(()) = taken;
    folders
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
