//! Proof against a log that this machine holds: found once, it is not forgotten because a later bundle looks well.

use std::path::PathBuf;

use stele_durable::{Dir, DurableError};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::misbehaviour::{Accused, EXTENSION, KnownKeys, Misbehaviour};
use stele_spec::note::MAX_NOTE;

use super::folder::LocalState;
use super::log_id::LogId;

/// The most files of evidence that are read.
const MAX_FILES: usize = 64;

/// The longest file of a split view: two notes, a proof, and what stands around them.
const MAX_FILE: u64 = 2 * MAX_NOTE as u64 + 8192;

/// A log whose key is convicted by a file in the local state.
#[derive(Debug, thiserror::Error)]
#[error("this machine holds proof that the log lied: {what}")]
pub struct LogConvicted {
    what: String,
    file: PathBuf,
}

impl LocalState {
    /// Refuses a log against whose key a file of evidence is kept here. Each file is checked again; what proves nothing accuses nobody.
    pub fn refuse_convicted(&self, log: LogId<'_>) -> Result<(), Failure> {
        let Some(folder) = self.folder().filter(|folder| folder.join("evidence").is_dir()) else { return Ok(()) };
        let keys = KnownKeys::of_policy(log.policy);
        match convicted(folder, |bytes| conviction(bytes, &keys, log)) {
            Ok(None) => Ok(()),
            Ok(Some(found)) => Err(found.into()),
            Err(error) if self.is_named() => Err(error.into()),
            Err(_) => Ok(()),
        }
    }
}

fn convicted(
    folder: &std::path::Path,
    check: impl Fn(&[u8]) -> Option<String>,
) -> Result<Option<LogConvicted>, DurableError> {
    let dir = Dir::open(folder)?;
    let files = dir.list("evidence")?.unwrap_or_default();
    let of_evidence = |name: &str| name.strip_suffix(EXTENSION).is_some_and(|stem| stem.ends_with('.'));
    for file in files.into_iter().filter(|file| of_evidence(&file.name)).take(MAX_FILES) {
        let path = format!("evidence/{}", file.name);
        // A longer file convicts by entries: an auditor wrote it, and `stele evidence verify` reads it.
        let Ok(Some(bytes)) = dir.read(&path, MAX_FILE) else { continue };
        if let Some(what) = check(&bytes) {
            return Ok(Some(LogConvicted { what, file: dir.path_of(&path) }));
        }
    }
    Ok(None)
}

/// What a file proves against the key of the log; none where it proves nothing, or something of another.
fn conviction(bytes: &[u8], keys: &KnownKeys, log: LogId<'_>) -> Option<String> {
    let verdict = Misbehaviour::parse(bytes).ok()?.check(keys).ok()?;
    let is_log = |accused: &Accused| matches!(accused, Accused::Log(key) if log.is_of(key));
    verdict.accused.iter().any(is_log).then_some(verdict.what)
}

impl Explain for LogConvicted {
    explain! {
        Self { file, .. } => Exit::Inconsistent, "log-convicted",
            hint: "rely on nothing that this log says; `stele evidence verify FILE` shows the proof to anyone; --no-state looks at the bundle alone",
            "evidence": file.display();
    }
}
