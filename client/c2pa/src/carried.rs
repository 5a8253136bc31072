//! What of C2PA a file carries, and the digests of the file with it and without it.

use core::ops::Range;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use stele_regular_file as regular_file;
use stele_spec::hash::Digest;
use stele_spec::text;

use crate::store::{MAX_STORE, ManifestStore, StoreError};
use crate::{jumbf, onnx, safetensors};

/// How much of a file is hashed at once.
const BUFFER: usize = 1 << 20;

/// The longest Base64 of a store that is read.
const MAX_BASE64: u64 = (MAX_STORE as u64).div_ceil(3) * 4;

/// What a file is that may carry a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Safetensors.
    Safetensors,
    /// A model of ONNX.
    Onnx,
    /// A manifest store alone: what lies beside a model as `.c2pa`.
    Store,
}

impl Format {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Onnx => "onnx",
            Self::Store => "c2pa",
        }
    }
}

/// A file that may carry a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// What it is.
    pub format: Format,
    /// Its size.
    pub size: u64,
    /// The manifest that it carries.
    pub manifest: Option<Carried>,
}

/// A manifest that a file carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Where in the file it is: its Base64, or of a store alone the whole file. Empty where that is not known.
    pub place: Range<u64>,
    /// What is in it.
    pub store: Result<ManifestStore, StoreError>,
}

impl ModelFile {
    /// Looks into a file; none where it is of no such format.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let (mut file, found) = regular_file::open(path)?;
        let size = found.len();
        let mut head = Vec::new();
        file.by_ref().take(8).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(0))?;
        if jumbf::begins(&head) {
            let store = if size > MAX_STORE as u64 {
                Err(StoreError::TooLong { found: usize::try_from(size).unwrap_or(usize::MAX) })
            } else {
                let mut bytes = Vec::new();
                file.take(MAX_STORE as u64).read_to_end(&mut bytes)?;
                ManifestStore::parse(&bytes)
            };
            let manifest = Some(Carried { place: 0..size, store });
            return Ok(Some(Self { format: Format::Store, size, manifest }));
        }
        if let Some(header) = safetensors::header(&mut file, size)? {
            let Ok(places) = safetensors::values(&header) else { return Ok(None) };
            let manifest = one_of(&mut file, &places)?;
            return Ok(Some(Self { format: Format::Safetensors, size, manifest }));
        }
        file.seek(SeekFrom::Start(0))?;
        let Some(places) = onnx::values(BufReader::new(&mut file), size)? else { return Ok(None) };
        let manifest = one_of(&mut file, &places)?;
        Ok(Some(Self { format: Format::Onnx, size, manifest }))
    }
}

/// The one manifest that a file may have.
fn one_of(file: &mut File, places: &[Range<u64>]) -> io::Result<Option<Carried>> {
    let place = match places {
        [] => return Ok(None),
        [place] => place.clone(),
        several => {
            return Ok(Some(Carried { place: 0..0, store: Err(StoreError::Several { found: several.len() }) }));
        }
    };
    let length = place.end.saturating_sub(place.start);
    if length > MAX_BASE64 {
        let found = usize::try_from(length / 4 * 3).unwrap_or(usize::MAX);
        return Ok(Some(Carried { place, store: Err(StoreError::TooLong { found }) }));
    }
    let mut encoded = Vec::new();
    file.seek(SeekFrom::Start(place.start))?;
    file.take(length).read_to_end(&mut encoded)?;
    let decoded = str::from_utf8(&encoded).ok().and_then(|encoded| text::base64(encoded).ok());
    let store = match decoded {
        Some(bytes) if !bytes.is_empty() => ManifestStore::parse(&bytes),
        _ => Err(StoreError::NotBase64),
    };
    Ok(Some(Carried { place, store }))
}

/// SHA-256 of a file, and of the file without some of its bytes, in one pass.
pub fn digests(path: &Path, left_out: &Range<u64>) -> io::Result<(Digest, Digest)> {
    let (mut file, _) = regular_file::open(path)?;
    let (mut whole, mut without) = (Sha256::new(), Sha256::new());
    let mut buffer = vec![0; BUFFER];
    let mut at = 0_u64;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        whole.update(bytes);
        // What lies before the place, and what lies behind it.
        let within = |place: u64| usize::try_from(place.saturating_sub(at)).map_or(read, |within| within.min(read));
        without.update(bytes.get(..within(left_out.start)).unwrap_or_default());
        without.update(bytes.get(within(left_out.end)..).unwrap_or_default());
        at += read as u64;
    }
    let digest = |hasher: Sha256| Digest::from_bytes(hasher.finalize().into());
    Ok((digest(whole), digest(without)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KEY;
    use crate::store::tests::{claim_v2, store};

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn safetensors(metadata: &str) -> Vec<u8> {
        let header =
            format!(r#"{{"__metadata__":{{{metadata}}},"w":{{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}}}"#);
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), b"abc"].concat()
    }

    #[test]
    fn a_manifest_is_read_in_each_place_that_it_has() {
        let bytes = store("c2pa.claim.v2", &claim_v2(), b"\xa0");
        let encoded = text::to_base64(&bytes);
        let embedded = safetensors(&format!(r#""c2pa:manifest":"{encoded}""#));
        let model = onnx::tests::model(&[(KEY, &encoded)]);
        for (bytes, format) in [(&embedded, Format::Safetensors), (&model, Format::Onnx), (&bytes, Format::Store)] {
            let file = file(bytes);
            let found = ModelFile::read(file.path()).unwrap().unwrap();
            let carried = found.manifest.unwrap();
            assert_eq!((found.format, carried.store.unwrap().title.as_deref()), (format, Some("tiny")));
            let (whole, without) = digests(file.path(), &carried.place).unwrap();
            let (start, end) = (carried.place.start as usize, carried.place.end as usize);
            assert_eq!(whole, Digest::of(bytes));
            assert_eq!(without, Digest::of(&[&bytes[..start], &bytes[end..]].concat()));
            if format != Format::Store {
                assert_eq!(&bytes[start..end], encoded.as_bytes());
            }
        }
    }

    #[test]
    fn what_others_made_is_read_and_the_hash_in_it_is_that_of_the_content() {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        for (name, title, bytes) in [
            ("tiny.safetensors", "tiny.safetensors", 4292),
            ("tiny.onnx", "tiny.onnx", 4284),
            ("tiny.c2pa", "tiny.safetensors", 3218),
        ] {
            let path = vectors.join(name);
            let found = ModelFile::read(&path).unwrap().unwrap();
            let carried = found.manifest.unwrap();
            let store = carried.store.unwrap();
            assert_eq!(carried.place.end - carried.place.start, bytes, "{name}");
            assert_eq!((store.manifests, store.title.as_deref()), (1, Some(title)));
            assert_eq!(store.generator.as_deref(), Some("acme-trainer 3.1"));
            assert_eq!(store.assertions, ["c2pa.actions.v2", "c2pa.hash.data"]);
            if found.format != Format::Store {
                let (_, without) = digests(&path, &carried.place).unwrap();
                assert_eq!(store.data_hash.unwrap().is_of(&carried.place, &without), Some(true), "{name}");
            }
        }
    }

    #[test]
    fn a_file_without_one_and_one_with_two_are_told_apart() {
        let none = ModelFile::read(file(&safetensors("")).path()).unwrap().unwrap();
        assert_eq!((none.format, none.manifest), (Format::Safetensors, None));
        let two = safetensors(r#""c2pa:manifest":"YQ==","c2pa:manifest":"YQ==""#);
        let two = ModelFile::read(file(&two).path()).unwrap().unwrap().manifest.unwrap();
        assert_eq!(two.store, Err(StoreError::Several { found: 2 }));
        for value in ["", "!", "a\\/b="] {
            let bytes = safetensors(&format!(r#""c2pa:manifest":"{value}""#));
            let carried = ModelFile::read(file(&bytes).path()).unwrap().unwrap().manifest.unwrap();
            assert_eq!(carried.store, Err(StoreError::NotBase64), "{value}");
        }
        for bytes in [&b""[..], b"# Tiny", b"\x80\x04."] {
            assert_eq!(ModelFile::read(file(bytes).path()).unwrap(), None);
        }
    }

    #[test]
    fn bytes_are_left_out_across_the_borders_of_what_is_read_at_once() {
        let bytes: Vec<u8> = (0..BUFFER * 2 + 7).map(|at| (at % 251) as u8).collect();
        let file = file(&bytes);
        for (start, end) in
            [(0, 0), (BUFFER - 1, BUFFER + 1), (5, BUFFER * 2 + 1), (0, bytes.len()), (BUFFER, BUFFER * 2)]
        {
            let (whole, without) = digests(file.path(), &(start as u64..end as u64)).unwrap();
            assert_eq!(whole, Digest::of(&bytes));
            assert_eq!(without, Digest::of(&[&bytes[..start], &bytes[end..]].concat()), "{start}..{end}");
        }
    }
}
