//! The digests that identify a release.

use serde::{Deserialize, Serialize};

use super::FieldError;
use super::field::Problems;
use crate::hash::Digest;

/// The learned parameters: to these a coordinate is bound for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// `dirHash1` over the files with the role `weights`.
    pub digest: Digest,
    /// How many files.
    pub files: u64,
    /// How many bytes in them together.
    pub bytes: u64,
    /// The root digest of OpenSSF Model Signing. It binds no names, so it is never the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oms_root: Option<Digest>,
    /// The SHA-256 of the Model Signing bundle, `model.sig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oms_bundle: Option<Digest>,
}

/// All files of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// `dirHash1` over all files.
    pub digest: Digest,
}

impl Weights {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.files == 0 {
            problems.push(FieldError::NoWeights);
        }
    }
}
