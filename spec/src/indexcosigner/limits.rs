//! How long a request may be.

use crate::entry::MAX_ENTRY;
use crate::index::MAX_BETWEEN;
use crate::transition::MAX_TRANSITION;

/// The longest head of a request in bytes: a checkpoint as `add-checkpoint` takes it, two proofs of 64 hashes, and the lines around them.
pub const MAX_HEAD: usize = 72 << 10;

/// The longest request in bytes. A cosigner may take less.
pub const MAX_REQUEST: usize = 4 + MAX_HEAD + (MAX_BETWEEN + 1) * (2 + MAX_ENTRY) + MAX_TRANSITION;

/// What every cosigner takes, in bytes.
pub const MIN_REQUEST: usize = 32 << 20;

/// What a transition proof may be longer than its share of the longest one, in bytes: a search in a deep part of the index shows more than one
/// does on the average, and a proof of few keys has few to even that out.
pub(super) const SLACK: usize = 64 << 10;
