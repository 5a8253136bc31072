//! Whether a value's one encoding is a scanned document: asked of its tape, without encoding the value.
//!
//! Pairs of a map are looked up by their keys, of structs and of maps alike: neither has them in the order of RFC 8949 §4.2.1. Each pair may
//! be found once, and as many are asked for as there are, so where all are found none is left over.

use core::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct};

use super::read::Undecided;
use super::tape::{Tape, Token};

/// The most pairs of a map whose order is not that of the document: one bit each.
const MAX_UNORDERED: u32 = u128::BITS;

/// Whether the value encodes to the document. `false` also where that is not decided here.
pub(super) fn is<T: Serialize>(value: &T, tape: &Tape<'_>) -> bool {
    let mut walk = Walk { tape, at: 0 };
    value.serialize(&mut walk).is_ok()
}

/// The item that the next part of the value is compared with.
struct Walk<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
}

/// The items of an array.
struct Items<'w, 't, 'a> {
    walk: &'w mut Walk<'t, 'a>,
    left: u32,
}

/// The pairs of a map.
struct Pairs<'w, 't, 'a> {
    walk: &'w mut Walk<'t, 'a>,
    /// Where its first key is.
    first: usize,
    count: u32,
    /// How many are still to be found.
    left: u32,
    /// The number of the pair after the one found last, and where its key is.
    next: (u32, usize),
    /// Those found, by their numbers.
    found: u128,
    /// Where the item after the map is.
    end: usize,
}

/// The rest of a text, from which what is written must come first.
struct Pieces<'a>(&'a str);

impl fmt::Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl<'t, 'a> Walk<'t, 'a> {
    fn expect(&mut self, is: impl FnOnce(Token<'a>) -> bool) -> Result<(), Undecided> {
        if !self.tape.get(self.at).is_some_and(is) {
            return Err(Undecided);
        }
        self.at += 1;
        Ok(())
    }

    fn unsigned(&mut self, value: u64) -> Result<(), Undecided> {
        self.expect(|token| matches!(token, Token::Unsigned(found) if found == value))
    }

    fn signed(&mut self, value: i64) -> Result<(), Undecided> {
        self.unsigned(u64::try_from(value).map_err(|_| Undecided)?)
    }

    fn array(&mut self, length: Option<usize>) -> Result<Items<'_, 't, 'a>, Undecided> {
        match (self.tape.get(self.at), length) {
            (Some(Token::Array(items, _)), Some(length)) if items as usize == length => {
                self.at += 1;
                Ok(Items { walk: self, left: items })
            }
            _ => Err(Undecided),
        }
    }

    fn pairs(&mut self, length: usize) -> Result<Pairs<'_, 't, 'a>, Undecided> {
        match self.tape.get(self.at) {
            Some(Token::Map(count, end)) if count as usize == length => {
                let first = self.at + 1;
                Ok(Pairs { walk: self, first, count, left: count, next: (0, first), found: 0, end: end as usize })
            }
            _ => Err(Undecided),
        }
    }
}

impl ser::Error for Undecided {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'w, 't, 'a> ser::Serializer for &'w mut Walk<'t, 'a> {
    type Ok = ();
    type Error = Undecided;
    type SerializeSeq = Items<'w, 't, 'a>;
    type SerializeTuple = Items<'w, 't, 'a>;
    type SerializeTupleStruct = Items<'w, 't, 'a>;
    type SerializeTupleVariant = Impossible<(), Undecided>;
    type SerializeMap = Pairs<'w, 't, 'a>;
    type SerializeStruct = Pairs<'w, 't, 'a>;
    type SerializeStructVariant = Impossible<(), Undecided>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Undecided> {
        self.expect(|token| matches!(token, Token::Boolean(found) if found == value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Undecided> {
        self.signed(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Undecided> {
        self.signed(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Undecided> {
        self.signed(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Undecided> {
        self.signed(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Undecided> {
        self.unsigned(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Undecided> {
        self.unsigned(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Undecided> {
        self.unsigned(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Undecided> {
        self.unsigned(value)
    }

    fn serialize_f32(self, _: f32) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_char(self, value: char) -> Result<(), Undecided> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Undecided> {
        self.expect(|token| matches!(token, Token::Text(found) if found == value))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Undecided> {
        self.expect(|token| {
            let Token::Text(found) = token else { return false };
            let mut pieces = Pieces(found);
            fmt::write(&mut pieces, format_args!("{value}")).is_ok() && pieces.0.is_empty()
        })
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Undecided> {
        self.expect(|token| matches!(token, Token::Bytes(found) if found == value))
    }

    fn serialize_none(self) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Undecided> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Undecided> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Undecided> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Undecided> {
        Err(Undecided)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, Undecided> {
        self.array(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, Undecided> {
        self.array(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, Undecided> {
        self.array(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Undecided> {
        Err(Undecided)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, Undecided> {
        self.pairs(length.ok_or(Undecided)?)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Self::SerializeStruct, Undecided> {
        self.pairs(length)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Undecided> {
        Err(Undecided)
    }
}

impl Items<'_, '_, '_> {
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undecided> {
        self.left = self.left.checked_sub(1).ok_or(Undecided)?;
        value.serialize(&mut *self.walk)
    }

    fn all(self) -> Result<(), Undecided> {
        if self.left == 0 { Ok(()) } else { Err(Undecided) }
    }
}

impl SerializeSeq for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Undecided;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undecided> {
        self.member(value)
    }

    fn end(self) -> Result<(), Undecided> {
        self.all()
    }
}

impl SerializeTuple for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Undecided;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undecided> {
        self.member(value)
    }

    fn end(self) -> Result<(), Undecided> {
        self.all()
    }
}

impl SerializeTupleStruct for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Undecided;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undecided> {
        self.member(value)
    }

    fn end(self) -> Result<(), Undecided> {
        self.all()
    }
}

impl Pairs<'_, '_, '_> {
    /// Goes to the value whose key is equal, and not found before: first where the order is that of the document.
    fn find(&mut self, mut is_key: impl FnMut(&mut Walk<'_, '_>) -> bool) -> Result<(), Undecided> {
        self.left = self.left.checked_sub(1).ok_or(Undecided)?;
        let (next, mut at) = self.next;
        if next < self.count && self.is(next, at, &mut is_key)? {
            return Ok(());
        }
        at = self.first;
        for number in 0..self.count {
            if self.is(number, at, &mut is_key)? {
                return Ok(());
            }
            at = self.walk.tape.after(at + 1);
        }
        Err(Undecided)
    }

    /// Whether the pair with this number, its key at `at`, has the key and was not found before. Then its value is next.
    fn is(
        &mut self,
        number: u32,
        at: usize,
        is_key: &mut impl FnMut(&mut Walk<'_, '_>) -> bool,
    ) -> Result<bool, Undecided> {
        self.walk.at = at;
        if !is_key(self.walk) {
            return Ok(false);
        }
        if number >= MAX_UNORDERED || self.found >> number & 1 == 1 {
            return Err(Undecided);
        }
        self.found |= 1 << number;
        self.walk.at = at + 1;
        self.next = (number + 1, self.walk.tape.after(at + 1));
        Ok(true)
    }

    fn all(self) -> Result<(), Undecided> {
        self.walk.at = self.end;
        if self.left == 0 { Ok(()) } else { Err(Undecided) }
    }
}

impl SerializeMap for Pairs<'_, '_, '_> {
    type Ok = ();
    type Error = Undecided;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Undecided> {
        self.find(|walk| key.serialize(walk).is_ok())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undecided> {
        value.serialize(&mut *self.walk)
    }

    fn end(self) -> Result<(), Undecided> {
        self.all()
    }
}

impl SerializeStruct for Pairs<'_, '_, '_> {
    type Ok = ();
    type Error = Undecided;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Undecided> {
        self.find(|walk| walk.tape.is_text(walk.at, name))?;
        value.serialize(&mut *self.walk)
    }

    fn end(self) -> Result<(), Undecided> {
        self.all()
    }
}
