//! The one place that reads the wall clock, and a clock that is never set to hold it against.
//!
//! Time is seconds since 1970 in UTC, without leap seconds: what cosignatures carry. Durations are measured with
//! `std::time::Instant`, never with this. What to do when it goes back is the caller's rule (a witness never signs
//! an older time than it signed before).
//!
//! With `debug_assertions` or the feature `faults`, `STELE_TEST_CLOCK_OFFSET` shifts the clock by that many seconds,
//! for stories about clocks that are set back. It is read once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of wall-clock time.
pub trait Clock: Send + Sync + 'static {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> u64;

    /// Seconds since any one moment, by a clock that is never set and goes on while the machine sleeps: how far the wall clock should
    /// have gone.
    fn steady_seconds(&self) -> u64;
}

/// The machine's clock. A clock before 1970 reads as 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        now.saturating_add_signed(offset())
    }

    fn steady_seconds(&self) -> u64 {
        u64::try_from(rustix::time::clock_gettime(rustix::time::ClockId::Boottime).tv_sec).unwrap_or_default()
    }
}

/// A clock that stands until it is set, for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// A clock that reads `unix_seconds`.
    pub fn at(unix_seconds: u64) -> Self {
        Self { wall: AtomicU64::new(unix_seconds), steady: AtomicU64::new(unix_seconds) }
    }

    /// Lets time pass until then, or takes it back.
    pub fn set(&self, unix_seconds: u64) {
        self.wall.store(unix_seconds, Ordering::SeqCst);
        self.steady.store(unix_seconds, Ordering::SeqCst);
    }

    /// Sets the wall clock wrong: no time passes.
    pub fn jump(&self, unix_seconds: u64) {
        self.wall.store(unix_seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> u64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn steady_seconds(&self) -> u64 {
        self.steady.load(Ordering::SeqCst)
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn unix_seconds(&self) -> u64 {
        (**self).unix_seconds()
    }

    fn steady_seconds(&self) -> u64 {
        (**self).steady_seconds()
    }
}

#[cfg(any(debug_assertions, feature = "faults"))]
fn offset() -> i64 {
    use std::sync::OnceLock;
    static OFFSET: OnceLock<i64> = OnceLock::new();
    *OFFSET.get_or_init(|| match std::env::var("STELE_TEST_CLOCK_OFFSET") {
        Err(_) => 0,
        Ok(text) => text.parse().unwrap_or_else(|_| {
            eprintln!("error: STELE_TEST_CLOCK_OFFSET is not a number of seconds");
            std::process::exit(stele_explain::Exit::Usage.number().into())
        }),
    })
}

#[cfg(not(any(debug_assertions, feature = "faults")))]
fn offset() -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_after_this_was_written() {
        assert!(SystemClock.unix_seconds() > 1_750_000_000);
        assert!(SystemClock.steady_seconds() > 0);
    }

    #[test]
    fn a_manual_clock_can_be_set_back() {
        let clock = std::sync::Arc::new(ManualClock::at(10));
        clock.set(5);
        assert_eq!((clock.unix_seconds(), clock.steady_seconds()), (5, 5));
        clock.jump(100);
        assert_eq!((clock.unix_seconds(), clock.steady_seconds()), (100, 5));
    }
}
