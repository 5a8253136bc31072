//! Why an audit could not be finished.

use std::io;
use std::path::PathBuf;

use stele_durable::DurableError;
use stele_explain::{Exit, Explain};
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
    fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Durable(error) => error.exit(),
            Self::Report(_) => Exit::Io,
            Self::OtherLog { .. } => Exit::Usage,
            Self::Contradiction { what: Contradiction::Smaller, evidence: None, .. } => Exit::Unavailable,
            Self::Contradiction { .. } => Exit::Inconsistent,
            Self::OtherFiles => Exit::Inconsistent,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Durable(error) => error.code(),
            Self::Report(_) => "output-failed",
            Self::OtherLog { .. } => "other-log",
            Self::Contradiction { what: Contradiction::Smaller, evidence: None, .. } => "log-behind",
            Self::Contradiction { what: Contradiction::Smaller, .. } => "rollback",
            Self::Contradiction { .. } => "split-view",
            Self::OtherFiles => "audit-state-other",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Durable(error) => error.hint(),
            Self::Report(_) => None,
            Self::OtherLog { .. } => Some("use a folder for each log".into()),
            Self::Contradiction { evidence: Some(path), .. } => Some(format!(
                "`stele evidence verify {}` shows it to anybody: tell the witnesses and the log's operator",
                path.display()
            )),
            Self::Contradiction { what: Contradiction::Smaller, .. } => {
                Some("a mirror that is behind shows this: read from the log, or wait".into())
            }
            Self::Contradiction { .. } => Some("with --evidence FOLDER the proof is written down".into()),
            Self::OtherFiles => Some("delete audit.redb in the folder: the audit then begins anew".into()),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Read(error) => error.facts(),
            Self::OtherLog { expected, found } => {
                vec![("expected", expected.to_string()), ("found", found.to_string())]
            }
            Self::Contradiction { known, offered, .. } => vec![
                ("audited", format!("size {} root {}", known.0, known.1)),
                ("offered", format!("size {} root {}", offered.0, offered.1)),
            ],
            _ => Vec::new(),
        }
    }
}

/// The audit is done, and there is something to report.
#[derive(Debug, thiserror::Error)]
#[error("{count} findings")]
pub struct Found {
    /// How many.
    pub count: u64,
}

impl Explain for Found {
    fn exit(&self) -> Exit {
        Exit::Findings
    }

    fn code(&self) -> &'static str {
        "findings"
    }
}
