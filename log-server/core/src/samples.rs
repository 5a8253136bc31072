//! Publishers, statements, and a log without a network, for the tests of this crate and those above.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "only tests use it, and they say what failed by failing"
)]

use crate::checkpoint::SignedCheckpoint;
use crate::contract::head_store::{HeadError, HeadErrorKind, HeadStore};
use crate::contract::objects::{ObjectError, ObjectErrorKind, ObjectName, Objects};
use crate::log_keys::LogSigner;
use crate::recover::{RecoverError, Recovered, recover};
use crate::replay::Parsed;
use crate::replica::Replica;
use crate::rules::{Claims, Registration};
use crate::staged_batch::StagedBatches;
use crate::submitted_manifest::SubmittedManifest;
use crate::tiles::TileStore;
use crate::writer::{WriteError, Writer, Written};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, explain};
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::index::{Listing, Pointer};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{Manifest, ManifestFile, Role};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::statement::{PublisherClaim, Release, SignedStatement, Statement, sign};
use stele_spec::tile::TilePath;

pub const ORIGIN: &str = "log.example/stele";

/// A publisher's key.
pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// The log's key.
pub fn signer() -> LogSigner {
    LogSigner::new(SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [9; 32]), None).unwrap()
}

/// A policy of this log with these further lines.
pub fn policy(lines: &str) -> Policy {
    Policy::parse(format!("log {}\n{lines}", signer().keys().first()).as_bytes()).unwrap()
}

pub fn open_registration() -> Registration {
    Registration { claims: Claims::Open, allowed: Default::default() }
}

/// A claim of a name by the key of a seed.
pub fn claim(name: &str, seed: u8) -> SignedStatement {
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let claim = PublisherClaim::new(name.parse().unwrap(), issued_at, &[key(seed).public()]);
    sign(&Statement::Publisher(claim), &key(seed)).unwrap()
}

/// A release of `variant` by `name`, whose weights differ by `weights`, and its manifest.
pub fn release(name: &str, seed: u8, variant: &str, weights: u8) -> (SignedStatement, Manifest) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/statement");
    let text = std::fs::read_to_string(vectors.join("sample-release.toml")).unwrap();
    let mut release: Release = toml::from_str(&text).unwrap();
    let text = std::fs::read_to_string(vectors.join("manifest.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut files: Vec<ManifestFile> = serde_json::from_value(value["files"].clone()).unwrap();
    for file in files.iter_mut().filter(|file| file.role == Role::Weights) {
        file.sha256 = Digest::of(&[weights]);
    }
    let manifest = Manifest::new(files).unwrap();
    release.publisher.name = name.parse().unwrap();
    release.lineage.clear();
    release.from_scratch = true;
    release.model.variant = variant.parse().unwrap();
    release.manifest = manifest.digest();
    release.tree.digest = manifest.tree_digest();
    release.weights.digest = manifest.weights_digest();
    for evaluation in &mut release.evaluations {
        evaluation.subject = manifest.weights_digest();
    }
    release.check_manifest(&manifest).unwrap();
    (sign(&Statement::Release(Box::new(release)), &key(seed)).unwrap(), manifest)
}

/// A log without witnesses and without HTTP.
pub struct Offline {
    pub store: TileStore,
    pub writer: Writer,
    pub found: Option<Recovered>,
}

impl Offline {
    /// A new log in memory.
    pub fn in_memory() -> Self {
        Self::start(Box::new(MemoryHeadStore::default()), Arc::new(MemoryObjects::default())).unwrap()
    }

    /// Starts as a real log does.
    pub fn start(heads: Box<dyn HeadStore>, objects: Arc<dyn Objects>) -> Result<Self, RecoverError> {
        let (staging, store) = (StagedBatches::new(&objects), TileStore::new(&objects));
        let now = SystemClock.unix_seconds();
        let mut found =
            recover(Replica::default(), &*heads, &staging, &store, &signer().keys(), &policy("quorum none\n"), now)?;
        let writer = Writer {
            origin: ORIGIN.parse().unwrap(),
            signer: signer(),
            heads,
            staging,
            store: store.clone(),
            tree: std::mem::take(&mut found.tree),
            index: found.views.index.clone(),
            last: found.last,
            signed: found.signed.clone(),
            pending: None,
            unsettled: Default::default(),
        };
        Ok(Self { store, writer, found: Some(found) })
    }

    /// Writes these statements, or the first entry.
    pub fn write(&mut self, statements: Vec<SignedStatement>) -> Result<Written, WriteError> {
        self.write_with(statements, Vec::new())
    }

    /// Writes these statements with the manifests that came with them.
    pub fn write_with(
        &mut self,
        statements: Vec<SignedStatement>,
        manifests: Vec<SubmittedManifest>,
    ) -> Result<Written, WriteError> {
        let listings: Vec<Listing> = (self.writer.tree.size()..)
            .zip(&statements)
            .map(|(position, signed)| {
                let parsed = Parsed::of(signed.bytes()).unwrap();
                assert!(matches!(parsed.entry, Entry::Statement(_)));
                Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys)
            })
            .collect();
        self.writer.write(&statements, &listings, manifests)
    }

    /// Publishes the signed head.
    pub fn publish(&mut self) -> TrustedCheckpoint {
        self.try_publish().unwrap()
    }

    /// The same where it may fail.
    pub fn try_publish(&mut self) -> Result<TrustedCheckpoint, ObjectError> {
        let head: &SignedCheckpoint = self.writer.signed.as_ref().unwrap();
        let published = TrustedCheckpoint::verify(head.note.clone(), &policy("quorum none\n")).unwrap();
        self.writer.publish_checkpoint(&published)?;
        Ok(published)
    }
}

/// Objects in memory, written at time 0.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    objects: Mutex<BTreeMap<ObjectName, Vec<u8>>>,
    leaving: Mutex<BTreeSet<ObjectName>>,
    free: Mutex<Option<u64>>,
}

/// The newest signed checkpoint in memory.
#[derive(Debug, Default)]
pub struct MemoryHeadStore(Mutex<Option<Vec<u8>>>);

/// What the stores in memory fail with.
#[derive(Debug, thiserror::Error)]
#[error("the memory holds other bytes, or is too small")]
struct Refused;

impl Explain for Refused {
    explain! {
        Self { .. } => Exit::Io, "memory";
    }
}

impl MemoryObjects {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Vec<u8>>> {
        self.objects.lock().unwrap()
    }

    /// So many bytes are free from now on.
    pub fn set_free(&self, bytes: u64) {
        *self.free.lock().unwrap() = Some(bytes);
    }

    /// Another process removes this object once it was read.
    pub fn remove_once_read(&self, name: ObjectName) {
        self.leaving.lock().unwrap().insert(name);
    }
}

impl Objects for MemoryObjects {
    fn put(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        for (name, bytes) in objects {
            if self.objects().entry(name.clone()).or_insert_with(|| bytes.to_vec()) != bytes {
                return Err(ObjectError::new(ObjectErrorKind::Differs, Refused));
            }
        }
        Ok(())
    }

    fn put_staged(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        self.put(objects)
    }

    fn replace_staged(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.replace(name, bytes)
    }

    fn prepare(&self) {}

    fn sync(&self) -> Result<(), ObjectError> {
        Ok(())
    }

    fn get(&self, name: &ObjectName, limit: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        let found = self.objects().get(name).cloned();
        if found.is_some() && self.leaving.lock().unwrap().remove(name) {
            self.forget(name);
        }
        match found {
            Some(bytes) if bytes.len() as u64 > limit => Err(ObjectError::new(ObjectErrorKind::TooLarge, Refused)),
            found => Ok(found),
        }
    }

    fn length(&self, name: &ObjectName) -> Result<Option<u64>, ObjectError> {
        Ok(self.objects().get(name).map(|bytes| bytes.len() as u64))
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.objects().insert(name.clone(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, name: &ObjectName) -> Result<(), ObjectError> {
        self.forget(name);
        Ok(())
    }

    fn forget(&self, name: &ObjectName) {
        self.objects().remove(name);
    }

    fn staged(&self) -> Result<Vec<String>, ObjectError> {
        let name = |name: &ObjectName| if let ObjectName::Staged(name) = name { Some(name.clone()) } else { None };
        Ok(self.objects().keys().filter_map(name).collect())
    }

    fn has_tiles(&self) -> Result<bool, ObjectError> {
        Ok(self.objects().keys().any(|name| matches!(name, ObjectName::Tile(_))))
    }

    fn partials(&self, full: TilePath) -> Vec<u16> {
        let of_this = |path: &TilePath| (path.resource, path.index) == (full.resource, full.index) && !path.is_full();
        let width = |name: &ObjectName| match name {
            ObjectName::Tile(path) if of_this(path) => Some(path.width),
            _ => None,
        };
        self.objects().keys().filter_map(width).collect()
    }

    fn forget_partials(&self, full: TilePath) {
        for width in self.partials(full) {
            self.forget(&ObjectName::Tile(TilePath { width, ..full }));
        }
    }

    fn written_at(&self, name: &ObjectName) -> Option<u64> {
        self.objects().contains_key(name).then_some(0)
    }

    fn free_bytes(&self) -> Option<u64> {
        *self.free.lock().unwrap()
    }

    fn no_room(&self) -> ObjectError {
        ObjectError::new(ObjectErrorKind::NoRoom, Refused)
    }
}

impl HeadStore for MemoryHeadStore {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        let mut head = self.0.lock().unwrap();
        if head.as_deref() != expected {
            return Err(HeadError::new(HeadErrorKind::Conflict, Refused));
        }
        *head = Some(new.to_vec());
        Ok(())
    }

    fn check_held(&self) -> Result<(), HeadError> {
        Ok(())
    }

    fn excludes_others(&self) -> bool {
        true
    }
}
