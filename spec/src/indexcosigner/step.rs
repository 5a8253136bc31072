//! What an index cosigner checks of a step. Pure.

use super::error::RefusedStep;
use super::head::OldTree;
use super::request::AddTransition;
use crate::entry::{Entry, IndexEntry};
use crate::hash::RootHash;
use crate::index::{Listing, genesis};
use crate::merkle::leaf_hash;
use crate::transition::{self, RefusedTransition};

/// A tree of which every index entry after the last tree is right, and which is the beginning of the checkpoint's. Only [`check`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedStep {
    size: u64,
    root: RootHash,
}

impl CheckedStep {
    /// How many entries it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Its root.
    pub const fn root(&self) -> RootHash {
        self.root
    }
}

/// Checks a step from the tree that was checked last: its size and root, 0 and the root of nothing before the first. The signature on the
/// checkpoint is for the caller to verify.
pub fn check(request: &AddTransition<'_>, last: (u64, RootHash)) -> Result<CheckedStep, RefusedStep> {
    check_with(request, last, |statements, stated| check_index(request, statements, stated))
}

/// The same; `follows` says whether the index entry stated is the one that follows the statements.
pub(super) fn check_with(
    request: &AddTransition<'_>,
    last: (u64, RootHash),
    follows: impl FnOnce(&[Listing], &IndexEntry) -> Result<(), RefusedStep>,
) -> Result<CheckedStep, RefusedStep> {
    request.head().follows(last)?;
    let mut tree = request.old().map(OldTree::tree).unwrap_or_default();
    let first = tree.size();
    for bytes in request.entries() {
        tree.push(leaf_hash(bytes));
    }
    let (end, head) = (tree.size(), request.checkpoint());
    if end == 0 {
        // Every tree begins with the empty one, so nothing would be shown of this one.
        return Err(RefusedStep::Kind { position: 0, expected: "the index entry of nothing" });
    }
    request.proof().check(end, tree.root(), head.size(), head.root()).map_err(RefusedStep::Tree)?;
    if let Some((last, statements)) = request.entries().split_last() {
        let stated = index_entry(last, end.saturating_sub(1))?;
        follows(&statements_from(first, statements)?, &stated)?;
    }
    Ok(CheckedStep { size: end, root: tree.root() })
}

/// That the index entry stated is the one that follows.
fn check_index(request: &AddTransition<'_>, statements: &[Listing], stated: &IndexEntry) -> Result<(), RefusedStep> {
    let Some(old) = request.old().map(OldTree::entry) else {
        begins(statements)?;
        let (expected, found) = (genesis().root, stated.root);
        let wrong = RefusedStep::Transition(RefusedTransition::NewRoot { expected, found });
        return if *stated == genesis() { Ok(()) } else { Err(wrong) };
    };
    let missing = || RefusedStep::Kind { position: old.position, expected: "a transition from the index entry" };
    let proof = request.transition().ok_or_else(missing)?;
    let verified = transition::check(proof, &old, statements).map_err(RefusedStep::Transition)?;
    verified.states(stated).map_err(RefusedStep::Transition)
}

/// That no statement comes before the first index entry: the first entry of every log is the index of nothing.
pub(super) fn begins(statements: &[Listing]) -> Result<(), RefusedStep> {
    let Some(first) = statements.first() else { return Ok(()) };
    Err(RefusedStep::Kind { position: first.pointer().position, expected: "the index entry of nothing" })
}

pub(super) fn index_entry(bytes: &[u8], position: u64) -> Result<IndexEntry, RefusedStep> {
    match Entry::parse(bytes).map_err(|error| RefusedStep::Entry { position, error })? {
        Entry::Index(entry) if entry.position == position => Ok(entry),
        _ => Err(RefusedStep::Kind { position, expected: "an index entry for its own position" }),
    }
}

pub(super) fn statements_from(first: u64, entries: &[impl AsRef<[u8]>]) -> Result<Vec<Listing>, RefusedStep> {
    let listing = |(bytes, position): (&_, u64)| match Entry::parse(AsRef::as_ref(bytes))
        .map_err(|error| RefusedStep::Entry { position, error })?
    {
        entry @ Entry::Statement(_) => Ok(Listing::of(position, &entry)),
        Entry::Index(_) => Err(RefusedStep::Kind { position, expected: "a statement" }),
    };
    entries.iter().zip(first..).map(listing).collect()
}
