//! Manifests that were uploaded and that no release names yet: bounded in number, bytes and time.
//!
//! A manifest is verified against its digest before it is kept, and moves to the public folder when a release that names it
//! is about to be logged: durably, before the release is staged. When there is no room, the oldest makes place if it has
//! waited [`GRACE`]; so a flood cannot push out what its publisher is about to name, only be refused itself.

use crate::config::Limits;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use stele_host::durable::{Dir, DurableError};
use stele_spec::hash::Digest;
use stele_spec::manifest::{MAX_MANIFEST, Manifest, ManifestError};

/// How long an uploaded manifest is safe from others.
pub const GRACE: Duration = Duration::from_secs(600);

/// The folder below the data folder.
const FOLDER: &str = "pending";

/// What waits for its release.
#[derive(Debug)]
pub struct Manifests {
    data: Dir,
    store: Store,
    limits: Limits,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    by_digest: HashMap<Digest, (Instant, u64)>,
    bytes: u64,
}

/// Whether an upload was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It is kept until a release names it.
    Kept,
    /// It was there.
    Known,
}

/// Why a manifest is not taken, or not given.
#[derive(Debug, thiserror::Error)]
pub enum ManifestsError {
    /// It is not the manifest of its address.
    #[error("these bytes have the digest {found}, not {expected}")]
    OtherDigest {
        /// The digest in the address.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// It is not a manifest.
    #[error("not a manifest: {0}")]
    Invalid(ManifestError),
    /// Too many wait already.
    #[error("too many manifests wait for their releases")]
    Full,
    /// Nobody uploaded it, or it was forgotten.
    #[error("manifest {digest} is not here")]
    Missing {
        /// Which.
        digest: Digest,
    },
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl Manifests {
    /// Finds what an earlier run left, which starts to wait anew.
    pub fn open(data: &Dir, store: &Store, limits: Limits) -> Result<Self, DurableError> {
        let mut waiting = Waiting::default();
        for listed in data.list(FOLDER)?.unwrap_or_default() {
            let path = format!("{FOLDER}/{}", listed.name);
            let digest = Digest::from_hex(&listed.name).ok().filter(|_| !listed.is_dir);
            if let (Some(digest), Some((_, length))) = (digest, data.open_file(&path)?) {
                waiting.add(digest, length);
            }
        }
        Ok(Self { data: data.clone(), store: store.clone(), limits, waiting: Mutex::new(waiting) })
    }

    /// Takes an upload.
    pub fn upload(&self, digest: Digest, bytes: &[u8]) -> Result<Upload, ManifestsError> {
        let found = Digest::of(bytes);
        if found != digest {
            return Err(ManifestsError::OtherDigest { expected: digest, found });
        }
        if self.store.has_manifest(&digest)? {
            return Ok(Upload::Known);
        }
        Manifest::parse(bytes).map_err(ManifestsError::Invalid)?;
        // Held throughout: two uploads at once must not both find the last place.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.by_digest.contains_key(&digest) {
            return Ok(Upload::Known);
        }
        self.make_room(&mut waiting, bytes.len() as u64)?;
        self.data.put_if_absent(&file(&digest), bytes)?;
        waiting.add(digest, bytes.len() as u64);
        Ok(Upload::Kept)
    }

    /// The manifest that a release names, wherever it is.
    pub fn find(&self, digest: &Digest) -> Result<Manifest, ManifestsError> {
        let mut bytes = self.store.manifest(digest)?;
        if bytes.is_none() {
            bytes = self.data.read(&file(digest), MAX_MANIFEST as u64)?;
        }
        if bytes.is_none() {
            // It may have become public between the two.
            bytes = self.store.manifest(digest)?;
        }
        let bytes = bytes.ok_or(ManifestsError::Missing { digest: *digest })?;
        Manifest::parse(&bytes).map_err(ManifestsError::Invalid)
    }

    /// Makes a manifest public, durably: its release is about to be logged.
    pub fn promote(&self, manifest: &Manifest) -> Result<(), ManifestsError> {
        let digest = manifest.digest();
        if !self.store.has_manifest(&digest)? {
            self.store.put_manifest(&digest, manifest.bytes())?;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.remove(&digest) {
            self.data.remove(&file(&digest))?;
        }
        Ok(())
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).by_digest.len()
    }

    fn make_room(&self, waiting: &mut Waiting, length: u64) -> Result<(), ManifestsError> {
        let expired = Duration::from_secs(self.limits.pending_manifest_seconds);
        let old: Vec<Digest> =
            waiting.by_digest.iter().filter(|(_, (since, _))| since.elapsed() > expired).map(|(d, _)| *d).collect();
        for digest in old {
            self.forget(waiting, &digest)?;
        }
        while waiting.by_digest.len() >= self.limits.pending_manifests
            || waiting.bytes.saturating_add(length) > self.limits.pending_manifest_bytes
        {
            let oldest = waiting.by_digest.iter().min_by_key(|(_, (since, _))| *since);
            let Some((digest, (since, _))) = oldest else { return Err(ManifestsError::Full) };
            if since.elapsed() < GRACE {
                return Err(ManifestsError::Full);
            }
            let digest = *digest;
            self.forget(waiting, &digest)?;
        }
        Ok(())
    }

    fn forget(&self, waiting: &mut Waiting, digest: &Digest) -> Result<(), DurableError> {
        self.data.remove(&file(digest))?;
        waiting.remove(digest);
        Ok(())
    }
}

impl Waiting {
    fn add(&mut self, digest: Digest, length: u64) {
        if self.by_digest.insert(digest, (Instant::now(), length)).is_none() {
            self.bytes += length;
        }
    }

    fn remove(&mut self, digest: &Digest) -> bool {
        let removed = self.by_digest.remove(digest);
        self.bytes -= removed.map_or(0, |(_, length)| length);
        removed.is_some()
    }
}

fn file(digest: &Digest) -> String {
    format!("{FOLDER}/{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::release;

    fn open(home: &std::path::Path, limits: Limits) -> (Manifests, Store) {
        let data = Dir::open(home).unwrap();
        let store = Store::new(&data);
        (Manifests::open(&data, &store, limits).unwrap(), store)
    }

    fn manifest(weights: u8) -> Manifest {
        release("acme.example", 1, "base", weights).1
    }

    fn upload(manifests: &Manifests, manifest: &Manifest) -> Result<Upload, ManifestsError> {
        manifests.upload(manifest.digest(), manifest.bytes())
    }

    #[test]
    fn what_is_not_the_manifest_of_its_address_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (manifests, _) = open(home.path(), Limits::default());
        let (one, other) = (manifest(1), manifest(2));
        let outcome = manifests.upload(one.digest(), other.bytes());
        assert!(matches!(outcome, Err(ManifestsError::OtherDigest { .. })));
        let outcome = manifests.upload(Digest::of(b"junk"), b"junk");
        assert!(matches!(outcome, Err(ManifestsError::Invalid(_))));
        assert!(matches!(manifests.find(&one.digest()), Err(ManifestsError::Missing { .. })));
        assert_eq!(manifests.waiting(), 0);
    }

    #[test]
    fn a_flood_is_refused_and_pushes_nobody_out() {
        let home = tempfile::tempdir().unwrap();
        let (manifests, _) = open(home.path(), Limits { pending_manifests: 2, ..Limits::default() });
        assert_eq!(upload(&manifests, &manifest(1)).unwrap(), Upload::Kept);
        assert_eq!(upload(&manifests, &manifest(2)).unwrap(), Upload::Kept);
        assert!(matches!(upload(&manifests, &manifest(3)), Err(ManifestsError::Full)));
        assert_eq!(upload(&manifests, &manifest(1)).unwrap(), Upload::Known);
        // A release that takes its manifest away makes room.
        manifests.promote(&manifest(1)).unwrap();
        assert_eq!(upload(&manifests, &manifest(3)).unwrap(), Upload::Kept);
        assert_eq!(upload(&manifests, &manifest(1)).unwrap(), Upload::Known);

        let length = manifest(1).bytes().len() as u64;
        let home = tempfile::tempdir().unwrap();
        let (manifests, _) = open(home.path(), Limits { pending_manifest_bytes: length + 1, ..Limits::default() });
        upload(&manifests, &manifest(1)).unwrap();
        assert!(matches!(upload(&manifests, &manifest(2)), Err(ManifestsError::Full)));
    }

    #[test]
    fn what_waits_too_long_is_forgotten_and_a_restart_forgets_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (manifests, _) = open(home.path(), Limits::default());
        upload(&manifests, &manifest(1)).unwrap();
        drop(manifests);
        let limits = Limits { pending_manifests: 1, pending_manifest_seconds: 0, ..Limits::default() };
        let (manifests, store) = open(home.path(), limits);
        assert_eq!(manifests.find(&manifest(1).digest()).unwrap(), manifest(1));
        upload(&manifests, &manifest(2)).unwrap();
        assert!(matches!(manifests.find(&manifest(1).digest()), Err(ManifestsError::Missing { .. })));
        manifests.promote(&manifest(2)).unwrap();
        assert_eq!(manifests.waiting(), 0);
        assert_eq!(store.manifest(&manifest(2).digest()).unwrap().unwrap(), manifest(2).bytes());
        assert_eq!(manifests.find(&manifest(2).digest()).unwrap(), manifest(2));
    }
}
