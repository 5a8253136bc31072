//! CBOR, and the four parts of a COSE_Sign1 (RFC 9052 §4.2).
//!
//! A foreign service may encode as it likes: what is read here need not be in its shortest form.

use ciborium::Value;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 16;

/// The tag of COSE_Sign1.
const SIGN1: u64 = 18;

/// One item, and nothing after it.
pub fn parse(mut bytes: &[u8]) -> Option<Value> {
    let value = ciborium::de::from_reader_with_recursion_limit(&mut bytes, MAX_DEPTH).ok()?;
    bytes.is_empty().then_some(value)
}

/// The bytes of an item.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Into memory nothing fails.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

/// An integer.
pub fn int(number: i64) -> Value {
    Value::Integer(number.into())
}

/// A map with integer labels.
pub fn map<const N: usize>(entries: [(i64, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(label, value)| (int(label), value)).collect())
}

/// The value at an integer label of a map that has it once.
pub fn at(map: &Value, label: i64) -> Option<&Value> {
    let mut found = map.as_map()?.iter().filter(|(key, _)| *key == int(label)).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// An integer of 64 bits.
pub fn integer(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|number| number.try_into().ok())
}

/// An item as a person reads it (RFC 8949 §8), cut where it is long.
pub fn diagnostic(value: Option<&Value>) -> String {
    fn write(value: &Value) -> String {
        let all = |items: Vec<String>| items.join(", ");
        match value {
            Value::Integer(number) => i128::from(*number).to_string(),
            Value::Text(text) => format!("{text:?}"),
            Value::Bytes(bytes) => format!("h'{}'", hex(bytes)),
            Value::Array(items) => format!("[{}]", all(items.iter().map(write).collect())),
            Value::Map(entries) => {
                let entries = entries.iter().map(|(label, value)| format!("{}: {}", write(label), write(value)));
                format!("{{{}}}", all(entries.collect()))
            }
            Value::Tag(tag, item) => format!("{tag}({})", write(item)),
            Value::Bool(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            _ => "an item of another type".to_owned(),
        }
    }
    let text = value.map_or("none".to_owned(), write);
    text.chars().take(120).collect()
}

/// Bytes for a person.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A signed message.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign1 {
    /// Whether it has its tag.
    pub tagged: bool,
    /// The protected header, as it was signed.
    pub protected: Vec<u8>,
    /// The unprotected header.
    pub unprotected: Value,
    /// The payload; none is detached.
    pub payload: Option<Vec<u8>>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Sign1 {
    /// Reads one, with its tag or without.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (tagged, parts) = match parse(bytes)? {
            Value::Tag(SIGN1, parts) => (true, *parts),
            parts => (false, parts),
        };
        let [protected, unprotected, payload, signature] = <[Value; 4]>::try_from(parts.into_array().ok()?).ok()?;
        let payload = match payload {
            Value::Null => None,
            payload => Some(payload.into_bytes().ok()?),
        };
        unprotected.as_map()?;
        let (protected, signature) = (protected.into_bytes().ok()?, signature.into_bytes().ok()?);
        Some(Self { tagged, protected, unprotected, payload, signature })
    }

    /// The bytes of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = Value::Array(vec![
            Value::Bytes(self.protected.clone()),
            self.unprotected.clone(),
            self.payload.clone().map_or(Value::Null, Value::Bytes),
            Value::Bytes(self.signature.clone()),
        ]);
        encode(&if self.tagged { Value::Tag(SIGN1, Box::new(parts)) } else { parts })
    }

    /// The protected header: an empty string is an empty map.
    pub fn header(&self) -> Value {
        parse(&self.protected).unwrap_or(Value::Map(Vec::new()))
    }

    /// What is signed over a payload (§4.4).
    pub fn to_be_signed(&self, payload: &[u8]) -> Vec<u8> {
        encode(&Value::Array(vec![
            Value::Text("Signature1".into()),
            Value::Bytes(self.protected.clone()),
            Value::Bytes(Vec::new()),
            Value::Bytes(payload.to_vec()),
        ]))
    }

    /// Its bytes as a log has them: with nothing in the unprotected header (RFC 9943).
    pub fn entry(&self) -> Vec<u8> {
        Self { unprotected: Value::Map(Vec::new()), ..self.clone() }.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_four_parts_with_a_tag_or_without() {
        let message = [0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0, 0xf6, 0x41, 0x07];
        let read = Sign1::parse(&message).unwrap();
        assert_eq!((read.to_bytes().as_slice(), at(&read.header(), 1)), (&message[..], Some(&int(-8))));
        assert!(!Sign1::parse(&message[1..]).unwrap().tagged);
        for wrong in
            [&message[..9], &[message.as_slice(), &[0]].concat(), &[0x84, 0x40, 0xa0, 0x01, 0x40], &[0x83, 1, 2, 3]]
        {
            assert_eq!(Sign1::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_item_is_told_in_diagnostic_notation() {
        let item = map([(1, Value::Array(vec![int(-7), Value::Bytes(vec![1, 0xff])])), (2, Value::Text("a".into()))]);
        assert_eq!(diagnostic(Some(&item)), r#"{1: [-7, h'01ff'], 2: "a"}"#);
        assert_eq!(diagnostic(None), "none");
    }

    #[test]
    fn a_label_that_is_there_twice_is_not_there() {
        assert_eq!(at(&map([(1, int(2)), (1, int(3))]), 1), None);
        assert_eq!(at(&map([(1, int(2))]), 1), Some(&int(2)));
    }
}
