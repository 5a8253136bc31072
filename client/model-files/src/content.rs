//! What a file is by its content, whatever its name.
//!
//! Files are strangers' files: each is read with a bound, and what cannot be read is no more than its name says.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use stele_spec::finding::is_pickle;
use stele_spec::manifest::FilePath;
use stele_spec::verify::pickle;

use crate::{numpy, onnx, zip};

/// How much of the beginning of a file is compared with known beginnings.
const HEAD: u64 = 512;

/// Beginnings of archives: what is in them is not looked at.
const PACKED: [&[u8]; 8] = [
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"\x5d\0\0\x80\0",
    b"7z\xbc\xaf\x27\x1c",
    b"ZF0x",
];

/// What a file is by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A pickle of Python: alone, in a ZIP archive as PyTorch writes it, or as the objects of an array of NumPy.
    Pickle,
    /// Bytes that hold as a pickle of an old protocol, which has no mark of its own: short texts can do so too.
    MaybePickle,
    /// Safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// A model of ONNX.
    Onnx,
    /// HDF5, which Keras uses.
    Hdf5,
    /// TensorFlow Lite.
    Tflite,
    /// A map of MessagePack, which begins as an extension of a pickle may.
    MessagePack,
    /// A ZIP archive in which no file is a pickle by its name, and no array is one of objects.
    Zip,
    /// Another archive, one whose list cannot be read, or a compressed file.
    Packed,
    /// What Git LFS puts in a file's place.
    LfsPointer,
    /// What git-annex puts in a file's place.
    AnnexPointer,
    /// A text, such as a host's error message.
    Text,
    /// A page, such as hosts answer with when they refuse a download.
    Html,
    /// No bytes.
    Empty,
    /// None of these.
    Unknown,
}

impl Content {
    /// Looks into a file.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Self::of(file, size)
    }

    /// Looks into what has `size` bytes.
    pub fn of(mut file: impl Read + Seek, size: u64) -> io::Result<Self> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        if head.is_empty() {
            return Ok(Self::Empty);
        }
        if numpy::holds_pickle(&head) {
            return Ok(Self::Pickle);
        }
        if let Some(content) = by_head(&head, size) {
            return Ok(content);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Ok(match zip::holds_pickle(file, size)? {
                Some(true) => Self::Pickle,
                Some(false) => Self::Zip,
                None => Self::Packed,
            });
        }
        file.seek(SeekFrom::Start(0))?;
        if pickle::is_pickle(BufReader::new(&mut file), size)? {
            if matches!(head.as_slice(), [0x80, 2..=5, ..]) {
                return Ok(Self::Pickle);
            }
            file.seek(SeekFrom::Start(0))?;
            let is_map = is_message_pack(&head) && !pickle::imports(BufReader::new(&mut file), size)?;
            return Ok(if is_map { Self::MessagePack } else { Self::MaybePickle });
        }
        file.seek(SeekFrom::Start(0))?;
        // A model begins with its version, a field of a small number.
        if head.starts_with(b"\x08") && onnx::is_model(file, size)? {
            return Ok(Self::Onnx);
        }
        Ok(if is_text(&head, size) { Self::Text } else { Self::Unknown })
    }

    /// Whether these are learned parameters under any name.
    pub fn is_weights(self) -> bool {
        matches!(self, Self::Pickle | Self::Safetensors | Self::Gguf | Self::Onnx | Self::Hdf5 | Self::Tflite)
    }

    /// Whether to load a file of this content and name is to run it; nothing where the content does not decide.
    pub fn is_pickle(self, path: &FilePath) -> Option<bool> {
        match self {
            Self::Pickle => Some(true),
            // A text of one's own may begin as a pickle does; under a name of the family, a loader will take it for one.
            Self::MaybePickle => Some(is_pickle(path)),
            // What PyTorch writes has `data.pkl` in it. An archive of TorchServe has files of weights, and programs.
            Self::Zip if !path.file_name().to_ascii_lowercase().ends_with(".mar") => Some(false),
            Self::Zip => None,
            // Archives of the family hold pickles. Torch7 and the like have a beginning that decides nothing.
            Self::Packed => None,
            Self::Unknown | Self::Text if !path.file_name().to_ascii_lowercase().ends_with(".bin") => None,
            _ => Some(false),
        }
    }

    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pickle | Self::MaybePickle => "a pickle of Python",
            Self::Safetensors => "safetensors",
            Self::Gguf => "GGUF",
            Self::Onnx => "a model of ONNX",
            Self::Hdf5 => "HDF5",
            Self::Tflite => "TensorFlow Lite",
            Self::MessagePack => "MessagePack",
            Self::Zip | Self::Packed => "an archive",
            Self::LfsPointer => "a Git LFS pointer",
            Self::AnnexPointer => "a git-annex pointer",
            Self::Text => "a text",
            Self::Html => "an HTML page",
            Self::Empty => "empty",
            Self::Unknown => "of no known format",
        }
    }
}

/// What the beginning alone decides.
fn by_head(head: &[u8], size: u64) -> Option<Content> {
    if let [a, b, c, d, e, f, g, h, b'{', ..] = *head {
        let length = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if length >= 2 && length <= size.saturating_sub(8) {
            return Some(Content::Safetensors);
        }
    }
    if head.starts_with(b"GGUF") {
        return Some(Content::Gguf);
    }
    if head.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Some(Content::Hdf5);
    }
    if head.get(4..8) == Some(b"TFL3") {
        return Some(Content::Tflite);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    // The second host is the one of the first versions.
    if [&b"version https://git-lfs.github.com/spec/"[..], b"version https://hawser.github.com/spec/"]
        .iter()
        .any(|begin| text.starts_with(begin))
    {
        return Some(Content::LfsPointer);
    }
    if text.starts_with(b"/annex/objects/") || text.starts_with(b".git/annex/objects/") {
        return Some(Content::AnnexPointer);
    }
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some(Content::Html);
    }
    let tar = head.get(257..262) == Some(b"ustar");
    let zlib = matches!(head, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]);
    (tar || zlib || PACKED.iter().any(|begin| head.starts_with(begin))).then_some(Content::Packed)
}

/// Whether the beginning is a small map of MessagePack whose first key is a text.
fn is_message_pack(head: &[u8]) -> bool {
    let [0x81..=0x8f, length @ 0xa1..=0xbf, rest @ ..] = head else { return false };
    let key = rest.get(..usize::from(*length & 0x1f)).and_then(|key| std::str::from_utf8(key).ok());
    key.is_some_and(|key| !key.chars().any(char::is_control))
}

/// Whether the beginning is text: UTF-8, but for a character that the beginning cuts, without control characters.
fn is_text(head: &[u8], size: u64) -> bool {
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && size > head.len() as u64 => {
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !whole.is_empty() && whole.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn of(bytes: &[u8]) -> Content {
        Content::of(Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    #[test]
    fn files_are_known_by_their_beginnings() {
        let safetensors = [&10_u64.to_le_bytes()[..], b"{\"a\":1   }"].concat();
        for (bytes, content) in [
            (&b""[..], Content::Empty),
            (&safetensors, Content::Safetensors),
            (&safetensors[..12], Content::Unknown),
            (b"GGUF\x03\0\0\0", Content::Gguf),
            (b"\x93NUMPY\x01\0\x20\0{'descr': '|O', 'shape': ()}\n", Content::Pickle),
            (b"\x93NUMPY\x01\0\x20\0{'descr': '<f4', 'shape': ()}\n", Content::Unknown),
            (b"\x89HDF\r\n\x1a\n\0", Content::Hdf5),
            (b"\x1c\0\0\0TFL3", Content::Tflite),
            (b"\x83\xablemma_rules\x80", Content::MessagePack),
            (b"\x83\xab", Content::MaybePickle),
            (b"\x82\xa1co\nx\n(S'id'\ntR.", Content::MaybePickle),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", Content::LfsPointer),
            (b"\xef\xbb\xbfversion https://hawser.github.com/spec/v1\noid sha256:00\nsize 1\n", Content::LfsPointer),
            (b"/annex/objects/SHA256E-s1234--00.bin\n", Content::AnnexPointer),
            (b"Entry not found", Content::Text),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", Content::Text),
            ("\u{e9}".repeat(400).as_bytes(), Content::Text),
            (b"Entry\0not found", Content::Unknown),
            (b"\n<!DOCTYPE html><html>", Content::Html),
            (b"\xef\xbb\xbf<HTML>", Content::Html),
            (b"\x80\x02}q\0.", Content::Pickle),
            (b"cposix\nsystem\n.", Content::MaybePickle),
            (b"PK\x03\x04rest", Content::Packed),
            (b"\x1f\x8b\x08\0", Content::Packed),
            (&onnx::tests::model("a", "b"), Content::Onnx),
            (&[0; 600], Content::Unknown),
        ] {
            assert_eq!(of(bytes), content, "{bytes:?}");
        }
    }

    #[test]
    fn content_decides_over_the_name_where_it_can() {
        let is = |bytes: &[u8], name: &str| of(bytes).is_pickle(&name.parse().unwrap());
        assert_eq!(is(&[0; 64], "openvino_model.bin"), Some(false));
        assert_eq!(is(b"\x80\x04N.", "notes.txt"), Some(true));
        assert_eq!(is(b"copyright\nAcme\n.", "LICENSE"), Some(false), "a text is a text");
        assert_eq!(is(b"cposix\nsystem\n.", "model.bin"), Some(true));
        assert_eq!(is(b"\x1f\x8b\x08\0", "scaler.joblib"), None);
        assert_eq!(is(&[4, 0, 0, 0], "old.t7"), None);
        assert_eq!(is(b"\x83\xablemma_rules\x80", "lookups.bin"), Some(false));
        let voices = zip::tests::archive(&["af.npy"]);
        assert_eq!((is(&voices, "voices.bin"), is(&voices, "model.mar")), (Some(false), None));
        assert_eq!(is(&zip::tests::archive(&["archive/data.pkl"]), "model.bin"), Some(true));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_something(bytes: Vec<u8>) {
            of(&bytes);
        }
    }
}
