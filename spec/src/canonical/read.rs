//! Values from the tape of a scanned document. What does not fit is left [`Undecided`]: the general decoder then says what is wrong.

use core::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::tape::{Tape, Token};

/// The value that a document stands for.
pub(super) fn read<T: DeserializeOwned>(tape: &Tape<'_>) -> Result<T, Undecided> {
    T::deserialize(&mut Cursor { tape, at: 0 })
}

/// The document does not have the type's fields, or has them in a form that is not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided;

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not decided by the tape")
    }
}

impl core::error::Error for Undecided {}

impl de::Error for Undecided {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
}

/// The next item.
struct Cursor<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
}

/// The rest of an array or a map.
struct Members<'c, 't, 'a> {
    cursor: &'c mut Cursor<'t, 'a>,
    left: u32,
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// Every member of an array or map must be read, or ignored by name.
    fn members<T>(
        &mut self,
        count: u32,
        visit: impl FnOnce(&mut Members<'_, 't, 'a>) -> Result<T, Undecided>,
    ) -> Result<T, Undecided> {
        let mut members = Members { cursor: self, left: count };
        let value = visit(&mut members)?;
        if members.left == 0 { Ok(value) } else { Err(Undecided) }
    }
}

impl<'de> de::Deserializer<'de> for &mut Cursor<'_, 'de> {
    type Error = Undecided;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Undecided> {
        let token = self.tape.get(self.at).ok_or(Undecided)?;
        self.at += 1;
        match token {
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Boolean(value) => visitor.visit_bool(value),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Array(items, _) => self.members(items, |members| visitor.visit_seq(members)),
            Token::Map(pairs, _) => self.members(pairs, |members| visitor.visit_map(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Undecided> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Undecided> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Undecided> {
        let Some(Token::Text(text)) = self.tape.get(self.at) else { return Err(Undecided) };
        self.at += 1;
        visitor.visit_enum(text.into_deserializer())
    }

    /// A struct is a map; other decoders take an array of its values as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Undecided> {
        match self.tape.get(self.at) {
            Some(Token::Map(..)) => self.deserialize_any(visitor),
            _ => Err(Undecided),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Undecided> {
        self.at = self.tape.after(self.at);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier
    }
}

impl<'de> SeqAccess<'de> for Members<'_, '_, 'de> {
    type Error = Undecided;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Undecided> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.cursor).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}

impl<'de> MapAccess<'de> for Members<'_, '_, 'de> {
    type Error = Undecided;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Undecided> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Undecided> {
        seed.deserialize(&mut *self.cursor)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}
