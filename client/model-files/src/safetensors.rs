//! The header of a safetensors file: eight bytes of length, then JSON (the format's own limit is 100 MB).

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The longest header that is read: a tensor needs about 100 bytes.
const MAX_HEADER: u64 = 64 << 20;

/// What is read of an item of the header: how many numbers a tensor has. `__metadata__` has no shape.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    shape: Shape,
}

/// The product of a shape; nothing where there is no shape, or none that can be.
#[derive(Default)]
enum Shape {
    #[default]
    None,
    Numbers(u64),
    TooMany,
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sides;

        impl<'de> Visitor<'de> for Sides {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the sides of a tensor")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<Shape, A::Error> {
                let mut numbers = Some(1_u64);
                while let Some(side) = sides.next_element::<u64>()? {
                    numbers = numbers.and_then(|numbers| numbers.checked_mul(side));
                }
                Ok(numbers.map_or(Shape::TooMany, Shape::Numbers))
            }

            fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
                Ok(Shape::None)
            }
        }

        deserializer.deserialize_any(Sides)
    }
}

/// The sum over a header, taken as it is read: a header of a million tensors costs no memory.
struct Sum(Option<u64>);

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Sum;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sum, A::Error> {
                let mut sum = Some(0_u64);
                while let Some((IgnoredAny, item)) = map.next_entry::<IgnoredAny, Item>()? {
                    sum = match item.shape {
                        Shape::None => sum,
                        Shape::Numbers(numbers) => sum.and_then(|sum| sum.checked_add(numbers)),
                        Shape::TooMany => None,
                    };
                }
                Ok(Sum(sum))
            }
        }

        deserializer.deserialize_map(Items)
    }
}

/// How many numbers the tensors of a file hold together.
pub fn parameters(path: &Path, size: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > size.saturating_sub(8) {
        return Err(io::Error::other(format!(
            "its header of {length} bytes is longer than the file or than {MAX_HEADER}"
        )));
    }
    let Sum(sum) = serde_json::from_reader(io::BufReader::new(file.take(length)))?;
    sum.ok_or_else(|| io::Error::other("its tensors have more numbers than there can be"))
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
    fn a_header_of_many_items_is_read_as_it_comes() {
        let items: Vec<String> = (0..200_000).map(|n| format!("\"{n}\":{{\"shape\":[2]}}")).collect();
        let header = format!("{{{}}}", items.join(","));
        let began = std::time::Instant::now();
        assert_eq!(count(&header, header.len() as u64).unwrap(), 400_000);
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
        let metadata = r#"{"__metadata__":{"shape":"none"},"a":{"shape":[3]}}"#;
        assert_eq!(count(metadata, metadata.len() as u64).unwrap(), 3);
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
