//! The header of a safetensors file: eight bytes of length, then JSON (the format's own limit is 100 MB).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The longest header that is read: a tensor needs about 100 bytes.
const MAX_HEADER: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Tensor { shape: Vec<u64> },
    Other(IgnoredAny),
}

/// How many numbers the tensors of a file hold together.
pub(super) fn parameters(path: &Path, size: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > size.saturating_sub(8) {
        return Err(io::Error::other(format!(
            "its header of {length} bytes is longer than the file or than {MAX_HEADER}"
        )));
    }
    let header: BTreeMap<String, Item> = serde_json::from_reader(io::BufReader::new(file.take(length)))?;
    let mut counts = header.values().map(|item| match item {
        Item::Tensor { shape } => shape.iter().try_fold(1_u64, |count, side| count.checked_mul(*side)),
        Item::Other(_) => Some(0),
    });
    counts
        .try_fold(0_u64, |sum, count| sum.checked_add(count?))
        .ok_or_else(|| io::Error::other("its tensors have more numbers than there can be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(header: &str, length: u64) -> io::Result<u64> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&length.to_le_bytes(), header.as_bytes()].concat();
        std::fs::write(file.path(), &bytes).unwrap();
        parameters(file.path(), bytes.len() as u64)
    }

    #[test]
    fn the_shapes_are_summed_and_metadata_is_no_tensor() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}"#;
        assert_eq!(count(header, header.len() as u64).unwrap(), 7);
    }

    #[test]
    fn headers_that_lie_are_refused() {
        assert!(count("{}", u64::MAX).is_err());
        assert!(count("{}", 3).is_err());
        assert!(count("{", 1).is_err());
        let huge = r#"{"a":{"shape":[18446744073709551615,2]}}"#;
        assert!(count(huge, huge.len() as u64).is_err());
    }
}
