//! From bytes to an answer: what happens to a submission before and after its batch, off the async threads.
//!
//! Before: parse, the signer's key, the signature, the quotas, and only then the manifest; many side by side. After: the proof, verified. In between
//! the sequencer decides, and asks the registry once more, since other statements may have come first.

use crate::admit::{Refusal, admit, authenticate, signers};
use crate::alarms::Alarms;
use crate::config::Claims;
use crate::file_names::FileNames;
use crate::head::Published;
use crate::manifests::Stored;
use crate::prover::ProveError;
use crate::quota::{Exceeded, Past, Quotas, Taken};
use crate::replay::Parsed;
use crate::sequencer::{Message, Reply, Submission};
use crate::shared::Shared;
use crate::status::Writer;
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use stele_host::durable::DurableError;
use stele_host::exit::Explain;
use stele_host::http_server::{Held, Unread};
use stele_spec::entry::{Entry, EntryError};
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::manifest::{Manifest, ManifestError};
use stele_spec::proof::TlogProof;
use stele_spec::registration::{Verdict, View as _};
use stele_spec::statement::{ManifestMismatch, SignedStatement};
use stele_spec::submission::Malformed;
use tokio::sync::{Semaphore, oneshot};

/// The way into the log.
#[derive(Clone, Debug)]
pub struct Intake {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    /// As many checks at a time as there are cores: more would only wait for each other.
    cores: Arc<Semaphore>,
    quotas: Quotas,
}

/// A logged statement.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its position.
    pub position: u64,
    /// Its hash.
    pub leaf: LeafHash,
    /// The proof, verified under the log's policy a moment ago.
    pub proof: TlogProof,
    /// Whether these bytes were logged before.
    pub known: bool,
}

/// The entry that stands in the way of a refused one.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its position.
    pub position: u64,
    /// Its proof.
    pub proof: TlogProof,
    /// Its bytes.
    pub entry: Vec<u8>,
}

/// Why a submission has no proof.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// Not a statement.
    #[error(transparent)]
    Malformed(#[from] EntryError),
    /// An index entry: only the log writes those.
    #[error("an index entry is written by the log alone")]
    NotAStatement,
    /// Refused by the rules of the log.
    #[error("{refusal}")]
    Refused {
        /// The rule.
        refusal: Refusal,
        /// The entry that stands in the way, if one does.
        existing: Option<Box<Existing>>,
    },
    /// Not received.
    #[error("the request was not received: {0}")]
    Unread(#[from] Unread),
    /// Not a statement with its manifest.
    #[error("not a statement with its manifest: {0}")]
    NotASubmission(#[from] Malformed),
    /// The log does not have the release's manifest, and it did not come with the release.
    #[error("the log does not have the manifest {digest} of this release")]
    ManifestMissing {
        /// The manifest.
        digest: Digest,
    },
    /// A manifest came with a statement that names none.
    #[error("a manifest came with a statement that is no release")]
    ManifestUnexpected,
    /// What came as the manifest is none.
    #[error("not a manifest: {0}")]
    ManifestInvalid(#[from] ManifestError),
    /// The name or the key has added what it may in a day.
    #[error(transparent)]
    Quota(#[from] Exceeded),
    /// The release and its manifest disagree.
    #[error("the release and its manifest disagree: {0}")]
    ManifestDiffers(#[from] ManifestMismatch),
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why nothing can be logged now. Trying again is harmless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The log has not published its first head yet.
    #[error("the log is starting")]
    Starting,
    /// Too many submissions wait already (`limits.pending_submissions`).
    #[error("too many submissions are waiting")]
    PoolFull,
    /// Too few witnesses have said what they cosigned last.
    #[error(
        "the log asks its witnesses what they cosigned last before it signs anything; /healthz says whom it waits for"
    )]
    AskingWitnesses,
    /// A witness has shown that the log signed more than it has here.
    #[error(
        "the log's data is older than what it signed; it signs nothing until an operator has brought it up to date"
    )]
    BackupRestored,
    /// Too few witnesses have cosigned.
    #[error("too few witnesses have cosigned; the statement may be logged once they do")]
    QuorumMissing,
    /// What stands in the way is signed and not yet published.
    #[error("an entry that this one meets is about to be published")]
    NotYetPublished,
    /// The writer met an error after which it must not go on.
    #[error("the log's writer has stopped; an operator must look")]
    WriterStopped,
    /// The log is going down.
    #[error("the log is stopping")]
    Stopping,
    /// It took longer than a submission may wait.
    #[error("the proof was not there in time; the statement may be logged")]
    TooSlow,
    /// The disk did not take it; nothing was logged.
    #[error("the log cannot store anything now: {message}")]
    Storage {
        /// A stable word for programs.
        code: &'static str,
        /// The error.
        message: String,
    },
}

impl Unavailable {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::PoolFull => "pool-full",
            Self::AskingWitnesses => "asking-witnesses",
            Self::BackupRestored => "backup-restored",
            Self::QuorumMissing => "quorum-missing",
            Self::NotYetPublished => "not-yet-published",
            Self::WriterStopped => "writer-stopped",
            Self::Stopping => "stopping",
            Self::TooSlow => "too-slow",
            Self::Storage { code, .. } => code,
        }
    }

    /// When to try again, in seconds.
    pub fn retry_after(&self) -> u64 {
        match self {
            Self::PoolFull | Self::NotYetPublished => 1,
            Self::Starting => 2,
            Self::TooSlow | Self::Stopping => 5,
            Self::QuorumMissing | Self::AskingWitnesses => 10,
            Self::Storage { .. } => 30,
            Self::WriterStopped | Self::BackupRestored => 60,
        }
    }
}

/// What the checks before the batch came to.
enum Checked {
    /// It is published. With a digest, the public manifest under it is missing or damaged.
    Known { position: u64, leaf: LeafHash, published: Arc<Published>, repair: Option<Digest> },
    /// It is logged, and waits for its proof with its batch.
    Waiting(Box<Parsed>),
    /// Its signer may say it, and has signed it.
    New(Box<Parsed>),
}

impl Intake {
    /// The way into the log behind `queue`.
    pub fn new(shared: &Arc<Shared>, queue: SyncSender<Message>, past: Past) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut rules = shared.config.quotas;
        if matches!(shared.config.registration.claims, Claims::AllowList) {
            rules.claims_by_new_keys = u64::MAX;
        }
        let quotas = Quotas::new(rules, past);
        Self { shared: shared.clone(), queue, cores: Arc::new(Semaphore::new(cores)), quotas }
    }

    /// Logs a statement, or says why not. `manifest` is polled only when the log needs it: for a release that its signer may
    /// make, or that is logged and whose public manifest is missing or damaged.
    pub async fn submit<F>(&self, bytes: axum::body::Bytes, manifest: Option<F>) -> Result<Receipt, Denied>
    where
        F: Future<Output = Result<Held, Denied>> + Send,
    {
        let outcome = self.submitted(bytes, manifest).await;
        let label = match &outcome {
            Ok(receipt) if receipt.known => "known",
            Ok(_) => "logged",
            Err(Denied::Malformed(_) | Denied::NotAStatement | Denied::NotASubmission(_)) => "malformed",
            Err(Denied::Refused { refusal, .. }) => refusal.code(),
            Err(Denied::Unread(_)) => "unread",
            Err(Denied::ManifestMissing { .. }) => "manifest-missing",
            Err(Denied::ManifestDiffers(_) | Denied::ManifestUnexpected) => "manifest-differs",
            Err(Denied::ManifestInvalid(_)) => "manifest-invalid",
            Err(Denied::Quota(_)) => "quota",
            Err(Denied::Unavailable(error)) => error.code(),
        };
        self.shared.status.count("stele_submissions_total", label, 1);
        outcome
    }

    async fn submitted<F>(&self, bytes: axum::body::Bytes, manifest: Option<F>) -> Result<Receipt, Denied>
    where
        F: Future<Output = Result<Held, Denied>> + Send,
    {
        // The sequencer keeps the statement; these bytes, shared and not copied, are for the proof's own check.
        let (shared, entry, brought) = (self.shared.clone(), bytes.clone(), manifest.is_some());
        let (parsed, mut taken, files) = match self.on_a_core(move || check(&shared, &bytes, brought)).await?? {
            Checked::Known { position, leaf, published, repair } => {
                if let (Some(digest), Some(manifest)) = (repair, manifest) {
                    let bytes = manifest.await?;
                    self.keep(digest, bytes).await?;
                }
                return self.receipt(published, position, leaf, true, None).await;
            }
            Checked::Waiting(parsed) => (parsed, None, FileNames::default()),
            Checked::New(parsed) => {
                let (parsed, taken, files) = self.take_in(parsed, manifest).await?;
                (parsed, Some(taken), files)
            }
        };
        let (leaf, keys) = (parsed.leaf, parsed.keys);
        let Entry::Statement(signed) = parsed.entry else { return Err(Denied::NotAStatement) };
        let (reply, answer) = oneshot::channel();
        let submission = Submission { signed, leaf, keys, files, reply };
        self.queue.try_send(Message::Submit(Box::new(submission))).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable::PoolFull,
            TrySendError::Disconnected(_) => Unavailable::Stopping,
        })?;
        let wait = Duration::from_secs(self.shared.config.limits.submission_seconds);
        let reply = match tokio::time::timeout(wait, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Reply::Unavailable(Unavailable::Stopping),
            Err(_) => Reply::Unavailable(Unavailable::TooSlow),
        };
        if let (Reply::Logged { known: false, .. } | Reply::Unavailable(_), Some(taken)) = (&reply, &mut taken) {
            // Without an answer it may be logged all the same.
            taken.spend();
        }
        let published = self.shared.published().ok_or(Unavailable::Starting)?;
        match reply {
            Reply::Logged { position, known } => self.receipt(published, position, leaf, known, Some(entry)).await,
            Reply::Refused(refusal) => {
                let shared = self.shared.clone();
                Err(self.on_a_core(move || refused(&shared, refusal)).await?)
            }
            Reply::Unavailable(error) => Err(error.into()),
        }
    }

    /// Counts what is new, and makes the manifest of a release public before the release is staged.
    async fn take_in<F>(
        &self,
        parsed: Box<Parsed>,
        manifest: Option<F>,
    ) -> Result<(Box<Parsed>, Taken, FileNames), Denied>
    where
        F: Future<Output = Result<Held, Denied>> + Send,
    {
        let Entry::Statement(signed) = &parsed.entry else { return Err(Denied::NotAStatement) };
        let Some(digest) = signed.statement().manifest_digest() else {
            if manifest.is_some() {
                return Err(Denied::ManifestUnexpected);
            }
            let taken = self.quotas.take(parsed.leaf, signed, 0)?;
            return Ok((parsed, taken, FileNames::default()));
        };
        let brought = match manifest {
            Some(manifest) => Some(manifest.await?),
            None => None,
        };
        let mut taken = self.quotas.take(parsed.leaf, signed, brought.as_ref().map_or(0, |bytes| bytes.len()))?;
        let shared = self.shared.clone();
        let work = move || -> Result<_, Denied> {
            let files = match &brought {
                Some(bytes) => agree(&parsed, &digest, bytes)?,
                None => match shared.manifests.read(&digest).map_err(|error| unstored(&error))? {
                    Stored::Sound(bytes) => agree(&parsed, &digest, &bytes)?,
                    Stored::Missing | Stored::Damaged => return Err(Denied::ManifestMissing { digest }),
                },
            };
            Ok((parsed, brought, files))
        };
        let (parsed, brought, files) = self.on_a_core(work).await??;
        if let Some(bytes) = brought {
            // On the disk it takes room, whatever becomes of the release.
            taken.spend();
            self.keep(digest, bytes).await?;
        }
        Ok((parsed, taken, files))
    }

    /// Makes a manifest public. It waits for the disk, so it does not occupy a core.
    async fn keep(&self, digest: Digest, bytes: Held) -> Result<(), Denied> {
        let shared = self.shared.clone();
        let work = move || {
            let found = Digest::of(&bytes);
            if found != digest {
                return Err(ManifestMismatch::Digest { field: "manifest", expected: digest, found }.into());
            }
            shared.manifests.keep(&digest, &bytes).map_err(|error| unstored(&error))
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| lost(&error))?
    }

    async fn receipt(
        &self,
        published: Arc<Published>,
        position: u64,
        leaf: LeafHash,
        known: bool,
        entry: Option<axum::body::Bytes>,
    ) -> Result<Receipt, Denied> {
        let shared = self.shared.clone();
        let proof = self.on_a_core(move || match entry {
            Some(entry) => shared.prover.prove(&published, position, &entry),
            None => shared.prover.prove_stored(&published, position).map(|(proof, _)| proof),
        });
        let proof = proof.await?.map_err(|error| unproven(&error))?;
        Ok(Receipt { position, leaf, proof, known })
    }

    async fn on_a_core<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unavailable> {
        let Ok(_core) = self.cores.clone().acquire_owned().await else { return Err(Unavailable::Stopping) };
        tokio::task::spawn_blocking(work).await.map_err(|error| lost(&error))
    }
}

/// Everything that can be decided before the batch.
fn check(shared: &Shared, bytes: &[u8], brings_manifest: bool) -> Result<Checked, Denied> {
    let parsed = Parsed::of(bytes)?;
    let Entry::Statement(signed) = &parsed.entry else { return Err(Denied::NotAStatement) };
    let rules = &shared.config.registration;
    // Under one lock: were the same bytes logged in between, they would look like somebody else's.
    let (position, keys) = {
        let registry = shared.registry();
        (registry.position_of(&parsed.leaf), signers(signed, &*registry, rules))
    };
    if let Some(position) = position {
        let published = shared.published().filter(|published| position < published.size());
        if let Some(published) = published {
            let repair = if brings_manifest { in_need_of_repair(shared, signed)? } else { None };
            return Ok(Checked::Known { position, leaf: parsed.leaf, published, repair });
        }
    }
    match shared.status.writer() {
        Writer::Running => {}
        Writer::Starting => return Err(Unavailable::Starting.into()),
        Writer::Asking { .. } => return Err(Unavailable::AskingWitnesses.into()),
        Writer::NoRoom { message } => return Err(Unavailable::Storage { code: "disk-full", message }.into()),
        Writer::BelowQuorum { .. } => return Err(Unavailable::QuorumMissing.into()),
        Writer::Stopped { code: "backup-restored", .. } => return Err(Unavailable::BackupRestored.into()),
        Writer::Stopped { .. } => return Err(Unavailable::WriterStopped.into()),
        Writer::Finished => return Err(Unavailable::Stopping.into()),
    }
    if position.is_some() {
        // Logged and not yet published: it waits for its proof with the batch.
        return Ok(Checked::Waiting(Box::new(parsed)));
    }
    let keys = keys.map_err(|refusal| refused(shared, refusal))?;
    authenticate(signed, &keys).map_err(|refusal| refused(shared, refusal))?;
    let verdict = admit(&parsed.leaf, signed, &*shared.registry(), rules);
    match verdict {
        Ok(Verdict::New | Verdict::Known(_)) => Ok(Checked::New(Box::new(parsed))),
        Err(refusal) => Err(refused(shared, refusal)),
    }
}

/// The manifest of a logged release, if it is not as it should be.
fn in_need_of_repair(shared: &Shared, signed: &SignedStatement) -> Result<Option<Digest>, Denied> {
    let Some(digest) = signed.statement().manifest_digest() else { return Err(Denied::ManifestUnexpected) };
    let stored = shared.manifests.read(&digest).map_err(|error| unstored(&error))?;
    Ok(Some(digest).filter(|_| !matches!(stored, Stored::Sound(_))))
}

/// The files of a manifest that agrees with its release.
fn agree(parsed: &Parsed, digest: &Digest, bytes: &[u8]) -> Result<FileNames, Denied> {
    let (expected, found) = (*digest, Digest::of(bytes));
    if expected != found {
        return Err(ManifestMismatch::Digest { field: "manifest", expected, found }.into());
    }
    let manifest = Manifest::parse(bytes)?;
    if let Entry::Statement(signed) = &parsed.entry
        && let Some(release) = signed.statement().release()
    {
        release.check_manifest(&manifest)?;
    }
    Ok(FileNames::of(&manifest))
}

/// What is printed of checks and proofs that fail.
static FAILED: Alarms = Alarms::new();

fn lost(error: &tokio::task::JoinError) -> Unavailable {
    if FAILED.is_due("check-failed", &error.to_string()) {
        tracing::error!(%error, "a check failed");
    }
    Unavailable::Storage { code: "internal", message: "a check failed".into() }
}

/// A refusal with the entry that stands in the way and its proof.
fn refused(shared: &Shared, refusal: Refusal) -> Denied {
    let Some(position) = refusal.existing() else { return Denied::Refused { refusal, existing: None } };
    let Some(published) = shared.published().filter(|published| position < published.size()) else {
        return Unavailable::NotYetPublished.into();
    };
    match shared.prover.prove_stored(&published, position) {
        Ok((proof, entry)) => {
            Denied::Refused { refusal, existing: Some(Box::new(Existing { position, proof, entry })) }
        }
        Err(error) => unproven(&error),
    }
}

fn unproven(error: &ProveError) -> Denied {
    if FAILED.is_due("no-proof", &error.to_string()) {
        tracing::error!(%error, "no proof can be made");
    }
    Unavailable::Storage { code: "proof-failed", message: error.to_string() }.into()
}

fn unstored(error: &DurableError) -> Denied {
    Unavailable::Storage { code: error.code(), message: error.to_string() }.into()
}
