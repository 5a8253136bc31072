//! The error of a log whose index leaves out what is in its tree.

use stele_explain::{Exit, Explain, explain};
use stele_spec::index::Subject;

/// An entry that was proven before, and that the index of the log leaves out.
#[derive(Debug, thiserror::Error)]
#[error("the index of the log at {url} leaves out entry {entry}, which is in its tree")]
pub struct NotListed {
    pub(super) url: String,
    pub(super) subject: Subject,
    pub(super) entry: u64,
}

impl Explain for NotListed {
    explain! {
        Self { subject, entry, .. } => Exit::Inconsistent, "entry-not-listed",
            hint: "the log hides what it recorded: rely on none of its answers; stele audit finds every wrong index entry",
            "asked": subject, "expected": format!("entry {entry}"), "found": "nothing";
    }
}
