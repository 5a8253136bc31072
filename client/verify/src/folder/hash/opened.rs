//! A file that is read, and whether it stays the same meanwhile.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::job::HashError;
use crate::folder::digest_cache::FileState;

/// A regular file, as it was when it was opened.
///
/// Two calls tell whether it changed: one on what was opened, before, and one on the path, after. While the file is open its inode is no other file's, so that the
/// path with the same inode has the same file, and what it says then of its size and time is what the open file would say.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    file: File,
    path: &'a Path,
    before: FileState,
}

impl<'a> Opened<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, HashError> {
        // A pipe must not hang us before we have seen that it is one.
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
        let before = file.metadata()?;
        if before.is_file() {
            Ok(Self { file, path, before: FileState::of(&before) })
        } else {
            Err(HashError::NotAFile)
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.before.size
    }

    /// Reads from `start` on until the buffer is full or the file ends, and says how many bytes that are. A file that has its size yet is asked for no more when
    /// all of that was read; a buffer with room for a byte more shows one that grew.
    pub(super) fn read(&self, start: u64, buffer: &mut [u8]) -> Result<usize, HashError> {
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            let at = start + u64::try_from(filled).unwrap_or(u64::MAX);
            match self.file.read_at(room, at) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            if start + u64::try_from(filled).unwrap_or(u64::MAX) >= self.size() {
                break;
            }
        }
        Ok(filled)
    }

    /// The state of the file, if the path still has the one that was opened, as it was. The time of change alone may be another: a mode or a link
    /// changes it as well.
    pub(super) fn check_unchanged(&self) -> Result<FileState, HashError> {
        let after = FileState::of(&std::fs::metadata(self.path)?);
        if (FileState { changed: self.before.changed, ..after }) == self.before {
            Ok(after)
        } else {
            Err(HashError::Changed)
        }
    }
}
