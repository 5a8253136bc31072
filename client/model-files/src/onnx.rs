//! ONNX: which files a model keeps its numbers in.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek};

use crate::protobuf::Fields;

/// The most fields that are looked at: a graph of a hundred thousand nodes has about a million.
const MAX_FIELDS: u64 = 1 << 23;
/// The deepest nesting that is followed: a graph in a graph is four levels.
const MAX_DEPTH: u32 = 64;
/// The longest name of a file that is read.
const MAX_NAME: u64 = 4_096;
/// The most files that one model may name.
const MAX_FILES: usize = 4_096;

/// The files that tensors of a model are in, as the model names them: from its own folder; and how many bytes each must have at least.
pub fn external_data(file: impl Read + Seek, size: u64) -> io::Result<BTreeMap<String, u64>> {
    let mut walk = Walk::new(file);
    walk.message(Message::Model, size, 0)?;
    Ok(walk.found)
}

/// Whether a file is a model of ONNX: it has a version and a graph, and no field that a model has not.
pub fn is_model(file: impl Read + Seek, size: u64) -> io::Result<bool> {
    let mut walk = Walk::new(file);
    let (mut version, mut graph) = (false, false);
    while walk.fields.at() < size {
        let Ok((number, value)) = walk.field(size) else { return Ok(false) };
        match (number, &value) {
            (1, Value::Number) => version = true,
            (7, Value::Bytes(_)) => graph = true,
            (5, Value::Number) | (2 | 3 | 4 | 6 | 8 | 14 | 20 | 25 | 26, Value::Bytes(_)) => {}
            _ => return Ok(false),
        }
        if let Value::Bytes(length) = value {
            walk.skip(length)?;
        }
    }
    Ok(version && graph)
}

/// The program that wrote a model, and its version, as the model says: `pytorch`, `2.9.0`.
pub fn producer(file: impl Read + Seek, size: u64) -> io::Result<(String, String)> {
    let mut walk = Walk::new(file);
    let (mut name, mut version) = (String::new(), String::new());
    while walk.fields.at() < size {
        let (number, value) = walk.field(size)?;
        let Value::Bytes(length) = value else { continue };
        match number {
            2 => name = walk.text(length)?,
            3 => version = walk.text(length)?,
            _ => walk.skip(length)?,
        }
    }
    Ok((name, version))
}

/// The messages on the way to a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    Sparse,
    Tensor,
    /// A pair of texts of a tensor's `external_data`.
    Entry,
}

impl Message {
    /// The message in a field, by the numbers of `onnx.proto`.
    fn child(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::Sparse, 1 | 2) => Self::Tensor,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::Sparse,
            (Self::Node, 5) | (Self::Function, 11) => Self::Attribute,
            (Self::Tensor, 13) => Self::Entry,
            _ => return None,
        })
    }
}

/// The value of a field; of bytes, how many follow.
enum Value {
    Number,
    Bytes(u64),
}

struct Walk<R> {
    fields: Fields<BufReader<R>>,
    found: BTreeMap<String, u64>,
    /// Of the tensor that is read.
    place: Place,
}

/// Where the numbers of a tensor are.
#[derive(Default)]
struct Place {
    location: Option<String>,
    offset: u64,
    length: u64,
}

impl<R: Read + Seek> Walk<R> {
    fn new(file: R) -> Self {
        Self { fields: Fields::new(BufReader::new(file), MAX_FIELDS), found: BTreeMap::new(), place: Place::default() }
    }

    fn message(&mut self, message: Message, end: u64, depth: u32) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(refused("its graphs are nested too deeply"));
        }
        let (mut key, mut value) = (String::new(), String::new());
        while self.fields.at() < end {
            let (number, read) = self.field(end)?;
            let Value::Bytes(length) = read else { continue };
            match (message, number, message.child(number)) {
                (Message::Entry, 1, _) => key = self.text(length)?,
                (Message::Entry, 2, _) => value = self.text(length)?,
                (_, _, Some(child)) => self.message(child, self.fields.at() + length, depth + 1)?,
                _ => self.skip(length)?,
            }
        }
        match (message, key.as_str()) {
            (Message::Entry, "location") => self.place.location = Some(value),
            (Message::Entry, "offset") => self.place.offset = value.parse().unwrap_or_default(),
            (Message::Entry, "length") => self.place.length = value.parse().unwrap_or_default(),
            (Message::Tensor, _) => {
                let Place { location, offset, length } = std::mem::take(&mut self.place);
                let Some(location) = location else { return Ok(()) };
                if self.found.len() >= MAX_FILES && !self.found.contains_key(&location) {
                    return Err(refused("it names too many files"));
                }
                let least = self.found.entry(location).or_default();
                *least = (*least).max(offset.saturating_add(length));
            }
            _ => {}
        }
        Ok(())
    }

    /// The number of the next field, and its value.
    fn field(&mut self, end: u64) -> io::Result<(u64, Value)> {
        let unread = || refused("a field is of an unknown kind or longer than what it is in, or there are too many");
        let (number, length) = self.fields.field(end)?.ok_or_else(unread)?;
        Ok((number, length.map_or(Value::Number, Value::Bytes)))
    }

    fn text(&mut self, length: u64) -> io::Result<String> {
        if length > MAX_NAME {
            self.skip(length)?;
            return Ok(String::new());
        }
        let bytes = self.fields.bytes(length)?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let after = self.fields.at().checked_add(bytes).ok_or_else(|| refused("a length that no file has"))?;
        self.fields.go_to(after)
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::other(format!("expected a model of ONNX: {why}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Cursor;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = content.len();
        while length > 0x7f {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        [out, content.to_vec()].concat()
    }

    fn tensor(location: &str) -> Vec<u8> {
        let entry =
            |key: &str, value: &str| bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat());
        let place = [entry("offset", "64"), entry("location", location), entry("length", "1000")].concat();
        [vec![0x08, 4], bytes(9, &[7; 300]), place, vec![0x70, 1]].concat()
    }

    /// A model with a tensor in each of these files: an initializer, and one in a constant of a nested graph.
    pub(crate) fn model(initializer: &str, nested: &str) -> Vec<u8> {
        let inner = bytes(1, &bytes(5, &bytes(5, &tensor(nested))));
        let branch = bytes(1, &bytes(5, &bytes(6, &inner)));
        let graph = [branch, bytes(2, b"main"), bytes(5, &tensor(initializer))].concat();
        [vec![0x08, 10], bytes(2, b"pytorch"), bytes(7, &graph), bytes(8, &[0x10, 18])].concat()
    }

    fn named(bytes: &[u8]) -> io::Result<Vec<String>> {
        external_data(Cursor::new(bytes), bytes.len() as u64).map(|found| found.into_keys().collect())
    }

    #[test]
    fn the_files_of_tensors_are_found_wherever_the_tensors_are() {
        let model = model("a.data", "b/c.bin");
        assert_eq!(named(&model).unwrap(), ["a.data", "b/c.bin"]);
        assert_eq!(external_data(Cursor::new(&model), model.len() as u64).unwrap()["a.data"], 1_064);
        assert!(is_model(Cursor::new(&model), model.len() as u64).unwrap());
        assert_eq!(named(b"").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_cut_or_lies_is_an_error_and_no_harm() {
        let good = model("a.data", "b.data");
        for end in 1..good.len() {
            let _ = named(&good[..end]);
            assert!(!is_model(Cursor::new(&good[..end]), end as u64).unwrap_or(false) || end > good.len() - 5, "{end}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] = 0xff;
            let _ = named(&bytes);
        }
        assert!(named(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).is_err());
        let deep = (0..500).fold(tensor("x"), |inner, _| bytes(1, &bytes(5, &bytes(6, &inner))));
        assert!(named(&bytes(7, &deep)).is_err());
        assert!(!is_model(Cursor::new(b"\x0a\x03abc"), 5).unwrap());
    }
}
