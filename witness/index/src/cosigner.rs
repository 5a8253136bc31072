//! The index cosigner: a step that a log brings, checked, signed when it leads to the checkpoint's tree, recorded, answered. Synchronous.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use stele_clock::Clock;
use stele_spec::checkpoint::Origin;
use stele_spec::cosignature::UnixTime;
use stele_spec::hash::Digest;
use stele_spec::indexcosigner::{AddTransition, RefusedStep, check};
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::{StateError, StateStore};
use stele_witness_core::trusted_log::{LogSignedCheckpoint, TrustedLog};

use crate::answer::{StepAnswer, Unavailable};
use crate::log_slot::{LogSettings, LogSlot};
use crate::metrics;

/// The cosigner of a folder, and its keys.
pub struct IndexCosigner {
    keyring: WitnessSigner,
    clock: Arc<dyn Clock>,
    states: StateStore,
    slots: RwLock<Arc<BTreeMap<Digest, Arc<LogSlot>>>>,
}

/// What an index cosigner is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its keys: no other cosigner's.
    pub keyring: WitnessSigner,
    /// Its own states and marks.
    pub states: StateStore,
    /// What it cosigns.
    pub logs: Vec<TrustedLog>,
}

impl IndexCosigner {
    /// Takes up every log, or none: a state that cannot be trusted keeps it from starting.
    pub fn open(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        let Parts { keyring, states, logs } = parts;
        states.recover()?;
        let cosigner = Self { keyring, clock, states, slots: RwLock::default() };
        cosigner.reload(logs)?;
        Ok(cosigner)
    }

    /// Takes over what the config says of logs now; all or nothing. Blocks on the disk.
    pub fn reload(&self, logs: Vec<TrustedLog>) -> Result<(), StateError> {
        let before = self.slots();
        let mut slots = BTreeMap::clone(&before);
        let mut known: BTreeMap<Digest, LogSettings> = BTreeMap::new();
        for log in logs {
            let digest = log.origin().digest();
            if before.contains_key(&digest) {
                known.insert(digest, LogSettings { log, wanted: true });
            } else {
                let loaded = self.states.load(log.origin())?;
                slots.insert(digest, Arc::new(LogSlot::open(log, loaded)));
            }
        }
        for (digest, slot) in before.iter() {
            let gone = || LogSettings { log: slot.settings().log.clone(), wanted: false };
            slot.set(known.remove(digest).unwrap_or_else(gone));
        }
        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(slots);
        Ok(())
    }

    /// Our verifier keys.
    pub fn own(&self) -> WitnessKeys {
        self.keyring.own()
    }

    /// Answers one `add-transition` request. Requests for one log wait for each other; those of different logs do not.
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
        self.note(&slot, &request, &answer);
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
        let cosigned = record.head();
        let beyond = checking.beyond.filter(|(size, _)| *size > cosigned.size);
        let step = match check(request, beyond.unwrap_or((cosigned.size, cosigned.root))) {
            Ok(step) => step,
            Err(RefusedStep::NotTheLast { checked, .. }) => return Ok(StepAnswer::NotTheLast(checked)),
            Err(refused) => return Ok(StepAnswer::Refused(refused)),
        };
        if step.size() < verified.checkpoint().size() {
            checking.beyond = Some((step.size(), step.root()));
            return Ok(StepAnswer::Checked(step.size()));
        }
        let signed = Cosigned::sign(verified, &self.keyring, self.time_after(&record)?)?;
        checking.state.advance(&signed)?;
        checking.beyond = None;
        let lines = signed.lines().iter().map(ToString::to_string).collect();
        slot.serve(&LastCosigned::Cosigned(Box::new(signed)));
        Ok(StepAnswer::Cosigned(lines))
    }

    /// Time never goes back for a log.
    fn time_after(&self, record: &LastCosigned) -> Result<UnixTime, Unavailable> {
        let now = self.clock.unix_seconds();
        let last = record.cosigned().map_or(1, |cosigned| cosigned.time().seconds());
        let time = UnixTime::new(now).ok().filter(|_| now >= last);
        time.ok_or(Unavailable::Clock { now, last })
    }

    fn note(&self, slot: &LogSlot, request: &AddTransition<'_>, answer: &StepAnswer) {
        slot.count(|counts| *counts.answers.entry(answer.status()).or_default() += 1);
        let (origin, size) = (&slot.origin, request.end());
        match answer {
            StepAnswer::Refused(error) if error.convicts() => {
                slot.count(|counts| counts.wrong_roots += 1);
                tracing::error!(%origin, size, %error, "THE LOG STATES A WRONG INDEX ROOT: not cosigned");
            }
            StepAnswer::Refused(error) => tracing::warn!(%origin, size, %error, "a step is refused"),
            StepAnswer::Unavailable(error) => tracing::error!(%origin, size, %error, "cannot cosign"),
            _ => {}
        }
    }

    /// The checkpoint that is served under an origin hash; none for a log that is not ours or not cosigned yet.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Arc<[u8]>> {
        self.slots().get(&Digest::from_hex(origin_hash).ok()?)?.served()
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

    fn slots(&self) -> Arc<BTreeMap<Digest, Arc<LogSlot>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wanted(&self, origin: &Origin) -> Option<Arc<LogSlot>> {
        self.slots().get(&origin.digest()).filter(|slot| slot.settings().wanted).cloned()
    }
}
