//! One process at a time: an exclusive `flock` on a file, held until the process ends or the value is dropped.
//!
//! The kernel releases it with the process, however that ends, so a stale lock does not exist. It excludes processes
//! on this machine; on network file systems do not rely on it (what must never happen is guarded by
//! [`compare_and_swap`](crate::compare_and_swap) as well).

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use stele_explain::{Exit, Explain, explain};

/// The held lock.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

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
        let file = File::open(path).map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(LockError::Held { path: path.to_owned(), holder: None }),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Takes the lock or fails at once. The file is created when missing and stays for ever: deleting a lock file
    /// would let two processes hold "the" lock.
    pub fn take(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LockError::Held { path: path.to_owned(), holder: holder(&mut file) }),
            Err(error) => return Err(failed(error.into())),
        }
        // The id only helps the message above; that it is written is not a condition of holding the lock.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
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
