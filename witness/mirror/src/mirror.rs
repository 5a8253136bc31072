//! The mirror: what the witness cosigned, copied, read back, held against what was signed before, signed, recorded, served.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use stele_clock::Clock;
use stele_fetch::timed_files::TimedFiles;
use stele_spec::checkpoint::Origin;
use stele_spec::cosignature::{UnixTime, verify_cosignature};
use stele_spec::hash::Digest;
use stele_spec::note::{NoteSignature, SignedNote, VerifierKey};
use stele_spec::tile::TilePath;
use stele_spec::tiledlog::{TiledLog, TiledLogError};
use stele_witness_core::cosigned::{Cosigned, Record};
use stele_witness_core::keyring::{Keyring, Own};
use stele_witness_core::state::Shelf;
use stele_witness_core::trust::TrustedLog;

use crate::copy::copy;
use crate::error::MirrorError;
use crate::log_slot::{Busy, Desk, Terms};
use crate::metrics::{self, Brought};
use crate::store::Store;
use crate::upload::Upload;

/// The copies of a folder, and the keys that vouch for them.
pub struct Mirror {
    keyring: Keyring,
    /// The witness of the same folder: its line is verified and passed on.
    pub(crate) witness: Own,
    clock: Arc<dyn Clock>,
    shelf: Shelf,
    desks: RwLock<Arc<BTreeMap<Digest, Arc<Desk>>>>,
}

/// What a mirror is made of.
#[derive(Debug)]
pub struct Parts {
    /// Its keys.
    pub keyring: Keyring,
    /// The keys of the witness of the same folder.
    pub witness: Own,
    /// The mirror's own states and marks.
    pub shelf: Shelf,
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

/// What there is to sign.
enum Due {
    /// Nothing: a larger tree is signed.
    Behind,
    /// Nothing: this is what we signed last.
    Same(Box<Cosigned>),
    /// The checkpoint, with these lines of others.
    Anew { before: Box<Record>, lines: Vec<NoteSignature> },
}

impl Mirror {
    /// Takes up every copy. A state or a copy that cannot be trusted keeps it from starting.
    pub fn open(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, MirrorError> {
        let Parts { keyring, witness, shelf, logs } = parts;
        shelf.recover()?;
        let mirror = Self { keyring, witness, clock, shelf, desks: RwLock::default() };
        mirror.reload(logs)?;
        Ok(mirror)
    }

    /// Takes over what the config says of mirrored logs now; all or nothing. Blocks on the disk.
    pub fn reload(&self, logs: Vec<MirroredLog>) -> Result<(), MirrorError> {
        let before = self.desks();
        let mut desks = BTreeMap::clone(&before);
        let mut terms = BTreeMap::new();
        for MirroredLog { log, cosigners, pushed, folder } in logs {
            let origin = log.origin().clone();
            let now = Terms { log, cosigners, wanted: true, pushed };
            if before.contains_key(&origin.digest()) {
                terms.insert(origin.digest(), now);
            } else {
                let (state, store) = (self.shelf.load(&origin)?, Store::open(&folder)?);
                desks.insert(origin.digest(), Arc::new(Desk::open(origin, now, store, state)?));
            }
        }
        for (digest, desk) in before.iter() {
            let gone = || Terms { log: desk.terms().log.clone(), cosigners: Vec::new(), wanted: false, pushed: false };
            *desk.terms.write().unwrap_or_else(PoisonError::into_inner) =
                Arc::new(terms.remove(digest).unwrap_or_else(gone));
        }
        *self.desks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(desks);
        Ok(())
    }

    /// Our verifier keys.
    pub fn own(&self) -> Own {
        self.keyring.own()
    }

    /// Remembers the cosigners' lines on what a log shows, those that verify. A line that does not is left out: it is not what the
    /// log's own signature stands for.
    pub fn seen(&self, origin: &Origin, note: &SignedNote) {
        let Some(desk) = self.wanted(origin) else { return };
        let lines = lines_of(note, &desk.terms().cosigners);
        *desk.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((note.text().to_owned(), lines));
    }

    /// Copies a log up to what our witness cosigned of it, and signs that it is here. Blocks, for as long as the log is large.
    ///
    /// `None` where the log is not mirrored, or somebody is copying it.
    pub fn bring(&self, cosigned: &Cosigned, files: &TimedFiles) -> Option<Brought> {
        let desk = self.wanted(cosigned.checkpoint().origin())?;
        let busy = Busy::take(&desk.busy)?;
        let outcome = self.bring_to(&desk, cosigned, files);
        drop(busy);
        let (origin, size) = (&desk.origin, cosigned.checkpoint().size());
        let brought = match outcome {
            Ok(brought) => brought,
            Err(error) if error.is_the_logs() => {
                tracing::warn!(%origin, size, %error, "the copy did not get so far");
                Brought::Unread
            }
            Err(error) => {
                tracing::error!(%origin, size, %error, "not mirrored");
                Brought::Failed
            }
        };
        let missing = desk.store.missing_manifests().map(|missing| missing.len() as u64).unwrap_or_default();
        desk.count(|counts| {
            *counts.rounds.entry(brought).or_default() += 1;
            counts.missing = missing;
        });
        Some(brought)
    }

    fn bring_to(&self, desk: &Desk, cosigned: &Cosigned, files: &TimedFiles) -> Result<Brought, MirrorError> {
        if matches!(self.to_sign(desk, cosigned)?, Due::Behind | Due::Same(_)) {
            return Ok(Brought::Current);
        }
        copy(&desk.store, cosigned.checkpoint(), files)?;
        let signed = self.commit(desk, cosigned)?.is_some_and(|(anew, _)| anew);
        Ok(if signed { Brought::Signed } else { Brought::Current })
    }

    /// What is to be signed for what the witness cosigned.
    fn to_sign(&self, desk: &Desk, cosigned: &Cosigned) -> Result<Due, MirrorError> {
        let checkpoint = cosigned.checkpoint();
        let verified = desk.terms().log.verify(cosigned.note()).map_err(MirrorError::Untrusted)?;
        let before = desk.record()?;
        let known = before.head();
        if checkpoint.size() < known.size {
            return Ok(Due::Behind);
        }
        let mut lines = verified.note().signatures().to_vec();
        lines.extend(lines_of(cosigned.note(), &self.witness.keys().cloned().collect::<Vec<_>>()));
        lines.extend(desk.seen_on(cosigned.note().text()));
        // What was verified and kept before stays, where the log shows it no longer.
        let kept = before.cosigned().filter(|last| last.note().text() == cosigned.note().text());
        let known_lines = kept.map(|last| last.note().signatures().to_vec()).unwrap_or_default();
        lines.extend(known_lines.iter().filter(|line| self.keyring.own().meant_by(line).is_none()).cloned());
        // The same tree again is signed anew only when there are more cosigners' lines to pass on.
        let same = before.cosigned().filter(|last| {
            checkpoint.size() == known.size
                && last.note().text() == cosigned.note().text()
                && keys_of(&lines).all(|key| keys_of(last.note().signatures()).any(|has| has == key))
                && desk.serves()
        });
        Ok(match same {
            Some(last) => Due::Same(Box::new(last.clone())),
            None => Due::Anew { before: Box::new(before), lines },
        })
    }

    /// Signs a tree whose files are all here, records that, and serves it; the checkpoint with our lines and whether they are new. `None`
    /// where a larger one is signed already.
    pub(crate) fn commit(&self, desk: &Desk, cosigned: &Cosigned) -> Result<Option<(bool, Cosigned)>, MirrorError> {
        let _turn = desk.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, lines) = match self.to_sign(desk, cosigned)? {
            Due::Behind => return Ok(None),
            Due::Same(last) => return Ok(Some((false, *last))),
            Due::Anew { before, lines } => (before, lines),
        };
        let (checkpoint, known) = (cosigned.checkpoint(), before.head());
        // What is on the disk now is the tree, and it begins with what we signed.
        let here = TiledLog::open(&desk.store, checkpoint.clone()).map_err(|error| desk.damaged(error))?;
        match here.check_prefix(known.size, known.root) {
            Ok(()) => {}
            Err(TiledLogError::NotAPrefix { expected, .. }) => {
                let (origin, size) = (desk.origin.clone(), checkpoint.size());
                return Err(MirrorError::OtherHistory { origin, size, known: known.size, expected });
            }
            Err(error) => return Err(desk.damaged(error)),
        }
        let signed = Cosigned::sign_beside(cosigned.note(), lines, &self.keyring, self.time_after(&before)?)?;
        desk.state.lock().unwrap_or_else(PoisonError::into_inner).advance(&signed)?;
        desk.serve(&signed);
        if let Err(error) = desk.store.prune(known.size, checkpoint.size()) {
            tracing::warn!(origin = %desk.origin, %error, "old partial tiles are not removed");
        }
        // A mirror signs seldom: the mark is settled at once.
        desk.state.lock().unwrap_or_else(PoisonError::into_inner).settle_mark()?;
        if let Err(error) = self.shelf.flush() {
            tracing::warn!(origin = %desk.origin, %error, "recorded, but not in a file of its own yet");
        }
        Ok(Some((true, signed)))
    }

    fn time_after(&self, record: &Record) -> Result<UnixTime, MirrorError> {
        let now = self.clock.unix_seconds();
        let last = record.cosigned().map_or(1, |cosigned| cosigned.time().seconds());
        if now < last {
            return Err(MirrorError::ClockBack { now, last });
        }
        UnixTime::new(now).map_err(|_| MirrorError::ClockBack { now, last })
    }

    /// The checkpoint that is served under an origin hash.
    pub fn checkpoint(&self, origin_hash: &str) -> Option<Vec<u8>> {
        Some(self.desk_by(origin_hash)?.served()?.note.clone())
    }

    /// A file that is served under an origin hash: a tile or bundle of the tree that was signed. Blocks.
    pub fn tile(&self, origin_hash: &str, path: TilePath) -> Option<Vec<u8>> {
        let desk = self.desk_by(origin_hash)?;
        let size = desk.served()?.size;
        // What is copied and not signed yet is not served.
        desk.read(path.is_within(size).then(|| desk.store.tile(path))?)
    }

    /// A manifest that is served under an origin hash. Blocks.
    pub fn manifest(&self, origin_hash: &str, digest: Digest) -> Option<Vec<u8>> {
        let desk = self.desk_by(origin_hash)?;
        desk.served()?;
        desk.read(desk.store.manifest(digest)).filter(|bytes| Digest::of(bytes) == digest)
    }

    /// Prometheus lines.
    pub fn metrics(&self) -> String {
        let desks = self.desks();
        let logs: Vec<_> = desks.values().map(|desk| (desk.origin.as_str(), desk.counts())).collect();
        metrics::exposition(&logs)
    }

    fn desks(&self) -> Arc<BTreeMap<Digest, Arc<Desk>>> {
        self.desks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn desk_by(&self, origin_hash: &str) -> Option<Arc<Desk>> {
        self.desks().get(&Digest::from_hex(origin_hash).ok()?).cloned()
    }

    pub(crate) fn pushed(&self, upload: &Upload) -> Option<Arc<Desk>> {
        self.wanted(&upload.origin).filter(|desk| desk.terms().pushed)
    }

    fn wanted(&self, origin: &Origin) -> Option<Arc<Desk>> {
        self.desks().get(&origin.digest()).filter(|desk| desk.terms().wanted).cloned()
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
