//! What a host says that it serves.

use stele_spec::statement::HostDigest;

/// What a host says that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostListing {
    /// The files or layers.
    pub(crate) files: Vec<HostFile>,
    /// The revision that they are of: a commit, or the digest of a manifest.
    pub(crate) revision: Option<String>,
    /// What of a release the host can have.
    pub(crate) scope: Scope,
}

/// One file or layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostFile {
    /// Its path, where the host has one for it.
    pub(crate) path: Option<String>,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// What the host says of its content.
    pub(crate) digest: HostDigest,
    /// What it is of the release.
    pub(crate) part: Part,
    /// Its media type, in a registry; else empty.
    pub(crate) media_type: String,
}

/// What a layer is of a release, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Weights, as they are.
    Weights,
    /// Something else: a licence, a template, parameters, documents, a file of a repository.
    Other,
    /// A kind that is not known: it is not compared.
    Unknown,
}

/// What of a release a host can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every file, by its path.
    Files,
    /// The weights, by digest.
    Weights,
}
