//! A page to read: a title, sections, and rows of a name and a value.

use std::fmt::Write as _;

use stele_explain::printable::one_line;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::policy::{Policy, Trusted};

/// Lines of `name  value`, under titles. Values come from outside: what draws on a terminal is replaced.
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// Who cosigned, of how many whom the policy knows.
    pub(crate) fn witnesses(&mut self, head: &Trusted<Checkpoint>, policy: &Policy) {
        let names: Vec<&str> = head.cosigned().iter().map(|cosigned| cosigned.witness.as_str()).collect();
        let text = match policy.witnesses().len() {
            0 => "the policy knows none".to_owned(),
            of if names.is_empty() => format!("0 of {of} cosigned"),
            of => format!("{} of {of} cosigned: {}", names.len(), names.join(", ")),
        };
        self.row("witnesses", &text);
    }

    /// A page that begins with a title.
    pub(crate) fn titled(title: &str) -> Self {
        Self(format!("{}\n", one_line(title)))
    }

    /// A new section.
    pub(crate) fn section(&mut self, title: &str) {
        let _ = write!(self.0, "\n{title}\n");
    }

    /// A line.
    pub(crate) fn row(&mut self, name: &str, value: &dyn std::fmt::Display) {
        let value = printable(&value.to_string());
        for (at, line) in value.lines().enumerate() {
            let name = if at == 0 { name } else { "" };
            let _ = writeln!(self.0, "  {name:<15} {line}");
        }
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// A line, if there is a value.
    pub(crate) fn maybe<T: std::fmt::Display>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.row(name, value);
        }
    }
}

/// A digest over files, with how many they are and their bytes.
pub(crate) fn sized(
    digest: impl std::fmt::Display,
    files: impl std::fmt::Display,
    bytes: impl std::fmt::Display,
) -> String {
    let files = files.to_string();
    let noun = if files == "1" { "file" } else { "files" };
    format!("{digest} ({files} {noun}, {bytes} bytes)")
}

/// Text without what moves the cursor or turns the direction of writing.
pub(crate) fn printable(text: &str) -> String {
    stele_explain::printable::printable(text).into_owned()
}
