//! Entry bundles: entries after their lengths, as c2sp.org/tlog-tiles serves them.

use super::TileError;

/// Writes each entry after its length as a big-endian u16.
pub fn encode_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryLength { found: entry.len() })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads a bundle of exactly `width` entries; they borrow from it.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    let wrong = |found: usize| TileError::BundleLength { expected: width, found: found as u16 };
    while entries.len() < usize::from(width) {
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(|| wrong(entries.len()))?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(|| wrong(entries.len()))?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(wrong(entries.len())) }
}
