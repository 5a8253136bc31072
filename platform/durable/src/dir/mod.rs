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
//! [`Dir::replace_all`]: the same with `renameat`, and one `syncfs` instead of many `fsync`s. [`Dir::put_all_unsynced`] and
//! [`Dir::replace_unsynced`]: no sync at all, until [`Dir::sync_filesystem`]. [`Dir::journal`] is a file that is written in place, and so is
//! what [`Dir::fill`] writes, whose name was made before by [`Dir::make_spare`]:
//! ```text
//! openat(root, "staged/spare-0", O_WRONLY|O_CREAT|O_EXCL, 0644)  ...  syncfs(root)      beside everything else
//! openat(root, "staged/spare-0", O_RDWR)  pwrite(6, ..., 0)  fsync(6)
//! ```
//!
//! Temporary files are made in `.tmp` under the root, so that folders served to others hold finished files only. Each
//! open [`Dir`] holds a shared `flock` on `.tmp`; one that is opened while no other is open removes what a killed
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

use crate::disk::{Access, At, Disk, Handle, Machine};
use crate::error::DurableError;
use crate::file::create_dir_all_on;
use crate::op::{Listed, Op, Put};
use crate::step::{self, io_error, open_dir};
use crate::unfinished::{FILE_MODE, Place, Tmp, nonce};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    pub(crate) disk: Arc<dyn Disk>,
    path: PathBuf,
    pub(crate) handle: Handle,
    tmp: Handle,
    nonce: u64,
    next: AtomicU64,
    /// Folders that were made and not synced: before anything durable is put into one it is.
    unsynced: Mutex<BTreeSet<String>>,
}

/// When what is put must be there for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Durable {
    /// When the call returns.
    Now,
    /// After the next [`Dir::sync_filesystem`].
    Later,
}

/// A file that is read from its beginning on.
#[derive(Debug)]
pub struct OpenFile {
    disk: Arc<dyn Disk>,
    file: Handle,
    offset: u64,
}

impl io::Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.disk.read_at(&self.file, buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl Dir {
    /// Opens a data folder, creating it (durably) when it is missing, and removes what a killed process left in `.tmp`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DurableError> {
        Self::open_on(Arc::new(Machine), path)
    }

    /// The same on a disk that is handed in.
    pub fn open_on(disk: Arc<dyn Disk>, path: impl AsRef<Path>) -> Result<Self, DurableError> {
        let path = path.as_ref();
        create_dir_all_on(&*disk, path)?;
        let handle = open_dir(&*disk, At::path(path), path)?;
        let tmp_path = path.join(TMP);
        step::make_dir(&*disk, &handle, Path::new(TMP), path, &tmp_path)?;
        let tmp = open_dir(&*disk, handle.at(TMP), &tmp_path)?;
        let failed = |error| io_error(Op::Open, &tmp_path, error);
        if disk.try_lock_alone(&tmp).map_err(failed)? {
            for left in step::list(&*disk, &tmp, &tmp_path)? {
                step::unlink(&*disk, tmp.at(&left.name), &tmp_path.join(&left.name))?;
            }
        }
        // Shared from here on: the next to open sees that these temporary files are in use.
        disk.lock_shared(&tmp).map_err(failed)?;
        let (path, nonce, next) = (path.to_owned(), nonce(&*disk), AtomicU64::new(0));
        let unsynced = Mutex::default();
        Ok(Self(Arc::new(Root { disk, path, handle, tmp, nonce, next, unsynced })))
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
    /// Answers in the order of `files`. No caller may rely on any of them before this returns `Ok`.
    pub fn put_all_if_absent<P, B>(&self, files: impl IntoIterator<Item = (P, B)>) -> Result<Vec<Put>, DurableError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        let mut puts = Vec::new();
        self.in_batches(Durable::Now, files, |mut started, files| {
            started.iter_mut().try_for_each(Tmp::sync)?;
            for (tmp, (_, bytes)) in started.into_iter().zip(files) {
                puts.push(tmp.link(bytes.as_ref())?);
            }
            Ok(())
        })?;
        Ok(puts)
    }

    /// Puts many files as [`put_all_if_absent`](Self::put_all_if_absent) does, and syncs nothing: until
    /// [`sync_filesystem`](Self::sync_filesystem) has returned, a loss of power leaves each of them whole, in part, or not there. For content that
    /// something durable holds as well.
    pub fn put_all_unsynced<P, B>(&self, files: impl IntoIterator<Item = (P, B)>) -> Result<(), DurableError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        self.in_batches(Durable::Later, files, |started, files| {
            started.iter().zip(files).try_for_each(|(tmp, (_, bytes))| tmp.link_unsynced(bytes.as_ref()).map(drop))
        })
    }

    /// Puts content in place of whatever is there. Readers see the old or the new, whole.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), DurableError> {
        let place = self.place(path)?;
        let mut tmp = self.start(place.clone(), bytes)?;
        tmp.sync()?;
        tmp.rename()?;
        place.sync_dir()
    }

    /// Puts content in place of whatever is there, and syncs nothing: readers see the old or the new, whole. Until
    /// [`sync_filesystem`](Self::sync_filesystem) has returned, a loss of power leaves the old, the new, a part of either, or nothing. For
    /// content that something durable holds as well.
    pub fn replace_unsynced(&self, path: &str, bytes: &[u8]) -> Result<(), DurableError> {
        let place = self.place(path)?;
        self.start(place, bytes)?.rename()
    }

    /// Makes an empty file that is not there, to be filled. Its name is durable after the next
    /// [`sync_filesystem`](Self::sync_filesystem).
    pub fn make_spare(&self, path: &str) -> Result<(), DurableError> {
        check(path)?;
        let full = self.path_of(path);
        step::step(Op::Create, &full, || self.disk().create(self.0.handle.at(path), FILE_MODE)).map(drop)
    }

    /// Writes into an empty file whose name is durable: one sync, and what was written is there for good. Before this returns `Ok` the file may
    /// hold any part of it: a reader must be able to tell.
    pub fn fill(&self, path: &str, bytes: &[u8]) -> Result<(), DurableError> {
        check(path)?;
        let full = self.path_of(path);
        let opened = step::step(Op::Open, &full, || self.disk().open_file(self.0.handle.at(path), Access::Write));
        let (file, found) = opened?;
        if found != 0 {
            return Err(DurableError::Differs { path: full, offered: bytes.len() as u64, found });
        }
        step::step(Op::Write, &full, || self.disk().write_at(&file, bytes, 0))?;
        step::step(Op::Sync, &full, || self.disk().sync(&file))
    }

    /// Puts many contents in place of whatever is there, with one sync for each folder, and one of the whole file system instead of
    /// one for each file where there are many. Not atomic: after an error each file has its old content or its new one.
    pub fn replace_all<P, B>(&self, files: impl IntoIterator<Item = (P, B)>) -> Result<(), DurableError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        self.in_batches(Durable::Now, files, |mut started, _| {
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
        step::read(self.disk(), self.0.handle.at(path), &self.path_of(path), limit)
    }

    /// Opens a file for reading, with its length; `None` when it is not there or is a folder.
    pub fn open_file(&self, path: &str) -> Result<Option<(OpenFile, u64)>, DurableError> {
        check(path)?;
        let opened = step::open_file(self.disk(), self.0.handle.at(path), &self.path_of(path))?;
        Ok(opened.map(|(file, length)| (OpenFile { disk: self.0.disk.clone(), file, offset: 0 }, length)))
    }

    /// Whether a file or folder of this name is there.
    pub fn exists(&self, path: &str) -> Result<bool, DurableError> {
        check(path)?;
        let there = self.disk().exists(self.0.handle.at(path));
        there.map_err(|error| io_error(Op::Open, &self.path_of(path), error))
    }

    /// The names in a folder (`""`: the root), sorted, hidden ones left out; `None` when it is not there.
    pub fn list(&self, path: &str) -> Result<Option<Vec<Listed>>, DurableError> {
        let full = self.path_of(path);
        let at = if path.is_empty() {
            self.0.handle.at(".")
        } else {
            check(path)?;
            self.0.handle.at(path)
        };
        match open_dir(self.disk(), at, &full) {
            Ok(handle) => {
                let mut names = step::list(self.disk(), &handle, &full)?;
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
        match step::unlink(self.disk(), handle.at(name), &full) {
            Ok(()) => step::sync_dir(self.disk(), &handle, &full).map(|()| true),
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file, not durably: after a loss of power it may be there again. One that is not there is no error.
    pub fn remove_unsynced(&self, path: &str) -> Result<(), DurableError> {
        check(path)?;
        match step::unlink(self.disk(), self.0.handle.at(path), &self.path_of(path)) {
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    /// Creates a folder and those above it, each durably. One that is there is no error.
    pub fn create_dir_all(&self, path: &str) -> Result<(), DurableError> {
        check(path)?;
        self.create_folder(path, Durable::Now).map(|_| ())
    }

    /// Syncs the whole file system that the folder is on: after [`put_all_unsynced`](Self::put_all_unsynced), and for a database whose own
    /// flush does not (sled).
    pub fn sync_filesystem(&self) -> Result<(), DurableError> {
        // A folder that is made meanwhile is in the next set.
        let covered = std::mem::take(&mut *self.unsynced());
        step::sync_filesystem(self.disk(), &self.0.handle, &self.0.path)
            .inspect_err(|_| self.unsynced().extend(covered))
    }

    fn disk(&self) -> &dyn Disk {
        &*self.0.disk
    }

    /// The folder of a path, created when missing, and the name in it.
    fn place(&self, path: &str) -> Result<Place, DurableError> {
        self.place_in(path, Durable::Now, &mut BTreeMap::new())
    }

    /// The same, remembering the folders.
    fn place_in(
        &self,
        path: &str,
        durable: Durable,
        folders: &mut BTreeMap<String, Handle>,
    ) -> Result<Place, DurableError> {
        check(path)?;
        let (folder, name) = split(path);
        let handle = match folders.get(folder) {
            Some(handle) => handle.clone(),
            None => {
                let is_unsynced = durable == Durable::Now && self.unsynced().contains(folder);
                let handle = match self.open_folder(folder) {
                    Ok(_) if is_unsynced => self.create_folder(folder, durable)?,
                    Err(error) if error.errno() == Some(Errno::NOENT) => self.create_folder(folder, durable)?,
                    opened => opened?,
                };
                folders.insert(folder.to_owned(), handle.clone());
                handle
            }
        };
        Ok(Place::new(self.0.disk.clone(), handle, name, self.path_of(path)))
    }

    fn open_folder(&self, folder: &str) -> Result<Handle, DurableError> {
        if folder.is_empty() {
            return Ok(self.0.handle.clone());
        }
        open_dir(self.disk(), self.0.handle.at(folder), &self.path_of(folder))
    }

    /// Makes a folder and those above it, also where they are there: their maker may have been killed before its sync.
    fn create_folder(&self, folder: &str, durable: Durable) -> Result<Handle, DurableError> {
        let mut above = self.0.handle.clone();
        let mut above_path = self.0.path.clone();
        let mut so_far = String::with_capacity(folder.len());
        for segment in folder.split('/') {
            so_far.push_str(if so_far.is_empty() { "" } else { "/" });
            so_far.push_str(segment);
            let path = above_path.join(segment);
            let made = step::make_dir_unsynced(self.disk(), &above, Path::new(segment), &path)?;
            match durable {
                Durable::Now => {
                    step::sync_dir(self.disk(), &above, &above_path)?;
                    self.unsynced().remove(&so_far);
                }
                Durable::Later if made => _ = self.unsynced().insert(so_far.clone()),
                Durable::Later => {}
            }
            above = open_dir(self.disk(), above.at(segment), &path)?;
            above_path = path;
        }
        Ok(above)
    }

    fn unsynced(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes files, lets `name` give a batch of them their names, and syncs each folder once, at the end.
    fn in_batches<P: AsRef<str>, B: AsRef<[u8]>>(
        &self,
        durable: Durable,
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
                let place = self.place_in(path.as_ref(), durable, &mut folders)?;
                started.push(self.start(place, bytes.as_ref())?);
            }
            name(started, &batch)?;
        }
        for (folder, handle) in folders.iter().filter(|_| durable == Durable::Now) {
            step::sync_dir(self.disk(), handle, &self.path_of(folder))?;
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
