//! Which entries a log lists under a subject: all of them, as of a tree head that the policy vouches for.
//!
//! ```text
//! NameLookup::new(&log, &policy).list(&subject)?   -> ListProof
//!   .complete()   -> Complete<Vec<Pointer>>: position and leaf hash of every entry
//!   .proofs()     the name proofs as they came: kept, and checked again by ListProof::check
//! ```
//!
//! The log is believed in nothing: it answers with name proofs, and they are checked. What an entry says is for who reads it to
//! check: its bytes hash to the pointer, it is in the tree, and its own keys contain the subject's.

#[cfg(test)]
mod tests;

use stele_explain::Failure;
use stele_explain::secrets::without_secrets;
#[cfg(test)]
use stele_spec::index::Pointer;
use stele_spec::index::Subject;
#[cfg(test)]
use stele_spec::nameproof::Complete;
use stele_spec::nameproof::{Kept, RefusedNameProof};
use stele_spec::policy::Policy;

use crate::api::LogClient;
use crate::list_proof::{ListProof, NameLookupError};
use crate::reader::ReadError;

/// A log that is asked about names, under a policy.
#[derive(Debug, Clone, Copy)]
pub struct NameLookup<'a> {
    log: &'a LogClient,
    policy: &'a Policy,
    /// The size of the tree that it asks under, as long as the log publishes that one.
    at: Option<u64>,
}

impl<'a> NameLookup<'a> {
    /// Asks this log, and believes this policy.
    pub const fn new(log: &'a LogClient, policy: &'a Policy) -> Self {
        Self { log, policy, at: None }
    }

    /// The same under the tree head of so many entries, while the log publishes that one; else under the newest.
    pub const fn at(self, size: u64) -> Self {
        Self { at: Some(size), ..self }
    }

    /// Every entry that is listed, or with what was kept, every one that came since.
    ///
    /// A long list takes several answers; how long it may be is [`MAX_GATHERED`](stele_spec::nameproof::MAX_GATHERED).
    #[cfg(test)]
    pub fn listed(&self, subject: &Subject, kept: &Kept) -> Result<Complete<Vec<Pointer>>, Failure> {
        self.gather(subject, kept).map(ListProof::into_complete)
    }

    /// Every entry that is listed, with the proofs of it.
    pub fn list(&self, subject: &Subject) -> Result<ListProof, Failure> {
        self.gather(subject, &Kept::nothing())
    }

    fn gather(&self, subject: &Subject, kept: &Kept) -> Result<ListProof, Failure> {
        match ListProof::gather(subject, kept, self.policy, |from| self.log.name_proof(subject, from, self.at))? {
            Ok(list) => Ok(list),
            // Told as wherever else a checkpoint is refused.
            Err(RefusedNameProof::Checkpoint(error)) => {
                Err(ReadError::Head { place: without_secrets(self.log.url()).into_owned(), error }.into())
            }
            Err(error) => Err(NameLookupError::new(self.log.url(), subject, error).into()),
        }
    }
}
