//! A file that is read, and whether it stays the same meanwhile; or one of which a copy is made.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use stele_regular_file::OpenError;

use super::job::{CopyInto, CopyPlace, HashError, Job};
use crate::folder::digest_cache::FileState;

/// A regular file, as it was when it was opened.
///
/// Two calls tell whether it changed: one on what was opened, before, and one on the path, after. While the file is open its inode is no other file's, so that the
/// path with the same inode has the same file, and what it says then of its size and time is what the open file would say.
///
/// Of a file that is copied the digest is the copy's, and nothing is asked of the path after it was opened.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    /// What is read: the file, or a copy that shares its blocks.
    file: File,
    path: &'a Path,
    before: FileState,
    copy: Copy,
}

/// The copy of a file.
#[derive(Debug)]
enum Copy {
    None,
    /// It gets what is read.
    Written(File),
    /// It is what is read.
    Shared,
}

impl<'a> Opened<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, HashError> {
        let (file, found) = stele_regular_file::open(path)?;
        Ok(Self { file, path, before: FileState::of(&found), copy: Copy::None })
    }

    /// Opens the file of a job, and where a copy is wanted the file for that.
    pub(super) fn of_job(job: &'a Job, number: usize, copies: Option<CopyPlace<'_>>) -> Result<Self, HashError> {
        let opened = Self::open(&job.path)?;
        let Some(place) = copies else { return Ok(opened) };
        if opened.size() != job.size {
            return Err(HashError::Changed);
        }
        match place(number, &opened.file).map_err(HashError::Copy)? {
            CopyInto::Empty(into) => Ok(Self { copy: Copy::Written(into), ..opened }),
            CopyInto::Shared(file) => {
                let before = FileState::of(&file.metadata()?);
                let shared = Self { file, before, copy: Copy::Shared, ..opened };
                if shared.size() == job.size { Ok(shared) } else { Err(HashError::Changed) }
            }
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

    /// Takes bytes that were read at `start`, and are hashed, into the copy.
    pub(super) fn keep(&self, start: u64, bytes: &[u8]) -> Result<(), HashError> {
        match &self.copy {
            Copy::Written(into) => into.write_all_at(bytes, start).map_err(HashError::Copy),
            Copy::None | Copy::Shared => Ok(()),
        }
    }

    /// The state of the file, if the path still has the one that was opened, as it was. The time of change alone may be another: a mode or a link
    /// changes it as well.
    pub(super) fn check_unchanged(&self) -> Result<FileState, HashError> {
        if !matches!(self.copy, Copy::None) {
            return Ok(self.before);
        }
        let after = FileState::of(&std::fs::metadata(self.path)?);
        if (FileState { changed: self.before.changed, ..after }) == self.before {
            Ok(after)
        } else {
            Err(HashError::Changed)
        }
    }
}

impl From<OpenError> for HashError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::Read(error),
            OpenError::Folder | OpenError::NotRegular => Self::NotAFile,
        }
    }
}
