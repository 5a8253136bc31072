//! Why a statement or a release is not published.

use std::path::PathBuf;

use stele_explain::{Exit, Explain, explain};
use stele_spec::bundle::BundleError;
use stele_spec::name::Publisher;
use stele_spec::statement::StatementError;

/// Why a release is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Files that cannot be hashed.
    #[error("files of {} cannot be hashed", .folder.display())]
    Unhashed {
        /// The folder.
        folder: PathBuf,
        /// Which, and why.
        failed: Vec<(String, String)>,
    },
    /// It cannot be signed.
    #[error("the statement is refused: {0}")]
    Statement(StatementError),
    /// Nobody holds the name.
    #[error("nobody has claimed {publisher} in this log")]
    Unclaimed {
        /// The name.
        publisher: Publisher,
    },
    /// The files say what it was made of, and the release says that it was made of nothing.
    #[error("the release says from_scratch, and its files name what it was made of")]
    NotFromScratch {
        /// Which file names what.
        named: Vec<String>,
    },
    /// The parts make no bundle.
    #[error("the bundle cannot be written: {0}")]
    Bundle(BundleError),
}

impl Explain for PublishError {
    explain! {
        Self::Unhashed { failed, .. } => Exit::Io, "file-unreadable",
            hint: "stop whatever writes to them, check their owner and mode, and publish again; nothing has been sent",
            facts: failed.iter().take(20).map(|(path, problem)| ("file", format!("{path}: {problem}"))).collect();
        Self::Statement(error @ StatementError::Envelope(_)) => Exit::BadInput, error.code(),
            hint: "shorten the texts, or give documents by their digests";
        Self::Statement(error) => Exit::BadInput, error.code(),
            hint: "correct it where it was said, in release.toml, the form or an option, and say it again";
        Self::Unclaimed { .. } => Exit::Refused, "name-unclaimed", hint: "publish with --claim, or `stele claim` it first";
        Self::NotFromScratch { named } => Exit::BadInput, "parent-missing",
            hint: "add a [[lineage]] for each and set from_scratch = false; or correct the files; nothing has been sent",
            facts: named.iter().map(|named| ("found", named.clone())).collect();
        Self::Bundle(_) => Exit::BadInput, "bundle-malformed", hint: "correct release.toml and publish again";
    }
}
