//! The manifests of logged releases: checked against their digest whenever they are read, and put back when they are damaged.
//!
//! A manifest comes with the signed release that names it, is kept only after the signature and the signer's right were
//! checked, and is staged and made public with the batch of its release. No manifest waits for a release.

use crate::contract::objects::{ObjectError, ObjectErrorKind};
use crate::tiles::TileStore;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stele_spec::hash::Digest;

/// The most manifests that one count reads again.
const LOOKED_AT: usize = 16;

/// The public manifests.
#[derive(Debug)]
pub struct Manifests {
    store: TileStore,
    damaged: Mutex<BTreeSet<Digest>>,
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

impl Manifests {
    /// The manifests in a store.
    pub fn new(store: &TileStore) -> Self {
        Self { store: store.clone(), damaged: Mutex::default() }
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

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
