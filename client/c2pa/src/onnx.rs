//! Where an ONNX file has its manifest: in the value of a pair of its `metadata_props` whose key is `c2pa:manifest`. The wire format of Protocol Buffers; only the
//! outermost fields are read, so that a model of any size costs little.

use core::ops::Range;
use std::io::{self, BufRead, Read as _, Seek, SeekFrom};

use crate::key::KEY;

/// The most fields: a model has a few, and one for each operator set, function and pair.
const MAX_FIELDS: usize = 1 << 20;
/// The most bytes of one pair's key that are compared.
const MAX_KEY: u64 = 64;
/// The version of the format, which every model has first.
const IR_VERSION: u64 = 1;
/// The graph.
const GRAPH: u64 = 7;
/// Pairs of texts.
const METADATA_PROPS: u64 = 14;

/// The manifests in a model of so many bytes, each by the place of its Base64 in the file; none where it is no model.
pub fn values(file: impl BufRead + Seek, size: u64) -> io::Result<Option<Vec<Range<u64>>>> {
    let mut reader = Reader { file, at: 0, fields: 0 };
    let (mut has_version, mut has_graph, mut values) = (false, false, Vec::new());
    while reader.at < size {
        let Some((number, length)) = reader.field(size)? else { return Ok(None) };
        match (number, length) {
            (IR_VERSION, None) => has_version = true,
            (GRAPH, Some(_)) => has_graph = true,
            _ => {}
        }
        let Some(length) = length else { continue };
        let end = reader.at + length;
        if number == METADATA_PROPS {
            match reader.pair(end)? {
                Some(found) => values.extend(found),
                None => return Ok(None),
            }
        }
        reader.go_to(end)?;
    }
    Ok((has_version && has_graph).then_some(values))
}

struct Reader<R> {
    file: R,
    at: u64,
    fields: usize,
}

impl<R: BufRead + Seek> Reader<R> {
    /// A pair up to an end: the place of its value, if the key is that of a manifest. As in Protocol Buffers, the last of each counts.
    fn pair(&mut self, end: u64) -> io::Result<Option<Option<Range<u64>>>> {
        let (mut is_manifest, mut value) = (false, None);
        while self.at < end {
            let Some((number, length)) = self.field(end)? else { return Ok(None) };
            let Some(length) = length else { continue };
            let (start, after) = (self.at, self.at + length);
            match number {
                1 => is_manifest = length <= MAX_KEY && self.bytes(length)? == KEY.as_bytes(),
                2 => value = Some(start..after),
                _ => {}
            }
            self.go_to(after)?;
        }
        Ok(Some(value.filter(|_| is_manifest)))
    }

    /// The number of the next field, and of bytes how many there are; none where there is no field that ends where it may.
    fn field(&mut self, end: u64) -> io::Result<Option<(u64, Option<u64>)>> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Ok(None);
        }
        let Some(tag) = self.varint(end)? else { return Ok(None) };
        let (skipped, length) = match tag & 7 {
            0 => match self.varint(end)? {
                Some(_) => (0, None),
                None => return Ok(None),
            },
            1 => (8, None),
            2 => match self.varint(end)? {
                Some(length) => (0, Some(length)),
                None => return Ok(None),
            },
            5 => (4, None),
            _ => return Ok(None),
        };
        let is_within = self.at.checked_add(skipped.max(length.unwrap_or_default())).is_some_and(|after| after <= end);
        if tag >> 3 == 0 || !is_within {
            return Ok(None);
        }
        self.go_to(self.at + skipped)?;
        Ok(Some((tag >> 3, length)))
    }

    fn varint(&mut self, end: u64) -> io::Result<Option<u64>> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            if self.at >= end {
                return Ok(None);
            }
            let mut byte = [0];
            match self.file.read_exact(&mut byte) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
            self.at += 1;
            let [byte] = byte;
            // The tenth byte holds one bit.
            if shift == 63 && byte > 1 {
                return Ok(None);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.by_ref().take(length).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    fn go_to(&mut self, at: u64) -> io::Result<()> {
        match i64::try_from(at.saturating_sub(self.at)) {
            Ok(step) => self.file.seek_relative(step)?,
            Err(_) => drop(self.file.seek(SeekFrom::Start(at))?),
        }
        self.at = at;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
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

    fn pair(key: &str, value: &str) -> Vec<u8> {
        bytes(14, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat())
    }

    /// A model with these pairs.
    pub(crate) fn model(pairs: &[(&str, &str)]) -> Vec<u8> {
        let pairs: Vec<u8> = pairs.iter().flat_map(|(key, value)| pair(key, value)).collect();
        [vec![0x08, 10], bytes(2, b"pytorch"), bytes(7, &[7; 300]), pairs, bytes(8, &[0x10, 18])].concat()
    }

    fn found(file: &[u8]) -> Option<Vec<String>> {
        let text =
            |range: Range<u64>| String::from_utf8(file[range.start as usize..range.end as usize].to_vec()).unwrap();
        let values = values(Cursor::new(file), file.len() as u64).unwrap()?;
        Some(values.into_iter().map(text).collect())
    }

    #[test]
    fn the_value_is_found_where_it_stands_and_each_of_several() {
        assert_eq!(found(&model(&[("a", "b"), (KEY, "aGk="), ("c", "d")])).unwrap(), ["aGk="]);
        assert_eq!(found(&model(&[(KEY, "YQ=="), (KEY, "Yg==")])).unwrap(), ["YQ==", "Yg=="]);
        assert_eq!(found(&model(&[("x", KEY), ("c2pa:manifest.uri", "a")])).unwrap(), Vec::<String>::new());
        // The value before the key, and a key that is said twice.
        let turned = bytes(14, &[bytes(2, b"YQ=="), bytes(1, b"x"), bytes(1, KEY.as_bytes())].concat());
        assert_eq!(found(&[model(&[]), turned].concat()).unwrap(), ["YQ=="]);
    }

    #[test]
    fn what_is_no_model_or_is_cut_is_none() {
        let good = model(&[(KEY, "aGk=")]);
        for end in 0..good.len() - 4 {
            assert_eq!(found(&good[..end]).unwrap_or_default(), Vec::<String>::new(), "{end}");
        }
        for bytes in [
            &b"{\"a\": 1}"[..],
            b"\x08\x01",
            b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        ] {
            assert_eq!(found(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_model_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = model(&[(KEY, "aGk=")]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let size = bytes.len() as u64;
            if let Ok(Some(places)) = values(Cursor::new(&bytes), size) {
                prop_assert!(places.iter().all(|place| place.start <= place.end && place.end <= size));
            }
        }
    }
}
