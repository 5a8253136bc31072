//! How the log is: what the writer does, what each witness last said, and what is counted.

use crate::alarms::Alarms;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

/// What the one writer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriterState {
    /// It has yet to publish its first head.
    Starting,
    /// Too few witnesses have said what they cosigned last: nothing is signed before.
    Asking {
        /// Since when, in Unix seconds.
        since: u64,
        /// What keeps each missing witness away.
        missing: Vec<String>,
    },
    /// The disk is full: nothing is signed or published until there is room.
    NoRoom {
        /// The error.
        message: String,
    },
    /// It takes statements.
    Running,
    /// It has signed a head that too few witnesses have cosigned, and asks them again and again.
    BelowQuorum {
        /// Since when, in Unix seconds.
        since: u64,
        /// What keeps each missing witness away.
        missing: Vec<String>,
    },
    /// It met an error after which going on could fork the log. Reading goes on.
    Stopped {
        /// A stable word for what happened.
        code: &'static str,
        /// The error.
        message: String,
    },
    /// It was told to stop.
    Finished,
    /// There is no writer here: another run is, and this one follows what it publishes.
    Standby(StandbyState),
}

/// How a standby is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandbyState {
    /// Where the active writer is reached, if its fence says so.
    pub writer: Option<String>,
    /// Whether it was heard of at the last look.
    pub is_heard: bool,
    /// How many signed entries it has not read.
    pub behind: u64,
    /// When it had read all that was signed, in Unix seconds.
    pub current_at: u64,
    /// How long it waits until it takes over, if it hears nothing of the writer, in seconds. `None` where there is nothing to take over.
    pub takes_over_in: Option<u64>,
    /// What keeps it from following: a stable word, and the error. It tries again.
    pub problem: Option<(&'static str, String)>,
}

/// How long a look at the store may take, in seconds: it looks several times a second.
const LOOK_SECONDS: u64 = 5;

impl StandbyState {
    /// For how long it could not follow what is published, in seconds. A store that does not answer at all gives no problem to tell, so a look that
    /// takes longer than one does counts as well.
    pub fn seconds_behind(&self, now: u64) -> u64 {
        let seconds = now.saturating_sub(self.current_at);
        if self.problem.is_none() && seconds <= LOOK_SECONDS { 0 } else { seconds }
    }
}

/// What a witness last said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessStatus {
    /// When it last cosigned, in Unix seconds.
    pub cosigned: Option<u64>,
    /// What is wrong since then.
    pub problem: Option<String>,
    /// Whether it said at last that it does not know this log, or the key that signs for it.
    pub is_stranger: bool,
    /// A size beyond ours that it says it has cosigned, without showing it; forgotten when it cosigns again.
    pub ahead: Option<u64>,
}

/// The state, shared by the writer and the readers.
#[derive(Debug)]
pub struct Status {
    writer: RwLock<WriterState>,
    witnesses: Mutex<BTreeMap<String, WitnessStatus>>,
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
    gauges: [AtomicU64; 3],
    batches: Mutex<(Duration, Duration)>,
    unwritten: Mutex<Option<String>>,
    alarms: Alarms,
}

/// A number that goes up and down.
#[derive(Clone, Copy, Debug)]
pub enum Gauge {
    /// The size of the newest signed tree.
    SignedSize = 0,
    /// The size of the published tree.
    PublishedSize = 1,
    /// The time of the published head, in Unix seconds.
    PublishedTime = 2,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            writer: RwLock::new(WriterState::Starting),
            witnesses: Mutex::default(),
            counts: Mutex::default(),
            gauges: Default::default(),
            batches: Mutex::default(),
            unwritten: Mutex::default(),
            alarms: Alarms::new(),
        }
    }
}

impl Status {
    /// Notes why the newest batch was not written; nothing where one was.
    pub fn set_unwritten(&self, why: Option<String>) {
        *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Why the newest batch was not written, if it was not.
    pub fn unwritten(&self) -> Option<String> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the writer does.
    pub fn writer(&self) -> WriterState {
        self.writer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what the writer does; a stopped writer stays stopped.
    pub fn set_writer(&self, new: WriterState) {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*writer, WriterState::Stopped { .. }) {
            *writer = new;
        }
    }

    /// What each witness last said.
    pub fn witnesses(&self) -> BTreeMap<String, WitnessStatus> {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what a witness said.
    pub fn note_witness(&self, name: &str, change: impl FnOnce(&mut WitnessStatus)) {
        change(self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default());
    }

    /// Forgets what witnesses said that are in no policy any more.
    pub fn forget_witnesses_but(&self, names: &[String]) {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| names.contains(name));
    }

    /// Counts an event of a family by its label.
    pub fn count(&self, family: &'static str, label: &str, by: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&(family, label.to_owned())) {
            Some(count) => *count += by,
            None => {
                counts.insert((family, label.to_owned()), by);
            }
        }
    }

    /// Counts an alarm; whether a line is due as well, at a time of the steady clock.
    pub fn alarm(&self, now: Duration, kind: &'static str, message: &str) -> bool {
        self.count("stele_alarms_total", kind, 1);
        self.alarms.is_due(now, kind, message)
    }

    /// Whether a line is due under a kind of alarm that is counted elsewhere, at a time of the steady clock.
    pub fn is_due(&self, now: Duration, kind: &str, message: &str) -> bool {
        self.alarms.is_due(now, kind, message)
    }

    /// Sets a gauge.
    pub fn set(&self, gauge: Gauge, value: u64) {
        if let Some(slot) = self.gauges.get(gauge as usize) {
            slot.store(value, Ordering::Relaxed);
        }
    }

    /// Reads a gauge.
    pub fn gauge(&self, gauge: Gauge) -> u64 {
        self.gauges.get(gauge as usize).map_or(0, |slot| slot.load(Ordering::Relaxed))
    }

    /// Notes how long a batch took to be written, and to be cosigned.
    pub fn note_batch(&self, written: Duration, cosigned: Duration) {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        *batches = (batches.0 + written, batches.1 + cosigned);
    }

    /// Every count, by family and label.
    pub fn counts(&self) -> BTreeMap<(&'static str, String), u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long all batches together took to be written, and to be cosigned.
    pub fn batch_times(&self) -> (Duration, Duration) {
        *self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_writer_stays_stopped() {
        let status = Status::default();
        status.set_writer(WriterState::Running);
        status.set_writer(WriterState::Stopped { code: "io", message: "disk".into() });
        status.set_writer(WriterState::Running);
        assert!(matches!(status.writer(), WriterState::Stopped { code: "io", .. }));
    }
}
