//! The checks of a name proof, in their order. Any failure is a rejection.

use super::complete::Complete;
use super::error::RefusedNameProof;
use super::gather::Gathering;
use super::kept::Kept;
use super::proof::{Answer, NameProof};
use crate::checkpoint::Checkpoint;
use crate::entry::IndexEntry;
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
        Answer::Listed { shown, .. } => Expected { from: shown.from, before: shown.before },
        Answer::Absent(_) => Expected { from: 0, before: 0 },
    };
    check_answer(proof, &expected, head.value().size())
}

/// Where a proof is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) from: u64,
    pub(super) before: u64,
}

/// Step 3: the last entry of the tree states this root of the index.
pub(super) fn check_head(
    proof: &NameProof,
    subject: &Subject,
    head: &Trusted<Checkpoint>,
) -> Result<(), RefusedNameProof> {
    expect_subject(proof, subject)?;
    if proof.checkpoint().text() != head.value().to_string() {
        return Err(RefusedNameProof::OtherHead);
    }
    let (size, root) = (head.value().size(), head.value().root());
    let position = size.checked_sub(1).ok_or(RefusedNameProof::EmptyTree)?;
    let last = IndexEntry { position, root: proof.index() };
    proof.inclusion().check(last.leaf_hash(), position, size, root).map_err(RefusedNameProof::IndexEntry)
}

/// Step 4, and of step 5 what can be seen without the pointers before: presence or absence, and positions that rise.
pub(super) fn check_answer(proof: &NameProof, expected: &Expected, size: u64) -> Result<(), RefusedNameProof> {
    let key = proof.subject().key();
    let (value, path, shown) = match proof.answer() {
        Answer::Listed { value, path, shown } => (value, path, shown),
        Answer::Absent(absence) => {
            absence.check_absent(&proof.index(), &key).map_err(RefusedNameProof::Answer)?;
            expect_not_newer(expected, size)?;
            return match expected.before {
                0 => Ok(()),
                before => Err(RefusedNameProof::Vanished { before }),
            };
        }
    };
    path.check_present(&proof.index(), &key, value).map_err(RefusedNameProof::Answer)?;
    expect_not_newer(expected, size)?;
    let found = Expected { from: shown.from, before: shown.before };
    if found != *expected {
        return Err(RefusedNameProof::Elsewhere {
            expected: (expected.from, expected.before),
            found: (found.from, found.before),
        });
    }
    // The last entry is the index entry itself, which is not listed.
    let end = size.saturating_sub(1);
    shown.pointers.iter().try_fold(shown.from, |least, pointer| {
        let position = pointer.position;
        if position < least {
            return Err(RefusedNameProof::Order { least, found: position });
        }
        if position >= end {
            return Err(RefusedNameProof::Beyond { position, size });
        }
        Ok(position + 1)
    })?;
    Ok(())
}

fn expect_subject(proof: &NameProof, subject: &Subject) -> Result<(), RefusedNameProof> {
    if proof.subject() == subject {
        return Ok(());
    }
    Err(RefusedNameProof::OtherSubject { expected: subject.clone(), found: proof.subject().clone() })
}

/// A tree that is smaller than one that was seen before shows nothing new, and may hide what came between.
fn expect_not_newer(expected: &Expected, size: u64) -> Result<(), RefusedNameProof> {
    if expected.from > size {
        return Err(RefusedNameProof::OlderHead { known: expected.from, found: size });
    }
    Ok(())
}
