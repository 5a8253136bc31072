//! A file before it has its name: written under another one, synced, then linked or renamed to its place.

use crate::disk::{At, Disk, Handle};
use crate::error::DurableError;
use crate::op::{Op, Put};
use crate::step::{folder_of, io_error, open_dir, open_file, read_up_to, step, sync_dir};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The mode of files that others may read.
pub(crate) const FILE_MODE: u32 = 0o644;

/// Where a file will be: its folder, held open so that a write error on it cannot be forgotten by the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    disk: Arc<dyn Disk>,
    folder: Handle,
    name: String,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new(disk: Arc<dyn Disk>, folder: Handle, name: &str, path: PathBuf) -> Self {
        Self { disk, folder, name: name.to_owned(), path }
    }

    /// A place outside any data folder.
    pub(crate) fn of(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, DurableError> {
        let bad = || DurableError::BadPath { path: path.display().to_string() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
        let folder = folder_of(path);
        let folder = open_dir(&*disk, At::path(folder), folder)?;
        Ok(Self::new(disk, folder, name, path.to_owned()))
    }

    pub(crate) fn sync_dir(&self) -> Result<(), DurableError> {
        sync_dir(&*self.disk, &self.folder, &self.path)
    }
}

/// An unfinished file. Dropping it removes it.
pub(crate) struct Tmp {
    dir: Handle,
    name: String,
    place: Place,
    file: Option<Handle>,
    there: bool,
}

impl Tmp {
    /// One beside the place it is for, hidden.
    pub(crate) fn beside(place: &Place, bytes: &[u8], mode: u32) -> Result<Self, DurableError> {
        let name = format!(".{}.{:016x}", place.name, nonce(&*place.disk));
        Self::write(place.folder.clone(), name, place.clone(), bytes, mode)
    }

    pub(crate) fn write(
        dir: Handle,
        name: String,
        place: Place,
        bytes: &[u8],
        mode: u32,
    ) -> Result<Self, DurableError> {
        let file = step(Op::Create, &place.path, || place.disk.create(dir.at(&name), mode))?;
        let mut tmp = Self { dir, name, place, file: None, there: true };
        step(Op::Write, &tmp.place.path, || tmp.place.disk.write_at(&file, bytes, 0))?;
        tmp.file = Some(file);
        Ok(tmp)
    }

    pub(crate) fn sync(&mut self) -> Result<(), DurableError> {
        match self.file.take() {
            Some(file) => step(Op::Sync, &self.place.path, || self.place.disk.sync(&file)),
            None => Ok(()),
        }
    }

    /// Gives the file its name, unless the name is taken; then what is there must be `bytes`, and is synced: the process that put it may
    /// have been killed before its sync.
    pub(crate) fn link(self, bytes: &[u8]) -> Result<Put, DurableError> {
        match self.link_unsynced(bytes)? {
            None => Ok(Put::New),
            Some(there) => {
                step(Op::Sync, &self.place.path, || self.place.disk.sync(&there))?;
                Ok(Put::Same)
            }
        }
    }

    /// The same without a sync; what is there already, if the name is taken.
    pub(crate) fn link_unsynced(&self, bytes: &[u8]) -> Result<Option<Handle>, DurableError> {
        match self.link_new() {
            Ok(()) => Ok(None),
            Err(error) if error.errno() == Some(Errno::EXIST) => same(&self.place, bytes).map(Some),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn link_new(&self) -> Result<(), DurableError> {
        let place = &self.place;
        step(Op::Link, &place.path, || place.disk.link(self.dir.at(&self.name), place.folder.at(&place.name)))
    }

    pub(crate) fn rename(mut self) -> Result<(), DurableError> {
        let place = &self.place;
        step(Op::Rename, &place.path, || place.disk.rename(self.dir.at(&self.name), place.folder.at(&place.name)))?;
        self.there = false;
        Ok(())
    }
}

impl Drop for Tmp {
    fn drop(&mut self) {
        if self.there {
            // A leftover is harmless, and the error that brought us here is the one to report.
            let _ = self.place.disk.unlink(self.dir.at(&self.name));
        }
    }
}

/// The file that is there, whose bytes must be these.
fn same(place: &Place, bytes: &[u8]) -> Result<Handle, DurableError> {
    let offered = bytes.len() as u64;
    let missing = || io_error(Op::Read, &place.path, Errno::NOENT.into());
    let disk = &*place.disk;
    let (file, found) = open_file(disk, place.folder.at(&place.name), &place.path)?.ok_or_else(missing)?;
    let differs = || DurableError::Differs { path: place.path.clone(), offered, found };
    if found != offered {
        return Err(differs());
    }
    let there = step(Op::Read, &place.path, || read_up_to(disk, &file, offered, offered + 1))?;
    if there != bytes {
        return Err(differs());
    }
    Ok(file)
}

/// Distinguishes the temporary files of processes; `O_EXCL` catches what chance does not.
pub(crate) fn nonce(disk: &dyn Disk) -> u64 {
    let mut bytes = [0; 8];
    disk.random(&mut bytes).map_or_else(|_| u64::from(std::process::id()), |()| u64::from_be_bytes(bytes))
}
