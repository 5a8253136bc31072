//! Documents: a name, a digest, and where a copy may be.

use serde::{Deserialize, Serialize};

use super::{Line, Prose, Uri};
use crate::hash::Digest;

/// A document, identified by its digest. The name is its path, where it is among the files of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What it is called.
    pub name: Line,
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// Where a copy may be: a locator, never an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<Uri>,
}

/// A document, or `{none: reason}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Either", into = "Either")]
pub enum Document {
    /// There is one.
    Present(Reference),
    /// There is none.
    Absent {
        /// Why.
        reason: Prose,
    },
}

impl Document {
    /// The document, if there is one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Present(reference) => Some(reference),
            Self::Absent { .. } => None,
        }
    }
}

/// The fields of both forms.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Either {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    none: Option<Prose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<Uri>,
}

impl TryFrom<Either> for Document {
    type Error = &'static str;

    fn try_from(either: Either) -> Result<Self, Self::Error> {
        match either {
            Either { none: Some(reason), name: None, sha256: None, uri: None } => Ok(Self::Absent { reason }),
            Either { none: None, name: Some(name), sha256: Some(sha256), uri } => {
                Ok(Self::Present(Reference { name, sha256, uri }))
            }
            _ => Err("expected a document with name and sha256, or none with a reason"),
        }
    }
}

impl From<Document> for Either {
    fn from(document: Document) -> Self {
        match document {
            Document::Present(Reference { name, sha256, uri }) => {
                Self { none: None, name: Some(name), sha256: Some(sha256), uri }
            }
            Document::Absent { reason } => Self { none: Some(reason), name: None, sha256: None, uri: None },
        }
    }
}
