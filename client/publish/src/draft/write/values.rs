//! Values of answers, as far as they hold for this folder.

use toml::{Table, Value};

use crate::draft::answers::Answers;
use crate::draft::facts::Facts;
use crate::form::Answer;

/// Whether a value is a list of texts with at least one in it.
pub(super) fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_str))
}

/// A document that a source names and that is still the same: it has a digest of its own, or is a file of this folder.
pub(super) fn document(answers: &Answers, facts: &Facts, path: &str) -> Option<Answer> {
    answers.sources().find_map(|source| {
        let answer = source.answer(path)?;
        let files =
            answers.old.as_ref().filter(|old| old.source.name == source.name).and_then(|old| old.files.as_deref());
        Some(source.says(standing_document(&answer.value, facts, files)?))
    })
}

/// A document as it holds for this folder; nothing where it was a file of the earlier release and is none of this.
pub(super) fn standing_document(document: &Value, facts: &Facts, files: Option<&[String]>) -> Option<Value> {
    let table = document.as_table()?;
    if table.contains_key("none") {
        return Some(document.clone());
    }
    let name = table.get("name")?.as_str()?;
    if facts.has_file(name) {
        // The digest is of the file that is here now.
        return Some(Table::from_iter([("name".to_owned(), Value::from(name))]).into());
    }
    let was_file = files.is_some_and(|files| files.iter().any(|file| file == name));
    (table.contains_key("sha256") && !was_file).then(|| document.clone())
}
