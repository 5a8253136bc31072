//! What is decided about a submission before its batch: parsed, admissible, signed, and with a manifest that agrees with it.
//!
//! The batch decides once more, since other statements may have come first. [`precheck`] waits for no disk: a server calls it where it is.

use crate::admission::{admit, authenticate, signers};
use crate::contract::objects::ObjectError;
use crate::file_digests::FileDigestIndex;
use crate::manifests::{ReadManifestError, Stored};
use crate::prover::ProveError;
use crate::refusal::AdmissionRefusal;
use crate::replay::Parsed;
use crate::running_log::RunningLog;
use crate::status::{StandbyState, WriterState};
use crate::submission::Unavailable;
use crate::submit_error::{Existing, SubmitError};
use std::sync::Arc;
use stele_explain::Explain as _;
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::manifest::Manifest;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::registration::{Verdict, View as _};
use stele_spec::statement::{ManifestMismatch, Release};

/// What the checks before the batch came to.
#[derive(Debug)]
pub enum Prechecked {
    /// It is published.
    Known {
        /// Its position.
        position: u64,
        /// Its hash.
        leaf: LeafHash,
        /// The head that covers it.
        published: Arc<TrustedCheckpoint>,
        /// The manifest that it names.
        manifest: Option<Digest>,
    },
    /// It is logged, and waits for its proof with its batch.
    Waiting(Box<Parsed>),
    /// Its signer may say it, and has signed it.
    New(Box<Parsed>),
    /// It is refused.
    Refused(AdmissionRefusal),
}

/// Everything that can be decided before the batch, but for the manifest.
pub fn precheck(log: &RunningLog, bytes: &[u8]) -> Result<Prechecked, SubmitError> {
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
            let manifest = signed.statement().manifest_digest();
            return Ok(Prechecked::Known { position, leaf: parsed.leaf, published, manifest });
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
        WriterState::Standby(StandbyState { writer, is_heard, .. }) => {
            return Err(Unavailable::Standby { writer, is_heard }.into());
        }
    }
    if position.is_some() {
        // Logged and not yet published: it waits for its proof with the batch.
        return Ok(Prechecked::Waiting(Box::new(parsed)));
    }
    if settings.rules.frozen {
        return Err(SubmitError::Frozen);
    }
    let admitted = keys.and_then(|keys| {
        authenticate(signed, &keys)?;
        admit(&parsed.leaf, signed, &*log.registry(), rules)
    });
    match admitted {
        Ok(Verdict::New | Verdict::Known(_)) => Ok(Prechecked::New(Box::new(parsed))),
        Err(refusal) => Ok(Prechecked::Refused(refusal)),
    }
}

/// The files of a manifest that came with its release and agrees with it, and whether it is public already.
pub fn agree(log: &RunningLog, parsed: &Parsed, bytes: &[u8]) -> Result<(FileDigestIndex, bool), SubmitError> {
    let Some((release, expected)) = release_of(parsed) else { return Err(SubmitError::ManifestUnexpected) };
    let found = Digest::of(bytes);
    if expected != found {
        return Err(ManifestMismatch::Digest { field: "manifest", expected, found }.into());
    }
    let manifest = Manifest::parse(bytes)?;
    release.check_manifest(&manifest)?;
    let stored = log.manifests.read(&expected).map_err(|error| unstored(&error))?;
    Ok((FileDigestIndex::of(&manifest), matches!(stored, Stored::Sound(_))))
}

/// The files of the public manifest that a release names and that agrees with it.
pub fn agree_with_public(log: &RunningLog, parsed: &Parsed) -> Result<FileDigestIndex, SubmitError> {
    let Some((release, digest)) = release_of(parsed) else { return Ok(FileDigestIndex::default()) };
    let public = log.manifests.parsed(&digest).map_err(|error| match error {
        ReadManifestError::Objects(error) => unstored(&error),
        ReadManifestError::Invalid(error) => error.into(),
    });
    let public = public?.ok_or(SubmitError::ManifestMissing { digest })?;
    release.check_manifest(&public.manifest)?;
    Ok(public.files.clone())
}

fn release_of(parsed: &Parsed) -> Option<(&Release, Digest)> {
    let Entry::Statement(signed) = &parsed.entry else { return None };
    Some((signed.statement().release()?, signed.statement().manifest_digest()?))
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
