//! What a witness keeps of one log while it runs: its settings, its state, what is served of it, quotas, counters, evidence held.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use stele_spec::checkpoint::Origin;

use crate::counters::Counters;
use crate::daily_quota::DailyQuota;
use crate::held::Held;
use crate::message_rate::MessageRate;
use crate::record::LastCosigned;
use crate::state::LogState;
use crate::trusted_log::TrustedLog;

/// How many subtrees of a log are signed a day for strangers: ten a minute, an hour's worth at once.
pub const SUBTREES_A_DAY: u64 = 14_400;

/// What the config says of a log.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Its origin and keys.
    pub log: TrustedLog,
    /// Whether it is cosigned; the state of one that is not stays.
    pub serves: bool,
    /// The most cosignatures a day, if there is a limit.
    pub qpd: Option<u64>,
    /// Where and how often it is asked, if it does not call.
    pub pull: Option<Pull>,
}

/// Where and how often a log is asked for its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The address of its static files.
    pub url: String,
    /// The time between two questions, while all is well.
    pub every: Duration,
}

/// What belongs to one log. A slot stays as long as the process: a log that is disabled or gone from the config and comes back finds the
/// state that it had, and never a second one beside it.
pub struct LogSlot {
    origin: Origin,
    settings: RwLock<Arc<LogSettings>>,
    quota: Mutex<DailyQuota>,
    subtrees: Mutex<DailyQuota>,
    state: Mutex<LogState>,
    served: RwLock<Option<Arc<[u8]>>>,
    held: Mutex<Vec<Held>>,
    pub(crate) counters: Counters,
    pub(crate) conflict_messages: MessageRate,
}

impl LogSlot {
    pub(crate) fn open(settings: LogSettings, state: LogState, record: &LastCosigned) -> Self {
        let slot = Self {
            origin: settings.log.origin().clone(),
            settings: RwLock::new(Arc::new(settings)),
            quota: Mutex::default(),
            subtrees: Mutex::default(),
            state: Mutex::new(state),
            served: RwLock::default(),
            held: Mutex::default(),
            counters: Counters::default(),
            conflict_messages: MessageRate::default(),
        };
        slot.serve(record);
        slot
    }

    /// The log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What the config says of it now.
    pub fn settings(&self) -> Arc<LogSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, settings: LogSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Its state, for one at a time. A thread that panicked within has left it uncertain, and the files are read again.
    pub(crate) fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the mark say that the last change is done.
    pub fn settle_mark(&self) {
        if let Err(error) = self.state().settle_mark() {
            tracing::error!(origin = %self.origin, %error, "cosigned, but the mark is not settled");
        }
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

    pub(crate) fn take_subtree(&self, now: u64) -> Result<(), u64> {
        self.subtrees.lock().unwrap_or_else(PoisonError::into_inner).take(SUBTREES_A_DAY, now)
    }

    pub(crate) fn put_back_subtree(&self) {
        self.subtrees.lock().unwrap_or_else(PoisonError::into_inner).put_back();
    }

    pub(crate) fn hold(&self, file: Held) {
        self.counters.note(|counts| *counts.held.entry(file.kind).or_default() += 1);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    pub(crate) fn held(&self) -> Vec<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn served(&self) -> Option<Arc<[u8]>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn serve(&self, record: &LastCosigned) {
        let Some(cosigned) = record.cosigned() else { return };
        let bytes: Arc<[u8]> = cosigned.to_bytes().into();
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
        self.counters.note(|counts| {
            counts.size = cosigned.checkpoint().size();
            counts.time = cosigned.time().seconds();
        });
    }
}

impl LogSettings {
    /// Where and how often it is asked now.
    pub fn pulls(&self) -> Option<&Pull> {
        self.pull.as_ref().filter(|_| self.serves)
    }
}
