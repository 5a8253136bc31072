//! The one place that reads the wall clock, and a clock that is never set to hold it against.
//!
//! Time is seconds since 1970 in UTC, without leap seconds: what cosignatures carry. Durations are measured with
//! [`Clock::steady`], never with wall time. What to do when wall time goes back is the caller's rule: a witness never
//! signs an older time than it signed before.
//!
//! With `debug_assertions` or the feature `faults`, `STELE_TEST_CLOCK_OFFSET` shifts the clock by that many seconds,
//! for stories about clocks that are set back. It is read once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of time: what a program that decides by time gets as a parameter.
pub trait Clock: Send + Sync + 'static {
    /// Wall time: seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> u64;

    /// Time since any one moment, by a clock that is never set and goes on while the machine sleeps: how far the wall clock should
    /// have gone.
    fn steady(&self) -> Duration;

    /// Waits for so long.
    fn sleep(&self, length: Duration);

    /// [`steady`](Self::steady) in whole seconds.
    fn steady_seconds(&self) -> u64 {
        self.steady().as_secs()
    }
}

impl std::fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// The machine's clock. A clock before 1970 reads as 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        now.saturating_add_signed(offset())
    }

    fn steady(&self) -> Duration {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
        Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), nanoseconds)
    }

    fn sleep(&self, length: Duration) {
        std::thread::sleep(length);
    }
}

/// A clock that stands until it is set, for tests and simulations. A sleep moves it on and returns at once.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    wall: Duration,
    steady: Duration,
}

impl ManualClock {
    /// A clock that reads `unix_seconds`.
    pub fn at(unix_seconds: u64) -> Self {
        let now = Duration::from_secs(unix_seconds);
        Self(Mutex::new(Hands { wall: now, steady: now }))
    }

    /// Lets time pass until then, or takes it back.
    pub fn set(&self, unix_seconds: u64) {
        let now = Duration::from_secs(unix_seconds);
        *self.hands() = Hands { wall: now, steady: now };
    }

    /// Sets the wall clock wrong: no time passes.
    pub fn jump(&self, unix_seconds: u64) {
        self.hands().wall = Duration::from_secs(unix_seconds);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn unix_seconds(&self) -> u64 {
        self.hands().wall.as_secs()
    }

    fn steady(&self) -> Duration {
        self.hands().steady
    }

    fn sleep(&self, length: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.saturating_add(length);
        hands.steady = hands.steady.saturating_add(length);
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn unix_seconds(&self) -> u64 {
        (**self).unix_seconds()
    }

    fn steady(&self) -> Duration {
        (**self).steady()
    }

    fn sleep(&self, length: Duration) {
        (**self).sleep(length);
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

    #[test]
    fn a_sleep_moves_a_manual_clock_and_waits_on_the_systems() {
        let clock = ManualClock::at(10);
        clock.sleep(Duration::from_millis(600));
        clock.sleep(Duration::from_millis(600));
        assert_eq!((clock.unix_seconds(), clock.steady()), (11, Duration::from_millis(11_200)));
        let before = SystemClock.steady();
        SystemClock.sleep(Duration::from_millis(20));
        assert!(SystemClock.steady() - before >= Duration::from_millis(20));
    }
}
