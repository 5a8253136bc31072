//! Whether a file of weights is as long as its own header says.

use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// The longest header of safetensors that is read (the format's own limit is 100 MB); one item is held at a time.
const MAX_HEADER: u64 = 100_000_000;

/// What the header of a safetensors file says of its length, and what keeps the format's own library from loading it.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// How many bytes the file must have.
    pub(super) least: u64,
    /// What is wrong, in words.
    pub(super) fault: Option<String>,
}

/// Reads the header of a safetensors file of a size; an error where it cannot be read.
pub(super) fn safetensors(path: &Path, size: u64) -> io::Result<Layout> {
    let mut file = BufReader::new(File::open(path)?);
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let begin = length.saturating_add(8);
    if length > MAX_HEADER || begin > size {
        return Ok(Layout { least: begin, fault: None });
    }
    let mut header = serde_json::Deserializer::from_reader(file.take(length));
    let Places { mut places, mut fault } = header.deserialize_map(ReadPlaces)?;
    places.sort_unstable();
    // The tensors stand one behind the other, from the first byte to the last.
    let mut end = 0;
    for [from, to] in &places {
        match from.cmp(&end) {
            Ordering::Less => fault = fault.or_else(|| Some(format!("two tensors share the byte {from}"))),
            Ordering::Greater => {
                fault = fault.or_else(|| Some(format!("the bytes {end} to {from} belong to no tensor")))
            }
            Ordering::Equal => {}
        }
        end = end.max(*to);
    }
    let least = begin.saturating_add(end);
    if size > least {
        fault = fault.or_else(|| Some(format!("{} bytes follow the last tensor", size - least)));
    }
    Ok(Layout { least, fault })
}

/// Where the tensors of a header stand, and the first that is longer or shorter than its shape and type say.
#[derive(Default)]
struct Places {
    places: Vec<[u64; 2]>,
    fault: Option<String>,
}

/// Reads the header's items one by one, and keeps where each stands.
struct ReadPlaces;

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    data_offsets: Option<[u64; 2]>,
    #[serde(default)]
    dtype: String,
    #[serde(default)]
    shape: Vec<u64>,
}

impl Item {
    /// How many bytes its numbers take; none where the type is not known, or they are more than there can be.
    fn bytes(&self) -> Option<u64> {
        let bits = match self.dtype.as_str() {
            "F64" | "I64" | "U64" | "C64" => 64,
            "F32" | "I32" | "U32" => 32,
            "F16" | "BF16" | "I16" | "U16" => 16,
            "I8" | "U8" | "BOOL" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" => 8,
            "F6_E2M3" | "F6_E3M2" => 6,
            "F4" => 4,
            _ => return None,
        };
        let numbers = self.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))?;
        Some(numbers.checked_mul(bits)?.div_ceil(8))
    }
}

impl<'de> Visitor<'de> for ReadPlaces {
    type Value = Places;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the header of a safetensors file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Places, A::Error> {
        let mut found = Places::default();
        while let Some(name) = items.next_key::<String>()? {
            // No tensor, and `null` where the writer had nothing to say.
            if name == "__metadata__" {
                items.next_value::<IgnoredAny>()?;
                continue;
            }
            let item: Item = items.next_value()?;
            let Some([from, to]) = item.data_offsets else { continue };
            let stands = to.saturating_sub(from);
            if let Some(needs) = item.bytes().filter(|needs| *needs != stands) {
                let name = name.chars().take(100).collect::<String>();
                found.fault.get_or_insert_with(|| {
                    format!("the tensor {name:?} has {stands} bytes, and its shape and type need {needs}")
                });
            }
            found.places.push([from, to]);
        }
        Ok(found)
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
        (safetensors(file.path(), bytes.len() as u64).unwrap().least, bytes.len() as u64)
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
    fn what_no_library_loads_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fault = |tensors: &str, data: usize| {
            let bytes = [&(tensors.len() as u64).to_le_bytes()[..], tensors.as_bytes(), &vec![0; data]].concat();
            std::fs::write(file.path(), &bytes).unwrap();
            safetensors(file.path(), bytes.len() as u64).unwrap().fault.unwrap_or_default()
        };
        let one = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        assert_eq!(fault(&format!("{{{one}}}"), 8), "");
        assert_eq!(fault(r#"{"a":{"dtype":"NEW","shape":[2],"data_offsets":[0,5]}}"#, 5), "");
        assert_eq!(fault(r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, 2), "");
        assert_eq!(fault(&format!("{{{one}}}"), 9), "1 bytes follow the last tensor");
        let beside = |at: &str| format!(r#"{{{one},"b":{{"dtype":"U8","shape":[1],"data_offsets":{at}}}}}"#);
        assert_eq!(fault(&beside("[8,9]"), 9), "");
        assert_eq!(fault(&beside("[7,8]"), 8), "two tensors share the byte 7");
        assert_eq!(fault(&beside("[10,11]"), 11), "the bytes 8 to 10 belong to no tensor");
        let long = r#"{"a":{"dtype":"F32","shape":[400000],"data_offsets":[0,16]}}"#;
        assert_eq!(fault(long, 16), "the tensor \"a\" has 16 bytes, and its shape and type need 1600000");
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
        assert_eq!(safetensors(file.path(), 9).unwrap().least, 1008);
    }
}
