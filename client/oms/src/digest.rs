//! SHA-256 of files and of their parts, on all cores, each byte read once.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use sha2::{Digest as _, Sha256};
use stele_spec::hash::Digest;
use stele_verify::folder::hash::{HashError, Job, Progress, Want, hash_all};

use crate::shard;
use crate::walk::Found;

/// How much of a part is read at once.
const BUFFER: usize = 1 << 20;

/// The digest of each file, in their order.
pub(crate) fn whole(files: &[&Found], progress: Progress<'_>) -> Vec<Result<Digest, HashError>> {
    let jobs: Vec<Job> = files.iter().map(|file| Job { path: file.open.clone(), size: file.size }).collect();
    hash_all(&jobs, Want::Sha256, progress).into_iter().map(|hashed| hashed.map(|hashed| hashed.sha256)).collect()
}

/// The digests of the parts of each file, in their order; the files are as long as they were found.
pub(crate) fn parts(files: &[&Found], size: u64, progress: Progress<'_>) -> Vec<Result<Vec<Digest>, HashError>> {
    let tasks: Vec<_> = files
        .iter()
        .enumerate()
        .flat_map(|(at, file)| shard::parts(file.size, size).map(move |part| (at, part)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((at, part)) = tasks.get(number) else { return done };
            let Some(file) = files.get(*at) else { return done };
            done.push((number, *at, one_part(&file.open, file.size, part.clone(), &mut buffer, progress)));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(tasks.len()).max(1);
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|(number, ..)| *number);
    let mut digests: Vec<Result<Vec<Digest>, HashError>> = files.iter().map(|_| Ok(Vec::new())).collect();
    for (_, at, digest) in done {
        let Some(of_file) = digests.get_mut(at) else { continue };
        match (of_file.as_mut(), digest) {
            (Ok(so_far), Ok(digest)) => so_far.push(digest),
            (Ok(_), Err(error)) => *of_file = Err(error),
            (Err(_), _) => {}
        }
    }
    digests
}

fn one_part(
    path: &Path,
    size: u64,
    part: core::ops::Range<u64>,
    buffer: &mut [u8],
    progress: Progress<'_>,
) -> Result<Digest, HashError> {
    let (file, found) = stele_regular_file::open(path)?;
    if found.len() != size {
        return Err(HashError::Changed);
    }
    let mut hasher = Sha256::new();
    let mut at = part.start;
    while at < part.end {
        let room = usize::try_from(part.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..room) else { break };
        let count = match file.read_at(room, at) {
            Ok(0) => return Err(HashError::Changed),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        hasher.update(room.get(..count).unwrap_or_default());
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        at = at.saturating_add(count);
        progress(count);
    }
    if file.metadata()?.len() != size {
        return Err(HashError::Changed);
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}
