//! Whether a value's one encoding is the document that was noted: asked of the notes, without encoding it.
//!
//! Members of a struct are looked up by their names, since they are declared in another order than that of RFC 8949 §4.2.1. There are as
//! many of them as the map has pairs and each has a name of its own, so where all are found nothing is left over.

use core::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct};

use super::read::Other;
use super::tape::{Note, Tape};

/// Whether the value encodes to the document. `false` also where this is not seen here.
pub(super) fn is<T: Serialize>(value: &T, tape: &Tape<'_>) -> bool {
    let mut walk = Walk { tape, at: 0 };
    value.serialize(&mut walk).is_ok()
}

/// The item that is held against what comes next.
struct Walk<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
}

/// The members of an array or a map, in the order of the document.
struct InOrder<'w, 't, 'a> {
    walk: &'w mut Walk<'t, 'a>,
    left: u32,
}

/// The members of a struct, in any order.
struct ByName<'w, 't, 'a> {
    walk: &'w mut Walk<'t, 'a>,
    /// The number of its first key.
    first: usize,
    pairs: u32,
    left: u32,
    /// Where the next key is if the order is that of the document.
    next: usize,
    /// The number of the item after all.
    end: usize,
}

/// A text that is written piece by piece, held against the rest of one that is there.
struct Pieces<'a>(&'a str);

impl fmt::Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl<'t, 'a> Walk<'t, 'a> {
    fn expect(&mut self, is: impl FnOnce(Note<'a>) -> bool) -> Result<(), Other> {
        if !self.tape.get(self.at).is_some_and(is) {
            return Err(Other);
        }
        self.at += 1;
        Ok(())
    }

    fn unsigned(&mut self, value: u64) -> Result<(), Other> {
        self.expect(|note| matches!(note, Note::Unsigned(found) if found == value))
    }

    fn signed(&mut self, value: i64) -> Result<(), Other> {
        self.unsigned(u64::try_from(value).map_err(|_| Other)?)
    }

    fn array(&mut self, length: Option<usize>) -> Result<InOrder<'_, 't, 'a>, Other> {
        match (self.tape.get(self.at), length) {
            (Some(Note::Array(items, _)), Some(length)) if items as usize == length => {
                self.at += 1;
                Ok(InOrder { walk: self, left: items })
            }
            _ => Err(Other),
        }
    }
}

impl ser::Error for Other {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'w, 't, 'a> ser::Serializer for &'w mut Walk<'t, 'a> {
    type Ok = ();
    type Error = Other;
    type SerializeSeq = InOrder<'w, 't, 'a>;
    type SerializeTuple = InOrder<'w, 't, 'a>;
    type SerializeTupleStruct = InOrder<'w, 't, 'a>;
    type SerializeTupleVariant = Impossible<(), Other>;
    type SerializeMap = InOrder<'w, 't, 'a>;
    type SerializeStruct = ByName<'w, 't, 'a>;
    type SerializeStructVariant = Impossible<(), Other>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Other> {
        self.expect(|note| matches!(note, Note::Boolean(found) if found == value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Other> {
        self.signed(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Other> {
        self.signed(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Other> {
        self.signed(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Other> {
        self.signed(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Other> {
        self.unsigned(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Other> {
        self.unsigned(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Other> {
        self.unsigned(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Other> {
        self.unsigned(value)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_char(self, value: char) -> Result<(), Other> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Other> {
        self.expect(|note| matches!(note, Note::Text(found) if found == value))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Other> {
        self.expect(|note| {
            let Note::Text(found) = note else { return false };
            let mut pieces = Pieces(found);
            fmt::write(&mut pieces, format_args!("{value}")).is_ok() && pieces.0.is_empty()
        })
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Other> {
        self.expect(|note| matches!(note, Note::Bytes(found) if found == value))
    }

    fn serialize_none(self) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Other> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Other> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Other> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, Other> {
        self.array(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, Other> {
        self.array(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, Other> {
        self.array(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Other> {
        Err(Other)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, Other> {
        match (self.tape.get(self.at), length) {
            (Some(Note::Map(pairs, _)), Some(length)) if pairs as usize == length => {
                self.at += 1;
                Ok(InOrder { walk: self, left: pairs })
            }
            _ => Err(Other),
        }
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self::SerializeStruct, Other> {
        match self.tape.get(self.at) {
            Some(Note::Map(pairs, end)) if pairs as usize == length => {
                let first = self.at + 1;
                Ok(ByName { walk: self, first, pairs, left: pairs, next: first, end: end as usize })
            }
            _ => Err(Other),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Other> {
        Err(Other)
    }
}

impl InOrder<'_, '_, '_> {
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        self.left = self.left.checked_sub(1).ok_or(Other)?;
        value.serialize(&mut *self.walk)
    }

    fn all(self) -> Result<(), Other> {
        if self.left == 0 { Ok(()) } else { Err(Other) }
    }
}

impl SerializeSeq for InOrder<'_, '_, '_> {
    type Ok = ();
    type Error = Other;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        self.member(value)
    }

    fn end(self) -> Result<(), Other> {
        self.all()
    }
}

impl SerializeTuple for InOrder<'_, '_, '_> {
    type Ok = ();
    type Error = Other;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        self.member(value)
    }

    fn end(self) -> Result<(), Other> {
        self.all()
    }
}

impl SerializeTupleStruct for InOrder<'_, '_, '_> {
    type Ok = ();
    type Error = Other;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        self.member(value)
    }

    fn end(self) -> Result<(), Other> {
        self.all()
    }
}

/// Only in the order of the document, in which no key stands twice.
impl SerializeMap for InOrder<'_, '_, '_> {
    type Ok = ();
    type Error = Other;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Other> {
        self.member(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        value.serialize(&mut *self.walk)
    }

    fn end(self) -> Result<(), Other> {
        self.all()
    }
}

impl ByName<'_, '_, '_> {
    /// The number of the value that has this name.
    fn find(&self, name: &str) -> Option<usize> {
        let tape = self.walk.tape;
        let is_key = |at: usize| matches!(tape.get(at), Some(Note::Text(found)) if found == name);
        if self.next < self.end && is_key(self.next) {
            return Some(self.next + 1);
        }
        let mut at = self.first;
        for _ in 0..self.pairs {
            if is_key(at) {
                return Some(at + 1);
            }
            at = tape.after(at + 1);
        }
        None
    }
}

impl SerializeStruct for ByName<'_, '_, '_> {
    type Ok = ();
    type Error = Other;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Other> {
        self.left = self.left.checked_sub(1).ok_or(Other)?;
        self.walk.at = self.find(name).ok_or(Other)?;
        value.serialize(&mut *self.walk)?;
        self.next = self.walk.at;
        Ok(())
    }

    fn end(self) -> Result<(), Other> {
        self.walk.at = self.end;
        if self.left == 0 { Ok(()) } else { Err(Other) }
    }
}
