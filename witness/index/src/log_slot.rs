//! What an index cosigner keeps of one log while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use stele_spec::checkpoint::Origin;
use stele_spec::hash::RootHash;
use stele_witness_core::record::LastCosigned;
use stele_witness_core::state::LogState;
use stele_witness_core::trusted_log::TrustedLog;

use crate::metrics::Counts;

/// What belongs to one log. A slot stays as long as the process.
pub(crate) struct LogSlot {
    pub(crate) origin: Origin,
    settings: RwLock<Arc<LogSettings>>,
    checking: Mutex<Checking>,
    served: RwLock<Option<Arc<[u8]>>>,
    counts: Mutex<Counts>,
}

/// What the config says of a log.
pub(crate) struct LogSettings {
    pub(crate) log: TrustedLog,
    /// Whether it is cosigned; the state of one that is not stays.
    pub(crate) wanted: bool,
}

/// The state, for one at a time.
pub(crate) struct Checking {
    pub(crate) state: LogState,
    /// A tree beyond what was cosigned, of which every index entry was checked; in memory alone.
    pub(crate) beyond: Option<(u64, RootHash)>,
}

impl LogSlot {
    pub(crate) fn open(log: TrustedLog, (state, record): (LogState, LastCosigned)) -> Self {
        let slot = Self {
            origin: log.origin().clone(),
            settings: RwLock::new(Arc::new(LogSettings { log, wanted: true })),
            checking: Mutex::new(Checking { state, beyond: None }),
            served: RwLock::default(),
            counts: Mutex::default(),
        };
        slot.serve(&record);
        slot
    }

    pub(crate) fn settings(&self) -> Arc<LogSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, settings: LogSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// A thread that panicked within has left the state uncertain, and the files are read again.
    pub(crate) fn checking(&self) -> MutexGuard<'_, Checking> {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn served(&self) -> Option<Arc<[u8]>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn serve(&self, record: &LastCosigned) {
        let Some(cosigned) = record.cosigned() else { return };
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Some(cosigned.to_bytes().into());
        self.count(|counts| {
            counts.size = cosigned.checkpoint().size();
            counts.time = cosigned.time().seconds();
        });
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
