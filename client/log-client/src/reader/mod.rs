//! A log read by its static files: the checkpoint under the policy, then entries that are known to be its.
//!
//! Nothing of what a log or a mirror serves is believed: `stele_spec::tiledlog` checks each file. So a mirror on a disk, a cache and
//! the log itself are equally good, and a wrong byte is found where it is, by the name of its file.
//!
//! ```text
//! LogReader::new(source("https://log.example"))     or a folder
//!   .head(&policy)?                     -> TrustedCheckpoint: trusted, and the note it came in
//!   .open(head)?                        -> VerifiedLog: the edge of the tree is checked
//!       .check_prefix(size, root)?      the tree that was seen before is the beginning of this one
//!       .entries(from)                  -> chunks of at most 256 entries with their leaf hashes, each checked
//! ```
//!
//! Reading is bounded: one bundle (16 MiB at most) and some tiles of 8 KiB are held at a time, however large the log is.

mod error;
#[cfg(test)]
pub mod tests;
mod verified;

use std::time::{Duration, Instant};

use stele_spec::checkpoint::CheckpointError;
use stele_spec::hash::Digest;
use stele_spec::manifest::{MAX_MANIFEST, Manifest};
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::{Policy, RefusedCheckpoint, TrustedCheckpoint};

pub use error::ReadError;
pub use stele_fetch::static_files::StaticFiles;
pub use stele_spec::tiledlog::Chunk;
pub use verified::VerifiedLog;

/// How this program names itself to those it asks.
pub const AGENT: &str = concat!("stele/", env!("CARGO_PKG_VERSION"));

/// What a person writes: the address of a log or of a mirror, or the path of a folder.
pub fn source(text: &str) -> StaticFiles {
    StaticFiles::parse(text, AGENT)
}

/// The same, with one deadline for everything that is read at an address, from now on.
pub fn source_within(text: &str, wait: Duration) -> StaticFiles {
    match source(text) {
        StaticFiles::Http { url, http, tries } => {
            StaticFiles::Http { url, http: http.until(Instant::now() + wait), tries }
        }
        folder => folder,
    }
}

/// One log or one mirror of it.
#[derive(Debug, Clone)]
pub struct LogReader {
    source: StaticFiles,
}

impl LogReader {
    /// A reader of this source.
    pub fn new(source: StaticFiles) -> Self {
        Self { source }
    }

    /// Where it reads.
    pub fn source(&self) -> &StaticFiles {
        &self.source
    }

    /// The newest head that the source has, if the policy vouches for it.
    pub fn head(&self, policy: &Policy) -> Result<TrustedCheckpoint, ReadError> {
        let note = self.source.needed("checkpoint", MAX_NOTE as u64)?;
        TrustedCheckpoint::parse(&note, policy).map_err(|error| {
            let place = self.source.to_string();
            match (&self.source, &error) {
                // Any page can be served with the status 200.
                (StaticFiles::Http { .. }, RefusedCheckpoint::Log(CheckpointError::Note(_))) => {
                    ReadError::NoHead { place, error }
                }
                _ => ReadError::Head { place, error },
            }
        })
    }

    /// The log under a head: its edge is read and checked.
    pub fn open(&self, head: TrustedCheckpoint) -> Result<VerifiedLog<'_>, ReadError> {
        VerifiedLog::open(&self.source, head)
    }

    /// The manifest with this digest; none where the source does not have it.
    pub fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, ReadError> {
        let path = format!("manifests/{digest}");
        let Some(bytes) = self.source.read(&path, MAX_MANIFEST as u64)? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(ReadError::OtherManifest { place: self.source.place_of(&path), expected: digest, found });
        }
        Manifest::parse(&bytes)
            .map(Some)
            .map_err(|error| ReadError::Manifest { place: self.source.place_of(&path), error })
    }
}
