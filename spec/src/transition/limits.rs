//! How long a transition proof may be.

/// The longest transition proof in bytes: 1.25 KiB for each of the 130,816 keys that the entries between two index entries touch at most,
/// in an index of 2^31 keys.
pub const MAX_TRANSITION: usize = 160 << 20;
