//! What one entry adds to the index, and what the index keeps under a key.

use core::fmt;

use crate::entry::Entry;
use crate::hash::{IndexKey, LeafHash, ListRoot};
use crate::merkle::{self, Frontier};

use super::key::keys_of;

/// Which entry is listed: its position and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// The position of the entry in the log.
    pub position: u64,
    /// The RFC 6962 leaf hash of the entry.
    pub leaf: LeafHash,
}

impl Pointer {
    /// `u64 big-endian position || leaf hash`.
    pub fn to_bytes(&self) -> [u8; 40] {
        join(self.position, self.leaf.as_bytes())
    }

    /// The hash of this pointer as a leaf of a key's list.
    pub fn list_leaf(&self) -> LeafHash {
        merkle::leaf_hash(&self.to_bytes())
    }
}

/// What the index holds under a key: the size and the root of the key's list of pointers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// How many pointers the list has; never 0 in an index.
    pub count: u64,
    /// The RFC 6962 root over them, in log order.
    pub root: ListRoot,
}

impl Value {
    /// The value of a list of which only the frontier is known.
    pub fn of(list: &Frontier) -> Self {
        Self { count: list.size(), root: ListRoot::from_bytes(*list.root().as_bytes()) }
    }

    /// `u64 big-endian count || list root`.
    pub fn to_bytes(&self) -> [u8; 40] {
        join(self.count, self.root.as_bytes())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} {})", self.count, self.root)
    }
}

/// One entry as the index sees it: a pointer, and the keys that it is listed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pointer: Pointer,
    keys: Vec<IndexKey>,
}

impl Listing {
    /// The listing of the entry at `position`: a pure function of the two. An index entry has no keys.
    pub fn of(position: u64, entry: &Entry) -> Self {
        Self::new(Pointer { position, leaf: entry.leaf_hash() }, keys_of(entry))
    }

    /// A listing under `keys`; a key given twice counts once.
    pub fn new(pointer: Pointer, mut keys: Vec<IndexKey>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { pointer, keys }
    }

    /// Where the entry is.
    pub fn pointer(&self) -> Pointer {
        self.pointer
    }

    /// The keys it is listed under, ascending, each once.
    pub fn keys(&self) -> &[IndexKey] {
        &self.keys
    }
}

/// A big-endian number and a hash.
fn join(number: u64, hash: &[u8; 32]) -> [u8; 40] {
    let mut bytes = [0; 40];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&number.to_be_bytes());
    tail.copy_from_slice(hash);
    bytes
}
