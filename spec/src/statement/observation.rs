//! What a host served at a time, compared with the record.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Affected, Approval, FieldError, HostType, Line, Prose, PublisherName, Timestamp, Uri};
use crate::canonical::vocabulary;
use crate::hash::Digest;
use crate::manifest::{FilePath, GitBlobId};

/// The most files that one observation names.
pub const MAX_OBSERVED: usize = 128;

vocabulary! {
    /// The kind of this statement.
    pub enum ObservationKind {
        /// The only word.
        Observation = "observation",
    }
}

vocabulary! {
    /// How it was looked at.
    pub enum ObservationMethod {
        /// The listing of a repository, with its digests.
        TreeApi = "tree-api",
        /// The manifest of a registry.
        OciManifest = "oci-manifest",
        /// The bytes were got and hashed.
        Download = "download",
        /// Somebody else said so.
        Report = "report",
    }
}

vocabulary! {
    /// What came of the comparison.
    pub enum Observed {
        /// Every file that the host lists is as recorded.
        Match = "match",
        /// A file is not.
        Differs = "differs",
        /// The host has it no longer.
        Absent = "absent",
        /// A host, or a name, of which nothing is recorded.
        Unlogged = "unlogged",
    }
}

/// A monitor's observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// `observation`.
    pub kind: ObservationKind,
    /// When it was said.
    pub issued_at: Timestamp,
    /// When the host was looked at.
    pub observed_at: Timestamp,
    /// How.
    pub method: ObservationMethod,
    /// What came of it.
    pub result: Observed,
    /// The weights digest of what was found, where all weights were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_digest: Option<Digest>,
    /// Anything that must be said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Prose>,
    /// Who speaks.
    pub publisher: PublisherName,
    /// Which release, or a name under which nothing is recorded.
    pub subject: Affected,
    /// Where it was looked.
    pub host: ObservedHost,
    /// The files that are not as recorded, or all that were seen where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ObservedFile>,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// The host that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedHost {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: HostType,
    /// Where.
    pub locator: Uri,
    /// Which revision it served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Line>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedFile {
    /// Its path.
    pub path: FilePath,
    /// What the record says; none where it has no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<HostDigest>,
    /// What the host says; none where it has no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<HostDigest>,
}

/// A digest in the form that a host gives it: `sha256:...` or `git-sha1:...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostDigest {
    /// SHA-256 of the bytes.
    Sha256(Digest),
    /// The object id of git.
    GitSha1(GitBlobId),
}

impl Observation {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.at_most("files", &self.files, MAX_OBSERVED);
        problems.different("files", self.files.iter().map(|file| &file.path));
        for (number, file) in self.files.iter().enumerate() {
            if file.expected.is_none() && file.found.is_none() {
                problems.required(&format!("files[{number}].found"), "a file that nobody has is no observation");
            }
        }
        let matches = |file: &ObservedFile| file.expected == file.found;
        match self.result {
            Observed::Match if !self.files.iter().all(matches) => {
                problems.unexpected("files", "the result is match and a file differs");
            }
            Observed::Differs if self.files.iter().all(matches) => {
                problems.required("files", "the result is differs and no file is named that does");
            }
            Observed::Match | Observed::Differs | Observed::Absent if self.subject.logged().is_none() => {
                problems.required("subject.entry", "only an unlogged name has no record to compare with");
            }
            _ => {}
        }
        problems.into_vec()
    }
}

const SHA256: &str = "sha256:";
const GIT_SHA1: &str = "git-sha1:";

impl FromStr for HostDigest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected sha256: and 64 digits, or git-sha1: and 40 digits, of lower-case hex";
        if let Some(digest) = text.strip_prefix(SHA256) {
            return Digest::from_hex(digest).map(Self::Sha256).map_err(|_| EXPECTED);
        }
        let id = text.strip_prefix(GIT_SHA1).ok_or(EXPECTED)?;
        GitBlobId::from_hex(id).map(Self::GitSha1).map_err(|_| EXPECTED)
    }
}

impl fmt::Display for HostDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => write!(f, "{SHA256}{digest}"),
            Self::GitSha1(id) => write!(f, "{GIT_SHA1}{id}"),
        }
    }
}

crate::text::serde_as_text!(HostDigest);
