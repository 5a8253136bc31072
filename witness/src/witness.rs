//! The witness at work: a request in, an answer out, and between them the order that keeps it honest.
//!
//! parse -> find the log -> *its* turn -> decide (pure) -> read the clock -> cosign -> record durably -> answer.
//!
//! Each log has a turn of its own, different logs go on side by side. Whoever has the turn decides for everybody who waits for it: one
//! after the other in memory, each on what the one before was granted, then the last is recorded, then all are answered. So a
//! hundred requests for one log cost the disk what one does, and there is still one history. What many logs record at once is
//! written together as well (see [`group_commit`](crate::group_commit)). Disk and signatures are off the async threads. A turn
//! is finished even when the sender has gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use stele_host::clock::Clock;
use stele_host::lock::Lock;
use stele_spec::checkpoint::Origin;
use stele_spec::cosignature::UnixTime;
use stele_spec::hash::Digest;
use stele_spec::misbehaviour::EXTENSION;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, oneshot};

use crate::agent::AgentError;
use crate::allowance::Allowance;
use crate::config::{Listed, Pull};
use crate::cosigned::{Cosigned, Record, RecordError};
use crate::decide::{Contradiction, Head, Refusal, Verdict, decide};
use crate::error::WitnessError;
use crate::evidence::{Archive, Kept};
use crate::held::{Held, held};
use crate::home::Home;
use crate::keyring::{Keyring, SignError};
use crate::message_rate::MessageRate;
use crate::metrics::{Counters, Pulled, exposition};
use crate::request::{AddCheckpoint, RequestError};
use crate::state::{LogState, Shelf, StateError};
use crate::subtree::{SignSubtree, SubtreeRefusal, sign_subtree};
use crate::trust::{TrustedLog, Verified};

/// A witness that has taken up all its logs, and that no other process can run.
pub struct Witness {
    keyring: Keyring,
    clock: Arc<dyn Clock>,
    started: Started,
    archive: Archive,
    shelf: Shelf,
    desks: RwLock<Arc<Desks>>,
    stray: Counters,
    /// Strangers have subtrees signed one at a time: signing is what the other cores are for.
    subtrees: Semaphore,
    /// What `/healthz` said last, and when.
    looked: Mutex<Option<(Instant, Arc<Vec<LogHealth>>)>>,
    _alone: Lock,
}

/// Both clocks when we started.
#[derive(Clone, Copy, Debug)]
struct Started {
    wall: u64,
    steady: u64,
}

type Desks = BTreeMap<Digest, Arc<Desk>>;

/// What belongs to one log. A desk stays for as long as the process: a log that is disabled or gone from the config and comes back finds
/// the state that it had, and never a second one beside it.
struct Desk {
    origin: Origin,
    terms: RwLock<Arc<Terms>>,
    allowance: StdMutex<Allowance>,
    state: Arc<Mutex<LogState>>,
    waiting: StdMutex<VecDeque<Waiting>>,
    settling: AtomicBool,
    served: RwLock<Option<Arc<[u8]>>>,
    counters: Counters,
    subtrees: StdMutex<Allowance>,
    held: StdMutex<Vec<Held>>,
    conflicts_told: MessageRate,
}

/// On which terms a log is served: what the config says of it.
struct Terms {
    log: TrustedLog,
    serves: bool,
    qpd: Option<u64>,
    pull: Option<Pull>,
}

/// A request that waits for the turn of its log.
struct Waiting {
    request: AddCheckpoint,
    answer: oneshot::Sender<Answer>,
}

/// How long a mark may stay unsettled; see [`LogState::settle_mark`].
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// How long what was recorded of many logs together may be in no file of each.
const FLUSH_EVERY: Duration = Duration::from_secs(10);

/// How long an answer of `/healthz` is good for: it reads every log's files and verifies what is in them, whoever asks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many subtrees of a log are signed a day for strangers: ten a minute, an hour's worth at once.
pub const SUBTREES_A_DAY: u64 = 14_400;

/// How far the wall clock may go beyond what the steady clock says since the start, in seconds. A day is more than any correction
/// of a working time service; a time that was signed further ahead would keep the log from being cosigned until then.
pub const MAX_JUMP: u64 = 86_400;

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
    /// 429: the log has used up what it may have a day; seconds to wait.
    TooOften(u64),
    /// 503: the request may be fine, we are not.
    Unwell(Unwell),
}

/// What a reload changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Logs that were not known before.
    pub added: usize,
    /// Logs that are served now.
    pub served: usize,
}

/// Why a sign-subtree request has no signature for an answer.
#[derive(Debug)]
pub enum SubtreeAnswer {
    /// 400: not a request.
    Malformed(RequestError),
    /// 403 to 501.
    Refused(SubtreeRefusal),
    /// 429: as many subtrees of this log were signed as are signed a day; seconds to wait.
    TooOften(u64),
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
    /// The wall clock went further since the start than time did.
    #[error("the clock says {now}; by the time that has passed since the start it should say {expected}")]
    ClockAhead {
        /// Now.
        now: u64,
        /// What it should say.
        expected: u64,
    },
    /// The state cannot be read or written.
    #[error("{0}")]
    State(Arc<StateError>),
    /// What we cosigned could not be read back.
    #[error("cosigned, but it does not verify: {0}")]
    Cosigning(RecordError),
    /// The agent that holds our key has not signed.
    #[error("{0}")]
    Agent(AgentError),
    /// A turn ended without an answer: a bug of ours.
    #[error("internal error")]
    Internal,
}

impl From<RecordError> for Unwell {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Sign(SignError::Agent(error)) => Self::Agent(error),
            error => Self::Cosigning(error),
        }
    }
}

/// How one log is, for `/healthz`.
#[derive(Clone, Debug)]
pub struct LogHealth {
    /// The log.
    pub origin: String,
    /// The size that was cosigned last.
    pub size: u64,
    /// When, if ever.
    pub time: Option<u64>,
    /// Why we cannot cosign it, if we cannot.
    pub problem: Option<String>,
    /// What we hold against the log.
    pub evidence: Vec<Held>,
}

impl Witness {
    /// Takes up every log of a folder, or none: a state that cannot be trusted keeps the whole witness from starting.
    pub fn open(home: &Home, clock: Arc<dyn Clock>) -> Result<Self, WitnessError> {
        let _alone = home.lock()?;
        let keyring = home.keyring()?;
        let shelf = home.shelf(keyring.own())?;
        shelf.recover()?;
        let mut desks = BTreeMap::new();
        for listed in home.logs() {
            let origin = listed.log.origin();
            let desk = Desk::open(origin.clone(), Terms::of(listed), shelf.load(origin)?)?;
            desks.insert(origin.digest(), Arc::new(desk));
        }
        let archive = home.archive()?;
        for file in held(&home.evidence_folder())? {
            if let Some(desk) = desks.get(&file.origin) {
                desk.hold(file);
            }
        }
        let desks = RwLock::new(Arc::new(desks));
        let started = Started { wall: clock.unix_seconds(), steady: clock.steady_seconds() };
        let (stray, subtrees, looked) = (Counters::default(), Semaphore::new(1), Mutex::default());
        Ok(Self { keyring, clock, started, archive, shelf, desks, stray, subtrees, looked, _alone })
    }

    /// Takes over what the config says of logs now. All or nothing: a new log whose state cannot be trusted changes nothing.
    ///
    /// The keys are read at the start only. Blocks on the disk.
    pub fn reload(&self, home: &Home) -> Result<Reloaded, WitnessError> {
        let own = home.keyring()?.own();
        if own != self.keyring.own() {
            return Err(WitnessError::OtherKeys);
        }
        let before = self.desks();
        let mut desks = Desks::clone(&before);
        let mut terms: BTreeMap<Digest, Terms> = BTreeMap::new();
        let mut reloaded = Reloaded::default();
        for listed in home.logs() {
            let origin = listed.log.origin();
            let digest = origin.digest();
            if before.contains_key(&digest) {
                terms.insert(digest, Terms::of(listed));
            } else {
                let desk = Desk::open(origin.clone(), Terms::of(listed), self.shelf.load(origin)?)?;
                desks.insert(digest, Arc::new(desk));
                reloaded.added += 1;
            }
        }
        for (digest, desk) in before.iter() {
            let gone = || Terms { log: desk.terms().log.clone(), serves: false, qpd: None, pull: None };
            desk.set_terms(terms.remove(digest).unwrap_or_else(gone));
        }
        reloaded.served = desks.values().filter(|desk| desk.terms().serves).count();
        *self.desks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(desks);
        Ok(reloaded)
    }

    fn desks(&self) -> Arc<Desks> {
        self.desks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn desk(&self, origin: &Origin) -> Option<Arc<Desk>> {
        self.desks().get(&origin.digest()).cloned()
    }

    /// Answers one add-checkpoint request.
    pub async fn add_checkpoint(self: &Arc<Self>, body: &[u8]) -> Answer {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return self.count(None, Answer::Malformed(error)),
        };
        let desk = self.desk(request.checkpoint().origin()).filter(|desk| desk.terms().serves);
        let Some(desk) = desk else {
            return match decide(None, Head::NONE, &request) {
                Verdict::Refuse { refusal, .. } => self.count(None, Answer::Refused(refusal)),
                Verdict::Cosign(_) => self.count(None, Answer::Unwell(Unwell::Internal)),
            };
        };
        let answer = self.decide_on(&desk, request).await;
        self.count(Some(&desk), answer)
    }

    /// Waits for the turn of a log, or for somebody else's turn to answer.
    async fn decide_on(self: &Arc<Self>, desk: &Arc<Desk>, request: AddCheckpoint) -> Answer {
        let (sender, answer) = oneshot::channel();
        desk.line_up(Waiting { request, answer: sender });
        let turn = desk.state.clone().lock_owned().await;
        // Empty when somebody else's turn has answered us.
        if desk.somebody_waits() {
            let (witness, at) = (self.clone(), desk.clone());
            let _ = tokio::task::spawn_blocking(move || witness.take_turn(&at, turn)).await;
            self.settle_soon(desk);
        }
        answer.await.unwrap_or(Answer::Unwell(Unwell::Internal))
    }

    /// The logs that are to be asked for their checkpoints.
    pub fn pulled(&self) -> Vec<Origin> {
        let desks = self.desks();
        let asked = desks.values().filter(|desk| desk.terms().pulls().is_some());
        asked.map(|desk| desk.origin.clone()).collect()
    }

    /// Where and how often a log is to be asked now, and whom we believe about it.
    pub fn pull_of(&self, origin: &Origin) -> Option<(TrustedLog, Pull)> {
        let terms = self.desk(origin)?.terms();
        Some((terms.log.clone(), terms.pulls()?.clone()))
    }

    /// What was cosigned last of a log of ours.
    pub async fn last(&self, origin: &Origin) -> Option<Result<Record, Unwell>> {
        let desk = self.desk(origin)?;
        let mut turn = desk.state.clone().lock_owned().await;
        let read = tokio::task::spawn_blocking(move || turn.record().cloned()).await;
        Some(read.map_err(|_| Unwell::Internal).and_then(|read| read.map_err(|error| Unwell::State(Arc::new(error)))))
    }

    /// Decides on a checkpoint that we asked for, as on one that its log brings.
    pub async fn consider(self: &Arc<Self>, request: AddCheckpoint) -> Answer {
        match self.desk(request.checkpoint().origin()) {
            Some(desk) => self.decide_on(&desk, request).await,
            None => Answer::Unwell(Unwell::Internal),
        }
    }

    /// Counts what came of asking a log.
    pub fn count_pull(&self, origin: &Origin, outcome: Pulled) {
        if let Some(desk) = self.desk(origin) {
            desk.counters.pulled(outcome, self.now());
        }
    }

    /// By the clock that cosignatures are made by.
    pub fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Our name, as in our cosignatures.
    pub fn name(&self) -> String {
        self.keyring.own().name().to_string()
    }

    /// Settles every mark, and lets each file hold what was recorded of it: before an orderly end.
    pub async fn settle(self: &Arc<Self>) {
        for desk in self.desks().values().cloned() {
            settle_now(desk).await;
        }
        self.flush().await;
    }

    /// Lets each file hold what was recorded of it together with others, every now and then.
    pub async fn keep_flushing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FLUSH_EVERY).await;
            self.flush().await;
        }
    }

    async fn flush(self: &Arc<Self>) {
        let witness = self.clone();
        let flushed = tokio::task::spawn_blocking(move || witness.shelf.flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::error!(%error, "recorded, but the files of each log are not written");
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
        let _one = self.subtrees.acquire().await.map_err(|_| SubtreeAnswer::Internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let desk = witness.desk(request.checkpoint().origin());
            let terms = desk.as_ref().map(|desk| desk.terms()).filter(|terms| terms.serves);
            // Only for what is served: a log that is not ours has nothing signed.
            let allowed = match desk.as_ref().filter(|_| terms.is_some()) {
                Some(desk) => desk.take_subtree(witness.clock.unix_seconds()),
                None => Ok(()),
            };
            let signed = allowed.map_err(SubtreeAnswer::TooOften).and_then(|()| {
                sign_subtree(terms.as_ref().map(|terms| &terms.log), &witness.keyring, &request)
                    .map_err(SubtreeAnswer::Refused)
            });
            // Only what is signed counts: what is refused uses nothing up.
            if let (Err(SubtreeAnswer::Refused(_)), Some(desk)) = (&signed, &desk) {
                desk.subtrees.lock().unwrap_or_else(PoisonError::into_inner).put_back();
            }
            let status = signed.as_ref().map_or_else(SubtreeAnswer::status, |_| 200);
            desk.as_ref().map_or(&witness.stray, |desk| &desk.counters).signed_subtree(status);
            signed
        });
        let signed = done.await.map_err(|_| SubtreeAnswer::Internal)?;
        signed.map(|line| line.to_string())
    }

    /// The checkpoint that is served under an origin hash; `None` for a log that is not ours or not cosigned yet.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Arc<[u8]>> {
        let desks = self.desks();
        let desk = desks.get(&Digest::from_hex(origin_hash).ok()?)?;
        desk.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How each log is; looked at again when the last look is older than [`LOOK_EVERY`].
    pub async fn health(self: &Arc<Self>) -> Arc<Vec<LogHealth>> {
        let mut looked = self.looked.lock().await;
        if let Some((at, health)) = &*looked
            && at.elapsed() < LOOK_EVERY
        {
            return health.clone();
        }
        let health = Arc::new(self.look_at_all().await);
        *looked = Some((Instant::now(), health.clone()));
        health
    }

    /// Reads each state from the disk again, verifies our cosignature in it, and looks at the clock.
    async fn look_at_all(self: &Arc<Self>) -> Vec<LogHealth> {
        let desks = self.desks();
        let mut all = Vec::with_capacity(desks.len());
        for desk in desks.values().cloned() {
            let mut turn = desk.state.clone().lock_owned().await;
            let now = self.clock.unix_seconds();
            let (origin, evidence) = (desk.origin.to_string(), desk.held());
            let looked = tokio::task::spawn_blocking(move || look(&mut turn, now)).await;
            let (size, time, problem) = looked.unwrap_or_else(|_| (0, None, Some("internal error".to_owned())));
            let problem = problem.or_else(|| self.not_ahead(now).err().map(|error| error.to_string()));
            all.push(LogHealth { origin, size, time, problem, evidence });
        }
        all
    }

    /// What `/metrics` answers.
    pub fn metrics(&self) -> String {
        let desks = self.desks();
        let logs: Vec<_> = desks.values().map(|desk| (desk.origin.as_str(), desk.counters.counts())).collect();
        exposition(&logs, &self.stray.counts())
    }

    /// What is held against each log, for the page.
    pub fn evidence(&self) -> Vec<(String, Vec<Held>)> {
        let desks = self.desks();
        let each = desks.values().map(|desk| (desk.origin.to_string(), desk.held()));
        each.filter(|(_, held)| !held.is_empty()).collect()
    }

    /// Our verifier keys, a line each, and the origins that we cosign, with how often a day if that is limited.
    pub fn about(&self) -> (String, Vec<(String, Option<u64>)>) {
        let desks = self.desks();
        let serving = desks.values().filter(|desk| desk.terms().serves);
        let origins = serving.map(|desk| (desk.origin.to_string(), desk.terms().qpd)).collect();
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
        let terms = desk.terms();
        let mut last = before.clone();
        let mut granted: Option<Cosigned> = None;
        let mut outcomes = Vec::with_capacity(together.len());
        for waiting in together {
            let (answer, conflict) = match decide(Some(&terms.log), last.head(), &waiting.request) {
                Verdict::Cosign(verified) => (self.grant(desk, &terms, &verified, &last, granted.as_ref()), None),
                Verdict::Refuse { refusal, conflict } => {
                    (Err(Answer::Refused(refusal)), conflict.map(|conflict| (conflict, last.clone())))
                }
            };
            if let Ok(cosigned) = &answer {
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
            if let Some((conflict, known)) = conflict {
                self.keep_evidence(desk, &conflict, &known);
            }
            waiting.tell(match answer {
                Ok(cosigned) => Answer::Cosigned(cosigned.lines().iter().map(ToString::to_string).collect()),
                Err(answer) => answer,
            });
        }
    }

    /// Signs, unless the same checkpoint was signed at the same time a moment ago, or the log has used up its day.
    fn grant(
        &self,
        desk: &Desk,
        terms: &Terms,
        verified: &Verified,
        last: &Record,
        granted: Option<&Cosigned>,
    ) -> Result<Cosigned, Answer> {
        let time = self.time_after(last).map_err(Answer::Unwell)?;
        if let Some(qpd) = terms.qpd {
            let mut allowance = desk.allowance.lock().unwrap_or_else(PoisonError::into_inner);
            allowance.take(qpd, time.seconds()).map_err(Answer::TooOften)?;
        }
        let same = granted.filter(|granted| granted.time() == time && granted.note().text() == verified.note().text());
        match same {
            Some(granted) => Ok(granted.clone()),
            None => Cosigned::sign(verified, &self.keyring, time).map_err(|error| {
                if terms.qpd.is_some() {
                    desk.allowance.lock().unwrap_or_else(PoisonError::into_inner).put_back();
                }
                Answer::Unwell(error.into())
            }),
        }
    }

    /// Time never goes back for a log: verifiers take the median of the witnesses' times for the time of a tree head.
    fn time_after(&self, record: &Record) -> Result<UnixTime, Unwell> {
        let now = self.clock.unix_seconds();
        let time = UnixTime::new(now).map_err(|_| Unwell::NoTime { now })?;
        if now == 0 {
            return Err(Unwell::NoTime { now });
        }
        self.not_ahead(now)?;
        match record.cosigned().map(|cosigned| cosigned.time().seconds()) {
            Some(last) if now < last => Err(Unwell::ClockBack { now, last }),
            _ => Ok(time),
        }
    }

    /// A clock that jumps ahead signs a time that keeps the log from being cosigned until it has come.
    fn not_ahead(&self, now: u64) -> Result<(), Unwell> {
        let passed = self.clock.steady_seconds().saturating_sub(self.started.steady);
        let expected = self.started.wall.saturating_add(passed);
        if now > expected.saturating_add(MAX_JUMP) { Err(Unwell::ClockAhead { now, expected }) } else { Ok(()) }
    }

    /// Keeps it. What is written into the messages about it is limited; what is kept and counted is not.
    fn keep_evidence(&self, desk: &Desk, conflict: &Contradiction, known: &Record) {
        desk.counters.note(|counts| *counts.conflicts.entry(conflict.kind).or_default() += 1);
        let (origin, checkpoint) = (&desk.origin, conflict.offered.checkpoint());
        let (kind, size, root) = (conflict.kind.word(), checkpoint.size(), checkpoint.root());
        let known = known.cosigned().map(Cosigned::note);
        let kept = self.archive.keep(known, conflict);
        match &kept {
            Ok(Kept::New) => {
                let id = format!("{}/{kind}-{size}-{root}.{EXTENSION}", origin.digest());
                let since = self.clock.unix_seconds();
                desk.hold(Held { origin: origin.digest(), kind: conflict.kind, size, id, since });
            }
            Ok(Kept::Already | Kept::Full) => {}
            Err(_) => desk.counters.note(|counts| counts.evidence_lost += 1),
        }
        let Some(left_out) = desk.conflicts_told.admit(Instant::now()) else { return };
        match kept {
            Ok(Kept::New) => {
                tracing::error!(%origin, kind, size, %root, left_out, "a conflicting checkpoint: evidence kept")
            }
            Ok(Kept::Already) => {
                tracing::warn!(%origin, kind, size, %root, left_out, "a conflicting checkpoint, seen before")
            }
            Ok(Kept::Full) => {
                tracing::warn!(%origin, kind, size, %root, left_out, "a conflicting checkpoint, not kept: enough of them are")
            }
            Err(error) => {
                tracing::error!(%origin, kind, size, %root, left_out, %error, "a conflicting checkpoint, and it cannot be kept")
            }
        }
    }

    fn count(&self, desk: Option<&Desk>, answer: Answer) -> Answer {
        desk.map_or(&self.stray, |desk| &desk.counters).answered(answer.status());
        if let Answer::Unwell(error) = &answer {
            let origin = desk.map(|desk| desk.origin.as_str()).unwrap_or_default();
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
            Self::TooOften(_) => 429,
            Self::Unwell(_) => 503,
        }
    }
}

impl SubtreeAnswer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::TooOften(_) => 429,
            Self::Internal => 503,
        }
    }
}

impl Desk {
    fn open(origin: Origin, terms: Terms, mut state: LogState) -> Result<Self, WitnessError> {
        let record = state.record()?.clone();
        let state = Arc::new(Mutex::new(state));
        let (waiting, settling, served) = (StdMutex::default(), AtomicBool::default(), RwLock::default());
        let (terms, allowance) = (RwLock::new(Arc::new(terms)), StdMutex::default());
        let counters = Counters::default();
        let (subtrees, held, conflicts_told) = (StdMutex::default(), StdMutex::default(), MessageRate::default());
        let desk = Self {
            origin,
            terms,
            allowance,
            state,
            waiting,
            settling,
            served,
            counters,
            subtrees,
            held,
            conflicts_told,
        };
        desk.serve(&record);
        Ok(desk)
    }

    fn terms(&self) -> Arc<Terms> {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_terms(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(terms);
    }

    fn hold(&self, file: Held) {
        self.counters.note(|counts| *counts.held.entry(file.kind).or_default() += 1);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    fn held(&self) -> Vec<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take_subtree(&self, now: u64) -> Result<(), u64> {
        self.subtrees.lock().unwrap_or_else(PoisonError::into_inner).take(SUBTREES_A_DAY, now)
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

impl Terms {
    fn pulls(&self) -> Option<&Pull> {
        self.pull.as_ref().filter(|_| self.serves)
    }

    fn of(listed: &Listed) -> Self {
        let Listed { log, disabled, qpd, pull, .. } = listed;
        Self { log: log.clone(), serves: !disabled, qpd: *qpd, pull: pull.clone() }
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
        tracing::error!(origin = %desk.origin, %error, "cosigned, but the mark is not settled");
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
