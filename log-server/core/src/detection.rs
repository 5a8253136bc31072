//! When a standby takes over: after it has heard nothing of the writer for a time. It decides when a take-over is tried, never whether it is safe: a wrong
//! guess costs a fence.

use std::time::Duration;

/// How long nothing was heard of the writer, by the steady clock.
#[derive(Clone, Copy, Debug)]
pub struct Detection {
    silence: Duration,
    heard: Duration,
}

impl Detection {
    /// The writer counts as gone after so long a silence, which begins now at the earliest.
    pub fn new(silence: Duration, now: Duration) -> Self {
        Self { silence, heard: now }
    }

    /// Something was heard of the writer, or nothing could be heard of anybody: the time begins anew. So it does after a race for the lock was lost.
    pub fn hear(&mut self, now: Duration) {
        self.heard = now;
    }

    /// How long it is until a take-over.
    pub fn left(&self, now: Duration) -> Duration {
        (self.heard + self.silence).saturating_sub(now)
    }

    /// Whether the silence is long enough.
    pub fn is_due(&self, now: Duration) -> bool {
        self.left(now).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_that_is_long_enough_is_one_without_a_word_in_between() {
        let at = Duration::from_secs;
        let mut detection = Detection::new(at(5), at(100));
        assert!(!detection.is_due(at(104)) && detection.is_due(at(105)));
        detection.hear(at(104));
        assert_eq!((detection.is_due(at(108)), detection.left(at(108))), (false, at(1)));
        assert!(detection.is_due(at(109)) && detection.is_due(at(1000)));
    }
}
