//! A decision that was answered before the person is asked, and by what.

use toml::Value;

/// What answered a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnsweredBy {
    /// An earlier release.
    Carried,
    /// The publisher's file of answers.
    Defaults,
    /// A preset that was named.
    Preset,
}

/// An answer, and what gave it. The person who signs the form gives it for their own: it stands in the form with its source.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What gave it: `publisher.toml`, `preset embedding`.
    pub from: String,
    /// Which kind of source that is.
    pub by: AnsweredBy,
}

/// How many decisions of a form were answered, by each kind of source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    answered: Vec<(AnsweredBy, String, usize)>,
}

impl Tally {
    /// Counts one.
    pub(super) fn count(&mut self, answer: &Answer) {
        match self.answered.iter_mut().find(|(by, from, _)| *by == answer.by && *from == answer.from) {
            Some((_, _, count)) => *count += 1,
            None => self.answered.push((answer.by, answer.from.clone(), 1)),
        }
    }

    /// How many were answered by a kind of source.
    pub fn of(&self, by: AnsweredBy) -> usize {
        self.answered.iter().filter(|(kind, _, _)| *kind == by).map(|(_, _, count)| count).sum()
    }

    /// For a person: `5 answered by publisher.toml`, one for each source.
    pub fn sentences(&self) -> Vec<String> {
        let mut answered: Vec<_> = self.answered.iter().collect();
        answered.sort();
        answered.into_iter().map(|(_, from, count)| format!("{count} answered by {from}")).collect()
    }
}

/// A value on one line, with every character that does not show written as its number.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.to_string(),
    }
}

/// A key of TOML: bare where it may be.
pub(super) fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { string(name) }
}

/// A TOML basic string: <https://toml.io/en/v1.0.0#string>.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            shown if is_shown(shown) => quoted.push(shown),
            hidden => quoted.push_str(&format!("\\U{:08X}", u32::from(hidden))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a terminal shows a character as itself.
fn is_shown(character: char) -> bool {
    let text = character.to_string();
    !character.is_control() && stele_explain::printable::printable(&text) == text
}
