//! CBOR items of others, one after the other: heads of definite length in their shortest form, maps in any order without a key twice.

use super::error::{Part, ReceiptError};
use super::limits::MAX_HEADERS;
use crate::canonical::{CanonicalError, Head, MAX_DEPTH, Reader};

/// Reads a document within a receipt; errors say which.
pub(super) struct Items<'a> {
    part: Part,
    reader: Reader<'a>,
}

/// The key of a header, a claim or a kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label<'a> {
    Unsigned(u64),
    /// `-1 - n`.
    Negative(u64),
    Text(&'a str),
}

impl<'a> Items<'a> {
    pub(super) fn new(part: Part, bytes: &'a [u8]) -> Self {
        Self { part, reader: Reader::new(bytes) }
    }

    pub(super) fn head(&mut self) -> Result<Head, ReceiptError> {
        self.reader.head().map_err(self.inside())
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], ReceiptError> {
        self.reader.bytes().map_err(self.inside())
    }

    /// The content of a byte string of which the head said the length.
    pub(super) fn content(&mut self, length: u64) -> Result<&'a [u8], ReceiptError> {
        self.reader.content(length).map_err(self.inside())
    }

    pub(super) fn text(&mut self) -> Result<&'a str, ReceiptError> {
        self.reader.text().map_err(self.inside())
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, ReceiptError> {
        match self.head()? {
            Head::Unsigned(value) => Ok(value),
            other => Err(self.unexpected("an unsigned integer", other)),
        }
    }

    /// The head of an array: how many items it has.
    pub(super) fn array(&mut self) -> Result<u64, ReceiptError> {
        match self.head()? {
            Head::Array(items) => Ok(items),
            other => Err(self.unexpected("an array", other)),
        }
    }

    /// Tag 18 and the array of four parts below it (RFC 9052 §4.2).
    pub(super) fn cose_sign1(&mut self) -> Result<(), ReceiptError> {
        match self.head()? {
            Head::Tag(18) => {}
            other => return Err(self.unexpected("a COSE_Sign1 (tag 18)", other)),
        }
        match self.array()? {
            4 => Ok(()),
            found => Err(ReceiptError::Parts { part: self.part, expected: 4, found }),
        }
    }

    /// A map: `each` reads the value behind every label. No label is there twice.
    pub(super) fn map(
        &mut self,
        mut each: impl FnMut(Label<'a>, &mut Self) -> Result<(), ReceiptError>,
    ) -> Result<(), ReceiptError> {
        let pairs = self.reader.map().map_err(self.inside())?;
        if pairs > MAX_HEADERS {
            return Err(ReceiptError::TooManyHeaders { found: pairs });
        }
        let mut seen = Vec::new();
        for _ in 0..pairs {
            let at = self.reader.at();
            let label = self.label()?;
            if seen.contains(&label) {
                return Err(self.inside()(CanonicalError::DuplicateKey { at }));
            }
            seen.push(label);
            each(label, self)?;
        }
        Ok(())
    }

    /// Reads over one item, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), ReceiptError> {
        self.skip_within(MAX_DEPTH)
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.reader.at()
    }

    pub(super) fn end(&self) -> Result<(), ReceiptError> {
        self.reader.end().map_err(self.inside())
    }

    pub(super) fn unexpected(&self, expected: &'static str, found: Head) -> ReceiptError {
        let at = self.reader.at();
        self.inside()(CanonicalError::Unexpected { at, expected, found: found.item() })
    }

    fn label(&mut self) -> Result<Label<'a>, ReceiptError> {
        match self.head()? {
            Head::Unsigned(label) => Ok(Label::Unsigned(label)),
            Head::Negative(label) => Ok(Label::Negative(label)),
            Head::Text(length) => Ok(Label::Text(self.reader.text_content(length).map_err(self.inside())?)),
            other => Err(self.unexpected("a label: an integer or text", other)),
        }
    }

    fn skip_within(&mut self, depth: usize) -> Result<(), ReceiptError> {
        let at = self.reader.at();
        let items = match self.head()? {
            Head::Bytes(length) => return self.content(length).map(drop),
            Head::Text(length) => return self.reader.text_content(length).map(drop).map_err(self.inside()),
            Head::Array(items) => items,
            Head::Map(pairs) => pairs.saturating_mul(2),
            Head::Tag(_) => 1,
            _ => return Ok(()),
        };
        let deeper = depth.checked_sub(1).ok_or_else(|| self.inside()(CanonicalError::TooDeep { at }))?;
        // Each item is at least a byte, so a count that lies ends with the bytes.
        (0..items).try_for_each(|_| self.skip_within(deeper))
    }

    fn inside(&self) -> impl Fn(CanonicalError) -> ReceiptError + use<> {
        let part = self.part;
        move |error| ReceiptError::Encoding { part, error }
    }
}
