//! `publisher.toml`: what a publisher answers alike in every release. It has the fields of `release.toml` that are no facts of one release.
//!
//! It is looked for in this order: the path given, `$STELE_DEFAULTS`, `~/.config/stele/publisher.toml`. A folder brings none of its own.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::name::Publisher;
use stele_spec::statement::{
    Basis, ComponentId, DangerousDomain, Included, LicenceExpression, Line, MofClass, OpennessClaim, Prose, Stage, Uri,
};
use toml::{Table, Value};

use super::answers::Source;
use crate::form::{AnsweredBy, Form};
use crate::short_forms::{ALL_OTHERS, SAME_REASON};

/// The file's name in the user's folder of configuration.
const NAME: &str = "publisher.toml";

/// The user's file: nothing where there is none.
pub fn find_defaults() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("STELE_DEFAULTS").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(config.join("stele").join(NAME)).filter(|path| path.exists())
}

/// Reads a file of answers. What is said of one release, and what no release has, is refused.
pub fn defaults_of(path: &Path) -> Result<Source, Failure> {
    let form = Form::read(path, "a publisher.toml: fields of release.toml that are alike in every release")?;
    let table = form.clone().into_table();
    let mut problems = Vec::new();
    check(&form, "", &table, &mut problems);
    if !problems.is_empty() {
        return Err(DefaultsError { path: path.to_owned(), problems }.into());
    }
    let name = path.file_name().map_or_else(|| NAME.into(), |name| name.to_string_lossy());
    Ok(Source { name: name.into_owned(), by: AnsweredBy::Defaults, table })
}

/// What a field holds.
enum Shape {
    /// A text, and whether one is well formed.
    Text(&'static str, fn(&str) -> bool),
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// One or more texts.
    Texts,
    /// A document, or a reason why there is none.
    Document,
    /// More fields.
    Fields,
}

/// What a field may hold; nothing where a publisher does not answer it alike in every release.
fn shape(path: &str) -> Option<Shape> {
    let prose = Shape::Text("a text of up to 4096 bytes", |text| text.parse::<Prose>().is_ok());
    Some(match path {
        "publisher" | "license" | "openness" | "access" | "rationale" | "obligations" | "safety" | "not_evaluated"
        | "components" => Shape::Fields,
        "publisher.name" => Shape::Text("a name such as acme.example", |text| text.parse::<Publisher>().is_ok()),
        "license.spdx" => Shape::Text("an SPDX expression", |text| LicenceExpression::parse(text).is_ok()),
        "license.use_restricted" => Shape::Flag,
        "license.text" | "rationale.text" | "obligations.use_policy" => Shape::Document,
        "openness.claim" => Shape::Word(OpennessClaim::TEXTS),
        "openness.basis" => Shape::Word(Basis::TEXTS),
        "openness.class" => Shape::Word(MofClass::TEXTS),
        "access.stage" => Shape::Word(Stage::TEXTS),
        "rationale.benefits" | "rationale.risks" | "rationale.alternatives_rejected" => Shape::Texts,
        "obligations.incident_channel" => Shape::Text("mailto: or a page", |text| text.parse::<Uri>().is_ok()),
        "obligations.attribution" | "obligations.monitoring" | "support" => prose,
        "safety.report" => Shape::Document,
        _ => match path.split_once('.')? {
            ("not_evaluated", name) if name == ALL_OTHERS || DangerousDomain::from_text(name).is_some() => prose,
            ("components", rest) => match rest.split_once('.') {
                None if rest == ALL_OTHERS => Shape::Word(Included::TEXTS),
                None if ComponentId::from_text(rest).is_some() => Shape::Fields,
                Some((name, field)) if ComponentId::from_text(name).is_some() => match field {
                    "included" => Shape::Word(Included::TEXTS),
                    "license" | "ref" => Shape::Text("a line", |text| text.parse::<Line>().is_ok()),
                    "reason" => prose,
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        },
    })
}

fn check(form: &Form, above: &str, table: &Table, problems: &mut Vec<String>) {
    for (name, value) in table {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let expected = match (shape(&path), value) {
            (None, _) => {
                problems.push(form.invalid(&path, format!("{path}: {}", refused(&path))).to_string());
                continue;
            }
            (Some(Shape::Fields), Value::Table(fields)) => {
                check(form, &path, fields, problems);
                continue;
            }
            // A component may be a word alone.
            (Some(Shape::Fields), Value::String(word))
                if above == "components" && Included::from_text(word).is_some() =>
            {
                continue;
            }
            (Some(Shape::Text(_, is_one)), Value::String(text)) if is_one(text) => continue,
            (Some(Shape::Word(words)), Value::String(word)) if words.contains(&word.as_str()) => continue,
            (Some(Shape::Flag), Value::Boolean(_)) => continue,
            (Some(Shape::Texts), Value::Array(items)) if !items.is_empty() && items.iter().all(is_prose) => continue,
            (Some(Shape::Document), Value::String(text)) if path == "safety.report" && text == SAME_REASON => continue,
            (Some(Shape::Document), Value::Table(fields)) if is_document(fields) => continue,
            (Some(Shape::Fields), _) => "fields".to_owned(),
            (Some(Shape::Text(what, _)), _) => what.to_owned(),
            (Some(Shape::Word(words)), _) => format!("one of {}", words.join(", ")),
            (Some(Shape::Flag), _) => "true or false".to_owned(),
            (Some(Shape::Texts), _) => "a list of one or more texts".to_owned(),
            (Some(Shape::Document), _) => "{ name = \"...\" }, or { none = \"why\" }".to_owned(),
        };
        problems.push(form.invalid(&path, format!("{path}: expected {expected}, found {value}")).to_string());
    }
}

/// Why a field has no place in the file.
fn refused(path: &str) -> &'static str {
    match path.split('.').next().unwrap_or_default() {
        "model" | "weights" | "tree" | "manifest" | "issued_at" | "evaluations" | "lineage" | "from_scratch"
        | "hosts" | "model_card" | "roles" | "docs" | "legal" | "kind" => {
            "it is said of one release, and so in its release.toml"
        }
        "access" => "the day is that of one release, and so in its release.toml",
        _ => "no release has this field",
    }
}

fn is_prose(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<Prose>().is_ok())
}

fn is_document(fields: &Table) -> bool {
    let known =
        fields.iter().all(|(name, value)| ["none", "name", "sha256", "uri"].contains(&name.as_str()) && value.is_str());
    known && (fields.contains_key("none") != fields.contains_key("name"))
}

/// A file of answers that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} is no file of answers: {} {}", .path.display(), .problems.len(), if .problems.len() == 1 { "problem" } else { "problems" })]
pub(super) struct DefaultsError {
    path: PathBuf,
    problems: Vec<String>,
}

impl Explain for DefaultsError {
    explain! {
        Self { problems, .. } => Exit::BadInput, "defaults-invalid",
            hint: "correct each line, or remove it: fields are never ignored",
            facts: problems.iter().map(|problem| ("problem", problem.clone())).collect();
    }
}
