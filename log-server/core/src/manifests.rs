//! The manifests of logged releases: checked against their digest whenever they are read, and put back when they are damaged.
//!
//! A manifest comes with the signed release that names it, is kept only after the signature and the signer's right were
//! checked, and is staged and made public with the batch of its release. No manifest waits for a release.

use crate::contract::objects::{ObjectError, ObjectErrorKind};
use crate::file_digests::FileDigestIndex;
use crate::tiles::TileStore;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stele_spec::hash::Digest;
use stele_spec::manifest::{Manifest, ManifestError};

/// The most manifests that one count reads again.
const LOOKED_AT: usize = 16;

/// The most manifests that are kept parsed, and the longest of them in bytes.
const KEPT: (usize, usize) = (64, 64 << 10);

/// The public manifests.
#[derive(Debug)]
pub struct Manifests {
    store: TileStore,
    damaged: Mutex<BTreeSet<Digest>>,
    /// Those that were read last, newest last.
    kept: Mutex<VecDeque<Arc<Parsed>>>,
}

/// A manifest and what is computed from it alone.
#[derive(Debug)]
pub struct Parsed {
    /// The manifest.
    pub manifest: Manifest,
    /// The digests of its files.
    pub files: FileDigestIndex,
}

/// What is kept under a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The bytes with this digest.
    Sound(Vec<u8>),
    /// Nothing.
    Missing,
    /// Bytes with another digest.
    Damaged,
}

/// Why a public manifest cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadManifestError {
    /// The storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// It has its digest, and is no manifest.
    #[error(transparent)]
    Invalid(#[from] ManifestError),
}

impl Manifests {
    /// The manifests in a store.
    pub fn new(store: &TileStore) -> Self {
        Self { store: store.clone(), damaged: Mutex::default(), kept: Mutex::default() }
    }

    /// How long a public manifest is, or was when it was read last: by which it is planned where to check it, and nothing is decided.
    pub fn length(&self, digest: &Digest) -> Result<Option<u64>, ObjectError> {
        match self.kept_parsed(digest) {
            Some(kept) => Ok(Some(kept.manifest.bytes().len() as u64)),
            None => self.store.length_of_manifest(digest),
        }
    }

    /// A public manifest, parsed; `None` where it is missing or damaged. One of those read last, and still there with its length, is not
    /// read again.
    pub fn parsed(&self, digest: &Digest) -> Result<Option<Arc<Parsed>>, ReadManifestError> {
        if let Some(kept) = self.kept_parsed(digest)
            && self.store.length_of_manifest(digest)? == Some(kept.manifest.bytes().len() as u64)
        {
            return Ok(Some(kept));
        }
        let Stored::Sound(bytes) = self.read(digest)? else { return Ok(None) };
        let manifest = Manifest::parse(&bytes)?;
        let parsed = Arc::new(Parsed { files: FileDigestIndex::of(&manifest), manifest });
        if bytes.len() <= KEPT.1 {
            let mut kept = self.kept();
            kept.retain(|kept| kept.manifest.digest() != *digest);
            kept.push_back(parsed.clone());
            if kept.len() > KEPT.0 {
                kept.pop_front();
            }
        }
        Ok(Some(parsed))
    }

    /// Reads a manifest and checks its digest.
    pub fn read(&self, digest: &Digest) -> Result<Stored, ObjectError> {
        let stored = match self.store.manifest(digest) {
            Ok(Some(bytes)) if Digest::of(&bytes) == *digest => Stored::Sound(bytes),
            Ok(Some(_)) => Stored::Damaged,
            Ok(None) => Stored::Missing,
            Err(error) if error.kind() == ObjectErrorKind::TooLarge => Stored::Damaged,
            Err(error) => return Err(error),
        };
        let mut damaged = self.damaged();
        match stored {
            Stored::Sound(_) => drop(damaged.remove(digest)),
            Stored::Damaged if damaged.insert(*digest) => {
                tracing::error!(%digest, "a manifest is damaged; it is not served");
            }
            // One that was damaged and is gone is not whole again.
            Stored::Damaged | Stored::Missing => {}
        }
        Ok(stored)
    }

    /// Makes the bytes with this digest public, durably, whatever is there now.
    pub fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<(), ObjectError> {
        match self.read(digest)? {
            Stored::Sound(_) => return Ok(()),
            Stored::Missing => self.store.put_manifest(digest, bytes)?,
            Stored::Damaged => {
                self.store.replace_manifest(digest, bytes)?;
                tracing::warn!(%digest, "a damaged manifest was put back");
            }
        }
        self.damaged().remove(digest);
        Ok(())
    }

    /// How many were found damaged and are not whole again, by whatever hand: the first [`LOOKED_AT`] are read once more.
    pub fn count_damaged(&self) -> usize {
        let known: Vec<Digest> = self.damaged().iter().take(LOOKED_AT).copied().collect();
        for digest in known {
            // What cannot be read stays in the count.
            let _ = self.read(&digest);
        }
        self.damaged().len()
    }

    fn kept_parsed(&self, digest: &Digest) -> Option<Arc<Parsed>> {
        self.kept().iter().find(|kept| kept.manifest.digest() == *digest).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Parsed>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
