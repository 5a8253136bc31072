//! A standby: it reads what is published as it comes, shows it to readers, watches the lock, and becomes the writer when that one is gone, or when it is told to.
//!
//! ```text
//! following ── silence, or told ──> fence ── won ──> recover, from what was read ──> the writer
//!     ^─────────────────────────── lost ──┘
//! ```
//!
//! Until its fence it signs nothing and writes nothing to the store. Clocks and answers decide when it fences, never whether that is safe: from the fence on
//! no run before it can append a tree head, and only then is anything finished that was begun.
//!
//! A run that began as a standby and was overtaken as the writer ends with [`LogError::Overtaken`], and is begun anew as a standby. Each time it then waits
//! twice as long before it takes over by itself, so that two machines that do not hear each other take the log from each other ever more seldom.

use crate::config::Config;
use crate::error::{LogError, StorageError};
use crate::intake::Intake;
use crate::lookup::DerivedLookup;
use crate::mailbox::{Mailbox, Woken};
use crate::options::Options;
use crate::running::Running;
use crate::storage::{SharedStorage, failed};
use crate::writing::{Writing, begin};
use std::sync::Arc;
use std::time::Duration;
use stele_clock::Clock;
use stele_durable::Dir;
use stele_explain::Explain as _;
use stele_log_core::assembly::Parts;
use stele_log_core::contract::head_store::HeadErrorKind;
use stele_log_core::detection::Detection;
use stele_log_core::follower::{FollowError, Follower};
use stele_log_core::log_keys::LogSigner;
use stele_log_core::recover::{Recovered, recover};
use stele_log_core::resign::resign;
use stele_log_core::running_log::{LogParts, RunningLog};
use stele_log_core::settings::Settings;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::status::{Gauge, StandbyState, WriterState};
use stele_log_core::tiles::TileStore;
use stele_log_storage_objects::lock_watch::{Fenced, Why};
use stele_object_store::lock::{LockError, LockErrorKind};
use stele_spec::merkle::empty_root;
use stele_spec::policy::TrustedCheckpoint;

/// How often it looks within the time of detection, and how long it rests between two looks at most.
const LOOKS: u32 = 5;
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How long the writer may take to say how it is, at most: one that is stopped answers nothing.
const ANSWER: Duration = Duration::from_secs(2);

/// The longest silence that is waited for, however often this process was overtaken: the longest that the config may ask for.
const LONGEST_SILENCE: Duration = Duration::from_secs(3600);
const MOST_DOUBLED: u32 = 12;

/// What a writer says of itself that holds its lock and does what can be done.
const AT_WORK: [&str; 5] = ["running", "starting", "asking-witnesses", "below-quorum", "disk-full"];

/// A run that follows the writer of a log.
pub(crate) struct Standby {
    log: Arc<RunningLog>,
    storage: SharedStorage,
    follower: Follower,
    signer: LogSigner,
    /// What it calls itself in the lock.
    name: String,
    detection: Detection,
    rest: Duration,
    answer: Duration,
    /// Since when the run is known that holds the lock, by the steady clock.
    writer_since: Duration,
    /// Whether the writer was heard of at the last look.
    is_heard: bool,
    /// When it had read all that was published, in Unix seconds.
    current_at: u64,
    problem: Option<(&'static str, String)>,
}

/// Why a look failed.
enum Unseen {
    /// The store or the lock does not answer as it should: it is looked again.
    Passing(&'static str, String),
    /// Going on would follow what is wrong.
    Wrong(LogError),
}

impl Standby {
    /// Reads everything that is published, as a start does, and shows it. `overtaken` is how often this process was before.
    pub(crate) fn begin(
        options: Options,
        overtaken: u32,
        storage: SharedStorage,
        data: &Dir,
        name: String,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let Options { config, signer, policy, .. } = options;
        let (store, keys) = (TileStore::new(&storage.objects), signer.keys());
        let mut follower = Follower::default();
        let published = follower.follow(&store, &keys, &policy, clock.unix_seconds())?;
        follower.keep_rows();
        let (size, root) = match &published {
            Some(published) => (published.size(), published.root()),
            None => (0, empty_root()),
        };
        let lookup = DerivedLookup::open(data, &store, size, root);
        let lookup = Box::new(lookup.map_err(|source| LogError::Machine { what: "a thread", source })?);
        let settings = Settings { policy, rules: config.rules() };
        let views = follower.views().clone();
        let Config { origin, standby, .. } = config;
        let log = RunningLog::new(LogParts { origin, keys, settings, store, lookup, views }, clock.clone());
        let silence = Duration::from_secs(standby.detect_seconds);
        let patience = silence.saturating_mul(1 << overtaken.min(MOST_DOUBLED)).min(LONGEST_SILENCE);
        let mut standby = Self {
            current_at: log.now(),
            writer_since: clock.steady(),
            is_heard: true,
            detection: Detection::new(patience, clock.steady()),
            rest: (silence / LOOKS).min(LONGEST_REST),
            answer: (silence / 2).min(ANSWER),
            log,
            storage,
            follower,
            signer,
            name,
            problem: None,
        };
        if let Some(published) = published {
            standby.show(published);
        }
        standby.report();
        tracing::info!(size, writer = standby.storage.lock.writer(), "a standby");
        Ok(standby)
    }

    /// What it shares with readers.
    pub(crate) fn log(&self) -> &Arc<RunningLog> {
        &self.log
    }

    /// Follows, until it is the writer; nothing where it was told to stop.
    pub(crate) fn stand_by(mut self, mailbox: &Mailbox, intake: &Intake) -> Result<Option<Writing>, LogError> {
        loop {
            self.look()?;
            if self.detection.is_due(self.now()) && self.fence(Why::Silence)? || self.storage.lock.is_held() {
                return self.take_over(mailbox, intake).map(Some);
            }
            self.report();
            match mailbox.rest(self.rest) {
                Woken::Idle => {}
                Woken::Changed(settings) => self.log.set_settings(settings),
                Woken::Stop => {
                    self.log.lookup.flush();
                    return Ok(None);
                }
                Woken::TakeOver(told_at) => {
                    self.look()?;
                    if self.writer_since >= told_at {
                        let writer = self.storage.lock.writer();
                        tracing::info!(writer, "told to take over, and another run has since: nothing is done");
                    } else if self.fence(Why::Told)? {
                        return self.take_over(mailbox, intake).map(Some);
                    }
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.log.clock.steady()
    }

    /// Follows what is published, and listens for the writer.
    fn look(&mut self) -> Result<(), LogError> {
        match self.follow() {
            Ok(heard) => {
                self.problem = None;
                self.current_at = self.log.now();
                let cannot_be_asked = self.storage.lock.is_local_elsewhere(&self.name);
                if cannot_be_asked {
                    let message = "the writer's fence names an address that only its own machine reaches: set [standby] address there. Until then \
                                   nothing takes over by itself, only by SIGUSR1";
                    if self.log.status.alarm(self.now(), "standby-cannot-ask", message) {
                        tracing::warn!(writer = self.storage.lock.writer(), message);
                    }
                    self.problem = Some(("standby-cannot-ask", message.into()));
                }
                self.is_heard = heard || cannot_be_asked || self.writer_answers();
                if self.is_heard || self.storage.lock.is_new() {
                    let now = self.now();
                    self.detection.hear(now);
                }
                Ok(())
            }
            Err(Unseen::Passing(code, message)) => {
                let now = self.now();
                // Who cannot see the lock does not know that the writer is silent.
                self.detection.hear(now);
                if self.log.status.alarm(now, "standby-cannot-follow", &message) {
                    tracing::warn!(code, message, "what is published cannot be followed now");
                }
                self.problem = Some((code, message));
                self.is_heard = false;
                Ok(())
            }
            Err(Unseen::Wrong(error)) => Err(error),
        }
    }

    /// Whether there is a new record or checkpoint.
    fn follow(&mut self) -> Result<bool, Unseen> {
        let epoch = self.storage.lock.epoch();
        let is_moved = self.storage.lock.look()?;
        if self.storage.lock.epoch() != epoch {
            self.writer_since = self.now();
        }
        let settings = self.log.settings();
        let Some(published) =
            self.follower.follow(&self.log.store, &self.log.keys, &settings.policy, self.log.now())?
        else {
            return Ok(is_moved);
        };
        self.show(published);
        Ok(true)
    }

    fn show(&mut self, published: TrustedCheckpoint) {
        tracing::debug!(size = published.size(), "followed");
        self.follower.show(&self.log, published);
    }

    /// Whether the writer says that it is at work. One that is overtaken, is a standby itself or does not answer is none.
    fn writer_answers(&self) -> bool {
        let Some(address) = self.storage.lock.writer_address() else { return false };
        let health = Running::within(&address, self.answer).health();
        health
            .is_ok_and(|health| health.origin == self.log.origin.as_str() && AT_WORK.contains(&health.writer.as_str()))
    }

    /// Fences; whether the lock is this run's.
    fn fence(&mut self, why: Why) -> Result<bool, LogError> {
        tracing::info!(?why, writer = self.storage.lock.writer(), "taking over");
        let fenced = self.storage.lock.fence(&self.name, why).map_err(Unseen::from);
        let now = self.now();
        match fenced {
            Ok(Fenced::Won) => Ok(true),
            // Another was faster, or the writer is there after all: the whole time of detection passes anew.
            Ok(Fenced::Lost) => {
                self.detection.hear(now);
                Ok(false)
            }
            Err(Unseen::Passing(code, message)) => {
                self.detection.hear(now);
                self.problem = Some((code, message));
                Ok(false)
            }
            Err(Unseen::Wrong(error)) => Err(error),
        }
    }

    /// Behind the fence: what was signed last is finished, from what was read and what came since.
    fn take_over(self, mailbox: &Mailbox, intake: &Intake) -> Result<Writing, LogError> {
        let Self { log, storage, follower, signer, .. } = self;
        log.status.set_writer(WriterState::Starting);
        let read = follower.size();
        let staging = StagedBatches::new(&storage.objects);
        let heads = storage.into_held()?;
        let settings = log.settings();
        let replica = follower.into_replica();
        let finished = || -> Result<Recovered, LogError> {
            let mut found = recover(replica, &*heads, &staging, &log.store, &log.keys, &settings.policy, log.now())?;
            found.signed = found.signed.map(|newest| resign(&*heads, &signer, newest)).transpose()?;
            Ok(found)
        };
        let mut found = finished().map_err(|error| match heads.check_held() {
            Err(held) if held.kind() == HeadErrorKind::Conflict => LogError::Overtaken { message: held.to_string() },
            _ => error,
        })?;
        tracing::info!(size = found.tree.size(), read, "taken over");
        intake.count_past(std::mem::take(&mut found.past));
        begin(&log, Parts { signer, heads, staging, found }, mailbox)
    }

    /// Says how it is.
    fn report(&self) {
        let lock = &self.storage.lock;
        let signed = lock.signed_size().max(self.follower.size());
        self.log.status.set(Gauge::SignedSize, signed);
        let left = self.detection.left(self.now());
        self.log.status.set_writer(WriterState::Standby(StandbyState {
            writer: lock.writer_address(),
            is_heard: self.is_heard,
            behind: signed - self.follower.size(),
            current_at: self.current_at,
            takes_over_in: (!lock.is_new()).then_some(left.as_secs() + u64::from(left.subsec_nanos() > 0)),
            problem: self.problem.clone(),
        }));
    }
}

impl From<LockError> for Unseen {
    fn from(error: LockError) -> Self {
        match error.kind() {
            LockErrorKind::Damaged => Self::Wrong(failed(StorageError::Lock(error))),
            _ => Self::Passing(error.code(), error.to_string()),
        }
    }
}

impl From<FollowError> for Unseen {
    fn from(error: FollowError) -> Self {
        match error.machine() {
            Some(machine) => Self::Passing(machine.code(), error.to_string()),
            None => Self::Wrong(error.into()),
        }
    }
}
