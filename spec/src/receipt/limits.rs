//! How much is read.

use crate::merkle::MAX_PROOF;
use crate::note::MAX_NOTE;
use crate::statement::MAX_STATEMENT;

/// The longest receipt in bytes: a checkpoint, a path, and 16 KiB for headers.
pub const MAX_RECEIPT: usize = MAX_NOTE + MAX_PROOF * 34 + 16 * 1024;

/// The most headers, or claims, in one map.
pub const MAX_HEADERS: u64 = 32;

/// The most receipts of one statement.
pub const MAX_RECEIPTS: u64 = 8;

/// The longest transparent statement in bytes.
pub const MAX_TRANSPARENT: usize = MAX_STATEMENT + MAX_RECEIPTS as usize * (MAX_RECEIPT + 8) + 16;
