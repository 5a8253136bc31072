//! The mirror: what the witness cosigned, copied, read back, held against what was signed before, signed, recorded, served.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use stele_clock::Clock;
use stele_durable::Disk;
use stele_explain::Explain as _;
use stele_fetch::timed_files::TimedFiles;
use stele_spec::checkpoint::Origin;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::Digest;
use stele_spec::note::{NoteSignature, SignedNote, VerifierKey};
use stele_spec::tile::TilePath;
use stele_spec::tiledlog::{TiledLog, TiledLogError};
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::StateStore;
use stele_witness_core::trusted_log::TrustedLog;
use stele_witness_core::wall_clock::WallClock;

use crate::copy::{copy, keep_end};
use crate::error::MirrorError;
use crate::log_slot::{Busy, LogSettings, LogSlot};
use crate::metrics::{self, CopyOutcome, Counts};
use crate::store::Store;
use crate::upload::Upload;

/// The copies of a folder, and the keys that vouch for them.
pub struct Mirror {
    keyring: WitnessSigner,
    /// The witness of the same folder: its line is verified and passed on.
    pub(crate) witness: WitnessKeys,
    clock: WallClock,
    states: StateStore,
    disk: Arc<dyn Disk>,
    slots: RwLock<Arc<BTreeMap<Digest, Arc<LogSlot>>>>,
}

/// What a mirror is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its keys.
    pub keyring: WitnessSigner,
    /// The keys of the witness of the same folder.
    pub witness: WitnessKeys,
    /// The mirror's own states and marks.
    pub states: StateStore,
    /// The disk of the copies.
    pub disk: Arc<dyn Disk>,
    /// What is mirrored.
    pub logs: Vec<MirroredLog>,
}

/// A log that is to be mirrored.
#[derive(Clone, Debug)]
pub struct MirroredLog {
    /// Its origin and keys.
    pub log: TrustedLog,
    /// Whose lines are passed on with the checkpoint, besides our witness's.
    pub cosigners: Vec<VerifierKey>,
    /// Whether anybody may bring its entries.
    pub pushed: bool,
    /// The folder of the copy.
    pub folder: PathBuf,
}

/// How the copy of one log is, for `/healthz`.
#[derive(Clone, Debug)]
pub struct MirrorHealth {
    /// The log.
    pub origin: String,
    /// The size that was signed last.
    pub size: u64,
    /// When, in Unix seconds, if ever.
    pub time: Option<u64>,
    /// Why nothing newer is signed, where that is none of the log's.
    pub problem: Option<String>,
}

/// What there is to sign.
enum SignDue {
    /// Nothing: a larger tree is signed.
    Behind,
    /// Nothing: this is what we signed last.
    Same(Box<Cosigned>),
    /// The checkpoint, with these lines of others.
    Anew { before: Box<LastCosigned>, lines: Vec<NoteSignature> },
}

/// A reload of which nothing can fail any more.
pub struct Prepared<'a> {
    mirror: &'a Mirror,
    slots: BTreeMap<Digest, Arc<LogSlot>>,
    settings: BTreeMap<Digest, LogSettings>,
}

impl Prepared<'_> {
    /// Takes it over.
    pub fn commit(mut self) {
        for (digest, slot) in self.mirror.slots().iter() {
            let gone = || LogSettings {
                log: slot.settings().log.clone(),
                cosigners: Vec::new(),
                wanted: false,
                pushed: false,
            };
            *slot.settings.write().unwrap_or_else(PoisonError::into_inner) =
                Arc::new(self.settings.remove(digest).unwrap_or_else(gone));
        }
        *self.mirror.slots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.slots);
    }
}

impl Mirror {
    /// Takes up every copy. A state or a copy that cannot be trusted keeps it from starting.
    pub fn open(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, MirrorError> {
        let Parts { keyring, witness, states, disk, logs } = parts;
        states.recover()?;
        let mirror = Self { keyring, witness, clock: WallClock::start(clock), states, disk, slots: RwLock::default() };
        mirror.reload(logs)?;
        Ok(mirror)
    }

    /// Takes over what the config says of mirrored logs now; all or nothing. Blocks on the disk.
    pub fn reload(&self, logs: Vec<MirroredLog>) -> Result<(), MirrorError> {
        self.prepare(logs).map(Prepared::commit)
    }

    /// Reads what a reload needs, and changes nothing yet. Blocks on the disk.
    pub fn prepare(&self, logs: Vec<MirroredLog>) -> Result<Prepared<'_>, MirrorError> {
        let before = self.slots();
        let mut slots = BTreeMap::clone(&before);
        let mut settings = BTreeMap::new();
        for MirroredLog { log, cosigners, pushed, folder } in logs {
            let origin = log.origin().clone();
            let now = LogSettings { log, cosigners, wanted: true, pushed };
            if before.contains_key(&origin.digest()) {
                settings.insert(origin.digest(), now);
            } else {
                let (loaded, store) = (self.states.load(&origin)?, Store::open_on(self.disk.clone(), &folder)?);
                slots.insert(origin.digest(), Arc::new(LogSlot::open(origin, now, store, loaded)?));
            }
        }
        Ok(Prepared { mirror: self, slots, settings })
    }

    /// Our verifier keys.
    pub fn own(&self) -> WitnessKeys {
        self.keyring.own()
    }

    /// Remembers the cosigners' lines on what a log shows, those that verify. A line that does not is left out: it is not what the
    /// log's own signature stands for.
    pub fn seen(&self, origin: &Origin, note: &SignedNote) {
        let Some(slot) = self.wanted(origin) else { return };
        let lines = lines_of(note, &slot.settings().cosigners);
        *slot.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((note.text().to_owned(), lines));
    }

    /// Copies a log up to what our witness cosigned of it, and signs that it is here. Blocks, for as long as the log is large.
    ///
    /// `None` where the log is not mirrored, or somebody is copying it.
    pub fn copy_to(&self, cosigned: &Cosigned, files: &TimedFiles) -> Option<CopyOutcome> {
        let slot = self.wanted(cosigned.checkpoint().origin())?;
        let busy = Busy::take(&slot.busy)?;
        let outcome = self.copy_and_sign(&slot, cosigned, files);
        if outcome.is_ok()
            && let Err(error) = keep_end(&slot.store, &slot.settings().log, files)
        {
            tracing::warn!(origin = %slot.origin, %error, "what the log says of its end is not kept");
        }
        drop(busy);
        let (origin, size) = (&slot.origin, cosigned.checkpoint().size());
        let problem = outcome.as_ref().err().and_then(MirrorError::problem);
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) if error.is_the_logs() => {
                tracing::warn!(%origin, size, %error, "the copy did not get so far");
                CopyOutcome::Unread
            }
            Err(error) => {
                let hint = error.hint().unwrap_or_default();
                tracing::error!(%origin, size, %error, hint, "not mirrored");
                CopyOutcome::Failed
            }
        };
        let missing = slot.store.missing_manifests().map(|missing| missing.len() as u64).unwrap_or_default();
        slot.count(|counts| {
            *counts.rounds.entry(outcome).or_default() += 1;
            counts.missing = missing;
            counts.problem = problem;
        });
        Some(outcome)
    }

    fn copy_and_sign(
        &self,
        slot: &LogSlot,
        cosigned: &Cosigned,
        files: &TimedFiles,
    ) -> Result<CopyOutcome, MirrorError> {
        if matches!(self.to_sign(slot, cosigned)?, SignDue::Behind | SignDue::Same(_)) {
            return Ok(CopyOutcome::Current);
        }
        copy(&slot.store, cosigned.checkpoint(), files)?;
        let signed = self.commit(slot, cosigned)?.is_some_and(|(anew, _)| anew);
        Ok(if signed { CopyOutcome::Signed } else { CopyOutcome::Current })
    }

    /// What is to be signed for what the witness cosigned.
    fn to_sign(&self, slot: &LogSlot, cosigned: &Cosigned) -> Result<SignDue, MirrorError> {
        let checkpoint = cosigned.checkpoint();
        let verified = slot.settings().log.verify(cosigned.note()).map_err(MirrorError::Untrusted)?;
        let before = slot.record()?;
        let known = before.head();
        if checkpoint.size() < known.size {
            return Ok(SignDue::Behind);
        }
        let mut lines = verified.note().signatures().to_vec();
        lines.extend(lines_of(cosigned.note(), &self.witness.keys().cloned().collect::<Vec<_>>()));
        lines.extend(slot.seen_on(cosigned.note().text()));
        // What was verified and kept before stays, where the log shows it no longer.
        let kept = before.cosigned().filter(|last| last.note().text() == cosigned.note().text());
        let known_lines = kept.map(|last| last.note().signatures().to_vec()).unwrap_or_default();
        lines.extend(known_lines.iter().filter(|line| self.keyring.own().meant_by(line).is_none()).cloned());
        // The same tree again is signed anew only when there are more cosigners' lines to pass on.
        let same = before.cosigned().filter(|last| {
            checkpoint.size() == known.size
                && last.note().text() == cosigned.note().text()
                && keys_of(&lines).all(|key| keys_of(last.note().signatures()).any(|has| has == key))
                && slot.serves()
        });
        Ok(match same {
            Some(last) => SignDue::Same(Box::new(last.clone())),
            None => SignDue::Anew { before: Box::new(before), lines },
        })
    }

    /// Signs a tree whose files are all here, records that, and serves it; the checkpoint with our lines and whether they are new. `None`
    /// where a larger one is signed already.
    pub(crate) fn commit(&self, slot: &LogSlot, cosigned: &Cosigned) -> Result<Option<(bool, Cosigned)>, MirrorError> {
        let _turn = slot.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, lines) = match self.to_sign(slot, cosigned)? {
            SignDue::Behind => return Ok(None),
            SignDue::Same(last) => return Ok(Some((false, *last))),
            SignDue::Anew { before, lines } => (before, lines),
        };
        let (checkpoint, known) = (cosigned.checkpoint(), before.head());
        // What is on the disk now is the tree, and it begins with what we signed.
        let here = TiledLog::open(&slot.store, checkpoint.clone()).map_err(|error| slot.damaged(error))?;
        match here.check_prefix(known.size, known.root) {
            Ok(()) => {}
            Err(TiledLogError::NotAPrefix { expected, .. }) => {
                let (origin, size) = (slot.origin.clone(), checkpoint.size());
                return Err(MirrorError::OtherHistory { origin, size, known: known.size, expected });
            }
            Err(error) => return Err(slot.damaged(error)),
        }
        let signed = Cosigned::sign_beside(cosigned.note(), lines, &self.keyring, self.clock.time_after(&before)?)?;
        slot.state.lock().unwrap_or_else(PoisonError::into_inner).advance(&signed)?;
        slot.serve(&signed);
        if let Err(error) = slot.store.prune(known.size, checkpoint.size()) {
            tracing::warn!(origin = %slot.origin, %error, "old partial tiles are not removed");
        }
        // A mirror signs seldom: the mark is settled at once.
        slot.state.lock().unwrap_or_else(PoisonError::into_inner).settle_mark()?;
        if let Err(error) = self.states.flush() {
            tracing::warn!(origin = %slot.origin, %error, "recorded, but not in a file of its own yet");
        }
        Ok(Some((true, signed)))
    }

    /// The checkpoint that is served under an origin hash.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Vec<u8>> {
        Some(self.slot_by(origin_hash)?.served()?.note.clone())
    }

    /// A file that is served under an origin hash: a tile or bundle of the tree that was signed. Blocks.
    pub fn tile(&self, origin_hash: &str, path: TilePath) -> Option<Vec<u8>> {
        let slot = self.slot_by(origin_hash)?;
        let size = slot.served()?.size;
        // What is copied and not signed yet is not served.
        slot.read(path.is_within(size).then(|| slot.store.tile(path))?)
    }

    /// Entries of a log's copy from a position on, to the end of their bundle; none where what was signed ends before. Each is in the tree that was signed. Blocks.
    pub fn entries(&self, origin: &Origin, from: u64) -> Result<Vec<Vec<u8>>, MirrorError> {
        let Some(slot) = self.slots().get(&origin.digest()).cloned() else { return Ok(Vec::new()) };
        let record = slot.record()?;
        let Some(signed) = record.cosigned().filter(|signed| from < signed.checkpoint().size()) else {
            return Ok(Vec::new());
        };
        let log = TiledLog::open(&slot.store, signed.checkpoint().clone()).map_err(|error| slot.damaged(error))?;
        let chunk = log.entries(from).next().transpose().map_err(|error| slot.damaged(error))?;
        Ok(chunk.map(|chunk| chunk.entries).unwrap_or_default())
    }

    /// What the log says of its end, under an origin hash. Blocks.
    pub fn end(&self, origin_hash: &str) -> Option<Vec<u8>> {
        let slot = self.slot_by(origin_hash)?;
        slot.served()?;
        slot.read(slot.store.end())
    }

    /// A manifest that is served under an origin hash. Blocks.
    pub fn manifest(&self, origin_hash: &str, digest: Digest) -> Option<Vec<u8>> {
        let slot = self.slot_by(origin_hash)?;
        slot.served()?;
        slot.read(slot.store.manifest(digest)).filter(|bytes| Digest::of(bytes) == digest)
    }

    /// How the copy of each log is that is still wanted.
    pub fn health(&self) -> Vec<MirrorHealth> {
        let slots = self.slots();
        let wanted = slots.values().filter(|slot| slot.settings().wanted);
        let each = |slot: &Arc<LogSlot>| {
            let Counts { size, time, problem, .. } = slot.counts();
            MirrorHealth { origin: slot.origin.to_string(), size, time: Some(time).filter(|time| *time > 0), problem }
        };
        wanted.map(each).collect()
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

    fn slot_by(&self, origin_hash: &str) -> Option<Arc<LogSlot>> {
        self.slots().get(&Digest::from_hex(origin_hash).ok()?).cloned()
    }

    pub(crate) fn pushed(&self, upload: &Upload) -> Option<Arc<LogSlot>> {
        self.wanted(&upload.origin).filter(|slot| slot.settings().pushed)
    }

    fn wanted(&self, origin: &Origin) -> Option<Arc<LogSlot>> {
        self.slots().get(&origin.digest()).filter(|slot| slot.settings().wanted).cloned()
    }
}

/// The lines of these cosigners, each verified, one a key.
fn lines_of(note: &SignedNote, keys: &[VerifierKey]) -> Vec<NoteSignature> {
    let line = |key: &VerifierKey| {
        let good = |line: &&NoteSignature| verify_cosignature(note.text(), line, key).is_ok();
        note.signatures().iter().filter(|line| key.is_meant_by(line)).find(good).cloned()
    };
    keys.iter().filter_map(line).collect()
}

/// Whose lines they are.
fn keys_of(lines: &[NoteSignature]) -> impl Iterator<Item = (String, u32)> {
    lines.iter().map(|line| (line.name.to_string(), line.hash.as_u32()))
}
