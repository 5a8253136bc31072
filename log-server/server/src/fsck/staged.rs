//! What is staged: batches and checkpoints that a start would use, and files that it cannot.

use super::finding::{Finding, Findings, Problem, Remedy};
use super::wanted::Wanted;
use crate::fsck_error::FsckError;
use std::io::Read as _;
use stele_durable::Dir;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::{ObjectErrorKind, ObjectName, Objects};
use stele_log_core::log_keys::LogKeys;
use stele_log_core::staged_batch::StagedBatch;
use stele_spec::note::MAX_NOTE;

/// The largest staged object that is read back.
const MAX_STAGED: u64 = 1 << 30;

/// What the names of staged checkpoints end with.
const CHECKPOINT: &str = ".checkpoint";

/// So much of a file has the name of its object.
const HEADER: u64 = 1 << 10;

/// Looks at every staged object. `is_proven`: all that was signed is there without them.
pub(super) fn look(
    data: &Dir,
    objects: &dyn Objects,
    keys: &LogKeys,
    wanted: &Wanted<'_>,
    is_proven: bool,
    findings: &mut Findings,
) -> Result<(), FsckError> {
    let remedy = if is_proven { Remedy::Remove } else { Remedy::Copy };
    for name in objects.staged()? {
        let known = wanted.unusable.iter().find(|(unusable, _)| *unusable == name).map(|(_, found)| found.clone());
        let problem = match known {
            Some(found) => Some(found),
            None => problem(objects, keys, &name)?,
        };
        if let Some(found) = problem {
            findings.add(Finding::new(file_of(data, &name)?, Problem::Damaged, remedy, found));
        }
    }
    Ok(())
}

fn problem(objects: &dyn Objects, keys: &LogKeys, name: &str) -> Result<Option<String>, FsckError> {
    let is_checkpoint = name.ends_with(CHECKPOINT);
    let limit = if is_checkpoint { MAX_NOTE as u64 } else { MAX_STAGED };
    let bytes = match objects.get(&ObjectName::Staged(name.to_owned()), limit) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ObjectErrorKind::TooLarge => return Ok(Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    if is_checkpoint {
        let read = SignedCheckpoint::read(&bytes, keys);
        return Ok(read.err().map(|error| format!("no checkpoint of this log: {error}")));
    }
    let batch = StagedBatch::parse(&bytes);
    Ok(batch.is_none_or(|batch| batch.span.name() != name).then(|| "not a staged batch".to_owned()))
}

/// The file that has an object: of its name, or a spare that has the name in its second line.
fn file_of(data: &Dir, name: &str) -> Result<String, FsckError> {
    for listed in data.list("staged")?.unwrap_or_default() {
        let path = format!("staged/{}", listed.name);
        if listed.name == name {
            return Ok(path);
        }
        let Some((file, _)) = data.open_file(&path)? else { continue };
        let mut beginning = Vec::new();
        // What cannot be read has no name.
        if file.take(HEADER).read_to_end(&mut beginning).is_ok()
            && beginning.split(|byte| *byte == b'\n').nth(1) == Some(name.as_bytes())
        {
            return Ok(path);
        }
    }
    Ok(format!("staged/{name}"))
}
