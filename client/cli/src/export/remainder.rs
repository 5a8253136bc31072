//! What of a release a format has no place for, under its own names.

use serde_json::{Map, Value};
use stele_spec::statement::Release;

/// The fields of a release without those that are said elsewhere in a document, each named by its path.
pub(super) fn remainder(release: &Release, said: &[&str]) -> Map<String, Value> {
    // A release that was read from CBOR has nothing that JSON has not.
    let mut fields = match serde_json::to_value(release) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for path in said {
        remove(&mut fields, path);
    }
    fields
}

fn remove(fields: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => {
            fields.remove(path);
        }
        Some((first, rest)) => {
            let Some(Value::Object(inner)) = fields.get_mut(first) else { return };
            remove(inner, rest);
            if inner.is_empty() {
                fields.remove(first);
            }
        }
    }
}

/// Each leaf with its path. A list is one leaf: its order and what belongs together in it stay.
pub(super) fn leaves(fields: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect("", fields, &mut found);
    found
}

fn collect(prefix: &str, fields: &Map<String, Value>, found: &mut Vec<(String, String)>) {
    for (name, value) in fields {
        let path = format!("{prefix}{name}");
        match value {
            Value::Object(inner) if !inner.is_empty() => collect(&format!("{path}."), inner, found),
            Value::String(text) => found.push((path, text.clone())),
            other => found.push((path, other.to_string())),
        }
    }
}
