//! What an index cosigner keeps of one log while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use stele_spec::checkpoint::Origin;
use stele_spec::hash::RootHash;
use stele_spec::indexcosigner::ReplayedTree;
use stele_witness_core::daily_quota::DailyQuota;
use stele_witness_core::message_rate::MessageRate;
use stele_witness_core::record::LastCosigned;
use stele_witness_core::state::LogState;
use stele_witness_core::trusted_log::TrustedLog;

use crate::metrics::Counts;
use crate::replay::EntryCopy;

/// What belongs to one log. A slot stays as long as the process.
pub(crate) struct LogSlot {
    pub(crate) origin: Origin,
    settings: RwLock<Arc<LogSettings>>,
    quota: Mutex<DailyQuota>,
    checking: Mutex<Checking>,
    /// What was checked last, for who asks before it is his turn.
    checked: Mutex<(u64, RootHash)>,
    served: RwLock<Option<Arc<[u8]>>>,
    counts: Mutex<Counts>,
    pub(crate) messages: Messages,
}

/// What the config says of a log.
pub(crate) struct LogSettings {
    pub(crate) log: TrustedLog,
    /// Whether it is cosigned; the state of one that is not stays.
    pub(crate) wanted: bool,
    /// The most cosignatures a day, if there is a limit.
    pub(crate) qpd: Option<u64>,
    /// The copy of the log whose index is kept, where steps are checked by replaying.
    pub(crate) copy: Option<Arc<dyn EntryCopy>>,
}

/// The state, for one at a time.
pub(crate) struct Checking {
    pub(crate) state: LogState,
    /// A tree beyond what was cosigned, of which every index entry was checked; in memory alone.
    pub(crate) beyond: Option<(u64, RootHash)>,
    /// Where steps are checked by replaying, the tree of which every index entry was checked, with its index. It may be behind what was cosigned.
    pub(crate) replayed: Option<ReplayedTree>,
    /// What keeps the copy from being replayed, if anything does.
    pub(crate) replay_fault: Option<String>,
    /// The end of the step that was kept as evidence last: who repeats it causes no more work.
    pub(crate) convicted: Option<u64>,
}

/// The kinds of messages about a log: anybody may bring a step that is refused.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) wrong: MessageRate,
    pub(crate) refused: MessageRate,
    pub(crate) unavailable: MessageRate,
}

impl LogSlot {
    pub(crate) fn open(settings: LogSettings, (state, record): (LogState, LastCosigned)) -> Self {
        let head = record.head();
        let replayed = settings.copy.is_some().then(ReplayedTree::new);
        let checked = replayed.as_ref().map_or((head.size, head.root), ReplayedTree::head);
        let slot = Self {
            origin: settings.log.origin().clone(),
            settings: RwLock::new(Arc::new(settings)),
            quota: Mutex::default(),
            checking: Mutex::new(Checking { state, beyond: None, replayed, replay_fault: None, convicted: None }),
            checked: Mutex::new(checked),
            served: RwLock::default(),
            counts: Mutex::default(),
            messages: Messages::default(),
        };
        slot.serve(&record);
        slot
    }

    pub(crate) fn settings(&self) -> Arc<LogSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what the config says now. Waits for the step that is being checked.
    pub(crate) fn set(&self, settings: LogSettings) {
        let mut checking = self.checking();
        if settings.copy.is_some() != checking.replayed.is_some() {
            checking.replayed = settings.copy.is_some().then(ReplayedTree::new);
            checking.replay_fault = None;
        }
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// A thread that panicked within has left the state uncertain, and the files are read again.
    pub(crate) fn checking(&self) -> MutexGuard<'_, Checking> {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless a step is being checked.
    pub(crate) fn idle(&self) -> Option<MutexGuard<'_, Checking>> {
        match self.checking.try_lock() {
            Ok(checking) => Some(checking),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The tree that was checked last. It may grow any moment.
    pub(crate) fn checked(&self) -> (u64, RootHash) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_checked(&self, tree: (u64, RootHash)) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = tree;
    }

    /// Takes one of the cosignatures of the day, where they are limited, or says in how many seconds there will be one.
    pub(crate) fn take_cosignature(&self, now: u64) -> Result<(), u64> {
        let Some(qpd) = self.settings().qpd else { return Ok(()) };
        self.quota.lock().unwrap_or_else(PoisonError::into_inner).take(qpd, now)
    }

    /// Gives back one that was not made.
    pub(crate) fn put_back_cosignature(&self) {
        if self.settings().qpd.is_some() {
            self.quota.lock().unwrap_or_else(PoisonError::into_inner).put_back();
        }
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
