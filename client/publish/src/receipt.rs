//! What a publisher keeps of a statement: a bundle, without a manifest where it is no release.
//!
//! It has the statement, its proof and the speaker's key statements before it, so that it can be shown and checked with
//! no log at hand. Its name says what it is: `withdraw-12.stele`. That of a release has its manifest, and is the `release.stele` that
//! travels with the weights.

use std::path::{Path, PathBuf};

use stele_durable::{self as durable, DurableError};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::manifest::Manifest;

use crate::error::FileError;
use crate::publish_error::PublishError;

/// The bundle of an entry: its speaker's key statements before it, which the record knows, and its manifest, if it has one.
pub fn bundle(logged: &ProvenStatement, record: &ProvenEntries, manifest: Vec<u8>) -> Bundle {
    let keys = record.key_statements(logged.statement().publisher(), logged.position());
    let keys = keys.map(ProvenStatement::to_statement).collect();
    Bundle {
        statement: logged.signed().bytes().to_vec(),
        manifest,
        proof: logged.proof().to_bytes(),
        keys,
        names: None,
    }
}

/// No receipt can be written where one is by itself: here.
#[derive(Debug, thiserror::Error)]
#[error("no receipt can be written into this folder")]
struct ReceiptPlaceError(#[source] DurableError);

impl Explain for ReceiptPlaceError {
    explain! {
        Self(source) => source.exit(), "receipt-unwritable",
            hint: "name a file in another folder with --output, or go to one; nothing has been sent";
    }
}

/// Refuses a file for a receipt before anything is sent: one that cannot be written, or that holds something else.
pub fn check_place(output: Option<&Path>) -> Result<(), Failure> {
    let path = output.unwrap_or(Path::new("receipt.stele"));
    durable::check_writable(path).map_err(|source| match output {
        Some(_) => Failure::from(source),
        None => ReceiptPlaceError(source).into(),
    })?;
    let Some(path) = output else { return Ok(()) };
    let is_receipt = |bytes: &[u8]| Bundle::parse(bytes).is_ok_and(|old| old.manifest.is_empty());
    if durable::read_file(path, MAX_BUNDLE as u64)?.is_some_and(|bytes| !is_receipt(&bytes)) {
        let hint = "name another --output; nothing has been sent";
        return Err(FileError::Exists { path: path.display().to_string(), hint }.into());
    }
    Ok(())
}

/// A statement that is in the log for ever, and of which there is no receipt.
#[derive(Debug, thiserror::Error)]
#[error("the {kind} is entry {entry} of the log, and its receipt cannot be written: {}", .why.as_explain())]
struct ReceiptUnwritten {
    kind: String,
    entry: u64,
    why: Failure,
}

impl Explain for ReceiptUnwritten {
    explain! {
        Self { entry, why, .. } => why.as_explain().exit(), "receipt-unwritten",
            hint: "do not say it again in other words: it was said. The same command, with --output FILE where there is room, writes the receipt and sends nothing",
            facts: vec![("entry", entry.to_string()), ("found", why.as_explain().to_string())];
    }
}

/// Writes a receipt, to a given file or to `<kind>-<entry>.stele` here. An older receipt of the same statement is replaced; where
/// another file has the name here, as a receipt of another log, the leaf hash makes it a name of its own.
pub fn write(
    logged: &ProvenStatement,
    record: &mut ProvenEntries,
    manifest: Option<&Manifest>,
    output: Option<&Path>,
) -> Result<PathBuf, Failure> {
    written(logged, record, manifest, output).map_err(|why| {
        let (kind, entry) = (logged.statement().kind().to_string(), logged.position());
        match why.as_explain().exit() {
            // It is not written over, which has a message of its own.
            Exit::BadInput => why,
            _ => ReceiptUnwritten { kind, entry, why }.into(),
        }
    })
}

fn written(
    logged: &ProvenStatement,
    record: &mut ProvenEntries,
    manifest: Option<&Manifest>,
    output: Option<&Path>,
) -> Result<PathBuf, Failure> {
    record.keys(logged.statement().publisher())?;
    let manifest = manifest.map(Manifest::encode).unwrap_or_default();
    let bytes = bundle(logged, record, manifest.clone()).encode().map_err(PublishError::Bundle)?;
    let same = |bytes: Vec<u8>| {
        Bundle::parse(&bytes).is_ok_and(|old| old.manifest == manifest && old.statement == logged.signed().bytes())
    };
    let is_taken =
        |path: &Path| Ok::<_, Failure>(durable::read_file(path, MAX_BUNDLE as u64)?.is_some_and(|bytes| !same(bytes)));
    let stem = format!("{}-{}", logged.statement().kind(), logged.position());
    let path = match output {
        Some(output) => output.to_owned(),
        None => match PathBuf::from(format!("{stem}.stele")) {
            path if is_taken(&path)? => PathBuf::from(format!("{stem}-{:.16}.stele", logged.leaf().to_string())),
            path => path,
        },
    };
    if is_taken(&path)? {
        let hint =
            "the statement is in the log; for its receipt run the same command with another --output: that is harmless";
        return Err(FileError::Exists { path: path.display().to_string(), hint }.into());
    }
    durable::replace_file(&path, &bytes)?;
    Ok(path)
}
