//! Why an audit could not be finished.

use std::io;
use std::path::PathBuf;

use stele_durable::DurableError;
use stele_explain::{Exit, Explain, explain};
use stele_log_client::reader::ReadError;
use stele_spec::checkpoint::Origin;
use stele_spec::hash::RootHash;

use crate::store::StoreError;

/// How a new tree head contradicts the one that was audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// The same size, another root.
    TwoRoots,
    /// A larger tree that does not begin with the audited one.
    Rewritten,
    /// A smaller tree.
    Smaller,
}

/// Why an audit could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log cannot be read, or is not what its head says.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the audit remembers cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This machine's files failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The report cannot be written.
    #[error("cannot write the report")]
    Report(#[from] io::Error),
    /// The folder holds the audit of another log.
    #[error("the folder holds the audit of {expected}")]
    OtherLog {
        /// The log of the folder.
        expected: Origin,
        /// The log that is to be audited.
        found: Origin,
    },
    /// The log shows another history than before.
    #[error("{}", .what.sentence())]
    Contradiction {
        /// How.
        what: Contradiction,
        /// Size and root of the audited head.
        known: (u64, RootHash),
        /// Size and root of the offered head.
        offered: (u64, RootHash),
        /// Where the evidence is, if it proves something and there was a place for it.
        evidence: Option<PathBuf>,
    },
    /// An entry of the audited part that is none: the database does not belong to these files.
    #[error("the audit's database does not belong to these files")]
    OtherFiles,
}

impl Contradiction {
    fn sentence(self) -> &'static str {
        match self {
            Self::TwoRoots => "the log signed another tree of the same size than the one that was audited",
            Self::Rewritten => "the log rewrote its history: the audited tree is not the beginning of this one",
            Self::Smaller => "this is an older tree than the one that was audited",
        }
    }
}

impl Explain for AuditError {
    explain! {
        Self::Read(error) => error;
        Self::Store(error) => error;
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
        Self::Report(_) => Exit::Io, "output-failed";
        Self::OtherLog { expected, found } => Exit::Usage, "other-log", hint: "use a folder for each log",
            "expected": expected, "found": found;
        Self::Contradiction { what, evidence, known, offered } =>
            match (what, evidence) {
                (Contradiction::Smaller, None) => Exit::Unavailable,
                _ => Exit::Inconsistent,
            },
            match (what, evidence) {
                (Contradiction::Smaller, None) => "log-behind",
                (Contradiction::Smaller, Some(_)) => "rollback",
                _ => "split-view",
            },
            hint: match (what, evidence) {
                (_, Some(path)) => format!(
                    "`stele evidence verify {} --policy FILE` shows it to anybody: tell the witnesses and the log's operator",
                    path.display()
                ),
                (Contradiction::Smaller, None) => {
                    "a mirror that is behind shows this: read from the log, or wait".into()
                }
                (_, None) => "with --evidence FOLDER the proof is written down".into(),
            },
            "audited": format!("size {} root {}", known.0, known.1),
            "offered": format!("size {} root {}", offered.0, offered.1);
        Self::OtherFiles => Exit::Inconsistent, "audit-state-other",
            hint: "delete audit.redb in the folder: the audit then begins anew";
    }
}

/// The audit is done, and there is something to report.
#[derive(Debug, thiserror::Error)]
#[error("{}", stele_spec::verify::count(usize::try_from(*.count).unwrap_or(usize::MAX), "finding"))]
pub struct Found {
    /// How many.
    pub count: u64,
}

impl Explain for Found {
    explain! {
        Self { .. } => Exit::Findings, "findings";
    }
}
