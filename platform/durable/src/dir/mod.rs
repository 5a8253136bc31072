//! Files that are there after the power comes back, whole or not at all. The only file of the project that calls
//! `fsync`, `syncfs`, `link` or `rename` for data.
//!
//! # What is promised
//! When a call returns `Ok`, its effect survives the loss of power on a file system and disk that honour `fsync`. When
//! it returns an error, the old content of every file named in the call is intact, or (only if the last step, the sync
//! of the folder, failed) the new content is there whole. A reader never sees a part of a file.
//!
//! # The system calls
//! [`Dir::put_if_absent`], for content that never changes (tiles, entries, manifests):
//! ```text
//! openat(root, "tile/0", O_DIRECTORY)                            = 5
//! openat(tmp, "6f1c...-3", O_WRONLY|O_CREAT|O_EXCL, 0644)        = 6
//! write(6, ...)  fsync(6)  close(6)
//! linkat(tmp, "6f1c...-3", 5, "000", 0)     EEXIST: compare the bytes, fsync what is there
//! unlinkat(tmp, "6f1c...-3")
//! fsync(5)  close(5)
//! ```
//! [`Dir::replace`], for the few files that change (a checkpoint, a signed head): the same with `renameat` in place of
//! `linkat` and `unlinkat`. [`Dir::create_dir_all`]: `mkdirat` and `fsync` of the folder above, for each missing level.
//! [`Dir::put_all_if_absent`]: all writes, then all `fsync`s, then all `linkat`s, then one `fsync` a folder.
//! [`Dir::replace_all`]: the same with `renameat`, and one `syncfs` instead of many `fsync`s. [`Dir::journal`] is a file that is written
//! in place.
//!
//! Temporary files are made in `.tmp` under the root, so that folders served to others hold finished files only. Each
//! open [`Dir`] holds a shared `flock` on `.tmp`; whoever opens one while nobody else has it open removes what a killed
//! process left there.
//!
//! # The holes that remain
//! - After a failed `fsync`, Linux may mark the pages clean: the same bytes read back from the page cache prove nothing,
//!   and a later `fsync` of an existing file ([`Put::Same`]) can succeed without writing. So: after any error of
//!   [`Op::Sync`], [`Op::SyncDir`] or [`Op::SyncFs`] stop writing, and start again only with a healthy disk.
//! - A disk that lies about its cache, and `nobarrier` mounts, defeat all of this.
//! - `flock` excludes processes on one machine; on some network file systems not even that.
//! - A file system without hard links (exFAT, some FUSE mounts) refuses every put, loudly.
//! - Everything under a root must be one file system: `link` and `rename` do not cross a mount.

use crate::disk::{self, io_error, open_dir, open_dir_at};
use crate::error::DurableError;
use crate::file::create_dir_all;
use crate::op::{Listed, Op, Put};
use crate::unfinished::{FILE_MODE, Place, Tmp, nonce};
use rustix::fs::{AtFlags, FlockOperation};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files written before the first is synced in [`Dir::put_all_if_absent`]; each holds a descriptor meanwhile, of which
/// a process usually has 1,024.
const BATCH: usize = 64;

/// From so many files on, one sync of the file system costs less than one for each file.
const WHOLE: usize = 16;

/// Where unfinished files are, below the root.
const TMP: &str = ".tmp";

/// A folder held open, below which files are put, replaced, read and removed. Cloning shares the handle.
///
/// Paths are relative to it, `/`-separated, without empty, `.`, `..` or hidden (`.x`) segments.
#[derive(Clone, Debug)]
pub struct Dir(pub(crate) Arc<Root>);

#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    pub(crate) handle: Arc<OwnedFd>,
    tmp: Arc<OwnedFd>,
    nonce: u64,
    next: AtomicU64,
}

impl Dir {
    /// Opens a data folder, creating it (durably) when it is missing, and removes what a killed process left in `.tmp`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DurableError> {
        let path = path.as_ref();
        create_dir_all(path)?;
        let handle = Arc::new(open_dir(path)?);
        let tmp_path = path.join(TMP);
        disk::make_dir(&handle, TMP, path, &tmp_path)?;
        let tmp = Arc::new(open_dir_at(&handle, TMP, &tmp_path)?);
        let alone = rustix::fs::flock(&tmp, FlockOperation::NonBlockingLockExclusive).is_ok();
        if alone {
            for left in disk::list_at(&tmp, &tmp_path)? {
                disk::unlink_at(&tmp, &left.name, &tmp_path.join(&left.name))?;
            }
        }
        // Shared from here on: the next to open sees that these temporary files are in use.
        rustix::fs::flock(&tmp, FlockOperation::LockShared).map_err(|e| io_error(Op::Open, &tmp_path, e.into()))?;
        Ok(Self(Arc::new(Root { path: path.to_owned(), handle, tmp, nonce: nonce(), next: AtomicU64::new(0) })))
    }

    /// The folder's path as it was opened.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The full path of a file below, for messages.
    pub fn path_of(&self, path: &str) -> PathBuf {
        self.0.path.join(path)
    }

    /// Puts content that never changes. Missing folders are created.
    ///
    /// [`Put::Same`] when these bytes are already there; [`DurableError::Differs`] when others are. Two that put at the
    /// same time are ordered by `link`: the second compares.
    pub fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<Put, DurableError> {
        let place = self.place(path)?;
        let mut tmp = self.start(place.clone(), bytes)?;
        tmp.sync()?;
        let put = tmp.link(bytes)?;
        place.sync_dir()?;
        Ok(put)
    }

    /// Puts many files as [`put_if_absent`](Self::put_if_absent) does, with one sync for each folder instead of one for
    /// each file. Not atomic: after an error some are there, each of them whole.
    ///
    /// Answers in the order of `files`. Nobody may rely on any of them before this returns `Ok`.
    pub fn put_all_if_absent<P, B>(&self, files: impl IntoIterator<Item = (P, B)>) -> Result<Vec<Put>, DurableError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        let mut puts = Vec::new();
        self.in_batches(files, |mut started, files| {
            started.iter_mut().try_for_each(Tmp::sync)?;
            for (tmp, (_, bytes)) in started.into_iter().zip(files) {
                puts.push(tmp.link(bytes.as_ref())?);
            }
            Ok(())
        })?;
        Ok(puts)
    }

    /// Puts content in place of whatever is there. Readers see the old or the new, whole.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), DurableError> {
        let place = self.place(path)?;
        let mut tmp = self.start(place.clone(), bytes)?;
        tmp.sync()?;
        tmp.rename()?;
        place.sync_dir()
    }

    /// Puts many contents in place of whatever is there, with one sync for each folder, and one of the whole file system instead of
    /// one for each file where there are many. Not atomic: after an error each file has its old content or its new one.
    pub fn replace_all<P, B>(&self, files: impl IntoIterator<Item = (P, B)>) -> Result<(), DurableError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        self.in_batches(files, |mut started, _| {
            if started.len() < WHOLE {
                started.iter_mut().try_for_each(Tmp::sync)?;
            } else {
                self.sync_filesystem()?;
            }
            started.into_iter().try_for_each(Tmp::rename)
        })
    }

    /// Reads a file of at most `limit` bytes; `None` when it is not there.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, DurableError> {
        check(path)?;
        disk::read_at(&self.0.handle, path, &self.path_of(path), limit)
    }

    /// Opens a file for reading, with its length; `None` when it is not there or is a folder.
    pub fn open_file(&self, path: &str) -> Result<Option<(File, u64)>, DurableError> {
        check(path)?;
        disk::open_file_at(&self.0.handle, path, &self.path_of(path))
    }

    /// Whether a file or folder of this name is there.
    pub fn exists(&self, path: &str) -> Result<bool, DurableError> {
        check(path)?;
        match rustix::fs::statat(&self.0.handle, path, AtFlags::empty()) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(e) => Err(io_error(Op::Open, &self.path_of(path), e.into())),
        }
    }

    /// The names in a folder (`""`: the root), sorted, hidden ones left out; `None` when it is not there.
    pub fn list(&self, path: &str) -> Result<Option<Vec<Listed>>, DurableError> {
        let full = self.path_of(path);
        let handle = if path.is_empty() {
            open_dir(&full)
        } else {
            check(path)?;
            open_dir_at(&self.0.handle, path, &full)
        };
        match handle {
            Ok(handle) => {
                let mut names = disk::list_at(&handle, &full)?;
                names.retain(|listed| !listed.name.starts_with('.'));
                names.sort();
                Ok(Some(names))
            }
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file durably; `false` when it was not there.
    pub fn remove(&self, path: &str) -> Result<bool, DurableError> {
        check(path)?;
        let full = self.path_of(path);
        let (folder, name) = split(path);
        let handle = match self.open_folder(folder) {
            Ok(handle) => handle,
            Err(error) if error.errno() == Some(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error),
        };
        match disk::unlink_at(&handle, name, &full) {
            Ok(()) => disk::sync_dir(&handle, &full).map(|()| true),
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a folder and those above it, each durably. One that is there is no error.
    pub fn create_dir_all(&self, path: &str) -> Result<(), DurableError> {
        check(path)?;
        self.create_folder(path).map(|_| ())
    }

    /// Syncs the whole file system that the folder is on; for a database whose own flush does not (sled).
    pub fn sync_filesystem(&self) -> Result<(), DurableError> {
        disk::sync_filesystem_of(&self.0.handle, &self.0.path)
    }

    /// The folder of a path, created when missing, and the name in it.
    fn place(&self, path: &str) -> Result<Place, DurableError> {
        self.place_in(path, &mut BTreeMap::new())
    }

    /// The same, remembering the folders.
    fn place_in(&self, path: &str, folders: &mut BTreeMap<String, Arc<OwnedFd>>) -> Result<Place, DurableError> {
        check(path)?;
        let (folder, name) = split(path);
        let handle = match folders.get(folder) {
            Some(handle) => handle.clone(),
            None => {
                let handle = match self.open_folder(folder) {
                    Err(error) if error.errno() == Some(Errno::NOENT) => self.create_folder(folder)?,
                    other => other?,
                };
                folders.insert(folder.to_owned(), handle.clone());
                handle
            }
        };
        Ok(Place::new(handle, name, self.path_of(path)))
    }

    fn open_folder(&self, folder: &str) -> Result<Arc<OwnedFd>, DurableError> {
        if folder.is_empty() {
            return Ok(self.0.handle.clone());
        }
        open_dir_at(&self.0.handle, folder, &self.path_of(folder)).map(Arc::new)
    }

    fn create_folder(&self, folder: &str) -> Result<Arc<OwnedFd>, DurableError> {
        let mut above = self.0.handle.clone();
        let mut above_path = self.0.path.clone();
        for segment in folder.split('/') {
            let path = above_path.join(segment);
            disk::make_dir(&above, segment, &above_path, &path)?;
            above = Arc::new(open_dir_at(&above, segment, &path)?);
            above_path = path;
        }
        Ok(above)
    }

    /// Writes files, lets `name` give a batch of them their names, and syncs each folder once, at the end.
    fn in_batches<P: AsRef<str>, B: AsRef<[u8]>>(
        &self,
        files: impl IntoIterator<Item = (P, B)>,
        mut name: impl FnMut(Vec<Tmp>, &[(P, B)]) -> Result<(), DurableError>,
    ) -> Result<(), DurableError> {
        let mut folders = BTreeMap::new();
        let mut files = files.into_iter();
        loop {
            let batch: Vec<(P, B)> = files.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let mut started = Vec::with_capacity(batch.len());
            for (path, bytes) in &batch {
                let place = self.place_in(path.as_ref(), &mut folders)?;
                started.push(self.start(place, bytes.as_ref())?);
            }
            name(started, &batch)?;
        }
        for (folder, handle) in &folders {
            disk::sync_dir(handle, &self.path_of(folder))?;
        }
        Ok(())
    }

    fn start(&self, place: Place, bytes: &[u8]) -> Result<Tmp, DurableError> {
        let name = format!("{:016x}-{}", self.0.nonce, self.0.next.fetch_add(1, Ordering::Relaxed));
        Tmp::write(self.0.tmp.clone(), name, place, bytes, FILE_MODE)
    }
}

pub(crate) fn check(path: &str) -> Result<(), DurableError> {
    let good =
        path.split('/').all(|segment| !segment.is_empty() && !segment.starts_with('.') && !segment.contains('\0'));
    if good { Ok(()) } else { Err(DurableError::BadPath { path: path.to_owned() }) }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests;
