//! Alerts: told when something becomes wrong, and when it is well again; silent in between.

use serde_json::Value;

use crate::event::{Event, Kind};
use crate::state::State;

/// One thing that can be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Condition<'a> {
    /// What: `stale`, `unreachable`, `backlog`, `undelivered`, `unreadable`, `behind`, `ahead`, `clock`.
    pub what: &'static str,
    /// Of what: an origin, a locator, or empty for the monitor itself.
    pub of: &'a str,
    /// Whether it is wrong now.
    pub wrong: bool,
    /// How it is now, for a person.
    pub summary: String,
    /// The numbers.
    pub details: Value,
}

/// Takes note of a condition; says so where it changed.
pub(crate) fn note(state: &mut State, log: Option<&str>, condition: Condition<'_>, now: u64) {
    let Condition { what, of, wrong, summary, mut details } = condition;
    let name = if of.is_empty() { what.to_owned() } else { format!("{what} {of}") };
    let (since, word) = match (state.core.alerts.get(&name).copied(), wrong) {
        (None, true) => {
            state.core.alerts.insert(name.clone(), now);
            (now, "raised")
        }
        (Some(since), false) => {
            state.core.alerts.remove(&name);
            (since, "recovered")
        }
        _ => return,
    };
    if let Some(details) = details.as_object_mut() {
        details.insert("alert".into(), what.into());
        details.insert("state".into(), word.into());
        details.insert("since".into(), stele_log_client::moment::moment(since).into());
        if !of.is_empty() {
            details.insert("of".into(), of.into());
        }
    }
    let cause = [name.as_str(), &since.to_string(), word];
    state.say(Event::new(Kind::Alert, &cause, now, log, format!("{what} {word}: {summary}"), details));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_alert_is_told_when_it_is_raised_and_when_it_is_over_and_never_between() {
        let mut state = State::default();
        let told = |state: &mut State, wrong, now| {
            let before = state.waiting().len();
            let condition =
                Condition { what: "stale", of: "log.example", wrong, summary: "old".into(), details: json!({}) };
            note(state, Some("log.example"), condition, now);
            state.waiting().len() - before
        };
        let counts = [(false, 1), (true, 2), (true, 3), (false, 4), (false, 5), (true, 6)]
            .map(|(wrong, now)| told(&mut state, wrong, now));
        assert_eq!(counts, [0, 1, 0, 1, 0, 1]);
        let words: Vec<_> =
            state.waiting().iter().map(|waiting| waiting.event.details["state"].as_str().unwrap()).collect();
        assert_eq!(words, ["raised", "recovered", "raised"]);
        assert_ne!(state.waiting()[0].event.id, state.waiting()[2].event.id);
    }
}
