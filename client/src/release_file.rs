//! `release.toml`: the release as a person writes it.
//!
//! It has the fields of the statement (`stele-spec`'s chapter `statement`), with these conveniences, all of which
//! `publish` resolves before it signs:
//!
//! - `manifest`, `weights` and `tree` may be left out; where they are there, they must be right.
//! - A document whose `name` is a file of the folder needs no `sha256`.
//! - `subject = "this-release"` in an evaluation is the weights digest of this release.
//! - `[roles]` gives files another role than their name does: `"extra/ranker.bin" = "classifier"`.
//! - `issued_at` may be left out: the first `publish` writes it into the file, so that every later one signs the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stele_host::durable;
use stele_host::exit::{Exit, Explain};
use stele_spec::canonical;
use stele_spec::manifest::{FilePath, Manifest, ManifestError, ManifestFile, Role};
use stele_spec::statement::{FieldError, MAX_STATEMENT, ManifestMismatch, Release, Timestamp};
use toml::{Table, Value};

use crate::error::{self, Failure};

/// What a person has to replace.
pub(crate) const DECIDE: &str = "DECIDE";
/// The largest `release.toml`: a statement is smaller than 64 KiB, comments may be long.
const MAX_FILE: u64 = 1 << 20;
/// What stands for the weights digest of the release itself.
const THIS: &str = "this-release";

/// A `release.toml`, read and not yet resolved.
#[derive(Debug)]
pub(crate) struct ReleaseFile {
    path: PathBuf,
    text: String,
    table: Table,
    roles: BTreeMap<FilePath, Role>,
}

impl ReleaseFile {
    /// Reads the file; refuses it while anything in it is undecided.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = error::read(path, MAX_FILE, "a release.toml: `stele draft DIR --publisher NAME` writes one")?;
        let invalid = |line, message| ReleaseFileError::Toml { path: path.to_owned(), line, message };
        let text = String::from_utf8(bytes).map_err(|_| invalid(None, "not UTF-8".to_owned()))?;
        let open = undecided(&text);
        if !open.is_empty() {
            return Err(ReleaseFileError::Undecided { path: path.to_owned(), open }.into());
        }
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            invalid(error.span().map(|span| line_at(&text, span.start)), error.message().to_owned())
        })?;
        let mut roles = BTreeMap::new();
        let given = match table.remove("roles") {
            None => Table::new(),
            Some(Value::Table(given)) => given,
            Some(_) => return Err(invalid(line_of(&text, "roles"), "expected a table [roles]".into()).into()),
        };
        for (name, role) in given {
            let line = line_of(&text, &name);
            let file = name.parse().map_err(|error| invalid(line, format!("roles: {name}: {error}")))?;
            let role = role.as_str().and_then(Role::from_text).ok_or_else(|| {
                invalid(line, format!("roles: {name}: expected one of {}, found {role}", Role::TEXTS.join(", ")))
            })?;
            roles.insert(file, role);
        }
        plain_dates(&mut table);
        Ok(Self { path: path.to_owned(), text, table, roles })
    }

    /// The manifest of these files, with the roles that the file gives.
    pub(crate) fn manifest(&self, mut files: Vec<ManifestFile>) -> Result<Manifest, ReleaseFileError> {
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

    /// The release of this manifest. Without `issued_at` in the file it is `now`.
    pub(crate) fn resolve(&self, manifest: &Manifest, now: Timestamp) -> Result<Release, ReleaseFileError> {
        let mut table = self.table.clone();
        let mut default = |name: &str, value: Value| {
            table.entry(name).or_insert(value);
        };
        default("kind", "release".into());
        default("issued_at", now.to_string().into());
        default("manifest", manifest.digest().to_string().into());
        let mut weights = Table::new();
        weights.insert("digest".into(), manifest.weights_digest().to_string().into());
        weights.insert("files".into(), integer(manifest.weights_files()));
        weights.insert("bytes".into(), integer(manifest.weights_bytes()));
        default("weights", Table::new().into());
        default("tree", Table::new().into());
        for (section, fields) in [
            ("weights", weights),
            ("tree", [("digest".to_owned(), Value::from(manifest.tree_digest().to_string()))].into_iter().collect()),
        ] {
            if let Some(Value::Table(given)) = table.get_mut(section) {
                for (name, value) in fields {
                    given.entry(name).or_insert(value);
                }
            }
        }
        self.fill_documents(&mut table, manifest);
        if let Some(Value::Array(evaluations)) = table.get_mut("evaluations") {
            for subject in evaluations.iter_mut().filter_map(|evaluation| evaluation.get_mut("subject")) {
                if subject.as_str() == Some(THIS) {
                    *subject = manifest.weights_digest().to_string().into();
                }
            }
        }
        let release = self.typed(&table)?;
        let problems = release.problems();
        if !problems.is_empty() {
            return Err(ReleaseFileError::Fields { path: self.path.clone(), problems: self.located(&problems) });
        }
        release.check_manifest(manifest).map_err(|mismatch| ReleaseFileError::Disagrees {
            path: self.path.clone(),
            mismatch: Box::new(mismatch),
        })?;
        Ok(release)
    }

    /// Writes `issued_at` into the file, where it is not there, before the first submission.
    pub(crate) fn keep_issued_at(&self, issued_at: Timestamp) -> Result<(), Failure> {
        if self.table.contains_key("issued_at") {
            return Ok(());
        }
        let text = format!(
            "# When this release was first published; kept so that publishing again signs the same bytes.\n\
             issued_at = \"{issued_at}\"\n{}",
            self.text
        );
        Ok(durable::replace_file(&self.path, text.as_bytes())?)
    }

    /// Gives the documents that are files of the folder their digests.
    fn fill_documents(&self, table: &mut Table, manifest: &Manifest) {
        let fill = |document: Option<&mut Value>| {
            let Some(Value::Table(document)) = document else { return };
            let path = document.get("name").and_then(Value::as_str).and_then(|name| name.parse().ok());
            if let Some(file) = path.and_then(|path| manifest.file(&path)) {
                document.entry("sha256").or_insert(file.sha256.to_string().into());
            }
        };
        for (section, field) in
            [("license", "text"), ("rationale", "text"), ("obligations", "use_policy"), ("safety", "report")]
        {
            fill(table.get_mut(section).and_then(|section| section.get_mut(field)));
        }
        fill(table.get_mut("model_card"));
        if let Some(Value::Table(docs)) = table.get_mut("docs") {
            docs.iter_mut().for_each(|(_, document)| fill(Some(document)));
        }
        for (list, field) in [("evaluations", "result"), ("lineage", "recipe")] {
            if let Some(Value::Array(items)) = table.get_mut(list) {
                items.iter_mut().for_each(|item| fill(item.get_mut(field)));
            }
        }
    }

    /// Reads the fields by way of the statement's own encoding, whose errors name the field.
    fn typed(&self, table: &Table) -> Result<Release, ReleaseFileError> {
        let refused = |message: String, field: &str| ReleaseFileError::Toml {
            path: self.path.clone(),
            line: line_of(&self.text, field),
            message,
        };
        let payload = canonical::to_bytes(table).map_err(|error| refused(error.to_string(), ""))?;
        if payload.len() > MAX_STATEMENT {
            let message = format!("expected a statement of at most {MAX_STATEMENT} bytes, found {}", payload.len());
            return Err(refused(message, ""));
        }
        canonical::from_bytes(&payload, MAX_STATEMENT).map_err(|error| match &error {
            canonical::CanonicalError::Shape(shape) => refused(error.to_string(), shape.path.as_str()),
            _ => refused(error.to_string(), ""),
        })
    }

    fn located(&self, problems: &[FieldError]) -> Vec<String> {
        let line = |problem: &FieldError| line_of(&self.text, problem.path().as_str());
        let shown = |problem: &FieldError| match line(problem) {
            Some(line) => format!("line {line}: {problem}"),
            None => problem.to_string(),
        };
        problems.iter().map(shown).collect()
    }
}

/// The lines that a person has not decided yet: number and text. Comments do not count.
pub(crate) fn undecided(text: &str) -> Vec<(usize, String)> {
    let open = |line: &&str| line.contains(DECIDE) && !line.trim_start().starts_with('#');
    let lines = (1..).zip(text.lines()).filter(|(_, line)| open(line));
    lines.map(|(number, line)| (number, line.trim().chars().take(160).collect())).collect()
}

fn integer(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from)
}

/// TOML's own dates become the text that they were written as: `since = 2026-06-25` is as good as with quotes.
fn plain_dates(table: &mut Table) {
    fn plain(value: &mut Value) {
        match value {
            Value::Datetime(date) => *value = date.to_string().into(),
            Value::Array(items) => items.iter_mut().for_each(plain),
            Value::Table(table) => table.iter_mut().for_each(|(_, value)| plain(value)),
            _ => {}
        }
    }
    table.iter_mut().for_each(|(_, value)| plain(value));
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The first line that sets the field at a path, by its section and name: good enough to look at, never relied on.
fn line_of(text: &str, path: &str) -> Option<usize> {
    let plain: String = path.split('[').next()?.to_owned();
    let (section, name) = plain.rsplit_once('.').unwrap_or(("", plain.as_str()));
    let mut current = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            current = line.trim_matches(['[', ']']).to_owned();
            if current == plain && !plain.is_empty() {
                return Some(number);
            }
        }
        let key = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
        if current == section && key == name && !name.is_empty() {
            return Some(number);
        }
    }
    None
}

/// Why a `release.toml` cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReleaseFileError {
    /// Not TOML, or a field of another shape.
    #[error("{}{}: {message}", .path.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// Something is still to be decided.
    #[error("{} decisions are open in {}", .open.len(), .path.display())]
    Undecided {
        /// The file.
        path: PathBuf,
        /// Line numbers and lines.
        open: Vec<(usize, String)>,
    },
    /// Fields that do not go together.
    #[error("{} does not describe a release: {} problems", .path.display(), .problems.len())]
    Fields {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Vec<String>,
    },
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
}

impl Explain for ReleaseFileError {
    fn exit(&self) -> Exit {
        Exit::BadInput
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Toml { .. } => "release-toml-invalid",
            Self::Undecided { .. } => "release-toml-undecided",
            Self::Fields { .. } => "release-toml-fields",
            Self::Disagrees { mismatch, .. } => mismatch.code(),
            Self::RoleOfNothing { .. } => "role-of-nothing",
            Self::Manifest(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Toml { message, .. } if message.contains("expected a field") || message.contains("unknown") => {
                "fields are never ignored: correct the name or remove the line"
            }
            Self::Toml { .. } | Self::Fields { .. } => "correct the file and publish again; nothing has been sent",
            Self::Undecided { .. } => {
                "replace each value that begins with DECIDE by your decision; the comment above it says what is asked"
            }
            Self::Disagrees { .. } => "remove the digests that you did not write: publish fills them in",
            Self::RoleOfNothing { .. } => "correct the path in [roles], or remove the line",
            Self::Manifest(_) => "rename or remove the file; nothing has been sent",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Undecided { open, .. } => {
                open.iter().map(|(number, line)| ("open", format!("line {number}: {line}"))).collect()
            }
            Self::Fields { problems, .. } => problems.iter().map(|problem| ("problem", problem.clone())).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_named_by_its_line_and_comments_are_not_open() {
        let text = "# DECIDE what you want\na = 1\n  b = \"DECIDE: which\" # why\n";
        assert_eq!(undecided(text), [(3, "b = \"DECIDE: which\" # why".to_owned())]);
    }

    #[test]
    fn a_field_is_found_by_its_section() {
        let text = "x = 1\n[a]\nx = 2\n[a.b]\nx = 3\n[[list]]\nx = 4\n";
        assert_eq!(line_of(text, "x"), Some(1));
        assert_eq!(line_of(text, "a.x"), Some(3));
        assert_eq!(line_of(text, "a.b.x"), Some(5));
        assert_eq!(line_of(text, "list[0].x"), Some(6));
        assert_eq!(line_of(text, "none"), None);
    }

    #[test]
    fn dates_may_stand_without_quotes() {
        let mut table: Table = "since = 2026-06-25\nat = [2026-06-25T09:30:00Z]\n".parse().unwrap();
        plain_dates(&mut table);
        assert_eq!(table["since"].as_str(), Some("2026-06-25"));
        assert_eq!(table["at"][0].as_str(), Some("2026-06-25T09:30:00Z"));
    }
}
