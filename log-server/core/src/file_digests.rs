//! The names by which the files of a release are found again: SHA-256 and git's blob id, of so many of them.

use stele_spec::hash::Digest;
use stele_spec::manifest::{GitBlobId, Manifest, Role};

/// The most files of one release that are listed, weights first: a thousand shards and what goes with them.
pub const MAX_FILES: usize = 4096;

/// The digests of a release's files, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileDigestIndex {
    /// SHA-256.
    pub sha256: Vec<Digest>,
    /// Git's blob id.
    pub git_sha1: Vec<GitBlobId>,
    /// The manifest, where it could not be read: which files the release has is not known yet.
    pub unread: Option<Digest>,
}

impl FileDigestIndex {
    /// Those of a manifest that is missing or damaged.
    pub fn unread(manifest: Digest) -> Self {
        Self { unread: Some(manifest), ..Self::default() }
    }

    /// Those of a manifest.
    pub fn of(manifest: &Manifest) -> Self {
        let (weights, others): (Vec<_>, Vec<_>) = manifest.files().iter().partition(|file| file.role == Role::Weights);
        let files: Vec<_> = weights.into_iter().chain(others).take(MAX_FILES).collect();
        let mut names = Self {
            sha256: files.iter().map(|file| file.sha256).collect(),
            git_sha1: files.iter().map(|file| file.git_sha1).collect(),
            unread: None,
        };
        names.sha256.sort_unstable();
        names.sha256.dedup();
        names.git_sha1.sort_unstable();
        names.git_sha1.dedup();
        names
    }
}
