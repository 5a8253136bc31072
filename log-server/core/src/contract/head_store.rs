//! The newest checkpoint that this log signed: the one thing by which a second history could begin.
//!
//! # Contract
//! - [`HeadStore::compare_and_swap`] reads what is stored again and compares it byte for byte with what the caller expects. Only then it
//!   replaces it. After `Ok` the new bytes are durable.
//! - [`HeadErrorKind::Conflict`]: the stored bytes are others. The caller's picture of the log is wrong, and it must not sign.
//! - [`HeadErrorKind::NoRoom`]: the old bytes are in place, and no reader has seen the new ones.
//! - [`HeadErrorKind::Uncertain`]: the old bytes are stored, or the new ones. Only a start, which loads them again, can tell.
//!
//! # Trust
//! Write access is enough to roll the log back, and so to make it sign a second history. It belongs on storage that is in no backup that is
//! ever restored. Recovery refuses when it is older than what was published, and nothing is signed before the witnesses have been asked.

use super::storage_error::StorageError;
use std::fmt;

/// A place for the newest signed checkpoint. What refuses a second writer is the comparison; a lock only makes that rare.
pub trait HeadStore: Send + fmt::Debug {
    /// The newest signed checkpoint, a note with the log's own signature; `None` before the first.
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError>;

    /// Stores a newly signed checkpoint in place of `expected` (`None`: nothing is stored).
    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError>;

    /// That this run is still the writer; [`HeadErrorKind::Conflict`] where another has taken over, which this one need not have noticed yet.
    fn check_held(&self) -> Result<(), HeadError>;

    /// Whether no other process can be at work on this storage, now or while this one holds it, so that a staged batch that was never signed belongs to no run.
    /// Where another may come, and have staged what it is about to sign, that is not known.
    fn excludes_others(&self) -> bool;
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadErrorKind {
    /// Other bytes are stored than expected.
    Conflict,
    /// There is no room, and nothing has changed.
    NoRoom,
    /// Whether the new bytes are stored is unknown.
    Uncertain,
}

/// Why the newest signed checkpoint could not be loaded or stored.
pub type HeadError = StorageError<HeadErrorKind>;
