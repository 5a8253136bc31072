#![doc = include_str!("../text/bundle.md")]

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{Bytes, CanonicalError, Profile, decode, encode};

/// The longest bundle in bytes: the longest manifest, a statement, proofs, and the key history.
pub const MAX_BUNDLE: usize = 24 * 1024 * 1024;

/// The most key statements of one name, and so in a bundle.
pub const MAX_KEY_STATEMENTS: usize = 256;

/// The most further statements about its release that a bundle has: some 500 kB under three witnesses. Who wants more asks the log.
pub const MAX_SAID: usize = 256;

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
    /// What proves that the publisher said nothing else, where the bundle has it.
    pub names: Option<BundledNames>,
}

/// Name proofs under the checkpoint of a release's inclusion proof, without what they share, and the statements that they list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledNames {
    /// The answer about the publisher's name.
    pub keys: Vec<u8>,
    /// What else the publisher said about the coordinate, in the order of the log.
    pub said: Vec<LoggedStatement>,
    /// The lines by which the last entry of the tree states the root of the index.
    pub index: Vec<u8>,
    /// The answer about the coordinate.
    pub release: Vec<u8>,
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
        let wire: Wire = decode(bytes, MAX_BUNDLE, Profile::Container).map_err(|error| match StandIn::of(bytes) {
            Some(found) => BundleError::StandIn { found },
            None => BundleError::Canonical(error),
        })?;
        if wire.bundle != VERSION {
            return Err(BundleError::Version { found: wire.bundle.chars().take(40).collect() });
        }
        if wire.keys.len() > MAX_KEY_STATEMENTS {
            return Err(BundleError::TooManyKeys { found: wire.keys.len() });
        }
        let names = wire.names.map(BundledNames::try_from).transpose()?;
        Ok(Self {
            statement: wire.statement.0,
            manifest: wire.manifest.0,
            proof: wire.proof.0,
            keys: wire.keys.into_iter().map(LoggedStatement::from).collect(),
            names,
        })
    }

    /// Writes the bundle: `encode(parse(x)) == x`.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        if self.keys.len() > MAX_KEY_STATEMENTS {
            return Err(BundleError::TooManyKeys { found: self.keys.len() });
        }
        if let Some(names) = &self.names
            && names.said.len() > MAX_SAID
        {
            return Err(BundleError::TooManySaid { found: names.said.len() });
        }
        let bytes = encode(&Wire::from(self), Profile::Container).map_err(BundleError::Canonical)?;
        if bytes.len() > MAX_BUNDLE {
            return Err(BundleError::Canonical(CanonicalError::TooLong { limit: MAX_BUNDLE, found: bytes.len() }));
        }
        Ok(bytes)
    }
}

/// What often stands in the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// No bytes.
    Empty,
    /// A Git LFS pointer.
    LfsPointer,
    /// A pointer of git-annex.
    AnnexPointer,
    /// A web page.
    WebPage,
    /// A signed statement, a receipt, or a statement with its receipts.
    Cose,
}

impl StandIn {
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = bytes.trim_ascii_start();
        let page = text.get(..14).unwrap_or(text).to_ascii_lowercase();
        match text {
            [] => Some(Self::Empty),
            [0xd2, ..] => Some(Self::Cose),
            _ if text.starts_with(b"version https://git-lfs.github.com/spec/") => Some(Self::LfsPointer),
            _ if text.starts_with(b"/annex/objects/") => Some(Self::AnnexPointer),
            _ if page.starts_with(b"<!doctype html") || page.starts_with(b"<html") => Some(Self::WebPage),
            _ => None,
        }
    }

    /// In words.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::LfsPointer => "a Git LFS pointer to one",
            Self::AnnexPointer => "a git-annex pointer to one",
            Self::WebPage => "a web page",
            Self::Cose => "a signed statement or a receipt",
        }
    }

    /// What to do.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::LfsPointer => "run `git lfs pull` in this folder; or `stele fetch PATH` makes it from the log",
            Self::AnnexPointer => "run `git annex get release.stele`; or `stele fetch PATH` makes it from the log",
            Self::Empty | Self::WebPage => {
                "get release.stele again: what came is not the file; or `stele fetch PATH` makes it from the log"
            }
            Self::Cose => "name it as the path: `stele verify FILE`; `stele show FILE` says what it is",
        }
    }

    /// Whether it holds nothing that anybody misses.
    pub const fn is_replaceable(self) -> bool {
        !matches!(self, Self::Cose)
    }
}

/// The map on disk, its fields in canonical order: shorter keys first (RFC 8949 §4.2.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    keys: Vec<WireLogged>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<WireNames>,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireNames {
    keys: Bytes,
    said: Vec<WireLogged>,
    index: Bytes,
    release: Bytes,
}

impl From<&Bundle> for Wire {
    fn from(bundle: &Bundle) -> Self {
        Self {
            keys: bundle.keys.iter().map(WireLogged::from).collect(),
            names: bundle.names.as_ref().map(WireNames::from),
            proof: Bytes(bundle.proof.clone()),
            bundle: VERSION.to_owned(),
            manifest: Bytes(bundle.manifest.clone()),
            statement: Bytes(bundle.statement.clone()),
        }
    }
}

impl From<WireLogged> for LoggedStatement {
    fn from(wire: WireLogged) -> Self {
        Self { statement: wire.statement.0, proof: wire.proof.0 }
    }
}

impl From<&LoggedStatement> for WireLogged {
    fn from(logged: &LoggedStatement) -> Self {
        Self { proof: Bytes(logged.proof.clone()), statement: Bytes(logged.statement.clone()) }
    }
}

impl TryFrom<WireNames> for BundledNames {
    type Error = BundleError;

    fn try_from(wire: WireNames) -> Result<Self, BundleError> {
        if wire.said.len() > MAX_SAID {
            return Err(BundleError::TooManySaid { found: wire.said.len() });
        }
        let said = wire.said.into_iter().map(LoggedStatement::from).collect();
        Ok(Self { keys: wire.keys.0, said, index: wire.index.0, release: wire.release.0 })
    }
}

impl From<&BundledNames> for WireNames {
    fn from(names: &BundledNames) -> Self {
        Self {
            keys: Bytes(names.keys.clone()),
            said: names.said.iter().map(WireLogged::from).collect(),
            index: Bytes(names.index.clone()),
            release: Bytes(names.release.clone()),
        }
    }
}

/// Why a bundle was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleError {
    /// Not the one CBOR encoding of a bundle.
    Canonical(CanonicalError),
    /// Something that often stands in the place of one.
    StandIn {
        /// What.
        found: StandIn,
    },
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
    /// More further statements than a bundle may have.
    TooManySaid {
        /// How many there are.
        found: usize,
    },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical(error) => write!(f, "not a release.stele: {error}"),
            Self::StandIn { found } => write!(f, "not a release.stele: it is {}", found.what()),
            Self::Version { found } => write!(f, "expected a bundle of version {VERSION}, found {found:?}"),
            Self::TooManyKeys { found } => {
                write!(f, "a bundle has at most {MAX_KEY_STATEMENTS} key statements, found {found}")
            }
            Self::TooManySaid { found } => {
                write!(f, "a bundle has at most {MAX_SAID} further statements about its release, found {found}")
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
        Bundle { statement: vec![1, 2], manifest: vec![3], proof: b"p".to_vec(), keys: vec![key], names: None }
    }

    fn with_names() -> Bundle {
        let said = vec![LoggedStatement { statement: vec![5], proof: b"s".to_vec() }];
        let names = BundledNames { keys: b"k".to_vec(), said, index: b"i".to_vec(), release: b"r".to_vec() };
        Bundle { names: Some(names), ..example() }
    }

    #[test]
    fn a_part_that_may_be_left_out_has_one_encoding_all_the_same() {
        for bundle in [example(), with_names()] {
            assert_eq!(Bundle::parse(&bundle.encode().unwrap()), Ok(bundle));
        }
        // `names` is there and null.
        let mut null = example().encode().unwrap();
        let at = null.windows(6).position(|bytes| bytes == b"\x65proof").unwrap();
        null.splice(at..at, *b"\x65names\xf6");
        null[0] += 1;
        assert!(Bundle::parse(&null).is_err());
    }

    #[test]
    fn a_bundle_is_full_with_256_statements_of_each_kind_for_who_writes_and_who_reads() {
        let of = |keys: usize, said: usize| {
            let mut bundle = with_names();
            bundle.keys = vec![bundle.keys[0].clone(); keys];
            let names = bundle.names.as_mut().unwrap();
            names.said = vec![names.said[0].clone(); said];
            bundle
        };
        let full = of(256, 256);
        assert_eq!(Bundle::parse(&full.encode().unwrap()), Ok(full));
        for (more, refused) in [
            (of(257, 0), BundleError::TooManyKeys { found: 257 }),
            (of(0, 257), BundleError::TooManySaid { found: 257 }),
        ] {
            assert_eq!(more.encode(), Err(refused.clone()));
            let by_another = encode(&Wire::from(&more), Profile::Container).unwrap();
            assert_eq!(Bundle::parse(&by_another), Err(refused));
        }
    }

    #[test]
    fn what_is_written_is_no_longer_than_what_is_read() {
        let of = |manifest: usize| Bundle { manifest: vec![0; manifest], ..example() };
        // Above 65,535 bytes the head of a byte string has five.
        let around = of(65_536).encode().unwrap().len() - 65_536;
        let longest = of(MAX_BUNDLE - around);
        let bytes = longest.encode().unwrap();
        assert_eq!(bytes.len(), MAX_BUNDLE);
        assert!(Bundle::parse(&bytes).is_ok());
        let refused = CanonicalError::TooLong { limit: MAX_BUNDLE, found: MAX_BUNDLE + 1 };
        assert_eq!(of(MAX_BUNDLE - around + 1).encode(), Err(BundleError::Canonical(refused)));
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
            let mut bytes = with_names().encode().unwrap();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(bundle) = Bundle::parse(&bytes) {
                prop_assert_ne!(&bundle, &with_names());
                prop_assert_eq!(bundle.encode().unwrap(), bytes);
            }
        }
    }
}
