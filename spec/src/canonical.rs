#![doc = include_str!("../text/canonical.md")]

mod error;
mod head;
mod profile;
mod scan;
mod shape;
mod sort;
mod tape;
mod vocabulary;

mod read;
mod same;

mod scanned;

use core::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use error::{CanonicalError, Item};
pub(crate) use head::{Head, Reader, Writer};
pub use profile::{MAX_DEPTH, MAX_INTEGER, Profile};
pub(crate) use scanned::Scanned;
pub use shape::{FieldPath, ShapeError, ShapeProblem};
pub(crate) use vocabulary::vocabulary;

/// Encodes a value of [`Profile::Payload`] deterministically (RFC 8949 §4.2.1).
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    encode(value, Profile::Payload)
}

/// Decodes a [`Profile::Payload`] of at most `limit` bytes, of which `bytes` must be the one encoding.
pub fn from_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8], limit: usize) -> Result<T, CanonicalError> {
    decode(bytes, limit, Profile::Payload)
}

/// [`to_bytes`] under another profile.
pub fn encode<T: Serialize>(value: &T, profile: Profile) -> Result<Vec<u8>, CanonicalError> {
    // There is one canonical encoding. Where the fields are declared in its order, this is it already.
    let declared = sort::declared(value)?;
    if scan::scan(&declared, profile, &mut ()).is_ok() {
        return Ok(declared);
    }
    let sorted = sort::sorted(&declared)?;
    scan::scan(&sorted, profile, &mut ())?;
    Ok(sorted)
}

/// [`from_bytes`] under another profile.
pub fn decode<T: DeserializeOwned + Serialize>(
    bytes: &[u8],
    limit: usize,
    profile: Profile,
) -> Result<T, CanonicalError> {
    Scanned::scan(bytes, limit, profile)?.decode()
}

/// A file carried as it is: a CBOR byte string under [`Profile::Container`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
pub(crate) mod vectors;
