//! The newest signed checkpoint in a file, and the lock that lets one process at a time write it.
//!
//! The file is `lock/signed-head` below the data folder. Keep it out of backups that are ever restored.

use stele_durable::compare_and_swap::{CasError, CasFile};
use stele_durable::lock::{Lock, LockError};
use stele_durable::{Dir, DurableError, Op};
use stele_log_core::contract::head_store::{HeadError, HeadErrorKind, HeadStore};

/// The file, with its lock held.
#[derive(Debug)]
pub struct FileHeadStore {
    head: CasFile,
    _only: Lock,
}

/// Why the lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Another process writes, or the file cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The folder cannot be made.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl FileHeadStore {
    /// Takes the lock of this data, or fails at once.
    pub fn take(data: &Dir) -> Result<Self, TakeError> {
        data.create_dir_all("lock")?;
        let only = Lock::take_in(data, "lock/writer")?;
        Ok(Self { head: CasFile::in_dir(data, "lock/signed-head"), _only: only })
    }
}

impl HeadStore for FileHeadStore {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        self.head.load().map_err(|error| failed(error.into()))
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        self.head.swap(expected, new).map_err(failed)
    }

    fn check_held(&self) -> Result<(), HeadError> {
        Ok(())
    }

    fn excludes_others(&self) -> bool {
        true
    }
}

fn failed(error: CasError) -> HeadError {
    let kind = match &error {
        CasError::Conflict { .. } => HeadErrorKind::Conflict,
        // The new file could not even be written: the old one is in place, and no one has seen the new one.
        CasError::Durable(error @ DurableError::Io { op: Op::Create | Op::Write, .. }) if error.is_disk_full() => {
            HeadErrorKind::NoRoom
        }
        CasError::Durable(_) => HeadErrorKind::Uncertain,
    };
    HeadError::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_and_a_stale_one_cannot_sign_over_another() {
        let home = tempfile::tempdir().unwrap();
        let data = Dir::open(home.path()).unwrap();
        let lock = FileHeadStore::take(&data).unwrap();
        assert!(matches!(FileHeadStore::take(&data), Err(TakeError::Lock(LockError::Held { .. }))));
        lock.compare_and_swap(None, b"one").unwrap();
        let refused = lock.compare_and_swap(None, b"two").unwrap_err();
        assert_eq!(refused.kind(), HeadErrorKind::Conflict);
        lock.compare_and_swap(Some(b"one"), b"two").unwrap();
        assert_eq!(lock.load().unwrap().unwrap(), b"two");
    }
}
