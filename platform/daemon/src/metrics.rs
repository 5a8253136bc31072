//! Numbers for a monitoring system, as text: the Prometheus exposition format, version 0.0.4.
//!
//! ```text
//! # HELP stele_signed_size Entries in the newest signed tree.
//! # TYPE stele_signed_size gauge
//! stele_signed_size 17
//! ```
//! Each family has its help and its type before its first value, and is written once. Labels come from outside (origins, names of
//! witnesses): what would end a label or a line is escaped.

use std::fmt::{self, Write as _};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the values of a family change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only upwards, from 0 at the start of the program.
    Counter,
    /// In both directions.
    Gauge,
}

/// The text of all families so far.
#[derive(Clone, Debug, Default)]
pub struct Metrics(String);

/// One family, whose values are being written.
#[derive(Debug)]
pub struct Family<'m> {
    text: &'m mut String,
    name: &'static str,
}

impl Metrics {
    /// No families.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a family; its name is written once in a text.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let _ = writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {kind}", escaped_help(help));
        Family { text: &mut self.0, name }
    }

    /// A family of one value without labels.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl fmt::Display) {
        self.family(name, kind, help).value(&[], value);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Writes the value that goes by these labels: an integer, or a finite number.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl fmt::Display) -> &mut Self {
        self.text.push_str(self.name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped_label(text));
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
        self
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        })
    }
}

fn escaped_help(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn escaped_label(text: &str) -> String {
    escaped_help(text).replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_family_is_help_type_and_values() {
        let mut metrics = Metrics::new();
        metrics.single("stele_signed_size", Kind::Gauge, "Entries in the newest\nsigned tree.", 17);
        let mut answers = metrics.family("stele_answers_total", Kind::Counter, "Answers by status.");
        answers
            .value(&[("origin", "log.example/a"), ("status", "200")], 2)
            .value(&[("origin", ""), ("status", "404")], 1);
        metrics.single("stele_write_seconds_total", Kind::Counter, "Time.", 0.25);
        assert_eq!(
            metrics.into_text(),
            "# HELP stele_signed_size Entries in the newest\\nsigned tree.\n# TYPE stele_signed_size gauge\nstele_signed_size 17\n\
             # HELP stele_answers_total Answers by status.\n# TYPE stele_answers_total counter\n\
             stele_answers_total{origin=\"log.example/a\",status=\"200\"} 2\nstele_answers_total{origin=\"\",status=\"404\"} 1\n\
             # HELP stele_write_seconds_total Time.\n# TYPE stele_write_seconds_total counter\nstele_write_seconds_total 0.25\n"
        );
    }

    /// Reads a value's line as the format's documentation says; `None` where it is none.
    fn read(line: &str) -> Option<(String, String)> {
        let mut rest = line.strip_prefix("m{l=\"")?.chars();
        let mut label = String::new();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => match rest.next()? {
                    'n' => label.push('\n'),
                    c @ ('"' | '\\') => label.push(c),
                    _ => return None,
                },
                c => label.push(c),
            }
        }
        Some((label, rest.as_str().strip_prefix("} ")?.to_owned()))
    }

    proptest! {
        #[test]
        fn any_label_is_read_back_and_writes_no_line_of_its_own(label in any::<String>(), value in any::<u64>()) {
            let mut metrics = Metrics::new();
            metrics.family("m", Kind::Gauge, "Help.").value(&[("l", &label)], value);
            let text = metrics.into_text();
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(lines.len(), 4);
            prop_assert_eq!(read(lines[2]), Some((label, value.to_string())));
        }
    }
}
