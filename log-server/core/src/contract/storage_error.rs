//! Why a storage failed, in its own words, and what that means for the caller.

use std::error::Error;
use std::fmt;
use stele_explain::{Explain, Failure, explain};

/// A failure of a storage. `Kind` says what it means for the caller; the words are the storage's.
pub struct StorageError<Kind> {
    kind: Kind,
    failure: Failure,
}

impl<Kind: Copy> StorageError<Kind> {
    /// An error of the storage and what it means.
    pub fn new(kind: Kind, error: impl Explain + Send + Sync + 'static) -> Self {
        Self { kind, failure: error.into() }
    }

    /// What it means.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl<Kind> fmt::Display for StorageError<Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl<Kind: fmt::Debug> fmt::Debug for StorageError<Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.kind, self.failure)
    }
}

impl<Kind: fmt::Debug> Error for StorageError<Kind> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failure.source()
    }
}

impl<Kind: fmt::Debug> Explain for StorageError<Kind> {
    explain! {
        Self { failure, .. } => failure.as_explain();
    }
}
