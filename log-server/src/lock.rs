//! The lock: one writer at a time, and the newest tree head that it ever signed.
//!
//! Only the sequencer and recovery touch it. The signed head is written before anything that it signs becomes public,
//! and every later signature is made only for a tree of which this one is the beginning.
//!
//! With this file an attacker can make the log fork: restored to an older head, the next start would sign another tree
//! of the same size. Recovery refuses when the head is older than what was published, and nothing is signed before the
//! witnesses have said that they know no newer one ([`crate::recall`]); keep it out of restored backups.

use stele_durable::compare_and_swap::{CasError, CasFile};
use stele_durable::lock::{Lock, LockError};
use stele_durable::{Dir, DurableError};

/// The held lock.
#[derive(Debug)]
pub struct HeadLock {
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

impl HeadLock {
    /// Takes the lock of this data, or fails at once.
    pub fn take(data: &Dir) -> Result<Self, TakeError> {
        data.create_dir_all("lock")?;
        let only = Lock::take(data.path_of("lock/writer"))?;
        Ok(Self { head: CasFile::in_dir(data, "lock/signed-head"), _only: only })
    }

    /// The newest signed head, a note with the log's own signature; `None` before the first.
    pub fn load(&self) -> Result<Option<Vec<u8>>, DurableError> {
        self.head.load()
    }

    /// Puts a newly signed head in place of the one it continues.
    pub fn swap(&self, signed_before: Option<&[u8]>, signed: &[u8]) -> Result<(), CasError> {
        self.head.swap(signed_before, signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_and_a_stale_one_cannot_sign_over_another() {
        let home = tempfile::tempdir().unwrap();
        let data = Dir::open(home.path()).unwrap();
        let lock = HeadLock::take(&data).unwrap();
        assert!(matches!(HeadLock::take(&data), Err(TakeError::Lock(LockError::Held { .. }))));
        lock.swap(None, b"one").unwrap();
        assert!(matches!(lock.swap(None, b"two"), Err(CasError::Conflict { .. })));
        lock.swap(Some(b"one"), b"two").unwrap();
        assert_eq!(lock.load().unwrap().unwrap(), b"two");
    }
}
