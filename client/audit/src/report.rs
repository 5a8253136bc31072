//! The report: the same bytes from every auditor who read the same log. It names no time, no machine, no address.
//!
//! It is written piece by piece, so that a log with many findings needs no more memory than one with none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Map, Value, json};
use stele_explain::printable::one_line;
use stele_explain::{self as exit, Exit};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::finding::Severity;

use crate::auditor::Done;
use crate::error::{AuditError, Found};
use crate::format::ReportFormat;
use crate::row::{Row, rules};
use crate::store::{Store, StoreError};

/// What is held before it is written.
const BUFFER: usize = 1 << 16;

/// The SARIF schema, as its specification names it.
const SARIF: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A finished audit, to be told.
pub(crate) struct Report<'a> {
    /// The tree.
    pub(crate) head: &'a Checkpoint,
    /// What was read.
    pub(crate) done: Done,
    /// Where the findings are.
    pub(crate) store: &'a Store,
    /// The finding that only this head has.
    pub(crate) at_the_end: Option<Row>,
    /// The name of the report in JSON.
    pub(crate) schema: &'static str,
    /// Findings below are left out.
    pub(crate) at_least: Severity,
}

/// How many findings of each weight.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    errors: u64,
    warnings: u64,
    notes: u64,
}

impl Report<'_> {
    /// Writes the report and gives the number of findings in it.
    pub(crate) fn write(&self, format: ReportFormat, to: &mut dyn Write) -> Result<u64, AuditError> {
        let mut counts = Counts::default();
        let mut used: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.rows()? {
            let row = row?;
            counts.count(row.severity);
            *used.entry(row.code).or_default() += 1;
        }
        let mut page = Buffer { text: String::new(), to };
        match format {
            ReportFormat::Text => self.text(&mut page, counts)?,
            ReportFormat::Json => self.json(&mut page, counts)?,
            ReportFormat::Sarif => self.sarif(&mut page)?,
        }
        page.flush()?;
        Ok(counts.all())
    }

    fn text(&self, page: &mut Buffer<'_>, counts: Counts) -> Result<(), AuditError> {
        let Done { statements, index_entries, .. } = self.done;
        page.say(&format!(
            "audit of {}\n  tree size     {}\n  root          {}\n  entries       {statements} statements, {index_entries} index entries\n  \
             findings      {}, {}, {}\n",
            self.head.origin(),
            self.head.size(),
            self.head.root(),
            counted(counts.errors, "error"),
            counted(counts.warnings, "warning"),
            counted(counts.notes, "note"),
        ))?;
        let rules: BTreeMap<String, &str> = rules().into_iter().map(|rule| (rule.code, rule.rule)).collect();
        for row in self.rows()? {
            let row = row?;
            let about = row.coordinate.as_ref().map_or_else(String::new, |coordinate| format!("  {coordinate}"));
            let mut text =
                format!("\nentry {}  {}  {}{about}\n  {}\n", row.entry, row.severity, row.code, one_line(&row.summary));
            let rule = rules.get(&row.code).copied().unwrap_or_default();
            let _ = writeln!(text, "  rule: {rule}");
            for value in &row.evidence {
                let _ = writeln!(text, "  {}: {}", value.name, one_line(&value.value));
            }
            page.say(&text)?;
        }
        Ok(())
    }

    fn json(&self, page: &mut Buffer<'_>, counts: Counts) -> Result<(), AuditError> {
        let head = json!({
            "origin": self.head.origin().as_str(),
            "tree_size": self.head.size(),
            "root": self.head.root().to_string(),
        });
        let Done { statements, index_entries, .. } = self.done;
        let entries = json!({ "statements": statements, "index_entries": index_entries });
        let found = json!({ "error": counts.errors, "warning": counts.warnings, "note": counts.notes });
        let count = counts.all();
        let mut fields = Map::from_iter([
            ("schema".to_owned(), self.schema.into()),
            ("ok".to_owned(), (count == 0).into()),
            ("exit".to_owned(), Exit::Ok.number().into()),
        ]);
        if let (true, Value::Object(error)) = (count > 0, exit::json(&Found { count })) {
            fields.extend(error);
        }
        let rest = [("audit", self.schema.into()), ("head", head), ("entries", entries), ("counts", found)];
        fields.extend(rest.map(|(name, value)| (name.to_owned(), value)));
        page.say("{\n")?;
        for (name, value) in fields {
            page.say(&format!("\"{name}\": {value},\n"))?;
        }
        page.say("\"findings\": [")?;
        self.list(page, serde_json::to_string)?;
        page.say("\n]\n}\n")
    }

    fn sarif(&self, page: &mut Buffer<'_>) -> Result<(), AuditError> {
        let rules: Vec<Value> = rules()
            .into_iter()
            .map(|rule| {
                json!({
                    "id": rule.code,
                    "shortDescription": { "text": rule.rule },
                    "defaultConfiguration": { "level": rule.severity.as_str() },
                    "properties": { "mode": rule.mode },
                })
            })
            .collect();
        let driver = json!({
            "name": "stele audit",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        });
        let properties = json!({
            "origin": self.head.origin().as_str(),
            "tree_size": self.head.size(),
            "root": self.head.root().to_string(),
        });
        page.say(&format!(
            "{{\n\"$schema\": \"{SARIF}\",\n\"version\": \"2.1.0\",\n\"runs\": [{{\n\"tool\": {{\"driver\": {driver}}},\n\
             \"properties\": {properties},\n\"results\": ["
        ))?;
        let origin = self.head.origin().as_str();
        self.list(page, |row| {
            let name = format!("{origin} entry {}", row.entry);
            let evidence: Vec<Value> =
                row.evidence.iter().map(|value| json!({ "name": value.name, "value": value.value })).collect();
            let mut properties = json!({ "entry": row.entry, "mode": row.mode, "evidence": evidence });
            if let (Some(coordinate), Some(object)) = (&row.coordinate, properties.as_object_mut()) {
                object.insert("coordinate".into(), coordinate.to_string().into());
            }
            let location = json!({ "logicalLocations": [{ "fullyQualifiedName": name, "kind": "object" }] });
            let result = json!({
                "ruleId": row.code,
                "level": row.severity.as_str(),
                "message": { "text": row.summary },
                "locations": [location],
                "properties": properties,
            });
            serde_json::to_string(&result)
        })?;
        page.say("\n]\n}]\n}\n")
    }

    /// Every finding on a line of its own, between commas.
    fn list(
        &self,
        page: &mut Buffer<'_>,
        write: impl Fn(&Row) -> serde_json::Result<String>,
    ) -> Result<(), AuditError> {
        let mut before = "\n";
        for row in self.rows()? {
            page.say(before)?;
            page.say(&write(&row?).map_err(StoreError::Row)?)?;
            before = ",\n";
        }
        Ok(())
    }

    fn rows(&self) -> Result<impl Iterator<Item = Result<Row, AuditError>>, AuditError> {
        let stored = self.store.snapshot()?.all(b'!')?;
        let stored = stored.map(|row| {
            let row = row?;
            serde_json::from_slice(&row).map_err(|error| AuditError::Store(StoreError::Row(error)))
        });
        let all = stored.chain(self.at_the_end.clone().map(Ok));
        Ok(all.filter(|row| row.as_ref().map_or(true, |row| weight(self.at_least) <= weight(row.severity))))
    }
}

impl Counts {
    fn all(self) -> u64 {
        self.errors + self.warnings + self.notes
    }

    fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }
}

/// The order of severities: the worst last.
const fn weight(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

/// Text on its way out.
struct Buffer<'a> {
    text: String,
    to: &'a mut dyn Write,
}

impl Buffer<'_> {
    fn say(&mut self, text: &str) -> Result<(), AuditError> {
        self.text.push_str(text);
        if self.text.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), AuditError> {
        self.to.write_all(core::mem::take(&mut self.text).as_bytes())?;
        self.to.flush()?;
        Ok(())
    }
}

/// `1 error`, `2 errors`.
fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
