//! `stele show`: a page to read.

use serde_json::json;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::statement::SignedStatement;

use crate::Output;
use crate::cli::ShowArgs;
use crate::error::{self, Failure, FileError};
use crate::folder::BUNDLE;
use crate::page;

pub(crate) fn run(args: ShowArgs) -> Result<Output, Failure> {
    let file = if args.file.is_dir() { args.file.join(BUNDLE) } else { args.file };
    let bytes = error::read(&file, MAX_BUNDLE as u64, "a release.stele or a signed statement")?;
    let statement = match Bundle::parse(&bytes) {
        Ok(bundle) => bundle.statement,
        Err(_) => bytes,
    };
    let signed = SignedStatement::parse(&statement).map_err(|error| FileError::Malformed {
        path: file.display().to_string(),
        what: "a release.stele or a signed statement",
        problem: error.to_string(),
        hint: "`stele inspect FILE` says what a file is",
    })?;
    let statement = signed.statement();
    let mut json = json!({ "kid": signed.kid(), "verified": false, "statement": statement });
    if let (Some(coordinate), Some(fields)) = (statement.coordinate(), json.as_object_mut()) {
        fields.insert("coordinate".into(), coordinate.to_string().into());
    }
    let text = format!("{}\nNothing here has been verified: `stele verify` does.\n", page::of(&signed));
    Ok(Output { text, json, failure: None })
}
