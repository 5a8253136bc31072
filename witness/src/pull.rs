//! Logs that do not call: their public checkpoint is read now and then, and consistency is proven from their tiles.
//!
//! ```text
//! <pull>/checkpoint -> the log's signature -> <pull>/tile/.. under *its* root -> a proof from *our* size -> as add-checkpoint
//! ```
//! What a log shows here is decided on as what it brings: the same turn, the same pure decision, the same durable record, the same
//! evidence. The proof is made from tiles that hash to the root of the new checkpoint, and it is the decision that holds it against the
//! root that we cosigned; a few tiles a level are read, however large the log is.
//!
//! - A checkpoint that has not changed is cosigned again once an hour ([`REFRESH`]): its time says that it is still the newest.
//! - A log that cannot be read is asked less and less often, up to once an hour, and never at the same moment as all others.
//! - A smaller checkpoint than the one that was cosigned is not cosigned: an alarm in our log and a metric.
//! - Each log has a task of its own, and [`SLOTS`] of them ask at a time: one that hangs does not hold up the others for long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stele_host::http_client::{ClientLimits, HttpClient};
use stele_host::log_source::{LogSource, SourceError};
use stele_spec::checkpoint::{CheckpointError, Origin};
use stele_spec::hash::Digest;
use stele_spec::merkle::ConsistencyProof;
use stele_spec::note::{MAX_NOTE, NoteError, SignedNote};
use stele_spec::tiledlog::{Files, TiledLog, TiledLogError};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::config::Pull;
use crate::cosigned::Record;
use crate::decide::{Head, Refusal};
use crate::metrics::Pulled;
use crate::request::{AddCheckpoint, RequestError};
use crate::trust::TrustedLog;
use crate::witness::{Answer, Unwell, Witness};

/// How old our cosignature on an unchanged checkpoint becomes before it is made anew.
pub const REFRESH: Duration = Duration::from_secs(3600);

/// How many logs are asked at a time.
pub const SLOTS: usize = 8;

/// The longest pause after failures, unless the log is asked less often anyway.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// How soon a changed config is noticed.
const NOTICE: Duration = Duration::from_millis(500);

/// How we name ourselves to logs.
pub const AGENT: &str = concat!("stele-witness/", env!("CARGO_PKG_VERSION"));

/// The files of a log behind its address; nothing more is read once we stop.
#[derive(Clone, Debug)]
pub struct Asked {
    source: LogSource,
    stopping: Arc<AtomicBool>,
}

/// Why a log's checkpoint was not even decided on.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// It cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Not a note.
    #[error("the checkpoint: {0}")]
    Note(NoteError),
    /// Not signed by a key that we trust for this log.
    #[error("the checkpoint: {0}")]
    Untrusted(CheckpointError),
    /// Tiles that are missing, or not those of the checkpoint.
    #[error("the tiles: {0}")]
    Tiles(#[from] TiledLogError<AskError>),
    /// A proof that no request can carry: a bug of ours.
    #[error("{0}")]
    Request(RequestError),
}

/// Why a file of a log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The log, or what is in between.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// We are about to end.
    #[error("stopping")]
    Stopping,
}

/// What a log shows, held against what was cosigned last.
enum Shown {
    /// The same, not long ago.
    Unchanged,
    /// To be decided on.
    Offered(AddCheckpoint),
}

/// Tasks that ask logs; ended with it.
#[derive(Debug)]
pub struct Pulling {
    task: JoinHandle<()>,
    stopping: Arc<AtomicBool>,
}

impl Drop for Pulling {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        self.task.abort();
    }
}

/// Asks the logs of a witness until it is dropped. Logs that come with a reload are taken up, others let go.
pub fn start(witness: Arc<Witness>) -> Pulling {
    let stopping = Arc::new(AtomicBool::new(false));
    let task = tokio::spawn(supervise(witness, stopping.clone()));
    Pulling { task, stopping }
}

async fn supervise(witness: Arc<Witness>, stopping: Arc<AtomicBool>) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    let mut tasks: BTreeMap<Digest, Task> = BTreeMap::new();
    loop {
        tasks.retain(|_, task| !task.0.is_finished());
        for origin in witness.pulled() {
            let (witness, slots, stopping) = (&witness, &slots, &stopping);
            tasks.entry(origin.digest()).or_insert_with(|| {
                Task(tokio::spawn(attend(witness.clone(), origin, slots.clone(), stopping.clone())))
            });
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

/// Asks one log for as long as the config says so.
async fn attend(witness: Arc<Witness>, origin: Origin, slots: Arc<Semaphore>, stopping: Arc<AtomicBool>) {
    let mut failures = 0;
    for round in 0u64.. {
        let Some((_, pull)) = witness.pull_of(&origin) else { return };
        let Ok(slot) = slots.acquire().await else { return };
        let outcome = ask(&witness, &origin, &stopping).await;
        drop(slot);
        failures = if outcome.is_failure() { failures + 1 } else { 0 };
        let spread = Digest::of(format!("{} {origin} {round}", witness.name()).as_bytes());
        let until = Instant::now() + pause(pull.every, failures, *spread.as_bytes());
        while Instant::now() < until {
            sleep(NOTICE.min(until - Instant::now())).await;
            if witness.pull_of(&origin).map(|(_, now)| now).as_ref() != Some(&pull) {
                break;
            }
        }
    }
}

/// The time until the next question: as the config says, doubled with each failure; less or more by up to a tenth.
fn pause(every: Duration, failures: u32, spread: [u8; 32]) -> Duration {
    let backed_off = every.saturating_mul(1 << failures.min(16)).min(MAX_BACKOFF.max(every));
    let [first, ..] = spread;
    backed_off * (900 + u32::from(first) * 200 / 255) / 1000
}

/// Asks once, and counts what came of it.
pub async fn ask(witness: &Arc<Witness>, origin: &Origin, stopping: &Arc<AtomicBool>) -> Pulled {
    let outcome = once(witness, origin, stopping).await;
    witness.count_pull(origin, outcome);
    outcome
}

async fn once(witness: &Arc<Witness>, origin: &Origin, stopping: &Arc<AtomicBool>) -> Pulled {
    let Some((log, pull)) = witness.pull_of(origin) else { return Pulled::Unchanged };
    let last = match witness.last(origin).await {
        Some(Ok(record)) => record,
        Some(Err(error)) => return unwell(origin, &error),
        None => return Pulled::Unchanged,
    };
    let (asked, now) = (Asked::at(&pull.url, stopping.clone()), witness.now());
    let known = last.head();
    let shown = tokio::task::spawn_blocking(move || look(&log, &asked, &last, now)).await;
    let request = match shown {
        Ok(Ok(Shown::Unchanged)) => return Pulled::Unchanged,
        Ok(Ok(Shown::Offered(request))) => request,
        Ok(Err(error)) => {
            tracing::warn!(%origin, url = pull.url, %error, "a log cannot be read");
            return Pulled::Failed;
        }
        Err(_) => return unwell(origin, &Unwell::Internal),
    };
    let (size, root) = (request.checkpoint().size(), request.checkpoint().root());
    match witness.consider(request).await {
        Answer::Cosigned(_) => {
            tracing::debug!(%origin, size, "cosigned what the log shows");
            Pulled::Cosigned
        }
        Answer::TooOften(_) => Pulled::TooOften,
        // Somebody brought a newer one meanwhile.
        Answer::Refused(Refusal::NotTheLast { .. }) => Pulled::Unchanged,
        Answer::Refused(Refusal::OldAboveSize { .. }) => {
            let cosigned = known.size;
            tracing::error!(%origin, size, cosigned, %root, "the log went back: it shows less than was cosigned");
            Pulled::WentBack
        }
        Answer::Refused(error) => {
            tracing::error!(%origin, size, %root, %error, "what the log shows is not cosigned");
            Pulled::Refused
        }
        Answer::Malformed(error) => {
            tracing::error!(%origin, %error, "what the log shows is not cosigned");
            Pulled::Refused
        }
        Answer::Unwell(error) => unwell(origin, &error),
    }
}

fn unwell(origin: &Origin, error: &Unwell) -> Pulled {
    tracing::error!(%origin, %error, "cannot cosign");
    Pulled::Unwell
}

/// Reads the checkpoint and, where it has grown, the tiles that prove it. Blocks.
fn look(log: &TrustedLog, asked: &Asked, last: &Record, now: u64) -> Result<Shown, PullError> {
    let note = checkpoint_at(&asked.source)?;
    let verified = log.verify(&note).map_err(PullError::Untrusted)?;
    let (known, found) = (last.head(), verified.checkpoint());
    if let Some(cosigned) = last.cosigned()
        && (Head { size: found.size(), root: found.root() }) == known
        && now.saturating_sub(cosigned.time().seconds()) < REFRESH.as_secs()
    {
        return Ok(Shown::Unchanged);
    }
    let proof = if known.size > 0 && known.size < found.size() {
        // The tiles hold under the root that is offered; whether they begin with ours is decided with everything else.
        TiledLog::open(asked, found.clone())?.prove_consistency(known.size)?
    } else {
        ConsistencyProof::from_path(Vec::new()).ok_or(PullError::Request(RequestError::TooManyProofLines))?
    };
    AddCheckpoint::new(known.size, proof, verified.note().clone()).map(Shown::Offered).map_err(PullError::Request)
}

/// The checkpoint that a source shows; nothing in it is verified.
pub fn checkpoint_at(source: &LogSource) -> Result<SignedNote, PullError> {
    SignedNote::parse(&source.needed("checkpoint", MAX_NOTE as u64)?).map_err(PullError::Note)
}

impl Asked {
    /// The files of the log at an address.
    pub fn at(url: &str, stopping: Arc<AtomicBool>) -> Self {
        Self { source: source(url), stopping }
    }
}

/// An address, asked twice at most: whoever fails is asked again soon enough.
pub fn source(url: &str) -> LogSource {
    let limits = ClientLimits { answer: Duration::from_secs(20), whole: Duration::from_secs(60), ..Default::default() };
    LogSource::asked(url, HttpClient::new(AGENT, limits), 2)
}

impl Files for Asked {
    type Error = AskError;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, AskError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(AskError::Stopping);
        }
        Ok(self.source.read(path, limit)?)
    }
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
