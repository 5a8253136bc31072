//! One operation on a disk, with its name: where faults are injected, and where errors get operation and path.

use crate::disk::{Access, At, Disk, Handle};
use crate::error::DurableError;
use crate::fault;
use crate::op::{Listed, Op};
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// Carries out one operation; `path` is what the caller named, for faults and errors.
pub(crate) fn step<T>(op: Op, path: &Path, call: impl FnOnce() -> io::Result<T>) -> Result<T, DurableError> {
    fault::around(op, path, call).map_err(|source| io_error(op, path, source))
}

pub(crate) fn io_error(op: Op, path: &Path, source: io::Error) -> DurableError {
    DurableError::Io { op, path: path.to_owned(), source }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(crate) fn open_dir(disk: &dyn Disk, at: At<'_>, path: &Path) -> Result<Handle, DurableError> {
    step(Op::Open, path, || disk.open_dir(at))
}

/// Opens a regular file, with its length; `None` for nothing and for a folder.
pub(crate) fn open_file(disk: &dyn Disk, at: At<'_>, path: &Path) -> Result<Option<(Handle, u64)>, DurableError> {
    match step(Op::Open, path, || disk.open_file(at, Access::Read)) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a file of at most `limit` bytes; `None` for nothing and for a folder.
pub(crate) fn read(disk: &dyn Disk, at: At<'_>, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DurableError> {
    let Some((file, length)) = open_file(disk, at, path)? else { return Ok(None) };
    let too_large = || DurableError::TooLarge { path: path.to_owned(), limit };
    if length > limit {
        return Err(too_large());
    }
    let bytes = step(Op::Read, path, || read_up_to(disk, &file, length, limit.saturating_add(1)))?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// Reads from the beginning to the end, at most `most` bytes; `length` is what is expected.
pub(crate) fn read_up_to(disk: &dyn Disk, file: &Handle, length: u64, most: u64) -> io::Result<Vec<u8>> {
    let size = |count: u64| usize::try_from(count).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge));
    // One byte more than expected: the end is seen without a second buffer.
    let mut bytes = vec![0; size(length.saturating_add(1).min(most))?];
    let mut filled = 0;
    loop {
        let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) else {
            if filled as u64 == most {
                return Ok(bytes);
            }
            // It has grown since it was opened.
            bytes.resize(size((filled as u64).saturating_mul(2).clamp(4096, most.max(4096)).min(most))?, 0);
            continue;
        };
        match disk.read_at(file, rest, filled as u64) {
            Ok(0) => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes one folder and syncs the one above, also when it was there: its maker may have been killed in between.
pub(crate) fn make_dir(
    disk: &dyn Disk,
    above: &Handle,
    name: &Path,
    above_path: &Path,
    path: &Path,
) -> Result<(), DurableError> {
    make_dir_unsynced(disk, above, name, path).map(drop)?;
    sync_dir(disk, above, above_path)
}

/// Makes one folder; `false` where it was there.
pub(crate) fn make_dir_unsynced(
    disk: &dyn Disk,
    above: &Handle,
    name: &Path,
    path: &Path,
) -> Result<bool, DurableError> {
    step(Op::Mkdir, path, || match disk.make_dir(above.at(name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => made.map(|()| true),
    })
}

pub(crate) fn unlink(disk: &dyn Disk, at: At<'_>, path: &Path) -> Result<(), DurableError> {
    step(Op::Unlink, path, || disk.unlink(at))
}

pub(crate) fn sync_dir(disk: &dyn Disk, folder: &Handle, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncDir, path, || disk.sync_dir(folder))
}

pub(crate) fn sync_filesystem(disk: &dyn Disk, folder: &Handle, path: &Path) -> Result<(), DurableError> {
    step(Op::SyncFs, path, || disk.sync_filesystem(folder))
}

pub(crate) fn list(disk: &dyn Disk, folder: &Handle, path: &Path) -> Result<Vec<Listed>, DurableError> {
    step(Op::List, path, || disk.list(folder))
}
