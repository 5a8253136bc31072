//! What the lookups ask of a database, and what can go wrong with one.

use super::keys::Changes;
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use stele_durable::DurableError;
use stele_log_core::tiles::StoreError;
use stele_spec::hash::RootHash;

/// The size and the root of a tree of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its entries.
    pub(super) size: u64,
    /// Its root.
    pub(super) root: RootHash,
}

/// A key with its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// An ordered database of keys with small values.
pub(super) trait Database: Send + Sync + Debug {
    /// The tree up to which everything is in it; `None` in one that is new.
    fn head(&self) -> Result<Option<Head>, LookupError>;

    /// Makes changes, all or none, and with them the head. Not durable before [`Self::sync`].
    fn write(&self, changes: &Changes, head: Option<Head>) -> Result<(), LookupError>;

    /// The first `most` keys between two, both included, in their order.
    fn range(&self, from: &[u8], to: &[u8], most: usize) -> Result<Vec<Row>, LookupError>;

    /// Makes durable what was written.
    fn sync(&self) -> Result<(), LookupError>;
}

/// Why a database cannot be opened, made or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    /// The database failed.
    #[error("the lookup database failed: {0}")]
    Database(String),
    /// The disk is full: what is there is not broken.
    #[error("no room for the lookup database: {0}")]
    NoRoom(String),
    /// It has the keys of an earlier program.
    #[error("the lookup database is of an earlier program")]
    Earlier,
    /// The files that it is made from cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be synced or set aside.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

/// What the machine's files said to a database.
pub(super) fn of_io(error: &io::Error) -> LookupError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => LookupError::NoRoom(error.to_string()),
        _ => LookupError::Database(error.to_string()),
    }
}

/// The bytes of a head in a database.
pub(super) fn to_bytes(head: &Head) -> Vec<u8> {
    [&head.size.to_be_bytes()[..], head.root.as_bytes()].concat()
}

/// Reads the bytes of a head.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Head, LookupError> {
    let split = bytes.split_first_chunk::<8>();
    let head = split.and_then(|(size, root)| {
        Some(Head { size: u64::from_be_bytes(*size), root: RootHash::from_bytes(root.try_into().ok()?) })
    });
    head.ok_or_else(|| LookupError::Database("its tree head is damaged".into()))
}

/// A database may panic where it finds what it does not expect.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, LookupError>) -> Result<T, LookupError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(LookupError::Database("it panicked".into())))
}
