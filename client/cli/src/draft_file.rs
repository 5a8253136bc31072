//! A form that was written, and what is still open in it.

use std::path::Path;

use serde_json::json;
use stele_durable as durable;
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_publish::error::FileError;
use stele_publish::form::{AnsweredBy, DECIDE, Tally, undecided};
use stele_verify::bounded_read::ReadError;

use crate::Output;

/// Writes a form for a person to complete, or prints it where the output is `-`.
pub(crate) fn write_draft(
    text: String,
    tally: &Tally,
    target: &Path,
    next: &str,
    notes: &[String],
) -> Result<Output, Failure> {
    let open = undecided(&text);
    let decisions = json!({
        "open": open.len(),
        "carried": tally.of(AnsweredBy::Carried),
        "defaults": tally.of(AnsweredBy::Defaults),
        "preset": tally.of(AnsweredBy::Preset),
    });
    let lines = open.iter().map(|(line, text)| json!({ "line": line, "text": text }));
    let mut json = json!({ "open": lines.collect::<Vec<_>>(), "decisions": decisions, "notes": notes });
    let mut set = |name: &str, value: &str| {
        if let Some(object) = json.as_object_mut() {
            object.insert(name.into(), value.into());
        }
    };
    if target == Path::new("-") {
        set("form", &text);
        return Ok(Output { text, json, failure: None });
    }
    let shown = target.display().to_string();
    if target.is_dir() {
        return Err(ReadError::Folder { path: target.to_owned() }.into());
    }
    if target.exists() {
        let hint = "it may hold decisions: move it away first, or choose another file with -o";
        return Err(FileError::Exists { path: shown, hint }.into());
    }
    durable::create_file(target, text.as_bytes(), 0o644)?;
    set("file", &shown);
    let left = if open.len() == 1 { "1 decision left".to_owned() } else { format!("{} decisions left", open.len()) };
    let counted: Vec<String> = std::iter::once(left).chain(tally.sentences()).collect();
    let counted = one_line(&counted.join(", ")).into_owned();
    let todo = match open.len() {
        0 => "read it, then".to_owned(),
        _ => format!("replace each value that begins with {DECIDE}, then"),
    };
    let text = format!("wrote {shown}\n  {counted}\n  {todo}\n  {next}\n");
    Ok(Output { text, json, failure: None })
}
