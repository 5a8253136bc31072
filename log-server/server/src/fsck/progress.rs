//! How far a run has come, kept so that the next one goes on there.
//!
//! The file is one line of JSON and a line with its SHA-256. It is of use only while the log has this key: the groups that are done never
//! change in a log that only grows, and the root at the end is that of all of them.

use super::finding::Findings;
use super::index_rows::IndexRows;
use super::levels::{Levels, SavedLevels};
use super::pass::Pass;
use crate::fsck_error::FsckError;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use stele_durable::Dir;
use stele_log_core::log_keys::LogKeys;
use stele_spec::entry::IndexEntry;
use stele_spec::hash::{Digest, IndexRoot};
use stele_spec::text::hex_exact;

/// The file's name in the folder.
const FILE: &str = "progress";

/// The largest that is read back: findings, and 255 hashes a level.
const MAX: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    log: String,
    levels: SavedLevels,
    runs: u64,
    findings: Findings,
    is_whole: bool,
    statements: u64,
    releases: u64,
    last: Option<(u64, u64, String)>,
}

/// Where it is kept.
#[derive(Debug)]
pub(super) struct Progress {
    folder: PathBuf,
    log: String,
}

impl Progress {
    /// In a folder, of the log with this key.
    pub(super) fn new(folder: &Path, log: &LogKeys) -> Self {
        Self { folder: folder.to_owned(), log: log.first().to_string() }
    }

    /// Goes on where the last run stopped, or begins. What cannot be read, or is beyond `groups`, is begun anew.
    pub(super) fn resume(&self, groups: u64) -> Pass {
        let bytes = stele_durable::read_file(&self.folder.join(FILE), MAX).ok().flatten();
        let pass = bytes.and_then(|bytes| self.load(&bytes)).filter(|pass| pass.levels.groups() <= groups);
        pass.unwrap_or_else(|| Pass::new(&self.folder))
    }

    fn load(&self, bytes: &[u8]) -> Option<Pass> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (line, digest) = text.strip_suffix('\n')?.split_once('\n')?;
        if Digest::of(line.as_bytes()).to_string() != digest {
            return None;
        }
        let saved: Saved = serde_json::from_str(line).ok()?;
        if saved.version != 1 || saved.log != self.log {
            return None;
        }
        let last = match saved.last {
            Some((at, position, root)) => {
                Some((at, IndexEntry { position, root: IndexRoot::from_bytes(hex_exact(&root).ok()?) }))
            }
            None => None,
        };
        Some(Pass {
            levels: Levels::load(&saved.levels)?,
            rows: IndexRows::new(&self.folder, saved.runs),
            findings: saved.findings,
            is_whole: saved.is_whole,
            statements: saved.statements,
            releases: saved.releases,
            last,
        })
    }

    /// Keeps how far it is, durably: rows first, then the file.
    pub(super) fn save(&self, pass: &mut Pass) -> Result<(), FsckError> {
        pass.rows.flush().map_err(|source| self.failed(source))?;
        let saved = Saved {
            version: 1,
            log: self.log.clone(),
            levels: pass.levels.save(),
            runs: pass.rows.runs(),
            findings: pass.findings.clone(),
            is_whole: pass.is_whole,
            statements: pass.statements,
            releases: pass.releases,
            last: pass.last.map(|(at, entry)| (at, entry.position, entry.root.to_string())),
        };
        let line = serde_json::to_string(&saved).map_err(|error| self.failed(error.into()))?;
        let folder = Dir::open(&self.folder)?;
        folder.sync_filesystem()?;
        folder.replace(FILE, format!("{line}\n{}\n", Digest::of(line.as_bytes())).as_bytes())?;
        Ok(())
    }

    /// Forgets it: the run is over, or another begins anew. Best effort: what is left takes room.
    pub(super) fn forget(&self) {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.folder.display(), %error, "cannot remove what was kept between two runs");
            }
            _ => {}
        }
    }

    fn failed(&self, source: io::Error) -> FsckError {
        FsckError::Scratch { path: self.folder.clone(), source }
    }
}
