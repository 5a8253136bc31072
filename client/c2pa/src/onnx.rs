//! Where an ONNX file has its manifest: in the value of a pair of its `metadata_props` whose key is `c2pa:manifest`. Only the outermost fields are read, so
//! that a model of any size costs little.

use core::ops::Range;
use std::io::{self, BufRead, Seek};

use stele_model_files::protobuf::Fields;

use crate::key::KEY;

/// The most fields: a model has a few, and one for each operator set, function and pair.
const MAX_FIELDS: u64 = 1 << 20;
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
    let mut fields = Fields::new(file, MAX_FIELDS);
    let (mut has_version, mut has_graph, mut values) = (false, false, Vec::new());
    while fields.at() < size {
        let Some((number, length)) = fields.field(size)? else { return Ok(None) };
        match (number, length) {
            (IR_VERSION, None) => has_version = true,
            (GRAPH, Some(_)) => has_graph = true,
            _ => {}
        }
        let Some(length) = length else { continue };
        let end = fields.at() + length;
        if number == METADATA_PROPS {
            match pair(&mut fields, end)? {
                Some(found) => values.extend(found),
                None => return Ok(None),
            }
        }
        fields.go_to(end)?;
    }
    Ok((has_version && has_graph).then_some(values))
}

/// A pair up to an end: the place of its value, if the key is that of a manifest. As in Protocol Buffers, the last of each counts.
fn pair(fields: &mut Fields<impl BufRead + Seek>, end: u64) -> io::Result<Option<Option<Range<u64>>>> {
    let (mut is_manifest, mut value) = (false, None);
    while fields.at() < end {
        let Some((number, length)) = fields.field(end)? else { return Ok(None) };
        let Some(length) = length else { continue };
        let (start, after) = (fields.at(), fields.at() + length);
        match number {
            1 => is_manifest = length <= MAX_KEY && fields.bytes(length)? == KEY.as_bytes(),
            2 => value = Some(start..after),
            _ => {}
        }
        fields.go_to(after)?;
    }
    Ok(Some(value.filter(|_| is_manifest)))
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
