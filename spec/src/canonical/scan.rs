//! The definition of canonical: RFC 8949 §4.2.1 and the kinds of items that a profile has.

use super::error::{CanonicalError, Item};
use super::head::{Head, Reader};
use super::profile::{MAX_DEPTH, MAX_INTEGER, Profile};

/// Accepts the bytes of exactly one item in its one encoding.
pub(super) fn scan(bytes: &[u8], profile: Profile) -> Result<(), CanonicalError> {
    let mut reader = Reader::new(bytes);
    item(&mut reader, profile, 0)?;
    reader.end()
}

/// Recursion is bounded by `MAX_DEPTH`; a length that lies ends at the end of the bytes.
fn item(reader: &mut Reader<'_>, profile: Profile, depth: usize) -> Result<(), CanonicalError> {
    let at = reader.at();
    match reader.head()? {
        Head::Unsigned(0..=MAX_INTEGER) | Head::Boolean(_) => Ok(()),
        Head::Unsigned(found) => Err(CanonicalError::IntegerTooLarge { at, found }),
        Head::Text(length) => reader.text_content(length).map(drop),
        Head::Bytes(length) if profile == Profile::Container => reader.content(length).map(drop),
        Head::Array(_) | Head::Map(_) if depth == MAX_DEPTH => Err(CanonicalError::TooDeep { at }),
        Head::Array(items) => (0..items).try_for_each(|_| item(reader, profile, depth + 1)),
        Head::Map(pairs) => map(reader, pairs, profile, depth),
        other => Err(CanonicalError::Forbidden { at, item: Item::from(other) }),
    }
}

fn map(reader: &mut Reader<'_>, pairs: u64, profile: Profile, depth: usize) -> Result<(), CanonicalError> {
    let mut previous: Option<&[u8]> = None;
    for _ in 0..pairs {
        let at = reader.at();
        match reader.head()? {
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
        item(reader, profile, depth + 1)?;
    }
    Ok(())
}

impl From<Head> for Item {
    fn from(head: Head) -> Self {
        head.item()
    }
}
