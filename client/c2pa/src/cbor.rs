//! CBOR of others (RFC 8949), in whatever encoding they chose. Nothing is written in it, and no digest is taken of what was read.

/// The deepest nesting.
const MAX_DEPTH: usize = 16;

/// The most items of one document.
const MAX_ITEMS: usize = 100_000;

/// A value, as far as anything is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An unsigned integer.
    Number(u64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// A map, in its order.
    Map(Vec<(Value, Value)>),
    /// A negative integer, a float or a simple value.
    Other,
}

impl Value {
    /// Reads a document: one value, and nothing behind it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes, items: 0 };
        let value = reader.value(0)?;
        reader.rest.is_empty().then_some(value)
    }

    /// The value of a key of a map; none where the key stands twice.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Map(fields) = self else { return None };
        let mut found = fields.iter().filter(|(key, _)| matches!(key, Self::Text(key) if key == name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The items of an array.
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

/// The argument of a head.
enum Argument {
    Number(u64),
    Indefinite,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.items += 1;
        if depth > MAX_DEPTH || self.items > MAX_ITEMS {
            return None;
        }
        let (major, argument) = self.head()?;
        Some(match (major, argument) {
            (0, Argument::Number(number)) => Value::Number(number),
            (1, Argument::Number(_)) | (7, Argument::Number(_)) => Value::Other,
            (2, Argument::Number(length)) => Value::Bytes(self.take(length)?.to_vec()),
            (3, Argument::Number(length)) => Value::Text(str::from_utf8(self.take(length)?).ok()?.to_owned()),
            (2, Argument::Indefinite) => Value::Bytes(self.chunks(2)?),
            (3, Argument::Indefinite) => Value::Text(String::from_utf8(self.chunks(3)?).ok()?),
            (4, count) => {
                let mut items = Vec::new();
                while self.goes_on(&count, items.len())? {
                    items.push(self.value(depth + 1)?);
                }
                Value::List(items)
            }
            (5, count) => {
                let mut fields = Vec::new();
                while self.goes_on(&count, fields.len())? {
                    fields.push((self.value(depth + 1)?, self.value(depth + 1)?));
                }
                Value::Map(fields)
            }
            // What a tag says of a value is nothing that is asked here.
            (6, Argument::Number(_)) => self.value(depth + 1)?,
            _ => return None,
        })
    }

    fn head(&mut self) -> Option<(u8, Argument)> {
        let [first] = *self.take(1)? else { return None };
        let argument = match first & 0x1f {
            short @ 0..=23 => Argument::Number(short.into()),
            long @ 24..=27 => {
                let bytes = self.take(1 << (long - 24))?;
                Argument::Number(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            31 => Argument::Indefinite,
            _ => return None,
        };
        Some((first >> 5, argument))
    }

    fn take(&mut self, length: u64) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    /// Whether an array or a map goes on; a break that ends it is taken.
    fn goes_on(&mut self, count: &Argument, read: usize) -> Option<bool> {
        match count {
            Argument::Number(count) => Some(u64::try_from(read).ok()? < *count),
            Argument::Indefinite => Some(!self.breaks()?),
        }
    }

    fn breaks(&mut self) -> Option<bool> {
        let is_break = *self.rest.first()? == 0xff;
        if is_break {
            self.take(1)?;
        }
        Some(is_break)
    }

    /// The chunks of a string without a length: strings of its kind that have one.
    fn chunks(&mut self, kind: u8) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while !self.breaks()? {
            self.items += 1;
            match self.head()? {
                (found, Argument::Number(length)) if found == kind && self.items <= MAX_ITEMS => {
                    bytes.extend_from_slice(self.take(length)?);
                }
                _ => return None,
            }
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read_in_each_encoding_that_they_have() {
        let text = |text: &str| Value::Text(text.to_owned());
        for bytes in
            [&b"\xa1aa\x82\x01\x41x"[..], b"\xbfaa\x9f\x18\x01\x5f\x41x\xff\xff\xff", b"\xd8\x2a\xa1aa\x82\x01\x41x"]
        {
            let value = Value::parse(bytes).unwrap();
            assert_eq!(value.field("a").unwrap().list().unwrap(), [Value::Number(1), Value::Bytes(b"x".to_vec())]);
        }
        assert_eq!(Value::parse(b"\x7f\x61a\x61b\xff"), Some(text("ab")));
        assert_eq!(Value::parse(b"\x83\x20\xf5\xfb\0\0\0\0\0\0\0\0"), Some(Value::List(vec![Value::Other; 3])));
    }

    #[test]
    fn what_is_cut_too_deep_or_followed_by_more_is_none() {
        for bytes in [
            &b""[..],
            b"\xa1aa",
            b"\x01\x01",
            b"\x61\xff",
            b"\xff",
            b"\x1c",
            b"\x5f\x61a\xff",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(Value::parse(bytes), None, "{bytes:?}");
        }
        assert_eq!(Value::parse(&[vec![0x81; MAX_DEPTH + 1], vec![1]].concat()), None);
        assert!(Value::parse(&[vec![0x81; MAX_DEPTH], vec![1]].concat()).is_some());
        assert_eq!(Value::parse(&[vec![0x9f], vec![1; MAX_ITEMS + 1], vec![0xff]].concat()), None);
        // A key that stands twice has no value.
        assert_eq!(Value::parse(b"\xa2aa\x01aa\x02").unwrap().field("a"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Value::parse(&bytes);
        }
    }
}
