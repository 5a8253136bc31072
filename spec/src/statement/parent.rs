//! Which release a parent is: an entry of the log, bytes that its user had, or bytes that the publisher never had.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::logged::HexLeafHash;
use super::{Line, Listing, LoggedRelease, Purl};
use crate::hash::Digest;
use crate::name::Coordinate;

/// Which release a parent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum Parent {
    /// An entry of the log that the statement is in.
    Logged(LoggedRelease),
    /// Something that no log records.
    Unlogged(UnloggedParent),
    /// Something that no log records, whose bytes the publisher never had.
    Unseen(UnseenParent),
}

/// Something that was released without a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedParent {
    /// Its package URL.
    pub purl: Purl,
    /// The tree digest of its files as they were got.
    pub digest: Digest,
}

/// Something that was released without a record, and used where the publisher could not see its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnseenParent {
    /// Its package URL; with the commit, where its files were listed.
    pub purl: Purl,
    /// What is known of its bytes.
    pub bytes: UnseenBytes,
}

/// What is known of bytes that the publisher never had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnseenBytes {
    /// The files that the host listed at the commit.
    Listed(Listing),
    /// Nothing, for this reason.
    Unknown(Line),
}

impl Parent {
    /// The entry of the log, where it is one.
    pub fn logged(&self) -> Option<&LoggedRelease> {
        match self {
            Self::Logged(release) => Some(release),
            Self::Unlogged(_) | Self::Unseen(_) => None,
        }
    }

    /// The package URL of one that no log records.
    pub fn purl(&self) -> Option<&Purl> {
        match self {
            Self::Logged(_) => None,
            Self::Unlogged(parent) => Some(&parent.purl),
            Self::Unseen(parent) => Some(&parent.purl),
        }
    }
}

/// In words, as the end of a sentence about a parent.
impl fmt::Display for UnseenBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its bytes were not seen by the publisher: ")?;
        match self {
            Self::Listed(Listing { digest, files, bytes }) => {
                write!(f, "its host listed {files} files of {bytes} bytes, listing {digest}")
            }
            Self::Unknown(reason) => write!(f, "which they were is unknown: {reason}"),
        }
    }
}

/// The fields of all forms.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coordinate: Option<Coordinate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf_hash: Option<HexLeafHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purl: Option<Purl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listing: Option<Listing>,
}

impl TryFrom<Fields> for Parent {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let Fields { coordinate, entry, leaf_hash, purl, digest, unknown, listing } = fields;
        match (coordinate, entry, leaf_hash, purl, digest, unknown, listing) {
            (Some(coordinate), Some(entry), Some(leaf), None, None, None, None) => {
                Ok(Self::Logged(LoggedRelease { coordinate, entry, leaf_hash: leaf.0 }))
            }
            (None, None, None, Some(purl), Some(digest), None, None) => {
                Ok(Self::Unlogged(UnloggedParent { purl, digest }))
            }
            (None, None, None, Some(purl), None, Some(reason), None) => {
                Ok(Self::Unseen(UnseenParent { purl, bytes: UnseenBytes::Unknown(reason) }))
            }
            (None, None, None, Some(purl), None, None, Some(listing)) => {
                Ok(Self::Unseen(UnseenParent { purl, bytes: UnseenBytes::Listed(listing) }))
            }
            _ => Err(
                "expected coordinate, entry and leaf_hash of a logged parent, or of another purl and one of digest, \
                      listing and unknown",
            ),
        }
    }
}

impl From<Parent> for Fields {
    fn from(parent: Parent) -> Self {
        match parent {
            Parent::Logged(LoggedRelease { coordinate, entry, leaf_hash }) => Self {
                coordinate: Some(coordinate),
                entry: Some(entry),
                leaf_hash: Some(HexLeafHash(leaf_hash)),
                ..Self::default()
            },
            Parent::Unlogged(UnloggedParent { purl, digest }) => {
                Self { purl: Some(purl), digest: Some(digest), ..Self::default() }
            }
            Parent::Unseen(UnseenParent { purl, bytes }) => {
                let (listing, unknown) = match bytes {
                    UnseenBytes::Listed(listing) => (Some(listing), None),
                    UnseenBytes::Unknown(reason) => (None, Some(reason)),
                };
                Self { purl: Some(purl), listing, unknown, ..Self::default() }
            }
        }
    }
}
