//! Which stream runs where: the longest first, each core as many side by side as pays.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use stele_sha256_lanes::{LANES, Lane, compress};
use stele_spec::hints::Link;

use super::job::{HashError, Job, Manner};
use super::opened::Opened;
use super::stream::{Source, Stream, Walked};

/// One stream to walk.
#[derive(Debug)]
pub(super) struct Task<'a> {
    /// The job that it belongs to.
    pub(super) job: usize,
    /// How many bytes it is thought to have.
    pub(super) length: u64,
    pub(super) place: Place<'a>,
}

/// Where a stream goes.
#[derive(Debug)]
pub(super) enum Place<'a> {
    Whole(&'a Job),
    Again(&'a Opened<'a>),
    Piece(&'a Opened<'a>, &'a Link),
}

/// Walks all tasks on all cores; what each came to, with its job, in no order.
pub(super) fn run<'a>(mut tasks: Vec<Task<'a>>, manner: Manner<'_>) -> Vec<(usize, Result<Walked<'a>, HashError>)> {
    // The pieces of one file stay in their order, which is that of the disk.
    tasks.sort_by_key(|task| Reverse(task.length));
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(tasks.len());
    let queue = Queue {
        next: AtomicUsize::new(0),
        unfinished: AtomicUsize::new(tasks.len()),
        unread: AtomicU64::new(tasks.iter().map(|task| task.length).sum()),
        cores,
        tasks,
    };
    let work = || Core { queue: &queue, manner, streams: Vec::new(), buffers: Vec::new(), done: Vec::new() }.run();
    if cores <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

struct Queue<'a> {
    tasks: Vec<Task<'a>>,
    next: AtomicUsize,
    /// How many tasks are not done, those under way among them.
    unfinished: AtomicUsize,
    /// How many bytes of all tasks are not read, as far as their lengths are known.
    unread: AtomicU64,
    cores: usize,
}

impl<'a> Queue<'a> {
    fn take(&self) -> Option<&Task<'a>> {
        self.tasks.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether a core that walks some streams should walk one more beside them. Each slows the others a little: a stream that alone takes longer than a fair share of all
    /// has a core for itself, and no core takes the stream that another one would be idle without.
    fn has_one_more_for(&self, streams: &[(usize, Stream<'_>)]) -> bool {
        let Some(longest) = streams.iter().map(|(_, stream)| stream.left()).max() else { return true };
        let cores = u64::try_from(self.cores).unwrap_or(u64::MAX);
        streams.len() < LANES
            && streams.len() < self.unfinished.load(Ordering::Relaxed).div_ceil(self.cores)
            && longest.saturating_mul(cores) <= self.unread.load(Ordering::Relaxed)
    }

    fn has_read(&self, bytes: u64) {
        // A file may be longer than it was when its length was looked up.
        let rest = |unread: u64| Some(unread.saturating_sub(bytes));
        let _ = self.unread.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
    }
}

/// One thread: its streams, each with its job.
struct Core<'q, 'a> {
    queue: &'q Queue<'a>,
    manner: Manner<'q>,
    streams: Vec<(usize, Stream<'a>)>,
    /// What ended streams have left, for the next.
    buffers: Vec<Vec<u8>>,
    done: Vec<(usize, Result<Walked<'a>, HashError>)>,
}

impl<'a> Core<'_, 'a> {
    fn run(mut self) -> Vec<(usize, Result<Walked<'a>, HashError>)> {
        loop {
            self.begin();
            if self.streams.is_empty() {
                return self.done;
            }
            self.read();
            let mut lanes: Vec<Lane<'_>> = self.streams.iter_mut().map(|(_, stream)| stream.lane()).collect();
            compress(&mut lanes);
            self.streams.iter_mut().for_each(|(_, stream)| stream.note());
            self.finish();
        }
    }

    fn begin(&mut self) {
        while self.queue.has_one_more_for(&self.streams) {
            let Some(task) = self.queue.take() else { return };
            let source = match task.place {
                Place::Whole(job) => Opened::of_job(job, task.job, self.manner.copies).map(Source::Whole),
                Place::Again(opened) => Ok(Source::Again(opened)),
                Place::Piece(opened, link) => Ok(Source::Piece(opened, link)),
            };
            match source {
                Ok(source) => {
                    let buffer = self.buffers.pop().unwrap_or_default();
                    self.streams.push((task.job, Stream::begin(source, self.manner.want, self.manner.piece, buffer)));
                }
                Err(error) => {
                    self.queue.has_read(task.length);
                    self.end(task.job, Err(error));
                }
            }
        }
    }

    fn read(&mut self) {
        for (job, mut stream) in std::mem::take(&mut self.streams) {
            match stream.read(self.manner.progress) {
                Ok(count) => {
                    self.queue.has_read(count);
                    self.streams.push((job, stream));
                }
                Err(error) => {
                    self.queue.has_read(stream.left());
                    self.end(job, Err(error));
                }
            }
        }
    }

    fn finish(&mut self) {
        for (job, stream) in std::mem::take(&mut self.streams) {
            if stream.left() > 0 {
                self.streams.push((job, stream));
                continue;
            }
            let (walked, buffer) = stream.finish();
            self.buffers.push(buffer);
            self.end(job, walked);
        }
    }

    fn end(&mut self, job: usize, walked: Result<Walked<'a>, HashError>) {
        self.queue.unfinished.fetch_sub(1, Ordering::Relaxed);
        self.done.push((job, walked));
    }
}
