#![doc = include_str!("../README.md")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stele_fetch::timed_files::{TimedError, TimedFiles};
use stele_spec::checkpoint::{CheckpointError, Origin};
use stele_spec::hash::Digest;
use stele_spec::merkle::ConsistencyProof;
use stele_spec::note::{MAX_NOTE, NoteError, SignedNote};
use stele_spec::tiledlog::{FilesFn, TiledLog, TiledLogError};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use stele_witness_core::answer::{AddCheckpointAnswer, Unavailable};
use stele_witness_core::counters::Pulled;
use stele_witness_core::decide::{Refusal, TreeHead};
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::request::{AddCheckpoint, RequestError};
use stele_witness_core::trusted_log::TrustedLog;
use stele_witness_core::witness::Witness;

/// How old our cosignature on an unchanged checkpoint becomes before it is made anew.
pub const REFRESH: Duration = Duration::from_secs(3600);

/// How many logs are asked at a time.
pub const SLOTS: usize = 8;

/// How many copies are made at a time, however many logs are asked meanwhile.
pub const COPIES: usize = 2;

/// How long the checkpoint and the tiles of one question may take: a log that trickles does not keep others from being asked.
pub const LOOK: Duration = Duration::from_secs(90);

/// How we name ourselves to logs.
const USER_AGENT: &str = concat!("stele-witness/", env!("CARGO_PKG_VERSION"));

/// The longest pause after failures, unless the log is asked less often anyway.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// How soon a changed config is noticed.
const NOTICE: Duration = Duration::from_millis(500);

/// Why a log's checkpoint was not even decided on.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// It cannot be had.
    #[error(transparent)]
    Files(#[from] TimedError),
    /// Not a note where the checkpoint should be.
    #[error("the checkpoint: {0}")]
    Note(NoteError),
    /// Not signed by a key that we trust for this log.
    #[error("the checkpoint: {0}")]
    Untrusted(CheckpointError),
    /// Tiles that are missing, or not those of the checkpoint.
    #[error("the tiles: {0}")]
    Tiles(#[from] TiledLogError<TimedError>),
    /// A proof that no request can carry: a bug of ours.
    #[error("{0}")]
    Request(RequestError),
}

/// What a log shows, held against what was cosigned last.
enum PolledCheckpoint {
    /// The same, not long ago.
    Unchanged,
    /// To be decided on.
    Offered(AddCheckpoint),
}

/// Tasks that ask logs; ended with it.
#[derive(Debug)]
pub struct Pollers {
    task: JoinHandle<()>,
    stopping: Arc<AtomicBool>,
}

impl Drop for Pollers {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.task.abort();
    }
}

/// Who learns what pulled logs show and what was cosigned of them, such as a mirror.
pub trait Follower: Send + Sync + 'static {
    /// A log shows this note, whose signature by the log was checked.
    fn seen(&self, origin: &Origin, note: &SignedNote);

    /// This was cosigned last; the log's files are here. Called beside the questions that go on; blocks for as long as it takes.
    fn copy(&self, cosigned: &Cosigned, files: &TimedFiles);
}

/// Asks the logs of a witness until it is dropped, and tells a follower. Logs that come with a reload are taken up, others let go.
pub fn start(witness: Arc<Witness>, follower: Option<Arc<dyn Follower>>) -> Pollers {
    let stopping = Arc::new(AtomicBool::new(false));
    let task = tokio::spawn(supervise(witness, follower, stopping.clone()));
    Pollers { task, stopping }
}

async fn supervise(witness: Arc<Witness>, follower: Option<Arc<dyn Follower>>, stopping: Arc<AtomicBool>) {
    let (asking, copying) = (Arc::new(Semaphore::new(SLOTS)), Arc::new(Semaphore::new(COPIES)));
    let mut tasks: BTreeMap<Digest, Task> = BTreeMap::new();
    loop {
        tasks.retain(|_, task| !task.0.is_finished());
        for origin in witness.pulled() {
            let (witness, follower, stopping) = (witness.clone(), follower.clone(), stopping.clone());
            let (asking, copying) = (asking.clone(), copying.clone());
            let poller = LogPoller { witness, follower, origin: origin.clone(), stopping, asking, copying };
            tasks.entry(origin.digest()).or_insert_with(|| Task(tokio::spawn(poller.poll())));
        }
        sleep(NOTICE).await;
    }
}

/// Ended when it is let go.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Who asks one log for as long as the config says so.
struct LogPoller {
    witness: Arc<Witness>,
    follower: Option<Arc<dyn Follower>>,
    origin: Origin,
    stopping: Arc<AtomicBool>,
    asking: Arc<Semaphore>,
    copying: Arc<Semaphore>,
}

impl LogPoller {
    async fn poll(self) {
        let mut failures = 0;
        let mut copy: Option<Task> = None;
        for round in 0u64.. {
            let Some((_, pull)) = self.witness.pull_of(&self.origin) else { return };
            let Ok(slot) = self.asking.acquire().await else { return };
            let outcome = self.ask().await;
            drop(slot);
            if outcome != Pulled::Failed && copy.as_ref().is_none_or(|copy| copy.0.is_finished()) {
                copy = self.copy(&pull.url);
            }
            failures = if outcome.is_failure() { failures + 1 } else { 0 };
            let spread = Digest::of(format!("{} {} {round}", self.witness.name(), self.origin).as_bytes());
            let until = Instant::now() + pause(pull.every, failures, *spread.as_bytes());
            while Instant::now() < until {
                sleep(NOTICE.min(until - Instant::now())).await;
                if self.witness.pull_of(&self.origin).map(|(_, now)| now).as_ref() != Some(&pull) {
                    break;
                }
            }
        }
    }

    async fn ask(&self) -> Pulled {
        let (witness, follower, origin) = (self.witness.clone(), self.follower.clone(), self.origin.clone());
        let stopping = self.stopping.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&witness, follower.as_deref(), &origin, &stopping)).await;
        asked.unwrap_or_else(|_| unwell(&self.origin, &Unavailable::Internal))
    }

    /// Lets the follower copy what was cosigned, beside the questions that go on.
    fn copy(&self, url: &str) -> Option<Task> {
        let (witness, follower, origin) = (self.witness.clone(), self.follower.clone()?, self.origin.clone());
        let (copying, asked) = (self.copying.clone(), files_at(url, self.stopping.clone()));
        Some(Task(tokio::spawn(async move {
            let Ok(_slot) = copying.acquire().await else { return };
            let copied = tokio::task::spawn_blocking(move || {
                if let Some(Ok(LastCosigned::Cosigned(cosigned))) = witness.last(&origin) {
                    follower.copy(&cosigned, &asked);
                }
            });
            let _ = copied.await;
        })))
    }
}

/// The time until the next question: as the config says, doubled with each failure; less or more by up to a tenth.
fn pause(every: Duration, failures: u32, spread: [u8; 32]) -> Duration {
    let backed_off = every.saturating_mul(1 << failures.min(16)).min(MAX_BACKOFF.max(every));
    let [first, ..] = spread;
    backed_off * (900 + u32::from(first) * 200 / 255) / 1000
}

/// Asks once, and counts what came of it. Blocks.
pub fn ask(witness: &Witness, follower: Option<&dyn Follower>, origin: &Origin, stopping: &Arc<AtomicBool>) -> Pulled {
    let outcome = once(witness, follower, origin, stopping);
    witness.count_pull(origin, outcome);
    outcome
}

fn once(witness: &Witness, follower: Option<&dyn Follower>, origin: &Origin, stopping: &Arc<AtomicBool>) -> Pulled {
    let Some((log, pull)) = witness.pull_of(origin) else { return Pulled::Unchanged };
    let last = match witness.last(origin) {
        Some(Ok(record)) => record,
        Some(Err(error)) => return unwell(origin, &error),
        None => return Pulled::Unchanged,
    };
    let files = files_at(&pull.url, stopping.clone()).within(LOOK);
    let known = last.head();
    let shown = checkpoint(&files).and_then(|note| {
        let shown = look(&log, &files, &note, &last, witness.now())?;
        if let Some(follower) = follower {
            follower.seen(origin, &note);
        }
        Ok(shown)
    });
    let request = match shown {
        Ok(PolledCheckpoint::Unchanged) => return Pulled::Unchanged,
        Ok(PolledCheckpoint::Offered(request)) => request,
        Err(error) => {
            tracing::warn!(%origin, url = pull.url, %error, "a log cannot be read");
            return Pulled::Failed;
        }
    };
    let (size, root) = (request.checkpoint().size(), request.checkpoint().root());
    match witness.consider(request) {
        AddCheckpointAnswer::Cosigned(_) => {
            tracing::debug!(%origin, size, "cosigned what the log shows");
            Pulled::Cosigned
        }
        AddCheckpointAnswer::TooOften(_) => Pulled::TooOften,
        // Somebody brought a newer one meanwhile.
        AddCheckpointAnswer::Refused(Refusal::NotTheLast { .. }) => Pulled::Unchanged,
        AddCheckpointAnswer::Refused(Refusal::OldAboveSize { .. }) => {
            let cosigned = known.size;
            tracing::error!(%origin, size, cosigned, %root, "the log went back: it shows less than was cosigned");
            Pulled::WentBack
        }
        AddCheckpointAnswer::Refused(error) => {
            tracing::error!(%origin, size, %root, %error, "what the log shows is not cosigned");
            Pulled::Refused
        }
        AddCheckpointAnswer::Malformed(error) => {
            tracing::error!(%origin, %error, "what the log shows is not cosigned");
            Pulled::Refused
        }
        AddCheckpointAnswer::Unavailable(error) => unwell(origin, &error),
    }
}

fn unwell(origin: &Origin, error: &Unavailable) -> Pulled {
    tracing::error!(%origin, %error, "cannot cosign");
    Pulled::Unwell
}

/// The files of the log at an address, until `stopping` is set.
pub fn files_at(url: &str, stopping: Arc<AtomicBool>) -> TimedFiles {
    TimedFiles::at(url, USER_AGENT, stopping)
}

/// The checkpoint that the log shows; nothing in it is verified.
pub fn checkpoint(files: &TimedFiles) -> Result<SignedNote, PullError> {
    SignedNote::parse(&files.needed("checkpoint", MAX_NOTE as u64)?).map_err(PullError::Note)
}

/// Checks what the log shows and, where it has grown, reads the tiles that prove it. Blocks.
fn look(
    log: &TrustedLog,
    files: &TimedFiles,
    note: &SignedNote,
    last: &LastCosigned,
    now: u64,
) -> Result<PolledCheckpoint, PullError> {
    let verified = log.verify(note).map_err(PullError::Untrusted)?;
    let (known, found) = (last.head(), verified.checkpoint());
    if let Some(cosigned) = last.cosigned()
        && (TreeHead { size: found.size(), root: found.root() }) == known
        && now.saturating_sub(cosigned.time().seconds()) < REFRESH.as_secs()
    {
        return Ok(PolledCheckpoint::Unchanged);
    }
    let proof = if known.size > 0 && known.size < found.size() {
        // The tiles hold under the root that is offered; whether they begin with ours is decided with everything else.
        TiledLog::open(FilesFn(|path: &str, limit: u64| files.read(path, limit)), found.clone())?
            .prove_consistency(known.size)?
    } else {
        ConsistencyProof::from_path(Vec::new()).ok_or(PullError::Request(RequestError::TooManyProofLines))?
    };
    AddCheckpoint::new(known.size, proof, verified.note().clone())
        .map(PolledCheckpoint::Offered)
        .map_err(PullError::Request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_failures_to_an_hour_and_are_spread() {
        let every = Duration::from_secs(300);
        for (spread, least) in [(0, 900), (255, 1100)] {
            let pause = |failures| pause(every, failures, [spread; 32]).as_millis();
            assert_eq!(pause(0), 300 * least);
            assert_eq!(pause(2), 1200 * least);
            assert_eq!(pause(40), 3600 * least);
        }
        let daily = Duration::from_secs(86_400);
        assert_eq!(pause(daily, 7, [0; 32]), daily * 9 / 10, "an hour is no longer pause than a day");
    }
}
