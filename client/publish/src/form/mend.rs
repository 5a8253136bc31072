//! All that is wrong with the fields of a form, in one pass.
//!
//! Reading stops at the first field that does not fit. So a field that was named is given a value that fits, in a copy that is
//! never signed, and reading goes on. What two fields say together is looked at last, apart from those.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stele_spec::canonical::{CanonicalError, ShapeProblem};
use stele_spec::statement::FieldError;
use toml::{Table, Value};

use super::lines::DECIDE;
use super::{Form, decoded};

/// The most fields that are named in one pass.
const MAX_PROBLEMS: usize = 100;

/// Texts of which each form of field takes one; a word of a vocabulary is in the error that asks for it.
const TEXTS: [&str; 12] = [
    "x",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "00000000000000000000000000000000",
    "https://example.com/x",
    "mailto:x@example.com",
    "pkg:generic/x@1",
    "example.com",
    "example.com/x@1#x",
    "MIT",
    "0",
];

/// A part of a path: `evaluations`, `[3]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Name(&'a str),
    Item(usize),
}

impl Form {
    /// A line for each problem: fields that do not fit, then fields that do not fit together. Open decisions are none of them.
    pub fn problems<T>(&self, check: impl Fn(&T) -> Vec<FieldError>) -> Vec<String>
    where
        T: DeserializeOwned + Serialize,
    {
        let mut table = self.table.clone();
        let (mut lines, mut mended): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut removed = 0;
        while lines.len() < MAX_PROBLEMS && mended.len() + removed < 2 * MAX_PROBLEMS {
            let error = match decoded::<T>(&table) {
                Ok(typed) => {
                    let problems = check(&typed).into_iter().filter(|problem| !rests_on(problem, &mended));
                    lines.extend(problems.map(|problem| self.with_line(problem.path().as_str(), problem.to_string())));
                    return lines;
                }
                Err(error) => error,
            };
            let CanonicalError::Shape(shape) = &error else {
                lines.push(error.to_string());
                return lines;
            };
            let path = shape.path.as_str().to_owned();
            let is_open = at(&self.table, &path).and_then(Value::as_str).is_some_and(|text| text.starts_with(DECIDE));
            let is_new = !mended.contains(&path);
            if !is_open && is_new {
                lines.push(self.with_line(&path, error.to_string()));
            }
            let is_unknown = matches!(shape.problem, ShapeProblem::Unknown { .. });
            let is_done = if is_unknown { remove(&mut table, &path) } else { is_new && fit::<T>(&mut table, &path) };
            if !is_done {
                return lines;
            }
            // An unknown field was removed: nothing rests on it.
            if is_unknown {
                removed += 1;
            } else {
                mended.push(path);
            }
        }
        lines
    }

    fn with_line(&self, path: &str, text: String) -> String {
        match self.line(path) {
            Some(line) => format!("line {line}: {text}"),
            None => text,
        }
    }
}

/// Whether a problem of several fields follows from a value that was put in for reading to go on: one of them is named, or stands beside the
/// one that is wrong: what an action needs depends on which it is.
fn rests_on(problem: &FieldError, mended: &[String]) -> bool {
    let (at, text) = (problem.path(), problem.to_string());
    let path = at.as_str();
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    mended.iter().any(|known| {
        let name = known.rsplit(['.', ']']).next().unwrap_or_default();
        let are_beside = parent(path).is_some_and(|within| parent(known) == Some(within));
        are_beside
            || is_within(path, known)
            || is_within(known, path)
            || text.split(|c| !is_name(c)).any(|word| word == name)
    })
}

/// The table that a field is in; none of one at the top, where fields of every kind are.
fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(table, _)| table)
}

/// Puts a value at a path with which reading goes on; false where none is known.
fn fit<T: DeserializeOwned + Serialize>(table: &mut Table, path: &str) -> bool {
    let texts = TEXTS.into_iter().map(Value::from);
    let others =
        [false.into(), 1.into(), Table::new().into(), Value::Array(Vec::new()), Value::Array(vec!["x".into()])];
    for value in texts.chain(others) {
        let mut tried = table.clone();
        if !put(&mut tried, path, value) {
            return false;
        }
        match decoded::<T>(&tried) {
            Err(CanonicalError::Shape(shape)) if shape.path.as_str() == path => {
                let ShapeProblem::NotOneOf { expected, .. } = &shape.problem else { continue };
                let Some(word) = expected.first() else { continue };
                put(&mut tried, path, (*word).into());
            }
            // Another field is next, perhaps one inside this.
            Ok(_) | Err(CanonicalError::Shape(_)) => {}
            Err(_) => continue,
        }
        *table = tried;
        return true;
    }
    false
}

fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    for name in path.split('.') {
        let (name, items) = name.split_once('[').map_or((name, ""), |(name, items)| (name, items));
        if !name.is_empty() {
            parts.push(Part::Name(name));
        }
        for item in items.split('[').filter(|item| !item.is_empty()) {
            parts.push(Part::Item(item.strip_suffix(']')?.parse().ok()?));
        }
    }
    Some(parts)
}

fn at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let parts = parts(path)?;
    let (first, rest) = parts.split_first()?;
    let Part::Name(first) = first else { return None };
    rest.iter().try_fold(table.get(*first)?, |value, part| match part {
        Part::Name(name) => value.as_table()?.get(*name),
        Part::Item(number) => value.as_array()?.get(*number),
    })
}

/// Puts a value at a path; false where the way to it is something else than tables and items that are there.
fn put(table: &mut Table, path: &str, value: Value) -> bool {
    let Some(parts) = parts(path) else { return false };
    put_at(table, &parts, value).is_some()
}

fn put_at(table: &mut Table, parts: &[Part<'_>], value: Value) -> Option<()> {
    match parts {
        [] | [Part::Item(_), ..] => None,
        [Part::Name(name)] => {
            table.insert((*name).to_owned(), value);
            Some(())
        }
        [Part::Name(name), rest @ ..] => put_in(table.get_mut(*name)?, rest, value),
    }
}

fn put_in(place: &mut Value, parts: &[Part<'_>], value: Value) -> Option<()> {
    match (parts, place) {
        ([], place) => {
            *place = value;
            Some(())
        }
        ([Part::Item(number), rest @ ..], Value::Array(items)) => put_in(items.get_mut(*number)?, rest, value),
        (parts, Value::Table(table)) => put_at(table, parts, value),
        _ => None,
    }
}

fn remove(table: &mut Table, path: &str) -> bool {
    let Some((above, name)) = path.rsplit_once('.') else { return table.remove(path).is_some() };
    let Some(mut inner) = at(table, above).and_then(Value::as_table).cloned() else { return false };
    inner.remove(name).is_some() && put(table, above, inner.into())
}

/// Whether a path is another one or inside it.
fn is_within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
