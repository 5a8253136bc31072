//! Why a registry was not understood, or nothing of it is believed.

use std::path::PathBuf;

use stele_explain::{Exit, Explain, explain};
use stele_fetch::http_client::{HttpError, status_line};
use stele_spec::hash::Digest;

use crate::document::DocumentError;
use crate::reference::ReferenceError;

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// The text names no artifact.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// There was no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no such artifact, or repository.
    #[error("{registry} has no {what}")]
    Absent {
        /// The registry and the repository.
        registry: String,
        /// The manifest that was asked for.
        what: String,
    },
    /// A manifest or blob that another one names is not there.
    #[error("{registry} has no {what}")]
    Missing {
        /// Which registry.
        registry: String,
        /// What was asked for.
        what: String,
    },
    /// It wants a login, or another.
    #[error("{registry} lets nobody in: {}", status_line(*.status))]
    Denied {
        /// Which registry.
        registry: String,
        /// 401 or 403.
        status: u16,
        /// What is known of credentials for it.
        known: String,
    },
    /// An answer that is none of those that the protocol has here.
    #[error("{url} answers {}", status_line(*.status))]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The registry's answer is not of the protocol.
    #[error("the answer of {url} is not that of a registry: {problem}")]
    Shape {
        /// The address.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// A manifest that is not read.
    #[error("the manifest sha256:{digest} is not read")]
    Manifest {
        /// Its digest.
        digest: Digest,
        /// Why.
        #[source]
        problem: DocumentError,
    },
    /// What was served under a digest has another.
    #[error("{registry} serves other bytes as {what}")]
    OtherBytes {
        /// Which registry.
        registry: String,
        /// A manifest, a blob.
        what: String,
        /// The digest asked for.
        expected: Digest,
        /// What came: a digest, or a length.
        found: String,
    },
    /// A list of several.
    #[error("{reference} is a list of {count} manifests, and no artifact")]
    Index {
        /// What was asked for.
        reference: String,
        /// How many.
        count: usize,
        /// The first of them.
        first: Vec<String>,
    },
    /// A redirect that is not followed.
    #[error("{url} redirects, and is not followed: {problem}")]
    Redirect {
        /// The address.
        url: String,
        /// Why.
        problem: &'static str,
    },
    /// More referrers than are looked at.
    #[error("{registry} lists more than {limit} {what} of sha256:{digest}")]
    TooMany {
        /// Which registry.
        registry: String,
        /// Of what.
        digest: Digest,
        /// Referrers, pages, releases.
        what: &'static str,
        /// How many are looked at.
        limit: usize,
    },
    /// No release is attached.
    #[error("no release is attached to {reference}")]
    NoRelease {
        /// The artifact.
        reference: String,
        /// How many other referrers there are.
        others: usize,
    },
    /// The file of credentials is not one.
    #[error("{} is no file of credentials: {problem}", .path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A file was not what the release says when it was sent.
    #[error("{} is no longer what the release says", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for OciError {
    explain! {
        Self::Reference(error) => error;
        Self::Http(error) => error;
        Self::Absent { .. } => Exit::NotInLog, "artifact-absent",
            hint: "are repository and tag right? Some registries say so of what they let only some see";
        Self::Missing { .. } => Exit::Unavailable, "registry-lacks", hint: "the registry is incomplete: try again later, and tell whoever runs it";
        Self::Denied { known, .. } => Exit::Refused, "registry-denies", hint: known.clone();
        Self::Status { .. } => Exit::Unavailable, "registry-status", hint: "is this a registry? Try again later";
        Self::Shape { .. } => Exit::Unavailable, "registry-answer", hint: "is this a registry?";
        Self::Manifest { .. } => Exit::BadInput, "artifact-malformed", hint: "do not use it: other programs may read something else in it";
        Self::OtherBytes { expected, found, .. } => Exit::BytesDiffer, "registry-other-bytes",
            hint: "the registry, or what is between, is broken or lies: do not use what it serves",
            "expected": format!("sha256:{expected}"), "found": found;
        Self::Index { first, .. } => Exit::BadInput, "artifact-is-list", hint: "name one of them by its digest",
            facts: first.iter().map(|one| ("one of them", one.clone())).collect();
        Self::Redirect { .. } => Exit::Unavailable, "registry-redirect", hint: "tell whoever runs the registry";
        Self::TooMany { .. } => Exit::Unavailable, "registry-too-many", hint: "--bundle FILE names the release.stele, and none of the registry's is read";
        Self::NoRelease { others, .. } => Exit::NotInLog, "no-release-attached",
            hint: "its publisher attaches it with `stele attach`; --bundle FILE takes a release.stele from here",
            "found": match others { 0 => "nothing that refers to it".to_owned(), some => format!("{some} referrers of other kinds") };
        Self::Credentials { .. } => Exit::BadInput, "credentials-malformed", hint: "`docker login` and `podman login` write one";
        Self::Changed { .. } => Exit::Io, "file-changed", hint: "something else writes into the folder: start again";
        Self::Read { .. } => Exit::Io, "io", hint: "check the file and its mode";
    }
}
