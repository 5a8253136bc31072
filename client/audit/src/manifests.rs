//! The manifests that releases name: from the folder of the audit where they are there, else from the log.

use stele_durable::Dir;
use stele_fetch::static_files::SourceError;
use stele_log_client::reader::{LogReader, ReadError};
use stele_spec::hash::Digest;
use stele_spec::manifest::{MAX_MANIFEST, Manifest};

/// Where manifests come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manifests<'a> {
    log: &'a LogReader,
    kept: Option<&'a Dir>,
}

impl<'a> Manifests<'a> {
    /// Manifests of a log, kept in a folder that is there.
    pub(crate) fn of(log: &'a LogReader, kept: Option<&'a Dir>) -> Self {
        Self { log, kept }
    }

    /// The manifest with a digest; none where the log does not have it, or has something else in its place.
    pub(crate) fn get(&self, digest: Digest) -> Result<Option<Manifest>, ReadError> {
        let path = format!("manifests/{digest}");
        if let Some(kept) = self.kept
            && let Some(bytes) = kept.read(&path, MAX_MANIFEST as u64)?
            && Digest::of(&bytes) == digest
        {
            return Ok(Manifest::parse(&bytes).ok());
        }
        let manifest = match self.log.manifest(digest) {
            Ok(manifest) => manifest,
            Err(
                ReadError::OtherManifest { .. }
                | ReadError::Manifest { .. }
                | ReadError::Source(SourceError::TooLarge { .. }),
            ) => None,
            Err(error) => return Err(error),
        };
        if let (Some(kept), Some(manifest)) = (self.kept, &manifest) {
            kept.put_if_absent(&path, manifest.bytes())?;
        }
        Ok(manifest)
    }
}
