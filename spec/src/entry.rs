#![doc = include_str!("../text/entry.md")]

use core::fmt;

use crate::hash::{IndexRoot, LeafHash};
use crate::merkle;
use crate::statement::{SignedStatement, StatementError};
use crate::text::{Base64Error, DecimalError, base64_exact, decimal, to_base64};

/// The longest log entry in bytes: what the two length bytes of a c2sp.org/tlog-tiles entry bundle can say.
pub const MAX_ENTRY: usize = 65_535;

/// The first byte of a signed statement: CBOR tag 18, COSE_Sign1 (RFC 9052 §2).
const STATEMENT: u8 = 0xD2;

/// The first line of an index entry; its first byte, `s`, is what tells it from a statement.
const INDEX_HEADER: &str = "stele/index@v1\n";

/// One entry of the log.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly every entry is the large one")]
pub enum Entry {
    /// What somebody signed.
    Statement(SignedStatement),
    /// What the log says of its own entries.
    Index(IndexEntry),
}

impl Entry {
    /// Reads an entry; its first byte decides which kind it is. No signature is checked here.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLong { found: bytes.len() });
        }
        match bytes.first() {
            None => Err(EntryError::Empty),
            Some(&STATEMENT) => SignedStatement::parse(bytes).map(Self::Statement).map_err(EntryError::Statement),
            Some(b's') => IndexEntry::parse(bytes).map(Self::Index).map_err(EntryError::Index),
            Some(&found) => Err(EntryError::FirstByte { found }),
        }
    }

    /// The bytes that the log stores and hashes: `to_bytes(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Statement(statement) => statement.bytes().to_vec(),
            Self::Index(entry) => entry.to_string().into_bytes(),
        }
    }

    /// `SHA-256(0x00 || entry)` (RFC 6962 §2.1).
    pub fn leaf_hash(&self) -> LeafHash {
        match self {
            Self::Statement(statement) => merkle::leaf_hash(statement.bytes()),
            Self::Index(entry) => entry.leaf_hash(),
        }
    }
}

/// The log's word that the index of entries `[0, position)` has this root; its place in the log is `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// How many entries the index covers, and the position of this entry.
    pub position: u64,
    /// The root of the index over them.
    pub root: IndexRoot,
}

impl IndexEntry {
    /// Reads the three lines of an index entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, IndexEntryError> {
        let text = core::str::from_utf8(bytes).map_err(|_| IndexEntryError::Lines)?;
        let rest = text.strip_prefix(INDEX_HEADER).ok_or(IndexEntryError::Header)?;
        let lines = rest.strip_suffix('\n').ok_or(IndexEntryError::Lines)?;
        let (position, root) = lines.split_once('\n').ok_or(IndexEntryError::Lines)?;
        if root.contains('\n') {
            return Err(IndexEntryError::Lines);
        }
        Ok(Self {
            position: decimal(position).map_err(IndexEntryError::Position)?,
            root: base64_exact(root).map(IndexRoot::from_bytes).map_err(IndexEntryError::Root)?,
        })
    }

    /// The leaf hash of the entry's text.
    pub fn leaf_hash(&self) -> LeafHash {
        merkle::leaf_hash(self.to_string().as_bytes())
    }
}

impl fmt::Display for IndexEntry {
    /// The bytes of the entry: `format(parse(x)) == x`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{INDEX_HEADER}{}\n{}\n", self.position, to_base64(self.root.as_bytes()))
    }
}

/// Why bytes are not a log entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryError {
    /// No bytes at all.
    Empty,
    /// Above [`MAX_ENTRY`].
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// Neither a statement nor an index entry starts with this byte.
    FirstByte {
        /// The first byte.
        found: u8,
    },
    /// It starts as a statement and is not one.
    Statement(StatementError),
    /// It starts as an index entry and is not one.
    Index(IndexEntryError),
}

/// Why bytes are not an index entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexEntryError {
    /// The first line is not `stele/index@v1`.
    Header,
    /// Not three lines of text, each ended by one U+000A.
    Lines,
    /// The second line is not a position.
    Position(DecimalError),
    /// The third line is not a root.
    Root(Base64Error),
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an entry has at least one byte"),
            Self::TooLong { found } => write!(f, "an entry has at most {MAX_ENTRY} bytes, found {found}"),
            Self::FirstByte { found } => {
                write!(f, "an entry starts with 0xd2 (a statement) or 0x73 (an index entry), found {found:#04x}")
            }
            Self::Statement(error) => write!(f, "statement: {error}"),
            Self::Index(error) => write!(f, "index entry: {error}"),
        }
    }
}

impl fmt::Display for IndexEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("expected the first line to be stele/index@v1"),
            Self::Lines => f.write_str("expected three lines, each ended by one line feed"),
            Self::Position(error) => write!(f, "position: {error}"),
            Self::Root(error) => write!(f, "root: {error}"),
        }
    }
}

impl core::error::Error for EntryError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Statement(error) => Some(error),
            Self::Index(error) => Some(error),
            Self::Empty | Self::TooLong { .. } | Self::FirstByte { .. } => None,
        }
    }
}

impl core::error::Error for IndexEntryError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Position(error) => Some(error),
            Self::Root(error) => Some(error),
            Self::Header | Self::Lines => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn an_index_entry_has_one_spelling() {
        for text in [
            String::new(),
            "stele/index@v1".into(),
            "stele/index@v1\n".into(),
            "stele/index@v1\n0\n".into(),
            format!("stele/index@v2\n0\n{ROOT}\n"),
            format!("stele/index@v1\r\n0\r\n{ROOT}\r\n"),
            format!("stele/index@v1\n0\n{ROOT}"),
            format!("stele/index@v1\n0\n{ROOT}\n\n"),
            format!("stele/index@v1\n\n0\n{ROOT}\n"),
            format!("stele/index@v1\n00\n{ROOT}\n"),
            format!("stele/index@v1\n+1\n{ROOT}\n"),
            format!("stele/index@v1\n-1\n{ROOT}\n"),
            format!("stele/index@v1\n 1\n{ROOT}\n"),
            format!("stele/index@v1\n18446744073709551616\n{ROOT}\n"),
            format!("stele/index@v1\n0\n{ROOT} \n"),
            format!("stele/index@v1\n0\n{}\n", ROOT.trim_end_matches('=')),
            format!("stele/index@v1\n0\n{}\n", ROOT.replace("U=", "V=")),
            format!("stele/index@v1\n0\n{}\n", ROOT.replace('+', "-").replace('/', "_")),
            format!("stele/index@v1\n0\n{ROOT}\n{ROOT}\n"),
            "stele/index@v1\n0\n47DEQg==\n".into(),
        ] {
            assert!(Entry::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(IndexEntry::parse(b"stele/index@v1\n0\n\xff\n"), Err(IndexEntryError::Lines));

        let text = format!("stele/index@v1\n18446744073709551615\n{ROOT}\n");
        let entry = IndexEntry::parse(text.as_bytes()).unwrap();
        assert_eq!((entry.position, entry.to_string()), (u64::MAX, text));
    }

    #[test]
    fn the_first_byte_and_the_length_decide_before_anything_is_read() {
        assert!(matches!(Entry::parse(b""), Err(EntryError::Empty)));
        assert!(matches!(Entry::parse(b"{}"), Err(EntryError::FirstByte { found: b'{' })));
        assert!(matches!(Entry::parse(b"\xd2"), Err(EntryError::Statement(_))));
        assert!(matches!(Entry::parse(b"s"), Err(EntryError::Index(IndexEntryError::Header))));
        let long = [b's'; MAX_ENTRY + 1];
        assert!(matches!(Entry::parse(&long), Err(EntryError::TooLong { found: 65_536 })));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(position: u64, root: [u8; 32]) {
            let entry = IndexEntry { position, root: IndexRoot::from_bytes(root) };
            prop_assert_eq!(IndexEntry::parse(entry.to_string().as_bytes()), Ok(entry));
        }

        #[test]
        fn what_parses_is_written_back_as_it_was(position: u64, root: [u8; 32], at: prop::sample::Index, byte: u8) {
            let mut bytes = IndexEntry { position, root: IndexRoot::from_bytes(root) }.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(entry) = IndexEntry::parse(&bytes) {
                prop_assert_eq!(entry.to_string().into_bytes(), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(entry) = Entry::parse(&bytes) {
                prop_assert_eq!(entry.to_bytes(), bytes);
            }
        }
    }
}
