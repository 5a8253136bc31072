//! The single steps towards the disk, each by its system call.

use crate::error::DurableError;
use crate::fault;
use crate::op::{Listed, Op};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

const DIR_MODE: Mode = Mode::from_raw_mode(0o755);

pub(crate) fn read_at(
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
pub(crate) fn open_file_at(
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
pub(crate) fn open_file_for_writing_at(dir: impl AsFd, name: &str, path: &Path) -> Result<File, DurableError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    step(Op::Open, path, || Ok(rustix::fs::openat(dir, name, flags, Mode::empty())?)).map(File::from)
}

pub(crate) fn open_dir(path: &Path) -> Result<OwnedFd, DurableError> {
    open_dir_at(rustix::fs::CWD, path, path)
}

pub(crate) fn open_dir_at(dir: impl AsFd, name: impl AsRef<Path>, path: &Path) -> Result<OwnedFd, DurableError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    step(Op::Open, path, || Ok(rustix::fs::openat(dir, name.as_ref(), flags, Mode::empty())?))
}

/// Makes one folder and syncs the one above, also when it was there: its maker may have been killed in between.
pub(crate) fn make_dir(
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

pub(crate) fn unlink_at(dir: &OwnedFd, name: &str, path: &Path) -> Result<(), DurableError> {
    step(Op::Unlink, path, || Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?))
}

pub(crate) fn sync_dir(dir: &OwnedFd, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncDir, path, || Ok(rustix::fs::fsync(dir)?))
}

pub(crate) fn sync_filesystem_of(dir: &OwnedFd, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncFs, path, || Ok(rustix::fs::syncfs(dir)?))
}

/// Names that are not UTF-8 are nobody's of ours and are left out.
pub(crate) fn list_at(dir: &OwnedFd, path: &Path) -> Result<Vec<Listed>, DurableError> {
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

pub(crate) fn step<T>(op: Op, path: &Path, call: impl FnOnce() -> io::Result<T>) -> Result<T, DurableError> {
    fault::around(op, path, call).map_err(|source| io_error(op, path, source))
}

pub(crate) fn io_error(op: Op, path: &Path, source: io::Error) -> DurableError {
    DurableError::Io { op, path: path.to_owned(), source }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
