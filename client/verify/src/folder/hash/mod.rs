//! Hashes files side by side on all cores, each file once.
//!
//! One file is one SHA-256 stream, so the largest go first, each thread takes the next when it is free, and a thread walks several streams in turn where that
//! is faster (`stele-sha256-lanes`). A file that has hints is walked as many streams, by its links; where one of them does not hold, the whole file is hashed
//! as if it had none. What is hashed is a regular file whose size, inode and time of change are the same before and after: a file that is written
//! to meanwhile has no digest.

mod job;

mod linked;
mod opened;
mod stream;
mod work;

#[cfg(test)]
mod tests;

use stele_spec::hints::{Link, PieceSize};

pub use job::{HashError, Hashed, Job, Progress, Want};

/// Hashes the files; the results are in the order of `jobs`.
pub fn hash_all(jobs: &[Job], want: Want, progress: Progress<'_>) -> Vec<Result<Hashed, HashError>> {
    linked::hash(jobs, &[], want, PieceSize::FORMAT, progress)
}

/// Hashes the files, to verify; `links` has for each job those of its hints, if it has any. The results are in the order of `jobs`.
pub fn hash_linked(
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    progress: Progress<'_>,
) -> Vec<Result<Hashed, HashError>> {
    linked::hash(jobs, links, Want::Sha256, PieceSize::FORMAT, progress)
}
