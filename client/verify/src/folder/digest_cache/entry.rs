//! One entry of the cache as bytes: which inode in which state has which SHA-256, and since when that is known.
//!
//! ```text
//! "stele digest v1\n" (16)  filesystem  device  inode  size  modified  ns  changed  ns  SHA-256 (32)  hashed at    each number 8 bytes,
//! SHA-256 of all of that (32)                                                                                      the highest first
//! ```
//!
//! The last 32 bytes show an entry that was written in part, or damaged. They are no protection against anyone who writes it on purpose.

use stele_spec::hash::Digest;

use super::file_state::{FileState, FileTime};

const MAGIC: &[u8; 16] = b"stele digest v1\n";

/// The numbers before the digest.
const NUMBERS: usize = 8;

/// Where the checksum begins.
const CHECKED: usize = MAGIC.len() + 8 * NUMBERS + 32 + 8;

/// The length of every entry in bytes.
pub(super) const LENGTH: usize = CHECKED + 32;

/// What is known of one inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The file system, by the identity that it says it has.
    pub(super) filesystem: u64,
    pub(super) state: FileState,
    pub(super) sha256: Digest,
    /// When the hashing began, by the clock of the cache's file system, in seconds.
    pub(super) hashed_at: i64,
}

impl Entry {
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let FileState { device, inode, size, modified, changed } = self.state;
        let times = [modified.seconds, modified.nanoseconds, changed.seconds, changed.nanoseconds];
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(MAGIC);
        bytes.extend([self.filesystem, device, inode, size].iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend(times.iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend(self.sha256.as_bytes());
        bytes.extend(self.hashed_at.to_be_bytes());
        bytes.extend(Digest::of(&bytes).as_bytes());
        let mut entry = [0; LENGTH];
        entry.copy_from_slice(&bytes);
        entry
    }

    /// The entry, if these are the bytes of one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != LENGTH {
            return None;
        }
        let (checked, checksum) = bytes.split_at_checked(CHECKED)?;
        if Digest::of(checked).as_bytes().as_slice() != checksum {
            return None;
        }
        let mut rest = checked.strip_prefix(MAGIC)?;
        let mut number = || {
            let (first, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(*first)
        };
        let filesystem = u64::from_be_bytes(number()?);
        let [device, inode, size] = [number()?, number()?, number()?].map(u64::from_be_bytes);
        let mut time =
            || Some(FileTime { seconds: i64::from_be_bytes(number()?), nanoseconds: i64::from_be_bytes(number()?) });
        let state = FileState { device, inode, size, modified: time()?, changed: time()? };
        let (sha256, hashed_at) = rest.split_first_chunk::<32>()?;
        let hashed_at = i64::from_be_bytes(hashed_at.try_into().ok()?);
        Some(Self { filesystem, state, sha256: Digest::from_bytes(*sha256), hashed_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = Entry> {
        let numbers = (any::<[u64; 4]>(), any::<[i64; 5]>(), any::<[u8; 32]>());
        numbers.prop_map(|([filesystem, device, inode, size], [a, b, c, d, hashed_at], sha256)| Entry {
            filesystem,
            state: FileState {
                device,
                inode,
                size,
                modified: FileTime { seconds: a, nanoseconds: b },
                changed: FileTime { seconds: c, nanoseconds: d },
            },
            sha256: Digest::from_bytes(sha256),
            hashed_at,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entry in entry()) {
            prop_assert_eq!(Entry::parse(&entry.to_bytes()), Some(entry));
        }

        #[test]
        fn what_is_damaged_anywhere_is_no_entry(entry in entry(), at in 0..LENGTH, bit in 0..8_u8, cut in 0..LENGTH) {
            let mut bytes = entry.to_bytes();
            prop_assert_eq!(Entry::parse(&bytes[..cut]), None);
            prop_assert_eq!(Entry::parse(&[&bytes[..], b"x"].concat()), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Entry::parse(&bytes), None);
        }

        #[test]
        fn arbitrary_bytes_are_no_entry_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(Entry::parse(&bytes), None);
        }
    }
}
