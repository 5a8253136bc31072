//! A form being written: facts as values, decisions as `"DECIDE: ..."`, each explained in place.

use std::fmt::Write as _;

use toml::Value;

use super::answer::{Answer, AnsweredBy, Tally, inline, key};
use super::lines::DECIDE;

/// A field that an option of the command line gives.
#[derive(Debug, Clone)]
pub struct OptionValue {
    /// Where it is in the statement: `access.stage`.
    pub path: &'static str,
    /// What it is.
    pub value: Value,
    /// The option.
    pub option: &'static str,
}

/// TOML being written.
#[derive(Debug, Default)]
pub struct FormWriter {
    text: String,
    given: Vec<OptionValue>,
    tally: Tally,
}

impl FormWriter {
    /// A form in which what the options gave stands already.
    pub fn with(given: Vec<OptionValue>) -> Self {
        Self { text: String::new(), given, tally: Tally::default() }
    }

    /// How many decisions were answered, and by what.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A comment on a line of its own.
    pub fn comment(&mut self, text: &str) {
        let _ = writeln!(self.text, "# {}", one_line(text));
    }

    /// What somebody may want to add.
    pub fn comments<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        lines.into_iter().for_each(|line| self.comment(line));
    }

    /// A table.
    pub fn section(&mut self, name: &str) {
        let _ = write!(self.text, "\n[{name}]\n");
    }

    /// An item of a list of tables.
    pub fn item(&mut self, name: &str) {
        let _ = write!(self.text, "\n[[{name}]]\n");
    }

    /// A field with a value in TOML, and where that is from.
    pub fn line(&mut self, name: &str, value: &str, from: &str) {
        let from = if from.is_empty() { String::new() } else { format!(" # from {}", one_line(from)) };
        let _ = writeln!(self.text, "{name} = {value}{from}");
    }

    /// A field with a text.
    pub fn text(&mut self, name: &str, value: &str, from: &str) {
        self.line(name, &quoted(value), from);
    }

    /// A field that a person decides.
    pub fn decide(&mut self, name: &str, what: &str) {
        self.line(name, &open(what), "");
    }

    /// A decision that was answered before, and by what.
    pub fn answered(&mut self, name: &str, answer: &Answer) {
        self.tally.count(answer);
        self.goes_with(name, answer);
    }

    /// A field that belongs to a decision which was answered before: it is none by itself.
    pub fn goes_with(&mut self, name: &str, answer: &Answer) {
        let (value, from) = (inline(&answer.value), one_line(&answer.from));
        let from = if answer.by == AnsweredBy::Preset { from } else { format!("from {from}") };
        let _ = writeln!(self.text, "{} = {value} # {from}", key(name));
    }

    /// A field with the answer that there is, or one that a person decides.
    pub fn answer_or_decide(&mut self, name: &str, answer: Option<&Answer>, what: &str) {
        match answer {
            Some(answer) => self.answered(name, answer),
            None => self.decide(name, what),
        }
    }

    /// A field that an option gave, or that a person decides. It stands under its last name.
    pub fn ask(&mut self, path: &str, what: &str) {
        let name = path.rsplit('.').next().unwrap_or(path);
        match self.given.iter().find(|given| given.path == path) {
            Some(OptionValue { value, .. }) => {
                let value = value.to_string();
                self.line(name, &value, "");
            }
            None => self.decide(name, what),
        }
    }

    /// The same of several texts in a list.
    pub fn ask_list(&mut self, path: &str, what: &str) {
        match self.given.iter().find(|given| given.path == path) {
            Some(_) => self.ask(path, what),
            None => {
                let name = path.rsplit('.').next().unwrap_or(path);
                self.line(name, &format!("[{}]", open(what)), "");
            }
        }
    }

    /// Whether an option gave a field.
    pub fn is_given(&self, path: &str) -> bool {
        self.given.iter().any(|given| given.path == path)
    }

    /// A document of the folder, or a decision.
    pub fn document(&mut self, name: &str, path: Option<&str>, what: &str) {
        let name_of = path.map_or_else(|| open(what), quoted);
        self.line(name, &format!("{{ name = {name_of} }}"), "");
    }

    /// TOML as it is.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

fn open(what: &str) -> String {
    quoted(&format!("{DECIDE}: {what}"))
}

/// A TOML basic string. What the folder says is anybody's text.
pub fn quoted(text: &str) -> String {
    Value::from(one_line(text)).to_string()
}

/// Text on one line, without what does not show: a comment must not end early, a value must be a line.
fn one_line(text: &str) -> String {
    stele_explain::printable::printable(&text.replace(['\n', '\r', '\t'], " ")).trim().to_owned()
}
