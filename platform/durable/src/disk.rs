//! Every operation on files, as a trait, and the machine's own disk behind it. No other file of this crate makes or changes data by a
//! system call.
//!
//! A simulation puts a disk of its own in this place: see [`ForgetfulDisk`](crate::ForgetfulDisk).

use crate::op::Listed;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::any::Any;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

const DIR_MODE: Mode = Mode::from_raw_mode(0o755);

/// Where files are kept. Errors carry the numbers of the operating system, `ENOENT` and the others.
///
/// What has not been synced may be gone, or there in part, after the power comes back: bytes by [`sync`](Self::sync) or
/// [`sync_data`](Self::sync_data), names by [`sync_dir`](Self::sync_dir), both by [`sync_filesystem`](Self::sync_filesystem).
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens a folder that is there.
    fn open_dir(&self, at: At<'_>) -> io::Result<Handle>;

    /// Opens a regular file that is there, with its length in bytes. A folder is `EISDIR`.
    fn open_file(&self, at: At<'_>, access: Access) -> io::Result<(Handle, u64)>;

    /// Makes a file that is not there, to be written.
    fn create(&self, at: At<'_>, mode: u32) -> io::Result<Handle>;

    /// Writes all bytes at an offset.
    fn write_at(&self, file: &Handle, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Reads at an offset into a buffer; gives the count of bytes, which is 0 at the end.
    fn read_at(&self, file: &Handle, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Syncs the bytes of a file, and what belongs to it.
    fn sync(&self, file: &Handle) -> io::Result<()>;

    /// Syncs the bytes of a file whose length has not changed.
    fn sync_data(&self, file: &Handle) -> io::Result<()>;

    /// Gives a file a second name; `EEXIST` where the name is taken.
    fn link(&self, from: At<'_>, to: At<'_>) -> io::Result<()>;

    /// Gives a file another name, in place of what has that name.
    fn rename(&self, from: At<'_>, to: At<'_>) -> io::Result<()>;

    /// Takes a name away.
    fn unlink(&self, at: At<'_>) -> io::Result<()>;

    /// Makes a folder; `EEXIST` where the name is taken.
    fn make_dir(&self, at: At<'_>) -> io::Result<()>;

    /// Syncs the names in a folder.
    fn sync_dir(&self, folder: &Handle) -> io::Result<()>;

    /// Syncs everything on the file system of a folder.
    fn sync_filesystem(&self, folder: &Handle) -> io::Result<()>;

    /// The names in a folder, in any order. Names that are not UTF-8 are left out: no program of ours makes them.
    fn list(&self, folder: &Handle) -> io::Result<Vec<Listed>>;

    /// Whether a file or folder of this name is there.
    fn exists(&self, at: At<'_>) -> io::Result<bool>;

    /// Takes an empty folder away.
    fn remove_dir(&self, at: At<'_>) -> io::Result<()>;

    /// When a file was written last, in Unix seconds.
    fn modified(&self, at: At<'_>) -> io::Result<u64>;

    /// How many bytes are free on the file system of a folder.
    fn free_bytes(&self, folder: &Handle) -> io::Result<u64>;

    /// Locks a file or folder for this handle alone, and says whether that was possible: no other handle has it locked.
    fn try_lock_alone(&self, open: &Handle) -> io::Result<bool>;

    /// Locks a folder together with others who do so, in place of this handle's lock; waits while another has it alone.
    fn lock_shared(&self, folder: &Handle) -> io::Result<()>;

    /// Fills a buffer by chance: for names of unfinished files, and salts.
    fn random(&self, buffer: &mut [u8]) -> io::Result<()> {
        getrandom::fill(buffer).map_err(|error| io::Error::other(error.to_string()))
    }
}

/// An open file or folder of a [`Disk`]. Cloning shares it; it is closed with the last clone.
#[derive(Clone)]
pub struct Handle(Arc<dyn Any + Send + Sync>);

/// A path below an open folder, or below the folder in which the program runs.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The open folder.
    pub folder: Option<&'a Handle>,
    /// The path below it.
    pub path: &'a Path,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read, and written in place.
    Write,
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Handle {
    /// What a disk keeps of an open file or folder.
    pub fn new(open: impl Any + Send + Sync) -> Self {
        Self(Arc::new(open))
    }

    /// The same; `EBADF` where another disk made it.
    pub fn get<T: Any>(&self) -> io::Result<&T> {
        self.0.downcast_ref().ok_or_else(|| Errno::BADF.into())
    }

    /// A path below this folder.
    pub fn at<'a>(&'a self, path: &'a (impl AsRef<Path> + ?Sized)) -> At<'a> {
        At { folder: Some(self), path: path.as_ref() }
    }

    fn file(&self) -> io::Result<&File> {
        self.get()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl<'a> At<'a> {
    /// A path of the machine.
    pub fn path(path: &'a Path) -> Self {
        At { folder: None, path }
    }

    fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        self.folder.map_or(Ok(rustix::fs::CWD), |folder| folder.file().map(AsFd::as_fd))
    }

    fn open(&self, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat(self.fd()?, self.path, flags | OFlags::CLOEXEC, mode)?)
    }
}

impl Disk for Machine {
    fn open_dir(&self, at: At<'_>) -> io::Result<Handle> {
        at.open(OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).map(|fd| Handle::new(File::from(fd)))
    }

    fn open_file(&self, at: At<'_>, access: Access) -> io::Result<(Handle, u64)> {
        // A pipe at this path must not hang the program.
        let flags = match access {
            Access::Read => OFlags::RDONLY | OFlags::NONBLOCK,
            Access::Write => OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW,
        };
        let file = File::from(at.open(flags, Mode::empty())?);
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(Errno::ISDIR.into());
        }
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok((Handle::new(file), found.len()))
    }

    fn create(&self, at: At<'_>, mode: u32) -> io::Result<Handle> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        at.open(flags, Mode::from_raw_mode(mode)).map(|fd| Handle::new(File::from(fd)))
    }

    fn write_at(&self, file: &Handle, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.file()?.write_all_at(bytes, offset)
    }

    fn read_at(&self, file: &Handle, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.file()?.read_at(buffer, offset)
    }

    fn sync(&self, file: &Handle) -> io::Result<()> {
        Ok(rustix::fs::fsync(file.file()?)?)
    }

    fn sync_data(&self, file: &Handle) -> io::Result<()> {
        Ok(rustix::fs::fdatasync(file.file()?)?)
    }

    fn link(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        Ok(rustix::fs::linkat(from.fd()?, from.path, to.fd()?, to.path, AtFlags::empty())?)
    }

    fn rename(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        Ok(rustix::fs::renameat(from.fd()?, from.path, to.fd()?, to.path)?)
    }

    fn unlink(&self, at: At<'_>) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(at.fd()?, at.path, AtFlags::empty())?)
    }

    fn make_dir(&self, at: At<'_>) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(at.fd()?, at.path, DIR_MODE)?)
    }

    fn sync_dir(&self, folder: &Handle) -> io::Result<()> {
        self.sync(folder)
    }

    fn sync_filesystem(&self, folder: &Handle) -> io::Result<()> {
        Ok(rustix::fs::syncfs(folder.file()?)?)
    }

    fn list(&self, folder: &Handle) -> io::Result<Vec<Listed>> {
        let folder = folder.file()?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            let is_dir = match entry.file_type() {
                FileType::Unknown | FileType::Symlink => rustix::fs::statat(folder, name, AtFlags::empty())
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory),
                known => known == FileType::Directory,
            };
            names.push(Listed { name: name.to_owned(), is_dir });
        }
        Ok(names)
    }

    fn exists(&self, at: At<'_>) -> io::Result<bool> {
        match rustix::fs::statat(at.fd()?, at.path, AtFlags::empty()) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn remove_dir(&self, at: At<'_>) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(at.fd()?, at.path, AtFlags::REMOVEDIR)?)
    }

    fn modified(&self, at: At<'_>) -> io::Result<u64> {
        let found = rustix::fs::statat(at.fd()?, at.path, AtFlags::empty())?;
        Ok(u64::try_from(found.st_mtime).unwrap_or(0))
    }

    fn free_bytes(&self, folder: &Handle) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(folder.file()?)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn try_lock_alone(&self, open: &Handle) -> io::Result<bool> {
        match rustix::fs::flock(open.file()?, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn lock_shared(&self, folder: &Handle) -> io::Result<()> {
        Ok(rustix::fs::flock(folder.file()?, FlockOperation::LockShared)?)
    }
}
