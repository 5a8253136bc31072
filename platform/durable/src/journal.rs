//! A file of a fixed length that is written in place: what is written costs one sync of the data, and nothing of the file system's own.
//!
//! ```text
//! openat(root, "journal.0", O_RDWR|O_CLOEXEC)      = 5      made before with put_if_absent, full of zeros
//! pwrite(5, ..., offset)  fdatasync(5)
//! ```
//! The blocks are there and written before the first use, so an `fdatasync` finds no new metadata and waits for no journal of a file
//! system. What a write that failed, or that the power ended, has left is anything: whoever reads must be able to tell.

use crate::dir::Dir;
use crate::disk::{io_error, open_file_for_writing_at, step};
use crate::error::DurableError;
use crate::op::Op;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Dir {
    /// Opens a journal below this folder, or makes one of `length` zeros.
    pub fn journal(&self, path: &str, length: u64) -> Result<Journal, DurableError> {
        let full = self.path_of(path);
        if !self.exists(path)? {
            let size =
                usize::try_from(length).map_err(|_| DurableError::TooLarge { path: full.clone(), limit: length })?;
            self.put_if_absent(path, &vec![0; size])?;
        }
        crate::dir::check(path)?;
        let file = open_file_for_writing_at(&self.0.handle, path, &full)?;
        let found = file.metadata().map_err(|source| io_error(Op::Open, &full, source))?.len();
        if found != length {
            return Err(DurableError::Differs { path: full, offered: length, found });
        }
        Ok(Journal { path: full, file, length })
    }
}

impl Journal {
    /// How many bytes it holds, whatever they are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// All of them.
    pub fn read(&self) -> Result<Vec<u8>, DurableError> {
        let size = usize::try_from(self.length).unwrap_or_default();
        let mut bytes = vec![0; size];
        step(Op::Read, &self.path, || self.file.read_exact_at(&mut bytes, 0))?;
        Ok(bytes)
    }

    /// Writes bytes at an offset, durably. They never reach beyond the end.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DurableError> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > self.length) {
            return Err(DurableError::TooLarge { path: self.path.clone(), limit: self.length });
        }
        step(Op::Write, &self.path, || self.file.write_all_at(bytes, offset))?;
        step(Op::Sync, &self.path, || Ok(rustix::fs::fdatasync(&self.file)?))
    }
}
