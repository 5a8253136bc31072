//! Single files outside any data folder: keys, configs, reports.

use crate::disk::{At, Disk, Machine};
use crate::error::DurableError;
use crate::op::Op;
use crate::step::{self, folder_of, io_error, open_dir};
use crate::unfinished::{FILE_MODE, Place, Tmp};
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;

/// Creates a file outside any data folder (a key, a config), durably, with `mode` and the process's umask.
///
/// Refuses to overwrite: an existing file, whatever its bytes, is an error of [`Op::Link`] with `EEXIST`. The
/// unfinished file is `.NAME.HEX` beside it.
pub fn create_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DurableError> {
    let place = Place::of(Arc::new(Machine), path)?;
    let mut tmp = Tmp::beside(&place, bytes, mode)?;
    tmp.sync()?;
    tmp.link_new()?;
    drop(tmp);
    place.sync_dir()
}

/// Puts a file outside any data folder in place of whatever is there, durably. An existing file's mode is not kept.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), DurableError> {
    let place = Place::of(Arc::new(Machine), path)?;
    let mut tmp = Tmp::beside(&place, bytes, FILE_MODE)?;
    tmp.sync()?;
    tmp.rename()?;
    place.sync_dir()
}

/// Whether a file can be put at a path by [`replace_file`], found out by beginning to. Nothing is left there, but for what a kill leaves
/// ([`is_unfinished`]).
pub fn check_writable(path: &Path) -> Result<(), DurableError> {
    Tmp::beside(&Place::of(Arc::new(Machine), path)?, b"", FILE_MODE).map(drop)
}

/// Whether a name is that of an unfinished file that [`create_file`] or [`replace_file`] of `name` left behind when it was killed.
pub fn is_unfinished(found: &str, name: &str) -> bool {
    let nonce =
        found.strip_prefix('.').and_then(|rest| rest.strip_prefix(name)).and_then(|rest| rest.strip_prefix('.'));
    nonce.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// Removes what killed processes left of a file. Best effort: it is no error that something stays.
pub fn remove_unfinished(path: &Path) {
    let (Some(name), Ok(entries)) =
        (path.file_name().and_then(|name| name.to_str()), std::fs::read_dir(folder_of(path)))
    else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|found| is_unfinished(found, name)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Reads a file outside any data folder, of at most `limit` bytes; `None` when it is not there.
pub fn read_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, DurableError> {
    step::read(&Machine, At::path(path), path, limit)
}

/// Creates a folder and those above it, each durably. One that is there is no error.
pub fn create_dir_all(path: &Path) -> Result<(), DurableError> {
    create_dir_all_on(&Machine, path)
}

/// The same on any disk.
pub(crate) fn create_dir_all_on(disk: &dyn Disk, path: &Path) -> Result<(), DurableError> {
    let failed = |error| io_error(Op::Open, path, error);
    if path.as_os_str().is_empty() || disk.exists(At::path(path)).map_err(failed)? {
        return Ok(());
    }
    let above = folder_of(path);
    if above == path {
        return Err(failed(Errno::NOENT.into()));
    }
    create_dir_all_on(disk, above)?;
    let handle = open_dir(disk, At::path(above), above)?;
    let name = path.file_name().ok_or_else(|| io_error(Op::Mkdir, path, Errno::INVAL.into()))?;
    step::make_dir(disk, &handle, Path::new(name), above, path)
}

/// Syncs the whole file system that a folder is on.
pub fn sync_filesystem(path: &Path) -> Result<(), DurableError> {
    step::sync_filesystem(&Machine, &open_dir(&Machine, At::path(path), path)?, path)
}
