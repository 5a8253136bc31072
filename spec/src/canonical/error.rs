//! Why bytes are not canonical.

use core::fmt;

use super::profile::{MAX_DEPTH, MAX_INTEGER};
use super::shape::ShapeError;

/// Why bytes are not the canonical encoding of a value. Positions count bytes from the start of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalError {
    /// More bytes than the document may have.
    TooLong {
        /// The limit.
        limit: usize,
        /// The length.
        found: usize,
    },
    /// The bytes end inside an item.
    Truncated {
        /// Where they end.
        at: usize,
    },
    /// Bytes after the document.
    TrailingBytes {
        /// Where the document ends.
        at: usize,
        /// How many follow.
        count: usize,
    },
    /// Arrays and maps inside each other, more than [`MAX_DEPTH`].
    TooDeep {
        /// Where the limit is passed.
        at: usize,
    },
    /// An integer or a length that has a shorter form.
    NotShortest {
        /// Where.
        at: usize,
    },
    /// An array, map or string without a length.
    IndefiniteLength {
        /// Where.
        at: usize,
    },
    /// A head that RFC 8949 reserves.
    Reserved {
        /// Where.
        at: usize,
    },
    /// An item of a kind that has no place here.
    Forbidden {
        /// Where.
        at: usize,
        /// What it is.
        item: Item,
    },
    /// An integer above [`MAX_INTEGER`].
    IntegerTooLarge {
        /// Where.
        at: usize,
        /// Its value.
        found: u64,
    },
    /// Text that is not UTF-8.
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// A key of a map that is not text.
    KeyNotText {
        /// Where.
        at: usize,
    },
    /// A key that must come before the one it follows.
    KeyOrder {
        /// Where.
        at: usize,
    },
    /// A key that is there twice.
    DuplicateKey {
        /// Where.
        at: usize,
    },
    /// Another item than the one that must be here.
    Unexpected {
        /// Where.
        at: usize,
        /// What must be here.
        expected: &'static str,
        /// What is.
        found: Item,
    },
    /// Well encoded, but not the fields that the document has.
    Shape(ShapeError),
    /// The value read is written with other bytes: a field that must be left out when it is empty is there.
    NotReproduced,
    /// The value has no encoding; only a program can cause this.
    Unencodable(String),
}

/// A kind of CBOR item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// An unsigned integer.
    Unsigned,
    /// A negative integer.
    Negative,
    /// A byte string.
    Bytes,
    /// Text.
    Text,
    /// An array.
    Array,
    /// A map.
    Map,
    /// A tag with its number.
    Tag(u64),
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// `undefined`, or a simple value that has no name.
    Simple(u64),
    /// A floating-point number.
    Float,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("an integer"),
            Self::Negative => f.write_str("a negative integer"),
            Self::Bytes => f.write_str("a byte string"),
            Self::Text => f.write_str("text"),
            Self::Array => f.write_str("an array"),
            Self::Map => f.write_str("a map"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Null => f.write_str("null"),
            Self::Simple(value) => write!(f, "simple value {value}"),
            Self::Float => f.write_str("a floating-point number"),
        }
    }
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "expected at most {limit} bytes, found {found}"),
            Self::Truncated { at } => write!(f, "the CBOR ends inside an item, at byte {at}"),
            Self::TrailingBytes { at, count } => {
                write!(f, "expected the end of the CBOR at byte {at}, found {count} more bytes")
            }
            Self::TooDeep { at } => write!(f, "arrays and maps are nested more than {MAX_DEPTH} deep at byte {at}"),
            Self::NotShortest { at } => write!(f, "an integer or length at byte {at} is not in its shortest form"),
            Self::IndefiniteLength { at } => write!(f, "an item of indefinite length at byte {at}"),
            Self::Reserved { at } => write!(f, "a reserved CBOR head at byte {at}"),
            Self::Forbidden { at, item } => write!(f, "{item} at byte {at}, where none may be"),
            Self::IntegerTooLarge { at, found } => {
                write!(f, "expected an integer of at most {MAX_INTEGER} at byte {at}, found {found}")
            }
            Self::NotUtf8 { at } => write!(f, "text at byte {at} is not UTF-8"),
            Self::KeyNotText { at } => write!(f, "expected a text key at byte {at}"),
            Self::KeyOrder { at } => write!(f, "the key at byte {at} is not in the order of RFC 8949 section 4.2.1"),
            Self::DuplicateKey { at } => write!(f, "the key at byte {at} is there twice"),
            Self::Unexpected { at, expected, found } => write!(f, "expected {expected} at byte {at}, found {found}"),
            Self::Shape(error) => error.fmt(f),
            Self::NotReproduced => {
                f.write_str("the value is written with other bytes than these: what is empty is left out")
            }
            Self::Unencodable(reason) => write!(f, "the value has no canonical encoding: {reason}"),
        }
    }
}

impl core::error::Error for CanonicalError {}
