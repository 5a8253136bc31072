//! From a bundle and a policy to a release that is verified.

use std::collections::BTreeMap;

use super::completeness::{Completeness, Verified};
use super::contents::{FolderContents, Found};
use super::error::VerifyError;
use super::report::FolderReport;
use crate::bundle::{Bundle, LoggedStatement};
use crate::hash::KeyId;
use crate::manifest::{FilePath, Manifest};
use crate::name::{Coordinate, Publisher};
use crate::policy::{Policy, TrustedCheckpoint};
use crate::proof::{self, ProofError, Proven, TlogProof};
use crate::registration::{KeyHistory, Refusal};
use crate::statement::{Release, SignedStatement, Statement};
use crate::status::{History, State, What};

/// Verifies a bundle under a trust policy, in the order of the chapter. It reads no file, asks no server and knows no time.
pub fn verify(bundle: &[u8], policy: &Policy) -> Result<VerifiedRelease, VerifyError> {
    let bundle = Bundle::parse(bundle).map_err(VerifyError::Bundle)?;
    let proof = TlogProof::parse(&bundle.proof).map_err(VerifyError::Proof)?;
    let checkpoint = TrustedCheckpoint::verify(proof.checkpoint().clone(), policy).map_err(VerifyError::Checkpoint)?;
    let signed = SignedStatement::parse(&bundle.statement).map_err(VerifyError::Statement)?;
    let Statement::Release(release) = signed.statement().clone() else {
        return Err(VerifyError::NotARelease { found: signed.statement().kind().to_string() });
    };
    let KeyStatements { history: keys, proven: key_statements, others: key_checkpoints } =
        key_history(&bundle.keys, signed.statement().publisher(), &checkpoint, policy)?;
    check_one_history(&checkpoint, &key_checkpoints)?;
    check_signer(&keys, proof.index(), &signed)?;
    let entry = proof::check_under(&proof, &bundle.statement, checkpoint.trusted().clone())
        .map_err(VerifyError::Proof)?
        .try_map(|_| Ok::<_, VerifyError>(signed))?;
    let manifest = Manifest::parse(&bundle.manifest).map_err(VerifyError::Manifest)?;
    release.check_manifest(&manifest).map_err(VerifyError::ManifestDiffers)?;
    let verified = Verified {
        release: &release,
        entry: &entry,
        keys: &keys,
        key_statements: &key_statements,
        checkpoint: &checkpoint,
        policy,
    };
    let completeness = verified.completeness(bundle.names.as_ref())?;
    let history = match completeness.record() {
        Some(record) => record.history(&entry, &release),
        None => History::fold(&release.coordinate(), [(entry.position(), entry.value().statement())]),
    };
    Ok(VerifiedRelease { release, entry, keys, manifest, checkpoint, key_checkpoints, completeness, history })
}

/// A release whose bundle was verified. Only [`verify`] makes one.
///
/// It says nothing of the files on a disk: see [`VerifiedRelease::check`].
#[derive(Debug, Clone)]
pub struct VerifiedRelease {
    release: Box<Release>,
    entry: Proven<SignedStatement>,
    keys: KeyHistory,
    manifest: Manifest,
    checkpoint: TrustedCheckpoint,
    key_checkpoints: Vec<TrustedCheckpoint>,
    completeness: Completeness,
    history: History,
}

/// What a verifier insists on, beyond the policy.
#[derive(Debug, Default, Clone)]
#[non_exhaustive]
pub struct Expected {
    /// The publisher's name.
    pub publisher: Option<Publisher>,
    /// The signer's key.
    pub signer: Option<KeyId>,
    /// The coordinate of the release.
    pub coordinate: Option<Coordinate>,
    /// The earliest median of the cosignature times, in Unix seconds.
    pub not_before: Option<u64>,
}

impl VerifiedRelease {
    /// `publisher/model@version#variant`.
    pub fn coordinate(&self) -> Coordinate {
        self.release.coordinate()
    }

    /// What the publisher says: claims, not facts.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Every file: path, role, size, SHA-256, git blob id.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The key that signed the envelope.
    pub fn signer(&self) -> KeyId {
        self.entry.value().kid()
    }

    /// Every key that signed: that of the envelope, then those that approved, which are none where the name asks for one.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> + '_ {
        let approvals = self.entry.value().statement().approvals();
        core::iter::once(self.signer()).chain(approvals.iter().map(|approval| approval.kid))
    }

    /// The first entry that revoked a key of those that signed after the release, if this bundle has it. A bundle may be older than a
    /// revocation.
    pub fn signer_revoked_at(&self) -> Option<u64> {
        self.signers().filter_map(|kid| self.keys.revoked_at(&kid)).min()
    }

    /// The position of the release in the log, from 0.
    pub const fn entry_index(&self) -> u64 {
        self.entry.position()
    }

    /// Origin, tree size, root hash, witnesses and the median of their times.
    pub const fn checkpoint(&self) -> &TrustedCheckpoint {
        &self.checkpoint
    }

    /// Every trusted checkpoint in the bundle: the release's, then those of the key statements that are others.
    pub fn checkpoints(&self) -> impl Iterator<Item = &TrustedCheckpoint> {
        [&self.checkpoint].into_iter().chain(&self.key_checkpoints)
    }

    /// The signed statement as an entry of the log.
    pub const fn statement(&self) -> &Proven<SignedStatement> {
        &self.entry
    }

    /// Who held the publisher's name when, as far as the bundle says.
    pub const fn key_history(&self) -> &KeyHistory {
        &self.keys
    }

    /// Whether anything else was said of it by its publisher up to [`VerifiedRelease::checkpoint`], as far as the bundle proves that.
    pub const fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// What became of it, by everything that the bundle has.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Refuses a release that its publisher withdrew, or about which the log contradicts itself, by what the bundle itself has.
    pub fn require_in_force(&self) -> Result<(), VerifyError> {
        let coordinate = Box::new(self.coordinate());
        if self.history.state() == State::Conflicting {
            let conflict = self.history.events().iter().find(|event| matches!(event.what, What::Conflict { .. }));
            let entry = conflict.map_or(self.entry_index(), |event| event.position);
            return Err(VerifyError::Conflicting { coordinate, entry });
        }
        match self.history.withdrawal() {
            Some((entry, withdraw)) => {
                let (when, reason) = (withdraw.issued_at.date().to_string(), withdraw.reason.to_string());
                Err(VerifyError::Withdrawn { coordinate, entry, when, reason })
            }
            None => Ok(()),
        }
    }

    /// Refuses another publisher, signer or coordinate than expected, and a checkpoint cosigned before `not_before`.
    pub fn require(&self, expected: &Expected) -> Result<(), VerifyError> {
        let found = &self.release.publisher.name;
        if let Some(expected) = expected.publisher.as_ref().filter(|expected| *expected != found) {
            return Err(VerifyError::OtherPublisher { expected: expected.clone(), found: found.clone() });
        }
        if let Some(expected) = expected.signer.filter(|expected| *expected != self.signer()) {
            return Err(VerifyError::OtherKey { expected, found: self.signer() });
        }
        let found = self.coordinate();
        if let Some(expected) = expected.coordinate.as_ref().filter(|expected| **expected != found) {
            return Err(VerifyError::OtherCoordinate { expected: Box::new(expected.clone()), found: Box::new(found) });
        }
        let time = self.checkpoint.time().map(|time| time.seconds());
        match expected.not_before {
            Some(not_before) if time.is_none_or(|time| time < not_before) => {
                Err(VerifyError::TooOld { not_before, found: time })
            }
            _ => Ok(()),
        }
    }

    /// Compares what was found in a folder with the manifest. Pure: the caller reads the files.
    pub fn check(&self, found: &FolderContents) -> FolderReport {
        FolderReport::of(&self.manifest, found)
    }

    /// Compares one file: with the recorded file at `named` alone, or without a name with any that has its bytes. None where the release has
    /// no such file.
    pub fn check_file(&self, named: Option<&FilePath>, found: &Found) -> Option<FolderReport> {
        FolderReport::of_file(&self.manifest, named, found)
    }
}

impl Expected {
    /// Insists on a publisher.
    #[must_use]
    pub fn publisher(self, publisher: Option<Publisher>) -> Self {
        Self { publisher, ..self }
    }

    /// Insists on a signer's key.
    #[must_use]
    pub fn signer(self, signer: Option<KeyId>) -> Self {
        Self { signer, ..self }
    }

    /// Insists on a coordinate.
    #[must_use]
    pub fn coordinate(self, coordinate: Option<Coordinate>) -> Self {
        Self { coordinate, ..self }
    }

    /// Insists on a checkpoint that was cosigned at this time or later, in Unix seconds.
    #[must_use]
    pub fn not_before(self, not_before: Option<u64>) -> Self {
        Self { not_before, ..self }
    }
}

/// Two checkpoints of one size have one root. For two sizes only the log itself can show that they are of one tree.
fn check_one_history(checkpoint: &TrustedCheckpoint, others: &[TrustedCheckpoint]) -> Result<(), VerifyError> {
    let mut seen: BTreeMap<u64, &TrustedCheckpoint> = BTreeMap::new();
    for checkpoint in [checkpoint].into_iter().chain(others) {
        let before = *seen.entry(checkpoint.size()).or_insert(checkpoint);
        if before.root() != checkpoint.root() {
            let (older, newer) = (Box::new(before.note().clone()), Box::new(checkpoint.note().clone()));
            return Err(VerifyError::TwoHistories { size: checkpoint.size(), older, newer });
        }
    }
    Ok(())
}

/// The publisher's key statements in a bundle.
struct KeyStatements {
    history: KeyHistory,
    /// Each, proven to be in the release's log.
    proven: Vec<Proven<SignedStatement>>,
    /// Their checkpoints, where they are others than the release's.
    others: Vec<TrustedCheckpoint>,
}

fn key_history(
    keys: &[LoggedStatement],
    publisher: &Publisher,
    release: &TrustedCheckpoint,
    policy: &Policy,
) -> Result<KeyStatements, VerifyError> {
    let mut proven = Vec::with_capacity(keys.len());
    let mut others: Vec<TrustedCheckpoint> = Vec::new();
    for logged in keys {
        let signed = SignedStatement::parse(&logged.statement).map_err(VerifyError::Statement)?;
        if signed.statement().publisher() != publisher {
            continue;
        }
        let proof = TlogProof::parse(&logged.proof).map_err(VerifyError::KeyProof)?;
        let text = proof.checkpoint().text();
        let known = [release].into_iter().chain(&others).find(|known| known.note().text() == text).cloned();
        let checkpoint = match known {
            Some(known) => known,
            None => {
                let new = TrustedCheckpoint::verify(proof.checkpoint().clone(), policy);
                let new = new.map_err(|error| VerifyError::KeyProof(ProofError::Checkpoint(error)))?;
                check_same_log(release, &new)?;
                others.push(new.clone());
                new
            }
        };
        let entry = proof::check_under(&proof, &logged.statement, checkpoint.trusted().clone());
        proven.push(entry.map_err(VerifyError::KeyProof)?.try_map(|_| Ok::<_, VerifyError>(signed))?);
    }
    let history = KeyHistory::fold(publisher, &proven).map_err(VerifyError::KeyHistory)?;
    proven.retain(|statement| matches!(statement.value().statement(), Statement::Publisher(_)));
    Ok(KeyStatements { history, proven, others })
}

/// Whether two checkpoints are of one log: of one origin. The policy accepts both, by whichever of the log's keys.
fn check_same_log(release: &TrustedCheckpoint, other: &TrustedCheckpoint) -> Result<(), VerifyError> {
    if release.origin() == other.origin() {
        return Ok(());
    }
    let (expected, found) = (release.origin().to_string(), other.origin().to_string());
    Err(VerifyError::OtherLog { expected, found })
}

/// Whether keys that held the name at the position of the release signed it, as many as the name asks for there.
fn check_signer(keys: &KeyHistory, position: u64, release: &SignedStatement) -> Result<(), VerifyError> {
    let publisher = keys.publisher().clone();
    match (keys.check(position, release), keys.claimed_at()) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(claim)) if claim >= position => Err(VerifyError::ClaimedLater { claim, release: position }),
        (Err(Refusal::Signature(error)), _) => Err(VerifyError::Signature(error)),
        (Err(Refusal::ApprovalsMissing { needed, found, .. }), _) => {
            Err(VerifyError::ApprovalsMissing { publisher, needed, found })
        }
        (Err(Refusal::KeyRevoked { kid, .. }), _) => {
            let revoked = keys.revoked_at(&kid).unwrap_or_default();
            Err(VerifyError::KeyRevoked { publisher, kid, revoked, release: position })
        }
        (Err(refusal), _) => {
            let kid = if let Refusal::KeyNotHeld { kid, .. } = refusal { kid } else { release.kid() };
            let claimed = keys.at(position).map(|holder| holder.keys.iter().map(|key| key.key_id()).collect());
            Err(VerifyError::KeyNotHeld { publisher, kid, claimed: claimed.unwrap_or_default() })
        }
    }
}
