//! Values of a form by their paths: `license.text`, `evaluations.*.result`.

use toml::{Table, Value};

/// The value at a path of names.
pub(super) fn at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((name, rest)) => at(table.get(name)?.as_table()?, rest),
    }
}

/// Puts a value at a path of names. Something else than a table on the way stays: reading the fields refuses it.
pub fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((name, rest)) => {
            let inner = table.entry(name).or_insert_with(|| Table::new().into());
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What changes a value at its path, or refuses it.
pub(super) type Change<'a, E> = &'a mut dyn FnMut(&str, &mut Value) -> Result<(), E>;

/// Changes each value at a pattern, whose `*` is every item of a list and every field of a table.
pub(super) fn each<E>(table: &mut Table, pattern: &str, change: Change<'_, E>) -> Result<(), E> {
    let (name, rest) = pattern.split_once('.').map_or((pattern, None), |(name, rest)| (name, Some(rest)));
    match table.get_mut(name) {
        Some(value) => step(value, name, rest, change),
        None => Ok(()),
    }
}

fn step<E>(value: &mut Value, path: &str, rest: Option<&str>, change: Change<'_, E>) -> Result<(), E> {
    let Some(rest) = rest else { return change(path, value) };
    let (name, rest) = rest.split_once('.').map_or((rest, None), |(name, rest)| (name, Some(rest)));
    match (name, value) {
        ("*", Value::Array(items)) => {
            items.iter_mut().enumerate().try_for_each(|(n, item)| step(item, &format!("{path}[{n}]"), rest, change))
        }
        ("*", Value::Table(fields)) => {
            fields.iter_mut().try_for_each(|(field, value)| step(value, &format!("{path}.{field}"), rest, change))
        }
        (name, Value::Table(fields)) => match fields.get_mut(name) {
            Some(value) => step(value, &format!("{path}.{name}"), rest, change),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}
