//! A manifest store of C2PA, and the headers of the files that may have one in them: the first byte picks the reader. A place that is found lies in the file.

use std::io::Cursor;

use stele_c2pa::cbor::Value;
use stele_c2pa::{ManifestStore, onnx, safetensors};

/// One input.
pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let size = bytes.len() as u64;
    let places = match which % 4 {
        0 => {
            let _ = ManifestStore::parse(bytes);
            return;
        }
        1 => {
            let _ = Value::parse(bytes);
            return;
        }
        2 => match safetensors::header(bytes, size) {
            Ok(Some(header)) => safetensors::values(&header).unwrap_or_default(),
            _ => return,
        },
        _ => onnx::values(Cursor::new(bytes), size).expect("memory is read").unwrap_or_default(),
    };
    assert!(places.iter().all(|place| place.start <= place.end && place.end <= size), "{places:?}");
}
