//! The body of `add-transition`, read strictly: `to_bytes(parse(x)) == x`.

use super::error::MalformedRequest;
use super::head::{OldTree, StepHead};
use super::limits::MAX_REQUEST;
use crate::checkpoint::Checkpoint;
use crate::entry::MAX_ENTRY;
use crate::merkle::ConsistencyProof;
use crate::note::SignedNote;
use crate::transition::TransitionProof;

/// A step over the entries from one index entry to the next, as it was received; nothing in it is verified before
/// [`check`](super::check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddTransition<'a> {
    head: StepHead,
    entries: Vec<&'a [u8]>,
    transition: Option<TransitionProof>,
}

impl<'a> AddTransition<'a> {
    /// A step from `old`, none for the empty tree, over `entries`, which are in the tree of `note` as `proof` shows. Without entries, and
    /// for the first entry of a log, there is no transition.
    pub fn new(
        old: Option<OldTree>,
        proof: ConsistencyProof,
        note: SignedNote,
        entries: Vec<&'a [u8]>,
        transition: Option<TransitionProof>,
    ) -> Result<Self, MalformedRequest> {
        let end = old.as_ref().map_or(0, OldTree::size).saturating_add(entries.len() as u64);
        Ok(Self { head: StepHead::new(old, end, proof, note)?, entries, transition })
    }

    /// Reads a body.
    pub fn parse(body: &'a [u8]) -> Result<Self, MalformedRequest> {
        if body.len() > MAX_REQUEST {
            return Err(MalformedRequest::TooLong { found: body.len() });
        }
        let (length, rest) = body.split_first_chunk::<4>().ok_or(MalformedRequest::Short("the length of the head"))?;
        let length = StepHead::length(*length)?;
        let (head, mut rest) = rest.split_at_checked(length).ok_or(MalformedRequest::Short("the head"))?;
        let head = StepHead::parse(head)?;
        let count = head.end.saturating_sub(head.old_size());
        let entries = (0..count).map(|_| entry(&mut rest)).collect::<Option<Vec<_>>>();
        let entries = entries.ok_or(MalformedRequest::Short("an entry"))?;
        let transition = match (&head.old, count, rest.len()) {
            (Some(_), 1.., _) => Some(TransitionProof::parse(rest).map_err(MalformedRequest::Transition)?),
            (_, _, 0) => None,
            (_, _, found) => return Err(MalformedRequest::Trailing { found }),
        };
        Ok(Self { head, entries, transition })
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = self.head.text();
        // A head and an entry that are longer than their lengths can say make a body that is refused where it is read.
        let mut bytes = (head.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.len().min(MAX_ENTRY) as u16).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        bytes.extend(self.transition.iter().flat_map(TransitionProof::to_bytes));
        bytes
    }

    /// What stands before the entries.
    pub const fn head(&self) -> &StepHead {
        &self.head
    }

    /// The tree that it comes from; none for the empty one.
    pub const fn old(&self) -> Option<&OldTree> {
        self.head.old.as_ref()
    }

    /// How many entries that has.
    pub fn old_size(&self) -> u64 {
        self.head.old_size()
    }

    /// How many entries the tree has that it leads to.
    pub const fn end(&self) -> u64 {
        self.head.end
    }

    /// That this tree is the beginning of the checkpoint's.
    pub const fn proof(&self) -> &ConsistencyProof {
        &self.head.proof
    }

    /// The checkpoint with all signatures that came with it.
    pub const fn note(&self) -> &SignedNote {
        &self.head.note
    }

    /// What it claims.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.head.checkpoint
    }

    /// The entries, the index entry that ends the step last.
    pub fn entries(&self) -> &[&'a [u8]] {
        &self.entries
    }

    /// From one index entry to the next.
    pub const fn transition(&self) -> Option<&TransitionProof> {
        self.transition.as_ref()
    }

    /// The same step under the same checkpoint with these signatures alone.
    pub fn under(&self, note: SignedNote) -> Result<Self, MalformedRequest> {
        let StepHead { old, end, proof, .. } = self.head.clone();
        let head = StepHead::new(old, end, proof, note)?;
        Ok(Self { head, ..self.clone() })
    }
}

fn entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(entry)
}
