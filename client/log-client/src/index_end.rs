//! Whether a log can prove that its answers are complete: each tree of a log with an index ends with an index entry.
//!
//! A log that has an index and serves no name proof hides something, or something in front of it does. A log of another kind
//! has none to serve.

use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::entry::Entry;
use stele_spec::index::Subject;
use stele_spec::merkle::{Nodes as _, leaf_hash};

use crate::api::{LogClient, LogError};
use crate::list_proof::NameLookupError;
use crate::reader::VerifiedLog;
use crate::statements::Lack;

/// What to do with an answer that a log could prove complete and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Incomplete {
    /// It is an error.
    #[default]
    Refuse,
    /// It is used, and that it is not proven is said: `--accept-incomplete-answer`.
    Accept,
}

impl Incomplete {
    /// By the option of the command line.
    pub const fn by(accept: bool) -> Self {
        if accept { Self::Accept } else { Self::Refuse }
    }

    /// What becomes of a question that was not answered with a name proof: the lack that the answer then has, or an error.
    ///
    /// `ends` says whether the tree ends with an index entry; none where the log does not show it.
    pub fn judge(
        self,
        log: &LogClient,
        subject: &Subject,
        failure: Failure,
        ends: impl FnOnce() -> Result<Option<bool>, Failure>,
    ) -> Result<Lack, Failure> {
        if !is_no_proof(&failure) {
            return Err(failure);
        }
        match ends()? {
            Some(false) if is_absent(&failure) => Ok(Lack::Unserved),
            Some(false) => Err(failure),
            _ if self == Self::Accept => Ok(Lack::Accepted),
            _ => {
                let found = failure.as_explain().to_string();
                Err(Unproven { url: without_secrets(log.url()).into_owned(), subject: subject.clone(), found }.into())
            }
        }
    }
}

/// Whether the last entry of a tree is the index entry of that place; none where the log does not show its last entry.
pub fn ends_with_index(log: &LogClient, tree: &VerifiedLog<'_>) -> Option<bool> {
    let Some(last) = tree.size().checked_sub(1) else { return Some(false) };
    let expected = tree.node(0, last).ok()?;
    let is_it = |bytes: &Vec<u8>| leaf_hash(bytes).as_bytes() == expected.as_bytes();
    let asked = log.entry(last).ok().filter(is_it);
    let bytes = asked.or_else(|| tree.entry(last).ok())?;
    Some(matches!(Entry::parse(&bytes), Ok(Entry::Index(index)) if index.position == last))
}

/// Whether a failure means that no name proof was served, although the log was reached and is not only busy.
fn is_no_proof(failure: &Failure) -> bool {
    let error: &dyn std::error::Error = failure.as_explain();
    match error.downcast_ref::<LogError>() {
        // Too many requests, or a gateway that reaches nothing: to be asked again.
        Some(LogError::Refused { status: 429 | 502..=504, .. }) => false,
        Some(_) => true,
        None => error.downcast_ref::<NameLookupError>().is_some_and(NameLookupError::is_no_proof),
    }
}

/// Whether a log has nothing at such an address.
pub(crate) fn is_absent(failure: &Failure) -> bool {
    let error: &dyn std::error::Error = failure.as_explain();
    matches!(error.downcast_ref::<LogError>(), Some(LogError::Refused { status: 404, .. }))
}

/// An answer of which a log that has an index does not prove that it is complete.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log at {url} does not prove that its answer is complete: something may be left out, a withdrawal for example"
)]
pub struct Unproven {
    url: String,
    subject: Subject,
    found: String,
}

impl Explain for Unproven {
    explain! {
        Self { subject, found, .. } => Exit::NotComplete, "unproven",
            hint: "ask again, or at the log's own address: the log, or a proxy in front of it, withholds its proof, or a mirror that serves none stands there \
                   (`stele audit` copies one, and --log reads the copy); --accept-incomplete-answer takes an answer without it",
            "asked": subject, "expected": "a name proof: the tree of this log ends with an index entry", "found": found;
    }
}
