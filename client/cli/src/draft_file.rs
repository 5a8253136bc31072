//! A form that was written, and what is still open in it.

use std::path::Path;

use serde_json::json;
use stele_durable as durable;
use stele_explain::Failure;
use stele_publish::error::FileError;
use stele_publish::form::{DECIDE, undecided};
use stele_verify::bounded_read::ReadError;

use crate::Output;

/// Writes a form for a person to complete, or prints it where the output is `-`.
pub(crate) fn write_draft(text: String, target: &Path, next: &str, notes: &[String]) -> Result<Output, Failure> {
    let open = undecided(&text);
    let lines = open.iter().map(|(line, text)| json!({ "line": line, "text": text }));
    let mut json = json!({ "open": lines.collect::<Vec<_>>(), "notes": notes });
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
    let text = format!("wrote {shown}\n  {} values begin with {DECIDE}: replace them, then\n  {next}\n", open.len());
    Ok(Output { text, json, failure: None })
}
