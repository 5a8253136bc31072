//! The witness at work: a request in, an answer out, and between them the order that keeps it honest.
//!
//! parse -> find the log -> *its* turn -> decide (pure) -> read the clock -> cosign -> record durably -> answer.
//!
//! Each log has a turn of its own: requests for one log wait for one another without holding a thread, different logs go on
//! side by side. Disk and signatures are off the async threads. A turn is finished even when the sender has gone.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use stele_host::clock::Clock;
use stele_host::lock::Lock;
use stele_spec::cosignature::UnixTime;
use stele_spec::hash::Digest;
use tokio::sync::Mutex;

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
    served: RwLock<Option<Arc<[u8]>>>,
    counters: Counters,
}

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
#[derive(Debug, thiserror::Error)]
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
    #[error(transparent)]
    State(#[from] StateError),
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
        let mut turn = desk.state.clone().lock_owned().await;
        let (witness, at) = (self.clone(), desk.clone());
        let done = tokio::task::spawn_blocking(move || {
            witness.take_turn(&at, &mut turn, &request).unwrap_or_else(Answer::Unwell)
        });
        let answer = done.await.unwrap_or(Answer::Unwell(Unwell::Internal));
        self.count(Some(&desk), answer)
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

    fn take_turn(&self, desk: &Desk, state: &mut LogState, request: &AddCheckpoint) -> Result<Answer, Unwell> {
        let record = state.record()?.clone();
        // A change that an error interrupted was finished just now, so it is to be served too.
        desk.serve(&record);
        let verified = match decide(Some(&desk.log), record.head(), request) {
            Verdict::Cosign(verified) => verified,
            Verdict::Refuse { refusal, conflict } => {
                if let Some((conflict, offered)) = conflict {
                    self.keep_evidence(desk, conflict, &record, &offered);
                }
                return Ok(Answer::Refused(refusal));
            }
        };
        let time = self.time_after(&record)?;
        let cosigned = Cosigned::sign(&verified, &self.keyring, time)?;
        state.advance(&cosigned)?;
        let lines = cosigned.lines().iter().map(ToString::to_string).collect();
        desk.serve(&Record::Cosigned(Box::new(cosigned)));
        Ok(Answer::Cosigned(lines))
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
        let desk = Self { log, state, served: RwLock::default(), counters: Counters::default() };
        desk.serve(&record);
        Ok(desk)
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

fn look(state: &mut LogState, now: u64) -> (u64, Option<u64>, Option<String>) {
    let record = match state.check() {
        Ok(record) => record,
        Err(error) => return (0, None, Some(error.to_string())),
    };
    let time = record.cosigned().map(|cosigned| cosigned.time().seconds());
    let problem = time.filter(|last| now < *last).map(|last| Unwell::ClockBack { now, last }.to_string());
    (record.head().size, time, problem)
}
