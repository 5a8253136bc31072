//! The witness behind async callers: requests for one log wait in a queue, and one thread at a time answers all that wait there.
//!
//! Disk and signatures are off the async threads. What is begun is finished even when the caller has disconnected. Marks are settled and
//! files are written a while after, beside the requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use stele_index_cosigner::{IndexCosigner, IndexHealth};
use stele_mirror::{Mirror, MirrorHealth};
use stele_spec::hash::Digest;
use tokio::sync::{Mutex, Semaphore, oneshot};

use stele_witness_core::answer::{AddCheckpointAnswer, SubtreeAnswer, Unavailable};
use stele_witness_core::log_slot::LogSlot;
use stele_witness_core::request::AddCheckpoint;
use stele_witness_core::subtree::SignSubtree;
use stele_witness_core::witness::{LogHealth, Witness};

/// How long a mark may stay unsettled; see [`LogSlot::settle_mark`].
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// How long what was recorded of many logs together may be in no file of each.
const FLUSH_EVERY: Duration = Duration::from_secs(10);

/// How long an answer of `/healthz` is good for: it reads every log's files and verifies what is in them, and anybody may ask.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

/// The most requests that are decided before a write: each costs a signature of each kind.
const MAX_TOGETHER: usize = 64;

/// A witness, and the queues of its logs.
pub struct Service {
    witness: Arc<Witness>,
    mirror: Option<Arc<Mirror>>,
    index: Option<Arc<IndexCosigner>>,
    queues: StdMutex<BTreeMap<Digest, Arc<Queue>>>,
    /// Strangers have subtrees signed one at a time: signing is what the other cores are for.
    subtrees: Semaphore,
    /// The last answer of `/healthz`, and when it was made.
    health: Mutex<Option<(Instant, Arc<Health>)>>,
}

/// How each log is, for `/healthz` and the page.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// With the witness.
    pub logs: Vec<LogHealth>,
    /// With the mirror; none where there is no mirror.
    pub mirror: Option<Vec<MirrorHealth>>,
    /// With the index cosigner; none where there is no index cosigner.
    pub index: Option<Vec<IndexHealth>>,
}

/// The requests of one log.
struct Queue {
    slot: Arc<LogSlot>,
    pending: StdMutex<VecDeque<PendingRequest>>,
    /// Held by the thread that answers what is pending.
    answering: Arc<Mutex<()>>,
    settling: AtomicBool,
}

/// A request that waits for its answer.
struct PendingRequest {
    request: AddCheckpoint,
    answer: oneshot::Sender<AddCheckpointAnswer>,
}

impl Service {
    /// A witness behind queues.
    pub fn new(witness: Arc<Witness>) -> Self {
        Self::beside(witness, None, None)
    }

    /// The same, with mirror and index cosigner of the same folder, whose health is told as well.
    pub fn beside(witness: Arc<Witness>, mirror: Option<Arc<Mirror>>, index: Option<Arc<IndexCosigner>>) -> Self {
        let (queues, health) = (StdMutex::default(), Mutex::default());
        Self { witness, mirror, index, queues, subtrees: Semaphore::new(1), health }
    }

    /// The witness, for what does not wait.
    pub fn witness(&self) -> &Arc<Witness> {
        &self.witness
    }

    /// Answers one add-checkpoint request.
    pub async fn add_checkpoint(self: &Arc<Self>, body: &[u8]) -> AddCheckpointAnswer {
        match self.witness.receive(body) {
            Ok((slot, request)) => {
                let answer = self.enqueue(&slot, request).await;
                self.witness.count(Some(&slot), answer)
            }
            Err(answer) => answer,
        }
    }

    /// Waits until the thread that answers for this log has come to the request, or becomes that thread.
    async fn enqueue(self: &Arc<Self>, slot: &Arc<LogSlot>, request: AddCheckpoint) -> AddCheckpointAnswer {
        let (sender, answer) = oneshot::channel();
        let queue = self.queue(slot);
        queue.push(PendingRequest { request, answer: sender });
        let answering = queue.answering.clone().lock_owned().await;
        // Empty when the thread before has answered this one too.
        if !queue.is_empty() {
            let (witness, at) = (self.witness.clone(), queue.clone());
            let done = tokio::task::spawn_blocking(move || {
                at.answer_pending(&witness);
                drop(answering);
            });
            let _ = done.await;
            queue.settle_soon();
        }
        answer.await.unwrap_or(AddCheckpointAnswer::Unavailable(Unavailable::Internal))
    }

    fn queue(&self, slot: &Arc<LogSlot>) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(slot.origin().digest()).or_insert_with(|| Arc::new(Queue::new(slot.clone()))).clone()
    }

    /// Answers one sign-subtree request: our line, or why not.
    pub async fn sign_subtree(self: &Arc<Self>, body: &[u8]) -> Result<String, SubtreeAnswer> {
        let request = SignSubtree::parse(body).map_err(SubtreeAnswer::Malformed)?;
        let witness = self.witness.clone();
        let _one = self.subtrees.acquire().await.map_err(|_| SubtreeAnswer::Internal)?;
        let signed = tokio::task::spawn_blocking(move || witness.sign_subtree(&request)).await;
        signed.map_err(|_| SubtreeAnswer::Internal)?
    }

    /// How each log is; looked at again when the last look is older than a second.
    pub async fn health(&self) -> Arc<Health> {
        let mut last = self.health.lock().await;
        if let Some((at, health)) = &*last
            && at.elapsed() < HEALTH_EVERY
        {
            return health.clone();
        }
        let (witness, mirror, index) = (self.witness.clone(), self.mirror.clone(), self.index.clone());
        let look = move || Health {
            logs: witness.health(),
            mirror: mirror.map(|mirror| mirror.health()),
            index: index.map(|index| index.health()),
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let health = Arc::new(looked.unwrap_or_else(|_| Health { logs: self.broken(), ..Health::default() }));
        *last = Some((Instant::now(), health.clone()));
        health
    }

    /// The answer where looking itself failed: a bug of ours.
    fn broken(&self) -> Vec<LogHealth> {
        let each = self.witness.each();
        let broken = |slot: &Arc<LogSlot>| LogHealth {
            origin: slot.origin().to_string(),
            size: 0,
            time: None,
            problem: Some(Unavailable::Internal.to_string()),
            evidence: Vec::new(),
        };
        each.iter().map(broken).collect()
    }

    /// Settles every mark, and lets each file hold what was recorded of it: before an orderly end.
    pub async fn settle(&self) {
        let witness = self.witness.clone();
        let _ = tokio::task::spawn_blocking(move || witness.settle()).await;
    }

    /// Lets each file hold what was recorded of it together with others, every now and then.
    pub async fn keep_flushing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FLUSH_EVERY).await;
            let witness = self.witness.clone();
            let _ = tokio::task::spawn_blocking(move || witness.flush()).await;
        }
    }
}

impl Queue {
    fn new(slot: Arc<LogSlot>) -> Self {
        Self { slot, pending: StdMutex::default(), answering: Arc::default(), settling: AtomicBool::default() }
    }

    fn push(&self, request: PendingRequest) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push_back(request);
    }

    fn is_empty(&self) -> bool {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn next(&self) -> Vec<PendingRequest> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let count = pending.len().min(MAX_TOGETHER);
        pending.drain(..count).collect()
    }

    fn answer_pending(&self, witness: &Witness) {
        loop {
            let (requests, senders): (Vec<_>, Vec<_>) =
                self.next().into_iter().map(|PendingRequest { request, answer }| (request, answer)).unzip();
            if requests.is_empty() {
                return;
            }
            let answers = witness.answer_together(&self.slot, requests);
            for (sender, answer) in senders.into_iter().zip(answers) {
                // If the caller has disconnected, the result is dropped.
                let _ = sender.send(answer);
            }
        }
    }

    fn settle_soon(self: &Arc<Self>) {
        if self.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let queue = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE_AFTER).await;
            queue.settling.store(false, Ordering::Release);
            let _ = tokio::task::spawn_blocking(move || queue.slot.settle_mark()).await;
        });
    }
}
