//! Whether the shards of an index have the tensors that it says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};

use serde::Deserialize;
use serde::de::IgnoredAny;
use stele_verify::folder::walk::Found;

/// The longest index that is read: one of a million tensors is shorter.
const MAX_INDEX: u64 = 128 << 20;
/// The longest header of safetensors that is read.
const MAX_HEADER: u64 = 100_000_000;

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    weight_map: BTreeMap<String, String>,
}

/// The first tensor that an index names in a shard which does not have it, in words. What cannot be read is said elsewhere.
pub(super) fn wrong(index: &Found, files: &[Found]) -> io::Result<Option<String>> {
    let path = index.path.as_str();
    if !path.contains(".safetensors.index") || !path.ends_with(".json") || index.size > MAX_INDEX {
        return Ok(None);
    }
    let read = serde_json::from_reader::<_, Index>(BufReader::new(File::open(&index.open)?));
    let Ok(Index { weight_map }) = read else { return Ok(None) };
    let mut tensors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (tensor, shard) in &weight_map {
        tensors.entry(shard).or_default().push(tensor);
    }
    let folder = path.strip_suffix(index.path.file_name()).unwrap_or_default();
    for (shard, tensors) in tensors {
        let here = files.iter().find(|file| file.path.as_str().strip_prefix(folder) == Some(shard));
        let Some(header) = here.and_then(|file| header(file).transpose()).transpose()? else { continue };
        if let Some(missing) = tensors.into_iter().find(|tensor| !header.contains_key(*tensor)) {
            let (missing, shard) = (missing.chars().take(100).collect::<String>(), shard.to_owned());
            return Ok(Some(format!("it names the tensor {missing:?} in {shard}, which does not have it")));
        }
    }
    Ok(None)
}

/// The names in the header of a file of safetensors; none where it is no such file.
fn header(file: &Found) -> io::Result<Option<BTreeMap<String, IgnoredAny>>> {
    let mut open = BufReader::new(File::open(&file.open)?);
    let mut length = [0; 8];
    if file.size < 8 {
        return Ok(None);
    }
    open.read_exact(&mut length)?;
    Ok(serde_json::from_reader(open.take(u64::from_le_bytes(length).min(MAX_HEADER))).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_that_its_shard_does_not_have_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let open = folder.path().join(path.replace('/', "-"));
            std::fs::write(&open, bytes).unwrap();
            Found { path: path.parse().unwrap(), open, size: bytes.len() as u64 }
        };
        let header = br#"{"v":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        let shard = [&(header.len() as u64).to_le_bytes()[..], header, b"x"].concat();
        let files = [write("a/model-1.safetensors", &shard), write("b/model-1.safetensors", b"none")];
        let of = |folder: &str, map: &str| {
            let index = write(&format!("{folder}/model.safetensors.index.json"), map.as_bytes());
            wrong(&index, &files).unwrap()
        };
        assert_eq!(of("a", r#"{"weight_map": {"v": "model-1.safetensors"}}"#), None);
        let said = of("a", r#"{"weight_map": {"v": "model-1.safetensors", "u": "model-1.safetensors"}}"#);
        assert_eq!(said.unwrap(), "it names the tensor \"u\" in model-1.safetensors, which does not have it");
        assert_eq!(of("b", r#"{"weight_map": {"u": "model-1.safetensors"}}"#), None, "its header is said elsewhere");
        assert_eq!(of("a", r#"{"weight_map": {"u": "gone.safetensors"}}"#), None, "it is said that it is missing");
        assert_eq!(of("a", "{"), None);
    }
}
