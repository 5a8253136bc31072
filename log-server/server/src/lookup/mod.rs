//! Where is it? Derived databases from publisher, file, package URL and parent to positions, behind the head that is published.
//!
//! Nothing that is decided rests on them: they can be deleted at any time and are made again from the entries, in bounded memory. One
//! thread of their own writes them, so that no submitter waits for them. A question waits until what was published before it is in
//! them, for a bounded time. Rows that wait are bounded too: where the databases fall further behind, entries are read from the store again.
//!
//! | database | keys | why |
//! |---|---|---|
//! | `lookup.redb` | `p` publisher, `f` a file by SHA-256, `g` by git's blob id, `m` releases whose manifest could not be read | thousands of keys a release at a small, fixed cache |
//! | `lookup.sled` | `u` releases and amendments with a package URL, `a` releases made of a coordinate or package URL | a few keys a release |
//!
//! What is `m` is a candidate for every file that is found nowhere else, and is read again until its manifest is back. Each database has
//! the size and root of the tree up to which everything is in it, changed in the same atomic batch.
//!
//! After an error both are closed, and opened again by themselves after a [`pause`] that grows.

mod database;
mod databases;
mod examine;
mod keys;
mod pause;
mod redb_database;
mod sled_database;

use database::{Head, LookupError, guarded};
use databases::Databases;
pub use examine::{examine, make_again};
use pause::Pause;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use stele_clock::{Clock as _, SystemClock};
use stele_durable::Dir;
use stele_log_core::alarms::Alarms;
use stele_log_core::contract::lookup::{Lookup, LookupKey, LookupRow, LookupUnavailable, MAX_POSITIONS};
use stele_log_core::tiles::TileStore;
use stele_spec::hash::RootHash;

/// How often what is new is synced.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// How often releases without a manifest are looked at again.
const SETTLE_EVERY: Duration = Duration::from_secs(30);

/// So many of them at a time.
const SETTLED_AT_ONCE: usize = 256;

/// Up to so many entries are caught up before the log serves; more in the background.
const AT_ONCE: u64 = 4096;

/// The most keys of rows that wait in memory, some 100 bytes each.
const MAX_WAITING: usize = 1 << 17;

/// How long a question waits for what was published before it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a log that stops waits for them; what is missing then is caught up at the next start.
const LAST: Duration = Duration::from_secs(30);

/// How long a start waits for the databases.
const OPENING: Duration = Duration::from_secs(15);

/// How often it is looked whether the thread has ended.
const JOINING: Duration = Duration::from_millis(5);

/// The lookups. The thread that writes them ends with this.
#[derive(Debug)]
pub struct DerivedLookup {
    inner: Arc<Inner>,
    worker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    data: Dir,
    store: TileStore,
    /// `None` before they are made, and after an error until they are opened again.
    databases: RwLock<Option<Databases>>,
    state: Mutex<State>,
    /// Told whenever the state changes.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Up to where they must be complete.
    target: Head,
    /// Up to where they are.
    done: u64,
    /// Rows of the entries from `waiting_from` on up to the target.
    waiting: Vec<LookupRow>,
    waiting_from: u64,
    /// How many keys those rows have.
    waiting_keys: usize,
    progress: Progress,
    /// How long they rest after the next error.
    pause: Pause,
    /// Whether something was written since the last sync.
    dirty: bool,
    /// Somebody waits for a sync.
    flush: bool,
    stopping: bool,
}

/// How far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// They are made in the background.
    Making,
    /// They answer.
    Open,
    /// They failed, and are opened again then.
    Failed { again: Instant },
}

impl DerivedLookup {
    /// Opens the databases and brings them to the log's size; makes those anew that are not that log's, or broken. Where much is missing this goes
    /// on in the background, and nothing can be looked up until it is done. An error where the machine has no thread for them.
    pub fn open(data: &Dir, store: &TileStore, size: u64, root: RootHash) -> io::Result<Self> {
        Self::open_within(data, store, Head { size, root }, OPENING)
    }

    fn open_within(data: &Dir, store: &TileStore, target: Head, limit: Duration) -> io::Result<Self> {
        let inner = Arc::new(Inner::new(data, store, target));
        let shared = inner.clone();
        let (opened, is_open) = mpsc::channel();
        let work = move || {
            shared.begin();
            let _ = opened.send(());
            shared.work();
        };
        let worker = std::thread::Builder::new().name("lookups".into()).spawn(work)?;
        // A database may wait for ever for a disk that is full: what is derived never holds up the log.
        if is_open.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(seconds = limit.as_secs(), "the lookups do not open; the log goes on without them");
        }
        Ok(Self { inner, worker: Some(worker) })
    }
}

impl Drop for DerivedLookup {
    fn drop(&mut self) {
        self.inner.state().stopping = true;
        self.inner.changed.notify_all();
        let Some(worker) = self.worker.take() else { return };
        let deadline = Instant::now() + LAST;
        while !worker.is_finished() && Instant::now() < deadline {
            std::thread::sleep(JOINING);
        }
        if worker.is_finished() {
            // A worker that panicked has nothing to give back.
            let _ = worker.join();
        } else {
            tracing::warn!("the lookups do not close; what is missing in them is made again at the next start");
        }
    }
}

impl Lookup for DerivedLookup {
    fn extend(&self, rows: &[LookupRow], size: u64, root: RootHash) {
        let mut state = self.inner.state();
        state.target = Head { size, root };
        state.waiting_keys += rows.iter().map(LookupRow::keys).sum::<usize>();
        if state.progress != Progress::Open || state.waiting_keys > MAX_WAITING {
            // They are read from the store, with whatever else is missing.
            state.forget_waiting();
        } else {
            state.waiting.extend_from_slice(rows);
        }
        drop(state);
        self.inner.changed.notify_all();
    }

    fn positions(&self, by: LookupKey<'_>, from: u64) -> Result<Vec<u64>, LookupUnavailable> {
        self.inner.wait_for_published()?;
        let found = self.inner.with(|databases| databases.positions(by, from, MAX_POSITIONS));
        found.ok_or_else(|| self.inner.state().unavailable())
    }

    fn away(&self) -> Option<LookupUnavailable> {
        let state = self.inner.state();
        (state.progress != Progress::Open).then(|| state.unavailable())
    }

    fn behind(&self) -> u64 {
        let state = self.inner.state();
        state.target.size.saturating_sub(state.done)
    }

    /// Waits until everything that was published is written and synced, for a bounded time.
    fn flush(&self) {
        let mut state = self.inner.state();
        if state.progress == Progress::Open {
            state.flush = true;
            self.inner.changed.notify_all();
            let deadline = Instant::now() + LAST;
            while state.flush && state.progress == Progress::Open && !state.stopping {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                state = self.inner.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

impl State {
    fn unavailable(&self) -> LookupUnavailable {
        match self.progress {
            Progress::Failed { again } => {
                let left = again.saturating_duration_since(Instant::now());
                LookupUnavailable::Failed { seconds: left.as_secs().saturating_add(1) }
            }
            Progress::Making | Progress::Open => LookupUnavailable::Making { done: self.done, size: self.target.size },
        }
    }

    fn forget_waiting(&mut self) {
        self.waiting = Vec::new();
        self.waiting_keys = 0;
        self.waiting_from = self.target.size;
    }
}

impl Inner {
    fn new(data: &Dir, store: &TileStore, target: Head) -> Self {
        Self {
            data: data.clone(),
            store: store.clone(),
            databases: RwLock::new(None),
            state: Mutex::new(State {
                target,
                done: 0,
                waiting: Vec::new(),
                waiting_from: target.size,
                waiting_keys: 0,
                progress: Progress::Making,
                pause: Pause::default(),
                dirty: true,
                flush: false,
                stopping: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the databases, and makes them complete where little is missing.
    fn begin(&self) {
        let target = self.state().target;
        let (databases, at) = match Databases::open(&self.data, &self.store, target) {
            Ok(opened) => opened,
            // A log without lookups still logs and serves.
            Err(error) => return self.close(&error),
        };
        *self.databases.write().unwrap_or_else(PoisonError::into_inner) = Some(databases);
        let mut state = self.state();
        (state.done, state.progress, state.dirty) = (at, Progress::Making, true);
        drop(state);
        let missing = target.size.saturating_sub(at);
        if missing > AT_ONCE {
            tracing::info!(missing, "lookups are made in the background; the log goes on without them");
            return;
        }
        while self.is_behind() && self.step() {}
    }

    fn is_behind(&self) -> bool {
        let mut state = self.state();
        if state.progress == Progress::Making && state.done == state.target.size {
            state.progress = Progress::Open;
            self.changed.notify_all();
        }
        let is_closed = matches!(state.progress, Progress::Failed { .. });
        !is_closed && !state.stopping && state.done < state.target.size
    }

    /// Opens again what failed, once its pause is over.
    fn open_again(&self) {
        let state = self.state();
        let is_due = matches!(state.progress, Progress::Failed { again } if again <= Instant::now());
        let is_due = is_due && !state.stopping;
        drop(state);
        if is_due {
            self.begin();
        }
    }

    /// Writes the next rows: those that wait, or those of the next bundle of the store. Whether it could.
    fn step(&self) -> bool {
        let mut state = self.state();
        let (done, target) = (state.done, state.target);
        let rows = (state.waiting_from <= done).then(|| std::mem::take(&mut state.waiting));
        if rows.is_some() {
            state.forget_waiting();
        }
        drop(state);
        let end = self.with(|databases| match rows {
            Some(rows) => databases.add(&rows, target).map(|()| target.size),
            None => databases.catch_up(&self.store, done, target),
        });
        let Some(end) = end else { return false };
        let mut state = self.state();
        (state.done, state.dirty) = (end, true);
        drop(state);
        self.changed.notify_all();
        true
    }

    /// What the thread does until the end.
    fn work(&self) {
        let (mut next, mut settle_at, mut synced) = (0, Instant::now(), Instant::now());
        loop {
            self.open_again();
            while self.is_behind() && self.step() {
                if synced.elapsed() >= SYNC_EVERY {
                    self.sync();
                    synced = Instant::now();
                }
            }
            if self.is_behind() {
                continue;
            }
            let state = self.state();
            if state.stopping || state.flush || (state.dirty && synced.elapsed() >= SYNC_EVERY) {
                let is_last = state.stopping;
                drop(state);
                self.sync();
                synced = Instant::now();
                if is_last {
                    return;
                }
                continue;
            }
            if state.progress == Progress::Open && settle_at <= Instant::now() {
                drop(state);
                let settled = self.settle(&mut next);
                settle_at = Instant::now() + if settled > 0 { Duration::ZERO } else { SETTLE_EVERY };
                continue;
            }
            let _state = self.changed.wait_timeout(state, SYNC_EVERY).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads again what had no manifest, some entries from `next` on; gives how many have one now.
    fn settle(&self, next: &mut u64) -> usize {
        let size = self.state().target.size;
        let settled = self.with(|databases| {
            let releases = databases.unread(*next, SETTLED_AT_ONCE)?;
            *next = releases.last().filter(|_| releases.len() == SETTLED_AT_ONCE).map_or(0, |(last, _)| last + 1);
            databases.settle(&self.store, &releases, size)
        });
        let settled = settled.unwrap_or(0);
        self.state().dirty |= settled > 0;
        settled
    }

    fn sync(&self) {
        self.state().dirty = false;
        let synced = {
            let databases = self.databases.read().unwrap_or_else(PoisonError::into_inner);
            databases.as_ref().map_or(Ok(()), |databases| guarded(|| databases.sync()))
        };
        match synced {
            Ok(()) => {
                let mut state = self.state();
                if state.progress == Progress::Open {
                    state.pause.reset();
                }
            }
            // Nothing is lost: it is synced again, and checked at the next start.
            Err(LookupError::Durable(error)) => {
                static FAILED: Alarms = Alarms::new();
                if FAILED.is_due(SystemClock.steady(), "lookup-sync", &error.to_string()) {
                    tracing::warn!(%error, "cannot sync the lookup database");
                }
            }
            Err(error) => self.close(&error),
        }
        self.state().flush = false;
        self.changed.notify_all();
    }

    /// Waits until what is published now is in the databases.
    fn wait_for_published(&self) -> Result<(), LookupUnavailable> {
        let mut state = self.state();
        let (size, deadline) = (state.target.size, Instant::now() + PATIENCE);
        while state.progress == Progress::Open && state.done < size {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(state.unavailable());
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.progress == Progress::Open { Ok(()) } else { Err(state.unavailable()) }
    }

    /// After an error or a panic nothing is asked of the databases before they are opened again.
    fn with<T>(&self, call: impl FnOnce(&Databases) -> Result<T, LookupError>) -> Option<T> {
        let outcome = {
            let databases = self.databases.read().unwrap_or_else(PoisonError::into_inner);
            let databases = databases.as_ref()?;
            guarded(|| call(databases))
        };
        outcome.inspect_err(|error| self.close(error)).ok()
    }

    /// Closes them after an error, until they are opened again.
    fn close(&self, error: &LookupError) {
        *self.databases.write().unwrap_or_else(PoisonError::into_inner) = None;
        let mut state = self.state();
        // Several questions may fail with the same database.
        if !matches!(state.progress, Progress::Failed { again } if again > Instant::now()) {
            let pause = state.pause.take();
            state.progress = Progress::Failed { again: Instant::now() + pause };
            tracing::error!(%error, seconds = pause.as_secs(), "the lookups have failed, and are opened again after so many seconds");
        }
        state.forget_waiting();
        drop(state);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
