//! Puts the pairs of each map in the order of RFC 8949 §4.2.1, by moving bytes.

use serde::Serialize;

use super::error::CanonicalError;
use super::head::{Head, Reader};
use super::profile::MAX_DEPTH;

/// The encoding of a value with its maps in the order of their declaration.
pub(super) fn declared<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_cbor::to_vec(value).map_err(|error| CanonicalError::Unencodable(error.to_string()))
}

/// The same document with every map in order. Nothing else of it changes, and nothing else is checked.
pub(super) fn sorted(bytes: &[u8]) -> Result<Vec<u8>, CanonicalError> {
    let mut reader = Reader::new(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    item(&mut reader, &mut out, 0)?;
    reader.end()?;
    Ok(out)
}

/// Copies one item. Recursion is bounded as that of the scan, which refuses the same document at that depth.
fn item(reader: &mut Reader<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), CanonicalError> {
    let at = reader.at();
    let head = reader.head()?;
    match head {
        Head::Array(_) | Head::Map(_) | Head::Tag(_) if depth == MAX_DEPTH => {
            return Err(CanonicalError::TooDeep { at });
        }
        Head::Text(length) | Head::Bytes(length) => drop(reader.content(length)?),
        _ => {}
    }
    out.extend_from_slice(reader.since(at));
    match head {
        Head::Array(items) => (0..items).try_for_each(|_| item(reader, out, depth + 1)),
        Head::Map(pairs) => map(reader, pairs, out, depth),
        Head::Tag(_) => item(reader, out, depth + 1),
        _ => Ok(()),
    }
}

/// Where a pair is in the copy.
struct Pair {
    start: usize,
    value: usize,
    end: usize,
}

fn map(reader: &mut Reader<'_>, pairs: u64, out: &mut Vec<u8>, depth: usize) -> Result<(), CanonicalError> {
    let start = out.len();
    let mut places: Vec<Pair> = Vec::new();
    for _ in 0..pairs {
        let start = out.len();
        item(reader, out, depth + 1)?;
        let value = out.len();
        item(reader, out, depth + 1)?;
        places.push(Pair { start, value, end: out.len() });
    }
    let key = |pair: &Pair| out.get(pair.start..pair.value).unwrap_or_default();
    if places.is_sorted_by(|one, next| key(one) <= key(next)) {
        return Ok(());
    }
    places.sort_by(|one, other| key(one).cmp(key(other)));
    let ordered: Vec<u8> =
        places.iter().flat_map(|pair| out.get(pair.start..pair.end).unwrap_or_default()).copied().collect();
    out.truncate(start);
    out.extend_from_slice(&ordered);
    Ok(())
}
