//! A type from what the general decoder has read. Its errors name the field that is missing, unknown or of another type.
//!
//! The errors of a CBOR decoder say what is wrong and not where; so it decodes a tree of values, and this keeps the path to each.

use core::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_cbor::Value;

/// How much of what was found, or of a reason, an error repeats, in characters: a document may be one long text.
const MAX_WORDS: usize = 300;

/// The text of a value, cut where it is long; what is cut is never written.
fn shortened(value: &(impl fmt::Display + ?Sized)) -> String {
    struct Short {
        text: String,
        left: usize,
    }

    impl fmt::Write for Short {
        fn write_str(&mut self, more: &str) -> fmt::Result {
            let end = more.char_indices().nth(self.left).map_or(more.len(), |(at, _)| at);
            let taken = more.get(..end).unwrap_or_default();
            self.text.push_str(taken);
            self.left -= taken.chars().count();
            if end < more.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut short = Short { text: String::new(), left: MAX_WORDS };
    if fmt::Write::write_fmt(&mut short, format_args!("{value}")).is_err() {
        short.text.push('…');
    }
    short.text
}

/// Where a field is: `evaluations[3].dataset.name`. Empty for the document itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldPath(String);

impl FieldPath {
    /// A path from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn under(&self, parent: &str) -> Self {
        let separator = if self.0.is_empty() || self.0.starts_with('[') { "" } else { "." };
        Self(format!("{}{separator}{}", shortened(parent), self.0))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "the document" } else { &self.0 })
    }
}

/// A document that does not have the fields it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// Which field.
    pub path: FieldPath,
    /// What is wrong with it.
    pub problem: ShapeProblem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeProblem {
    /// Required and not there.
    Missing,
    /// There, and not known.
    Unknown {
        /// The fields known at this place.
        known: &'static [&'static str],
    },
    /// Of another type.
    WrongType {
        /// The type it has to have.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Text outside its vocabulary.
    NotOneOf {
        /// The vocabulary.
        expected: &'static [&'static str],
        /// What was found.
        found: String,
    },
    /// Of the right type, with a value that it cannot have.
    Invalid {
        /// Expected and found, in words.
        reason: String,
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.problem {
            ShapeProblem::Missing => write!(f, "{path}: required, and not there"),
            ShapeProblem::Unknown { known } => {
                write!(f, "{path}: no such field; known here: {}", known.join(", "))
            }
            ShapeProblem::WrongType { expected, found } => write!(f, "{path}: expected {expected}, found {found}"),
            ShapeProblem::NotOneOf { expected, found } => {
                write!(f, "{path}: expected one of {}, found {found:?}", expected.join(", "))
            }
            ShapeProblem::Invalid { reason } => write!(f, "{path}: {reason}"),
        }
    }
}

impl core::error::Error for ShapeError {}

impl ShapeError {
    pub(super) fn anywhere(reason: impl fmt::Display) -> Self {
        Self::here(ShapeProblem::Invalid { reason: shortened(&reason) })
    }

    fn here(problem: ShapeProblem) -> Self {
        Self { path: FieldPath::default(), problem }
    }

    fn at(field: &str, problem: ShapeProblem) -> Self {
        Self { path: FieldPath::new(shortened(field)), problem }
    }

    fn under(mut self, parent: &str) -> Self {
        self.path = self.path.under(parent);
        self
    }
}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::anywhere(reason)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::here(ShapeProblem::WrongType { expected: expected.to_string(), found: shortened(&found) })
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::anywhere(format_args!("expected {expected}, found {found}"))
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::here(ShapeProblem::NotOneOf { expected, found: shortened(found) })
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::at(field, ShapeProblem::Unknown { known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::at(field, ShapeProblem::Missing)
    }
}

/// Reads a value, or says where it does not fit.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ShapeError> {
    T::deserialize(Node(value))
}

#[derive(Clone, Copy)]
struct Node<'de>(&'de Value);

impl<'de> de::Deserializer<'de> for Node<'de> {
    type Error = ShapeError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i128(*value),
            },
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Map(pairs) => visitor.visit_map(Pairs { pairs: pairs.iter(), value: None }),
            _ => Err(de::Error::invalid_type(de::Unexpected::Other("an item of another kind"), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Map(pairs) => {
                visitor.visit_enum(MapAccessDeserializer::new(Pairs { pairs: pairs.iter(), value: None }))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// A struct is a map; other decoders take an array of its values as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &"a map")),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a> {
    items: core::iter::Enumerate<core::slice::Iter<'a, Value>>,
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, ShapeError> {
        let Some((position, item)) = self.items.next() else {
            return Ok(None);
        };
        seed.deserialize(Node(item)).map(Some).map_err(|error| error.under(&format!("[{position}]")))
    }
}

struct Pairs<'a> {
    pairs: std::collections::btree_map::Iter<'a, Value, Value>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'a> MapAccess<'a> for Pairs<'a> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        let Some((key, value)) = self.pairs.next() else {
            return Ok(None);
        };
        let Value::Text(key) = key else {
            return Err(ShapeError::anywhere("expected text keys"));
        };
        self.value = Some((key, value));
        let deserializer: StrDeserializer<'a, ShapeError> = key.as_str().into_deserializer();
        seed.deserialize(deserializer).map(Some).map_err(|error| match error.problem {
            ShapeProblem::Unknown { .. } => error,
            _ => error.under(key),
        })
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, ShapeError> {
        let (key, value) = self.value.take().ok_or_else(|| ShapeError::anywhere("expected a key before its value"))?;
        seed.deserialize(Node(value)).map_err(|error| error.under(key))
    }
}
