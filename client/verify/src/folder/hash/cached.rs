//! Files of which a cache may know the digest: what it knows is not hashed, and what another process hashes at this moment is waited for.

use std::path::Path;
use std::time::{Duration, Instant};

use stele_spec::hash::Digest;
use stele_spec::hints::{Link, PieceSize};

use super::job::{HashError, Hashed, Job, Manner, Progress, Want};
use super::linked;
use crate::folder::digest_cache::{CacheKey, DigestCache, Hasher, SMALLEST, Turn};

/// How many files are locked at once: each lock is an open file, of which a process may have 1,024 as a rule. What is more than that is hashed
/// without waiting for anybody.
const MAX_LOCKED: usize = 512;
/// How long another process is waited for, whatever it hashes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes more another process hashes in a second, at least. One that is slower is stopped, or its disk is.
const SLOWEST: u64 = 64 << 20;

/// The results are in the order of `jobs`; `expected` has for each job the digest that it should have, where there is one.
pub(super) fn hash(
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    expected: &[Digest],
    cache: &DigestCache,
    progress: Progress<'_>,
) -> Vec<Result<Hashed, HashError>> {
    let mut results: Vec<Option<Result<Hashed, HashError>>> = jobs.iter().map(|_| None).collect();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    let mut deadline = None;
    let mut is_late = false;
    while !open.is_empty() {
        let mut ours: Vec<(usize, Option<Turn>)> = Vec::new();
        let mut theirs: Vec<(usize, CacheKey)> = Vec::new();
        for at in open {
            let Some(job) = jobs.get(at) else { continue };
            let locked = ours.iter().filter(|(_, turn)| turn.is_some()).count();
            match look_up(job, expected.get(at), cache, !is_late && locked < MAX_LOCKED) {
                Looked::Known(hashed) => {
                    progress(hashed.size);
                    put(&mut results, at, Ok(hashed));
                }
                Looked::Ours(turn) => ours.push((at, turn)),
                Looked::Theirs(key) => theirs.push((at, key)),
            }
        }
        hash_ours(ours, jobs, links, cache, progress, &mut results);
        let bytes: u64 = theirs.iter().filter_map(|(at, _)| jobs.get(*at)).map(|job| job.size).sum();
        let last = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE + Duration::from_secs(bytes / SLOWEST));
        is_late = !theirs.iter().all(|(_, key)| cache.wait(key, last));
        open = theirs.into_iter().map(|(at, _)| at).collect();
    }
    // Every round decides a job or hands it to the next.
    results.into_iter().map(|result| result.unwrap_or(Err(HashError::Changed))).collect()
}

/// What the cache says of a file.
enum Looked {
    Known(Hashed),
    Ours(Option<Turn>),
    Theirs(CacheKey),
}

fn look_up(job: &Job, expected: Option<&Digest>, cache: &DigestCache, may_wait: bool) -> Looked {
    // What is short is not even opened here.
    let known = if job.size < SMALLEST { None } else { key(&job.path, cache) };
    let Some(key) = known else { return Looked::Ours(None) };
    if let Some(looked) = known_to(cache, &key, expected) {
        return looked;
    }
    if !may_wait {
        return Looked::Ours(None);
    }
    match cache.hasher(key) {
        // The process that had the turn before may have finished since the cache was asked.
        Hasher::Us(Some(turn)) => known_to(cache, &key, expected).unwrap_or(Looked::Ours(Some(turn))),
        Hasher::Us(None) => Looked::Ours(None),
        Hasher::Other => Looked::Theirs(key),
    }
}

/// What follows from what the cache knows of a file; `None` where that is nothing.
fn known_to(cache: &DigestCache, key: &CacheKey, expected: Option<&Digest>) -> Option<Looked> {
    let known = cache.digest(key)?;
    if expected.is_some_and(|expected| *expected != known.sha256) {
        // What differs is read, and nobody need wait for what is known already.
        return Some(Looked::Ours(None));
    }
    cache.note(&known);
    let (size, sha256, state) = (known.size, known.sha256, key.state());
    Some(Looked::Known(Hashed { size, sha256, git_sha1: None, states: Vec::new(), broken: Vec::new(), state }))
}

fn hash_ours(
    ours: Vec<(usize, Option<Turn>)>,
    jobs: &[Job],
    links: &[Option<Vec<Link>>],
    cache: &DigestCache,
    progress: Progress<'_>,
    results: &mut [Option<Result<Hashed, HashError>>],
) {
    let own: Vec<Job> = ours.iter().filter_map(|(at, _)| jobs.get(*at).cloned()).collect();
    let own_links: Vec<_> = ours.iter().map(|(at, _)| links.get(*at).cloned().flatten()).collect();
    let hashed =
        linked::hash(&own, &own_links, Manner { want: Want::Sha256, piece: PieceSize::FORMAT, progress, copies: None });
    let mut kept = Vec::new();
    for ((at, turn), hashed) in ours.into_iter().zip(hashed) {
        if let (Some(turn), Ok(hashed)) = (turn, &hashed) {
            kept.push((turn, hashed.state, hashed.sha256));
        }
        put(results, at, hashed);
    }
    cache.keep(kept.into_iter());
}

fn put(results: &mut [Option<Result<Hashed, HashError>>], at: usize, result: Result<Hashed, HashError>) {
    if let Some(place) = results.get_mut(at) {
        *place = Some(result);
    }
}

/// The key of what is at a path.
fn key(path: &Path, cache: &DigestCache) -> Option<CacheKey> {
    let (file, found) = stele_regular_file::open(path).ok()?;
    cache.key(&file, &found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::digest_cache::{CacheUse, CacheUsed};
    use stele_spec::hints::links;

    const LONG: usize = 100_000;

    struct Place {
        home: tempfile::TempDir,
        jobs: Vec<Job>,
    }

    impl Place {
        /// Files on the disk of the build: a folder of temporary files may be a file system whose times are not relied on.
        fn of(contents: &[&[u8]]) -> Self {
            let build = std::env::current_exe().unwrap();
            let home = tempfile::tempdir_in(build.parent().unwrap()).unwrap();
            let jobs = contents.iter().enumerate().map(|(n, content)| {
                let path = home.path().join(n.to_string());
                std::fs::write(&path, content).unwrap();
                Job { path, size: content.len() as u64 }
            });
            Self { jobs: jobs.collect(), home }
        }

        fn cache(&self, mode: CacheUse) -> DigestCache {
            DigestCache::open(&self.home.path().join("cache"), mode).unwrap().without_margin()
        }

        /// The digests, and what of the cache was used.
        fn hash(&self, mode: CacheUse, expected: &[Digest]) -> (Vec<Digest>, CacheUsed) {
            let cache = self.cache(mode);
            let hashed = hash(&self.jobs, &[], expected, &cache, &|_| {});
            (hashed.into_iter().map(|hashed| hashed.unwrap().sha256).collect(), cache.used())
        }
    }

    #[test]
    fn what_is_unchanged_is_hashed_once_and_what_is_short_each_time() {
        let (long, short) = (vec![7; LONG], b"short".to_vec());
        let place = Place::of(&[&long, &short]);
        let expected = [Digest::of(&long), Digest::of(&short)];
        assert_eq!(place.hash(CacheUse::Use, &expected), (expected.to_vec(), CacheUsed::default()));
        let (found, used) = place.hash(CacheUse::Use, &expected);
        assert_eq!((found, used.files, used.bytes), (expected.to_vec(), 1, LONG as u64));
        assert!(used.since.is_some_and(|since| since > 0));
        let (found, used) = place.hash(CacheUse::Rehash, &expected);
        assert_eq!((found, used), (expected.to_vec(), CacheUsed::default()));
    }

    #[test]
    fn bytes_that_were_put_in_with_size_and_time_put_back_are_hashed() {
        let place = Place::of(&[&[7; LONG]]);
        let path = &place.jobs[0].path;
        let good = Digest::of(&[7; LONG]);
        place.hash(CacheUse::Use, &[good]);
        let modified = std::fs::metadata(path).unwrap().modified().unwrap();
        std::fs::write(path, [8; LONG]).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().modified().unwrap(), modified);
        assert_eq!(place.hash(CacheUse::Use, &[good]), (vec![Digest::of(&[8; LONG])], CacheUsed::default()));
        // The same at another inode, and through another link to it.
        std::fs::hard_link(path, path.with_extension("link")).unwrap();
        assert_eq!(place.hash(CacheUse::Use, &[good]).0, [Digest::of(&[8; LONG])]);
    }

    #[test]
    fn what_differs_from_what_is_expected_is_read_whatever_is_known() {
        let place = Place::of(&[&[7; LONG]]);
        let found = Digest::of(&[7; LONG]);
        place.hash(CacheUse::Use, &[]);
        assert_eq!(place.hash(CacheUse::Use, &[]).1.files, 1, "without an expected digest what is known is the answer");
        let (hashed, used) = place.hash(CacheUse::Use, &[Digest::of(b"another")]);
        assert_eq!((hashed, used), (vec![found], CacheUsed::default()));
        // Damage is located by hints, which takes the bytes.
        let piece = PieceSize::FORMAT;
        let cache = place.cache(CacheUse::Use);
        let links = links(LONG as u64, Digest::of(b"another"), &[], piece);
        let hashed = hash(&place.jobs, &[links], &[Digest::of(b"another")], &cache, &|_| {});
        assert_eq!(hashed[0].as_ref().unwrap().sha256, found);
    }

    #[test]
    fn a_file_as_young_as_the_check_is_not_kept() {
        let place = Place::of(&[&[7; LONG]]);
        let open = || DigestCache::open(&place.home.path().join("cache"), CacheUse::Use).unwrap();
        for _ in 0..2 {
            let cache = open();
            hash(&place.jobs, &[], &[], &cache, &|_| {});
            assert_eq!(cache.used(), CacheUsed::default());
        }
        // A time of modification in the past is not enough: the time of change is now.
        let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        std::fs::File::options().write(true).open(&place.jobs[0].path).unwrap().set_modified(old).unwrap();
        for _ in 0..2 {
            let cache = open();
            hash(&place.jobs, &[], &[], &cache, &|_| {});
            assert_eq!(cache.used(), CacheUsed::default());
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_hashed_is_not_kept() {
        let place = Place::of(&[&[7; LONG]]);
        let path = &place.jobs[0].path;
        let once = std::sync::Once::new();
        let link = |_| once.call_once(|| std::fs::hard_link(path, path.with_extension("link")).unwrap());
        // A new link leaves the bytes, and the time of change is another one: there is a digest, and no entry.
        let hashed = hash(&place.jobs, &[], &[], &place.cache(CacheUse::Use), &link);
        assert_eq!(hashed[0].as_ref().unwrap().sha256, Digest::of(&[7; LONG]));
        assert_eq!(place.hash(CacheUse::Use, &[]).1, CacheUsed::default());
        assert_eq!(place.hash(CacheUse::Use, &[]).1.files, 1);
    }

    #[test]
    fn eight_that_look_at_the_same_files_hash_each_once() {
        let contents: Vec<Vec<u8>> = (0..6_u8).map(|n| vec![n; 3_000_000 + usize::from(n)]).collect();
        let slices: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let place = Place::of(&slices);
        let expected: Vec<Digest> = contents.iter().map(|content| Digest::of(content)).collect();
        let known: u64 = std::thread::scope(|scope| {
            let look = || {
                let (found, used) = place.hash(CacheUse::Use, &expected);
                assert_eq!(found, expected);
                used.files
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(look)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(known, 7 * 6);
    }

    #[test]
    fn what_is_missing_a_folder_or_a_pipe_is_an_error_of_its_own() {
        let place = Place::of(&[&[7; LONG]]);
        let pipe = place.home.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let odd =
            [place.home.path().to_owned(), place.home.path().join("none"), pipe].map(|path| Job { path, size: 0 });
        let jobs: Vec<Job> = odd.into_iter().chain(place.jobs.iter().cloned()).collect();
        for _ in 0..2 {
            let hashed = hash(&jobs, &[], &[], &place.cache(CacheUse::Use), &|_| {});
            assert!(matches!(hashed[0], Err(HashError::NotAFile)));
            assert!(matches!(hashed[1], Err(HashError::Read(_))));
            assert!(matches!(hashed[2], Err(HashError::NotAFile)));
            assert_eq!(hashed[3].as_ref().unwrap().sha256, Digest::of(&[7; LONG]));
        }
    }
}
