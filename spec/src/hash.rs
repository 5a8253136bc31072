#![doc = include_str!("../text/hash.md")]

use core::fmt;

use sha2::{Digest as _, Sha256};

/// Declares a 32-byte newtype with hex display, byte access and nothing else.
macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes as they are; nothing is proven by it.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                crate::text::with_hex(&self.0, |text| f.write_str(text))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

hash_type! {
    /// `SHA-256(0x00 || entry)`: the hash of one log entry (RFC 6962 §2.1).
    LeafHash
}
hash_type! {
    /// `SHA-256(0x01 || left || right)`, or a leaf hash where a subtree has one leaf (RFC 6962 §2.1).
    NodeHash
}
hash_type! {
    /// The Merkle tree hash of a whole log: what a checkpoint signs.
    RootHash
}
hash_type! {
    /// The root of the Patricia tree over the keys of entries `[0, p)`: what an index entry states.
    IndexRoot
}
hash_type! {
    /// The RFC 6962 root of the list of pointers under one index key.
    ListRoot
}
hash_type! {
    /// A key of the index: a hash of the kind and the subject looked up.
    IndexKey
}
hash_type! {
    /// The SHA-256 of some bytes: of a file, a document, a manifest.
    Digest
}
hash_type! {
    /// SHA-256 over a publisher's SubjectPublicKeyInfo (DER): the `kid` of a statement.
    KeyId
}

impl Digest {
    /// `SHA-256(bytes)`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(&[bytes]))
    }

    /// Reads 64 lower-case hex digits; upper case is another spelling of an identifier, so it is refused.
    pub fn from_hex(text: &str) -> Result<Self, crate::text::HexError> {
        crate::text::hex_exact(text).map(Self)
    }
}

impl KeyId {
    /// Reads 64 lower-case hex digits.
    pub fn from_hex(text: &str) -> Result<Self, crate::text::HexError> {
        crate::text::hex_exact(text).map(Self)
    }
}

impl From<LeafHash> for NodeHash {
    /// A subtree of one leaf has that leaf's hash.
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

/// `SHA-256` over the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Serializes a digest as its lower-case hex text, in statements, TOML and JSON alike.
macro_rules! serde_hex {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::text::with_hex(&self.0, |text| serializer.serialize_str(text))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, Self::from_hex)
            }
        }
    )*};
}
serde_hex!(Digest, KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_sha256sum_prints() {
        // printf abc | sha256sum
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), expected);
        assert_eq!(Digest::from_hex(expected), Ok(Digest::of(b"abc")));
    }

    #[test]
    fn an_upper_case_digest_is_refused() {
        assert!(Digest::from_hex(&Digest::of(b"abc").to_string().to_uppercase()).is_err());
    }
}
