//! A file before it has its name: written under another one, synced, then linked or renamed to its place.

use crate::disk::{folder_of, io_error, open_dir, open_file_at, step, sync_dir};
use crate::error::DurableError;
use crate::op::{Op, Put};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The mode of files that others may read.
pub(crate) const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// Where a file will be: its folder, held open so that a write error on it cannot be forgotten by the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: Arc<OwnedFd>,
    name: String,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new(folder: Arc<OwnedFd>, name: &str, path: PathBuf) -> Self {
        Self { folder, name: name.to_owned(), path }
    }

    /// A place outside any data folder.
    pub(crate) fn of(path: &Path) -> Result<Self, DurableError> {
        let bad = || DurableError::BadPath { path: path.display().to_string() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
        Ok(Self::new(Arc::new(open_dir(folder_of(path))?), name, path.to_owned()))
    }

    pub(crate) fn sync_dir(&self) -> Result<(), DurableError> {
        sync_dir(&self.folder, &self.path)
    }
}

/// An unfinished file. Dropping it removes it.
pub(crate) struct Tmp {
    dir: Arc<OwnedFd>,
    name: String,
    place: Place,
    file: Option<File>,
    there: bool,
}

impl Tmp {
    /// One beside the place it is for, hidden.
    pub(crate) fn beside(place: &Place, bytes: &[u8], mode: Mode) -> Result<Self, DurableError> {
        let name = format!(".{}.{:016x}", place.name, nonce());
        Self::write(place.folder.clone(), name, place.clone(), bytes, mode)
    }

    pub(crate) fn write(
        dir: Arc<OwnedFd>,
        name: String,
        place: Place,
        bytes: &[u8],
        mode: Mode,
    ) -> Result<Self, DurableError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let handle = step(Op::Create, &place.path, || Ok(rustix::fs::openat(&dir, &name, flags, mode)?))?;
        let mut tmp = Self { dir, name, place, file: None, there: true };
        let mut file = File::from(handle);
        step(Op::Write, &tmp.place.path, || file.write_all(bytes))?;
        tmp.file = Some(file);
        Ok(tmp)
    }

    pub(crate) fn sync(&mut self) -> Result<(), DurableError> {
        match self.file.take() {
            Some(file) => step(Op::Sync, &self.place.path, || Ok(rustix::fs::fsync(&file)?)),
            None => Ok(()),
        }
    }

    /// Gives the file its name, unless the name is taken; then what is there must be `bytes`.
    pub(crate) fn link(self, bytes: &[u8]) -> Result<Put, DurableError> {
        match self.link_new() {
            Ok(()) => Ok(Put::New),
            Err(error) if error.errno() == Some(Errno::EXIST) => {
                same(&self.place, bytes)?;
                Ok(Put::Same)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn link_new(&self) -> Result<(), DurableError> {
        let place = &self.place;
        step(Op::Link, &place.path, || {
            Ok(rustix::fs::linkat(&self.dir, &self.name, &place.folder, &place.name, AtFlags::empty())?)
        })
    }

    pub(crate) fn rename(mut self) -> Result<(), DurableError> {
        let place = &self.place;
        step(Op::Rename, &place.path, || Ok(rustix::fs::renameat(&self.dir, &self.name, &place.folder, &place.name)?))?;
        self.there = false;
        Ok(())
    }
}

impl Drop for Tmp {
    fn drop(&mut self) {
        if self.there {
            // A leftover is harmless, and the error that brought us here is the one to report.
            let _ = rustix::fs::unlinkat(&self.dir, &self.name, AtFlags::empty());
        }
    }
}

/// Compares what is there with `bytes`, and syncs it: whoever put it may have been killed before its own sync.
fn same(place: &Place, bytes: &[u8]) -> Result<(), DurableError> {
    let offered = bytes.len() as u64;
    let missing = || io_error(Op::Read, &place.path, Errno::NOENT.into());
    let (mut file, found) = open_file_at(&place.folder, &place.name, &place.path)?.ok_or_else(missing)?;
    let differs = || DurableError::Differs { path: place.path.clone(), offered, found };
    if found != offered {
        return Err(differs());
    }
    let mut there = Vec::with_capacity(bytes.len());
    step(Op::Read, &place.path, || (&mut file).take(offered + 1).read_to_end(&mut there))?;
    if there != bytes {
        return Err(differs());
    }
    step(Op::Sync, &place.path, || Ok(rustix::fs::fsync(&file)?))
}

/// Distinguishes the temporary files of processes; `O_EXCL` catches what chance does not.
pub(crate) fn nonce() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}
