//! Alarms that last: one line when one begins, one when its words change, and one every ten minutes; the rest is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// An alarm whose words change is printed again no sooner.
const CHANGED: Duration = Duration::from_secs(60);

/// An alarm that lasts is printed again after so long.
const AGAIN: Duration = Duration::from_secs(600);

/// What was printed last under each kind of alarm.
#[derive(Debug, Default)]
pub struct Alarms(Mutex<BTreeMap<String, (String, Duration)>>);

impl Alarms {
    /// Nothing was printed yet.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether a line is due at a time of the steady clock; it is noted as printed.
    pub fn is_due(&self, now: Duration, kind: &str, message: &str) -> bool {
        let mut printed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = printed.get(kind).is_none_or(|(before, at)| {
            let since = now.saturating_sub(*at);
            since >= AGAIN || (since >= CHANGED && before != message)
        });
        if due {
            printed.insert(kind.to_owned(), (message.to_owned(), now));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_lasts_is_a_line_in_ten_minutes_and_one_a_minute_when_its_words_change() {
        let alarms = Alarms::new();
        let start = Duration::from_secs(1000);
        let lines = |kind, words: fn(u64) -> String| {
            (0..1200)
                .filter(|second| alarms.is_due(start + Duration::from_secs(*second), kind, &words(*second)))
                .count()
        };
        assert_eq!(lines("disk-full", |_| "no room".into()), 2);
        assert_eq!(lines("below-quorum", |second| second.to_string()), 20);
    }
}
