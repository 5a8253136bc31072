//! The witness: a request in, an answer out, and between them the order that keeps it honest. Synchronous: time, key and disk are handed
//! in, and threads are the caller's.
//!
//! parse -> find the log -> *its* state -> decide (pure) -> read the clock -> cosign -> record durably -> answer.
//!
//! The state of a log is for one at a time, different logs go on side by side. Requests for one log that come together are decided
//! one after the other in memory, each on what the one before was granted; then the last is recorded, then all are answered. So a
//! hundred requests for one log cost the disk what one does, and there is still one history. What many logs record at once is
//! written together as well (see [`group_commit`](crate::group_commit)).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use stele_clock::Clock;
use stele_durable::DurableError;
use stele_durable::lock::Lock;
use stele_spec::checkpoint::Origin;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::indexcosigner::WrongEntry;
use stele_spec::misbehaviour::WrongIndexStep;

use crate::answer::{AddCheckpointAnswer, SubtreeAnswer, Unavailable};
use crate::counters::{Counters, Counts, Pulled};
use crate::decide::{ConflictKind, ConflictingCheckpoint, CosignDecision, TreeHead, decide};
use crate::evidence::{Archive, Kept, file_name};
use crate::held::Held;
use crate::log_slot::{LogSettings, LogSlot, Pull};
use crate::record::{Cosigned, LastCosigned};
use crate::request::AddCheckpoint;
use crate::signer::{WitnessKeys, WitnessSigner};
use crate::state::{LogState, StateError, StateStore};
use crate::subtree::{SignSubtree, sign_subtree};
use crate::trusted_log::{LogSignedCheckpoint, TrustedLog};
use crate::wall_clock::{WallClock, not_before};

/// A witness that has taken up all its logs, and that no other process can run.
pub struct Witness {
    keyring: WitnessSigner,
    clock: WallClock,
    archive: Archive,
    states: StateStore,
    slots: RwLock<Arc<LogSlots>>,
    /// Answers to requests that name no log of ours.
    stray: Counters,
    _alone: Lock,
}

/// What a witness is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its keys.
    pub keyring: WitnessSigner,
    /// States and marks.
    pub states: StateStore,
    /// Where evidence is kept.
    pub archive: Archive,
    /// What is kept there already.
    pub held: Vec<Held>,
    /// Its logs.
    pub logs: Vec<LogSettings>,
    /// The lock of the folder.
    pub lock: Lock,
}

/// By the SHA-256 of the origin.
type LogSlots = BTreeMap<Digest, Arc<LogSlot>>;

/// What a reload changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Logs that were not known before.
    pub added: usize,
    /// Logs that are served now.
    pub served: usize,
}

/// A reload of which nothing can fail any more.
pub struct Prepared<'a> {
    witness: &'a Witness,
    slots: LogSlots,
    known: BTreeMap<Digest, LogSettings>,
    reloaded: Reloaded,
}

impl Prepared<'_> {
    /// Takes it over.
    pub fn commit(mut self) -> Reloaded {
        for (digest, slot) in self.witness.slots().iter() {
            let gone = || LogSettings { log: slot.settings().log.clone(), serves: false, qpd: None, pull: None };
            slot.set(self.known.remove(digest).unwrap_or_else(gone));
        }
        self.reloaded.served = self.slots.values().filter(|slot| slot.settings().serves).count();
        *self.witness.slots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.slots);
        self.reloaded
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
    /// Takes up every log, or none: a state that cannot be trusted keeps the whole witness from starting.
    pub fn open(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        let Parts { keyring, states, archive, held, logs, lock: _alone } = parts;
        states.recover()?;
        let mut slots = LogSlots::new();
        for settings in logs {
            let (state, record) = states.load(settings.log.origin())?;
            slots.insert(settings.log.origin().digest(), Arc::new(LogSlot::open(settings, state, &record)));
        }
        for file in held {
            if let Some(slot) = slots.get(&file.origin) {
                slot.hold(file);
            }
        }
        let slots = RwLock::new(Arc::new(slots));
        Ok(Self { keyring, clock: WallClock::start(clock), archive, states, slots, stray: Counters::default(), _alone })
    }

    /// Takes over what the config says of logs now. All or nothing: a new log whose state cannot be trusted changes nothing.
    pub fn reload(&self, logs: Vec<LogSettings>) -> Result<Reloaded, StateError> {
        self.prepare(logs).map(Prepared::commit)
    }

    /// Reads what a reload needs, and changes nothing yet.
    pub fn prepare(&self, logs: Vec<LogSettings>) -> Result<Prepared<'_>, StateError> {
        let before = self.slots();
        let mut slots = LogSlots::clone(&before);
        let mut known: BTreeMap<Digest, LogSettings> = BTreeMap::new();
        let mut reloaded = Reloaded::default();
        for settings in logs {
            let digest = settings.log.origin().digest();
            if before.contains_key(&digest) {
                known.insert(digest, settings);
            } else {
                let (state, record) = self.states.load(settings.log.origin())?;
                slots.insert(digest, Arc::new(LogSlot::open(settings, state, &record)));
                reloaded.added += 1;
            }
        }
        Ok(Prepared { witness: self, slots, known, reloaded })
    }

    fn slots(&self) -> Arc<LogSlots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, origin: &Origin) -> Option<Arc<LogSlot>> {
        self.slots().get(&origin.digest()).cloned()
    }

    /// Every log that this process has taken up.
    pub fn each(&self) -> Vec<Arc<LogSlot>> {
        self.slots().values().cloned().collect()
    }

    /// Reads an add-checkpoint request and finds its log; the answer where there is nothing to decide.
    pub fn receive(&self, body: &[u8]) -> Result<(Arc<LogSlot>, AddCheckpoint), AddCheckpointAnswer> {
        let request = AddCheckpoint::parse(body).map_err(|error| {
            let malformed = AddCheckpointAnswer::Malformed(error);
            self.count(None, malformed)
        })?;
        if let Some(slot) = self.slot(request.checkpoint().origin()).filter(|slot| slot.settings().serves) {
            return Ok((slot, request));
        }
        let answer = match decide(None, TreeHead::NONE, &request) {
            CosignDecision::Refuse { refusal, .. } => AddCheckpointAnswer::Refused(refusal),
            CosignDecision::Cosign(_) => AddCheckpointAnswer::Unavailable(Unavailable::Internal),
        };
        Err(self.count(None, answer))
    }

    /// Answers one add-checkpoint request.
    pub fn add_checkpoint(&self, body: &[u8]) -> AddCheckpointAnswer {
        match self.receive(body) {
            Ok((slot, request)) => match self.answer_together(&slot, vec![request]).pop() {
                Some(answer) => self.count(Some(&slot), answer),
                None => AddCheckpointAnswer::Unavailable(Unavailable::Internal),
            },
            Err(answer) => answer,
        }
    }

    /// Decides on a checkpoint that we asked for, as on one that its log brings.
    pub fn consider(&self, request: AddCheckpoint) -> AddCheckpointAnswer {
        let slot = self.slot(request.checkpoint().origin());
        let answer = slot.and_then(|slot| self.answer_together(&slot, vec![request]).pop());
        answer.unwrap_or(AddCheckpointAnswer::Unavailable(Unavailable::Internal))
    }

    /// Counts an answer to add-checkpoint, of a log or of none.
    pub fn count(&self, slot: Option<&LogSlot>, answer: AddCheckpointAnswer) -> AddCheckpointAnswer {
        slot.map_or(&self.stray, |slot| &slot.counters).answered(answer.status());
        if let AddCheckpointAnswer::Unavailable(error) = &answer {
            let origin = slot.map(|slot| slot.origin().as_str()).unwrap_or_default();
            tracing::error!(origin, %error, "cannot cosign");
        }
        answer
    }

    /// The logs that are to be asked for their checkpoints.
    pub fn pulled(&self) -> Vec<Origin> {
        let slots = self.slots();
        let asked = slots.values().filter(|slot| slot.settings().pulls().is_some());
        asked.map(|slot| slot.origin().clone()).collect()
    }

    /// Where and how often a log is to be asked now, and whom we believe about it.
    pub fn pull_of(&self, origin: &Origin) -> Option<(TrustedLog, Pull)> {
        let settings = self.slot(origin)?.settings();
        Some((settings.log.clone(), settings.pulls()?.clone()))
    }

    /// What was cosigned last of a log of ours. Waits for what is being decided on it.
    pub fn last(&self, origin: &Origin) -> Option<Result<LastCosigned, Unavailable>> {
        let slot = self.slot(origin)?;
        let read = slot.state().record().cloned();
        Some(read.map_err(|error| Unavailable::State(Arc::new(error))))
    }

    /// Counts what came of asking a log.
    pub fn count_pull(&self, origin: &Origin, outcome: Pulled) {
        if let Some(slot) = self.slot(origin) {
            slot.counters.pulled(outcome, self.now());
        }
    }

    /// By the clock that cosignatures are made by.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Our name, as in our cosignatures.
    pub fn name(&self) -> String {
        self.keyring.own().name().to_string()
    }

    /// Our public keys.
    pub fn own(&self) -> WitnessKeys {
        self.keyring.own()
    }

    /// Settles every mark, and lets each file hold what was recorded of it: before an orderly end.
    pub fn settle(&self) {
        self.slots().values().for_each(|slot| slot.settle_mark());
        self.flush();
    }

    /// Lets each file hold what was recorded of it together with others.
    pub fn flush(&self) {
        if let Err(error) = self.states.flush() {
            tracing::error!(%error, "recorded, but the files of each log are not written");
        }
    }

    /// Answers one sign-subtree request: our line, or why not.
    pub fn sign_subtree(&self, request: &SignSubtree) -> Result<String, SubtreeAnswer> {
        let slot = self.slot(request.checkpoint().origin());
        let settings = slot.as_ref().map(|slot| slot.settings()).filter(|settings| settings.serves);
        // Only for what is served: a log that is not ours has nothing signed.
        let allowed = match slot.as_ref().filter(|_| settings.is_some()) {
            Some(slot) => slot.take_subtree(self.now()),
            None => Ok(()),
        };
        let signed = allowed.map_err(SubtreeAnswer::TooOften).and_then(|()| {
            let log = settings.as_ref().map(|settings| &settings.log);
            sign_subtree(log, &self.keyring, request).map_err(SubtreeAnswer::Refused)
        });
        // Only what is signed counts: what is refused uses nothing up.
        if let (Err(SubtreeAnswer::Refused(_)), Some(slot)) = (&signed, &slot) {
            slot.put_back_subtree();
        }
        let status = signed.as_ref().map_or_else(SubtreeAnswer::status, |_| 200);
        slot.as_ref().map_or(&self.stray, |slot| &slot.counters).signed_subtree(status);
        signed.map(|line| line.to_string())
    }

    /// The checkpoint that is served under an origin hash; `None` for a log that is not ours or not cosigned yet.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Arc<[u8]>> {
        self.slots().get(&Digest::from_hex(origin_hash).ok()?)?.served()
    }

    /// How each log is: its state read from the disk again, our cosignature in it verified, the clock held against it.
    pub fn health(&self) -> Vec<LogHealth> {
        let slots = self.slots();
        let each = slots.values().map(|slot| {
            let now = self.now();
            let (size, time, problem) = look(&mut slot.state(), now);
            let problem = problem.or_else(|| self.clock.not_ahead(now).err().map(|error| error.to_string()));
            LogHealth { origin: slot.origin().to_string(), size, time, problem, evidence: slot.held() }
        });
        each.collect()
    }

    /// The counters of each log by its origin, and of requests that name none of ours.
    pub fn counts(&self) -> (Vec<(String, Counts)>, Counts) {
        let slots = self.slots();
        let each = slots.values().map(|slot| (slot.origin().to_string(), slot.counters.counts()));
        (each.collect(), self.stray.counts())
    }

    /// What is held against each log, for the page.
    pub fn evidence(&self) -> Vec<(String, Vec<Held>)> {
        let slots = self.slots();
        let each = slots.values().map(|slot| (slot.origin().to_string(), slot.held()));
        each.filter(|(_, held)| !held.is_empty()).collect()
    }

    /// Our verifier keys, a line each, and the origins that we cosign, with how often a day if that is limited.
    pub fn about(&self) -> (String, Vec<(String, Option<u64>)>) {
        let slots = self.slots();
        let serving = slots.values().filter(|slot| slot.settings().serves);
        let origins = serving.map(|slot| (slot.origin().to_string(), slot.settings().qpd)).collect();
        (self.keyring.own().keys().map(|key| format!("{key}\n")).collect(), origins)
    }

    /// Decides on requests for one log in the order they came, records the last that is cosigned, and only then gives any answer.
    pub fn answer_together(&self, slot: &LogSlot, together: Vec<AddCheckpoint>) -> Vec<AddCheckpointAnswer> {
        let mut state = slot.state();
        let before = match state.record() {
            Ok(record) => record.clone(),
            Err(error) => {
                let error = Unavailable::State(Arc::new(error));
                return together.iter().map(|_| AddCheckpointAnswer::Unavailable(error.clone())).collect();
            }
        };
        // A change that an error interrupted was finished just now, so it is to be served too.
        slot.serve(&before);
        let settings = slot.settings();
        let mut last = before;
        let mut granted: Option<Cosigned> = None;
        let mut outcomes = Vec::with_capacity(together.len());
        for request in together {
            let (answer, conflict) = match decide(Some(&settings.log), last.head(), &request) {
                CosignDecision::Cosign(verified) => (self.grant(slot, &verified, &last, granted.as_ref()), None),
                CosignDecision::Refuse { refusal, conflict } => {
                    (Err(AddCheckpointAnswer::Refused(refusal)), conflict.map(|conflict| (conflict, last.clone())))
                }
            };
            if let Ok(cosigned) = &answer {
                last = LastCosigned::Cosigned(Box::new(cosigned.clone()));
                granted = Some(cosigned.clone());
            }
            // From the first grant on, every answer rests on what is not recorded yet.
            outcomes.push((answer, conflict, granted.is_some()));
        }
        let recorded = granted.as_ref().map_or(Ok(()), |cosigned| state.advance(cosigned));
        let failure = recorded.err().map(|error| Unavailable::State(Arc::new(error)));
        if failure.is_none() {
            slot.serve(&last);
        }
        let answer = |(answer, conflict, rests_on_grant): (
            Result<Cosigned, _>,
            Option<(ConflictingCheckpoint, LastCosigned)>,
            bool,
        )| {
            if let (Some(failure), true) = (&failure, rests_on_grant) {
                return AddCheckpointAnswer::Unavailable(failure.clone());
            }
            if let Some((conflict, known)) = conflict {
                self.keep_evidence(slot, &conflict, &known);
            }
            match answer {
                Ok(cosigned) => {
                    AddCheckpointAnswer::Cosigned(cosigned.lines().iter().map(ToString::to_string).collect())
                }
                Err(answer) => answer,
            }
        };
        outcomes.into_iter().map(answer).collect()
    }

    /// Signs, unless the same checkpoint was signed at the same time a moment ago, or the log has used up its day.
    fn grant(
        &self,
        slot: &LogSlot,
        verified: &LogSignedCheckpoint,
        last: &LastCosigned,
        granted: Option<&Cosigned>,
    ) -> Result<Cosigned, AddCheckpointAnswer> {
        let time = self.clock.time_after(last).map_err(|fault| AddCheckpointAnswer::Unavailable(fault.into()))?;
        slot.take_cosignature(time.seconds()).map_err(AddCheckpointAnswer::TooOften)?;
        let same = granted.filter(|granted| granted.time() == time && granted.note().text() == verified.note().text());
        match same {
            Some(granted) => Ok(granted.clone()),
            None => Cosigned::sign(verified, &self.keyring, time).map_err(|error| {
                slot.put_back_cosignature();
                AddCheckpointAnswer::Unavailable(error.into())
            }),
        }
    }

    /// Keeps what the index cosigner beside this witness found: the step that shows a wrong index entry of a log of ours. It is listed and
    /// exported with all other evidence.
    pub fn keep_wrong_index(
        &self,
        log: &Origin,
        wrong: &WrongEntry,
        step: &WrongIndexStep,
    ) -> Option<Result<Kept, DurableError>> {
        let slot = self.slot(log)?;
        let kind = ConflictKind::WrongIndexRoot;
        slot.counters.note(|counts| *counts.conflicts.entry(kind).or_default() += 1);
        // The files of a log are written by one at a time.
        let _alone = slot.state();
        let kept = self.archive.keep_step(log, wrong, step);
        self.note_kept(&slot, kind, (wrong.position.saturating_add(1), wrong.root), &kept);
        Some(kept)
    }

    fn note_kept(
        &self,
        slot: &LogSlot,
        kind: ConflictKind,
        (size, root): (u64, RootHash),
        kept: &Result<Kept, DurableError>,
    ) {
        let origin = slot.origin().digest();
        match kept {
            Ok(Kept::New) => {
                let id = format!("{origin}/{}", file_name(kind, size, root));
                slot.hold(Held { origin, kind, size, id, since: self.now() });
            }
            Ok(Kept::Already | Kept::Full) => {}
            Err(_) => slot.counters.note(|counts| counts.evidence_lost += 1),
        }
    }

    /// Keeps it. What is written into the messages about it is limited; what is kept and counted is not.
    fn keep_evidence(&self, slot: &LogSlot, conflict: &ConflictingCheckpoint, known: &LastCosigned) {
        slot.counters.note(|counts| *counts.conflicts.entry(conflict.kind).or_default() += 1);
        let (origin, checkpoint) = (slot.origin(), conflict.offered.checkpoint());
        let (kind, size, root) = (conflict.kind.word(), checkpoint.size(), checkpoint.root());
        let known = known.cosigned().map(Cosigned::note);
        let kept = self.archive.keep(known, conflict);
        self.note_kept(slot, conflict.kind, (size, root), &kept);
        let Some(left_out) = slot.conflict_messages.admit(self.clock.steady()) else { return };
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
}

/// The size and time of what was cosigned last, read from the disk again, and what is wrong with it.
pub fn look(state: &mut LogState, now: u64) -> (u64, Option<u64>, Option<String>) {
    let record = match state.check() {
        Ok(record) => record,
        Err(error) => return (0, None, Some(error.to_string())),
    };
    let time = record.cosigned().map(|cosigned| cosigned.time().seconds());
    let problem = not_before(record, now).err().map(|fault| fault.to_string());
    (record.head().size, time, problem)
}
