//! What a mirror keeps of one log while it runs: its settings, its copy, its state, what is served of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use stele_durable::DurableError;
use stele_spec::checkpoint::Origin;
use stele_spec::note::{NoteSignature, VerifierKey};
use stele_spec::tiledlog::{TiledLog, TiledLogError};
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::state::LogState;
use stele_witness_core::trusted_log::TrustedLog;

use crate::error::MirrorError;
use crate::metrics::Counts;
use crate::store::Store;

/// What belongs to one log.
pub(crate) struct LogSlot {
    pub(crate) origin: Origin,
    pub(crate) settings: RwLock<Arc<LogSettings>>,
    pub(crate) store: Store,
    pub(crate) state: Mutex<LogState>,
    /// Somebody is copying.
    pub(crate) busy: AtomicBool,
    /// Held while a tree is signed: one signature at a time.
    pub(crate) signing: Mutex<()>,
    pub(crate) served: RwLock<Option<Arc<Served>>>,
    /// The newest note that the log showed, reduced to the lines of cosigners whose keys the config has.
    pub(crate) shown: Mutex<Option<(String, Vec<NoteSignature>)>>,
    pub(crate) counts: Mutex<Counts>,
}

/// The right to copy a log, given back also by a thread that panics.
pub(crate) struct Busy<'a>(&'a AtomicBool);

impl<'a> Busy<'a> {
    pub(crate) fn take(busy: &'a AtomicBool) -> Option<Self> {
        (!busy.swap(true, Ordering::AcqRel)).then_some(Self(busy))
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What the config says of a log.
pub(crate) struct LogSettings {
    pub(crate) log: TrustedLog,
    pub(crate) cosigners: Vec<VerifierKey>,
    pub(crate) wanted: bool,
    pub(crate) pushed: bool,
}

/// What is served of a log.
pub(crate) struct Served {
    pub(crate) note: Vec<u8>,
    pub(crate) size: u64,
}

impl LogSlot {
    /// The edge of the copy is read and hashed to what was signed. Where files are missing they are copied again before anything is
    /// served; a file with other bytes is an error.
    pub(crate) fn open(
        origin: Origin,
        settings: LogSettings,
        store: Store,
        (state, record): (LogState, LastCosigned),
    ) -> Result<Self, MirrorError> {
        let (settings, busy, counts) = (RwLock::new(Arc::new(settings)), AtomicBool::new(false), Mutex::default());
        let (state, served, shown) = (Mutex::new(state), RwLock::default(), Mutex::default());
        let signing = Mutex::default();
        let slot = Self { origin, settings, store, state, busy, signing, served, shown, counts };
        if let Some(cosigned) = record.cosigned() {
            match TiledLog::open(&slot.store, cosigned.checkpoint().clone()) {
                Ok(_) => slot.serve(cosigned),
                Err(TiledLogError::Missing { path }) => {
                    let (origin, folder) = (&slot.origin, slot.store.path().display());
                    tracing::error!(%origin, %folder, %path, "the copy is not whole: it is not served before it is copied again");
                    slot.store.recount()?;
                }
                Err(error) => return Err(slot.damaged(error)),
            }
        }
        Ok(slot)
    }

    pub(crate) fn damaged(&self, error: TiledLogError<DurableError>) -> MirrorError {
        MirrorError::damaged(&self.origin, self.store.path().display().to_string(), error)
    }

    pub(crate) fn record(&self) -> Result<LastCosigned, MirrorError> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).record()?.clone())
    }

    pub(crate) fn settings(&self) -> Arc<LogSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn served(&self) -> Option<Arc<Served>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn serves(&self) -> bool {
        self.served().is_some()
    }

    pub(crate) fn serve(&self, cosigned: &Cosigned) {
        let size = cosigned.checkpoint().size();
        let served = Served { note: cosigned.to_bytes(), size };
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(served));
        self.count(|counts| {
            counts.size = size;
            counts.time = cosigned.time().seconds();
        });
    }

    pub(crate) fn seen_on(&self, text: &str) -> Vec<NoteSignature> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().filter(|(of, _)| of == text).map(|(_, lines)| lines.clone()).unwrap_or_default()
    }

    pub(crate) fn read(&self, outcome: Result<Option<Vec<u8>>, DurableError>) -> Option<Vec<u8>> {
        outcome.unwrap_or_else(|error| {
            tracing::error!(origin = %self.origin, %error, "a file of the copy cannot be read");
            None
        })
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
