//! The names in a ZIP archive: PyTorch keeps a pickle in one, beside the tensors, and NumPy an array in each file.

use std::io::{self, Read, Seek, SeekFrom};

use crate::numpy;

/// The record that ends an archive, with the longest comment behind it.
const MAX_END: u64 = 22 + 65_535;
/// The longest list of names that is read: a checkpoint of a million tensors has less.
const MAX_NAMES: u64 = 64 << 20;

/// Whether an archive holds a pickle; nothing where its list of names cannot be read.
pub fn holds_pickle(mut file: impl Read + Seek, size: u64) -> io::Result<Option<bool>> {
    let tail = read_at(&mut file, size.saturating_sub(MAX_END), size.min(MAX_END))?;
    let Some(end) = tail.windows(4).rposition(|four| four == b"PK\x05\x06") else { return Ok(None) };
    let record = tail.get(end..).unwrap_or_default();
    let (Some(mut length), Some(mut start)) = (number::<4>(record, 12), number::<4>(record, 16)) else {
        return Ok(None);
    };
    if length == u64::from(u32::MAX) || start == u64::from(u32::MAX) || number::<2>(record, 10) == Some(0xffff) {
        // ZIP64: a locator stands before the record, and names the place of the larger one.
        let Some(locator) = end.checked_sub(20).and_then(|at| tail.get(at..end)) else { return Ok(None) };
        let Some(place) = number::<8>(locator, 8).filter(|_| locator.starts_with(b"PK\x06\x07")) else {
            return Ok(None);
        };
        let large = read_at(&mut file, place, 56)?;
        let (Some(long), Some(from)) = (number::<8>(&large, 40), number::<8>(&large, 48)) else { return Ok(None) };
        (length, start) = (long, from);
    }
    if length > MAX_NAMES {
        return Ok(None);
    }
    let names = read_at(&mut file, start, length)?;
    let mut rest = names.as_slice();
    while rest.starts_with(b"PK\x01\x02") {
        let (Some(name), Some(extra), Some(comment)) =
            (number::<2>(rest, 28), number::<2>(rest, 30), number::<2>(rest, 32))
        else {
            return Ok(None);
        };
        let named = usize::try_from(46 + name).unwrap_or(usize::MAX);
        let Some(text) = rest.get(46..named) else { return Ok(None) };
        let text = text.to_ascii_lowercase();
        if text.ends_with(b".pkl") || text.ends_with(b".pickle") {
            return Ok(Some(true));
        }
        if text.ends_with(b".npy") && is_array_of_objects(&mut file, rest)? {
            return Ok(Some(true));
        }
        let next = usize::try_from(46 + name + extra + comment).unwrap_or(usize::MAX);
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok(rest.is_empty().then_some(false))
}

/// Whether what a record of the list stands for is an array of objects, where it is stored as it is.
fn is_array_of_objects(file: &mut (impl Read + Seek), record: &[u8]) -> io::Result<bool> {
    let (Some(0), Some(at)) = (number::<2>(record, 10), number::<4>(record, 42)) else { return Ok(false) };
    let before = read_at(file, at, 30)?;
    let (Some(name), Some(extra)) = (number::<2>(&before, 26), number::<2>(&before, 28)) else { return Ok(false) };
    Ok(numpy::holds_pickle(&read_at(file, at + 30 + name + extra, numpy::HEAD)?))
}

/// Whether the record that ends an archive is not there.
pub fn is_cut(mut file: impl Read + Seek, size: u64) -> io::Result<bool> {
    let tail = read_at(&mut file, size.saturating_sub(MAX_END), size.min(MAX_END))?;
    Ok(!tail.windows(4).any(|four| four == b"PK\x05\x06"))
}

fn read_at(file: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `N` bytes at a place, the lowest first.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut value = [0; 8];
    value.get_mut(..N)?.copy_from_slice(bytes.get(at..at + N)?);
    Some(u64::from_le_bytes(value))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Cursor;

    /// An archive with these names and no content.
    pub(crate) fn archive(names: &[&str]) -> Vec<u8> {
        stored(&names.iter().map(|name| (*name, &b""[..])).collect::<Vec<_>>())
    }

    fn stored(contents: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut files, mut list) = (Vec::new(), Vec::new());
        for (name, content) in contents {
            let at = files.len() as u32;
            let length = (name.len() as u16).to_le_bytes();
            files.extend([b"PK\x03\x04".as_slice(), &[0; 22], &length, &[0; 2], name.as_bytes(), content].concat());
            let place = at.to_le_bytes();
            list.extend([b"PK\x01\x02".as_slice(), &[0; 24], &length, &[0; 12], &place, name.as_bytes()].concat());
        }
        let count = (contents.len() as u16).to_le_bytes();
        let (length, start) = ((list.len() as u32).to_le_bytes(), (files.len() as u32).to_le_bytes());
        [files, list, [b"PK\x05\x06".as_slice(), &[0; 4], &count, &count, &length, &start, &[0; 2]].concat()].concat()
    }

    #[test]
    fn an_archive_is_known_by_its_names_and_its_arrays() {
        let holds = |bytes: &[u8]| holds_pickle(Cursor::new(bytes), bytes.len() as u64).unwrap();
        assert_eq!(holds(&archive(&["archive/data.pkl", "archive/data/0"])), Some(true));
        assert_eq!(holds(&archive(&["w.npy", "b.npy"])), Some(false));
        let bytes = |descr: &str| {
            let header = format!("{{'descr': '{descr}', 'shape': ()}}\n");
            [&b"\x93NUMPY\x01\0\x20\0"[..], header.as_bytes()].concat()
        };
        assert_eq!(holds(&stored(&[("a.npy", &bytes("<f4")), ("b.npy", &bytes("<f8"))])), Some(false));
        assert_eq!(holds(&stored(&[("a.npy", &bytes("<f4")), ("b.npy", &bytes("|O"))])), Some(true));
        let broken = archive(&["archive/data.pkl"]);
        assert_eq!(holds(&broken[..broken.len() - 22]), None);
        let cut = |bytes: &[u8]| is_cut(Cursor::new(bytes), bytes.len() as u64).unwrap();
        assert!(!cut(&broken) && cut(&broken[..broken.len() - 22]));
        for end in 0..broken.len() {
            holds(&broken[..end]);
        }
    }
}
