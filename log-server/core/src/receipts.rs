//! COSE receipts under the published head, each verified before it leaves.

use crate::prover::ProveError;
use crate::running_log::{PublishedHead, RunningLog};
use crate::status::WriterState;
use stele_spec::hash::LeafHash;
use stele_spec::receipt::{Receipt, ReceiptError};
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
    let Some(PublishedHead { checkpoint, root_signature }) = log.published_head() else {
        return Err(NoReceipt::NotPublished);
    };
    let is_standby = || matches!(log.status.writer(), WriterState::Standby(_));
    let signature =
        root_signature.ok_or_else(|| if is_standby() { NoReceipt::Standby } else { NoReceipt::OtherKey })?;
    let (proof, _) = log.prover.prove_stored(&checkpoint, position).map_err(|error| match error {
        ProveError::OutOfRange { .. } => NoReceipt::NotPublished,
        error => NoReceipt::Prove(error),
    })?;
    let receipt = Receipt::new(&proof, &signature).map_err(|error| match error {
        ReceiptError::EmptyPath => NoReceipt::Alone,
        error => NoReceipt::Check(error),
    })?;
    // The path and the cosignatures were verified: this is what is left.
    let (origin, root) = (log.origin.as_str(), checkpoint.root());
    if log.keys.ed25519().any(|key| signature.is_by(key, origin, root)) {
        Ok(receipt)
    } else {
        Err(NoReceipt::Check(ReceiptError::BadSignature))
    }
}
