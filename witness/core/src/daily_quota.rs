//! How often a log may have something signed: so many times a day, with an hour's worth at once.
//!
//! Only what would be signed is counted, after the log's signature was verified: a stranger cannot use up a log's quota.

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The least that may be had at once, whatever the rate.
const LEAST_BURST: u64 = 10;

/// What is left of a log's quota.
#[derive(Clone, Copy, Debug, Default)]
pub struct DailyQuota {
    /// In signatures times [`DAY`], so that a second adds the daily rate; `None` before the first.
    level: Option<u64>,
    at: u64,
}

impl DailyQuota {
    /// Takes one of `per_day`, or says in how many seconds there will be one. A clock that goes back adds nothing.
    pub fn take(&mut self, per_day: u64, now: u64) -> Result<(), u64> {
        let full = (per_day / 24).max(LEAST_BURST).saturating_mul(DAY);
        let earned = now.saturating_sub(self.at).saturating_mul(per_day);
        let level = self.level.map_or(full, |level| level.saturating_add(earned).min(full));
        self.at = now;
        match level.checked_sub(DAY) {
            Some(left) => {
                self.level = Some(left);
                Ok(())
            }
            None => {
                self.level = Some(level);
                Err((DAY - level).div_ceil(per_day.max(1)).min(DAY))
            }
        }
    }

    /// Gives back one that was taken for a signature that was not made.
    pub fn put_back(&mut self) {
        self.level = self.level.map(|level| level.saturating_add(DAY));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hours_worth_at_once_and_then_one_at_a_time() {
        let mut quota = DailyQuota::default();
        for _ in 0..60 {
            assert_eq!(quota.take(1440, 1000), Ok(()));
        }
        assert_eq!(quota.take(1440, 1000), Err(60));
        assert_eq!(quota.take(1440, 1059), Err(1));
        assert_eq!(quota.take(1440, 1060), Ok(()));
        assert_eq!(quota.take(1440, 500), Err(60), "a clock set back");
        let later = 1_000_000;
        assert!((0..60).all(|_| quota.take(1440, later).is_ok()) && quota.take(1440, later).is_err());
    }

    #[test]
    fn what_was_taken_and_not_signed_is_there_again_once() {
        let mut quota = DailyQuota::default();
        assert!((0..LEAST_BURST).all(|_| quota.take(24, 5).is_ok()));
        assert_eq!(quota.take(24, 5), Err(3600));
        quota.put_back();
        assert_eq!((quota.take(24, 5), quota.take(24, 5)), (Ok(()), Err(3600)));
    }

    #[test]
    fn a_rate_of_nothing_allows_the_least_and_never_more() {
        let mut quota = DailyQuota::default();
        assert!((0..LEAST_BURST).all(|_| quota.take(0, 5).is_ok()));
        assert_eq!(quota.take(0, u64::MAX), Err(DAY));
    }
}
