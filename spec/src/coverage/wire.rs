//! The file: one canonical CBOR map, with signed notes and lines of name proofs as they are.

use serde::{Deserialize, Serialize};

use super::error::MalformedCoverage;
use super::report::{Coverage, LogCoverage, MAX_COVERAGE, MAX_HEADS, MAX_LISTS, MAX_LOGS, SeenHead, SeenList};
use crate::canonical::{Bytes, CanonicalError, Profile, decode, encode};
use crate::hash::NodeHash;
use crate::merkle::{ConsistencyProof, MAX_PROOF};
use crate::note::SignedNote;

/// The value of the field `coverage`.
const VERSION: &str = "stele/coverage@v1";

/// The most peaks of a list, one for each bit of its size.
const MAX_PEAKS: usize = 64;

impl Coverage {
    /// Reads a report.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedCoverage> {
        let wire: Wire = decode(bytes, MAX_COVERAGE, Profile::Container).map_err(MalformedCoverage::Canonical)?;
        if wire.coverage != VERSION {
            return Err(MalformedCoverage::Version { found: wire.coverage.chars().take(40).collect() });
        }
        at_most("logs", wire.logs.len(), MAX_LOGS)?;
        Ok(Self { logs: wire.logs.into_iter().map(LogCoverage::try_from).collect::<Result<_, _>>()? })
    }

    /// Whether a file says in its last field that it is one, of whatever version.
    pub fn looks_like(bytes: &[u8]) -> bool {
        let field = b"hcoverageqstele/coverage@v";
        bytes.windows(field.len()).rev().take(16).any(|window| window == field)
    }

    /// The file: `parse(x).to_bytes() == x`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MalformedCoverage> {
        at_most("logs", self.logs.len(), MAX_LOGS)?;
        for log in &self.logs {
            at_most("heads", log.heads.len(), MAX_HEADS)?;
            at_most("lists", log.lists.len(), MAX_LISTS)?;
        }
        let wire = Wire { logs: self.logs.iter().map(WireLog::from).collect(), coverage: VERSION.to_owned() };
        let bytes = encode(&wire, Profile::Container).map_err(MalformedCoverage::Canonical)?;
        if bytes.len() > MAX_COVERAGE {
            let found = bytes.len();
            return Err(MalformedCoverage::Canonical(CanonicalError::TooLong { limit: MAX_COVERAGE, found }));
        }
        Ok(bytes)
    }
}

// Fields in canonical order: shorter keys first (RFC 8949 §4.2.1).

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    logs: Vec<WireLog>,
    coverage: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLog {
    heads: Vec<WireHead>,
    lists: Vec<WireList>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHead {
    note: Bytes,
    path: Vec<Bytes>,
    read: u64,
    index: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireList {
    head: u64,
    peaks: Vec<Bytes>,
    answer: Bytes,
    subject: String,
}

impl TryFrom<WireLog> for LogCoverage {
    type Error = MalformedCoverage;

    fn try_from(wire: WireLog) -> Result<Self, MalformedCoverage> {
        at_most("heads", wire.heads.len(), MAX_HEADS)?;
        at_most("lists", wire.lists.len(), MAX_LISTS)?;
        Ok(Self {
            heads: wire.heads.into_iter().map(SeenHead::try_from).collect::<Result<_, _>>()?,
            lists: wire.lists.into_iter().map(SeenList::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&LogCoverage> for WireLog {
    fn from(log: &LogCoverage) -> Self {
        let heads = log.heads.iter().map(WireHead::from).collect();
        Self { heads, lists: log.lists.iter().map(WireList::from).collect() }
    }
}

impl TryFrom<WireHead> for SeenHead {
    type Error = MalformedCoverage;

    fn try_from(wire: WireHead) -> Result<Self, MalformedCoverage> {
        let note = SignedNote::parse(&wire.note.0).map_err(MalformedCoverage::Note)?;
        let path = hashes("hashes in a path", wire.path, MAX_PROOF)?;
        let path = ConsistencyProof::from_path(path).ok_or(MalformedCoverage::Path)?;
        Ok(Self { note, path, read: wire.read, index: wire.index.0 })
    }
}

impl From<&SeenHead> for WireHead {
    fn from(head: &SeenHead) -> Self {
        let (note, path) = (Bytes(head.note.to_bytes()), written(head.path.path()));
        Self { note, path, read: head.read, index: Bytes(head.index.clone()) }
    }
}

impl TryFrom<WireList> for SeenList {
    type Error = MalformedCoverage;

    fn try_from(wire: WireList) -> Result<Self, MalformedCoverage> {
        let subject = wire.subject.parse().map_err(MalformedCoverage::Subject)?;
        let peaks = hashes("peaks of a list", wire.peaks, MAX_PEAKS)?;
        Ok(Self { subject, head: wire.head, peaks, answer: wire.answer.0 })
    }
}

impl From<&SeenList> for WireList {
    fn from(list: &SeenList) -> Self {
        let (peaks, answer) = (written(&list.peaks), Bytes(list.answer.clone()));
        Self { head: list.head, peaks, answer, subject: list.subject.to_string() }
    }
}

fn hashes(part: &'static str, wire: Vec<Bytes>, limit: usize) -> Result<Vec<NodeHash>, MalformedCoverage> {
    at_most(part, wire.len(), limit)?;
    let hash = |bytes: Bytes| {
        let found = bytes.0.len();
        <[u8; 32]>::try_from(bytes.0).map(NodeHash::from_bytes).map_err(|_| MalformedCoverage::Hash { found })
    };
    wire.into_iter().map(hash).collect()
}

fn written(hashes: &[NodeHash]) -> Vec<Bytes> {
    hashes.iter().map(|hash| Bytes(hash.as_bytes().to_vec())).collect()
}

fn at_most(part: &'static str, found: usize, limit: usize) -> Result<(), MalformedCoverage> {
    if found > limit {
        return Err(MalformedCoverage::TooMany { part, limit, found });
    }
    Ok(())
}
