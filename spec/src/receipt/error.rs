//! Why a receipt is refused.

use core::fmt;

use stele_explain::{Exit, Explain, explain};

use super::limits::{MAX_HEADERS, MAX_RECEIPTS};
use crate::canonical::CanonicalError;
use crate::checkpoint::CheckpointError;
use crate::merkle::{InclusionError, MAX_PROOF};
use crate::proof::ProofError;
use crate::statement::StatementError;

/// A document within a receipt, in which positions are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The receipt itself.
    Receipt,
    /// Its protected header.
    Protected,
    /// The inclusion proof.
    Proof,
    /// The transparent statement around it.
    Statement,
}

/// Why bytes are no receipt, or why one proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptError {
    /// More bytes than it may have.
    TooLong {
        /// The limit.
        limit: usize,
        /// The length.
        found: usize,
    },
    /// Not CBOR as it is read here, or another item than must be there.
    Encoding {
        /// In which document.
        part: Part,
        /// What is wrong.
        error: CanonicalError,
    },
    /// A `COSE_Sign1` of other than four parts, or an inclusion proof of other than three.
    Parts {
        /// In which document.
        part: Part,
        /// How many must be there.
        expected: u64,
        /// How many are.
        found: u64,
    },
    /// More headers than are read.
    TooManyHeaders {
        /// How many.
        found: u64,
    },
    /// A header, a claim or a proof that must be there is not.
    Missing {
        /// Which.
        what: &'static str,
    },
    /// A header that says that some headers must be understood: none of those that this room knows has to.
    Critical,
    /// Another algorithm than Ed25519.
    WrongAlgorithm {
        /// Its number, or what stands for it.
        found: String,
    },
    /// Another verifiable data structure than the tree of RFC 9162 with SHA-256.
    WrongStructure {
        /// Its number, or what stands for it.
        found: String,
    },
    /// Not exactly one proof of inclusion.
    Proofs {
        /// How many.
        found: u64,
    },
    /// A path without a hash, which RFC 9942 does not know.
    EmptyPath,
    /// More hashes than a path can have.
    PathTooLong,
    /// A hash of another length than 32 bytes.
    HashLength {
        /// The length.
        found: usize,
    },
    /// The root is in the receipt: a verifier that takes it from there has not computed it from the entry.
    Attached,
    /// Not a signature of 64 bytes.
    SignatureLength {
        /// The length.
        found: usize,
    },
    /// Not a key id of 32 bytes, which the receipts of a log of this project have.
    KidLength {
        /// The length.
        found: usize,
    },
    /// What stands beside the path is no checkpoint.
    Checkpoint(CheckpointError),
    /// The claims name another log than the checkpoint.
    OtherLog {
        /// The origin of the checkpoint.
        expected: String,
        /// What the claims say.
        found: String,
    },
    /// The path is of another tree than the checkpoint.
    OtherSize {
        /// The size in the checkpoint.
        expected: u64,
        /// The size beside the path.
        found: u64,
    },
    /// It says all that a receipt of a log of this project says, in another encoding than the one.
    NotReproduced,
    /// The path does not fit the tree.
    Inclusion(InclusionError),
    /// The policy does not accept the checkpoint, or the path does not lead to it.
    Proof(ProofError),
    /// No key of this log in the policy has this id.
    UnknownKey {
        /// The key id, in hex.
        kid: String,
    },
    /// The signature is not the key's over the root that the path leads to.
    BadSignature,
    /// The statement in a transparent statement is none.
    NotAStatement(StatementError),
    /// No receipt with the statement, or more than are read.
    Receipts {
        /// How many.
        found: u64,
    },
    /// None of the receipts is of a log that the policy knows.
    NoKnownLog {
        /// How many there are.
        receipts: usize,
    },
}

impl ReceiptError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "receipt-too-long",
            Self::Encoding { error: CanonicalError::Truncated { .. }, .. } => "truncated",
            Self::Encoding { error: CanonicalError::TrailingBytes { .. }, .. } => "trailing-bytes",
            Self::Encoding { .. } => "not-well-encoded",
            Self::Parts { .. } => "wrong-parts",
            Self::TooManyHeaders { .. } => "too-many-headers",
            Self::Missing { .. } => "missing-header",
            Self::Critical => "critical-header",
            Self::WrongAlgorithm { .. } => "wrong-algorithm",
            Self::WrongStructure { .. } => "wrong-structure",
            Self::Proofs { .. } => "not-one-proof",
            Self::EmptyPath => "empty-path",
            Self::PathTooLong => "path-too-long",
            Self::HashLength { .. } => "hash-length",
            Self::Attached => "attached-payload",
            Self::SignatureLength { .. } => "signature-length",
            Self::KidLength { .. } => "kid-length",
            Self::Checkpoint(_) => "checkpoint-malformed",
            Self::OtherLog { .. } => "other-log",
            Self::OtherSize { .. } => "other-size",
            Self::NotReproduced => "not-canonical",
            Self::Inclusion(_) => "not-in-log",
            Self::Proof(error) => error.code(),
            Self::UnknownKey { .. } => "unknown-key",
            Self::BadSignature => "bad-receipt-signature",
            Self::NotAStatement(error) => error.code(),
            Self::Receipts { .. } => "receipt-count",
            Self::NoKnownLog { .. } => "no-known-log",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Receipt => "receipt",
            Self::Protected => "protected header of the receipt",
            Self::Proof => "inclusion proof of the receipt",
            Self::Statement => "transparent statement",
        })
    }
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "expected at most {limit} bytes, found {found}"),
            Self::Encoding { part, error } => write!(f, "{part}: {error}"),
            Self::Parts { part, expected, found } => write!(f, "{part}: expected {expected} parts, found {found}"),
            Self::TooManyHeaders { found } => {
                write!(f, "expected at most {MAX_HEADERS} headers in a map, found {found}")
            }
            Self::Missing { what } => write!(f, "expected {what}, found none"),
            Self::Critical => {
                f.write_str("expected no header 2 (crit), found one: it names headers that are not known here")
            }
            Self::WrongAlgorithm { found } => {
                write!(f, "expected algorithm -8 (EdDSA) or -19 (Ed25519), found {found}")
            }
            Self::WrongStructure { found } => {
                write!(f, "expected the verifiable data structure 1 (RFC9162_SHA256), found {found}")
            }
            Self::Proofs { found } => write!(f, "expected one inclusion proof, found {found}"),
            Self::EmptyPath => f.write_str("expected a path of at least one hash (RFC 9942), found none"),
            Self::PathTooLong => write!(f, "an inclusion proof has at most {MAX_PROOF} hashes"),
            Self::HashLength { found } => write!(f, "expected a hash of 32 bytes, found {found}"),
            Self::Attached => f.write_str("expected the root detached, found a payload in the receipt"),
            Self::SignatureLength { found } => write!(f, "expected a signature of 64 bytes, found {found}"),
            Self::KidLength { found } => write!(f, "expected a kid of 32 bytes, found {found}"),
            Self::Checkpoint(error) => write!(f, "the checkpoint beside the path: {error}"),
            Self::OtherLog { expected, found } => {
                write!(f, "expected the claims to name the log {expected} of the checkpoint, found {found:?}")
            }
            Self::OtherSize { expected, found } => {
                write!(f, "expected a path in the tree of {expected} entries of the checkpoint, found one of {found}")
            }
            Self::NotReproduced => f.write_str("the receipt is written with other bytes than these"),
            Self::Inclusion(error) => error.fmt(f),
            Self::Proof(error) => error.fmt(f),
            Self::UnknownKey { kid } => {
                write!(f, "expected a receipt by an Ed25519 key of the log in the policy, found the kid {kid}")
            }
            Self::BadSignature => {
                f.write_str("the signature is not the key's over the root that the path leads to from this entry")
            }
            Self::NotAStatement(error) => write!(f, "the statement: {error}"),
            Self::Receipts { found } => write!(f, "expected 1 to {MAX_RECEIPTS} receipts, found {found}"),
            Self::NoKnownLog { receipts } => {
                write!(f, "expected a receipt of a log of the policy, found {receipts} of other logs or other services")
            }
        }
    }
}

impl core::error::Error for ReceiptError {}

/// What to do about a receipt that proves nothing.
const GET_IT_AGAIN: &str =
    "ask the log for the receipt again: GET /entries/<index> with Accept: application/scitt-receipt+cose";

impl Explain for ReceiptError {
    explain! {
        Self::Proof(error) => error;
        Self::Inclusion(_) => Exit::NotInLog, "not-in-log", hint: GET_IT_AGAIN;
        Self::NoKnownLog { .. } => Exit::WrongPolicy, "no-known-log",
            hint: "the policy has to name the log of one of its receipts; `stele inspect` says which logs they name";
        Self::UnknownKey { .. } => Exit::WrongPolicy, "receipt-key-unknown",
            hint: "receipts are signed with the log's own Ed25519 key, as the policy has it: compare with /.well-known/scitt-keys";
        Self::BadSignature => Exit::BadSignature, "bad-receipt-signature", hint: GET_IT_AGAIN;
        _ => Exit::BadInput, "receipt-malformed", hint: GET_IT_AGAIN;
    }
}
