//! A file of a fixed length that is written in place: what is written costs one sync of the data, and nothing of the file system's own.
//!
//! ```text
//! openat(root, "journal.0", O_RDWR|O_CLOEXEC)      = 5      made before with put_if_absent, full of zeros
//! pwrite(5, ..., offset)  fdatasync(5)
//! ```
//! The blocks are there and written before the first use, so an `fdatasync` finds no new metadata and waits for no journal of a file
//! system. What a write that failed, or that the power ended, has left is anything: the reader must be able to recognise it.

use crate::dir::Dir;
use crate::disk::{Access, Disk, Handle};
use crate::error::DurableError;
use crate::op::Op;
use crate::step::{read_up_to, step};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Handle,
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
        let disk = self.0.disk.clone();
        let (file, found) = step(Op::Open, &full, || disk.open_file(self.0.handle.at(path), Access::Write))?;
        if found != length {
            return Err(DurableError::Differs { path: full, offered: length, found });
        }
        Ok(Journal { disk, path: full, file, length })
    }
}

impl Journal {
    /// How many bytes it holds, whatever they are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// All of them.
    pub fn read(&self) -> Result<Vec<u8>, DurableError> {
        step(Op::Read, &self.path, || {
            let bytes = read_up_to(&*self.disk, &self.file, self.length, self.length)?;
            if bytes.len() as u64 == self.length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        })
    }

    /// Writes bytes at an offset, durably. They never reach beyond the end.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DurableError> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > self.length) {
            return Err(DurableError::TooLarge { path: self.path.clone(), limit: self.length });
        }
        step(Op::Write, &self.path, || self.disk.write_at(&self.file, bytes, offset))?;
        step(Op::Sync, &self.path, || self.disk.sync_data(&self.file))
    }
}
