//! The steps of the check of a name proof, as the chapter numbers them.

use super::error::RefusedNameProof;
use super::proof::{Answer, NameProof};
use crate::checkpoint::Checkpoint;
use crate::entry::IndexEntry;
use crate::hash::ListRoot;
use crate::index::Subject;
use crate::policy::Trusted;

/// Where a proof is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) from: u64,
    pub(super) before: u64,
    /// The root of the list of those before, where it is known.
    pub(super) root: Option<ListRoot>,
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
    if value.count < expected.before {
        return Err(RefusedNameProof::Shrank { known: expected.before, found: value.count });
    }
    if let Some(known) = expected.root.filter(|root| value.count == expected.before && value.root != *root) {
        return Err(RefusedNameProof::Rewritten { expected: known, found: value.root });
    }
    let (expected, found) = ((expected.from, expected.before), (shown.from, shown.before));
    if found != expected {
        return Err(RefusedNameProof::Elsewhere { expected, found });
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

/// Step 1: the proof is about what was asked for.
pub(super) fn expect_subject(proof: &NameProof, subject: &Subject) -> Result<(), RefusedNameProof> {
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
