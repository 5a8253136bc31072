//! What a disk knows beside the bytes of files, and folders that are removed whole.

use crate::dir::{Dir, check};
use crate::error::DurableError;
use crate::op::Op;
use crate::step::{io_error, list, open_dir, unlink};
use rustix::io::Errno;
use std::io;

impl Dir {
    /// When a file was written last, in Unix seconds; `None` when it is not there, or its time is not kept.
    pub fn modified(&self, path: &str) -> Option<u64> {
        check(path).ok()?;
        self.0.disk.modified(self.0.handle.at(path)).ok()
    }

    /// How many bytes are free on the file system; `None` where it does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        self.0.disk.free_bytes(&self.0.handle).ok()
    }

    /// Bytes by chance, such as a salt.
    pub fn random<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.disk.random(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes a folder and the files in it, not durably. One that is not there is no error.
    pub fn remove_folder_unsynced(&self, path: &str) -> Result<(), DurableError> {
        check(path)?;
        let (disk, full) = (&*self.0.disk, self.path_of(path));
        let folder = match open_dir(disk, self.0.handle.at(path), &full) {
            Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(()),
            opened => opened?,
        };
        for listed in list(disk, &folder, &full)? {
            unlink(disk, folder.at(&listed.name), &full.join(&listed.name))?;
        }
        disk.remove_dir(self.0.handle.at(path)).map_err(|error| io_error(Op::Unlink, &full, error))
    }
}
