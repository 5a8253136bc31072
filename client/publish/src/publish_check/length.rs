//! Whether a file of weights is as long as its own header says.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// The longest header of safetensors that is read (the format's own limit is 100 MB); one item is held at a time.
const MAX_HEADER: u64 = 100_000_000;

/// How many bytes a safetensors file must have by its header; an error where the header cannot be read.
pub(super) fn safetensors(path: &Path, size: u64) -> io::Result<u64> {
    let mut file = BufReader::new(File::open(path)?);
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let begin = length.saturating_add(8);
    if length > MAX_HEADER || begin > size {
        return Ok(begin);
    }
    let mut header = serde_json::Deserializer::from_reader(file.take(length));
    let end = header.deserialize_map(LastByte)?;
    Ok(begin.saturating_add(end))
}

/// Reads the header's items one by one, and keeps the largest end of a tensor.
struct LastByte;

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    data_offsets: Option<[u64; 2]>,
}

impl<'de> Visitor<'de> for LastByte {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the header of a safetensors file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
        let mut last = 0;
        while let Some(name) = items.next_key::<String>()? {
            // No tensor, and `null` where the writer had nothing to say.
            if name == "__metadata__" {
                items.next_value::<IgnoredAny>()?;
                continue;
            }
            let item: Item = items.next_value()?;
            last = item.data_offsets.map_or(last, |[_, end]| last.max(end));
        }
        Ok(last)
    }
}

/// How many bytes an HDF5 file must have by its superblock; nothing where it is of a version that is not known.
pub(super) fn hdf5(path: &Path) -> io::Result<Option<u64>> {
    /// The longest superblock, with offsets of 8 bytes.
    const SUPERBLOCK: usize = 56;
    let mut block = Vec::new();
    File::open(path)?.take(SUPERBLOCK as u64).read_to_end(&mut block)?;
    // Versions 0 and 1 have the size of an offset at 13, versions 2 and 3 at 9; the end of the file is the third offset.
    let (size_of_offsets, first) = match block.get(8) {
        Some(0) => (13, 24),
        Some(1) => (13, 28),
        Some(2 | 3) => (9, 12),
        Some(_) => return Ok(None),
        None => return Ok(Some(SUPERBLOCK as u64)),
    };
    if block.get(size_of_offsets).is_some_and(|size| *size != 8) {
        return Ok(None);
    }
    let end = block.get(first + 16..).and_then(|rest| rest.first_chunk::<8>());
    Ok(Some(end.map_or(SUPERBLOCK as u64, |end| u64::from_le_bytes(*end))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(header: &str, data: usize) -> (u64, u64) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat();
        std::fs::write(file.path(), &bytes).unwrap();
        (safetensors(file.path(), bytes.len() as u64).unwrap(), bytes.len() as u64)
    }

    #[test]
    fn a_file_is_as_long_as_its_last_tensor_says() {
        let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let (expected, found) = needed(header, 16);
        assert_eq!(expected, found);
        let (expected, found) = needed(header, 15);
        assert_eq!(expected, found + 1);
        assert_eq!(needed("{}", 0), (10, 10));
        // As MLX writes it, and with a key that a tensor has too.
        for metadata in ["null", r#"{"data_offsets":"[0,99]"}"#] {
            let header =
                format!(r#"{{"__metadata__":{metadata},"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}}"#);
            let (expected, found) = needed(&header, 8);
            assert_eq!(expected, found, "{metadata}");
        }
    }

    #[test]
    fn a_file_of_hdf5_is_as_long_as_its_superblock_says() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let expected = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            hdf5(file.path()).unwrap()
        };
        let magic = b"\x89HDF\r\n\x1a\n";
        let old =
            [&magic[..], &[0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0], &[0; 16], &800_u64.to_le_bytes()].concat();
        assert_eq!(expected(&old), Some(800));
        let new = [&magic[..], &[2, 8, 8, 0], &[0; 16], &2048_u64.to_le_bytes()].concat();
        assert_eq!(expected(&new), Some(2048));
        assert_eq!(expected(&magic[..]), Some(56));
        assert_eq!(expected(&new[..20]), Some(56));
        assert_eq!(expected(&[&magic[..], &[9; 50]].concat()), None);
    }

    #[test]
    fn a_header_that_is_cut_is_longer_than_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [&1000_u64.to_le_bytes()[..], b"{"].concat()).unwrap();
        assert_eq!(safetensors(file.path(), 9).unwrap(), 1008);
    }
}
