//! One file of a release.

use serde::{Deserialize, Serialize};

use super::{FilePath, GitBlobId, Role};
use crate::hash::Digest;

/// One file of a release. The fields are in the order of RFC 8949 §4.2.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Where it is, from the folder of the release.
    pub path: FilePath,
    /// What it is for.
    pub role: Role,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content: what decides.
    pub sha256: Digest,
    /// The id that git gives its content, by which hosts name small files.
    pub git_sha1: GitBlobId,
}
