//! What a log lists under a subject, with the name proofs of it: checked again wherever they come from.

use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure};
use stele_spec::index::{Pointer, Subject};
use stele_spec::nameproof::{Complete, Gathering, Kept, NameProof, RefusedNameProof};
use stele_spec::policy::Policy;

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

    /// Every entry that is listed, or with what was kept, every one that came since. `ask` gives the proof from a position on; a long list
    /// takes several.
    pub fn gather(
        subject: &Subject,
        kept: &Kept,
        policy: &Policy,
        mut ask: impl FnMut(u64) -> Result<NameProof, Failure>,
    ) -> Result<Result<Self, RefusedNameProof>, Failure> {
        let mut gathering = Gathering::new(subject.clone(), kept);
        let mut proofs = Vec::new();
        loop {
            let proof = ask(gathering.from())?;
            let taken = gathering.take(&proof, policy);
            proofs.push(proof);
            match taken {
                Ok(Some(complete)) => return Ok(Ok(Self { proofs, complete })),
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The proofs, in their order.
    pub fn proofs(&self) -> &[NameProof] {
        &self.proofs
    }

    /// What they prove.
    pub fn complete(&self) -> &Complete<Vec<Pointer>> {
        &self.complete
    }

    /// What they prove, without them.
    #[cfg(all(test, feature = "ask"))]
    pub(crate) fn into_complete(self) -> Complete<Vec<Pointer>> {
        self.complete
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
    /// What the log at an address answers about a subject, and why that is no proof.
    pub fn new(url: &str, subject: &Subject, error: RefusedNameProof) -> Self {
        Self { url: without_secrets(url).into_owned(), subject: subject.clone(), error: Box::new(error) }
    }

    /// Whether what came proves nothing; not where it proves that the log went back, or that the list is too long.
    pub fn is_no_proof(&self) -> bool {
        !matches!(self.error.as_ref(), RefusedNameProof::OlderHead { .. } | RefusedNameProof::TooMany { .. })
            && !self.error.is_proven()
    }
}

impl Explain for NameLookupError {
    fn exit(&self) -> Exit {
        match self.error.as_ref() {
            // An older head is served by a cache as well.
            RefusedNameProof::OlderHead { .. } => Exit::Unavailable,
            // Less than was seen before, or something else.
            error if error.is_proven() => Exit::Inconsistent,
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
            error if error.is_proven() => {
                "the log contradicts what its index said before: rely on none of its answers, and keep both; stele audit finds which index entry is wrong"
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
