#![doc = include_str!("../text/submission.md")]

use core::fmt;

use crate::canonical::{CanonicalError, Head, Reader, Writer};
use crate::entry::MAX_ENTRY;
use crate::manifest::MAX_MANIFEST;

/// The media type.
pub const MEDIA_TYPE: &str = "application/cbor-seq";

/// The longest head of a part: one byte, and four of the length.
pub const MAX_HEAD: usize = 5;

/// The longest submission in bytes.
pub const MAX_SUBMISSION: usize = 2 * MAX_HEAD + MAX_ENTRY + MAX_MANIFEST;

/// A part of a submission, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The signed statement.
    Statement,
    /// The manifest that it names.
    Manifest,
}

/// What the first bytes of a part say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The head is not complete.
    More,
    /// The content follows.
    Content {
        /// The length of the head in bytes.
        head: usize,
        /// The length of the content in bytes.
        length: usize,
    },
}

/// Why bytes are no part of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Not the head of a byte string in its shortest form.
    Head {
        /// The part.
        part: Part,
        /// What is wrong.
        error: CanonicalError,
    },
    /// The part is longer than it may be.
    TooLong {
        /// The part.
        part: Part,
        /// What it may have, in bytes.
        limit: usize,
        /// What it has.
        found: u64,
    },
    /// Bytes follow the manifest.
    Trailing,
}

/// The one encoding of a statement and its manifest.
pub fn encode(statement: &[u8], manifest: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(statement);
    writer.bytes(manifest);
    writer.into_bytes()
}

impl Part {
    /// Reads the head of this part, of which the first bytes are there.
    pub fn head(self, bytes: &[u8]) -> Result<Next, Malformed> {
        let mut reader = Reader::new(bytes);
        let found = match reader.head() {
            Ok(Head::Bytes(found)) => found,
            Ok(other) => {
                let error = CanonicalError::Unexpected { at: 0, expected: "a byte string", found: other.item() };
                return Err(Malformed::Head { part: self, error });
            }
            Err(CanonicalError::Truncated { .. }) => return Ok(Next::More),
            Err(error) => return Err(Malformed::Head { part: self, error }),
        };
        let limit = self.limit();
        match usize::try_from(found).ok().filter(|length| *length <= limit) {
            Some(length) => Ok(Next::Content { head: reader.at(), length }),
            None => Err(Malformed::TooLong { part: self, limit, found }),
        }
    }

    /// The longest content in bytes.
    pub fn limit(self) -> usize {
        match self {
            Self::Statement => MAX_ENTRY,
            Self::Manifest => MAX_MANIFEST,
        }
    }
}

impl Malformed {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too-large",
            Self::Head { .. } | Self::Trailing => "not-a-submission",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Statement => "the statement",
            Self::Manifest => "the manifest",
        })
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head { part, error } => write!(f, "expected {part} as a CBOR byte string: {error}"),
            Self::TooLong { part, limit, found } => {
                write!(f, "expected {part} in at most {limit} bytes, found {found}")
            }
            Self::Trailing => f.write_str("expected the end after the manifest, found more bytes"),
        }
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(part: Part, bytes: &[u8]) -> (&[u8], &[u8]) {
        let Ok(Next::Content { head, length }) = part.head(bytes) else { panic!("{part}: no head") };
        bytes[head..].split_at(length)
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back_from_any_beginning(
            statement in proptest::collection::vec(any::<u8>(), 0..70_000),
            manifest in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            prop_assume!(statement.len() <= MAX_ENTRY);
            let body = encode(&statement, &manifest);
            let (first, rest) = content(Part::Statement, &body);
            let (second, rest) = content(Part::Manifest, rest);
            prop_assert_eq!((first, second, rest), (&statement[..], &manifest[..], &[][..]));
            let Ok(Next::Content { head, .. }) = Part::Statement.head(&body) else { panic!("no head") };
            for short in 0..head {
                prop_assert_eq!(Part::Statement.head(&body[..short]), Ok(Next::More));
            }
        }

        #[test]
        fn any_bytes_are_a_head_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(Next::Content { head, length }) = Part::Manifest.head(&bytes) {
                prop_assert!(head <= MAX_HEAD && length <= MAX_MANIFEST);
            }
        }
    }

    #[test]
    fn other_heads_and_long_parts_are_refused() {
        for (bytes, code) in [
            (&b"\x82"[..], "not-a-submission"),     // an array
            (b"\xd2\x84", "not-a-submission"),      // a statement as it is
            (b"\x58\x05", "not-a-submission"),      // a length that fits a shorter head
            (b"\x5f", "not-a-submission"),          // no length
            (b"\x5a\x00\x01\x00\x00", "too-large"), // 65,536
            (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "too-large"),
        ] {
            assert_eq!(Part::Statement.head(bytes).unwrap_err().code(), code, "{bytes:x?}");
        }
        assert!(matches!(Part::Statement.head(b"\x59\xff\xff"), Ok(Next::Content { head: 3, length: 65_535 })));
        let longest = [&[0x5a][..], &(MAX_MANIFEST as u32).to_be_bytes()].concat();
        assert_eq!(Part::Manifest.head(&longest), Ok(Next::Content { head: 5, length: MAX_MANIFEST }));
        let longer = [&[0x5a][..], &(MAX_MANIFEST as u32 + 1).to_be_bytes()].concat();
        assert_eq!(Part::Manifest.head(&longer).unwrap_err().code(), "too-large");
    }
}
