//! What is to be said about an entry.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stele_spec::entry::Entry;
use stele_spec::hash::LeafHash;
use stele_spec::statement::{Kind as StatementKind, Prose, SignedStatement, Statement};
use stele_spec::text::to_base64;

use crate::event::{Event, Kind};
use crate::state::LogState;
use crate::watch::Watch;

/// By what an entry is judged.
#[derive(Debug)]
pub(crate) struct EntryFilter<'a> {
    /// What is watched.
    pub watch: &'a Watch,
    /// What is expected.
    pub expected: &'a BTreeSet<LeafHash>,
    /// Whether entries before the first head are told.
    pub from_beginning: bool,
    /// Whether releases are remembered, for their hosts.
    pub keep_releases: bool,
    /// The time.
    pub now: u64,
}

impl EntryFilter<'_> {
    /// What is to be said about an entry: nothing, if it is not watched, expected, or from before we came.
    pub(crate) fn entry(
        &self,
        origin: &str,
        state: &mut LogState,
        position: u64,
        leaf: LeafHash,
        bytes: &[u8],
        own: bool,
    ) -> Option<Event> {
        let Ok(entry) = Entry::parse(bytes) else {
            state.unreadable += 1;
            return None;
        };
        let reasons = self.watch.reasons(&entry);
        let Entry::Statement(signed) = &entry else { return None };
        if reasons.is_empty() {
            return None;
        }
        if self.keep_releases {
            remember(state, position, signed);
        }
        if own || position < state.report_from || self.expected.contains(&leaf) {
            return None;
        }
        Some(self.event(origin, position, leaf, signed, &reasons))
    }

    fn event(
        &self,
        origin: &str,
        position: u64,
        leaf: LeafHash,
        signed: &SignedStatement,
        reasons: &[String],
    ) -> Event {
        let statement = signed.statement();
        let kind = statement.kind();
        let subjects: Vec<String> = statement.coordinates().iter().map(ToString::to_string).collect();
        let about = subjects.first().cloned().unwrap_or_else(|| statement.publisher().to_string());
        let (words, said) = said(statement);
        let words = if words.is_empty() { words } else { format!(" ({words})") };
        let summary =
            format!("entry {position}: {kind} of {about}{words}, said by {}, was not expected", statement.publisher());
        let details: Value = json!({
            "position": position,
            "leaf_hash": leaf.to_string(),
            "statement": kind.to_string(),
            "publisher": statement.publisher().to_string(),
            "coordinates": subjects,
            "key_id": signed.kid().to_string(),
            "issued_at": statement.issued_at().to_string(),
            "weights_digest": statement.weights_digest().map(|digest| digest.to_string()),
            "watched": reasons,
            "said": said,
        });
        let cause = [origin, &position.to_string(), &leaf.to_string()];
        Event::new(Kind::Entry, &cause, self.now, Some(origin), summary, details)
    }
}

/// The most characters of a reason in the line for a person; the details have it whole.
const REASON: usize = 200;

/// What a statement about a release says, in a few words and for a script; nothing of a kind whose content is read elsewhere.
fn said(statement: &Statement) -> (String, Value) {
    let short = |reason: &Prose| match reason.as_str().char_indices().nth(REASON) {
        Some((end, _)) => format!("{}...", reason.as_str().get(..end).unwrap_or_default()),
        None => reason.to_string(),
    };
    match statement {
        Statement::Stage(moved) => (
            format!("to {} since {}: {}", moved.access.stage, moved.access.since, short(&moved.reason)),
            json!({"to": moved.access.stage, "since": moved.access.since, "reason": moved.reason}),
        ),
        Statement::Withdraw(back) => (
            format!("copies {}: {}", back.copies, short(&back.reason)),
            json!({"copies": back.copies, "reason": back.reason}),
        ),
        Statement::Supersede(replaced) => (
            format!("by {}: {}", replaced.by.coordinate, short(&replaced.reason)),
            json!({"by": replaced.by.coordinate, "reason": replaced.reason}),
        ),
        Statement::Amend(amended) => (short(&amended.reason), json!({"reason": amended.reason})),
        Statement::Incident(incident) => (
            format!("{}: {}, {}, {}", incident.id, incident.class, incident.severity, incident.status),
            json!({"id": incident.id, "class": incident.class, "severity": incident.severity, "status": incident.status}),
        ),
        _ => (String::new(), Value::Null),
    }
}

/// Keeps what a publisher says about its own release: its hosts follow from that.
fn remember(state: &mut LogState, position: u64, signed: &SignedStatement) {
    let statement = signed.statement();
    let kept = [
        StatementKind::Release,
        StatementKind::Amend,
        StatementKind::Stage,
        StatementKind::Supersede,
        StatementKind::Withdraw,
    ];
    if let Some(coordinate) = statement.coordinate()
        && kept.contains(&statement.kind())
        && *statement.publisher() == coordinate.publisher
    {
        let kept = state.releases.keep(&coordinate.to_string(), position, to_base64(signed.bytes()));
        state.unkept += u64::from(!kept);
    }
}
