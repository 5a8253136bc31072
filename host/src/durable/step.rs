//! The single steps towards the disk, each by its system call; what they add up to is said one room up.

use super::{DurableError, Listed, Op, Put, nonce};
use crate::fault;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIR_MODE: Mode = Mode::from_raw_mode(0o755);

/// Where a file will be: its folder, held open so that a write error on it cannot be forgotten by the kernel.
#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: Arc<OwnedFd>,
    name: String,
    path: PathBuf,
}

impl Place {
    pub(super) fn new(folder: Arc<OwnedFd>, name: &str, path: PathBuf) -> Self {
        Self { folder, name: name.to_owned(), path }
    }

    /// A place outside any data folder.
    pub(super) fn of(path: &Path) -> Result<Self, DurableError> {
        let bad = || DurableError::BadPath { path: path.display().to_string() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
        Ok(Self::new(Arc::new(open_dir(folder_of(path))?), name, path.to_owned()))
    }

    pub(super) fn sync_dir(&self) -> Result<(), DurableError> {
        sync_dir(&self.folder, &self.path)
    }
}

/// An unfinished file. Dropping it removes it.
pub(super) struct Tmp {
    dir: Arc<OwnedFd>,
    name: String,
    place: Place,
    file: Option<File>,
    there: bool,
}

impl Tmp {
    /// One beside the place it is for, hidden.
    pub(super) fn beside(place: &Place, bytes: &[u8], mode: Mode) -> Result<Self, DurableError> {
        let name = format!(".{}.{:016x}", place.name, nonce());
        Self::write(place.folder.clone(), name, place.clone(), bytes, mode)
    }

    pub(super) fn write(
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

    pub(super) fn sync(&mut self) -> Result<(), DurableError> {
        match self.file.take() {
            Some(file) => step(Op::Sync, &self.place.path, || Ok(rustix::fs::fsync(&file)?)),
            None => Ok(()),
        }
    }

    /// Gives the file its name, unless the name is taken; then what is there must be `bytes`.
    pub(super) fn link(self, bytes: &[u8]) -> Result<Put, DurableError> {
        match self.link_new() {
            Ok(()) => Ok(Put::New),
            Err(error) if error.errno() == Some(Errno::EXIST) => {
                same(&self.place, bytes)?;
                Ok(Put::Same)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn link_new(&self) -> Result<(), DurableError> {
        let place = &self.place;
        step(Op::Link, &place.path, || {
            Ok(rustix::fs::linkat(&self.dir, &self.name, &place.folder, &place.name, AtFlags::empty())?)
        })
    }

    pub(super) fn rename(mut self) -> Result<(), DurableError> {
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

pub(super) fn read_at(
    dir: impl AsFd,
    name: impl AsRef<Path>,
    path: &Path,
    limit: u64,
) -> Result<Option<Vec<u8>>, DurableError> {
    let Some((file, length)) = open_file_at(dir, name, path)? else { return Ok(None) };
    let too_large = || DurableError::TooLarge { path: path.to_owned(), limit };
    if length > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| too_large())?);
    step(Op::Read, path, || file.take(limit.saturating_add(1)).read_to_end(&mut bytes))?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// Opens a regular file; `None` for nothing and for a folder. `NONBLOCK`: a pipe put there must not hang us.
pub(super) fn open_file_at(
    dir: impl AsFd,
    name: impl AsRef<Path>,
    path: &Path,
) -> Result<Option<(File, u64)>, DurableError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = step(Op::Open, path, || Ok(rustix::fs::openat(dir, name.as_ref(), flags, Mode::empty())?));
    let file = match opened {
        Ok(handle) => File::from(handle),
        Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::NOTDIR)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = file.metadata().map_err(|e| io_error(Op::Open, path, e))?;
    if found.is_dir() {
        return Ok(None);
    }
    if !found.is_file() {
        return Err(io_error(Op::Open, path, io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    Ok(Some((file, found.len())))
}

/// Opens a regular file that is there, to be written in place.
pub(super) fn open_file_for_writing_at(dir: impl AsFd, name: &str, path: &Path) -> Result<File, DurableError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    step(Op::Open, path, || Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)).map(File::from)
}

pub(super) fn open_dir(path: &Path) -> Result<OwnedFd, DurableError> {
    open_dir_at(rustix::fs::CWD, path, path)
}

pub(super) fn open_dir_at(dir: impl AsFd, name: impl AsRef<Path>, path: &Path) -> Result<OwnedFd, DurableError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    step(Op::Open, path, || Ok(rustix::fs::openat(dir, name.as_ref(), flags, Mode::empty())?))
}

/// Makes one folder and syncs the one above, also when it was there: its maker may have been killed in between.
pub(super) fn make_dir(
    above: &OwnedFd,
    name: impl AsRef<Path>,
    above_path: &Path,
    path: &Path,
) -> Result<(), DurableError> {
    let name = name.as_ref();
    step(Op::Mkdir, path, || match rustix::fs::mkdirat(above, name, DIR_MODE) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(e) => Err(e.into()),
    })?;
    sync_dir(above, above_path)
}

pub(super) fn unlink_at(dir: &OwnedFd, name: &str, path: &Path) -> Result<(), DurableError> {
    step(Op::Unlink, path, || Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?))
}

pub(super) fn sync_dir(dir: &OwnedFd, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncDir, path, || Ok(rustix::fs::fsync(dir)?))
}

pub(super) fn sync_filesystem_of(dir: &OwnedFd, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncFs, path, || Ok(rustix::fs::syncfs(dir)?))
}

/// Names that are not UTF-8 are nobody's of ours and are left out.
pub(super) fn list_at(dir: &OwnedFd, path: &Path) -> Result<Vec<Listed>, DurableError> {
    step(Op::List, path, || {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            let is_dir = match entry.file_type() {
                FileType::Unknown | FileType::Symlink => rustix::fs::statat(dir, name, AtFlags::empty())
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
                known => known == FileType::Directory,
            };
            names.push(Listed { name: name.to_owned(), is_dir });
        }
        Ok(names)
    })
}

pub(super) fn step<T>(op: Op, path: &Path, call: impl FnOnce() -> io::Result<T>) -> Result<T, DurableError> {
    fault::around(op, path, call).map_err(|source| io_error(op, path, source))
}

pub(super) fn io_error(op: Op, path: &Path, source: io::Error) -> DurableError {
    DurableError::Io { op, path: path.to_owned(), source }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
