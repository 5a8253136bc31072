//! The witness at work: a request in, an answer out, and between them the order that keeps it honest.
//!
//! parse -> find the log -> *its* turn -> decide (pure) -> read the clock -> cosign -> record durably -> answer.
//!
//! Each log has a turn of its own, different logs go on side by side. Whoever has the turn decides for everybody who waits for it: one
//! after the other in memory, each on what the one before was granted, then the last is recorded, then all are answered. So a
//! hundred requests for one log cost the disk what one does, and there is still one history. Disk and signatures are off the
//! async threads. A turn is finished even when the sender has gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};
use std::time::Duration;

use stele_host::clock::Clock;
use stele_host::lock::Lock;
use stele_spec::cosignature::UnixTime;
use stele_spec::hash::Digest;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::cosigned::{Cosigned, Record};
use crate::decide::{Conflict, Head, Refusal, Verdict, decide};
use crate::error::WitnessError;
use crate::evidence::{Archive, Kept};
use crate::home::Home;
use crate::keyring::Keyring;
use crate::metrics::{Counters, exposition};
use crate::request::{AddCheckpoint, RequestError};
use crate::state::{LogState, StateError};
use crate::subtree::{SignSubtree, SubtreeRefusal, sign_subtree};
use crate::trust::{TrustedLog, Verified};

/// A witness that has taken up all its logs, and that no other process can run.
pub struct Witness {
    keyring: Keyring,
    clock: Arc<dyn Clock>,
    archive: Archive,
    desks: BTreeMap<Digest, Arc<Desk>>,
    stray: Counters,
    _alone: Lock,
}

/// What belongs to one log.
struct Desk {
    log: TrustedLog,
    state: Arc<Mutex<LogState>>,
    waiting: StdMutex<VecDeque<Waiting>>,
    settling: AtomicBool,
    served: RwLock<Option<Arc<[u8]>>>,
    counters: Counters,
}

/// A request that waits for the turn of its log.
struct Waiting {
    request: AddCheckpoint,
    answer: oneshot::Sender<Answer>,
}

/// How long a mark may stay unsettled; see [`LogState::settle_mark`].
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// The most requests that are decided before a write: each costs a signature of each kind.
const MAX_TOGETHER: usize = 64;

/// What a request is answered with.
#[derive(Debug)]
pub enum Answer {
    /// 200: recorded; our signature lines, each with its newline.
    Cosigned(String),
    /// 400: not a request.
    Malformed(RequestError),
    /// 400 to 422: c2sp.org/tlog-witness says no.
    Refused(Refusal),
    /// 503: the request may be fine, we are not.
    Unwell(Unwell),
}

/// Why a sign-subtree request has no signature for an answer.
#[derive(Debug)]
pub enum SubtreeAnswer {
    /// 400: not a request.
    Malformed(RequestError),
    /// 403 to 501.
    Refused(SubtreeRefusal),
    /// 503: a bug of ours.
    Internal,
}

/// Why this witness cannot sign now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unwell {
    /// The clock is earlier than the last cosignature for this log.
    #[error("the clock says {now}, the last cosignature for this log was made at {last}")]
    ClockBack {
        /// Now.
        now: u64,
        /// The time in the last cosignature.
        last: u64,
    },
    /// The clock says what no cosignature may say: zero, or 2^63 and more.
    #[error("the clock says {now}, which no cosignature may carry")]
    NoTime {
        /// Now.
        now: u64,
    },
    /// The state cannot be read or written.
    #[error("{0}")]
    State(Arc<StateError>),
    /// What we cosigned could not be read back.
    #[error("cosigned, but it does not verify: {0}")]
    Cosigning(#[from] crate::cosigned::RecordError),
    /// A turn ended without an answer: a bug of ours.
    #[error("internal error")]
    Internal,
}

/// How one log is, for `/healthz`.
#[derive(Debug)]
pub struct LogHealth {
    /// The log.
    pub origin: String,
    /// The size that was cosigned last.
    pub size: u64,
    /// When, if ever.
    pub time: Option<u64>,
    /// What is wrong, if anything.
    pub problem: Option<String>,
}

impl Witness {
    /// Takes up every log of a folder, or none: a state that cannot be trusted keeps the whole witness from starting.
    pub fn open(home: &Home, clock: Arc<dyn Clock>) -> Result<Self, WitnessError> {
        let _alone = home.lock()?;
        let keyring = home.keyring()?;
        let shelf = home.shelf(keyring.own())?;
        let mut desks = BTreeMap::new();
        for log in home.logs() {
            let desk = Desk::open(log.clone(), shelf.load(log.origin())?)?;
            desks.insert(log.origin().digest(), Arc::new(desk));
        }
        Ok(Self { keyring, clock, archive: home.archive()?, desks, stray: Counters::default(), _alone })
    }

    /// Answers one add-checkpoint request.
    pub async fn add_checkpoint(self: &Arc<Self>, body: &[u8]) -> Answer {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return self.count(None, Answer::Malformed(error)),
        };
        let Some(desk) = self.desks.get(&request.checkpoint().origin().digest()).cloned() else {
            return match decide(None, Head::NONE, &request) {
                Verdict::Refuse { refusal, .. } => self.count(None, Answer::Refused(refusal)),
                Verdict::Cosign(_) => self.count(None, Answer::Unwell(Unwell::Internal)),
            };
        };
        let (sender, answer) = oneshot::channel();
        desk.line_up(Waiting { request, answer: sender });
        let turn = desk.state.clone().lock_owned().await;
        // Empty when somebody else's turn has answered us.
        if desk.somebody_waits() {
            let (witness, at) = (self.clone(), desk.clone());
            let _ = tokio::task::spawn_blocking(move || witness.take_turn(&at, turn)).await;
            self.settle_soon(&desk);
        }
        let answer = answer.await.unwrap_or(Answer::Unwell(Unwell::Internal));
        self.count(Some(&desk), answer)
    }

    /// Settles every mark: before an orderly end.
    pub async fn settle(self: &Arc<Self>) {
        for desk in self.desks.values().cloned() {
            settle_now(desk).await;
        }
    }

    fn settle_soon(self: &Arc<Self>, desk: &Arc<Desk>) {
        if desk.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let desk = desk.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE_AFTER).await;
            desk.settling.store(false, Ordering::Release);
            settle_now(desk).await;
        });
    }

    /// Answers one sign-subtree request: our line, or why not.
    pub async fn sign_subtree(self: &Arc<Self>, body: &[u8]) -> Result<String, SubtreeAnswer> {
        let request = SignSubtree::parse(body).map_err(SubtreeAnswer::Malformed)?;
        let witness = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let desk = witness.desks.get(&request.checkpoint().origin().digest());
            let signed = sign_subtree(desk.map(|desk| &desk.log), &witness.keyring, &request);
            let status = signed.as_ref().map_or_else(SubtreeRefusal::status, |_| 200);
            desk.map_or(&witness.stray, |desk| &desk.counters).signed_subtree(status);
            signed
        });
        let signed = done.await.map_err(|_| SubtreeAnswer::Internal)?;
        signed.map(|line| line.to_string()).map_err(SubtreeAnswer::Refused)
    }

    /// The checkpoint that is served under an origin hash; `None` for a log that is not ours or not cosigned yet.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Arc<[u8]>> {
        let desk = self.desks.get(&Digest::from_hex(origin_hash).ok()?)?;
        desk.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads each state from the disk again, verifies our cosignature in it, and looks at the clock.
    pub async fn health(self: &Arc<Self>) -> Vec<LogHealth> {
        let mut all = Vec::with_capacity(self.desks.len());
        for desk in self.desks.values().cloned() {
            let mut turn = desk.state.clone().lock_owned().await;
            let now = self.clock.unix_seconds();
            let origin = desk.log.origin().to_string();
            let looked = tokio::task::spawn_blocking(move || look(&mut turn, now)).await;
            let (size, time, problem) = looked.unwrap_or_else(|_| (0, None, Some("internal error".to_owned())));
            all.push(LogHealth { origin, size, time, problem });
        }
        all
    }

    /// What `/metrics` answers.
    pub fn metrics(&self) -> String {
        let logs: Vec<_> =
            self.desks.values().map(|desk| (desk.log.origin().as_str(), desk.counters.counts())).collect();
        exposition(&logs, &self.stray.counts())
    }

    /// Our verifier keys, a line each, and the origins that we cosign.
    pub fn about(&self) -> (String, Vec<String>) {
        let origins = self.desks.values().map(|desk| desk.log.origin().to_string()).collect();
        (self.keyring.own().keys().map(|key| format!("{key}\n")).collect(), origins)
    }

    fn take_turn(&self, desk: &Desk, mut state: OwnedMutexGuard<LogState>) {
        loop {
            let together = desk.next(MAX_TOGETHER);
            if together.is_empty() {
                return;
            }
            self.decide_together(desk, &mut state, together);
        }
    }

    /// Decides on requests in the order they came, records the last that is cosigned, and only then answers any of them.
    fn decide_together(&self, desk: &Desk, state: &mut LogState, together: Vec<Waiting>) {
        let before = match state.record() {
            Ok(record) => record.clone(),
            Err(error) => {
                let unwell = Unwell::State(Arc::new(error));
                return together.into_iter().for_each(|waiting| waiting.tell(Answer::Unwell(unwell.clone())));
            }
        };
        // A change that an error interrupted was finished just now, so it is to be served too.
        desk.serve(&before);
        let mut last = before.clone();
        let mut granted: Option<Cosigned> = None;
        let mut outcomes = Vec::with_capacity(together.len());
        for waiting in together {
            let (answer, conflict) = match decide(Some(&desk.log), last.head(), &waiting.request) {
                Verdict::Cosign(verified) => (self.grant(&verified, &last, granted.as_ref()), None),
                Verdict::Refuse { refusal, conflict } => {
                    (Ok(Err(refusal)), conflict.map(|(conflict, offered)| (conflict, offered, last.clone())))
                }
            };
            if let Ok(Ok(cosigned)) = &answer {
                last = Record::Cosigned(Box::new(cosigned.clone()));
                granted = Some(cosigned.clone());
            }
            // From the first grant on, every answer rests on what is not recorded yet.
            outcomes.push((waiting, answer, conflict, granted.is_some()));
        }
        let recorded = granted.as_ref().map_or(Ok(()), |cosigned| state.advance(cosigned));
        let failure = recorded.err().map(|error| Unwell::State(Arc::new(error)));
        if failure.is_none() {
            desk.serve(&last);
        }
        for (waiting, answer, conflict, rests_on_grant) in outcomes {
            if let (Some(failure), true) = (&failure, rests_on_grant) {
                waiting.tell(Answer::Unwell(failure.clone()));
                continue;
            }
            if let Some((conflict, offered, known)) = conflict {
                self.keep_evidence(desk, conflict, &known, &offered);
            }
            waiting.tell(match answer {
                Ok(Ok(cosigned)) => Answer::Cosigned(cosigned.lines().iter().map(ToString::to_string).collect()),
                Ok(Err(refusal)) => Answer::Refused(refusal),
                Err(unwell) => Answer::Unwell(unwell),
            });
        }
    }

    /// Signs, unless the same checkpoint was signed at the same time a moment ago.
    fn grant(
        &self,
        verified: &Verified,
        last: &Record,
        granted: Option<&Cosigned>,
    ) -> Result<Result<Cosigned, Refusal>, Unwell> {
        let time = self.time_after(last)?;
        let same = granted.filter(|granted| granted.time() == time && granted.checkpoint() == verified.checkpoint());
        match same {
            Some(granted) => Ok(Ok(granted.clone())),
            None => Ok(Ok(Cosigned::sign(verified, &self.keyring, time)?)),
        }
    }

    /// Time never goes back for a log: verifiers take the median of the witnesses' times for the time of a tree head.
    fn time_after(&self, record: &Record) -> Result<UnixTime, Unwell> {
        let now = self.clock.unix_seconds();
        let time = UnixTime::new(now).map_err(|_| Unwell::NoTime { now })?;
        if now == 0 {
            return Err(Unwell::NoTime { now });
        }
        match record.cosigned().map(|cosigned| cosigned.time().seconds()) {
            Some(last) if now < last => Err(Unwell::ClockBack { now, last }),
            _ => Ok(time),
        }
    }

    fn keep_evidence(&self, desk: &Desk, conflict: Conflict, known: &Record, offered: &Verified) {
        desk.counters.note(|counts| *counts.conflicts.entry(conflict).or_default() += 1);
        let (origin, checkpoint) = (desk.log.origin(), offered.checkpoint());
        let (kind, size, root) = (conflict.word(), checkpoint.size(), checkpoint.root());
        let known = known.cosigned().map(Cosigned::to_bytes).unwrap_or_default();
        match self.archive.keep(conflict, known, offered) {
            Ok(Kept::New) => tracing::error!(%origin, kind, size, %root, "a conflicting checkpoint: evidence kept"),
            Ok(Kept::Already) => tracing::debug!(%origin, kind, size, %root, "a conflicting checkpoint, seen before"),
            Ok(Kept::Full) => {
                tracing::warn!(%origin, kind, size, %root, "a conflicting checkpoint, not kept: enough of them are")
            }
            Err(error) => {
                desk.counters.note(|counts| counts.evidence_lost += 1);
                tracing::error!(%origin, kind, size, %root, %error, "a conflicting checkpoint, and it cannot be kept");
            }
        }
    }

    fn count(&self, desk: Option<&Desk>, answer: Answer) -> Answer {
        desk.map_or(&self.stray, |desk| &desk.counters).answered(answer.status());
        if let Answer::Unwell(error) = &answer {
            let origin = desk.map(|desk| desk.log.origin().as_str()).unwrap_or_default();
            tracing::error!(origin, %error, "cannot cosign");
        }
        answer
    }
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Malformed(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::Unwell(_) => 503,
        }
    }
}

impl Desk {
    fn open(log: TrustedLog, mut state: LogState) -> Result<Self, WitnessError> {
        let record = state.record()?.clone();
        let state = Arc::new(Mutex::new(state));
        let (waiting, settling, served) = (StdMutex::default(), AtomicBool::default(), RwLock::default());
        let desk = Self { log, state, waiting, settling, served, counters: Counters::default() };
        desk.serve(&record);
        Ok(desk)
    }

    fn line_up(&self, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(waiting);
    }

    fn somebody_waits(&self) -> bool {
        !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn next(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(most);
        waiting.drain(..count).collect()
    }

    fn serve(&self, record: &Record) {
        let Some(cosigned) = record.cosigned() else { return };
        let bytes: Arc<[u8]> = cosigned.to_bytes().into();
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
        self.counters.note(|counts| {
            counts.size = cosigned.checkpoint().size();
            counts.time = cosigned.time().seconds();
        });
    }
}

impl Waiting {
    /// Whoever has gone is not told.
    fn tell(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}

async fn settle_now(desk: Arc<Desk>) {
    let mut turn = desk.state.clone().lock_owned().await;
    let settled = tokio::task::spawn_blocking(move || turn.settle_mark()).await;
    if let Ok(Err(error)) = settled {
        tracing::error!(origin = %desk.log.origin(), %error, "cosigned, but the mark is not settled");
    }
}

fn look(state: &mut LogState, now: u64) -> (u64, Option<u64>, Option<String>) {
    let record = match state.check() {
        Ok(record) => record,
        Err(error) => return (0, None, Some(error.to_string())),
    };
    let time = record.cosigned().map(|cosigned| cosigned.time().seconds());
    let problem = time.filter(|last| now < *last).map(|last| Unwell::ClockBack { now, last }.to_string());
    (record.head().size, time, problem)
}
