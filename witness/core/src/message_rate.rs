//! How often a log may have something written into the operator's messages: what a lying log causes is counted and not repeated.

use std::sync::{Mutex, PoisonError};

/// The shortest time between two messages of one kind about one log, in seconds. A person reads one a minute; a disk could not bear thousands a second.
pub const EVERY: u64 = 60;

/// The messages of one kind about one log.
#[derive(Debug, Default)]
pub struct MessageRate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    written: Option<u64>,
    left_out: u64,
}

impl MessageRate {
    /// Whether a message is to be written now, and how many were left out since the last one; `now` in
    /// seconds by a clock that is never set.
    pub fn admit(&self, now: u64) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written.is_some_and(|written| now.saturating_sub(written) < EVERY) {
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
        let (rate, start) = (MessageRate::default(), 1000);
        assert_eq!(rate.admit(start), Some(0));
        for second in 0..59 {
            assert_eq!(rate.admit(start + second), None);
        }
        assert_eq!(rate.admit(start + EVERY), Some(59));
        assert_eq!(rate.admit(start + EVERY), None);
        assert_eq!(rate.admit(start + 3 * EVERY), Some(1));
    }
}
