//! Values from the notes of a scan. It takes what it is sure of; whoever gets [`Other`] asks the decoder that names what is wrong.

use core::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::tape::{Note, Tape};

/// The value that a document stands for.
pub(super) fn read<T: DeserializeOwned>(tape: &Tape<'_>) -> Result<T, Other> {
    T::deserialize(&mut Cursor { tape, at: 0 })
}

/// It is not that, or not in a way that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Other;

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another document")
    }
}

impl core::error::Error for Other {}

impl de::Error for Other {
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

/// The item that is read next.
struct Cursor<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
}

/// What an array or a map holds, and how much of it is left.
struct Members<'c, 't, 'a> {
    cursor: &'c mut Cursor<'t, 'a>,
    left: u32,
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// Everything in an array or map must be asked for.
    fn members<T>(
        &mut self,
        count: u32,
        visit: impl FnOnce(&mut Members<'_, 't, 'a>) -> Result<T, Other>,
    ) -> Result<T, Other> {
        let mut members = Members { cursor: self, left: count };
        let value = visit(&mut members)?;
        if members.left == 0 { Ok(value) } else { Err(Other) }
    }
}

impl<'de> de::Deserializer<'de> for &mut Cursor<'_, 'de> {
    type Error = Other;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        let note = self.tape.get(self.at).ok_or(Other)?;
        self.at += 1;
        match note {
            Note::Unsigned(value) => visitor.visit_u64(value),
            Note::Boolean(value) => visitor.visit_bool(value),
            Note::Text(text) => visitor.visit_borrowed_str(text),
            Note::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Note::Array(items, _) => self.members(items, |members| visitor.visit_seq(members)),
            Note::Map(pairs, _) => self.members(pairs, |members| visitor.visit_map(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Other> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        let Some(Note::Text(text)) = self.tape.get(self.at) else { return Err(Other) };
        self.at += 1;
        visitor.visit_enum(text.into_deserializer())
    }

    /// A struct is a map; other decoders take an array of its values as well.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Other> {
        match self.tape.get(self.at) {
            Some(Note::Map(..)) => self.deserialize_any(visitor),
            _ => Err(Other),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Other> {
        self.at = self.tape.after(self.at);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier
    }
}

impl<'de> SeqAccess<'de> for Members<'_, '_, 'de> {
    type Error = Other;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Other> {
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
    type Error = Other;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Other> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Other> {
        seed.deserialize(&mut *self.cursor)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left as usize)
    }
}
