//! Objects by name: tiles, entry bundles, manifests, what is staged, and the published checkpoint.
//!
//! # Contract
//! - An object is written once. Only the checkpoint changes, and the mark of a frozen log; and what was damaged: a manifest, or a tile of a batch that is still staged.
//! - `Ok` of a write: the bytes are durable, and visible to readers. Those of [`Objects::put_staged`] and [`Objects::replace_staged`] are
//!   visible, and durable once [`Objects::sync`] has returned: until then a staged object has them too.
//! - A staged object that was being put when the power went, or when the call failed, may be there in part: it is not taken for one, since
//!   nothing rests on it before its put returned `Ok`.
//! - [`ObjectErrorKind::Differs`]: other bytes are there under the name. They are left as they are.
//! - [`ObjectErrorKind::Uncertain`]: whether the bytes will be there after a loss of power is unknown. The writer stops, and only a start,
//!   which reads everything back, goes on.
//! - Every other error of a write: what was there before is still there, and each object of the call is there whole or not at all.
//!
//! # Trust
//! Write access lets somebody withhold objects, and show readers tiles that fail their proofs. It does not make the log sign a wrong tree:
//! what is about to be signed is read back first.

use super::storage_error::StorageError;
use std::fmt;
use stele_spec::frozen;
use stele_spec::hash::Digest;
use stele_spec::tile::TilePath;

/// The largest object but for a staged one, in bytes: a bundle of 256 entries of 65,535 bytes, each after two length bytes.
pub const MAX_OBJECT: u64 = 256 * 65_537;

/// A place for objects.
pub trait Objects: Send + Sync + fmt::Debug {
    /// Puts objects. Those that are there with the same bytes stay. Not atomic: after an error some may be there, each whole.
    fn put(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError>;

    /// Puts objects that a staged batch holds as well: as [`Self::put`], and durable only after the next [`Self::sync`].
    fn put_staged(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError>;

    /// Puts a checkpoint that a staged object holds as well in place of the one that is there: as [`Self::replace`], and durable only after the
    /// next [`Self::sync`].
    fn replace_staged(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError>;

    /// Makes ready what makes the next staged objects cheap; it counts from the next [`Self::sync`] on. Best effort, from any thread.
    fn prepare(&self);

    /// Makes durable what was put before the call began. From any thread.
    fn sync(&self) -> Result<(), ObjectError>;

    /// Reads an object of at most `limit` bytes; `None` when it is not there.
    fn get(&self, name: &ObjectName, limit: u64) -> Result<Option<Vec<u8>>, ObjectError>;

    /// The length of an object in bytes; `None` when it is not there.
    fn length(&self, name: &ObjectName) -> Result<Option<u64>, ObjectError>;

    /// Puts bytes in place of whatever is there: the next checkpoint or mark, or what was damaged. Readers get the old bytes or the new ones.
    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError>;

    /// Removes an object durably. One that is not there is no error.
    fn remove(&self, name: &ObjectName) -> Result<(), ObjectError>;

    /// Removes an object that nothing rests on any more. Neither durable nor certain.
    fn forget(&self, name: &ObjectName);

    /// The names of all staged objects, under [`ObjectName::Staged`].
    fn staged(&self) -> Result<Vec<String>, ObjectError>;

    /// Whether a tile or bundle was ever put.
    fn has_tiles(&self) -> Result<bool, ObjectError>;

    /// The widths of the partial tiles beside a full one. Best effort: one that cannot be listed is left out.
    fn partials(&self, full: TilePath) -> Vec<u16>;

    /// Removes the partial tiles of a full one. Neither durable nor certain.
    fn forget_partials(&self, full: TilePath);

    /// When an object was written, in Unix seconds; `None` when it is not there, or its time is not kept.
    fn written_at(&self, name: &ObjectName) -> Option<u64>;

    /// How many bytes are free; `None` where the storage does not say.
    fn free_bytes(&self) -> Option<u64>;

    /// The error of a storage that has too little room left.
    fn no_room(&self) -> ObjectError;
}

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectName {
    /// A tile or an entry bundle.
    Tile(TilePath),
    /// The manifest with this digest.
    Manifest(Digest),
    /// The published checkpoint.
    Checkpoint,
    /// What a frozen log says beside it.
    Frozen,
    /// A staged batch, or the staged copy of a checkpoint.
    Staged(String),
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectErrorKind {
    /// Other bytes are there under the name.
    Differs,
    /// There is no room. Nothing was lost, and the same call may succeed once there is.
    NoRoom,
    /// What the storage holds is now unknown.
    Uncertain,
    /// The object is larger than the caller's limit.
    TooLarge,
    /// Anything else.
    Failed,
}

/// Why an object could not be kept or read.
pub type ObjectError = StorageError<ObjectErrorKind>;

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tile(path) => path.fmt(f),
            Self::Manifest(digest) => write!(f, "manifests/{digest}"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Frozen => f.write_str(frozen::FILE),
            Self::Staged(name) => write!(f, "staged/{name}"),
        }
    }
}
