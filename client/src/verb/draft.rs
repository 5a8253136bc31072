//! `stele draft`: a `release.toml` to complete.

use std::path::Path;

use serde_json::{Value, json};
use stele_host::durable;
use stele_host::output::complain;

use crate::Output;
use crate::cli::DraftArgs;
use crate::draft::{self, Names};
use crate::error::{Failure, FileError};
use crate::folder::DRAFT;
use crate::release_file::undecided;

pub(crate) fn run(args: DraftArgs) -> Result<Output, Failure> {
    let facts = draft::facts(&args.folder)?;
    let names =
        Names { publisher: args.publisher, model: args.model, version: args.model_version, variant: args.variant };
    let text = draft::release_toml(&names, &facts);
    let open = undecided(&text);
    for note in &facts.notes {
        complain(&format!("note: {note}\n"));
    }
    let mut json = json!({
        "open": open.iter().map(|(line, text)| json!({ "line": line, "text": text })).collect::<Vec<Value>>(),
        "notes": facts.notes,
    });
    let target = args.output.unwrap_or_else(|| args.folder.join(DRAFT));
    if target == Path::new("-") {
        set(&mut json, "release_toml", &text);
        return Ok(Output { text, json, failure: None });
    }
    let shown = target.display().to_string();
    if target.exists() {
        let hint = "it may hold decisions: move it away first, or choose another file with -o";
        return Err(FileError::Exists { path: shown, hint }.into());
    }
    durable::create_file(&target, text.as_bytes(), 0o644)?;
    set(&mut json, "file", &shown);
    let text = format!(
        "wrote {shown}\n  {} values begin with DECIDE: replace them, then\n  stele publish {} --key FILE --policy FILE\n",
        open.len(),
        args.folder.display()
    );
    Ok(Output { text, json, failure: None })
}

fn set(json: &mut Value, name: &str, value: &str) {
    if let Some(object) = json.as_object_mut() {
        object.insert(name.into(), value.into());
    }
}
