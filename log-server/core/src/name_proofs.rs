//! Name proofs under the published head: everything that the index lists under a subject, provably complete.
//!
//! The index in memory is that of the signed tree, which the witnesses may not have cosigned yet. Its settled part is that
//! of the published one: the writer keeps a batch staged until its head is published ([`RunningLog::set_published`]), and
//! anyone who reads the index and the published head reads both under one lock. A proof is checked before it leaves, with the
//! verifier's code and under the published head.

use crate::prover::ProveError;
use crate::running_log::RunningLog;
use std::sync::{Arc, PoisonError};
use stele_spec::hash::IndexRoot;
use stele_spec::index::{Pointer, Proof, Subject};
use stele_spec::nameproof::{MAX_POINTERS, Malformed, NameProof, RefusedNameProof, Shown, check_shown};
use stele_spec::policy::TrustedCheckpoint;

/// Why there is no name proof.
#[derive(Debug, thiserror::Error)]
pub enum NameProofError {
    /// Nothing is published, or the index is not that of what is: at a start, until the first head is published.
    #[error("the index of the published tree is not at hand")]
    NotNow,
    /// The reader knows a larger tree than is published.
    #[error("the published tree has {size} entries, asked from {from} on")]
    Beyond {
        /// From where on pointers were asked for.
        from: u64,
        /// The size of the published tree.
        size: u64,
    },
    /// The reader asks under another head than the one that is published.
    #[error("name proofs are made under the published tree of {size} entries alone, asked for under one of {at}")]
    OtherHead {
        /// The size that was asked for.
        at: u64,
        /// The size of the published tree.
        size: u64,
    },
    /// Tiles cannot be read, or do not lead to the head.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof that was made is none.
    #[error("the proof that was made does not read: {0}")]
    Malformed(Malformed),
    /// The proof that was made proves nothing: the index and the head disagree.
    #[error("the proof that was made does not verify: {0}")]
    Check(RefusedNameProof),
}

/// What the index says, copied out of the lock.
struct IndexAnswer {
    published: Arc<TrustedCheckpoint>,
    root: IndexRoot,
    proof: Proof,
    before: u64,
    positions: Vec<u64>,
}

/// The proof of what is listed under a subject from a position of the log on: at most [`MAX_POINTERS`] pointers. Under the published head of `at` entries,
/// where that is asked for.
pub fn prove(shared: &RunningLog, subject: &Subject, from: u64, at: Option<u64>) -> Result<NameProof, NameProofError> {
    let IndexAnswer { published, root, proof, before, positions } = ask(shared, subject, from)?;
    let size = published.size();
    if let Some(at) = at.filter(|at| *at != size) {
        return Err(NameProofError::OtherHead { at, size });
    }
    if from > size {
        return Err(NameProofError::Beyond { from, size });
    }
    let leaves = shared.prover.leaves(&published, &positions)?;
    let pointers = positions.into_iter().zip(leaves).map(|(position, leaf)| Pointer { position, leaf }).collect();
    let inclusion = shared.prover.path(&published, size.saturating_sub(1), size)?;
    let shown = Shown { from, before, pointers };
    let proof = NameProof::new(subject.clone(), root, inclusion, proof, shown, published.note().clone())
        .map_err(NameProofError::Malformed)?;
    check_shown(&proof, subject, published.trusted()).map_err(NameProofError::Check)?;
    Ok(proof)
}

fn ask(shared: &RunningLog, subject: &Subject, from: u64) -> Result<IndexAnswer, NameProofError> {
    let key = subject.key();
    let index = shared.index.read().unwrap_or_else(PoisonError::into_inner);
    let settled = index.settled();
    let published = shared.published().filter(|published| published.size() == settled.position());
    let published = published.ok_or(NameProofError::NotNow)?;
    let positions = settled.positions(&key);
    let before = positions.partition_point(|position| *position < from);
    let shown = positions.iter().skip(before).take(MAX_POINTERS).copied().collect();
    Ok(IndexAnswer {
        published,
        root: settled.root(),
        proof: settled.prove(&key),
        before: before as u64,
        positions: shown,
    })
}
