//! Questions to which the answer is a list of releases, and for which a log has a lookup without a proof.
//!
//! Package URLs, those of hosts among them, and parents are those of releases and of later statements about one: whether one still holds is known of the release as it stands.

use stele_spec::hash::Digest;
use stele_spec::manifest::{GitBlobId, Manifest};
use stele_spec::name::Coordinate;
use stele_spec::statement::{Parent, Purl, Statement};

/// What the releases that are asked for have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseLookup<'a> {
    /// A file of this SHA-256.
    File(Digest),
    /// A file of this git blob id.
    GitBlob(GitBlobId),
    /// This package URL, its own or that of a host; one without a version is asked for at every version as well.
    Purl(&'a Purl),
    /// This release as a parent.
    Children(&'a Coordinate),
}

impl ReleaseLookup<'_> {
    /// The route of the log's lookup, up to the value.
    pub(crate) const fn route(&self) -> &'static str {
        match self {
            Self::File(_) | Self::GitBlob(_) => "file?hex=",
            Self::Purl(_) => "purl?name=",
            Self::Children(_) => "children?name=",
        }
    }

    /// The value in the question.
    pub(crate) fn value(&self) -> String {
        match self {
            Self::File(digest) => digest.to_string(),
            Self::GitBlob(id) => id.to_string(),
            Self::Purl(purl) => purl.to_string(),
            Self::Children(parent) => parent.to_string(),
        }
    }

    /// Whether a statement answers the question by itself; none where the manifest of the release must be read for that.
    pub(crate) fn is_of(&self, statement: &Statement) -> Option<bool> {
        match self {
            Self::File(_) | Self::GitBlob(_) => statement.release().is_none().then_some(false),
            Self::Purl(purl) => Some(statement.packages().iter().any(|recorded| is_at_any_version(purl, recorded))),
            Self::Children(parent) => {
                let names = |named: &Parent| matches!(named, Parent::Logged(named) if named.coordinate == **parent);
                Some(statement.lineage().iter().any(|ancestor| names(&ancestor.parent)))
            }
        }
    }

    /// Whether a manifest lists the file that is asked for.
    pub(crate) fn is_in(&self, manifest: &Manifest) -> bool {
        match self {
            Self::File(digest) => manifest.files().iter().any(|file| file.sha256 == *digest),
            Self::GitBlob(id) => manifest.files().iter().any(|file| file.git_sha1 == *id),
            Self::Purl(_) | Self::Children(_) => false,
        }
    }
}

/// Whether a package URL is the recorded one, or the same without its version.
fn is_at_any_version(asked: &Purl, recorded: &Purl) -> bool {
    let recorded = recorded.to_string();
    let asked = asked.to_string();
    asked == recorded || recorded.split(['@', '?', '#']).next() == Some(asked.as_str())
}
