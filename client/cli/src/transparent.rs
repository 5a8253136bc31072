//! A transparent statement (RFC 9943 §7) in the place of a release: its receipts, and the evidence that it is held against.
//!
//! It proves that the log has the statement. Whose key signed it, and which files it is about, is in a bundle or in the log.

use std::path::{Path, PathBuf};

use stele_durable as durable;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::error::{self, FileError};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::receipt::{MAX_RECEIPT, MAX_TRANSPARENT, Receipt, TransparentStatement};
use stele_spec::statement::SignedStatement;
use stele_verify::VerifiedRelease;

/// A release with the receipts that came with it; nothing of it is verified.
#[derive(Debug)]
pub(crate) struct TransparentRelease {
    path: String,
    statement: TransparentStatement,
    coordinate: Coordinate,
}

/// A release that the log has, by its receipt.
#[derive(Debug)]
pub(crate) struct Received {
    /// The file of the transparent statement.
    path: String,
    /// The statement.
    statement: Vec<u8>,
    /// What it releases.
    pub(crate) coordinate: Coordinate,
    /// Where it stands.
    pub(crate) entry: u64,
    /// The checkpoint of the receipt.
    pub(crate) head: TrustedCheckpoint,
}

impl TransparentRelease {
    /// What is in a file, if it is a transparent statement. Any other file is none, and a folder is none.
    pub(crate) fn at(path: &Path) -> Result<Option<Self>, Failure> {
        let is_short = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_TRANSPARENT as u64);
        if !is_short {
            return Ok(None);
        }
        let bytes = error::read(path, MAX_TRANSPARENT as u64, "a transparent statement")?;
        if !TransparentStatement::looks_like(&bytes) {
            return Ok(None);
        }
        let statement = TransparentStatement::parse(&bytes)?;
        let release = statement.statement().statement().release();
        let kind = statement.statement().statement().kind();
        let Some(coordinate) = release.map(|release| release.coordinate()) else {
            return Err(TransparentError::NoRelease { kind: kind.to_string() }.into());
        };
        Ok(Some(Self { path: path.display().to_string(), statement, coordinate }))
    }

    /// Checks its receipts under the policy.
    pub(crate) fn check(&self, policy: &Policy) -> Result<Received, Failure> {
        let proven = self.statement.check(policy)?;
        Ok(Received {
            path: self.path.clone(),
            statement: self.statement.statement().bytes().to_vec(),
            coordinate: self.coordinate.clone(),
            entry: proven.entry().position(),
            head: proven.head().clone(),
        })
    }
}

impl Received {
    /// Whether evidence is of this very statement, at this very place of the log.
    pub(crate) fn is_of(&self, evidence: &VerifiedRelease) -> Result<(), TransparentError> {
        let found = evidence.statement();
        if found.value().bytes() == self.statement && found.position() == self.entry {
            return Ok(());
        }
        let expected = format!("{} at entry {}", self.coordinate, self.entry);
        let found = format!("{} at entry {}", evidence.release().coordinate(), found.position());
        Err(TransparentError::OtherStatement { expected, found })
    }

    /// Why there is nothing to judge it by.
    pub(crate) fn without_evidence(&self) -> TransparentError {
        TransparentError::NoEvidence { path: self.path.clone(), entry: self.entry }
    }
}

/// Writes a statement and its receipts as a transparent statement. Nothing is overwritten, and a receipt of another statement is refused.
pub(crate) fn write(statement: SignedStatement, receipts: &[PathBuf], output: &Path) -> Result<(), Failure> {
    let mut read = Vec::new();
    for path in receipts {
        let bytes = error::read(path, MAX_RECEIPT as u64, "a receipt")?;
        // One of another service is taken as it is: what tree it is of only that service says.
        if let Ok(receipt) = Receipt::parse(&bytes)
            && !leads_to_its_root(&receipt, statement.bytes())
        {
            return Err(TransparentError::OtherReceipt { path: path.display().to_string() }.into());
        }
        read.push(bytes);
    }
    let made = TransparentStatement::new(statement, read)?;
    if output.exists() {
        let hint = "name another file, or move this one away";
        return Err(FileError::Exists { path: output.display().to_string(), hint }.into());
    }
    durable::create_file(output, &made.to_bytes(), 0o644)?;
    Ok(())
}

fn leads_to_its_root(receipt: &Receipt, entry: &[u8]) -> bool {
    let proof = receipt.proof();
    Checkpoint::parse(proof.checkpoint().text()).is_ok_and(|checkpoint| {
        proof.path().check(leaf_hash(entry), receipt.index(), checkpoint.size(), checkpoint.root()).is_ok()
    })
}

/// Why a transparent statement is not verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransparentError {
    /// A statement of another kind.
    #[error("expected a transparent statement of a release, found one of the kind {kind}")]
    NoRelease {
        /// The kind.
        kind: String,
    },
    /// Neither key history nor list of files.
    #[error(
        "the log has this release at entry {entry}, by its receipt; whose key signed it, and which files it is about, is not in {path}"
    )]
    NoEvidence {
        /// The file.
        path: String,
        /// The entry.
        entry: u64,
    },
    /// A receipt of another statement.
    #[error("the receipt {path} is of another statement")]
    OtherReceipt {
        /// The file.
        path: String,
    },
    /// The evidence is of another statement.
    #[error("the evidence is of another release than the transparent statement")]
    OtherStatement {
        /// What the transparent statement is.
        expected: String,
        /// What the evidence is.
        found: String,
    },
}

impl Explain for TransparentError {
    explain! {
        Self::NoRelease { .. } => Exit::BadInput, "not-a-release",
            hint: "`stele inspect FILE` shows it; a release is verified, and what was said of it later counts with it";
        Self::NoEvidence { .. } => Exit::BadInput, "evidence-missing",
            hint: "--bundle release.stele has it, or --online asks the log";
        Self::OtherReceipt { .. } => Exit::BadInput, "other-receipt",
            hint: "get the receipt by the entry of this statement, which `stele inspect` shows";
        Self::OtherStatement { expected, found } => Exit::BadInput, "other-statement",
            hint: "is the bundle of this release, and of this log?",
            "expected": expected, "found": found;
    }
}
