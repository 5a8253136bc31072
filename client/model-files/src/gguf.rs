//! The header of a GGUF file (versions 2 and 3): keys with values, then the shapes of the tensors. Read with a bound on
//! everything, since lengths in it are 64-bit and nobody vouches for them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use stele_verify::folder::walk::Found;

use crate::gguf_file_type::FileType;
use crate::gguf_length::{DEFAULT_ALIGNMENT, end_of_tensor, is_of_blocks, least_length};

/// How much of a file is read: vocabularies of a few hundred thousand words fit.
const MAX_HEADER: u64 = 128 << 20;
/// The versions that are read.
const VERSIONS: RangeInclusive<u32> = 2..=3;
/// The longest string that is kept.
const MAX_STRING: u64 = 4_096;
/// The most keys, tensors and items of an array.
const MAX_COUNT: u64 = 4_000_000;
/// The most base models that are kept of one header: a merge of more is not known.
const MAX_BASES: usize = 64;

/// Tensors that no training changes: how positions are stretched.
const BUFFERS: [&str; 3] = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"];

/// What a header says of the model.
#[derive(Debug, Default, PartialEq)]
pub struct Header {
    /// `general.architecture`.
    pub architecture: Option<String>,
    /// `general.name`.
    pub name: Option<String>,
    /// `general.license`.
    pub license: Option<String>,
    /// `general.file_type`.
    pub file_type: Option<FileType>,
    /// Whether a tensor is of a type of blocks: quantized.
    pub has_blocks: bool,
    /// `general.type`: `model`, `mmproj`, `adapter` and others.
    pub kind: Option<String>,
    /// `split.count`: of how many files it is one.
    pub split_count: Option<u64>,
    /// The first of the `general.base_model.*.repo_url`: the key, and what it says.
    pub base_models: Vec<(String, String)>,
    /// How many more of them there are than are kept.
    pub more_bases: u64,
    /// The first of the `general.base_model.*.name` that have no address: the number, and the name for people.
    pub unaddressed: Vec<(String, String)>,
    /// The numbers of all tensors together, without those that are not learned.
    pub parameters: Option<u64>,
    /// How many bytes the file has at least, if all tensors are in it.
    pub least_length: u64,
    alignment: Option<u64>,
}

impl Header {
    /// Reads the header of a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::parse(BufReader::new(File::open(path)?.take(MAX_HEADER)))
    }

    fn parse(reader: impl Read) -> io::Result<Self> {
        let mut reader = Reader { from: reader, read: 0 };
        if reader.array()? != *b"GGUF" {
            return Err(refused("it does not begin with GGUF"));
        }
        let version = reader.u32()?;
        if !VERSIONS.contains(&version) {
            return Err(other_version(version));
        }
        let tensors = reader.count()?;
        let keys = reader.count()?;
        let mut header = Self::default();
        for _ in 0..keys {
            let key = reader.string()?;
            let kind = reader.u32()?;
            header.take(&key, reader.value(kind, 0)?);
        }
        let addressed: BTreeSet<&str> =
            header.base_models.iter().filter_map(|(key, _)| base_number(key, "repo_url")).collect();
        header.unaddressed.retain(|(number, _)| !addressed.contains(number.as_str()));
        let mut parameters = Some(0_u64);
        let mut end = 0;
        for _ in 0..tensors {
            let name = reader.string()?;
            let dimensions = reader.u32()?;
            if dimensions > 8 {
                return Err(refused("a tensor has more than 8 dimensions"));
            }
            let mut count = Some(1_u64);
            for _ in 0..dimensions {
                let side = reader.u64()?;
                count = count.and_then(|count| count.checked_mul(side));
            }
            let (kind, offset) = (reader.u32()?, reader.u64()?);
            header.has_blocks |= is_of_blocks(kind);
            end = end.max(end_of_tensor(kind, count.unwrap_or(u64::MAX), offset));
            let learned = if BUFFERS.contains(&name.as_str()) { count.map(|_| 0) } else { count };
            parameters = parameters.zip(learned).and_then(|(sum, count)| sum.checked_add(count));
        }
        header.least_length = least_length(reader.read, header.alignment.unwrap_or(DEFAULT_ALIGNMENT), end);
        header.parameters = parameters.filter(|count| *count > 0);
        Ok(header)
    }

    /// Whether it is an adapter, such as a LoRA.
    pub fn is_adapter(&self) -> bool {
        self.kind.as_deref() == Some("adapter")
    }

    /// Whether it is the model itself, and not what goes with one: a projector of images, an adapter, a vocabulary.
    pub fn is_model(&self) -> bool {
        let kind = self.kind.as_deref().is_none_or(|kind| kind == "model");
        kind && !self.is_control_vector() && self.architecture.as_deref() != Some("clip")
    }

    /// Whether it steers another model: a control vector.
    pub fn is_control_vector(&self) -> bool {
        [&self.architecture, &self.kind].into_iter().any(|said| said.as_deref() == Some("controlvector"))
    }

    fn take(&mut self, key: &str, value: Value) {
        match (key, value) {
            ("general.architecture", Value::Text(text)) => self.architecture = Some(text),
            ("general.name", Value::Text(text)) => self.name = Some(text),
            ("general.license", Value::Text(text)) => self.license = Some(text),
            ("general.type", Value::Text(text)) => self.kind = Some(text),
            ("split.count", Value::Number(number)) => self.split_count = Some(number.min(u64::from(u16::MAX))),
            ("general.alignment", Value::Number(number)) => self.alignment = Some(number),
            ("general.file_type", Value::Number(number)) => self.file_type = Some(FileType::of(number)),
            (key, Value::Text(text)) if key.starts_with("general.base_model.") && key.ends_with(".repo_url") => {
                if self.base_models.len() >= MAX_BASES {
                    self.more_bases += 1;
                    return;
                }
                self.base_models.push((key.to_owned(), text));
            }
            (key, Value::Text(text)) => {
                let number = base_number(key, "name").filter(|_| self.unaddressed.len() < MAX_BASES);
                self.unaddressed.extend(number.map(|number| (number.to_owned(), text)));
            }
            _ => {}
        }
    }
}

/// The number in `general.base_model.<number>.<field>`.
fn base_number<'a>(key: &'a str, field: &str) -> Option<&'a str> {
    key.strip_prefix("general.base_model.")?.strip_suffix(field)?.strip_suffix('.')
}

/// Whether a file begins as GGUF does.
pub fn begins(path: &Path) -> bool {
    let mut begin = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == *b"GGUF"
}

/// What is of interest in a value.
enum Value {
    Text(String),
    Number(u64),
    Skipped,
}

struct Reader<R> {
    from: R,
    /// How many bytes were read.
    read: u64,
}

impl<R: Read> Reader<R> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.read += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> io::Result<u64> {
        let count = self.u64()?;
        if count > MAX_COUNT { Err(refused(&format!("a count of {count}"))) } else { Ok(count) }
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.from.by_ref().take(bytes), &mut io::sink())?;
        self.read += skipped;
        if skipped == bytes { Ok(()) } else { Err(refused("its header ends early, or is longer than is read")) }
    }

    /// A string; of one that is longer than is kept, nothing.
    fn string(&mut self) -> io::Result<String> {
        let length = self.u64()?;
        if length > MAX_STRING {
            self.skip(length)?;
            return Ok(String::new());
        }
        let mut bytes = Vec::new();
        self.from.by_ref().take(length).read_to_end(&mut bytes)?;
        self.read += bytes.len() as u64;
        if bytes.len() as u64 != length {
            return Err(refused("its header ends early"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The items of an array, of which nothing is kept.
    fn skip_array(&mut self, kind: u32, depth: u32) -> io::Result<()> {
        let count = self.count()?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            _ => {
                for _ in 0..count {
                    if kind == 8 {
                        let length = self.u64()?;
                        self.skip(length)?;
                    } else {
                        self.value(kind, depth + 1)?;
                    }
                }
                return Ok(());
            }
        };
        self.skip(count * width)
    }

    fn value(&mut self, kind: u32, depth: u32) -> io::Result<Value> {
        Ok(match kind {
            0 | 1 | 7 => Value::Number(u64::from(u8::from_le_bytes(self.array()?))),
            2 | 3 => Value::Number(u64::from(u16::from_le_bytes(self.array()?))),
            4 | 5 => Value::Number(u64::from(self.u32()?)),
            10 | 11 => Value::Number(self.u64()?),
            6 => {
                self.skip(4)?;
                Value::Skipped
            }
            12 => {
                self.skip(8)?;
                Value::Skipped
            }
            8 => Value::Text(self.string()?),
            9 if depth < 4 => {
                let kind = self.u32()?;
                self.skip_array(kind, depth)?;
                Value::Skipped
            }
            kind => return Err(refused(&format!("a value of the unknown type {kind}"))),
        })
    }
}

fn refused(message: &str) -> io::Error {
    io::Error::other(message.to_owned())
}

/// What a version says that is not read. Of a big-endian file all numbers are turned round, and its version is the
/// first of them.
fn other_version(version: u32) -> io::Error {
    let turned = version.swap_bytes();
    if VERSIONS.contains(&turned) {
        return refused(&format!(
            "expected a little-endian GGUF file, found a big-endian one (version {turned}), which common loaders \
             refuse; `gguf-convert-endian FILE little` of the Python package gguf converts it"
        ));
    }
    refused(&format!("expected version 2 or 3 of GGUF, found {version}"))
}

/// How many bytes a GGUF file of weights must have by its own header; `None` where it is no such file, or cannot be read.
pub fn least_length_of(file: &Found) -> Option<u64> {
    let is_gguf = file.path.as_str().to_ascii_lowercase().ends_with(".gguf");
    is_gguf.then(|| Header::read(&file.open).ok()).flatten().map(|header| header.least_length)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn string(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
    }

    fn text(key: &str, value: &str) -> Vec<u8> {
        [string(key), 8_u32.to_le_bytes().to_vec(), string(value)].concat()
    }

    fn file(keys: &[Vec<u8>], tensors: &[Vec<u64>]) -> Vec<u8> {
        let named: Vec<_> = tensors.iter().map(|shape| ("t", shape.clone())).collect();
        file_of(keys, &named)
    }

    fn file_of(keys: &[Vec<u8>], tensors: &[(&str, Vec<u64>)]) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend((tensors.len() as u64).to_le_bytes());
        bytes.extend((keys.len() as u64).to_le_bytes());
        bytes.extend(keys.concat());
        for (name, shape) in tensors {
            bytes.extend(string(name));
            bytes.extend((shape.len() as u32).to_le_bytes());
            bytes.extend(shape.iter().flat_map(|side| side.to_le_bytes()));
            bytes.extend([0; 12]);
        }
        bytes
    }

    fn number(key: &str, value: u16) -> Vec<u8> {
        [string(key), 2_u32.to_le_bytes().to_vec(), value.to_le_bytes().to_vec()].concat()
    }

    /// A model whose base has a name for people alone.
    pub(crate) fn with_unaddressed_base(name: &str) -> Vec<u8> {
        file(&[text("general.base_model.0.name", name)], &[vec![4]])
    }

    /// A file that is one of so many pieces.
    pub(crate) fn split(count: u16) -> Vec<u8> {
        file(&[number("split.count", count)], &[vec![2, 2]])
    }

    /// A model or what goes with one, made of these.
    pub(crate) fn of_kind(kind: &str, architecture: &str, bases: &[&str]) -> Vec<u8> {
        let mut keys = vec![text("general.type", kind), text("general.architecture", architecture)];
        keys.extend(bases.iter().enumerate().map(|(n, base)| text(&format!("general.base_model.{n}.repo_url"), base)));
        file(&keys, &[vec![4, 4]])
    }

    #[test]
    fn of_many_bases_some_are_kept_and_all_are_counted() {
        let bases: Vec<String> = (0..100_000).map(|n| format!("https://huggingface.co/acme/{n}")).collect();
        let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
        let began = std::time::Instant::now();
        let header = Header::parse(of_kind("model", "llama", &bases).as_slice()).unwrap();
        assert_eq!((header.base_models.len(), header.more_bases), (MAX_BASES, 100_000 - MAX_BASES as u64));
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "linear: {:?}", began.elapsed());
    }

    #[test]
    fn a_base_without_an_address_is_kept_by_its_name() {
        let keys = [
            text("general.base_model.0.name", "Elder"),
            text("general.base_model.0.repo_url", "https://huggingface.co/acme/elder"),
            text("general.base_model.1.name", "Gpt2"),
            text("general.base_model.1.version", "2"),
        ];
        let header = Header::parse(file(&keys, &[vec![4]]).as_slice()).unwrap();
        assert_eq!(header.unaddressed, [("1".to_owned(), "Gpt2".to_owned())]);
    }

    #[test]
    fn a_projector_is_not_the_model() {
        let is_model = |kind: &str, architecture: &str| {
            Header::parse(of_kind(kind, architecture, &[]).as_slice()).unwrap().is_model()
        };
        assert!(is_model("model", "qwen2vl"));
        assert!(!is_model("mmproj", "clip"));
        assert!(!is_model("model", "clip"));
        assert!(!is_model("adapter", "llama"));
        assert_eq!(Header::parse(split(3).as_slice()).unwrap().split_count, Some(3));
    }

    fn example() -> Vec<u8> {
        let tokens =
            [string("tokenizer.ggml.tokens"), 9_u32.to_le_bytes().to_vec(), 8_u32.to_le_bytes().to_vec()].concat();
        let tokens = [tokens, 2_u64.to_le_bytes().to_vec(), string("a"), string("b")].concat();
        let file_type =
            [string("general.file_type"), 4_u32.to_le_bytes().to_vec(), 15_u32.to_le_bytes().to_vec()].concat();
        let keys = [
            text("general.architecture", "llama"),
            tokens,
            file_type,
            text("general.base_model.0.repo_url", "https://huggingface.co/acme/base"),
        ];
        file(&keys, &[vec![2, 3], vec![4]])
    }

    #[test]
    fn a_header_says_architecture_quantization_parents_and_size() {
        let header = Header::parse(example().as_slice()).unwrap();
        assert_eq!(header.architecture.as_deref(), Some("llama"));
        assert_eq!(header.file_type, Some(FileType::Quantized("Q4_K_M")));
        assert!(!header.has_blocks, "its tensors are F32");
        assert_eq!(
            header.base_models,
            [("general.base_model.0.repo_url".to_owned(), "https://huggingface.co/acme/base".to_owned())]
        );
        assert_eq!(header.parameters, Some(10));
        // Both tensors are F32 at offset 0; the larger has 6 numbers.
        assert_eq!(header.least_length, (example().len() as u64).next_multiple_of(32) + 24);
    }

    #[test]
    fn factors_of_positions_are_no_parameters() {
        let file = file_of(&[], &[("token_embd.weight", vec![2, 3]), ("rope_freqs.weight", vec![64])]);
        assert_eq!(Header::parse(file.as_slice()).unwrap().parameters, Some(6));
    }

    #[test]
    fn a_big_endian_file_is_called_so_and_another_version_by_its_number() {
        let said = |version: [u8; 4]| {
            let file = [&b"GGUF"[..], &version, &[0; 16]].concat();
            Header::parse(file.as_slice()).unwrap_err().to_string()
        };
        for version in 2..=3_u32 {
            let said = said(version.to_be_bytes());
            assert!(said.contains(&format!("found a big-endian one (version {version})")), "{said}");
            assert!(said.contains("gguf-convert-endian"), "what to do: {said}");
            assert!(!said.contains("50331648") && !said.contains("33554432"), "{said}");
        }
        for version in [0, 1, 4_u32] {
            assert_eq!(said(version.to_le_bytes()), format!("expected version 2 or 3 of GGUF, found {version}"));
        }
        assert!(said(1_u32.to_be_bytes()).ends_with("found 16777216"));
    }

    #[test]
    fn truncated_anywhere_is_an_error_and_lengths_that_lie_do_no_harm() {
        let good = example();
        for end in 0..good.len() {
            assert!(Header::parse(&good[..end]).is_err(), "{end}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] = 0xff;
            let _ = Header::parse(bytes.as_slice());
        }
    }
}
