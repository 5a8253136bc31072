//! What is decided about a submission before its batch: parsed, admissible, signed, and with a manifest that agrees with it.
//!
//! The batch decides once more, since other statements may have come first.

use crate::admission::{admit, authenticate, signers};
use crate::contract::objects::ObjectError;
use crate::file_digests::FileDigestIndex;
use crate::manifests::Stored;
use crate::prover::ProveError;
use crate::refusal::AdmissionRefusal;
use crate::replay::Parsed;
use crate::running_log::RunningLog;
use crate::status::WriterState;
use crate::submission::Unavailable;
use crate::submit_error::{Existing, SubmitError};
use std::sync::Arc;
use stele_explain::Explain as _;
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::manifest::Manifest;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::registration::{Verdict, View as _};
use stele_spec::statement::{ManifestMismatch, SignedStatement};

/// What the checks before the batch came to.
#[derive(Debug)]
pub enum Prechecked {
    /// It is published. With a digest, the public manifest under it is missing or damaged.
    Known {
        /// Its position.
        position: u64,
        /// Its hash.
        leaf: LeafHash,
        /// The head that covers it.
        published: Arc<TrustedCheckpoint>,
        /// The manifest that is missing or damaged.
        repair: Option<Digest>,
    },
    /// It is logged, and waits for its proof with its batch.
    Waiting(Box<Parsed>),
    /// Its signer may say it, and has signed it.
    New(Box<Parsed>),
}

/// Everything that can be decided before the batch. `brings_manifest`: a manifest comes with the statement.
pub fn precheck(log: &RunningLog, bytes: &[u8], brings_manifest: bool) -> Result<Prechecked, SubmitError> {
    let parsed = Parsed::of(bytes)?;
    let Entry::Statement(signed) = &parsed.entry else { return Err(SubmitError::NotAStatement) };
    let settings = log.settings();
    let rules = &settings.rules.registration;
    // Under one lock: were the same bytes logged in between, they would look like somebody else's.
    let (position, keys) = {
        let registry = log.registry();
        (registry.position_of(&parsed.leaf), signers(signed, &*registry, rules))
    };
    if let Some(position) = position {
        let published = log.published().filter(|published| position < published.size());
        if let Some(published) = published {
            let repair = if brings_manifest { in_need_of_repair(log, signed)? } else { None };
            return Ok(Prechecked::Known { position, leaf: parsed.leaf, published, repair });
        }
    }
    match log.status.writer() {
        WriterState::Running => {}
        WriterState::Starting => return Err(Unavailable::Starting.into()),
        WriterState::Asking { .. } => return Err(Unavailable::AskingWitnesses.into()),
        WriterState::NoRoom { message } => return Err(Unavailable::Storage { code: "disk-full", message }.into()),
        WriterState::BelowQuorum { .. } => return Err(Unavailable::QuorumMissing.into()),
        WriterState::Stopped { code: "backup-restored", .. } => return Err(Unavailable::BackupRestored.into()),
        WriterState::Stopped { .. } => return Err(Unavailable::WriterStopped.into()),
        WriterState::Finished => return Err(Unavailable::Stopping.into()),
    }
    if position.is_some() {
        // Logged and not yet published: it waits for its proof with the batch.
        return Ok(Prechecked::Waiting(Box::new(parsed)));
    }
    if settings.rules.frozen {
        return Err(SubmitError::Frozen);
    }
    let keys = keys.map_err(|refusal| refused(log, refusal))?;
    authenticate(signed, &keys).map_err(|refusal| refused(log, refusal))?;
    let verdict = admit(&parsed.leaf, signed, &*log.registry(), rules);
    match verdict {
        Ok(Verdict::New | Verdict::Known(_)) => Ok(Prechecked::New(Box::new(parsed))),
        Err(refusal) => Err(refused(log, refusal)),
    }
}

/// The manifest of a logged release, if it is not as it should be.
fn in_need_of_repair(log: &RunningLog, signed: &SignedStatement) -> Result<Option<Digest>, SubmitError> {
    let Some(digest) = signed.statement().manifest_digest() else { return Err(SubmitError::ManifestUnexpected) };
    let stored = log.manifests.read(&digest).map_err(|error| unstored(&error))?;
    Ok(Some(digest).filter(|_| !matches!(stored, Stored::Sound(_))))
}

/// The files of a manifest that agrees with its release.
pub fn agree(parsed: &Parsed, digest: &Digest, bytes: &[u8]) -> Result<FileDigestIndex, SubmitError> {
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
    Ok(FileDigestIndex::of(&manifest))
}

/// A refusal with the entry that stands in the way and its proof.
pub fn refused(log: &RunningLog, refusal: AdmissionRefusal) -> SubmitError {
    let Some(position) = refusal.existing() else { return SubmitError::Refused { refusal, existing: None } };
    let Some(published) = log.published().filter(|published| position < published.size()) else {
        return Unavailable::NotYetPublished.into();
    };
    match log.prover.prove_stored(&published, position) {
        Ok((proof, entry)) => {
            SubmitError::Refused { refusal, existing: Some(Box::new(Existing { position, proof, entry })) }
        }
        Err(error) => unproven(log, &error),
    }
}

/// What a submitter is told when no proof can be made.
pub fn unproven(log: &RunningLog, error: &ProveError) -> SubmitError {
    if log.status.is_due(log.clock.steady(), "no-proof", &error.to_string()) {
        tracing::error!(%error, "no proof can be made");
    }
    Unavailable::Storage { code: "proof-failed", message: error.to_string() }.into()
}

/// What a submitter is told when the storage fails.
pub fn unstored(error: &ObjectError) -> SubmitError {
    Unavailable::Storage { code: error.code(), message: error.to_string() }.into()
}
