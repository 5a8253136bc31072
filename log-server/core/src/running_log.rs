//! What the writer and the readers of a running log share.

use crate::contract::lookup::Lookup;
use crate::contract::objects::ObjectError;
use crate::log_keys::LogKeys;
use crate::manifests::Manifests;
use crate::newest_releases::NewestReleases;
use crate::prover::Prover;
use crate::replica::Views;
use crate::settings::Settings;
use crate::status::{Gauge, Status};
use crate::tiles::TileStore;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use stele_clock::Clock;
use stele_spec::checkpoint::{Checkpoint, Origin};
use stele_spec::hash::Digest;
use stele_spec::index::Index;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::policy::{RefusedCheckpoint, Trusted};
use stele_spec::receipt::RootSignature;
use stele_spec::registration::Registry;

/// How many lost manifests are looked at again each time that the log's health is asked for.
const LOOKED_AT: usize = 16;

/// What is served and proven under.
#[derive(Clone, Debug)]
pub struct PublishedHead {
    /// The checkpoint.
    pub checkpoint: Arc<TrustedCheckpoint>,
    /// The log's signature over its root, for receipts, verified when the head was published; none where the log's key signs no receipts.
    pub root_signature: Option<RootSignature>,
}

/// A running log. Readers hold an `Arc` of it.
pub struct RunningLog {
    /// The log's identity.
    pub origin: Origin,
    /// Policy and rules, as they are now.
    pub settings: RwLock<Arc<Settings>>,
    /// The log's public keys.
    pub keys: LogKeys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tiles, entries, manifests.
    pub store: TileStore,
    /// Proofs.
    pub prover: Prover,
    /// The index: settled as published, with what is signed and not published staged. Locked before `published`.
    pub index: Arc<RwLock<Index>>,
    /// The public manifests.
    pub manifests: Manifests,
    /// The derived lookups.
    pub lookup: Box<dyn Lookup>,
    /// How the log is.
    pub status: Arc<Status>,
    /// Manifests of logged releases that were missing or damaged when they were looked at last.
    pub lost_manifests: Mutex<BTreeSet<Digest>>,
    /// Names and coordinates, as signed.
    pub registry: Arc<RwLock<Registry>>,
    /// The newest releases, those under way included.
    pub newest: Arc<RwLock<NewestReleases>>,
    /// The published head.
    pub published: RwLock<Option<PublishedHead>>,
    /// The settings under which the published head was accepted.
    pub accepted_under: RwLock<Option<Arc<Settings>>>,
    /// Whether the log is to stop.
    pub stopping: AtomicBool,
}

/// What a log has before anybody writes it.
#[derive(Debug)]
pub struct LogParts {
    /// The log's identity.
    pub origin: Origin,
    /// Its public keys.
    pub keys: LogKeys,
    /// Policy and rules.
    pub settings: Settings,
    /// Its tiles.
    pub store: TileStore,
    /// Its derived lookups.
    pub lookup: Box<dyn Lookup>,
    /// What readers ask of its entries.
    pub views: Views,
}

impl RunningLog {
    /// A log that shows nothing yet.
    pub fn new(parts: LogParts, clock: Arc<dyn Clock>) -> Arc<Self> {
        let LogParts { origin, keys, settings, store, lookup, views: Views { index, registry, newest } } = parts;
        Arc::new(Self {
            manifests: Manifests::new(&store),
            prover: Prover::new(&store),
            index,
            lookup,
            status: Arc::default(),
            lost_manifests: Mutex::default(),
            registry,
            newest,
            published: RwLock::new(None),
            stopping: AtomicBool::new(false),
            keys,
            settings: RwLock::new(Arc::new(settings)),
            accepted_under: RwLock::new(None),
            clock,
            store,
            origin,
        })
    }

    /// Policy and rules, as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on under these settings. The published head stays served; what it is worth under them is said by
    /// [`Self::verify_checkpoint`] until the next is published.
    pub fn set_settings(&self, new: Arc<Settings>) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// The head that is served and proven under; `None` before the first.
    pub fn published(&self) -> Option<Arc<TrustedCheckpoint>> {
        self.published_head().map(|head| head.checkpoint)
    }

    /// The same with the signature that receipts carry.
    pub fn published_head(&self) -> Option<PublishedHead> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves and proves under this head from now on; what was staged in the index for it is settled. The signature for receipts is verified here,
    /// once for all receipts under the head.
    pub fn set_published(&self, published: TrustedCheckpoint, root_signature: Option<RootSignature>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if index.settled().position() < published.size() {
            // Nothing is staged only where nothing is served either: see `name_proofs`.
            let _ = index.commit();
        }
        let root_signature = root_signature.filter(|signature| {
            let (origin, root) = (self.origin.as_str(), published.root());
            let verifies = self.keys.ed25519().any(|key| signature.is_by(key, origin, root));
            if !verifies {
                tracing::error!(%root, "the signature for receipts does not verify: there are none under this head");
            }
            verifies
        });
        self.status.set(Gauge::PublishedSize, published.size());
        self.status.set(Gauge::PublishedTime, published.time().map_or_else(|| self.now(), |time| time.seconds()));
        *self.published.write().unwrap_or_else(PoisonError::into_inner) =
            Some(PublishedHead { checkpoint: Arc::new(published), root_signature });
        *self.accepted_under.write().unwrap_or_else(PoisonError::into_inner) = Some(self.settings());
    }

    /// What a checkpoint from the disk is worth. The published one was verified when it was published; only other bytes are
    /// verified anew, and the same under another policy.
    pub fn verify_checkpoint(&self, note: &[u8]) -> Result<Trusted<Checkpoint>, RefusedCheckpoint> {
        let settings = self.settings();
        let under = self.accepted_under.read().unwrap_or_else(PoisonError::into_inner).clone();
        let same = under.is_some_and(|under| Arc::ptr_eq(&under, &settings) || under.policy == settings.policy);
        match self.published().filter(|published| same && published.note().to_bytes() == note) {
            Some(published) => Ok(published.trusted().clone()),
            None => settings.policy.verify(note),
        }
    }

    /// The newest releases, for reading.
    pub fn newest(&self) -> RwLockReadGuard<'_, NewestReleases> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The registry, for reading.
    pub fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes are free on the disk of the data; `None` where the machine does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        self.store.objects().free_bytes()
    }

    /// Below `limits.min_free_bytes` nothing new is taken: a batch that was signed must find room for its tiles.
    pub fn short_of_room(&self) -> Option<ObjectError> {
        let least = self.settings().rules.min_free_bytes;
        self.free_bytes().filter(|free| *free < least).map(|_| self.store.objects().no_room())
    }

    /// The manifests of logged releases that are missing or damaged: what was, if it still is.
    pub fn lost_manifests(&self) -> BTreeSet<Digest> {
        let mut lost = self.lost_manifests.lock().unwrap_or_else(PoisonError::into_inner);
        let looked_at: Vec<Digest> = lost.iter().take(LOOKED_AT).copied().collect();
        for digest in looked_at {
            if matches!(self.store.manifest(&digest), Ok(Some(bytes)) if Digest::of(&bytes) == digest) {
                lost.remove(&digest);
            }
        }
        lost.clone()
    }

    /// Unix seconds.
    pub fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Whether the log is to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for RunningLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningLog").field("origin", &self.origin).finish_non_exhaustive()
    }
}
