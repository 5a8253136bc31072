//! The file of evidence: its version, kinds and limits.

use crate::canonical::vocabulary;

/// The value of the `evidence` field.
pub(super) const VERSION: &str = "stele/evidence@v1";

/// The longest file of evidence in bytes: [`MAX_SHOWN`] entries of 64 KiB, each with 8 KiB of proof and head, and 1.9 KiB for what the
/// index held under each of [`MAX_TOUCHED`] keys, 32 steps below its root.
///
/// Common files have some kilobytes. A log must not escape by entries that make the proof too long for a file.
pub const MAX_EVIDENCE: usize = 320 * 1024 * 1024;

/// The most entries that one file shows: two index entries and all that may stand between them, or the key statements of a name.
pub const MAX_SHOWN: usize = crate::index::MAX_BETWEEN + 2;

/// The most keys that the entries between two index entries touch.
pub const MAX_TOUCHED: usize = crate::index::MAX_BETWEEN * crate::index::MAX_KEYS;

/// What a file of evidence is called, after its kind and digest.
pub const EXTENSION: &str = "stele-evidence";

vocabulary! {
    /// What somebody did that nobody honest does.
    pub enum Kind {
        /// A log signed two trees that cannot both be one log.
        SplitView = "split-view",
        /// A log signed a tree of no entries that has some.
        ImpossibleHead = "impossible-head",
        /// A witness said that a tree was the largest, after it had said so of a larger one.
        Rollback = "rollback",
        /// A log's index entry is not what its own entries make.
        WrongIndexRoot = "wrong-index-root",
        /// A log holds an entry that registration refuses.
        RegistrationViolated = "registration-violated",
        /// One coordinate has two weights.
        SilentSwap = "silent-swap",
    }
}
