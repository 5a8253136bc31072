//! Why a submission has no proof.

use crate::quota::Exceeded;
use crate::refusal::AdmissionRefusal;
use crate::submission::Unavailable;
use stele_spec::entry::EntryError;
use stele_spec::hash::Digest;
use stele_spec::manifest::ManifestError;
use stele_spec::proof::TlogProof;
use stele_spec::statement::ManifestMismatch;

/// The entry that stands in the way of a refused one.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its position.
    pub position: u64,
    /// Its proof.
    pub proof: TlogProof,
    /// Its bytes.
    pub entry: Vec<u8>,
}

/// Why a submission has no proof.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Not a statement.
    #[error(transparent)]
    Malformed(#[from] EntryError),
    /// An index entry: only the log writes those.
    #[error("an index entry is written by the log alone")]
    NotAStatement,
    /// Refused by the rules of the log.
    #[error("{refusal}")]
    Refused {
        /// The rule.
        refusal: AdmissionRefusal,
        /// The entry that stands in the way, if one does.
        existing: Option<Box<Existing>>,
    },
    /// The log does not have the release's manifest, and it did not come with the release.
    #[error("the log does not have the manifest {digest} of this release")]
    ManifestMissing {
        /// The manifest.
        digest: Digest,
    },
    /// A manifest came with a statement that names none.
    #[error("a manifest came with a statement that is no release")]
    ManifestUnexpected,
    /// What came as the manifest is none.
    #[error("not a manifest: {0}")]
    ManifestInvalid(#[from] ManifestError),
    /// The name or the key has added what it may in a day.
    #[error(transparent)]
    Quota(#[from] Exceeded),
    /// The operator has frozen the log.
    #[error("this log is frozen: it takes no new statement, and what it holds stays readable and provable")]
    Frozen,
    /// The release and its manifest disagree.
    #[error("the release and its manifest disagree: {0}")]
    ManifestDiffers(#[from] ManifestMismatch),
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
