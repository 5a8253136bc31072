//! The checks of a name proof, in their order. Any failure is a rejection.

use super::complete::Complete;
use super::error::RefusedNameProof;
use super::gather::Gathering;
use super::kept::Kept;
use super::proof::{Answer, NameProof};
use super::steps::{Expected, check_answer, check_head, expect_subject};
use crate::checkpoint::Checkpoint;
use crate::index::{Pointer, Subject};
use crate::policy::{Policy, Trusted};

/// Checks that a proof shows everything that a log of the policy lists under `subject`, from what is kept on.
///
/// With [`Kept::nothing`] that is the whole list. How old the tree head may be is for the caller to say.
pub fn check(
    proof: &NameProof,
    subject: &Subject,
    kept: &Kept,
    policy: &Policy,
) -> Result<Complete<Vec<Pointer>>, RefusedNameProof> {
    expect_subject(proof, subject)?;
    let head = policy.verify_note(proof.checkpoint()).map_err(RefusedNameProof::Checkpoint)?;
    check_under(proof, subject, kept, head)
}

/// The same under a tree head that is trusted already: one verification for many proofs.
///
/// The proof must carry the very checkpoint text that is trusted.
pub fn check_under(
    proof: &NameProof,
    subject: &Subject,
    kept: &Kept,
    head: Trusted<Checkpoint>,
) -> Result<Complete<Vec<Pointer>>, RefusedNameProof> {
    let mut gathering = Gathering::new(subject.clone(), kept);
    let complete = gathering.take_under(proof, head)?;
    complete.ok_or_else(|| match proof.answer() {
        Answer::Listed { value, .. } => RefusedNameProof::Unfinished { shown: gathering.count(), count: value.count },
        Answer::Absent(_) => RefusedNameProof::Unfinished { shown: 0, count: 0 },
    })
}

/// All checks but the last: that the pointers shown, with those before them, are the list. What a log checks before it
/// answers somebody who keeps a frontier that the log does not know.
pub fn check_shown(proof: &NameProof, subject: &Subject, head: &Trusted<Checkpoint>) -> Result<(), RefusedNameProof> {
    check_head(proof, subject, head)?;
    let expected = match proof.answer() {
        Answer::Listed { shown, .. } => Expected { from: shown.from, before: shown.before, root: None },
        Answer::Absent(_) => Expected { from: 0, before: 0, root: None },
    };
    check_answer(proof, &expected, head.value().size())
}
