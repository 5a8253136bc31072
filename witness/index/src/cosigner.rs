//! The index cosigner: a step that a log brings, checked, signed when it leads to the checkpoint's tree, recorded, answered. Synchronous.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use stele_clock::Clock;
use stele_spec::checkpoint::Origin;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::indexcosigner::{AddTransition, CheckedStep, RefusedStep, ReplayedTree, StepHead, check, wrong_entry};
use stele_spec::misbehaviour::WrongIndexStep;
use stele_witness_core::evidence::Kept;
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::{StateError, StateStore};
use stele_witness_core::trusted_log::{LogSignedCheckpoint, TrustedLog};
use stele_witness_core::wall_clock::WallClock;
use stele_witness_core::witness::{Witness, look};

use crate::answer::{StepAnswer, Unavailable};
use crate::log_slot::{Checking, LogSettings, LogSlot};
use crate::metrics;
use crate::replay::{EntryCopy, Reader, ReplayFault, is_another};

/// The cosigner of a folder, and its keys.
pub struct IndexCosigner {
    keyring: WitnessSigner,
    clock: WallClock,
    states: StateStore,
    /// The witness of the same folder: it keeps what this one finds against a log.
    witness: Arc<Witness>,
    slots: RwLock<Arc<LogSlots>>,
}

/// What an index cosigner is made of.
pub struct Parts {
    /// Its keys: no other cosigner's.
    pub keyring: WitnessSigner,
    /// Its own states and marks.
    pub states: StateStore,
    /// What it cosigns.
    pub logs: Vec<IndexedLog>,
    /// The witness of the same folder.
    pub witness: Arc<Witness>,
}

/// A log whose index is checked.
#[derive(Clone)]
pub struct IndexedLog {
    /// Its origin and keys.
    pub log: TrustedLog,
    /// The most cosignatures a day, if there is a limit.
    pub qpd: Option<u64>,
    /// The copy of the log beside the cosigner, where steps are to be checked by replaying; none where by their transition proofs.
    pub copy: Option<Arc<dyn EntryCopy>>,
}

/// How one log is, for `/healthz`.
#[derive(Clone, Debug)]
pub struct IndexHealth {
    /// The log.
    pub origin: String,
    /// The size that was cosigned last.
    pub size: u64,
    /// When, if ever.
    pub time: Option<u64>,
    /// Why we cannot cosign it, if we cannot.
    pub problem: Option<String>,
}

/// By the SHA-256 of the origin.
type LogSlots = BTreeMap<Digest, Arc<LogSlot>>;

/// A reload of which nothing can fail any more.
pub struct Prepared<'a> {
    cosigner: &'a IndexCosigner,
    slots: LogSlots,
    known: BTreeMap<Digest, LogSettings>,
}

impl Prepared<'_> {
    /// Takes it over.
    pub fn commit(mut self) {
        for (digest, slot) in self.cosigner.slots().iter() {
            let gone = || LogSettings { log: slot.settings().log.clone(), wanted: false, qpd: None, copy: None };
            slot.set(self.known.remove(digest).unwrap_or_else(gone));
        }
        *self.cosigner.slots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.slots);
    }
}

impl IndexCosigner {
    /// Takes up every log, or none: a state that cannot be trusted keeps it from starting.
    pub fn open(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        let Parts { keyring, states, logs, witness } = parts;
        states.recover()?;
        let cosigner = Self { keyring, clock: WallClock::start(clock), states, witness, slots: RwLock::default() };
        cosigner.prepare(logs)?.commit();
        Ok(cosigner)
    }

    /// Reads what the config says of logs now, and changes nothing yet. Blocks on the disk.
    pub fn prepare(&self, logs: Vec<IndexedLog>) -> Result<Prepared<'_>, StateError> {
        let before = self.slots();
        let mut slots = LogSlots::clone(&before);
        let mut known = BTreeMap::new();
        for IndexedLog { log, qpd, copy } in logs {
            let digest = log.origin().digest();
            let settings = LogSettings { log, wanted: true, qpd, copy };
            if before.contains_key(&digest) {
                known.insert(digest, settings);
            } else {
                let loaded = self.states.load(settings.log.origin())?;
                slots.insert(digest, Arc::new(LogSlot::open(settings, loaded)));
            }
        }
        Ok(Prepared { cosigner: self, slots, known })
    }

    /// Our verifier keys.
    pub fn own(&self) -> WitnessKeys {
        self.keyring.own()
    }

    /// Whether a request with this head, of which `rest` bytes are still to come, is worth its room. Nothing is decided by that: another
    /// step may come before it.
    pub fn admits(&self, head: &[u8], rest: usize) -> Result<Origin, StepAnswer> {
        let head = StepHead::parse(head).map_err(StepAnswer::Malformed)?;
        let Some(slot) = self.wanted(head.checkpoint().origin()) else { return Err(StepAnswer::UnknownLog) };
        let most = head.longest_rest();
        let admitted = match slot.settings().log.verify(head.note()) {
            Err(error) => Err(StepAnswer::Untrusted(error)),
            Ok(_) if rest > most => Err(StepAnswer::TooLong { most }),
            Ok(_) => head.follows(slot.checked()).map_err(StepAnswer::from),
        };
        admitted.inspect_err(|answer| self.note(&slot, head.end(), answer))?;
        Ok(head.checkpoint().origin().clone())
    }

    /// Answers one `add-transition` request. Requests for one log wait for each other; those of different logs only for one of the few threads that check.
    pub fn add_transition(&self, body: &[u8]) -> StepAnswer {
        let request = match AddTransition::parse(body) {
            Ok(request) => request,
            Err(error) => return StepAnswer::Malformed(error),
        };
        let Some(slot) = self.wanted(request.checkpoint().origin()) else { return StepAnswer::UnknownLog };
        let answer = match slot.settings().log.verify(request.note()) {
            Ok(verified) => self.step(&slot, &request, &verified).unwrap_or_else(StepAnswer::Unavailable),
            Err(error) => StepAnswer::Untrusted(error),
        };
        self.note(&slot, request.end(), &answer);
        answer
    }

    fn step(
        &self,
        slot: &LogSlot,
        request: &AddTransition<'_>,
        verified: &LogSignedCheckpoint,
    ) -> Result<StepAnswer, Unavailable> {
        let mut checking = slot.checking();
        let record = checking.state.record()?.clone();
        // A change that an error interrupted was finished just now, so it is to be served too.
        slot.serve(&record);
        let cosigned = (record.head().size, record.head().root);
        let beyond = checking.beyond.filter(|(size, _)| *size > cosigned.0).unwrap_or(cosigned);
        let last = checking.replayed.as_ref().map_or(beyond, ReplayedTree::head);
        slot.set_checked(last);
        let checked = match &mut checking.replayed {
            Some(replayed) => replay(replayed, request, cosigned),
            None => check(request, last),
        };
        let step = match checked {
            Ok(step) => step,
            Err(refused) => {
                // What led to another tree than the one that was cosigned is replayed anew.
                if let Some(replayed) = &checking.replayed {
                    slot.set_checked(replayed.head());
                }
                self.keep_evidence(slot, &mut checking, request, verified, &refused);
                return Ok(refused.into());
            }
        };
        let tree = (step.size(), step.root());
        // What was replayed is not checked again, whether it can be signed now or not; and it may come again over what was cosigned before.
        if checking.replayed.is_some() {
            slot.set_checked(tree);
        }
        if step.size() < verified.checkpoint().size().max(cosigned.0) {
            checking.beyond = Some(tree);
            slot.set_checked(tree);
            return Ok(StepAnswer::Checked(step.size()));
        }
        let time = self.clock.time_after(&record)?;
        if let Err(seconds) = slot.take_cosignature(time.seconds()) {
            return Ok(StepAnswer::TooOften(seconds));
        }
        let signed = Cosigned::sign(verified, &self.keyring, time).inspect_err(|_| slot.put_back_cosignature())?;
        checking.state.advance(&signed)?;
        (checking.beyond, checking.replay_fault) = (None, None);
        slot.set_checked(tree);
        let lines = signed.lines().iter().map(ToString::to_string).collect();
        slot.serve(&LastCosigned::Cosigned(Box::new(signed)));
        Ok(StepAnswer::Cosigned(lines))
    }

    /// Reads on in the copies of the logs that are checked by replaying, each to its end, where something is missing of what was cosigned. To be called
    /// again and again; blocks on the disk, and takes some 50 microseconds an entry.
    pub fn replay_copies(&self) {
        for slot in self.slots().values() {
            let Some(copy) = slot.settings().copy.clone() else { continue };
            if let Err(fault) = catch_up(slot, &*copy) {
                let mut checking = slot.checking();
                let words = fault.to_string();
                if checking.replay_fault.as_ref() != Some(&words) {
                    tracing::error!(origin = %slot.origin, %fault, "the index cannot be replayed from the copy");
                    checking.replay_fault = Some(words);
                }
            }
        }
    }

    /// Keeps a step that convicts its log, with the log's own signature alone: what others added to the checkpoint proves nothing.
    fn keep_evidence(
        &self,
        slot: &LogSlot,
        checking: &mut Checking,
        request: &AddTransition<'_>,
        verified: &LogSignedCheckpoint,
        refused: &RefusedStep,
    ) {
        let may = refused.convicts() || matches!(refused, RefusedStep::Kind { .. } | RefusedStep::Entry { .. });
        if !may || checking.convicted == Some(request.end()) {
            return;
        }
        let Ok(step) = request.under(verified.note().clone()) else { return };
        let Ok(wrong) = wrong_entry(&step) else { return };
        slot.count(|counts| counts.wrong_entries += 1);
        let (origin, position) = (&slot.origin, wrong.position);
        match self.witness.keep_wrong_index(origin, &wrong, &WrongIndexStep::new(&step)) {
            Some(Ok(kept)) => {
                checking.convicted = Some(request.end());
                let left_out = slot.messages.wrong.admit(self.clock.steady());
                let kept = if kept == Kept::Full { "not kept: enough of it is" } else { "kept" };
                tracing::error!(%origin, position, %refused, ?left_out, evidence = kept, "THE LOG STATES A WRONG INDEX ROOT: not cosigned");
            }
            Some(Err(error)) => {
                tracing::error!(%origin, position, %refused, %error, "THE LOG STATES A WRONG INDEX ROOT, and the evidence cannot be kept");
            }
            // The witness of the folder does not know the log: its config was changed, and it is not ours any more.
            None => {}
        }
    }

    /// Counts an answer, and writes into the messages what an operator is to know, at most once a minute: who brings a step may be anybody.
    fn note(&self, slot: &LogSlot, size: u64, answer: &StepAnswer) {
        slot.count(|counts| *counts.answers.entry(answer.status()).or_default() += 1);
        let origin = &slot.origin;
        match answer {
            StepAnswer::Refused(error) => {
                if let Some(left_out) = slot.messages.refused.admit(self.clock.steady()) {
                    tracing::warn!(%origin, size, %error, left_out, "a step is refused");
                }
            }
            StepAnswer::Unavailable(error) => {
                if let Some(left_out) = slot.messages.unavailable.admit(self.clock.steady()) {
                    tracing::error!(%origin, size, %error, left_out, "cannot cosign");
                }
            }
            _ => {}
        }
    }

    /// The checkpoint that is served under an origin hash; none for a log that is not ours or not cosigned yet.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Arc<[u8]>> {
        self.slots().get(&Digest::from_hex(origin_hash).ok()?)?.served()
    }

    /// How each log is: its state read from the disk again, unless a step is being checked; the clock held against it.
    pub fn health(&self) -> Vec<IndexHealth> {
        let now = self.clock.now();
        let each = |slot: &Arc<LogSlot>| {
            let counts = slot.counts();
            let as_known = || (counts.size, Some(counts.time).filter(|time| *time > 0), None);
            let (size, time, problem) =
                slot.idle().map_or_else(as_known, |mut checking| look(&mut checking.state, now));
            let problem = problem.or_else(|| slot.idle().and_then(|checking| behind(&checking, size)));
            let problem = problem.or_else(|| self.clock.not_ahead(now).err().map(|error| error.to_string()));
            IndexHealth { origin: slot.origin.to_string(), size, time, problem }
        };
        self.slots().values().map(each).collect()
    }

    /// Settles every mark, and lets each file hold what was recorded of it.
    pub fn settle(&self) {
        for slot in self.slots().values() {
            if let Err(error) = slot.checking().state.settle_mark() {
                tracing::error!(origin = %slot.origin, %error, "cosigned, but the mark is not settled");
            }
        }
        if let Err(error) = self.states.flush() {
            tracing::error!(%error, "recorded, but the files of each log are not written");
        }
    }

    /// Prometheus lines.
    pub fn metrics(&self) -> String {
        let slots = self.slots();
        let logs: Vec<_> = slots.values().map(|slot| (slot.origin.as_str(), slot.counts())).collect();
        metrics::exposition(&logs)
    }

    fn slots(&self) -> Arc<LogSlots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wanted(&self, origin: &Origin) -> Option<Arc<LogSlot>> {
        self.slots().get(&origin.digest()).filter(|slot| slot.settings().wanted).cloned()
    }
}

/// A step, checked by what was replayed. A tree that comes over what was cosigned and is another one is left, and the copy is read again.
fn replay(
    replayed: &mut ReplayedTree,
    request: &AddTransition<'_>,
    cosigned: (u64, RootHash),
) -> Result<CheckedStep, RefusedStep> {
    let before = replayed.head().0;
    let step = replayed.check(request)?;
    if is_another(before, replayed, cosigned) {
        *replayed = ReplayedTree::new();
        return Err(RefusedStep::OldTree { checked: cosigned.1, found: step.root() });
    }
    Ok(step)
}

/// Replays a copy to its end, unless all that was cosigned is replayed. A step that is brought meanwhile goes in between.
fn catch_up(slot: &LogSlot, copy: &dyn EntryCopy) -> Result<(), ReplayFault> {
    let mut reader = Reader::new(copy, 0);
    let mut wanted = true;
    loop {
        let from = {
            let mut checking = slot.checking();
            let cosigned = checking.state.record().map_or(0, |record| record.head().size);
            let Some(replayed) = &checking.replayed else { return Ok(()) };
            // Looked at once: a copy that is behind the log is not read after each batch of it.
            if std::mem::take(&mut wanted) && replayed.head().0 > 0 && replayed.head().0 >= cosigned {
                return Ok(());
            }
            replayed.head().0
        };
        if reader.position() != from {
            reader = Reader::new(copy, from);
        }
        let Some(batch) = reader.batch()? else { return Ok(()) };
        let mut checking = slot.checking();
        let cosigned = checking.state.record().map(|record| (record.head().size, record.head().root));
        let Some(replayed) = &mut checking.replayed else { return Ok(()) };
        if replayed.head().0 != from {
            continue;
        }
        replayed.extend(&batch).map_err(ReplayFault::Wrong)?;
        if cosigned.is_ok_and(|cosigned| is_another(from, replayed, cosigned)) {
            *replayed = ReplayedTree::new();
            slot.set_checked(replayed.head());
            return Err(ReplayFault::OtherTree);
        }
        let now = replayed.head();
        checking.replay_fault = None;
        slot.set_checked(now);
    }
}

/// What is missing before a log that is checked by replaying can be cosigned.
fn behind(checking: &Checking, cosigned: u64) -> Option<String> {
    let replayed = checking.replayed.as_ref()?.head().0;
    let reading = || {
        format!(
            "replayed {replayed} of the {cosigned} entries that were cosigned: the copy is read, or the log brings them"
        )
    };
    checking.replay_fault.clone().or_else(|| (replayed < cosigned).then(reading))
}
