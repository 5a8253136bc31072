//! How often a log may have something written into the operator's messages: what a lying log causes is counted and not repeated.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two messages of one kind about one log. A person reads one a minute; a disk could not bear thousands a second.
pub const EVERY: Duration = Duration::from_secs(60);

/// The messages of one kind about one log.
#[derive(Debug, Default)]
pub struct MessageRate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    written: Option<Instant>,
    left_out: u64,
}

impl MessageRate {
    /// Whether a message is to be written now, and how many were left out since the last one.
    pub fn admit(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written.is_some_and(|written| now.saturating_duration_since(written) < EVERY) {
            state.left_out += 1;
            return None;
        }
        state.written = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_minute_with_the_number_of_those_that_were_left_out() {
        let (rate, start) = (MessageRate::default(), Instant::now());
        assert_eq!(rate.admit(start), Some(0));
        for second in 0..59 {
            assert_eq!(rate.admit(start + Duration::from_secs(second)), None);
        }
        assert_eq!(rate.admit(start + EVERY), Some(59));
        assert_eq!(rate.admit(start + EVERY), None);
        assert_eq!(rate.admit(start + 3 * EVERY), Some(1));
    }
}
