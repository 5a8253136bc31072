#![doc = include_str!("../text/bundle.md")]

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{Bytes, CanonicalError, Profile, decode, encode};

/// The longest bundle in bytes: the longest manifest, a statement, proofs, and the key history.
pub const MAX_BUNDLE: usize = 24 * 1024 * 1024;

/// The most key statements of one name, and so in a bundle.
pub const MAX_KEY_STATEMENTS: usize = 256;

/// The value of the `bundle` field.
const VERSION: &str = "stele/bundle@v1";

/// The parts of a `release.stele`, as they came; nothing in them is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The signed statement: the log entry.
    pub statement: Vec<u8>,
    /// The manifest that the statement names.
    pub manifest: Vec<u8>,
    /// The statement's inclusion proof.
    pub proof: Vec<u8>,
    /// The publisher's key statements, oldest first.
    pub keys: Vec<LoggedStatement>,
}

/// A statement and its inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedStatement {
    /// The log entry.
    pub statement: Vec<u8>,
    /// Its inclusion proof (c2sp.org/tlog-proof).
    pub proof: Vec<u8>,
}

impl Bundle {
    /// Reads a bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let wire: Wire = decode(bytes, MAX_BUNDLE, Profile::Container).map_err(BundleError::Canonical)?;
        if wire.bundle != VERSION {
            return Err(BundleError::Version { found: wire.bundle.chars().take(40).collect() });
        }
        if wire.keys.len() > MAX_KEY_STATEMENTS {
            return Err(BundleError::TooManyKeys { found: wire.keys.len() });
        }
        let keys = wire.keys.into_iter().map(|key| LoggedStatement { statement: key.statement.0, proof: key.proof.0 });
        Ok(Self { statement: wire.statement.0, manifest: wire.manifest.0, proof: wire.proof.0, keys: keys.collect() })
    }

    /// Writes the bundle: `encode(parse(x)) == x`.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        if self.keys.len() > MAX_KEY_STATEMENTS {
            return Err(BundleError::TooManyKeys { found: self.keys.len() });
        }
        let logged = |key: &LoggedStatement| WireLogged {
            proof: Bytes(key.proof.clone()),
            statement: Bytes(key.statement.clone()),
        };
        let wire = Wire {
            keys: self.keys.iter().map(logged).collect(),
            proof: Bytes(self.proof.clone()),
            bundle: VERSION.to_owned(),
            manifest: Bytes(self.manifest.clone()),
            statement: Bytes(self.statement.clone()),
        };
        let bytes = encode(&wire, Profile::Container).map_err(BundleError::Canonical)?;
        if bytes.len() > MAX_BUNDLE {
            return Err(BundleError::Canonical(CanonicalError::TooLong { limit: MAX_BUNDLE, found: bytes.len() }));
        }
        Ok(bytes)
    }
}

/// The map on disk, its fields in canonical order: shorter keys first (RFC 8949 §4.2.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    keys: Vec<WireLogged>,
    proof: Bytes,
    bundle: String,
    manifest: Bytes,
    statement: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLogged {
    proof: Bytes,
    statement: Bytes,
}

/// Why a bundle was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleError {
    /// Not the one CBOR encoding of a bundle.
    Canonical(CanonicalError),
    /// Another version of the format.
    Version {
        /// The version found.
        found: String,
    },
    /// More key statements than a bundle may have.
    TooManyKeys {
        /// How many there are.
        found: usize,
    },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(error) => write!(f, "not a release.stele: {error}"),
            Self::Version { found } => write!(f, "expected a bundle of version {VERSION}, found {found:?}"),
            Self::TooManyKeys { found } => {
                write!(f, "a bundle has at most {MAX_KEY_STATEMENTS} key statements, found {found}")
            }
        }
    }
}

impl core::error::Error for BundleError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> Bundle {
        let key = LoggedStatement { statement: vec![4], proof: b"k".to_vec() };
        Bundle { statement: vec![1, 2], manifest: vec![3], proof: b"p".to_vec(), keys: vec![key] }
    }

    #[test]
    fn truncated_extended_and_versioned_otherwise_is_refused() {
        let bytes = example().encode().unwrap();
        for end in 0..bytes.len() {
            assert!(Bundle::parse(&bytes[..end]).is_err());
        }
        assert!(Bundle::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
        let at = bytes.windows(2).position(|pair| pair == b"v1").unwrap();
        let mut other = bytes.clone();
        other[at + 1] = b'2';
        assert_eq!(Bundle::parse(&other), Err(BundleError::Version { found: "stele/bundle@v2".into() }));
        assert_eq!(Bundle::parse(&bytes), Ok(example()));
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_reads_as_the_same_bundle(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = example().encode().unwrap();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(bundle) = Bundle::parse(&bytes) {
                prop_assert_ne!(&bundle, &example());
                prop_assert_eq!(bundle.encode().unwrap(), bytes);
            }
        }
    }
}
