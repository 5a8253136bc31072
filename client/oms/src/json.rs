//! JSON as strictly as a signature needs it: no key twice in an object, no value that the reader did not expect, bounded in all directions.
//!
//! Two readers of one text must not read two things, so a key that stands twice is refused wherever it stands. A text has many spellings all the same (spaces,
//! order of fields, escapes); what is signed are its bytes.

use core::fmt;
use std::cell::Cell;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// The most values in one text: five for each of the most resources.
pub const MAX_VALUES: usize = 1_000_000;

/// The most fields of one object. The widest of the format has six; entries of a transparency log, which are not read, have about ten.
pub const MAX_FIELDS: usize = 64;

/// 2^53: below it a floating-point number is one whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from 0 to 2^64 - 1, or below 2^53 where it is written with a point: writers that have numbers in floating point alone write `20.0`.
    Number(u64),
    /// Any other number: the format has none.
    OtherNumber,
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object; each key once.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads a whole text.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        let values = Cell::new(0);
        let mut reader = serde_json::Deserializer::from_slice(text);
        let parsed = Reader { values: &values }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        parsed.map_err(|error| JsonError { problem: error.to_string() })
    }

    /// What kind of value it is, for a message.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The object at this place.
    pub fn object(self, place: &'static str) -> Result<Object, FieldError> {
        match self {
            Self::Object(fields) => Ok(Object { place, fields }),
            other => Err(FieldError::kind(place, "an object", &other)),
        }
    }

    /// The list at this place.
    pub fn list(self, place: &'static str) -> Result<Vec<Self>, FieldError> {
        match self {
            Self::List(values) => Ok(values),
            other => Err(FieldError::kind(place, "a list", &other)),
        }
    }

    /// The string at this place.
    pub fn text(self, place: &'static str) -> Result<String, FieldError> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(FieldError::kind(place, "a string", &other)),
        }
    }

    /// The boolean at this place.
    pub fn boolean(self, place: &'static str) -> Result<bool, FieldError> {
        match self {
            Self::Bool(value) => Ok(value),
            other => Err(FieldError::kind(place, "true or false", &other)),
        }
    }

    /// The whole number at this place.
    pub fn number(self, place: &'static str) -> Result<u64, FieldError> {
        match self {
            Self::Number(number) => Ok(number),
            other => Err(FieldError::kind(place, "a whole number from 0 on", &other)),
        }
    }
}

/// The fields of an object, taken one by one; what is left is an unexpected field.
#[derive(Debug)]
pub struct Object {
    place: &'static str,
    fields: Vec<(String, Json)>,
}

impl Object {
    /// Takes a field, if it is there.
    pub fn optional(&mut self, field: &str) -> Option<Json> {
        let at = self.fields.iter().position(|(name, _)| name == field)?;
        Some(self.fields.swap_remove(at).1)
    }

    /// Takes a field that has to be there.
    pub fn required(&mut self, field: &'static str) -> Result<Json, FieldError> {
        self.optional(field).ok_or(FieldError::Missing { place: self.place, field })
    }

    /// Refuses a field that was not taken.
    pub fn end(self) -> Result<(), FieldError> {
        match self.fields.into_iter().next() {
            Some((field, _)) => Err(FieldError::Unknown { place: self.place, field }),
            None => Ok(()),
        }
    }
}

/// Why a text is no JSON that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected JSON in which no key stands twice, found: {problem}")]
pub struct JsonError {
    problem: String,
}

/// Why a value is not what has to stand at its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field is missing.
    #[error("expected the field {field} in {place}, found none")]
    Missing {
        /// The object.
        place: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field is there that the format does not have.
    #[error("expected no field in {place} but those of the format, found {field:?}")]
    Unknown {
        /// The object.
        place: &'static str,
        /// The field.
        field: String,
    },
    /// A value of another kind.
    #[error("expected {expected} as {place}, found {found}")]
    Kind {
        /// The place.
        place: &'static str,
        /// What the format has there.
        expected: &'static str,
        /// What kind of value stands there.
        found: &'static str,
    },
}

impl FieldError {
    fn kind(place: &'static str, expected: &'static str, found: &Json) -> Self {
        Self::Kind { place, expected, found: found.kind() }
    }
}

/// Reads one value, and counts it.
#[derive(Clone, Copy)]
struct Reader<'a> {
    values: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(de::Error::custom(format!("more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        let is_whole = value.fract() == 0.0 && (0.0..EXACT).contains(&value);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 2^53")]
        Ok(if is_whole { Json::Number(value as u64) } else { Json::OtherNumber })
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some(field) = object.next_key::<String>()? {
            if fields.iter().any(|(known, _)| *known == field) {
                return Err(de::Error::custom(format!("the key {field:?} twice")));
            }
            if fields.len() == MAX_FIELDS {
                return Err(de::Error::custom(format!("an object of more than {MAX_FIELDS} fields")));
            }
            let value = object.next_value_seed(self)?;
            fields.push((field, value));
        }
        Ok(Json::Object(fields))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what failed by failing")]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":[{"c":{}, "c":{}}]}"#,
            // The same key in another spelling.
            r#"{"a":1,"\u0061":2}"#,
        ] {
            let error = Json::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("twice"), "{text}: {error}");
        }
        assert!(Json::parse(br#"{"a":1,"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn what_is_no_json_or_too_much_of_it_is_refused() {
        for text in ["", "{", "{} {}", "\u{feff}{}", "{'a':1}", "[1,]", "{\"a\":\"\\ud800\"}", "nul", "01"] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
        assert!(Json::parse("[".repeat(100_000).as_bytes()).is_err());
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(Json::parse(many.as_bytes()).unwrap_err().to_string().contains("more than"));
        let wide: Vec<String> = (0..=MAX_FIELDS).map(|at| format!("\"{at}\":0")).collect();
        assert!(Json::parse(format!("{{{}}}", wide.join(",")).as_bytes()).is_err());
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        for (text, number) in
            [("20", Some(20)), ("20.0", Some(20)), ("2e1", Some(20)), ("18446744073709551615", Some(u64::MAX))]
        {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().number("it").ok(), number, "{text}");
        }
        for text in ["20.5", "-1", "-1.0", "1e300", "9007199254740992.0", "18446744073709551616"] {
            assert!(Json::parse(text.as_bytes()).unwrap().number("it").is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_that_is_missing_left_over_or_of_another_kind_is_named() {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap().object("the bundle").unwrap();
        assert!(read("{}").required("payload").unwrap_err().to_string().contains("payload in the bundle"));
        assert!(read(r#"{"x":1}"#).end().unwrap_err().to_string().contains("\"x\""));
        let kind = read(r#"{"payload":-1}"#).required("payload").unwrap().number("payload").unwrap_err();
        assert_eq!(kind.to_string(), "expected a whole number from 0 on as payload, found a number");
        assert!(Json::parse(b"[]").unwrap().object("the bundle").is_err());
    }
}
