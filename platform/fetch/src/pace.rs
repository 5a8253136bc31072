//! How slowly a long body may come: less than a rate, for as long as a window, and it has stopped.
//!
//! A limit on the whole alone gives days to who sends a byte a minute of a body that is said to be long. Only the time in which bytes are waited for counts:
//! who reads may take their own.

use std::io::{self, ErrorKind};
use std::time::Duration;

/// The least that comes in a second, in bytes, over a window.
const LEAST: u64 = 16 << 10;
/// How long a body may come more slowly than that.
const WINDOW: Duration = Duration::from_secs(60);

/// How a body comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    waited: Duration,
    came: u64,
    is_too_slow: bool,
}

/// A body that comes too slowly.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("less than {LEAST} bytes a second came for {} s", WINDOW.as_secs())]
pub(crate) struct TooSlow;

impl Pace {
    /// Counts bytes, and how long they were waited for. A body that was too slow once stays so.
    pub(crate) fn count(&mut self, bytes: u64, waited: Duration) -> io::Result<()> {
        self.waited += waited;
        self.came += bytes;
        if self.waited >= WINDOW {
            self.is_too_slow |= self.came < LEAST.saturating_mul(self.waited.as_secs());
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        match self.is_too_slow {
            true => Err(io::Error::new(ErrorKind::TimedOut, TooSlow)),
            false => Ok(()),
        }
    }
}

/// Whether a body came too slowly, if that is the error.
pub(crate) fn too_slow(error: &io::Error) -> Option<TooSlow> {
    error.get_ref()?.downcast_ref::<TooSlow>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_trickles_ends_after_a_window_and_one_that_is_steady_or_pauses_does_not() {
        let second = Duration::from_secs(1);
        let mut trickle = Pace::default();
        for _ in 1..WINDOW.as_secs() {
            trickle.count(1, second).unwrap();
        }
        let error = trickle.count(1, second).unwrap_err();
        assert!(too_slow(&error).is_some() && error.to_string().contains("16384 bytes a second"), "{error}");
        assert!(trickle.count(1 << 30, Duration::ZERO).is_err(), "nothing more of it counts");

        let mut steady = Pace::default();
        (0..1000).for_each(|_| steady.count(LEAST, second).unwrap());
        let mut pausing = Pace::default();
        for _ in 0..100 {
            pausing.count(0, Duration::from_secs(50)).unwrap();
            pausing.count(60 * LEAST, Duration::from_secs(10)).unwrap();
        }
        assert!(too_slow(&ErrorKind::TimedOut.into()).is_none());
    }
}
