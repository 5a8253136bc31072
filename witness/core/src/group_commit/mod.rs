//! Files that change by compare-and-swap, many at once for one sync.
//!
//! # Contract
//! That of [`stele_durable::compare_and_swap`], for each [`CasCell`]: the file is read again from the disk and compared; when a swap returns
//! `Ok`, the new content survives the loss of power; after an error old and new are both possible.
//!
//! # How
//! A new content is first written to a *journal*, a file of fixed length in the same folder that is written in place: that costs one sync
//! of data, however many files are swapped together, and however busy others keep the file system. A swap that comes while one write is
//! under way is written with the next, together with all who came. The files themselves follow later ([`GroupCommit::flush`], at an orderly
//! stop, or when a journal is full), while new contents go to the second journal.
//!
//! ```text
//! stele-witness group v2 <salt, hex> <epoch> <number> <length of what follows, without the last line>
//! <name> <sha256 of the content before, hex> <length of the new content>
//! <the new content>
//! ...
//! sha256 <of everything above, hex>
//! <zeros up to a multiple of 4096>
//! ```
//!
//! # What a journal says counts only where it fits
//! A content in a journal is the newest of its file if and only if the file, or an earlier entry, holds the content before it. A file
//! that went on, or was written already, does not fit and stays as it is. So an entry that is left over says nothing wrong. No content of
//! one file ever comes back: each has a later time, or another phase.
//!
//! A write that failed, or that the power ended, is a group that is not whole; nobody was answered by it, and the next one takes its place.
//! After a failed sync of a journal nothing more goes into one before the next start; files that are written whole have a sync of their own.
//!
//! The salt is random, and new each time that a journal is begun: bytes behind the newest group, some of which a log chose, never
//! read as the next one. Journals of the form before (`v1`, without a salt) are read at a start.
//!
//! # A full disk
//! The files cannot be written, and need not be: the journals keep what they hold, and the newer one goes on where it ended.
//!
//! While the disk is full, each group that is written tries the files again beside: once there is room, a journal is free before both are
//! full.

mod format;

mod group;

mod recovery;
mod writing;

#[cfg(test)]
mod tests;

pub use group::{Beside, CasCell, GroupCommit, JOURNAL, JournalView, MAX_TOGETHER};
