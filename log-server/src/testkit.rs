//! What the tests of this crate share: publishers, statements, and a log without a network.

use crate::config::{Batch, Claims, Config, Limits, Quotas, Registration};
use crate::contract::objects::Objects;
use crate::file_head_store::FileHeadStore;
use crate::file_objects::FileObjects;
use crate::head::{Published, SignedHead};
use crate::recover::{RecoverError, Recovered, recover};
use crate::replay::Parsed;
use crate::staging::Staging;
use crate::store::Store;
use crate::writer::{WriteError, Writer, Written};
use std::path::Path;
use std::sync::{Arc, RwLock};
use stele_clock::{Clock as _, SystemClock};
use stele_durable::Dir;
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::index::{Listing, Pointer};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{Manifest, ManifestFile, Role};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::statement::{PublisherClaim, Release, SignedStatement, Statement, sign};

pub(crate) const ORIGIN: &str = "log.example/stele";

/// A publisher's key.
pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// The log's key.
pub(crate) fn signer() -> SignerKey {
    SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [9; 32])
}

/// A policy of this log with these further lines.
pub(crate) fn policy(lines: &str) -> Policy {
    Policy::parse(format!("log {}\n{lines}", signer().verifier()).as_bytes()).unwrap()
}

pub(crate) fn open_registration() -> Registration {
    Registration { claims: Claims::Open, allowed: Default::default() }
}

pub(crate) fn config() -> Config {
    Config {
        origin: ORIGIN.parse().unwrap(),
        listen: "127.0.0.1:0".into(),
        key: "log.key".into(),
        policy: "policy".into(),
        data: "data".into(),
        republish_every: 600,
        registration: open_registration(),
        batch: Batch::default(),
        limits: Limits::default(),
        quotas: Quotas::default(),
    }
}

/// A claim of a name by the key of a seed.
pub(crate) fn claim(name: &str, seed: u8) -> SignedStatement {
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let claim = PublisherClaim::new(name.parse().unwrap(), issued_at, &[key(seed).public()]);
    sign(&Statement::Publisher(claim), &key(seed)).unwrap()
}

/// A release of `variant` by `name`, whose weights differ by `weights`, and its manifest.
pub(crate) fn release(name: &str, seed: u8, variant: &str, weights: u8) -> (SignedStatement, Manifest) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/statement");
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

/// The published objects in a data folder.
pub(crate) fn files(home: &Path) -> Store {
    let objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&Dir::open(home).unwrap()));
    Store::new(&objects)
}

/// A log on a disk, without witnesses and without HTTP.
pub(crate) struct Offline {
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) found: Option<Recovered>,
}

impl Offline {
    /// Starts as a real log does.
    pub(crate) fn start(home: &Path) -> Result<Self, RecoverError> {
        let data = Dir::open(home).unwrap();
        let heads = FileHeadStore::take(&data).unwrap();
        let store = files(home);
        let staging = Staging::new(store.objects());
        let mut found = recover(
            &heads,
            &staging,
            &store,
            &signer().verifier(),
            &policy("quorum none\n"),
            SystemClock.unix_seconds(),
        )?;
        let writer = Writer {
            origin: ORIGIN.parse().unwrap(),
            signer: signer(),
            heads: Box::new(heads),
            staging,
            store: store.clone(),
            tree: std::mem::take(&mut found.tree),
            index: Arc::new(RwLock::new(std::mem::take(&mut found.index))),
            last: found.last,
            signed: found.signed.clone(),
            pending: None,
        };
        Ok(Self { store, writer, found: Some(found) })
    }

    /// Writes these statements, or the first entry.
    pub(crate) fn write(&mut self, statements: Vec<SignedStatement>) -> Result<Written, WriteError> {
        let listings: Vec<Listing> = (self.writer.tree.size()..)
            .zip(&statements)
            .map(|(position, signed)| {
                let parsed = Parsed::of(signed.bytes()).unwrap();
                assert!(matches!(parsed.entry, Entry::Statement(_)));
                Listing::new(Pointer { position, leaf: parsed.leaf }, parsed.keys)
            })
            .collect();
        self.writer.write(&statements, &listings)
    }

    /// Publishes the signed head.
    pub(crate) fn publish(&self) -> Published {
        let head: &SignedHead = self.writer.signed.as_ref().unwrap();
        self.store.publish(&head.note.to_bytes()).unwrap();
        Published { note: head.note.clone(), head: policy("quorum none\n").verify_note(&head.note).unwrap() }
    }
}
