//! The time in a cosignature: never before that of the last one for the log, and never far ahead of what has passed since the start.
//!
//! Verifiers take the median of the witnesses' times for the time of a tree head. All cosigners of a folder, witness, mirror and index
//! cosigner, ask here.

use std::sync::Arc;

use stele_clock::Clock;
use stele_spec::cosignature::UnixTime;

use crate::record::LastCosigned;

/// How far the wall clock may go beyond what the steady clock says since the start, in seconds. A day is more than any correction
/// of a working time service; a time that was signed further ahead would keep the log from being cosigned until then.
pub const MAX_JUMP: u64 = 86_400;

/// A clock, and what both of its hands said at the start.
pub struct WallClock {
    clock: Arc<dyn Clock>,
    wall: u64,
    steady: u64,
}

/// Why no cosignature can be dated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// The clock is earlier than the last cosignature for this log.
    #[error("the clock says {now}, the last cosignature for this log was made at {last}")]
    Back {
        /// Now.
        now: u64,
        /// The time in the last cosignature.
        last: u64,
    },
    /// The clock says what no cosignature may say: zero, or 2^63 and more.
    #[error("the clock says {now}, which no cosignature may carry")]
    NoTime {
        /// Now.
        now: u64,
    },
    /// The wall clock went further since the start than time did.
    #[error("the clock says {now}; by the time that has passed since the start it should say {expected}")]
    Ahead {
        /// Now.
        now: u64,
        /// What it should say.
        expected: u64,
    },
}

impl ClockFault {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Back { .. } | Self::NoTime { .. } => "clock-back",
            Self::Ahead { .. } => "clock-jumped",
        }
    }

    /// What is to be done.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Back { .. } | Self::NoTime { .. } => {
                "the witness's operator must set its clock right; try again then"
            }
            Self::Ahead { .. } => {
                "the witness's operator must look at its clock, and start the witness anew if it is right"
            }
        }
    }
}

impl WallClock {
    /// A cosigner starts now.
    pub fn start(clock: Arc<dyn Clock>) -> Self {
        let (wall, steady) = (clock.unix_seconds(), clock.steady_seconds());
        Self { clock, wall, steady }
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    /// Seconds by a clock that is never set.
    pub fn steady(&self) -> u64 {
        self.clock.steady_seconds()
    }

    /// The time for a cosignature that is made after what was cosigned last.
    pub fn time_after(&self, record: &LastCosigned) -> Result<UnixTime, ClockFault> {
        let now = self.now();
        let time = UnixTime::new(now).ok().filter(|_| now > 0).ok_or(ClockFault::NoTime { now })?;
        self.not_ahead(now)?;
        not_before(record, now)?;
        Ok(time)
    }

    /// A clock that jumps ahead signs a time that keeps the log from being cosigned until it has come.
    pub fn not_ahead(&self, now: u64) -> Result<(), ClockFault> {
        let passed = self.steady().saturating_sub(self.steady);
        let expected = self.wall.saturating_add(passed);
        if now > expected.saturating_add(MAX_JUMP) { Err(ClockFault::Ahead { now, expected }) } else { Ok(()) }
    }
}

/// Time never goes back for a log.
pub fn not_before(record: &LastCosigned, now: u64) -> Result<(), ClockFault> {
    match record.cosigned().map(|cosigned| cosigned.time().seconds()) {
        Some(last) if now < last => Err(ClockFault::Back { now, last }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Cosigned;
    use crate::samples::{Log, witness_key};
    use stele_clock::ManualClock;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> (Arc<ManualClock>, WallClock) {
        let hands = Arc::new(ManualClock::at(seconds));
        (hands.clone(), WallClock::start(hands))
    }

    fn nothing() -> LastCosigned {
        LastCosigned::Nothing(Log::new("log.example/a", 1).origin())
    }

    fn cosigned_at(time: u64) -> LastCosigned {
        let log = Log::new("log.example/a", 1);
        let verified = log.trusted().verify(&log.signed(3)).unwrap();
        let cosigned = Cosigned::sign(&verified, &witness_key(), UnixTime::new(time).unwrap()).unwrap();
        LastCosigned::Cosigned(Box::new(cosigned))
    }

    #[test]
    fn two_cosignatures_may_be_of_one_second_and_none_is_of_an_earlier_one() {
        let (_, clock) = at(NOW);
        assert_eq!(clock.time_after(&cosigned_at(NOW - 1)).map(UnixTime::seconds), Ok(NOW));
        assert_eq!(clock.time_after(&cosigned_at(NOW)).map(UnixTime::seconds), Ok(NOW));
        let back = ClockFault::Back { now: NOW, last: NOW + 1 };
        assert_eq!(clock.time_after(&cosigned_at(NOW + 1)), Err(back));
        assert_eq!(clock.time_after(&nothing()).map(UnixTime::seconds), Ok(NOW));
    }

    #[test]
    fn a_correction_of_a_day_is_signed_and_one_second_more_is_not_until_the_time_has_passed() {
        let (hands, clock) = at(NOW);
        hands.jump(NOW + MAX_JUMP);
        assert_eq!(clock.time_after(&nothing()).map(UnixTime::seconds), Ok(NOW + MAX_JUMP));
        let far = NOW + MAX_JUMP + 1;
        hands.jump(far);
        assert_eq!(clock.time_after(&nothing()), Err(ClockFault::Ahead { now: far, expected: NOW }));
        // Both hands one second later, and the wall clock set to the same time again: it is a day ahead now.
        hands.sleep(std::time::Duration::from_secs(1));
        hands.jump(far);
        assert_eq!(clock.time_after(&nothing()).map(UnixTime::seconds), Ok(far));
    }

    #[test]
    fn a_clock_at_zero_or_beyond_what_a_cosignature_can_carry_dates_nothing() {
        let (hands, clock) = at(0);
        assert_eq!(clock.time_after(&nothing()), Err(ClockFault::NoTime { now: 0 }));
        hands.jump(1);
        assert_eq!(clock.time_after(&nothing()).map(UnixTime::seconds), Ok(1));
        let last = i64::MAX as u64;
        let (hands, clock) = at(last);
        assert_eq!(clock.time_after(&nothing()).map(UnixTime::seconds), Ok(last));
        hands.jump(last + 1);
        assert_eq!(clock.time_after(&nothing()), Err(ClockFault::NoTime { now: last + 1 }));
    }
}
