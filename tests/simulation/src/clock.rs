//! The clocks of the machines: time passes for all of them alike, and what each believes to be the time of day is its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use stele_clock::Clock;

/// When a simulation begins, in Unix seconds.
pub const BEGIN: u64 = 1_800_000_000;

/// The clock of one machine. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MachineClock {
    /// Milliseconds that have passed, of the whole simulation.
    passed: Arc<AtomicU64>,
    /// How far this machine's time of day is off, in seconds.
    off: Arc<AtomicI64>,
}

impl MachineClock {
    /// A clock that is right, over the milliseconds that pass.
    pub fn new(passed: &Arc<AtomicU64>) -> Self {
        Self { passed: passed.clone(), off: Arc::default() }
    }

    /// Sets the time of day wrong by so many seconds.
    pub fn set_off(&self, seconds: i64) {
        self.off.store(seconds, Ordering::Relaxed);
    }

    /// How far it is off, in seconds.
    pub fn off(&self) -> i64 {
        self.off.load(Ordering::Relaxed)
    }
}

impl Clock for MachineClock {
    fn unix_seconds(&self) -> u64 {
        (BEGIN + self.passed.load(Ordering::Relaxed) / 1000).saturating_add_signed(self.off())
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }

    /// Time passes for everybody.
    fn sleep(&self, length: Duration) {
        self.passed.fetch_add(length.as_millis() as u64, Ordering::Relaxed);
    }
}
