//! From bytes to an answer: what happens to a submission before and after its batch.
//!
//! Before: parse, the signer's key, the signature, the quotas, and only then the manifest; many side by side. After: the proof, verified. In between
//! the sequencer decides, and asks the registry once more, since other statements may have come first.
//!
//! Short checks run on the async threads; what is long or waits for the disk does not.

use crate::config::Config;
use crate::intake_error::IntakeError;
use crate::mailbox::Mailbox;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use stele_clock::{Clock as _, SystemClock};
use stele_log_core::alarms::Alarms;
use stele_log_core::file_digests::FileDigestIndex;
use stele_log_core::manifests::Stored;
use stele_log_core::precheck::{Prechecked, agree, agree_with_public, precheck, refused, unproven, unstored};
use stele_log_core::quota::{Caller, Past, Quotas, Taken};
use stele_log_core::refusal::AdmissionRefusal;
use stele_log_core::replay::Parsed;
use stele_log_core::rules::Claims;
use stele_log_core::running_log::RunningLog;
use stele_log_core::status::{StandbyState, WriterState};
use stele_log_core::submission::{Reply, Submission, Unavailable};
use stele_log_core::submit_error::SubmitError;
use stele_log_core::submitted_manifest::SubmittedManifest;
use stele_serve::Held;
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::proof::TlogProof;
use stele_spec::statement::ManifestMismatch;
use tokio::sync::{Semaphore, oneshot};

/// A manifest of at most so many bytes, some forty files, is checked where it was received.
const SHORT: usize = 8 << 10;

/// The way into the log.
#[derive(Clone, Debug)]
pub struct Intake {
    shared: Arc<RunningLog>,
    mailbox: Mailbox,
    /// As many checks at a time as there are cores: more would only wait for each other.
    cores: Arc<Semaphore>,
    quotas: Quotas,
    /// How long a submission waits for its proof.
    wait: Duration,
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

impl Intake {
    /// The way into the log through `mailbox`.
    pub fn new(shared: &Arc<RunningLog>, config: &Config, mailbox: Mailbox, past: Past) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let quotas = Quotas::new(quota_rules(config), past, shared.clock.steady());
        Self {
            shared: shared.clone(),
            mailbox,
            cores: Arc::new(Semaphore::new(cores)),
            quotas,
            wait: Duration::from_secs(config.limits.submission_seconds),
        }
    }

    /// The quotas that count from now on.
    pub fn set_quotas(&self, config: &Config) {
        self.quotas.set_rules(quota_rules(config));
    }

    /// What this log says of the last day, once it is known: a standby knows it when it takes over.
    pub fn count_past(&self, past: Past) {
        self.quotas.count(past, self.shared.clock.steady());
    }

    /// How many submissions wait for a batch.
    pub fn queued(&self) -> usize {
        self.mailbox.queued()
    }

    /// Logs a statement, or says why not. `manifest` is polled only when the log needs it: for a release that its signer may
    /// make, or that is logged and whose public manifest is missing or damaged.
    pub async fn submit<F>(
        &self,
        bytes: axum::body::Bytes,
        caller: Option<Caller>,
        manifest: Option<F>,
    ) -> Result<Receipt, IntakeError>
    where
        F: Future<Output = Result<Held, IntakeError>> + Send,
    {
        let outcome = self.submitted(bytes, caller, manifest).await;
        let label = match &outcome {
            Ok(receipt) if receipt.known => "known",
            Ok(_) => "logged",
            Err(IntakeError::Unread(_)) => "unread",
            Err(IntakeError::NotASubmission(_)) => "malformed",
            Err(IntakeError::Submit(error)) => label_of(error),
        };
        self.shared.status.count("stele_submissions_total", label, 1);
        outcome
    }

    async fn submitted<F>(
        &self,
        bytes: axum::body::Bytes,
        caller: Option<Caller>,
        manifest: Option<F>,
    ) -> Result<Receipt, IntakeError>
    where
        F: Future<Output = Result<Held, IntakeError>> + Send,
    {
        let (submission, mut taken) = match here(|| precheck(&self.shared, &bytes))?? {
            Prechecked::Known { position, leaf, published, manifest: named } => {
                if let Some(manifest) = manifest {
                    let digest = named.ok_or(SubmitError::ManifestUnexpected)?;
                    self.repair(digest, manifest).await?;
                }
                return self.stored_receipt(published, position, leaf).await;
            }
            Prechecked::Waiting(parsed) => (submission(*parsed, FileDigestIndex::default(), None)?, None),
            Prechecked::New(parsed) => {
                let (submission, taken) = self.take_in(parsed, caller, manifest).await?;
                (submission, Some(taken))
            }
            Prechecked::Refused(refusal) => return Err(self.refused(refusal).await?.into()),
        };
        let leaf = submission.leaf;
        let (reply, answer) = oneshot::channel();
        self.mailbox.submit(submission, reply)?;
        let reply = match tokio::time::timeout(self.wait, answer).await {
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
            Reply::Logged { position, known } => {
                let proof = here(|| self.shared.prover.prove(&published, position, &bytes))?;
                let proof = proof.map_err(|error| unproven(&self.shared, &error))?;
                Ok(Receipt { position, leaf, proof, known })
            }
            Reply::Refused(refusal) => Err(self.refused(refusal).await?.into()),
            Reply::Unavailable(error) => Err(error.into()),
        }
    }

    /// Counts what is new, and checks the manifest of a release. One that is not public yet goes with the submission.
    async fn take_in<F>(
        &self,
        parsed: Box<Parsed>,
        caller: Option<Caller>,
        manifest: Option<F>,
    ) -> Result<(Submission, Taken), IntakeError>
    where
        F: Future<Output = Result<Held, IntakeError>> + Send,
    {
        let Entry::Statement(signed) = &parsed.entry else { return Err(SubmitError::NotAStatement.into()) };
        let Some(digest) = signed.statement().manifest_digest() else {
            if manifest.is_some() {
                return Err(SubmitError::ManifestUnexpected.into());
            }
            let now = self.shared.clock.steady();
            let taken = self.quotas.take(now, parsed.leaf, signed, 0, caller).map_err(SubmitError::Quota)?;
            return Ok((submission(*parsed, FileDigestIndex::default(), None)?, taken));
        };
        let Some(manifest) = manifest else {
            let now = self.shared.clock.steady();
            let taken = self.quotas.take(now, parsed.leaf, signed, 0, caller).map_err(SubmitError::Quota)?;
            let length = self.shared.manifests.length(&digest).map_err(|error| unstored(&error))?;
            let shared = self.shared.clone();
            let work = move || submission_of_public(&shared, *parsed);
            let is_short = length.is_none_or(|length| length <= SHORT as u64);
            let submission = if is_short { here(work)? } else { self.on_a_core(work).await? };
            return Ok((submission?, taken));
        };
        let bytes = manifest.await?;
        let now = self.shared.clock.steady();
        let taken = self.quotas.take(now, parsed.leaf, signed, bytes.len(), caller).map_err(SubmitError::Quota)?;
        let (shared, is_short) = (self.shared.clone(), bytes.len() <= SHORT);
        let work = move || -> Result<_, SubmitError> {
            let (files, is_public) = agree(&shared, &parsed, &bytes)?;
            let new = (!is_public).then(|| SubmittedManifest::new(digest, bytes));
            submission(*parsed, files, new)
        };
        let submission = if is_short { here(work)? } else { self.on_a_core(work).await? };
        Ok((submission?, taken))
    }

    /// Puts back the manifest of a logged release, if it is missing or damaged.
    async fn repair<F>(&self, digest: Digest, manifest: F) -> Result<(), IntakeError>
    where
        F: Future<Output = Result<Held, IntakeError>> + Send,
    {
        let shared = self.shared.clone();
        let stored = self.on_a_core(move || shared.manifests.read(&digest)).await?;
        if matches!(stored.map_err(|error| unstored(&error))?, Stored::Sound(_)) {
            return Ok(());
        }
        // A standby writes nothing.
        if let WriterState::Standby(StandbyState { writer, is_heard, .. }) = self.shared.status.writer() {
            return Err(Unavailable::Standby { writer, is_heard }.into());
        }
        let (shared, bytes) = (self.shared.clone(), manifest.await?);
        let work = move || -> Result<_, SubmitError> {
            let found = Digest::of(&bytes);
            if found != digest {
                return Err(ManifestMismatch::Digest { field: "manifest", expected: digest, found }.into());
            }
            shared.manifests.keep(&digest, &bytes).map_err(|error| unstored(&error))
        };
        // It waits for the disk, so it does not occupy a core.
        let kept = tokio::task::spawn_blocking(work).await.map_err(|error| lost(&error.to_string()))?;
        Ok(kept?)
    }

    /// The receipt of a statement that was logged before.
    async fn stored_receipt(
        &self,
        published: Arc<TrustedCheckpoint>,
        position: u64,
        leaf: LeafHash,
    ) -> Result<Receipt, IntakeError> {
        let shared = self.shared.clone();
        let proof = self.on_a_core(move || shared.prover.prove_stored(&published, position)).await?;
        let (proof, _) = proof.map_err(|error| unproven(&self.shared, &error))?;
        Ok(Receipt { position, leaf, proof, known: true })
    }

    /// A refusal with what stands in the way, which is read from the disk.
    async fn refused(&self, refusal: AdmissionRefusal) -> Result<SubmitError, Unavailable> {
        let shared = self.shared.clone();
        self.on_a_core(move || refused(&shared, refusal)).await
    }

    /// Work that may wait for the disk or is long, beside the async threads.
    async fn on_a_core<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unavailable> {
        let Ok(_core) = self.cores.clone().acquire_owned().await else { return Err(Unavailable::Stopping) };
        tokio::task::spawn_blocking(work).await.map_err(|error| lost(&error.to_string()))
    }
}

/// Work of a fraction of a millisecond that waits for nothing, on this thread: a hop to another one costs more than a signature check.
fn here<T>(work: impl FnOnce() -> T) -> Result<T, Unavailable> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| lost("it panicked"))
}

/// What goes to the sequencer.
fn submission(
    parsed: Parsed,
    files: FileDigestIndex,
    manifest: Option<SubmittedManifest>,
) -> Result<Submission, SubmitError> {
    let Parsed { entry: Entry::Statement(signed), leaf, keys } = parsed else { return Err(SubmitError::NotAStatement) };
    Ok(Submission { signed, leaf, keys, files, manifest })
}

/// What goes to the sequencer of a release whose manifest is public.
fn submission_of_public(shared: &RunningLog, parsed: Parsed) -> Result<Submission, SubmitError> {
    let files = agree_with_public(shared, &parsed)?;
    submission(parsed, files, None)
}

/// What is printed of checks that fail.
static FAILED: Alarms = Alarms::new();

fn lost(error: &str) -> Unavailable {
    if FAILED.is_due(SystemClock.steady(), "check-failed", error) {
        tracing::error!(%error, "a check failed");
    }
    Unavailable::Storage { code: "internal", message: "a check failed".into() }
}

/// How a submission that was not taken is counted.
/// Where the operator lets each name in, new keys have no quota of their own.
fn quota_rules(config: &Config) -> stele_log_core::rules::Quotas {
    let mut rules = config.quotas;
    if matches!(config.registration.claims, Claims::AllowList) {
        (rules.claims_by_new_keys, rules.claims_by_address) = (u64::MAX, u64::MAX);
    }
    rules
}

fn label_of(error: &SubmitError) -> &'static str {
    match error {
        SubmitError::Malformed(_) | SubmitError::NotAStatement => "malformed",
        SubmitError::Refused { refusal, .. } => refusal.code(),
        SubmitError::ManifestMissing { .. } => "manifest-missing",
        SubmitError::ManifestDiffers(_) | SubmitError::ManifestUnexpected => "manifest-differs",
        SubmitError::ManifestInvalid(_) => "manifest-invalid",
        SubmitError::Quota(_) => "quota",
        SubmitError::Frozen => "log-frozen",
        SubmitError::Unavailable(error) => error.code(),
    }
}
