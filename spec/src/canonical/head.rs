//! Heads of CBOR items (RFC 8949 §3), read and written in their shortest form only.

use super::error::{CanonicalError, Item};

/// The first bytes of an item: its major type, and the number that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Major type 0.
    Unsigned(u64),
    /// Major type 1: the integer `-1 - n`.
    Negative(u64),
    /// Major type 2, with the length.
    Bytes(u64),
    /// Major type 3, with the length in bytes.
    Text(u64),
    /// Major type 4, with the number of items.
    Array(u64),
    /// Major type 5, with the number of pairs.
    Map(u64),
    /// Major type 6.
    Tag(u64),
    /// Major type 7 with a value of 20 or 21.
    Boolean(bool),
    /// Major type 7 with a value of 22.
    Null,
    /// Major type 7 with another simple value.
    Simple(u64),
    /// Major type 7 with 2, 4 or 8 bytes.
    Float,
}

impl Head {
    /// What the item is, without its value.
    pub(crate) fn item(self) -> Item {
        match self {
            Self::Unsigned(_) => Item::Unsigned,
            Self::Negative(_) => Item::Negative,
            Self::Bytes(_) => Item::Bytes,
            Self::Text(_) => Item::Text,
            Self::Array(_) => Item::Array,
            Self::Map(_) => Item::Map,
            Self::Tag(tag) => Item::Tag(tag),
            Self::Boolean(_) => Item::Boolean,
            Self::Null => Item::Null,
            Self::Simple(value) => Item::Simple(value),
            Self::Float => Item::Float,
        }
    }
}

/// Reads a document from its start to its end. Nothing is copied and nothing is allocated.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { whole: bytes, rest: bytes }
    }

    /// How many bytes have been read.
    pub(crate) fn at(&self) -> usize {
        self.whole.len() - self.rest.len()
    }

    /// The bytes read since position `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.whole.get(start..self.at()).unwrap_or_default()
    }

    /// Reads one head.
    pub(crate) fn head(&mut self) -> Result<Head, CanonicalError> {
        let at = self.at();
        let [initial] = self.take::<1>()?;
        let (major, low) = (initial >> 5, initial & 0x1f);
        let (value, shortest) = match low {
            0..=23 => (u64::from(low), true),
            24 => {
                let value = u64::from(u8::from_be_bytes(self.take()?));
                (value, value >= 24)
            }
            25 => {
                let value = u64::from(u16::from_be_bytes(self.take()?));
                (value, value > 0xff)
            }
            26 => {
                let value = u64::from(u32::from_be_bytes(self.take()?));
                (value, value > 0xffff)
            }
            27 => {
                let value = u64::from_be_bytes(self.take()?);
                (value, value > 0xffff_ffff)
            }
            31 if matches!(major, 2..=5 | 7) => return Err(CanonicalError::IndefiniteLength { at }),
            _ => return Err(CanonicalError::Reserved { at }),
        };
        if major == 7 {
            return match (low, value) {
                (25..=27, _) => Ok(Head::Float),
                (20, _) => Ok(Head::Boolean(false)),
                (21, _) => Ok(Head::Boolean(true)),
                (22, _) => Ok(Head::Null),
                (24, 0..=31) => Err(CanonicalError::NotShortest { at }),
                (_, value) => Ok(Head::Simple(value)),
            };
        }
        if !shortest {
            return Err(CanonicalError::NotShortest { at });
        }
        Ok(match major {
            0 => Head::Unsigned(value),
            1 => Head::Negative(value),
            2 => Head::Bytes(value),
            3 => Head::Text(value),
            4 => Head::Array(value),
            5 => Head::Map(value),
            _ => Head::Tag(value),
        })
    }

    /// Reads the content of a string of which the head said the length.
    pub(crate) fn content(&mut self, length: u64) -> Result<&'a [u8], CanonicalError> {
        let end = self.whole.len();
        let (content, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or(CanonicalError::Truncated { at: end })?;
        self.rest = rest;
        Ok(content)
    }

    /// Reads the content of a text of which the head said the length.
    pub(crate) fn text_content(&mut self, length: u64) -> Result<&'a str, CanonicalError> {
        let at = self.at();
        core::str::from_utf8(self.content(length)?).map_err(|_| CanonicalError::NotUtf8 { at })
    }

    /// Reads a byte string.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], CanonicalError> {
        let at = self.at();
        match self.head()? {
            Head::Bytes(length) => self.content(length),
            other => Err(CanonicalError::Unexpected { at, expected: "a byte string", found: other.item() }),
        }
    }

    /// Reads text.
    pub(crate) fn text(&mut self) -> Result<&'a str, CanonicalError> {
        let at = self.at();
        match self.head()? {
            Head::Text(length) => self.text_content(length),
            other => Err(CanonicalError::Unexpected { at, expected: "text", found: other.item() }),
        }
    }

    /// Reads the head of a map and gives the number of its pairs.
    pub(crate) fn map(&mut self) -> Result<u64, CanonicalError> {
        let at = self.at();
        match self.head()? {
            Head::Map(pairs) => Ok(pairs),
            other => Err(CanonicalError::Unexpected { at, expected: "a map", found: other.item() }),
        }
    }

    /// The document ends here.
    pub(crate) fn end(&self) -> Result<(), CanonicalError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(CanonicalError::TrailingBytes { at: self.at(), count: self.rest.len() })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CanonicalError> {
        let (bytes, rest) =
            self.rest.split_first_chunk::<N>().ok_or(CanonicalError::Truncated { at: self.whole.len() })?;
        self.rest = rest;
        Ok(*bytes)
    }
}

/// Writes items one after the other; the caller keeps to the order of keys.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn tag(&mut self, tag: u64) {
        self.head(6, tag);
    }

    pub(crate) fn array(&mut self, items: u64) {
        self.head(4, items);
    }

    pub(crate) fn map(&mut self, pairs: u64) {
        self.head(5, pairs);
    }

    pub(crate) fn unsigned(&mut self, value: u64) {
        self.head(0, value);
    }

    /// Writes `-1 - n`.
    pub(crate) fn negative(&mut self, n: u64) {
        self.head(1, n);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn null(&mut self) {
        self.0.push(0xf6);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.head(3, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let wide = value.to_be_bytes();
        let (low, used) = match value {
            0..=23 => (wide[7], 0),
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major | low);
        self.0.extend(wide.iter().skip(8 - used));
    }
}
