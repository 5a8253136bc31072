//! From bytes to an answer: what happens to a submission before and after its batch, off the async threads.
//!
//! Before: parse, the signer's key, the signature, the manifest; many side by side. After: the proof, verified. In between
//! the sequencer decides, and asks the registry once more, since other statements may have come first.

use crate::admit::{Refusal, admit, authenticate, signers};
use crate::file_names::FileNames;
use crate::head::Published;
use crate::manifests::ManifestsError;
use crate::prover::ProveError;
use crate::replay::Parsed;
use crate::sequencer::{Message, Reply, Submission};
use crate::shared::Shared;
use crate::status::Writer;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use stele_host::exit::Explain;
use stele_spec::entry::{Entry, EntryError};
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::manifest::Manifest;
use stele_spec::proof::TlogProof;
use stele_spec::registration::{Verdict, View as _};
use stele_spec::statement::ManifestMismatch;
use tokio::sync::{Semaphore, oneshot};

/// The way into the log.
#[derive(Clone, Debug)]
pub struct Intake {
    shared: Arc<Shared>,
    queue: SyncSender<Message>,
    /// As many checks at a time as there are cores: more would only wait for each other.
    cores: Arc<Semaphore>,
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
    /// The release's manifest was not uploaded.
    #[error("the manifest {digest} of this release has not been uploaded")]
    ManifestMissing {
        /// The manifest.
        digest: Digest,
    },
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
    Known { position: u64, leaf: LeafHash, published: Arc<Published> },
    Good(Box<Parsed>, Option<Box<Manifest>>),
}

impl Intake {
    /// The way into the log behind `queue`.
    pub fn new(shared: &Arc<Shared>, queue: SyncSender<Message>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { shared: shared.clone(), queue, cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Logs a statement, or says why not.
    pub async fn submit(&self, bytes: axum::body::Bytes) -> Result<Receipt, Denied> {
        let outcome = self.submitted(bytes).await;
        let label = match &outcome {
            Ok(receipt) if receipt.known => "known",
            Ok(_) => "logged",
            Err(Denied::Malformed(_) | Denied::NotAStatement) => "malformed",
            Err(Denied::Refused { refusal, .. }) => refusal.code(),
            Err(Denied::ManifestMissing { .. }) => "manifest-missing",
            Err(Denied::ManifestDiffers(_)) => "manifest-differs",
            Err(Denied::Unavailable(error)) => error.code(),
        };
        self.shared.status.count("stele_submissions_total", label, 1);
        outcome
    }

    async fn submitted(&self, bytes: axum::body::Bytes) -> Result<Receipt, Denied> {
        // The sequencer keeps the statement; these bytes, shared and not copied, are for the proof's own check.
        let (shared, entry) = (self.shared.clone(), bytes.clone());
        let checked = self.on_a_core(move || check(&shared, &bytes)).await??;
        let (parsed, manifest) = match checked {
            Checked::Known { position, leaf, published } => {
                return self.receipt(published, position, leaf, true, None).await;
            }
            Checked::Good(parsed, manifest) => (parsed, manifest),
        };
        let files = manifest.as_deref().map(FileNames::of).unwrap_or_default();
        if let Some(manifest) = manifest {
            // It waits for the disk, so it does not occupy a core. It is public before its release is staged.
            let shared = self.shared.clone();
            let promoted = tokio::task::spawn_blocking(move || shared.manifests.promote(&manifest)).await;
            promoted.map_err(|error| lost(&error))?.map_err(|error| without_manifest(&error))?;
        }
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
            Ok(Err(_)) => return Err(Unavailable::Stopping.into()),
            Err(_) => return Err(Unavailable::TooSlow.into()),
        };
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
fn check(shared: &Shared, bytes: &[u8]) -> Result<Checked, Denied> {
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
            return Ok(Checked::Known { position, leaf: parsed.leaf, published });
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
        return Ok(Checked::Good(Box::new(parsed), None));
    }
    let keys = keys.map_err(|refusal| refused(shared, refusal))?;
    authenticate(signed, &keys).map_err(|refusal| refused(shared, refusal))?;
    let verdict = admit(&parsed.leaf, signed, &*shared.registry(), rules);
    match verdict {
        Ok(Verdict::New | Verdict::Known(_)) => {}
        Err(refusal) => return Err(refused(shared, refusal)),
    }
    let mut manifest = None;
    if let Some(release) = signed.statement().release() {
        let found = shared.manifests.find(&release.manifest).map_err(|error| without_manifest(&error))?;
        release.check_manifest(&found)?;
        manifest = Some(Box::new(found));
    }
    Ok(Checked::Good(Box::new(parsed), manifest))
}

fn lost(error: &tokio::task::JoinError) -> Unavailable {
    tracing::error!(%error, "a check failed");
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
    tracing::error!(%error, "no proof can be made");
    Unavailable::Storage { code: "proof-failed", message: error.to_string() }.into()
}

fn without_manifest(error: &ManifestsError) -> Denied {
    match error {
        ManifestsError::Missing { digest } => Denied::ManifestMissing { digest: *digest },
        ManifestsError::Durable(error) => {
            Unavailable::Storage { code: error.code(), message: error.to_string() }.into()
        }
        error => Unavailable::Storage { code: "manifest-unreadable", message: error.to_string() }.into(),
    }
}
