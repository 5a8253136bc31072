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

use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure};
use stele_spec::index::{Pointer, Subject};
use stele_spec::nameproof::{Complete, Gathering, Kept, NameProof, RefusedNameProof};
use stele_spec::policy::Policy;

use crate::api::LogClient;
use crate::reader::ReadError;

/// A log that is asked about names, under a policy.
#[derive(Debug, Clone, Copy)]
pub struct NameLookup<'a> {
    log: &'a LogClient,
    policy: &'a Policy,
}

/// What a log lists under a subject, and the proofs of it as they came.
///
/// Only a check makes one: of an answer as it comes, or of the bytes that were kept of it.
#[derive(Debug)]
pub struct ListProof {
    proofs: Vec<NameProof>,
    complete: Complete<Vec<Pointer>>,
}

impl ListProof {
    /// Checks proofs that were kept, from the beginning of the list.
    pub fn check(subject: &Subject, proofs: Vec<NameProof>, policy: &Policy) -> Option<Self> {
        let mut gathering = Gathering::new(subject.clone(), &Kept::nothing());
        let mut found = None;
        for proof in &proofs {
            // What follows the end of the list belongs to no list.
            if found.is_some() {
                return None;
            }
            found = gathering.take(proof, policy).ok()?;
        }
        Some(Self { complete: found?, proofs })
    }

    /// The proofs, in their order.
    pub fn proofs(&self) -> &[NameProof] {
        &self.proofs
    }

    /// What they prove.
    pub fn complete(&self) -> &Complete<Vec<Pointer>> {
        &self.complete
    }
}

impl<'a> NameLookup<'a> {
    /// Asks this log, and believes this policy.
    pub const fn new(log: &'a LogClient, policy: &'a Policy) -> Self {
        Self { log, policy }
    }

    /// Every entry that is listed, or with what was kept, every one that came since.
    ///
    /// A long list takes several answers; how long it may be is [`MAX_GATHERED`](stele_spec::nameproof::MAX_GATHERED).
    #[cfg(test)]
    pub fn listed(&self, subject: &Subject, kept: &Kept) -> Result<Complete<Vec<Pointer>>, Failure> {
        self.gather(subject, kept).map(|list| list.complete)
    }

    /// Every entry that is listed, with the proofs of it.
    pub fn list(&self, subject: &Subject) -> Result<ListProof, Failure> {
        self.gather(subject, &Kept::nothing())
    }

    fn gather(&self, subject: &Subject, kept: &Kept) -> Result<ListProof, Failure> {
        let mut gathering = Gathering::new(subject.clone(), kept);
        let mut proofs = Vec::new();
        loop {
            let proof = self.log.name_proof(subject, gathering.from())?;
            let taken = gathering.take(&proof, self.policy);
            proofs.push(proof);
            match taken {
                Ok(Some(complete)) => return Ok(ListProof { proofs, complete }),
                Ok(None) => {}
                // Told as wherever else a checkpoint is refused.
                Err(RefusedNameProof::Checkpoint(error)) => {
                    return Err(ReadError::Head { place: without_secrets(self.log.url()).into_owned(), error }.into());
                }
                Err(error) => {
                    let (url, subject, error) =
                        (without_secrets(self.log.url()).into(), subject.clone(), Box::new(error));
                    return Err(NameLookupError { url, subject, error }.into());
                }
            }
        }
    }
}

/// An answer that does not prove what the log lists.
#[derive(Debug, thiserror::Error)]
#[error("the log at {url} does not prove what it lists under {subject}: {error}")]
pub struct NameLookupError {
    /// The log.
    url: String,
    /// What was asked.
    subject: Subject,
    /// Why.
    error: Box<RefusedNameProof>,
}

impl NameLookupError {
    /// Whether what came proves nothing; not where it proves that the log went back, or that the list is too long.
    pub fn is_no_proof(&self) -> bool {
        !matches!(
            self.error.as_ref(),
            RefusedNameProof::OlderHead { .. } | RefusedNameProof::Vanished { .. } | RefusedNameProof::TooMany { .. }
        )
    }
}

impl Explain for NameLookupError {
    fn exit(&self) -> Exit {
        match self.error.as_ref() {
            // An older head is served by a cache as well.
            RefusedNameProof::OlderHead { .. } => Exit::Unavailable,
            // Less than was seen before.
            RefusedNameProof::Vanished { .. } => Exit::Inconsistent,
            RefusedNameProof::TooMany { .. } => Exit::Refused,
            _ => Exit::NotInLog,
        }
    }

    fn code(&self) -> &'static str {
        self.error.code()
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.error.as_ref() {
            RefusedNameProof::OlderHead { .. } => {
                "the log, or a mirror of it, went back: ask another one, and keep both tree heads"
            }
            RefusedNameProof::TooMany { .. } => "read the entries instead: stele audit",
            _ => "ask a mirror; if it answers the same, the log hides something: stele audit finds what",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        vec![("asked", self.subject.to_string())]
    }
}
