//! What `--dry-run` says: what would be signed and sent, what auditors would report, and what would change. Nothing is sent.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use stele_durable as durable;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::problems::{Problems, SeveralProblems};
use stele_publish::publish_error::PublishError;
use stele_spec::finding::Finding;
use stele_spec::hash::Digest;
use stele_spec::statement::{Statement, StatementError};

use crate::Output;
use crate::render::difference::Change;
use crate::render::page::Page;
use crate::schema;
use crate::version_before::VersionBefore;

/// How many changes a person is shown.
const LISTED: usize = 50;

/// The bytes that a signature would cover, beside its header.
#[derive(Debug)]
pub(crate) struct Payload {
    sha256: Digest,
    bytes: usize,
    file: Option<PathBuf>,
}

impl Payload {
    /// The payload of a statement, written to a file if one is named.
    pub(crate) fn of(statement: &Statement, output: Option<&Path>) -> Result<Self, Failure> {
        let payload = statement.payload().map_err(|error| PublishError::Statement(StatementError::Payload(error)))?;
        if let Some(output) = output {
            durable::replace_file(output, &payload)?;
        }
        Ok(Self { sha256: Digest::of(&payload), bytes: payload.len(), file: output.map(Path::to_owned) })
    }
}

/// A statement that could be sent.
#[derive(Debug)]
pub(crate) struct Rehearsal<'a> {
    /// What would be done: `publish acme.example/tiny@1.0.0#base`.
    pub(crate) title: String,
    /// What would be said.
    pub(crate) statement: &'a Statement,
    /// Where its payload is to be written.
    pub(crate) output: Option<&'a Path>,
    /// What auditors would report.
    pub(crate) findings: &'a [Finding],
    /// What would change of what stands.
    pub(crate) changes: Vec<Change>,
    /// What differs from the version before, where the log has one.
    pub(crate) earlier: Option<VersionBefore>,
    /// What else is to be known, as rows.
    pub(crate) rows: Vec<(&'static str, String)>,
    /// The entry that says the same already: nothing would be sent.
    pub(crate) there: Option<u64>,
}

impl Rehearsal<'_> {
    /// The page, and the document.
    pub(crate) fn output(self) -> Result<Output, Failure> {
        let payload = Payload::of(self.statement, self.output)?;
        let title = match self.there {
            Some(entry) => format!("would send nothing: entry {entry} says this already"),
            None => format!("would {}; nothing was sent", self.title),
        };
        let mut page = Page::titled(&title);
        for (name, value) in &self.rows {
            page.row(name, value);
        }
        let file = payload.file.as_ref().map(|file| format!(", written to {}", file.display())).unwrap_or_default();
        page.row("to be signed", &format!("{} bytes, SHA-256 {}{file}", payload.bytes, payload.sha256));
        for finding in self.findings {
            page.row("auditors", &format!("{}: {}: {}", finding.severity, finding.code, finding.summary));
        }
        page.section("what would change");
        if self.changes.is_empty() {
            page.row("", &"nothing of what stands");
        }
        for change in self.changes.iter().take(LISTED) {
            page.row("", &change.sentence());
        }
        if self.changes.len() > LISTED {
            page.row("", &format!("and {} more: --json has all", self.changes.len() - LISTED));
        }
        if let Some(earlier) = &self.earlier {
            earlier.rows(&mut page);
        }
        let mut document = Map::new();
        document.insert("schema".into(), schema::DRY_RUN.name().into());
        document.insert("dry_run".into(), true.into());
        document.insert("sent".into(), false.into());
        document.insert("existing_entry".into(), self.there.into());
        document.insert("kind".into(), self.statement.kind().to_string().into());
        document.insert("publisher".into(), self.statement.publisher().to_string().into());
        let coordinates: Vec<String> = self.statement.coordinates().iter().map(ToString::to_string).collect();
        document.insert("coordinates".into(), coordinates.into());
        document.insert(
            "payload".into(),
            json!({
                "sha256": payload.sha256,
                "bytes": payload.bytes,
                "file": payload.file.as_ref().map(|file| file.display().to_string()),
            }),
        );
        document.insert("warnings".into(), json!(self.findings));
        document.insert("changes".into(), self.changes.iter().map(Change::json).collect());
        document.insert("earlier".into(), self.earlier.as_ref().map_or(Value::Null, VersionBefore::json));
        document.insert("problems".into(), Value::Array(Vec::new()));
        document.insert("statement".into(), json!(self.statement));
        Ok(Output { text: page.0, json: document.into(), failure: None })
    }
}

/// All problems as the outcome of a verb: an error, and for `--dry-run` what it was to find.
pub(crate) fn refused(problems: Problems, dry_run: bool) -> Result<Output, Failure> {
    let failure = problems.check().err().unwrap_or_else(|| Unaccounted.into());
    if !dry_run {
        return Err(failure);
    }
    let problems = several(&failure).unwrap_or_else(|| vec![problem_json(&failure)]);
    let json = json!({ "schema": schema::DRY_RUN.name(), "dry_run": true, "sent": false, "problems": problems });
    Ok(Output { text: String::new(), json, failure: Some(failure) })
}

/// Each problem by itself, if there are several: the facts of one would hide those of another.
pub(crate) fn several(failure: &Failure) -> Option<Vec<Value>> {
    let error: &dyn std::error::Error = failure.as_explain();
    Some(error.downcast_ref::<SeveralProblems>()?.all().iter().map(problem_json).collect())
}

/// A step gave neither what it was to give nor a problem. Nothing is done then, and not in silence.
#[derive(Debug, thiserror::Error)]
#[error("a check ended without a result")]
struct Unaccounted;

impl Explain for Unaccounted {
    explain! { Self => Exit::Internal, "internal", hint: "this is a bug of ours: please tell us; nothing has been sent"; }
}

fn problem_json(problem: &Failure) -> Value {
    let problem = problem.as_explain();
    let facts: Vec<Value> =
        problem.facts().into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "error": problem.code(),
        "exit": problem.exit().number(),
        "message": problem.to_string(),
        "facts": facts,
        "hint": problem.hint(),
    })
}
