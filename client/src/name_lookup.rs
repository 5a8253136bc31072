//! Which entries a log lists under a subject: all of them, as of a tree head that the policy vouches for.
//!
//! ```text
//! NameLookup::new(&log, &policy)
//!   .listed(&subject, &Kept::nothing())?   -> Complete<Vec<Pointer>>: position and leaf hash of every entry
//!   .listed(&subject, complete.kept())?    -> only those that came since, and a refusal where the list was changed
//! ```
//!
//! The log is believed in nothing: it answers with name proofs, and they are checked. What an entry says is for who reads it to
//! check: its bytes hash to the pointer, it is in the tree, and its own keys contain the subject's.

#[cfg(test)]
mod tests;

use stele_host::exit::{Exit, Explain};
use stele_spec::index::{Pointer, Subject};
use stele_spec::nameproof::{Complete, Gathering, Kept, RefusedNameProof};
use stele_spec::policy::Policy;

use crate::error::Failure;
use crate::evidence::EvidenceError;
use crate::log_client::LogClient;

/// A log that is asked about names, under a policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameLookup<'a> {
    log: &'a LogClient,
    policy: &'a Policy,
}

impl<'a> NameLookup<'a> {
    /// Asks this log, and believes this policy.
    pub(crate) const fn new(log: &'a LogClient, policy: &'a Policy) -> Self {
        Self { log, policy }
    }

    /// Every entry that is listed, or with what was kept, every one that came since.
    ///
    /// A long list takes several answers; how long it may be is [`MAX_GATHERED`](stele_spec::nameproof::MAX_GATHERED).
    pub(crate) fn listed(&self, subject: &Subject, kept: &Kept) -> Result<Complete<Vec<Pointer>>, Failure> {
        let mut gathering = Gathering::new(subject.clone(), kept);
        loop {
            let proof = self.log.name_proof(subject, gathering.from())?;
            match gathering.take(&proof, self.policy) {
                Ok(Some(complete)) => return Ok(complete),
                Ok(None) => {}
                // Told as wherever else a checkpoint is refused.
                Err(RefusedNameProof::Checkpoint(error)) => return Err(EvidenceError::Checkpoint(error).into()),
                Err(error) => {
                    let (url, subject, error) = (self.log.url().into(), subject.clone(), Box::new(error));
                    return Err(NameLookupError { url, subject, error }.into());
                }
            }
        }
    }
}

/// An answer that does not prove what the log lists.
#[derive(Debug, thiserror::Error)]
#[error("the log at {url} does not prove what it lists under {subject}: {error}")]
pub(crate) struct NameLookupError {
    /// The log.
    url: String,
    /// What was asked.
    subject: Subject,
    /// Why.
    error: Box<RefusedNameProof>,
}

impl Explain for NameLookupError {
    fn exit(&self) -> Exit {
        match self.error.as_ref() {
            // Less than was seen before.
            RefusedNameProof::OlderHead { .. } | RefusedNameProof::Vanished { .. } => Exit::Inconsistent,
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
