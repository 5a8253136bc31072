//! One process at a time: an exclusive `flock` on a file, held until the process ends or the value is dropped.
//!
//! The kernel releases it with the process, however that ends, so a stale lock does not exist. It excludes processes
//! on this machine; on network file systems do not rely on it (what must never happen is guarded by
//! [`compare_and_swap`](crate::compare_and_swap) as well).

use crate::dir::{self, Dir};
use crate::disk::{Access, At, Disk, Handle, Machine};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use stele_explain::{Exit, Explain, explain};

/// The held lock.
#[derive(Debug)]
pub struct Lock {
    _held: Handle,
}

/// The mode of a new lock file.
const MODE: u32 = 0o644;

/// The length of the process id in the file, in bytes.
const HOLDER: usize = 16;

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another process{} holds {}", .holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default(), .path.display())]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// The process that wrote its id there last.
        holder: Option<u32>,
    },
    /// The file cannot be opened or locked.
    #[error("cannot lock {}", .path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
}

impl Explain for LockError {
    explain! {
        Self::Held { .. } => Exit::Locked, "locked",
            hint: "only one process may work on this data: stop the other one first; never delete the file";
        Self::Io { .. } => Exit::Io, "lock-failed";
    }
}

impl Lock {
    /// Takes a lock that others hold for moments only: waits for up to five seconds.
    pub fn take_soon(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        for _ in 0..100 {
            match Self::take(path) {
                Err(LockError::Held { .. }) => std::thread::sleep(Duration::from_millis(50)),
                taken => return taken,
            }
        }
        Self::take(path)
    }

    /// Takes the lock of a folder itself or fails at once: nothing is written into it.
    pub fn of_folder(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let folder = Machine.open_dir(At::path(path)).map_err(failed)?;
        if Machine.try_lock_alone(&folder).map_err(failed)? {
            Ok(Self { _held: folder })
        } else {
            Err(LockError::Held { path: path.to_owned(), holder: None })
        }
    }

    /// Whether a process holds the lock of a file, which is not made and not written; no one holds that of a file that is not there.
    pub fn check_free(path: impl AsRef<Path>) -> Result<(), LockError> {
        let path = path.as_ref();
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let file = match Machine.open_file(At::path(path), Access::Read) {
            Ok((file, _)) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        if Machine.try_lock_alone(&file).map_err(failed)? {
            return Ok(());
        }
        Err(LockError::Held { path: path.to_owned(), holder: holder(&Machine, &file) })
    }

    /// Takes the lock or fails at once. The file is created when missing and stays for ever: deleting a lock file
    /// would let two processes hold "the" lock.
    pub fn take(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        Self::take_at(&Machine, At::path(path), path)
    }

    /// The same below an open data folder, on its disk.
    pub fn take_in(data: &Dir, name: &str) -> Result<Self, LockError> {
        let path = data.path_of(name);
        if dir::check(name).is_err() {
            return Err(LockError::Io { path, source: Errno::INVAL.into() });
        }
        Self::take_at(&*data.0.disk, data.0.handle.at(name), &path)
    }

    fn take_at(disk: &dyn Disk, at: At<'_>, path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let file = open_or_create(disk, at).map_err(failed)?;
        if !disk.try_lock_alone(&file).map_err(failed)? {
            return Err(LockError::Held { path: path.to_owned(), holder: holder(disk, &file) });
        }
        // The id only helps the message above; that it is written is not a condition of holding the lock. It has one length, so that
        // nothing of a longer one is left.
        let id = format!("{:<1$}\n", std::process::id(), HOLDER - 1);
        let _ = disk.write_at(&file, id.as_bytes(), 0);
        Ok(Self { _held: file })
    }
}

fn open_or_create(disk: &dyn Disk, at: At<'_>) -> io::Result<Handle> {
    let open = || disk.open_file(at, Access::Write).map(|(file, _)| file);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match disk.create(at, MODE) {
            // Another process made it in between.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(),
            created => created,
        },
        opened => opened,
    }
}

fn holder(disk: &dyn Disk, file: &Handle) -> Option<u32> {
    let mut text = [0; HOLDER];
    let count = disk.read_at(file, &mut text, 0).ok()?;
    std::str::from_utf8(text.get(..count)?).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let error = Lock::take(&path).unwrap_err();
        assert!(matches!(error, LockError::Held { holder: Some(pid), .. } if pid == std::process::id()), "{error}");
        assert_eq!(error.exit(), Exit::Locked);
        assert!(error.to_string().contains(path.to_str().unwrap()));
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_folder_is_held_by_one_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::of_folder(dir.path()).unwrap();
        assert_eq!(Lock::of_folder(dir.path()).unwrap_err().exit(), Exit::Locked);
        drop(first);
        Lock::of_folder(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn one_that_is_held_for_a_moment_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::take_soon(&path).is_ok());
            std::thread::sleep(Duration::from_millis(120));
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().unwrap());
        });
    }

    #[test]
    fn a_missing_folder_is_an_io_error_that_names_the_file() {
        let error = Lock::take("/nonexistent/lock").unwrap_err();
        assert_eq!(error.exit(), Exit::Io);
        assert!(error.to_string().contains("/nonexistent/lock"));
    }
}
