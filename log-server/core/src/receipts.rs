//! COSE receipts under the published head, each verified before it leaves.

use crate::prover::ProveError;
use crate::running_log::RunningLog;
use crate::status::WriterState;
use std::sync::Arc;
use stele_spec::hash::LeafHash;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::proof::TlogProof;
use stele_spec::receipt::{Receipt, ReceiptError, RootSignature};
use stele_spec::registration::View as _;

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum NoReceipt {
    /// No such entry is published.
    #[error("the published tree has no such entry")]
    NotPublished,
    /// The entry is alone in its tree: RFC 9942 knows no path without a hash.
    #[error("there is no receipt in a tree of one entry")]
    Alone,
    /// The log's key signs no receipts: it is none of Ed25519.
    #[error("this log has no Ed25519 key, and gives no receipts")]
    OtherKey,
    /// This is a standby: it signs nothing.
    #[error("this is a standby of the log: it signs no receipts")]
    Standby,
    /// Tiles cannot be read, or do not lead to the head.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The receipt that was made proves nothing.
    #[error("the receipt that was made does not verify: {0}")]
    Check(ReceiptError),
}

/// Where a statement is that somebody asks for by its leaf hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Published, at this position.
    Published(u64),
    /// Signed, and not yet published.
    Signed,
    /// Not in this log.
    Unknown,
}

/// Where a statement is, as the registry knows it.
pub fn whereabouts(log: &RunningLog, leaf: &LeafHash) -> Whereabouts {
    let Some(position) = log.registry().position_of(leaf) else { return Whereabouts::Unknown };
    match log.published() {
        Some(published) if position < published.size() => Whereabouts::Published(position),
        _ => Whereabouts::Signed,
    }
}

/// The receipt of the entry at a position, under the newest published head.
pub fn receipt(log: &RunningLog, position: u64) -> Result<Receipt, NoReceipt> {
    let (checkpoint, signature) = signed_head(log)?;
    let (proof, _) = log.prover.prove_stored(&checkpoint, position).map_err(|error| match error {
        ProveError::OutOfRange { .. } => NoReceipt::NotPublished,
        error => NoReceipt::Prove(error),
    })?;
    put_together(&proof, &signature)
}

/// The receipt of an entry that was proven a moment ago, from that proof: it reads nothing. None where a newer head is published by now.
pub fn of_proof(log: &RunningLog, proof: &TlogProof) -> Result<Option<Receipt>, NoReceipt> {
    let (checkpoint, signature) = signed_head(log)?;
    (checkpoint.note() == proof.checkpoint()).then(|| put_together(proof, &signature)).transpose()
}

/// The published head, and the signature on which its receipts rest.
fn signed_head(log: &RunningLog) -> Result<(Arc<TrustedCheckpoint>, RootSignature), NoReceipt> {
    let head = log.published_head().ok_or(NoReceipt::NotPublished)?;
    match head.root_signature {
        Some(signature) => Ok((head.checkpoint, signature)),
        None if matches!(log.status.writer(), WriterState::Standby(_)) => Err(NoReceipt::Standby),
        None if log.keys.ed25519().next().is_some() => Err(NoReceipt::Check(ReceiptError::BadSignature)),
        None => Err(NoReceipt::OtherKey),
    }
}

/// Path and cosignatures were verified when the proof was made, the signature when its head was published.
fn put_together(proof: &TlogProof, signature: &RootSignature) -> Result<Receipt, NoReceipt> {
    Receipt::new(proof, signature).map_err(|error| match error {
        ReceiptError::EmptyPath => NoReceipt::Alone,
        error => NoReceipt::Check(error),
    })
}
