//! What the log's entries say about quotas, kept while entries come: by the time of day, since a standby keeps it for long.

use crate::quota::{DAY, Logged, Past, is_claim};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use stele_spec::hash::KeyId;
use stele_spec::statement::SignedStatement;

/// The statements of the last day, and the keys that claimed a name before it.
#[derive(Debug, Default)]
pub struct DatedPast {
    claimers: HashSet<KeyId>,
    /// By when they were logged, in Unix seconds, oldest first as far as clocks went forward.
    last_day: VecDeque<(u64, Logged)>,
}

impl DatedPast {
    /// Takes a statement that was logged so long before `now`; `None`: before the last day.
    pub fn take(&mut self, age: Option<Duration>, signed: &SignedStatement, manifest: u64, now: u64) {
        match age {
            Some(age) => {
                let at = now.saturating_sub(age.as_secs());
                self.last_day.push_back((at, Logged::of(age, signed, manifest)));
            }
            None if is_claim(signed) => _ = self.claimers.insert(signed.kid()),
            None => {}
        }
    }

    /// Forgets what is older than a day, but for who claimed a name.
    pub fn forget_before(&mut self, now: u64) {
        while let Some((_, logged)) = self.last_day.pop_front_if(|(at, _)| now.saturating_sub(*at) >= DAY.as_secs()) {
            if logged.is_claim {
                self.claimers.insert(logged.key);
            }
        }
    }

    /// What a writer that begins now counts.
    pub fn at(mut self, now: u64) -> Past {
        self.forget_before(now);
        let aged = |(at, logged): (u64, Logged)| Logged { age: Duration::from_secs(now.saturating_sub(at)), ..logged };
        Past { claimers: self.claimers, last_day: self.last_day.into_iter().map(aged).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::claim;

    #[test]
    fn what_was_logged_grows_older_and_a_claim_is_remembered_for_ever() {
        let mut past = DatedPast::default();
        past.take(None, &claim("old.example", 1), 0, 1_000_000);
        past.take(Some(Duration::from_secs(100)), &claim("a.example", 2), 0, 1_000_000);
        past.take(Some(Duration::ZERO), &claim("b.example", 3), 0, 1_050_000);
        let Past { claimers, last_day } = past.at(1_086_301);
        assert_eq!((claimers.len(), last_day.len()), (2, 1));
        assert_eq!((last_day[0].name.to_string(), last_day[0].age.as_secs()), ("b.example".into(), 36_301));
    }
}
