//! A list that is longer than one proof shows, gathered from several.

use super::complete::Complete;
use super::error::RefusedNameProof;
use super::kept::Kept;
use super::proof::{Answer, NameProof};
use super::steps::{Expected, check_answer, check_head};
use crate::checkpoint::Checkpoint;
use crate::index::{Pointer, Subject, Value};
use crate::merkle::Frontier;
use crate::policy::{Policy, Trusted};

/// The most pointers that are gathered, 40 MB: a subject with more is read from the entries.
pub const MAX_GATHERED: usize = 1 << 20;

/// Proofs about one subject, each going on where the one before ended; only the last shows anything.
#[derive(Debug, Clone)]
pub struct Gathering {
    subject: Subject,
    since: u64,
    list: Frontier,
    next: u64,
    pointers: Vec<Pointer>,
}

impl Gathering {
    /// Asks about a subject from what is kept on.
    pub fn new(subject: Subject, kept: &Kept) -> Self {
        let (since, list) = (kept.size(), kept.list().clone());
        Self { subject, since, list, next: since, pointers: Vec::new() }
    }

    /// The position to ask from next.
    pub const fn from(&self) -> u64 {
        self.next
    }

    /// Takes the next proof. None when the list goes on: ask again, from [`Gathering::from`]. On an error nothing is taken.
    pub fn take(
        &mut self,
        proof: &NameProof,
        policy: &Policy,
    ) -> Result<Option<Complete<Vec<Pointer>>>, RefusedNameProof> {
        let head = policy.verify_note(proof.checkpoint()).map_err(RefusedNameProof::Checkpoint)?;
        self.take_under(proof, head)
    }

    /// The same under a tree head that is trusted already.
    pub fn take_under(
        &mut self,
        proof: &NameProof,
        head: Trusted<Checkpoint>,
    ) -> Result<Option<Complete<Vec<Pointer>>>, RefusedNameProof> {
        check_head(proof, &self.subject, &head)?;
        let known = Value::of(&self.list);
        let expected = Expected { from: self.next, before: known.count, root: Some(known.root) };
        let size = head.value().size();
        check_answer(proof, &expected, size)?;
        let Answer::Listed { value, shown, .. } = proof.answer() else {
            return Ok(Some(self.complete(proof, head)));
        };
        if shown.pointers.len() > MAX_GATHERED - self.pointers.len().min(MAX_GATHERED) {
            return Err(RefusedNameProof::TooMany { limit: MAX_GATHERED });
        }
        let mut list = self.list.clone();
        shown.pointers.iter().for_each(|pointer| list.push(pointer.list_leaf()));
        let finished = list.size() == value.count;
        let found = Value::of(&list);
        if finished && found != *value {
            return Err(RefusedNameProof::List { expected: value.root, found: found.root });
        }
        match shown.pointers.last() {
            Some(last) => self.next = last.position.saturating_add(1),
            None if finished => {}
            None => return Err(RefusedNameProof::Unfinished { shown: list.size(), count: value.count }),
        }
        self.list = list;
        self.pointers.extend(&shown.pointers);
        Ok(finished.then(|| self.complete(proof, head)))
    }

    /// How many pointers there are so far, those that were kept included.
    pub(super) const fn count(&self) -> u64 {
        self.list.size()
    }

    fn complete(&mut self, proof: &NameProof, head: Trusted<Checkpoint>) -> Complete<Vec<Pointer>> {
        let size = head.value().size();
        // A list has fewer pointers than the tree that lists them has entries: their positions differ and are below it.
        let kept = Kept::new(size, self.list.clone()).unwrap_or_default();
        self.next = size;
        let pointers = core::mem::take(&mut self.pointers);
        let since = core::mem::replace(&mut self.since, size);
        Complete::new(self.subject.clone(), pointers, since, kept, proof.index(), (head, proof.checkpoint().clone()))
    }
}
