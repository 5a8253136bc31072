//! What a person writes: TOML with the fields of a statement, of which some are still to be decided.
//!
//! Every kind of statement has such a form, and `release.toml` is one. Whatever the kind, a form is read here: it is
//! refused while a value begins with `DECIDE`; its fields are read by the statement's own encoding, so that nothing is
//! ignored and an error names its line; a document that is a file here gets its digest; a release that is named by its
//! coordinate gets its entry, proven; and `issued_at` is written back before anything is sent, so that saying it again says
//! the same bytes.
//!
//! Options of the command line fill the same fields. A form of nothing but options has no file and keeps nothing.

mod answer;
mod documents;
mod form_writer;
mod lines;
mod mend;
mod places;
mod references;
mod refusal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use stele_durable as durable;
use stele_explain::Failure;
use stele_spec::canonical::FieldPath;
use stele_spec::canonical::{self, CanonicalError};
use stele_spec::statement::{Approval, FieldError, MAX_STATEMENT, Timestamp};
use toml::{Table, Value};

use crate::error;

pub use answer::{Answer, AnsweredBy, Tally, inline};
pub use documents::{DocumentFolders, named_file};
pub use form_writer::{FormWriter, OptionValue, quoted};
pub use lines::{DECIDE, undecided};
pub use places::put;
pub use references::{ReferenceError, Subject, resolve, resolve_one, resolve_parents};
pub use refusal::FormError;

/// The largest form: a statement is smaller than 64 KiB, comments may be long.
const MAX_FORM: u64 = 1 << 20;

/// Refuses approvals that stand in a form: keys approve what a form became, with its time.
pub fn approvals_by_hand(approvals: &[Approval]) -> Option<FieldError> {
    let (path, because) = (FieldPath::new("approvals"), "keys approve what a form became: see --propose");
    approvals.first().map(|_| FieldError::Unexpected { path, because })
}

/// A form, read and not yet resolved.
#[derive(Debug, Clone)]
pub struct Form {
    source: Source,
    table: Table,
    /// Which fields options gave, and by which option.
    given: Vec<(String, &'static str)>,
}

/// Where a form is from.
#[derive(Debug, Clone)]
enum Source {
    /// A file, with its text.
    File { path: PathBuf, text: String },
    /// The command line.
    Options,
}

impl Form {
    /// Reads a file; refuses it while anything in it is undecided.
    pub fn read(path: &Path, what: &'static str) -> Result<Self, Failure> {
        match Self::read_open(path, what)? {
            (form, None) => Ok(form),
            (_, Some(open)) => Err(open.into()),
        }
    }

    /// Reads a file, and says what in it is undecided.
    pub fn read_open(path: &Path, what: &'static str) -> Result<(Self, Option<FormError>), Failure> {
        let bytes = error::read(path, MAX_FORM, what)?;
        let place = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|_| FormError::Toml {
            place: place.clone(),
            line: None,
            message: "not UTF-8".to_owned(),
        })?;
        let open = undecided(&text);
        let mut open = (!open.is_empty()).then(|| FormError::Undecided { place: place.clone(), open });
        let parsed = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| lines::line_at(&text, span.start));
            FormError::Toml { place, line, message: error.message().to_owned() }
        });
        let mut table: Table = match (parsed, open) {
            // What is still to be decided may be no TOML yet.
            (Err(_), Some(open)) => return Err(open.into()),
            (Err(error), None) => return Err(error.into()),
            (Ok(table), still_open) => {
                open = still_open;
                table
            }
        };
        lines::plain_dates(&mut table);
        Ok((Self { source: Source::File { path: path.to_owned(), text }, table, given: Vec::new() }, open))
    }

    /// A form of options alone.
    pub fn of_options() -> Self {
        Self { source: Source::Options, table: Table::new(), given: Vec::new() }
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File { path, .. } => Some(path),
            Source::Options => None,
        }
    }

    /// The fields.
    pub fn into_table(self) -> Table {
        self.table
    }

    /// Takes a field out that is not one of the statement.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    /// The text at a path such as `publisher.name`.
    pub fn text(&self, path: &str) -> Option<&str> {
        places::at(&self.table, path)?.as_str()
    }

    /// Whether there is anything at a path.
    pub fn has(&self, path: &str) -> bool {
        places::at(&self.table, path).is_some()
    }

    /// A field by an option. What the file says already it may only repeat.
    pub fn give(&mut self, path: &str, value: Value, option: &'static str) -> Result<(), FormError> {
        match places::at(&self.table, path) {
            Some(said) if *said != value => {
                let (said, given) = (said.to_string(), value.to_string());
                return Err(FormError::SaidTwice { place: self.place(), field: path.to_owned(), option, said, given });
            }
            _ => places::put(&mut self.table, path, value),
        }
        self.given.push((path.to_owned(), option));
        Ok(())
    }

    /// A field that is not there yet.
    pub fn default(&mut self, path: &str, value: impl Into<Value>) {
        if !self.has(path) {
            places::put(&mut self.table, path, value.into());
        }
    }

    /// Changes each value at a pattern such as `evaluations.*.result`; the path that is given has the numbers.
    pub fn each<E>(
        &mut self,
        pattern: &str,
        mut change: impl FnMut(&str, &mut Value) -> Result<(), E>,
    ) -> Result<(), E> {
        places::each(&mut self.table, pattern, &mut change)
    }

    /// A problem at a field.
    pub fn invalid(&self, field: &str, message: String) -> FormError {
        FormError::Toml { place: self.place_of(field), line: self.line(field), message }
    }

    /// Reads the fields by way of the statement's own encoding, whose errors name the field.
    pub fn typed<T: DeserializeOwned + Serialize>(&self) -> Result<T, FormError> {
        decoded(&self.table).map_err(|error| match &error {
            CanonicalError::Shape(shape) => self.invalid(shape.path.as_str(), error.to_string()),
            CanonicalError::TooLong { limit, found } => {
                self.invalid("", format!("expected a statement of at most {limit} bytes, found {found}"))
            }
            _ => self.invalid("", error.to_string()),
        })
    }

    /// Refuses a form with problems of its fields, each a line.
    pub fn refuse(&self, problems: Vec<String>) -> Result<(), FormError> {
        if problems.is_empty() { Ok(()) } else { Err(FormError::Fields { place: self.place(), problems }) }
    }

    /// Refuses fields that do not go together, each with its line.
    pub fn check(&self, problems: &[FieldError]) -> Result<(), FormError> {
        if problems.is_empty() {
            return Ok(());
        }
        let shown = |problem: &FieldError| match self.line(problem.path().as_str()) {
            Some(line) => format!("line {line}: {problem}"),
            None => problem.to_string(),
        };
        Err(FormError::Fields { place: self.place(), problems: problems.iter().map(shown).collect() })
    }

    /// Writes `issued_at` into the file, where it is not there, before the first submission.
    pub fn keep_issued_at(&self, issued_at: Timestamp, written: bool) -> Result<(), Failure> {
        let Source::File { path, text } = &self.source else { return Ok(()) };
        if written {
            return Ok(());
        }
        let text = format!(
            "# When this was first said; kept so that saying it again signs the same bytes.\n\
             issued_at = \"{issued_at}\"\n{text}"
        );
        Ok(durable::replace_file(path, text.as_bytes())?)
    }

    /// How the form is called in a message.
    fn place(&self) -> String {
        self.path().map_or_else(|| "the command line".to_owned(), |path| path.display().to_string())
    }

    /// The same for a field: by its option, where an option gave it.
    fn place_of(&self, field: &str) -> String {
        let inside =
            |path: &str| field == path || field.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
        match self.given.iter().find(|(path, _)| inside(path)) {
            Some((_, option)) => (*option).to_owned(),
            None => self.place(),
        }
    }

    fn line(&self, field: &str) -> Option<usize> {
        match &self.source {
            Source::File { text, .. } => lines::line_of(text, field),
            Source::Options => None,
        }
    }
}

/// Fields as a statement.
fn decoded<T: DeserializeOwned + Serialize>(table: &Table) -> Result<T, CanonicalError> {
    let payload = canonical::to_bytes(table)?;
    if payload.len() > MAX_STATEMENT {
        return Err(CanonicalError::TooLong { limit: MAX_STATEMENT, found: payload.len() });
    }
    canonical::from_bytes(&payload, MAX_STATEMENT)
}
