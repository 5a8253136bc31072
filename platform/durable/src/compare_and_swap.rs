//! A file that changes only from what its changer last saw: the log's signed head. A witness, which has many such files, swaps them
//! together under the same contract.
//!
//! # Contract
//! - [`CasFile::swap`] reads the file again, from disk and not from memory, and compares it byte for byte with what the
//!   caller expects; only then it replaces it durably. When it returns `Ok`, the new content is on the disk.
//! - [`CasError::Conflict`]: another process has changed the file. The caller's picture of the world is wrong; it must
//!   not sign, and it must not retry with the content that it just found.
//! - [`CasError::Durable`]: the file holds the old content or the new one, and the caller cannot know which before it
//!   has loaded the file again. It must treat both as possible: never sign anything that contradicts either.
//! - Two swaps through one `CasFile` (or its clones) are ordered. Between processes the caller must hold the
//!   [`Lock`](crate::lock::Lock) of the data: read, compare and rename are three system calls. What the comparison adds
//!   is the case in which the lock did not help: a restored backup, a network file system, a second container.
//!
//! # Trust
//! Write access to the file is enough to roll it back to an older value, and so to make a log sign, or a witness cosign, a
//! fork. It belongs on storage that is not part of a backup that is ever restored.

use crate::dir::Dir;
use crate::error::DurableError;
use crate::op::Put;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use stele_explain::{Exit, Explain, explain};

/// The largest content: a checkpoint with sixteen ML-DSA lines is below 64 KiB.
pub const MAX_CONTENT: u64 = 1 << 20;

/// A file with compare-and-swap. Cloning shares it.
#[derive(Clone, Debug)]
pub struct CasFile {
    dir: Dir,
    name: String,
    order: Arc<Mutex<()>>,
}

/// Why a swap did not happen, or may not have happened.
#[derive(Debug, thiserror::Error)]
pub enum CasError {
    /// The file does not hold what was expected.
    #[error("{} was changed by somebody else", .path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
        /// What it holds now, if it is there.
        found: Option<Vec<u8>>,
    },
    /// The machine failed; see the contract.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl Explain for CasError {
    explain! {
        Self::Conflict { .. } => Exit::Inconsistent, "state-changed",
            hint: "find out who wrote it (a second process, a restored backup) before starting again";
        Self::Durable(error) => error.exit(), error.code(), hint: error.hint();
    }
}

impl CasFile {
    /// A file in a folder of its own; the folder is created durably when missing, the file is not.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DurableError> {
        let path = path.as_ref();
        let bad = || DurableError::BadPath { path: path.display().to_string() };
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
        let folder = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self::in_dir(&Dir::open(folder)?, name))
    }

    /// A file below an open data folder. Make one a file and clone it: two made of one path are not ordered.
    pub fn in_dir(dir: &Dir, path: &str) -> Self {
        Self { dir: dir.clone(), name: path.to_owned(), order: Arc::default() }
    }

    /// What the file holds; `None` when it was never written.
    pub fn load(&self) -> Result<Option<Vec<u8>>, DurableError> {
        self.dir.read(&self.name, MAX_CONTENT)
    }

    /// Replaces `expected` (`None`: no file) by `new`, durably.
    pub fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        let path = self.dir.path_of(&self.name);
        if new.len() as u64 > MAX_CONTENT {
            return Err(DurableError::TooLarge { path, limit: MAX_CONTENT }.into());
        }
        let _ordered = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.load()?;
        if found.as_deref() != expected {
            return Err(CasError::Conflict { path, found });
        }
        if expected.is_some() {
            return Ok(self.dir.replace(&self.name, new)?);
        }
        // A first write goes by `link`, which the kernel itself refuses when the name is taken.
        match self.dir.put_if_absent(&self.name, new) {
            Ok(Put::New) => Ok(()),
            Ok(Put::Same) => Err(CasError::Conflict { path, found: Some(new.to_vec()) }),
            Err(DurableError::Differs { .. }) => Err(CasError::Conflict { path, found: self.load()? }),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault;

    fn file() -> (tempfile::TempDir, CasFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = CasFile::open(dir.path().join("state/head")).unwrap();
        (dir, file)
    }

    #[test]
    fn a_first_write_over_something_is_a_conflict() {
        let (_dir, file) = file();
        file.swap(None, b"one").unwrap();
        let error = file.swap(None, b"one").unwrap_err();
        assert!(matches!(&error, CasError::Conflict { found: Some(found), .. } if found == b"one"));
        assert_eq!(error.exit(), Exit::Inconsistent);
    }

    #[test]
    fn a_swap_of_what_is_no_longer_there_is_a_conflict_and_changes_nothing() {
        let (dir, file) = file();
        file.swap(None, b"one").unwrap();
        std::fs::write(dir.path().join("state/head"), b"restored").unwrap();
        let error = file.swap(Some(b"one"), b"two").unwrap_err();
        assert!(matches!(error, CasError::Conflict { found: Some(found), .. } if found == b"restored"));
        assert_eq!(file.load().unwrap().unwrap(), b"restored");
        std::fs::remove_file(dir.path().join("state/head")).unwrap();
        assert!(matches!(file.swap(Some(b"one"), b"two"), Err(CasError::Conflict { found: None, .. })));
    }

    #[test]
    fn swaps_follow_one_another() {
        let (_dir, file) = file();
        assert_eq!(file.load().unwrap(), None);
        file.swap(None, b"one").unwrap();
        file.swap(Some(b"one"), b"two").unwrap();
        assert_eq!(file.load().unwrap().unwrap(), b"two");
    }

    #[test]
    fn of_many_threads_with_one_expectation_one_wins() {
        let (_dir, file) = file();
        file.swap(None, b"start").unwrap();
        let won: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8u8)
                .map(|n| {
                    let file = file.clone();
                    scope.spawn(move || usize::from(file.swap(Some(b"start"), &[n]).is_ok()))
                })
                .collect();
            tries.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn an_error_that_persisted_leaves_the_new_content_and_still_is_an_error() {
        let (dir, file) = file();
        file.swap(None, b"one").unwrap();
        let name = dir.path().display().to_string();
        let armed = fault::arm(&format!("fail-persisted:rename:{name}:1")).unwrap();
        assert!(matches!(file.swap(Some(b"one"), b"two"), Err(CasError::Durable(_))));
        drop(armed);
        assert_eq!(file.load().unwrap().unwrap(), b"two");
        let _armed = fault::arm(&format!("full:write:{name}:1")).unwrap();
        assert_eq!(file.swap(Some(b"two"), b"three").unwrap_err().code(), "disk-full");
        assert_eq!(file.load().unwrap().unwrap(), b"two");
    }
}
