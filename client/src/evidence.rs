//! From a bundle and a policy to a release that is proven: no file is looked at, no server is asked.
//!
//! In this order, any failure the end: the bundle reads; the policy vouches for the tree head; the publisher's key
//! statements are in the same log and follow from each other; a key that held the name at the release's position signed
//! it; the release is in the log at that position; the manifest is the one that it names. Only what comes out of here
//! can lead to a verdict.

use std::collections::BTreeMap;

use stele_host::exit::{Exit, Explain};
use stele_spec::bundle::{Bundle, BundleError, LoggedStatement};
use stele_spec::checkpoint::{Checkpoint, CheckpointError};
use stele_spec::hash::KeyId;
use stele_spec::manifest::{Manifest, ManifestError};
use stele_spec::name::Publisher;
use stele_spec::note::SignedNote;
use stele_spec::policy::{Policy, RefusedCheckpoint, Trusted};
use stele_spec::proof::{self, ProofError, Proven, TlogProof};
use stele_spec::registration::Refusal;
use stele_spec::statement::{ManifestMismatch, Release, SignedStatement, Statement, StatementError, VerifyError};

use crate::error::Failure;
use crate::key_history::{BrokenHistory, KeyHistory};
use crate::log_reader::Head;
use crate::memory::{Conflict, Conflicting, LogId, Memory};

/// A release that is proven. Made by [`check`] alone.
#[derive(Debug)]
pub(crate) struct Evidence {
    release: Box<Release>,
    entry: Proven<SignedStatement>,
    keys: KeyHistory,
    manifest: Manifest,
    head: Head,
    key_heads: Vec<Head>,
}

impl Evidence {
    /// What the publisher says.
    pub(crate) fn release(&self) -> &Release {
        &self.release
    }

    /// The entry of the log, its place and the tree head it rests on.
    pub(crate) fn entry(&self) -> &Proven<SignedStatement> {
        &self.entry
    }

    /// Who held the publisher's name when, as far as the bundle says.
    pub(crate) fn keys(&self) -> &KeyHistory {
        &self.keys
    }

    /// The files.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The tree head.
    pub(crate) fn head(&self) -> &Trusted<Checkpoint> {
        &self.head.trusted
    }

    /// Every tree head in the bundle: the release's, and those of the key statements.
    pub(crate) fn all_heads(&self) -> Vec<Head> {
        [&self.head].into_iter().chain(&self.key_heads).cloned().collect()
    }

    /// The tree head and the note it came in.
    pub(crate) fn noted_head(&self) -> &Head {
        &self.head
    }
}

/// Whom a verifier insists on, beyond the policy.
#[derive(Debug, Default, Clone)]
pub(crate) struct Pins {
    /// The publisher's name.
    pub(crate) publisher: Option<Publisher>,
    /// The signer's key.
    pub(crate) key_id: Option<KeyId>,
}

/// Checks everything in a bundle but the bytes of the files.
pub(crate) fn check(bytes: &[u8], policy: &Policy, pins: &Pins) -> Result<Evidence, EvidenceError> {
    let bundle = Bundle::parse(bytes).map_err(EvidenceError::Bundle)?;
    let proof = TlogProof::parse(&bundle.proof).map_err(EvidenceError::Proof)?;
    let trusted = policy.verify_note(proof.checkpoint()).map_err(EvidenceError::Checkpoint)?;
    let head = Head { trusted, note: proof.checkpoint().clone() };
    let signed = SignedStatement::parse(&bundle.statement).map_err(EvidenceError::Statement)?;
    let Statement::Release(release) = signed.statement().clone() else {
        return Err(EvidenceError::NotARelease { found: signed.statement().kind().to_string() });
    };
    pins.check(&release, signed.kid())?;
    let (keys, key_heads) = key_history(&bundle.keys, signed.statement().publisher(), &head, policy)?;
    check_one_history(&head, &key_heads)?;
    check_signer(&keys, proof.index(), &signed)?;
    let entry = proof::check_under(&proof, &bundle.statement, head.trusted.clone())
        .map_err(EvidenceError::Proof)?
        .try_map(|_| Ok::<_, EvidenceError>(signed))?;
    let manifest = Manifest::parse(&bundle.manifest).map_err(EvidenceError::Manifest)?;
    release.check_manifest(&manifest).map_err(EvidenceError::ManifestDiffers)?;
    Ok(Evidence { release, entry, keys, manifest, head, key_heads })
}

impl Pins {
    fn check(&self, release: &Release, kid: KeyId) -> Result<(), EvidenceError> {
        let found = &release.publisher.name;
        match (&self.publisher, self.key_id) {
            (Some(expected), _) if expected != found => {
                Err(EvidenceError::OtherPublisher { expected: expected.clone(), found: found.clone() })
            }
            (_, Some(expected)) if expected != kid => Err(EvidenceError::OtherKey { expected, found: kid }),
            _ => Ok(()),
        }
    }
}

/// Two heads of one size have one root. Of two sizes only the log itself can show that they are one tree.
fn check_one_history(head: &Head, others: &[Head]) -> Result<(), EvidenceError> {
    let mut seen: BTreeMap<u64, &Head> = BTreeMap::new();
    for head in [head].into_iter().chain(others) {
        let before = *seen.entry(head.size()).or_insert(head);
        if before.checkpoint().root() != head.checkpoint().root() {
            let (older, newer) = (Box::new(before.note.clone()), Box::new(head.note.clone()));
            return Err(EvidenceError::TwoHistories { size: head.size(), older, newer });
        }
    }
    Ok(())
}

/// The publisher's key statements in a bundle, each proven to be in the release's log; and their heads, where they are others.
fn key_history(
    keys: &[LoggedStatement],
    publisher: &Publisher,
    release: &Head,
    policy: &Policy,
) -> Result<(KeyHistory, Vec<Head>), EvidenceError> {
    let head = &release.trusted;
    let mut proven = Vec::with_capacity(keys.len());
    let mut heads: Vec<Head> = Vec::new();
    for logged in keys {
        let signed = SignedStatement::parse(&logged.statement).map_err(EvidenceError::Statement)?;
        if signed.statement().publisher() != publisher {
            continue;
        }
        let proof = TlogProof::parse(&logged.proof).map_err(EvidenceError::KeyProof)?;
        let entry = if proof.checkpoint().text() == head.value().to_string() {
            proof::check_under(&proof, &logged.statement, head.clone())
        } else {
            proof::check(&proof, &logged.statement, policy)
        }
        .map_err(EvidenceError::KeyProof)?;
        let (expected, found) = (head.value().origin(), entry.head().value().origin());
        if expected != found || LogId::of(proof.checkpoint(), policy) != LogId::of(&release.note, policy) {
            return Err(EvidenceError::OtherLog { expected: expected.to_string(), found: found.to_string() });
        }
        let text = proof.checkpoint().text();
        if [release].into_iter().chain(&heads).all(|known| known.note.text() != text) {
            heads.push(Head { trusted: entry.head().clone(), note: proof.checkpoint().clone() });
        }
        proven.push(entry.try_map(|_| Ok::<_, EvidenceError>(signed))?);
    }
    Ok((KeyHistory::fold(publisher, &proven).map_err(EvidenceError::KeyHistory)?, heads))
}

/// Whether a key that held the name at the position of the release signed it.
fn check_signer(keys: &KeyHistory, position: u64, release: &SignedStatement) -> Result<(), EvidenceError> {
    let (publisher, kid) = (keys.publisher().clone(), release.kid());
    match (keys.check(position, release), keys.claimed_at()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(claim)) if claim >= position => Err(EvidenceError::ClaimedLater { claim, release: position }),
        (Err(Refusal::Signature(error)), _) => Err(EvidenceError::Signature(error)),
        (Err(Refusal::KeyRevoked { .. }), _) => {
            let revoked = keys.revoked_at(&kid).unwrap_or_default();
            Err(EvidenceError::KeyRevoked { publisher, kid, revoked, release: position })
        }
        (Err(_), _) => {
            let claimed = keys.at(position).map(|holder| holder.keys.iter().map(|key| key.key_id()).collect());
            Err(EvidenceError::KeyNotHeld { publisher, kid, claimed: claimed.unwrap_or_default() })
        }
    }
}

/// Why a bundle proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceError {
    /// Not a bundle.
    #[error("{0}")]
    Bundle(BundleError),
    /// The policy does not vouch for the tree head.
    #[error("{0}")]
    Checkpoint(RefusedCheckpoint),
    /// A statement in it is none.
    #[error("a statement in the bundle is refused: {0}")]
    Statement(StatementError),
    /// Something else than a release.
    #[error("expected a release, found a statement of the kind {found}")]
    NotARelease {
        /// The kind.
        found: String,
    },
    /// The release is of another publisher.
    #[error("the release is of another publisher")]
    OtherPublisher {
        /// Whom the verifier insists on.
        expected: Publisher,
        /// Whose it is.
        found: Publisher,
    },
    /// The release is signed by another key.
    #[error("the release is signed by another key")]
    OtherKey {
        /// On which the verifier insists.
        expected: KeyId,
        /// Which it is.
        found: KeyId,
    },
    /// The proof of a key statement fails.
    #[error("the publisher's key statement is not proven to be in the log: {0}")]
    KeyProof(ProofError),
    /// The key statement is in another log.
    #[error("the publisher's key statement is in another log than the release")]
    OtherLog {
        /// The release's.
        expected: String,
        /// The key statement's.
        found: String,
    },
    /// Two tree heads of one size in one bundle, each accepted by the policy.
    #[error("the bundle has two tree heads of {size} entries of one log: this log shows two histories")]
    TwoHistories {
        /// The size.
        size: u64,
        /// The first.
        older: Box<SignedNote>,
        /// The other.
        newer: Box<SignedNote>,
    },
    /// The key statements do not follow from each other.
    #[error("the publisher's key history in the bundle is broken: {0}")]
    KeyHistory(#[source] BrokenHistory),
    /// The key that signed had been revoked.
    #[error("the key that signed the release of {publisher} at entry {release} was revoked at entry {revoked}")]
    KeyRevoked {
        /// The name.
        publisher: Publisher,
        /// The signer.
        kid: KeyId,
        /// The position of the revocation.
        revoked: u64,
        /// The position of the release.
        release: u64,
    },
    /// No key statement has the key that signed.
    #[error("{publisher} does not hold the key that signed the release")]
    KeyNotHeld {
        /// The name.
        publisher: Publisher,
        /// The signer.
        kid: KeyId,
        /// The keys that do hold the name.
        claimed: Vec<KeyId>,
    },
    /// The name was claimed after the release.
    #[error("the name was claimed at entry {claim}, after the release at entry {release}")]
    ClaimedLater {
        /// Its position.
        claim: u64,
        /// The release's.
        release: u64,
    },
    /// A signature fails.
    #[error("{0}")]
    Signature(VerifyError),
    /// The proof of the release fails.
    #[error("the release is not proven to be in the log: {0}")]
    Proof(ProofError),
    /// Not a manifest.
    #[error("the manifest in the bundle is refused: {0}")]
    Manifest(ManifestError),
    /// The manifest is not the release's.
    #[error("the manifest in the bundle is not the one of the release")]
    ManifestDiffers(#[source] ManifestMismatch),
}

impl EvidenceError {
    /// The same for a verb that remembers: two histories are written down as evidence that anyone can check.
    pub(crate) fn remembered(self, memory: &Memory) -> Failure {
        match self {
            Self::TwoHistories { older, newer, .. } => {
                Conflicting::found(memory, Conflict { older, newer, prefix: None })
            }
            other => other.into(),
        }
    }
}

impl Explain for EvidenceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Bundle(_) | Self::Statement(_) | Self::NotARelease { .. } | Self::Manifest(_) => Exit::BadInput,
            Self::Checkpoint(error) => checkpoint_exit(error),
            Self::KeyProof(error) | Self::Proof(error) => proof_exit(error),
            Self::OtherPublisher { .. }
            | Self::OtherKey { .. }
            | Self::KeyHistory(_)
            | Self::KeyRevoked { .. }
            | Self::KeyNotHeld { .. }
            | Self::ClaimedLater { .. }
            | Self::Signature(_) => Exit::BadSignature,
            Self::OtherLog { .. } => Exit::NotInLog,
            Self::TwoHistories { .. } => Exit::Conflicting,
            Self::ManifestDiffers(_) => Exit::BytesDiffer,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "bundle-malformed",
            Self::Checkpoint(error) => checkpoint_code(error),
            Self::Statement(error) => error.code(),
            Self::NotARelease { .. } => "not-a-release",
            Self::OtherPublisher { .. } => "other-publisher",
            Self::OtherKey { .. } => "other-key",
            Self::KeyProof(error) | Self::Proof(error) => proof_code(error),
            Self::OtherLog { .. } => "other-log",
            Self::TwoHistories { .. } => "log-forked",
            Self::KeyHistory(_) => "key-history-broken",
            Self::KeyRevoked { .. } => "key-revoked",
            Self::KeyNotHeld { .. } => "key-not-held",
            Self::ClaimedLater { .. } => "claimed-later",
            Self::Signature(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::ManifestDiffers(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Checkpoint(error) => return Some(checkpoint_hint(error).into()),
            Self::KeyProof(ProofError::Checkpoint(error)) | Self::Proof(ProofError::Checkpoint(error)) => {
                return Some(checkpoint_hint(error).into());
            }
            Self::Bundle(_) => "get release.stele again: it is damaged, or another kind of file",
            Self::Statement(_) | Self::NotARelease { .. } | Self::Manifest(_) => {
                "do not use these files until the publisher explains this"
            }
            Self::OtherPublisher { .. } | Self::OtherKey { .. } => {
                "do not use these files as a release of that publisher; ask it which key it signs with"
            }
            Self::KeyHistory(_)
            | Self::KeyRevoked { .. }
            | Self::KeyNotHeld { .. }
            | Self::ClaimedLater { .. }
            | Self::Signature(_) => "somebody else may speak in this publisher's name: do not use these files",
            Self::KeyProof(_) | Self::Proof(_) | Self::OtherLog { .. } => {
                "get release.stele again; if it stays so, the release is not in the log and nobody else sees it"
            }
            Self::ManifestDiffers(_) => "release.stele was put together from two releases: get it again",
            Self::TwoHistories { .. } => {
                "rely on nothing that this log says: keep the bundle, and send it to the log's witnesses"
            }
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let pair = |expected: String, found: String| vec![("expected", expected), ("found", found)];
        match self {
            Self::Checkpoint(error) => checkpoint_facts(error),
            Self::KeyProof(ProofError::Checkpoint(error)) | Self::Proof(ProofError::Checkpoint(error)) => {
                checkpoint_facts(error)
            }
            Self::OtherPublisher { expected, found } => pair(expected.to_string(), found.to_string()),
            Self::OtherKey { expected, found } => pair(expected.to_string(), found.to_string()),
            Self::OtherLog { expected, found } => pair(expected.clone(), found.clone()),
            Self::KeyNotHeld { kid, claimed, .. } => {
                let claimed: Vec<_> = claimed.iter().map(ToString::to_string).collect();
                let expected =
                    if claimed.is_empty() { "a claim of the name in the bundle".into() } else { claimed.join(", ") };
                pair(expected, kid.to_string())
            }
            Self::KeyHistory(broken) => {
                vec![("entry", broken.position.to_string()), ("rule", broken.refusal.code().into())]
            }
            Self::KeyRevoked { kid, .. } => pair("a key that holds the name there".into(), kid.to_string()),
            Self::ManifestDiffers(ManifestMismatch::Digest { expected, found, .. }) => {
                pair(expected.to_string(), found.to_string())
            }
            _ => Vec::new(),
        }
    }
}

pub(crate) fn checkpoint_exit(error: &RefusedCheckpoint) -> Exit {
    match error {
        RefusedCheckpoint::UnknownLog { .. } | RefusedCheckpoint::Log(CheckpointError::NotSigned) => Exit::WrongPolicy,
        RefusedCheckpoint::Log(CheckpointError::BadSignature) | RefusedCheckpoint::Cosignature { .. } => {
            Exit::BadSignature
        }
        RefusedCheckpoint::Log(_) => Exit::BadInput,
        RefusedCheckpoint::Quorum { .. } => Exit::QuorumMissing,
    }
}

pub(crate) fn checkpoint_code(error: &RefusedCheckpoint) -> &'static str {
    match error {
        RefusedCheckpoint::UnknownLog { .. } => "unknown-log",
        RefusedCheckpoint::Log(CheckpointError::NotSigned) => "other-log-key",
        RefusedCheckpoint::Log(CheckpointError::BadSignature) => "bad-log-signature",
        RefusedCheckpoint::Log(_) => "checkpoint-malformed",
        RefusedCheckpoint::Cosignature { .. } => "bad-cosignature",
        RefusedCheckpoint::Quorum { .. } => "quorum-missing",
    }
}

pub(crate) fn checkpoint_hint(error: &RefusedCheckpoint) -> &'static str {
    match error {
        RefusedCheckpoint::UnknownLog { .. } => "use the policy that lists this log, or do not rely on it",
        RefusedCheckpoint::Log(CheckpointError::NotSigned) => {
            "the policy has another key for this log: is the policy current, and from whom is the bundle?"
        }
        RefusedCheckpoint::Quorum { .. } => {
            "ask the log for a newer proof, or use the policy of the witnesses that you rely on; never lower the quorum to make this pass"
        }
        _ => "the evidence was changed after it was signed: get release.stele again",
    }
}

/// The same for a tree head that a log serves.
pub(crate) fn served_head_hint(error: &RefusedCheckpoint) -> &'static str {
    match error {
        RefusedCheckpoint::UnknownLog { .. } => checkpoint_hint(error),
        RefusedCheckpoint::Log(CheckpointError::NotSigned) => {
            "the policy has another key for this log: is the policy current, and is this the log's address?"
        }
        RefusedCheckpoint::Quorum { .. } => {
            "ask again later: the log waits for its witnesses; or use the policy of the witnesses that you rely on; \
             never lower the quorum to make this pass"
        }
        _ => {
            "ask again, or at another address: what is served was changed after it was signed; if it stays so, tell the log's operator"
        }
    }
}

pub(crate) fn checkpoint_facts(error: &RefusedCheckpoint) -> Vec<(&'static str, String)> {
    match error {
        RefusedCheckpoint::Quorum { least, found, missing } => {
            let names = missing.iter().map(|missing| {
                let other = if missing.other_key { ", which signed with another key" } else { "" };
                format!("{} ({}{other})", missing.witness, missing.key_name)
            });
            let missing = names.collect::<Vec<_>>().join(", ");
            vec![
                ("expected", format!("at least {least} cosignatures")),
                ("found", found.to_string()),
                ("missing", missing),
            ]
        }
        RefusedCheckpoint::UnknownLog { found, known } => {
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            vec![("expected", known.join(", ")), ("found", found.to_string())]
        }
        _ => Vec::new(),
    }
}

fn proof_exit(error: &ProofError) -> Exit {
    match error {
        ProofError::Checkpoint(error) => checkpoint_exit(error),
        ProofError::Inclusion(_) | ProofError::OtherHead => Exit::NotInLog,
        _ => Exit::BadInput,
    }
}

fn proof_code(error: &ProofError) -> &'static str {
    match error {
        ProofError::Checkpoint(error) => checkpoint_code(error),
        ProofError::Inclusion(_) | ProofError::OtherHead => "not-in-log",
        _ => "proof-malformed",
    }
}
