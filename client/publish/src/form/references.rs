//! Releases that a statement refers to. A person names them; their entry and leaf hash come from the log, proven.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_url;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::checkpoint::Origin;
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::proof::TlogProof;
use stele_spec::statement::SignedStatement;
use stele_verify::folder::BUNDLE;
use toml::{Table, Value};

use super::Form;
use crate::error::{self, FileError};
use crate::problems::Problems;

/// What a person points at: a coordinate, or a bundle or a folder that has one.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What it is.
    pub coordinate: Coordinate,
    /// Where the bundle says that it is released.
    at: Option<(u64, LeafHash)>,
    /// The folder of the model, if that was named.
    pub folder: Option<PathBuf>,
    /// The log that the bundle names, if there is one. Nothing of it is verified.
    pub origin: Option<Origin>,
}

impl Subject {
    /// Reads a coordinate, else a release.stele, else the one of a folder.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let name_error = match Coordinate::from_str(text) {
            Ok(coordinate) => return Ok(Self { coordinate, at: None, folder: None, origin: None }),
            Err(error) => error,
        };
        let path = Path::new(text);
        let folder = path.is_dir().then(|| path.to_owned());
        let file = folder.as_ref().map_or_else(|| path.to_owned(), |folder| folder.join(BUNDLE));
        if !file.exists() {
            let problem = format!("there is no such file, and as a coordinate: {name_error}");
            return Err(unreadable(text, problem).into());
        }
        let bytes = error::read(&file, MAX_BUNDLE as u64, "a release.stele")?;
        let shown = file.display().to_string();
        let bundle = Bundle::parse(&bytes).map_err(|error| unreadable(&shown, error.to_string()))?;
        let signed =
            SignedStatement::parse(&bundle.statement).map_err(|error| unreadable(&shown, error.to_string()))?;
        let Some(release) = signed.statement().release() else {
            return Err(unreadable(&shown, format!("a statement of the kind {}", signed.statement().kind())).into());
        };
        let proof = TlogProof::parse(&bundle.proof).map_err(|error| unreadable(&shown, error.to_string()))?;
        let at = Some((proof.index(), leaf_hash(signed.bytes())));
        Ok(Self { coordinate: release.coordinate(), at, folder, origin: log_url::origin_of(&bytes) })
    }

    /// As the field of a statement, with what is known.
    pub fn to_value(&self) -> Value {
        let mut table = Table::new();
        table.insert("coordinate".into(), self.coordinate.to_string().into());
        if let Some((entry, leaf)) = self.at {
            table.insert("entry".into(), integer(entry));
            table.insert("leaf_hash".into(), leaf.to_string().into());
        }
        table.into()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.coordinate.fmt(f)
    }
}

fn unreadable(path: &str, problem: String) -> FileError {
    let hint = "name publisher/model@version#variant, its release.stele, or the folder that has one";
    FileError::Malformed { path: path.to_owned(), what: "a release", problem, hint }
}

/// Gives each reference at a pattern its entry and leaf hash, and gives the entries. What is no reference stays as it is.
pub fn resolve(form: &mut Form, pattern: &str, record: &mut ProvenEntries) -> Result<Vec<ProvenStatement>, Failure> {
    let before = form.clone();
    let mut entries = Vec::new();
    form.each(pattern, |path, value| -> Result<(), Failure> {
        entries.extend(resolve_one(&before, path, value, record)?);
        Ok(())
    })?;
    Ok(entries)
}

/// Gives each parent that is named by its coordinate its entry and its weights.
pub fn resolve_parents(form: &mut Form, record: &mut ProvenEntries, problems: &mut Problems) {
    let before = form.clone();
    let each: Result<(), std::convert::Infallible> = form.each("lineage.*", |path, ancestor| {
        let Value::Table(ancestor) = ancestor else { return Ok(()) };
        let Some(parent) = ancestor.get_mut("parent") else { return Ok(()) };
        // A log that does not answer is not asked once for each.
        if problems.has_unavailable() {
            return Ok(());
        }
        let logged = problems.keep(resolve_one(&before, &format!("{path}.parent"), parent, record)).flatten();
        if let Some(release) = logged.as_ref().and_then(|logged| logged.statement().release()) {
            ancestor.entry("parent_weights").or_insert(release.weights.digest.to_string().into());
        }
        Ok(())
    });
    let Ok(()) = each;
}

/// The same for one value: `"publisher/model@version#variant"`, or a table that has a `coordinate`.
///
/// `unrecorded = true` says that nothing is released under it, so that a slip of the pen does not.
pub fn resolve_one(
    form: &Form,
    path: &str,
    value: &mut Value,
    record: &mut ProvenEntries,
) -> Result<Option<ProvenStatement>, Failure> {
    if let Value::String(coordinate) = value {
        *value = Table::from_iter([("coordinate".to_owned(), Value::from(std::mem::take(coordinate)))]).into();
    }
    let Value::Table(table) = value else { return Ok(None) };
    let Some(text) = table.get("coordinate").and_then(Value::as_str) else { return Ok(None) };
    let coordinate: Coordinate = text
        .parse()
        .map_err(|error| form.invalid(&format!("{path}.coordinate"), format!("{path}: {text}: {error}")))?;
    let unrecorded = table.remove("unrecorded").is_some_and(|value| value.as_bool() == Some(true));
    let field = path.to_owned();
    match (record.release(&coordinate)?, unrecorded) {
        (None, true) => Ok(None),
        (None, false) => Err(ReferenceError::Unrecorded { field, coordinate }.into()),
        (Some(there), true) => Err(ReferenceError::Recorded { field, coordinate, there: there.describe() }.into()),
        (Some(there), false) => {
            let (entry, leaf) = (integer(there.position()), Value::from(there.leaf().to_string()));
            let differs = |name: &str, value: &Value| table.get(name).is_some_and(|given| given != value);
            if differs("entry", &entry) || differs("leaf_hash", &leaf) {
                let given = |name: &str| table.get(name).map_or_else(|| "none".to_owned(), Value::to_string);
                let found = format!("entry {}, leaf hash {}", given("entry"), given("leaf_hash"));
                let expected = format!("entry {}, leaf hash {}", there.position(), there.leaf());
                let there = there.describe();
                return Err(ReferenceError::Elsewhere { field, coordinate, expected, found, there }.into());
            }
            table.insert("entry".into(), entry);
            table.insert("leaf_hash".into(), leaf);
            Ok(Some(there))
        }
    }
}

fn integer(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from)
}

/// Why a release cannot be referred to.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The log shows no release of it.
    #[error("{field}: {coordinate} is not released in this log")]
    Unrecorded {
        /// The field.
        field: String,
        /// What it names.
        coordinate: Coordinate,
    },
    /// It was said that nothing is recorded.
    #[error("{field}: {coordinate} is released in this log, and the form says that it is not")]
    Recorded {
        /// The field.
        field: String,
        /// What it names.
        coordinate: Coordinate,
        /// What is there.
        there: String,
    },
    /// It is released by another entry: the bundle or the form is of another log.
    #[error("{field}: {coordinate} is released by another entry of this log")]
    Elsewhere {
        /// The field.
        field: String,
        /// What it names.
        coordinate: Coordinate,
        /// The entry of this log.
        expected: String,
        /// What was given.
        found: String,
        /// What is there.
        there: String,
    },
}

impl Explain for ReferenceError {
    explain! {
        Self::Unrecorded { field, coordinate, .. } => Exit::Refused, "reference-unknown",
            hint: if field.starts_with("affected") {
                "is the name right, and the log? If really nothing is recorded under it: --unrecorded NAME, or unrecorded = true"
            } else {
                "is the name right, and the log? A parent outside it is named by purl and digest"
            },
            "expected": format!("a release of {coordinate} in this log"), "found": "none";
        Self::Recorded { there, .. } => Exit::Refused, "reference-unknown",
            hint: "remove unrecorded: the entry is filled in",
            "existing": there;
        Self::Elsewhere { expected, found, there, .. } => Exit::Refused, "reference-unknown",
            hint: "is this the log of that release? Name the coordinate alone: its entry is filled in, and proven",
            "expected": expected, "found": found, "existing": there;
    }
}
