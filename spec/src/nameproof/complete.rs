//! What a name proof proves, and the statements that it leads to.

use super::error::RefusedStatement;
use super::kept::Kept;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::hash::IndexRoot;
use crate::index::{Pointer, Subject, keys_of};
use crate::merkle::leaf_hash;
use crate::note::SignedNote;
use crate::policy::Trusted;
use crate::proof::{self, Proven, TlogProof};
use crate::statement::SignedStatement;

/// Everything that a log lists under a subject, as of a tree head that the policy vouches for. Only a check makes one.
///
/// It is complete for the entries from `since` on: with `since` 0, for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete<T> {
    subject: Subject,
    value: T,
    since: u64,
    kept: Kept,
    index: IndexRoot,
    head: Trusted<Checkpoint>,
    checkpoint: SignedNote,
}

impl<T> Complete<T> {
    /// What was asked.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What is listed, in log order.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The first position from which on it is complete. What is before it was known when it was asked for.
    pub const fn since(&self) -> u64 {
        self.since
    }

    /// What to keep, so that the next proof need only show what is new.
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The root of the index of the log.
    pub const fn index(&self) -> IndexRoot {
        self.index
    }

    /// The tree head: it is complete as of this one, and says nothing of what came later.
    pub const fn head(&self) -> &Trusted<Checkpoint> {
        &self.head
    }

    /// The tree head as it came, with its signatures.
    pub const fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }
}

impl Complete<Vec<Pointer>> {
    pub(super) fn new(
        subject: Subject,
        pointers: Vec<Pointer>,
        since: u64,
        kept: Kept,
        index: IndexRoot,
        (head, checkpoint): (Trusted<Checkpoint>, SignedNote),
    ) -> Self {
        Self { subject, value: pointers, since, kept, index, head, checkpoint }
    }

    /// Step 6: that `entry` is one of the statements listed, that it is in the log at that place, and that it is about
    /// the subject.
    ///
    /// The proof carries the very checkpoint of this one. The signature is not checked here: which keys may speak at that
    /// point of the log is what the publisher's key statements say.
    pub fn statement(&self, entry: &[u8], proof: &TlogProof) -> Result<Proven<SignedStatement>, RefusedStatement> {
        let position = proof.index();
        let listed = self.value.iter().find(|pointer| pointer.position == position);
        let Pointer { leaf: expected, .. } = listed.ok_or(RefusedStatement::NotListed { position })?;
        let found = leaf_hash(entry);
        if found != *expected {
            return Err(RefusedStatement::OtherBytes { position, expected: *expected, found });
        }
        let proven = proof::check_under(proof, entry, self.head.clone()).map_err(RefusedStatement::Proof)?;
        let read = Entry::parse(entry).map_err(|error| RefusedStatement::Entry { position, error: Box::new(error) })?;
        match read {
            Entry::Statement(signed) if keys_of(&Entry::Statement(signed.clone())).contains(&self.subject.key()) => {
                proven.try_map(|_| Ok(signed))
            }
            _ => Err(RefusedStatement::NotAbout { position, subject: self.subject.clone() }),
        }
    }

    /// Step 6 for all of them: `entries` are the statements in the order of the list, each with its proof.
    pub fn with_statements(
        self,
        entries: &[(Vec<u8>, TlogProof)],
    ) -> Result<Complete<Vec<Proven<SignedStatement>>>, RefusedStatement> {
        let (expected, found) = (self.value.len(), entries.len());
        if expected != found {
            return Err(RefusedStatement::Count { expected, found });
        }
        let mut proven = Vec::with_capacity(found);
        for (pointer, (entry, proof)) in self.value.iter().zip(entries) {
            if proof.index() != pointer.position {
                return Err(RefusedStatement::NotListed { position: proof.index() });
            }
            proven.push(self.statement(entry, proof)?);
        }
        let Self { subject, since, kept, index, head, checkpoint, .. } = self;
        Ok(Complete { subject, value: proven, since, kept, index, head, checkpoint })
    }
}
