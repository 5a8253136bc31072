use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

/// Fields out of canonical order, as people like to read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Letter {
    greeting: String,
    to: Vec<Person>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    urgent: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    age: u64,
}

fn letter() -> Letter {
    Letter { greeting: "hello".into(), to: vec![Person { name: "Ada".into(), age: 36 }], urgent: Some(true) }
}

fn scanned(bytes: &[u8], profile: Profile) -> Result<(), CanonicalError> {
    Scanned::scan(bytes, usize::MAX, profile).map(drop)
}

fn read(hex_text: &str) -> Result<Letter, CanonicalError> {
    from_bytes(&hex::decode(hex_text.replace(' ', "")).unwrap(), 1000)
}

#[test]
fn other_spellings_of_a_document_are_refused_each_with_its_place() {
    let scan = |text: &str| scanned(&hex::decode(text.replace(' ', "")).unwrap(), Profile::Payload);
    for (bytes, expected) in [
        ("", CanonicalError::Truncated { at: 0 }),
        ("18", CanonicalError::Truncated { at: 1 }),
        ("62 61", CanonicalError::Truncated { at: 2 }),
        ("82 01", CanonicalError::Truncated { at: 2 }),
        ("9b ffffffffffffffff", CanonicalError::Truncated { at: 9 }),
        ("bb ffffffffffffffff", CanonicalError::Truncated { at: 9 }),
        ("7b ffffffffffffffff", CanonicalError::Truncated { at: 9 }),
        ("01 01", CanonicalError::TrailingBytes { at: 1, count: 1 }),
        ("18 17", CanonicalError::NotShortest { at: 0 }),
        ("19 00ff", CanonicalError::NotShortest { at: 0 }),
        ("1a 0000ffff", CanonicalError::NotShortest { at: 0 }),
        ("1b 00000000ffffffff", CanonicalError::NotShortest { at: 0 }),
        ("81 78 01 61", CanonicalError::NotShortest { at: 1 }),
        ("b8 00", CanonicalError::NotShortest { at: 0 }),
        ("f8 14", CanonicalError::NotShortest { at: 0 }),
        ("1c", CanonicalError::Reserved { at: 0 }),
        ("1f", CanonicalError::Reserved { at: 0 }),
        ("5f 41 61 ff", CanonicalError::IndefiniteLength { at: 0 }),
        ("7f 61 61 ff", CanonicalError::IndefiniteLength { at: 0 }),
        ("9f 01 ff", CanonicalError::IndefiniteLength { at: 0 }),
        ("bf 61 61 01 ff", CanonicalError::IndefiniteLength { at: 0 }),
        ("ff", CanonicalError::IndefiniteLength { at: 0 }),
        ("20", CanonicalError::Forbidden { at: 0, item: Item::Negative }),
        ("41 61", CanonicalError::Forbidden { at: 0, item: Item::Bytes }),
        ("81 c1 00", CanonicalError::Forbidden { at: 1, item: Item::Tag(1) }),
        ("f6", CanonicalError::Forbidden { at: 0, item: Item::Null }),
        ("f7", CanonicalError::Forbidden { at: 0, item: Item::Simple(23) }),
        ("f8 20", CanonicalError::Forbidden { at: 0, item: Item::Simple(32) }),
        ("f9 3c00", CanonicalError::Forbidden { at: 0, item: Item::Float }),
        ("fa 3f800000", CanonicalError::Forbidden { at: 0, item: Item::Float }),
        ("fb 3ff0000000000000", CanonicalError::Forbidden { at: 0, item: Item::Float }),
        ("1b 0020000000000000", CanonicalError::IntegerTooLarge { at: 0, found: 1 << 53 }),
        ("62 c3 28", CanonicalError::NotUtf8 { at: 1 }),
        ("a1 01 02", CanonicalError::KeyNotText { at: 1 }),
        ("a1 41 61 02", CanonicalError::KeyNotText { at: 1 }),
        ("a2 61 62 01 61 61 01", CanonicalError::KeyOrder { at: 4 }),
        ("a2 62 61 61 01 61 62 01", CanonicalError::KeyOrder { at: 5 }),
        ("a2 61 61 01 61 61 01", CanonicalError::DuplicateKey { at: 4 }),
    ] {
        assert_eq!(scan(bytes), Err(expected), "{bytes}");
    }
    for bytes in
        ["00", "17", "18 18", "19 0100", "1b 001fffffffffffff", "60", "80", "a0", "f4", "f5", "a2 6161 01 626161 01"]
    {
        assert_eq!(scan(bytes), Ok(()), "{bytes}");
    }
}

#[test]
fn seventeen_boxes_inside_each_other_are_one_too_many() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
    assert_eq!(scanned(&nested(MAX_DEPTH), Profile::Payload), Ok(()));
    assert_eq!(scanned(&nested(MAX_DEPTH + 1), Profile::Payload), Err(CanonicalError::TooDeep { at: MAX_DEPTH }));
    assert_eq!(scanned(&nested(1_000_000), Profile::Payload), Err(CanonicalError::TooDeep { at: MAX_DEPTH }));
}

#[test]
fn a_document_over_its_limit_is_not_looked_at() {
    let bytes = to_bytes(&letter()).unwrap();
    assert_eq!(
        from_bytes::<Letter>(&bytes, bytes.len() - 1),
        Err(CanonicalError::TooLong { limit: bytes.len() - 1, found: bytes.len() })
    );
    assert_eq!(from_bytes::<Letter>(&bytes, bytes.len()), Ok(letter()));
}

#[test]
fn the_field_that_does_not_fit_is_named() {
    for (value, path, expected) in [
        (serde_json::json!({"greeting": "hello"}), "to", "to: required, and not there"),
        (
            serde_json::json!({"greeting": "hello", "to": [{"name": "Ada"}]}),
            "to[0].age",
            "to[0].age: required, and not there",
        ),
        (
            serde_json::json!({"greeting": "hello", "to": [{"name": "Ada", "age": "old"}]}),
            "to[0].age",
            "to[0].age: expected u64, found string \"old\"",
        ),
        (
            serde_json::json!({"greeting": "hello", "to": [], "ps": "bye"}),
            "ps",
            "ps: no such field; known here: greeting, to, urgent",
        ),
        (serde_json::json!({"greeting": 1, "to": []}), "greeting", "greeting: expected a string, found integer `1`"),
    ] {
        let Err(CanonicalError::Shape(error)) = from_bytes::<Letter>(&to_bytes(&value).unwrap(), 1000) else {
            panic!("{value} was accepted or refused for another reason");
        };
        assert_eq!((error.path.as_str(), error.to_string().as_str()), (path, expected));
    }
}

/// The typed decoder takes an array for a struct; that its bytes are not written again is what refuses it.
#[test]
fn a_struct_sent_as_an_array_is_refused() {
    let refused = |value| match from_bytes::<Letter>(&to_bytes(&value).unwrap(), 1000) {
        Err(CanonicalError::Shape(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(serde_json::json!(["hello", [], true])), "the document: expected a map, found sequence");
    let inside = serde_json::json!({"greeting": "hello", "to": [["Ada", 36]]});
    assert_eq!(refused(inside), "to[0]: expected a map, found sequence");
    assert!(read("a0").is_err());
}

#[test]
fn fields_are_sorted_whatever_the_order_of_their_declaration() {
    let bytes = to_bytes(&letter()).unwrap();
    // {"to": [{"age": 36, "name": "Ada"}], "urgent": true, "greeting": "hello"}: shorter keys first.
    assert_eq!(
        hex::encode(&bytes),
        "a3 62746f 81 a2 63616765 1824 646e616d65 63416461 66757267656e74 f5 686772656574696e67 6568656c6c6f"
            .replace(' ', "")
    );
    assert_eq!(from_bytes::<Letter>(&bytes, 1000), Ok(letter()));
    let map: BTreeMap<_, _> = [("aa", 1_u64), ("b", 2)].into();
    assert_eq!(hex::encode(to_bytes(&map).unwrap()), "a2616202626161 01".replace(' ', ""));
}

#[test]
fn byte_strings_are_for_containers_only() {
    let file = Bytes(vec![1, 2, 3]);
    assert_eq!(to_bytes(&file), Err(CanonicalError::Forbidden { at: 0, item: Item::Bytes }));
    let bytes = encode(&file, Profile::Container).unwrap();
    assert_eq!(decode(&bytes, 100, Profile::Container), Ok(file));
    let text = to_bytes(&"abc").unwrap();
    assert!(decode::<Bytes>(&text, 100, Profile::Container).is_err());
}

#[test]
fn what_has_no_place_in_a_payload_is_not_written_either() {
    assert!(to_bytes(&1.5_f64).is_err());
    assert!(to_bytes(&-1_i32).is_err());
    assert!(to_bytes(&Option::<u64>::None).is_err());
    assert!(to_bytes(&BTreeMap::from([(1_u64, 2_u64)])).is_err());
    assert!(to_bytes(&(MAX_INTEGER + 1)).is_err());
}

/// Any value of the payload's data model.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        (0..=MAX_INTEGER).prop_map(serde_json::Value::from),
        (0..300_u64).prop_map(serde_json::Value::from),
        ".{0,30}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::hash_map(".{0,12}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The encoding of RFC 8949 §4.2.1, by another codec, sorted by its own encoded keys.
pub(crate) fn by_ciborium(value: &serde_json::Value) -> Vec<u8> {
    fn sort(value: ciborium::Value) -> ciborium::Value {
        match value {
            ciborium::Value::Array(items) => ciborium::Value::Array(items.into_iter().map(sort).collect()),
            ciborium::Value::Map(pairs) => {
                let mut pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key, sort(value))).collect();
                pairs.sort_by_key(|(key, _)| write(key));
                ciborium::Value::Map(pairs)
            }
            other => other,
        }
    }

    fn write(value: &ciborium::Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    }

    write(&sort(ciborium::Value::serialized(value).unwrap()))
}

proptest! {
    #[test]
    fn two_codecs_write_the_same_bytes(value in value()) {
        let bytes = to_bytes(&value).unwrap();
        prop_assert_eq!(&bytes, &by_ciborium(&value));
        let tree = serde_cbor::value::to_value(&value).unwrap();
        prop_assert_eq!(&bytes, &serde_cbor::to_vec(&tree).unwrap());
        prop_assert_eq!(from_bytes::<serde_json::Value>(&bytes, bytes.len()).unwrap(), value.clone());
        let read: ciborium::Value = ciborium::from_reader(bytes.as_slice()).unwrap();
        prop_assert_eq!(read.deserialized::<serde_json::Value>().unwrap(), value);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_never_have_a_second_spelling(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for profile in [Profile::Payload, Profile::Container] {
            if scanned(&bytes, profile).is_ok() {
                let value: serde_cbor::Value = serde_cbor::from_slice(&bytes).unwrap();
                prop_assert_eq!(encode(&value, profile).unwrap(), bytes.clone());
            }
        }
        let _ = from_bytes::<Letter>(&bytes, 64);
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_letter(at in 0..54_usize, change in 1..=255_u8) {
        let mut bytes = to_bytes(&letter()).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= change;
        if let Ok(read) = from_bytes::<Letter>(&bytes, 1000) {
            prop_assert_ne!(&read, &letter());
            prop_assert_eq!(to_bytes(&read).unwrap(), bytes);
        }
    }
}

/// Every kind of item, in shapes of every kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parcel {
    words: BTreeMap<Word, u64>,
    pair: (u8, String),
    id: Id,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inside: Vec<Parcel>,
    kind: Size,
    fragile: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Id(i32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Size {
    Small,
    Weighed(u64),
}

/// In another order than that of their encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Longest,
    Long,
    Aa,
    B,
}

const WORDS: [Word; 4] = [Word::Longest, Word::Long, Word::Aa, Word::B];

fn parcel() -> impl Strategy<Value = Parcel> {
    let leaf = (
        prop::collection::btree_map(prop::sample::select(&WORDS[..]), 0..300_u64, 0..5),
        (any::<u8>(), "[a-z\u{e9}]{0,30}"),
        any::<i32>(),
        prop_oneof![Just(Size::Small), any::<u64>().prop_map(Size::Weighed)],
        prop::option::of(any::<bool>()),
    );
    let leaf = leaf.prop_map(|(words, pair, id, kind, fragile)| Parcel {
        words,
        pair,
        id: Id(id),
        inside: Vec::new(),
        kind,
        fragile,
    });
    leaf.prop_recursive(3, 8, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..3)).prop_map(|(mut parcel, inside)| {
            parcel.inside = inside;
            parcel
        })
    })
}

/// Whether the bytes are a document of the type. Decoding asserts that the general decoder says the same.
fn is<T: serde::de::DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    decode::<T>(bytes, 100_000, Profile::Container).is_ok()
}

fn is_decoded_by_tape<T: serde::de::DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    Scanned::scan(bytes, usize::MAX, Profile::Container).unwrap().is_decoded_by_tape::<T>()
}

#[test]
fn a_value_is_compared_with_the_whole_document() {
    // One field more, one less, another value, a list in the place of a struct, a value that encodes shorter.
    for (bytes, is_letter) in [
        ("a3 62746f 80 66757267656e74 f5 686772656574696e67 6161", true),
        ("a2 62746f 80 686772656574696e67 6161", true),
        ("a2 62746f a0 686772656574696e67 6161", false),
        ("83 6161 80 f5", false),
        ("a3 6161 01 62746f 80 686772656574696e67 6161", false),
        ("a1 62746f 80", false),
    ] {
        let bytes = hex::decode(bytes.replace(' ', "")).unwrap();
        assert_eq!(is::<Letter>(&bytes), is_letter, "{}", hex::encode(&bytes));
        assert_eq!(is_decoded_by_tape::<Letter>(&bytes), is_letter);
    }
}

#[test]
fn maps_are_decoded_by_the_tape_whatever_the_order_of_their_keys_in_the_type() {
    let words: BTreeMap<Word, u64> = WORDS.into_iter().map(|word| (word, 7)).collect();
    assert!(is_decoded_by_tape::<BTreeMap<Word, u64>>(&to_bytes(&words).unwrap()));
    // Beyond what is looked up in any order, the general decoder decides.
    let many: BTreeMap<String, u64> = (0..129).map(|n| (n.to_string(), n)).collect();
    let bytes = to_bytes(&many).unwrap();
    assert!(is::<BTreeMap<String, u64>>(&bytes) && !is_decoded_by_tape::<BTreeMap<String, u64>>(&bytes));
}

/// A long document is read as a short one is, and its errors name the field as long as that costs little.
#[test]
fn a_long_document_is_decoded_by_the_tape_and_one_that_is_all_items_is_refused() {
    let long: Vec<Letter> = vec![letter(); 5_000];
    let mut bytes = encode(&long, Profile::Container).unwrap();
    assert!(bytes.len() > 65_535 && is_decoded_by_tape::<Vec<Letter>>(&bytes));
    assert_eq!(decode::<Vec<Letter>>(&bytes, bytes.len(), Profile::Container).unwrap(), long);
    let at = bytes.windows(2).rposition(|two| two == b"to").unwrap();
    bytes[at + 1] = b'p';
    let refused = |bytes: &[u8]| decode::<Vec<Letter>>(bytes, bytes.len(), Profile::Container).unwrap_err().to_string();
    assert!(refused(&bytes).starts_with("[4999].tp: no such field"), "{}", refused(&bytes));

    // An item in each byte: as many as every document may have, and one more.
    let list = |items: u16| [&[0x99][..], &items.to_be_bytes(), &vec![0; items.into()]].concat();
    let most = 65_534;
    assert_eq!(refused(&list(most)), "[0]: expected struct Letter, found integer `0`");
    assert_eq!(refused(&list(most + 1)), "the document: expected at most 65535 items in 65538 bytes");
    // Beyond what the general decoder reads: the error names no field, and costs nothing.
    let text = encode(&vec!["six bytes and more"; 300_000], Profile::Container).unwrap();
    assert!(refused(&text).starts_with("the document: it does not fit"), "{}", refused(&text));
    let numbers: Vec<u64> = vec![1 << 50; 300_000];
    let bytes = encode(&numbers, Profile::Payload).unwrap();
    assert_eq!(from_bytes::<Vec<u64>>(&bytes, bytes.len()).unwrap(), numbers);
}

/// An error goes to the sender of the document, which may have sixteen million characters.
#[test]
fn an_error_repeats_only_the_beginning_of_what_is_long() {
    for character in ["a", "\u{1}", "\u{e000}"] {
        let long = character.repeat(1_000_000);
        let value = serde_json::json!([{ "greeting": "hello", "to": [], "urgent": long }]);
        let key = serde_json::json!([{ "greeting": "hello", "to": [], (long.clone()): 1 }]);
        for document in [value, key, serde_json::json!([long])] {
            let bytes = to_bytes(&document).unwrap();
            let refused = from_bytes::<Vec<Letter>>(&bytes, bytes.len()).unwrap_err().to_string();
            assert!(refused.contains('…') && refused.len() < 2_000, "{} bytes", refused.len());
        }
    }
    let word = to_bytes(&"b".repeat(1_000_000)).unwrap();
    let refused = from_bytes::<Word>(&word, word.len()).unwrap_err().to_string();
    assert!(refused.starts_with("the document: expected one of longest") && refused.len() < 2_000);
}

/// Two keys of a value may be written alike; a document has each key once.
#[test]
fn keys_that_are_written_alike_are_found_once() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Folded(String);

    impl Serialize for Folded {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(&self.0.to_lowercase())
        }
    }

    impl<'de> Deserialize<'de> for Folded {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer).map(Self)
        }
    }

    let bytes = to_bytes(&BTreeMap::from([("A", 1_u64), ("a", 1)])).unwrap();
    assert!(!is::<BTreeMap<Folded, u64>>(&bytes) && !is_decoded_by_tape::<BTreeMap<Folded, u64>>(&bytes));
}

proptest! {
    #[test]
    fn the_tape_says_what_the_general_decoder_says(
        parcel in parcel(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        // Integers below zero and beyond 2^53 are none of the profile; of such a value only the declared bytes are there.
        let mut bytes = encode(&parcel, Profile::Container).or_else(|_| sort::declared(&parcel)).unwrap();
        is::<Parcel>(&bytes);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        is_as_by_serde_cbor::<Parcel>(&bytes);
        is_as_by_serde_cbor::<Letter>(&bytes);
        is_as_by_serde_cbor::<Vec<u64>>(&bytes);
    }
}

/// What serde_cbor itself makes of the bytes, where it gives the same bytes back, is what is decoded: not more, not less.
fn is_as_by_serde_cbor<T: serde::de::DeserializeOwned + Serialize>(bytes: &[u8]) {
    if scanned(bytes, Profile::Container).is_err() {
        return;
    }
    let by_serde_cbor = serde_cbor::from_slice::<T>(bytes).ok().map(|value| sort::declared(&value).unwrap());
    let by_serde_cbor = by_serde_cbor.filter(|declared| declared == bytes || sort::sorted(declared).unwrap() == bytes);
    let decoded = decode::<T>(bytes, 100_000, Profile::Container).ok().map(|value| sort::declared(&value).unwrap());
    assert_eq!(decoded, by_serde_cbor);
}
