//! The index of the tree that was checked last, kept whole: what a replaying cosigner checks a step by. Pure.

use super::error::RefusedStep;
use super::request::AddTransition;
use super::step::{CheckedStep, begins, check_with, index_entry, statements_from};
use crate::entry::IndexEntry;
use crate::hash::RootHash;
use crate::index::{Index, Listing, MAX_BETWEEN};
use crate::merkle::{Frontier, leaf_hash};
use crate::transition::RefusedTransition;

/// A tree of which every index entry is right, with the index of it. A step from it is checked by its entries alone: the transition proof is not looked at,
/// and nothing of the code that checks one is used.
#[derive(Debug, Default)]
pub struct ReplayedTree {
    index: Index,
    tree: Frontier,
}

impl ReplayedTree {
    /// The empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has, and its root.
    pub fn head(&self) -> (u64, RootHash) {
        (self.tree.size(), self.tree.root())
    }

    /// Goes on over the entries that follow in the log, at most [`MAX_BETWEEN`] statements and the index entry after them. That the log has them is for the caller
    /// to know. On an error nothing has changed.
    pub fn extend(&mut self, entries: &[Vec<u8>]) -> Result<(), RefusedStep> {
        let first = self.tree.size();
        let Some((last, statements)) = entries.split_last() else { return Ok(()) };
        let stated = index_entry(last, first.saturating_add(statements.len() as u64))?;
        let statements = statements_from(first, statements)?;
        follow(&mut self.index, &statements, &stated)?;
        entries.iter().for_each(|bytes| self.tree.push(leaf_hash(bytes)));
        Ok(())
    }

    /// Checks a step from this tree, as [`check`](super::check) does, and is the tree that it leads to from then on. On an error nothing has changed.
    pub fn check(&mut self, request: &AddTransition<'_>) -> Result<CheckedStep, RefusedStep> {
        let Self { index, tree } = self;
        let step =
            check_with(request, (tree.size(), tree.root()), |statements, stated| follow(index, statements, stated))?;
        request.entries().iter().for_each(|bytes| tree.push(leaf_hash(bytes)));
        Ok(step)
    }
}

/// That the index entry stated is the one that follows; the index covers it then.
fn follow(index: &mut Index, statements: &[Listing], stated: &IndexEntry) -> Result<(), RefusedStep> {
    if index.position() == 0 {
        begins(statements)?;
    }
    if statements.len() > MAX_BETWEEN {
        return Err(RefusedStep::Transition(RefusedTransition::TooMany { found: statements.len() }));
    }
    let expected = index.stage_entry(statements).map_err(RefusedStep::Index)?.root;
    if expected == stated.root {
        return index.commit().map_err(RefusedStep::Index);
    }
    index.rollback();
    Err(RefusedStep::Transition(RefusedTransition::NewRoot { expected, found: stated.root }))
}
