//! The hashes of the Patricia tree: the definition that the builder, the proofs and their checkers share.

use core::fmt;

use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot, sha256};

use super::listing::Value;

/// The hash of a non-empty subtree of the index. The root of the whole tree is hashed no differently.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subtree([u8; 32]);

impl Subtree {
    /// Takes 32 bytes as they are; nothing is proven by it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `SHA-256(0x00 || 0x20 || key || 0x28 || value)`: one key.
    pub fn leaf(key: &IndexKey, value: &Value) -> Self {
        Self(sha256(&[&[0x00, 0x20], key.as_bytes(), &[0x28], &value.to_bytes()]))
    }

    /// `SHA-256(0x01 || varint(bit) || left || right)`: every key on the left has a 0 at `bit`, on the right a 1.
    pub fn inner(bit: u8, left: &Self, right: &Self) -> Self {
        let (short, long) = ([bit], [bit, 0x01]);
        // LEB128, minimal: the high bit of a byte says that another follows, so 128 and above take two bytes.
        let varint: &[u8] = if bit < 0x80 { &short } else { &long };
        Self(sha256(&[&[0x01], varint, &left.0, &right.0]))
    }

    /// The root of a tree that is this subtree and nothing else.
    pub const fn root(self) -> IndexRoot {
        IndexRoot::from_bytes(self.0)
    }
}

impl fmt::Debug for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subtree({})", hex::encode(self.0))
    }
}

/// `SHA-256("")`: the index of nothing.
pub fn empty_root() -> IndexRoot {
    IndexRoot::from_bytes(sha256(&[]))
}

/// The entry at position 0 of every log: the index of nothing.
pub fn genesis() -> IndexEntry {
    IndexEntry { position: 0, root: empty_root() }
}

/// The bit of `key` at `bit`, most significant first.
pub(crate) fn bit_of(key: &IndexKey, bit: u8) -> bool {
    key.as_bytes().get(usize::from(bit / 8)).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1)
}

/// The first bit at which two keys differ; nothing when they are equal.
pub(crate) fn first_difference(a: &IndexKey, b: &IndexKey) -> Option<u8> {
    let pairs = a.as_bytes().iter().zip(b.as_bytes());
    let (byte, differing) = pairs.map(|(a, b)| a ^ b).enumerate().find(|(_, differing)| *differing != 0)?;
    // At most 31 * 8 + 7 = 255.
    u8::try_from(byte * 8).ok()?.checked_add(u8::try_from(differing.leading_zeros()).ok()?)
}
