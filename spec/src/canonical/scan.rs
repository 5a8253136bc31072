//! The definition of canonical: RFC 8949 §4.2.1 and the kinds of items that a profile has.

use super::error::{CanonicalError, Item};
use super::head::{Head, Reader};
use super::profile::{MAX_DEPTH, MAX_INTEGER, Profile};

/// Receives the items of a document as the scan accepts them, in their order.
pub(super) trait Visit<'a> {
    fn unsigned(&mut self, value: u64);
    fn boolean(&mut self, value: bool);
    fn text(&mut self, text: &'a str);
    fn bytes(&mut self, bytes: &'a [u8]);
    /// An array or a map begins; its number is given back when it ends.
    fn open(&mut self) -> usize;
    fn close_array(&mut self, opened: usize, items: u64);
    fn close_map(&mut self, opened: usize, pairs: u64);
}

/// Only whether the document is accepted.
impl<'a> Visit<'a> for () {
    fn unsigned(&mut self, _: u64) {}
    fn boolean(&mut self, _: bool) {}
    fn text(&mut self, _: &'a str) {}
    fn bytes(&mut self, _: &'a [u8]) {}
    fn open(&mut self) -> usize {
        0
    }
    fn close_array(&mut self, _: usize, _: u64) {}
    fn close_map(&mut self, _: usize, _: u64) {}
}

/// Accepts the bytes of exactly one item in its one encoding.
pub(super) fn scan<'a>(bytes: &'a [u8], profile: Profile, visit: &mut impl Visit<'a>) -> Result<(), CanonicalError> {
    let mut reader = Reader::new(bytes);
    item(&mut reader, profile, 0, visit)?;
    reader.end()
}

/// Recursion is bounded by `MAX_DEPTH`; a length that lies ends at the end of the bytes.
fn item<'a>(
    reader: &mut Reader<'a>,
    profile: Profile,
    depth: usize,
    visit: &mut impl Visit<'a>,
) -> Result<(), CanonicalError> {
    let at = reader.at();
    match reader.head()? {
        Head::Unsigned(value @ 0..=MAX_INTEGER) => visit.unsigned(value),
        Head::Boolean(value) => visit.boolean(value),
        Head::Unsigned(found) => return Err(CanonicalError::IntegerTooLarge { at, found }),
        Head::Text(length) => visit.text(reader.text_content(length)?),
        Head::Bytes(length) if profile == Profile::Container => visit.bytes(reader.content(length)?),
        Head::Array(_) | Head::Map(_) if depth == MAX_DEPTH => return Err(CanonicalError::TooDeep { at }),
        Head::Array(items) => {
            let opened = visit.open();
            for _ in 0..items {
                item(reader, profile, depth + 1, visit)?;
            }
            visit.close_array(opened, items);
        }
        Head::Map(pairs) => {
            let opened = visit.open();
            map(reader, pairs, profile, depth, visit)?;
            visit.close_map(opened, pairs);
        }
        other => return Err(CanonicalError::Forbidden { at, item: Item::from(other) }),
    }
    Ok(())
}

fn map<'a>(
    reader: &mut Reader<'a>,
    pairs: u64,
    profile: Profile,
    depth: usize,
    visit: &mut impl Visit<'a>,
) -> Result<(), CanonicalError> {
    let mut previous: Option<&[u8]> = None;
    for _ in 0..pairs {
        let at = reader.at();
        let text = match reader.head()? {
            Head::Text(length) => reader.text_content(length)?,
            _ => return Err(CanonicalError::KeyNotText { at }),
        };
        // Bytewise order of the encoded keys.
        let key = reader.since(at);
        match previous {
            Some(previous) if previous == key => return Err(CanonicalError::DuplicateKey { at }),
            Some(previous) if previous > key => return Err(CanonicalError::KeyOrder { at }),
            _ => previous = Some(key),
        }
        visit.text(text);
        item(reader, profile, depth + 1, visit)?;
    }
    Ok(())
}

impl From<Head> for Item {
    fn from(head: Head) -> Self {
        head.item()
    }
}
