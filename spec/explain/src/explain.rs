//! Errors with an exit code, a stable code, facts and a hint, and both forms in which they are shown.

use std::error::Error;

use crate::exit::Exit;
use crate::printable::continued;

/// An error that knows how it is told to a person and to a script.
pub trait Explain: Error {
    /// The process's exit code.
    fn exit(&self) -> Exit;

    /// A stable name in kebab-case, for scripts: `disk-full`, `bytes-differ`.
    fn code(&self) -> &'static str;

    /// What to do now, as one sentence or command.
    fn hint(&self) -> Option<String> {
        None
    }

    /// What was expected, what was found: short named values below the message.
    fn facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The error as lines for a person: `error: message: cause`, its facts, `hint: ...`.
pub fn text(error: &(impl Explain + ?Sized)) -> String {
    let mut text = format!("error: {}", continued(&causes(error).join(": ")));
    for (name, value) in error.facts() {
        text.push_str(&format!("\n  {name}: {}", continued(&value)));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nhint: {}", continued(&hint)));
    }
    text.push('\n');
    text
}

/// The error as `{"error", "message", "causes", "facts", "hint", "exit"}`; absent parts are left out.
pub fn json(error: &(impl Explain + ?Sized)) -> serde_json::Value {
    let mut chain = causes(error).into_iter();
    let mut object = serde_json::Map::new();
    object.insert("error".into(), error.code().into());
    object.insert("message".into(), chain.next().unwrap_or_default().into());
    let causes: Vec<String> = chain.collect();
    if !causes.is_empty() {
        object.insert("causes".into(), causes.into());
    }
    let facts = error.facts();
    if !facts.is_empty() {
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        object.insert("facts".into(), serde_json::Value::Object(facts));
    }
    if let Some(hint) = error.hint() {
        object.insert("hint".into(), hint.into());
    }
    object.insert("exit".into(), error.exit().number().into());
    object.into()
}

/// The messages from the outside in, without a cause that its parent's message already ends with.
pub fn causes(error: &(impl Error + ?Sized)) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !messages.last().is_some_and(|parent| parent.ends_with(&message)) {
            messages.push(message);
        }
        next = cause.source();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("model.safetensors is not the file of the record")]
    struct Swapped(#[source] std::io::Error);

    impl Explain for Swapped {
        fn exit(&self) -> Exit {
            Exit::BytesDiffer
        }

        fn code(&self) -> &'static str {
            "bytes-differ"
        }

        fn hint(&self) -> Option<String> {
            Some("download it again".into())
        }

        fn facts(&self) -> Vec<(&'static str, String)> {
            vec![("expected", "aa".into()), ("found", "b\u{1b}[2Jb".into())]
        }
    }

    fn swapped() -> Swapped {
        Swapped(std::io::Error::other("short read"))
    }

    #[test]
    fn a_person_reads_error_facts_and_hint_and_no_escape_sequence() {
        assert_eq!(
            text(&swapped()),
            "error: model.safetensors is not the file of the record: short read\n  expected: aa\n  found: b\\u{1b}[2Jb\nhint: download it again\n"
        );
    }

    #[test]
    fn a_script_reads_the_same_as_one_object() {
        let object = json(&swapped());
        assert_eq!(object["error"], "bytes-differ");
        assert_eq!(object["causes"][0], "short read");
        assert_eq!(object["facts"]["expected"], "aa");
        assert_eq!(object["exit"], 1);
    }
}
