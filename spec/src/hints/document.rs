//! The file `release.hints`.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::piece::PieceSize;
use super::state::State;
use crate::canonical::{Bytes, CanonicalError, Profile, decode, encode};
use crate::hash::Digest;

/// The longest document in bytes: the states of 32 TiB.
pub const MAX_HINTS: usize = 16 * 1024 * 1024;

/// The value of the `hints` field.
pub const VERSION: &str = "stele/hints@v1";

/// Room for the rest of a document, beside the states: the fields of one file, and those around all.
const FILE_OVERHEAD: usize = 64;

/// States between the pieces of files, by the files' SHA-256. They are unsigned, and nothing is decided by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hints {
    files: BTreeMap<Digest, Vec<State>>,
}

impl Hints {
    /// Of the files that have states; those with the most states are left out where a document cannot hold them. None where nothing is left.
    pub fn of(files: impl IntoIterator<Item = (Digest, Vec<State>)>) -> Option<Self> {
        let mut files: Vec<(Digest, Vec<State>)> = files.into_iter().filter(|(_, states)| !states.is_empty()).collect();
        files.sort_by_key(|(_, states)| states.len());
        let mut room = MAX_HINTS - FILE_OVERHEAD;
        files.retain(|(_, states)| {
            let rest = room.checked_sub(32 * states.len() + FILE_OVERHEAD);
            room = rest.unwrap_or(room);
            rest.is_some()
        });
        (!files.is_empty()).then(|| Self { files: files.into_iter().collect() })
    }

    /// Reads a document.
    pub fn parse(bytes: &[u8]) -> Result<Self, HintsError> {
        let wire: Wire = decode(bytes, MAX_HINTS, Profile::Container).map_err(HintsError::Canonical)?;
        if wire.hints != VERSION {
            return Err(HintsError::Version { found: wire.hints.chars().take(40).collect() });
        }
        if wire.files.is_empty() {
            return Err(HintsError::NoFile);
        }
        let mut files = BTreeMap::new();
        for file in wire.files {
            let digest = <[u8; 32]>::try_from(file.sha256.0.as_slice());
            let digest = digest.map_err(|_| HintsError::DigestLength { found: file.sha256.0.len() })?;
            let sha256 = Digest::from_bytes(digest);
            let (states, rest) = file.states.0.as_chunks::<32>();
            if states.is_empty() || !rest.is_empty() {
                return Err(HintsError::StatesLength { sha256, found: file.states.0.len() });
            }
            if files.last_key_value().is_some_and(|(last, _)| *last >= sha256) {
                return Err(HintsError::Order { sha256 });
            }
            files.insert(sha256, states.iter().copied().map(State::from_bytes).collect());
        }
        Ok(Self { files })
    }

    /// Writes the document: `encode(parse(x)) == x`.
    pub fn encode(&self) -> Result<Vec<u8>, HintsError> {
        let files = self.files.iter().map(|(sha256, states)| WireFile {
            sha256: Bytes(sha256.as_bytes().to_vec()),
            states: Bytes(states.iter().flat_map(|state| state.to_bytes()).collect()),
        });
        let wire = Wire { files: files.collect(), hints: VERSION.to_owned() };
        let bytes = encode(&wire, Profile::Container).map_err(HintsError::Canonical)?;
        if bytes.len() > MAX_HINTS {
            return Err(HintsError::Canonical(CanonicalError::TooLong { limit: MAX_HINTS, found: bytes.len() }));
        }
        Ok(bytes)
    }

    /// The states of a file of the manifest, where they are as many as a file of that length has.
    pub fn states(&self, sha256: &Digest, size: u64, piece: PieceSize) -> Option<&[State]> {
        let states = self.files.get(sha256)?;
        (u64::try_from(states.len()).ok() == Some(piece.states(size))).then_some(states.as_slice())
    }

    /// The files that have hints, by their SHA-256.
    pub fn files(&self) -> impl Iterator<Item = (&Digest, &[State])> {
        self.files.iter().map(|(sha256, states)| (sha256, states.as_slice()))
    }
}

/// The map on disk, its fields in canonical order: shorter keys first, then by their bytes (RFC 8949 §4.2.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    files: Vec<WireFile>,
    hints: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    sha256: Bytes,
    states: Bytes,
}

/// Why a document of hints was refused. It is then as if there were none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintsError {
    /// Not the one CBOR encoding of hints.
    Canonical(CanonicalError),
    /// Another version of the format.
    Version {
        /// The version found.
        found: String,
    },
    /// Hints of no file, which are no hints.
    NoFile,
    /// A digest of another length than SHA-256 has.
    DigestLength {
        /// Its length in bytes.
        found: usize,
    },
    /// No state, or a part of one.
    StatesLength {
        /// The file.
        sha256: Digest,
        /// The length of its states in bytes.
        found: usize,
    },
    /// A file that does not come after the one before it.
    Order {
        /// The file.
        sha256: Digest,
    },
}

impl fmt::Display for HintsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(error) => write!(f, "not a release.hints: {error}"),
            Self::Version { found } => write!(f, "expected hints of version {VERSION}, found {found:?}"),
            Self::NoFile => f.write_str("expected the hints of at least one file, found none"),
            Self::DigestLength { found } => write!(f, "expected a digest of 32 bytes, found {found} bytes"),
            Self::StatesLength { sha256, found } => {
                write!(f, "expected states of 32 bytes each for {sha256}, and at least one; found {found} bytes")
            }
            Self::Order { sha256 } => write!(f, "expected files by their digests, each once; {sha256} is out of order"),
        }
    }
}

impl core::error::Error for HintsError {}
