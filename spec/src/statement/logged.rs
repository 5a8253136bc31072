//! References to releases: the entry where one is recorded, and a coordinate that may be in no log.

use serde::{Deserialize, Serialize};

use crate::hash::LeafHash;
use crate::name::Coordinate;
use crate::text::hex_exact;

/// The entry of the same log that released a coordinate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedRelease {
    /// What it released.
    pub coordinate: Coordinate,
    /// Its position.
    pub entry: u64,
    /// Its leaf hash, so that another log cannot put another entry there.
    #[serde(serialize_with = "write_leaf", deserialize_with = "read_leaf")]
    pub leaf_hash: LeafHash,
}

/// An entry of the same log, by its position and its leaf hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedEntry {
    /// Its position.
    pub entry: u64,
    /// Its leaf hash.
    #[serde(serialize_with = "write_leaf", deserialize_with = "read_leaf")]
    pub leaf_hash: LeafHash,
}

/// What a statement of somebody else is about: a release of this log, or a name under which nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum Affected {
    /// A release of this log.
    Logged(LoggedRelease),
    /// A coordinate alone.
    Named(Coordinate),
}

impl Affected {
    /// The coordinate.
    pub fn coordinate(&self) -> &Coordinate {
        match self {
            Self::Logged(release) => &release.coordinate,
            Self::Named(coordinate) => coordinate,
        }
    }

    /// The entry, where there is one.
    pub fn logged(&self) -> Option<&LoggedRelease> {
        match self {
            Self::Logged(release) => Some(release),
            Self::Named(_) => None,
        }
    }
}

/// The fields of both forms.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    coordinate: Coordinate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf_hash: Option<HexLeafHash>,
}

impl TryFrom<Fields> for Affected {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        match fields {
            Fields { coordinate, entry: Some(entry), leaf_hash: Some(leaf) } => {
                Ok(Self::Logged(LoggedRelease { coordinate, entry, leaf_hash: leaf.0 }))
            }
            Fields { coordinate, entry: None, leaf_hash: None } => Ok(Self::Named(coordinate)),
            _ => Err("expected entry and leaf_hash of the release, or neither"),
        }
    }
}

impl From<Affected> for Fields {
    fn from(affected: Affected) -> Self {
        match affected {
            Affected::Logged(LoggedRelease { coordinate, entry, leaf_hash }) => {
                Self { coordinate, entry: Some(entry), leaf_hash: Some(HexLeafHash(leaf_hash)) }
            }
            Affected::Named(coordinate) => Self { coordinate, entry: None, leaf_hash: None },
        }
    }
}

/// A leaf hash in lower-case hex.
#[derive(Clone, Copy)]
pub(super) struct HexLeafHash(pub(super) LeafHash);

impl Serialize for HexLeafHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_leaf(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for HexLeafHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_leaf(deserializer).map(Self)
    }
}

fn write_leaf<S: serde::Serializer>(leaf: &LeafHash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(leaf)
}

fn read_leaf<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<LeafHash, D::Error> {
    crate::text::deserialize(deserializer, |text| hex_exact(text).map(LeafHash::from_bytes))
}
