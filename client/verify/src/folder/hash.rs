//! Hashes files side by side on all cores, each file once.
//!
//! One file is one SHA-256 stream, so the largest go first and each thread takes the next file when it is free. What is
//! hashed is a regular file whose size, inode and time of change are the same before and after: a file that is written
//! to meanwhile has no digest.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FileDigests, FileHasher, GitBlobId};

/// How much is read at once: large enough that system calls cost nothing, small enough for the second-level cache.
const BUFFER: usize = 1 << 20;

/// Gets the number of bytes that were read since it was called last; it is called on several threads.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// One file to hash.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where it is, with symlinks resolved.
    pub path: PathBuf,
    /// Its size as the folder says.
    pub size: u64,
}

/// Which digests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// What decides: to verify.
    Sha256,
    /// Git's blob id as well: to publish.
    All,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256.
    pub sha256: Digest,
    /// Git's blob id, if it was wanted.
    pub git_sha1: Option<GitBlobId>,
}

/// Why a file has no digest.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The machine failed to read it.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is a pipe, a socket, a folder or a device by now.
    #[error("it is not a regular file")]
    NotAFile,
    /// It was written to, or replaced, while it was read.
    #[error("it changed while it was read")]
    Changed,
}

/// Hashes the files; the results are in the order of `jobs`.
pub fn hash_all(jobs: &[Job], want: Want, progress: Progress<'_>) -> Vec<Result<Hashed, HashError>> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(jobs.get(*at).map_or(0, |job| job.size)));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![0; BUFFER];
        let mut done = Vec::new();
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(job) = jobs.get(at) {
                done.push((at, hash_one(&job.path, want, &mut buffer, progress)));
            }
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    let mut done: Vec<_> = if cores <= 1 {
        work()
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    };
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn hash_one(path: &Path, want: Want, buffer: &mut [u8], progress: Progress<'_>) -> Result<Hashed, HashError> {
    // A pipe must not hang us before we have seen that it is one.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(HashError::NotAFile);
    }
    let hashed = match want {
        Want::Sha256 => {
            let mut hasher = Sha256::new();
            let size = read_all(&mut file, buffer, progress, |bytes| hasher.update(bytes))?;
            Hashed { size, sha256: Digest::from_bytes(hasher.finalize().into()), git_sha1: None }
        }
        Want::All => {
            let mut hasher = FileHasher::new(before.len());
            read_all(&mut file, buffer, progress, |bytes| hasher.update(bytes))?;
            let FileDigests { size, sha256, git_sha1 } = hasher.finish().map_err(|_| HashError::Changed)?;
            Hashed { size, sha256, git_sha1: Some(git_sha1) }
        }
    };
    let unchanged = state(&before) == state(&file.metadata()?) && state(&before) == state(&std::fs::metadata(path)?);
    if unchanged && hashed.size == before.len() { Ok(hashed) } else { Err(HashError::Changed) }
}

fn read_all(
    file: &mut File,
    buffer: &mut [u8],
    progress: Progress<'_>,
    mut take: impl FnMut(&[u8]),
) -> io::Result<u64> {
    let mut total = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                take(buffer.get(..count).unwrap_or_default());
                total += count as u64;
                progress(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What changes when a file is written to or replaced.
fn state(found: &Metadata) -> (u64, u64, u64, i64, i64) {
    (found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn every_file_gets_its_own_digest_whatever_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let contents: Vec<Vec<u8>> =
            [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER].iter().map(|n| vec![*n as u8; *n]).collect();
        let jobs: Vec<Job> = contents
            .iter()
            .enumerate()
            .map(|(n, content)| {
                let path = folder.path().join(n.to_string());
                std::fs::write(&path, content).unwrap();
                Job { path, size: content.len() as u64 }
            })
            .collect();
        for want in [Want::Sha256, Want::All] {
            let results = hash_all(&jobs, want, &|_| {});
            for (content, result) in contents.iter().zip(results) {
                let (expected, found) = (FileDigests::of(content), result.unwrap());
                assert_eq!((found.size, found.sha256), (expected.size, expected.sha256));
                assert_eq!(found.git_sha1, (want == Want::All).then_some(expected.git_sha1));
            }
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_has_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growing");
        std::fs::write(&path, vec![7; 2 * BUFFER]).unwrap();
        let mut file = File::open(&path).unwrap();
        let before = file.metadata().unwrap();
        let mut grown = false;
        let read = read_all(&mut file, &mut [0; 4096], &|_| {}, |_| {
            if !std::mem::replace(&mut grown, true) {
                OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
            }
        });
        assert_eq!(read.unwrap(), 2 * BUFFER as u64 + 4);
        assert_ne!(state(&before), state(&file.metadata().unwrap()));
    }

    #[test]
    fn what_is_missing_or_a_folder_is_an_error_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = [folder.path().to_owned(), folder.path().join("none")].map(|path| Job { path, size: 0 });
        let results = hash_all(&jobs, Want::Sha256, &|_| {});
        assert!(matches!(results[0], Err(HashError::NotAFile)));
        assert!(matches!(results[1], Err(HashError::Read(_))));
    }
}
