//! Where a safetensors file has its manifest: eight bytes of length, then a header in JSON, in whose `__metadata__` is a text `c2pa:manifest`.

use core::fmt;
use core::ops::Range;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::key::KEY;

/// The longest header that is read; the format's own limit is 100 MB.
const MAX_HEADER: u64 = 100_000_000;

/// The item that is no tensor.
const METADATA: &str = "__metadata__";

/// The bytes of a header that begins a file of so many bytes; none where the file does not begin with one.
pub fn header(mut file: impl Read, size: u64) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match file.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u64::from_le_bytes(length);
    if !(2..=MAX_HEADER.min(size.saturating_sub(8))).contains(&length) {
        return Ok(None);
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header)?;
    Ok((header.len() as u64 == length && header.starts_with(b"{")).then_some(header))
}

/// The manifests in a header, each by the place of its Base64 in the file. One that is written with escapes, and so is no Base64, has an empty place.
pub fn values(header: &[u8]) -> Result<Vec<Range<u64>>, serde_json::Error> {
    // A header of tensors alone costs no parsing. With escapes the key may be written otherwise.
    if !header.contains(&b'\\') && !header.windows(KEY.len()).any(|window| window == KEY.as_bytes()) {
        return Ok(Vec::new());
    }
    let Header(values) = serde_json::from_slice(header)?;
    let begin = header.as_ptr() as usize;
    let place = |value: Option<&str>| {
        let Some(value) = value else { return 0..0 };
        let start = (value.as_ptr() as usize).saturating_sub(begin) as u64 + 8;
        start..start + value.len() as u64
    };
    Ok(values.into_iter().map(place).collect())
}

/// The values of the key, as they stand in the header; none for one with escapes.
struct Header<'a>(Vec<Option<&'a str>>);

impl<'de> Deserialize<'de> for Header<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Header<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header<'de>, A::Error> {
                let mut values = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        let Metadata(found) = map.next_value()?;
                        values.extend(found);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Header(values))
            }
        }

        deserializer.deserialize_map(Items)
    }
}

struct Metadata<'a>(Vec<Option<&'a str>>);

impl<'de> Deserialize<'de> for Metadata<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Metadata<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            /// As MLX writes it where it was given none.
            fn visit_unit<E>(self) -> Result<Metadata<'de>, E> {
                Ok(Metadata(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata<'de>, A::Error> {
                let mut values = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == KEY {
                        let Text(value) = map.next_value()?;
                        values.push(value);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Metadata(values))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// A text, where it stands in the header as it is.
struct Text<'a>(Option<&'a str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsItStands;

        impl<'de> Visitor<'de> for AsItStands {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(text)))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
        }

        deserializer.deserialize_str(AsItStands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Vec<String> {
        let file = [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), b"tensors"].concat();
        let header = header(file.as_slice(), file.len() as u64).unwrap().unwrap();
        let text =
            |range: Range<u64>| String::from_utf8(file[range.start as usize..range.end as usize].to_vec()).unwrap();
        values(&header).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn the_value_is_found_where_it_stands_and_each_of_several() {
        assert_eq!(found(r#"{"__metadata__":{"format":"pt","c2pa:manifest":"aGk="},"w":{"shape":[1]}}   "#), ["aGk="]);
        assert_eq!(found(r#"{"w":{"c2pa:manifest":"no"},"__metadata__":{}}"#), Vec::<String>::new());
        assert_eq!(found(r#"{"__metadata__":null,"c2pa:manifest":{}}"#), Vec::<String>::new());
        assert_eq!(found(r#"{"__metadata__":{"c2pa:manifest":"YQ==","c2pa:manifest":"Yg=="}}"#), ["YQ==", "Yg=="]);
        assert_eq!(
            found(r#"{"__metadata__":{"c2pa:manifest":"YQ=="},"__metadata__":{"c2pa:manifest":"Yg=="}}"#),
            ["YQ==", "Yg=="]
        );
        assert_eq!(found(r#"{"__metadata__":{"c2pa\u003amanifest":"YQ=="}}"#), ["YQ=="]);
        // With an escape it is no Base64.
        assert_eq!(found(r#"{"__metadata__":{"c2pa:manifest":"a\/b="}}"#), [""]);
    }

    #[test]
    fn what_is_no_header_is_none_or_an_error() {
        let none = |bytes: &[u8]| assert_eq!(header(bytes, bytes.len() as u64).unwrap(), None, "{bytes:?}");
        none(b"");
        none(b"\x02\0\0\0\0\0\0\0{");
        none(b"\x02\0\0\0\0\0\0\0[]");
        none(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat());
        assert!(values(br#"{"__metadata__":{"c2pa:manifest":1}}"#).is_err());
        assert!(values(br#"{"__metadata__":{"c2pa:manifest":"#).is_err());
    }
}
