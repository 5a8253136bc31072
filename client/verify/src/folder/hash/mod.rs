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

mod cached;

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod tests;

use stele_spec::hash::Digest;
use stele_spec::hints::{Link, PieceSize};

use job::Manner;
pub use job::{CopyInto, CopyPlace, HashError, Hashed, Job, Progress, Want};

use super::digest_cache::DigestCache;

/// Hashes the files; the results are in the order of `jobs`.
pub fn hash_all(jobs: &[Job], want: Want, progress: Progress<'_>) -> Vec<Result<Hashed, HashError>> {
    linked::hash(jobs, &[], Manner { want, piece: PieceSize::FORMAT, progress, copies: None })
}

/// Hashes the files, to verify; `links` has for each job those of its hints, if it has any. The results are in the order of `jobs`.
pub fn hash_linked(
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    progress: Progress<'_>,
) -> Vec<Result<Hashed, HashError>> {
    linked::hash(jobs, links, Manner { want: Want::Sha256, piece: PieceSize::FORMAT, progress, copies: None })
}

/// Copies the files and hashes the copies, in one pass. A file has a digest where its copy is whole, and it is that of the copy, as far as nobody else writes
/// to the copy meanwhile. A copy whose file has no digest, or another one than expected, is the caller's to remove.
pub fn hash_copying(
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    copies: CopyPlace<'_>,
    progress: Progress<'_>,
) -> Vec<Result<Hashed, HashError>> {
    let copies = Some(copies);
    linked::hash(jobs, links, Manner { want: Want::Sha256, piece: PieceSize::FORMAT, progress, copies })
}

/// Hashes the files that the cache does not know; `links` and `expected` have for each job its links and the digest that it should have, where
/// there are any. What differs from that is hashed whatever is known of it: a verdict that bytes differ rests on the bytes.
pub fn hash_unknown(
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    expected: &[Digest],
    cache: Option<&DigestCache>,
    progress: Progress<'_>,
) -> Vec<Result<Hashed, HashError>> {
    match cache {
        Some(cache) => cached::hash(jobs, links, expected, cache, progress),
        None => hash_linked(jobs, links, progress),
    }
}
