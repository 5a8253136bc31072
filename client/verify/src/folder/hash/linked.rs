//! Files of which some have hints: those by their links, and whole where a link does not hold.

use std::ops::Range;

use stele_spec::hints::{Link, LinkEnd};

use super::job::{CopyPlace, HashError, Hashed, Job, Manner};
use super::opened::Opened;
use super::stream::Walked;
use super::work::{Place, Task, run};

/// How many files are open at once for their links. There are fewer that are long enough to need it, or enough to fill all cores.
const MAX_OPEN: usize = 128;

/// The results are in the order of `jobs`.
pub(super) fn hash(jobs: &[Job], links: &[Option<Vec<Link>>], manner: Manner<'_>) -> Vec<Result<Hashed, HashError>> {
    let mut results: Vec<Option<Result<Hashed, HashError>>> = jobs.iter().map(|_| None).collect();
    let opened = open(jobs, links, manner.copies, &mut results);
    let mut tasks = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        match opened.get(at).and_then(Option::as_ref) {
            _ if results.get(at).is_some_and(Option::is_some) => {}
            Some((opened, links)) => tasks.extend(links.iter().map(|link| Task {
                job: at,
                length: link.length,
                place: Place::Piece(opened, link),
            })),
            None => tasks.push(whole(at, job)),
        }
    }
    let mut held = vec![0; jobs.len()];
    let mut broken: Vec<Vec<Range<u64>>> = jobs.iter().map(|_| Vec::new()).collect();
    let mut put = |job: usize, result: Result<Hashed, HashError>| {
        if let Some(place) = results.get_mut(job).filter(|place| !matches!(place, Some(Err(_)))) {
            *place = Some(result);
        }
    };
    for (job, walked) in run(tasks, manner) {
        match walked {
            Ok(Walked::Piece { holds: true, .. }) => held.get_mut(job).into_iter().for_each(|held| *held += 1),
            Ok(Walked::Piece { holds: false, link }) => {
                broken.get_mut(job).into_iter().for_each(|ranges| ranges.push(link.start..link.start + link.length));
            }
            Ok(whole @ Walked::Whole { .. }) => put(job, hashed(whole)),
            Err(error) => put(job, Err(error)),
        }
    }
    // Where every link of a file holds, they are the serial computation of its digest.
    let mut again = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        let Some((opened, links)) = opened.get(at).and_then(Option::as_ref) else { continue };
        match (opened.check_unchanged(), links.last().map(|link| link.to)) {
            (Err(error), _) => put(at, Err(error)),
            (Ok(state), Some(LinkEnd::Digest { sha256, size })) if held.get(at) == Some(&links.len()) => {
                put(at, Ok(Hashed { size, sha256, git_sha1: None, states: Vec::new(), broken: Vec::new(), state }));
            }
            (Ok(_), _) => again.push(Task { job: at, length: job.size, place: Place::Again(opened) }),
        }
    }
    for (job, walked) in run(again, manner) {
        put(job, walked.and_then(hashed));
    }
    let results = results.into_iter().zip(broken).map(|(result, mut broken)| {
        broken.sort_by_key(|range| range.start);
        // Every task of a job ends in a result.
        result.unwrap_or(Err(HashError::Changed)).map(|hashed| Hashed { broken, ..hashed })
    });
    results.collect()
}

/// Of the files that have links: those that are as long as their links are, opened. What cannot be opened is reported where it is hashed whole; but
/// where a copy is to be made it is a result, since a copy is begun once.
fn open<'a>(
    jobs: &'a [Job],
    links: &'a [Option<Vec<Link>>],
    copies: Option<CopyPlace<'_>>,
    results: &mut [Option<Result<Hashed, HashError>>],
) -> Vec<Option<(Opened<'a>, &'a [Link])>> {
    let mut count = 0;
    let opened = jobs.iter().zip(links).enumerate().map(|(at, (job, links))| {
        let links = links.as_deref().filter(|_| count < MAX_OPEN)?;
        let length: u64 = links.iter().map(|link| link.length).sum();
        // Before it is opened: a copy is begun once.
        let opened = match (length == job.size).then(|| Opened::of_job(job, at, copies))? {
            Ok(opened) => opened,
            Err(error) => {
                if let Some(result) = results.get_mut(at).filter(|_| copies.is_some()) {
                    *result = Some(Err(error));
                }
                return None;
            }
        };
        let opened = Some(opened).filter(|opened| opened.size() == length)?;
        count += 1;
        Some((opened, links))
    });
    opened.collect()
}

fn whole(at: usize, job: &Job) -> Task<'_> {
    Task { job: at, length: job.size, place: Place::Whole(job) }
}

fn hashed(walked: Walked<'_>) -> Result<Hashed, HashError> {
    match walked {
        Walked::Whole { size, sha256, git_sha1, states, file } => {
            Ok(Hashed { size, sha256, git_sha1, states, broken: Vec::new(), state: file })
        }
        Walked::Piece { .. } => Err(HashError::Changed),
    }
}
