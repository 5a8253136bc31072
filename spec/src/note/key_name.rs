//! What stands in a signature line before the signature: a key's name and its ID.

use core::fmt;

use crate::text::is_space;

/// The longest key name in bytes; ML-DSA cosignatures give it one length byte (c2sp.org/tlog-cosignature).
const MAX_NAME: usize = 255;

/// Who signs: non-empty, without Unicode spaces and plus signs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, if it may be one.
    pub(super) fn new(name: &str) -> Option<Self> {
        let allowed = |c: char| !is_space(c) && !c.is_control() && c != '+';
        let fits = !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(allowed);
        fits.then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four bytes that, with the name, say which key a signature line means; not a proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(u32);

impl KeyHash {
    /// Takes the number as it is.
    pub const fn from_u32(hash: u32) -> Self {
        Self(hash)
    }

    /// The four bytes as a big-endian number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}
