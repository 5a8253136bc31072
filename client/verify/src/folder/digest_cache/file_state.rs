//! Which inode a file is, and in which state: what no write leaves as it was.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// A moment by the clock that sets the times of files: seconds since 1970, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanoseconds: i64,
}

/// An inode with its size and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// The device of the file system.
    pub device: u64,
    /// The inode there.
    pub inode: u64,
    /// The length in bytes.
    pub size: u64,
    /// When the content was last said to have changed. A program may set it.
    pub modified: FileTime,
    /// When the inode last changed. No system call sets it to a value of the caller's.
    pub changed: FileTime,
}

impl FileState {
    /// By what `fstat(2)` says.
    pub fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.len(),
            modified: FileTime { seconds: found.mtime(), nanoseconds: found.mtime_nsec() },
            changed: FileTime { seconds: found.ctime(), nanoseconds: found.ctime_nsec() },
        }
    }

    /// Whether both times are so many seconds before a moment. A write after that moment then leaves another time, however coarse the
    /// clock of the file system is.
    pub(super) fn is_older(&self, than: FileTime, by_seconds: i64) -> bool {
        let before = FileTime { seconds: than.seconds.saturating_sub(by_seconds), ..than };
        self.modified < before && self.changed < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_old_enough_where_both_times_are() {
        let at = |seconds, nanoseconds| FileTime { seconds, nanoseconds };
        let state = |modified, changed| FileState { device: 1, inode: 2, size: 3, modified, changed };
        let now = at(100, 500);
        assert!(state(at(98, 499), at(98, 499)).is_older(now, 2));
        for (modified, changed) in
            [(at(98, 500), at(1, 0)), (at(1, 0), at(98, 500)), (at(1, 0), at(101, 0)), (at(200, 0), at(1, 0))]
        {
            assert!(!state(modified, changed).is_older(now, 2));
        }
        assert!(!state(at(0, 0), at(0, 0)).is_older(at(i64::MIN, 0), 2), "a clock that says nothing sensible");
    }
}
