//! Where a release stands, told: its state, what was withdrawn and where copies are, incidents, and every event.

use serde_json::{Value, json};
use stele_explain::printable::one_line;
use stele_log_client::judgement::{self, WithdrawnError, reporter};
use stele_log_client::moment::moment;
use stele_log_client::release_status::{ReleaseStatus, Revocation};
use stele_spec::statement::{Copies, Incident, Withdraw};
use stele_spec::status::{Event, History, What};

use crate::render::difference::{self, Change};
use crate::render::page::Page;

/// How many events are listed for a person beside a verdict; `stele history` lists all.
const LISTED: usize = 20;

/// How many changed fields of one amendment a person is shown; `--json` has all.
const CHANGES: usize = 6;

/// The rows of a section about a release.
pub(crate) fn rows(page: &mut Page, release_status: &ReleaseStatus) {
    let history = &release_status.history;
    page.row("state", &state(history));
    for line in warnings(history) {
        page.row("", &line);
    }
    for (position, incident) in history.incidents() {
        page.row("incident", &incident_line(position, incident));
    }
    let others: Vec<&Event> = history.events().iter().filter(|event| is_minor(&event.what)).collect();
    for event in others.iter().take(LISTED) {
        page.row(word(&event.what), &line(event));
    }
    if others.len() > LISTED {
        page.row("", &format!("and {} more: `stele history` lists all", others.len() - LISTED));
    }
    for (revoked, entries) in release_status.revoked_signers() {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        page.row("key revoked", &format!("entry {}: {}", entries.join(", "), revoked.text()));
    }
    for rejected in release_status.rejected.iter().take(LISTED) {
        page.row(
            "does not count",
            &format!("entry {}: {} by {}: {}", rejected.position, rejected.kind, rejected.speaker, rejected.why),
        );
    }
    if release_status.cut() {
        page.row("", &"more was said about it than is read here");
    }
}

/// The state in a line.
pub(crate) fn state(history: &History) -> String {
    let state = history.state();
    match (history.withdrawal(), history.superseded_by()) {
        (Some((position, _)), _) => format!("{state} at entry {position}; these bytes still verify"),
        (None, Some((position, by))) => {
            format!("{state} at entry {position} by {} (entry {})", by.coordinate, by.entry)
        }
        (None, None) => match history.release() {
            Some((position, _)) if history.events().len() == 1 => format!("{state} at entry {position}"),
            _ => state.to_string(),
        },
    }
}

/// The licence as it stands, and as it was released where that is another; none of a coordinate without a release.
pub(crate) fn licence(history: &History) -> Option<String> {
    let (released, current) = (&history.release()?.1.license.spdx, &history.current()?.license.spdx);
    Some(match current == released {
        true => released.to_string(),
        false => format!("{current} (amended; released under {released})"),
    })
}

/// What a reader must not miss, beside the incidents.
pub(crate) fn warnings(history: &History) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((_, withdraw)) = history.withdrawal() {
        lines.extend(withdrawal_lines(withdraw));
        if let Some((position, by)) = history.superseded_by() {
            lines.push(format!("superseded at entry {position} by {} (entry {})", by.coordinate, by.entry));
        }
    }
    if let Some((position, withdraw, moved)) = history.withdrawal_taken_back() {
        lines.push(format!(
            "withdrawn at entry {position} ({}), and public again since entry {}",
            withdraw.reason, moved.position
        ));
    }
    for event in history.events() {
        if let What::Conflict { .. } = event.what {
            lines.push(format!("entry {}: {}", event.position, what(&event.what)));
        }
    }
    lines
}

/// One incident in a line.
pub(crate) fn incident_line(position: u64, incident: &Incident) -> String {
    format!(
        "{} ({}, {}, {}) by {}, entry {position}: {}",
        incident.id, incident.class, incident.severity, incident.status, incident.publisher.name, incident.summary
    )
}

/// An event without its word.
pub(crate) fn line(event: &Event) -> String {
    format!("entry {}, {}, {}: {}", event.position, event.issued_at, event.speaker, what(&event.what))
}

/// The word for an event.
pub(crate) fn word(event: &What) -> &'static str {
    match event {
        What::Released => "released",
        What::Conflict { .. } => "CONFLICT",
        What::Amended { .. } => "amended",
        What::Moved { .. } => "access moved",
        What::Superseded { .. } => "superseded",
        What::Withdrawn(_) => "withdrawn",
        What::Incident(_) => "incident",
        What::Evaluated(_) => "evaluated",
        What::Observed(_) => "observed",
    }
}

/// What an event says.
pub(crate) fn what(event: &What) -> String {
    match event {
        What::Released => "released".to_owned(),
        What::Conflict { weights } => judgement::conflict(weights.as_ref()),
        What::Amended { fields, reason, .. } => {
            let changes = changes(event).iter().take(CHANGES).map(Change::sentence).collect::<Vec<_>>().join("; ");
            let changes = if changes.is_empty() { changes } else { format!(" ({changes})") };
            format!("{} changed{changes}: {reason}", fields.join(", "))
        }
        What::Moved { from, to, reason } => format!("from {from} to {} since {}: {reason}", to.stage, to.since),
        What::Superseded { by, reason } => format!("by {} (entry {}): {reason}", by.coordinate, by.entry),
        What::Withdrawn(withdraw) => withdrawal_lines(withdraw).join("; "),
        What::Incident(incident) => format!(
            "{} ({}, {}, {}): {}",
            incident.id, incident.class, incident.severity, incident.status, incident.summary
        ),
        What::Evaluated(report) => {
            let result = &report.evaluation;
            format!(
                "{}: {} {} on {} ({})",
                result.domain.0, result.metric, result.value, result.dataset.name, result.configuration
            )
        }
        What::Observed(observation) => {
            let host = &observation.host;
            format!("{} at {} {} on {}", observation.result, host.kind, host.locator, observation.observed_at)
        }
    }
}

/// What an amendment changed, field by field: from what to what. Nothing for other events.
fn changes(event: &What) -> Vec<Change> {
    let What::Amended { before, after, .. } = event else { return Vec::new() };
    difference::between(&json!(before), &json!(after))
}

/// The same for a script; null for other events.
pub(crate) fn changes_json(event: &What) -> Value {
    match event {
        What::Amended { .. } => changes(event)
            .iter()
            .map(|change| json!({ "path": change.path, "from": change.before, "to": change.after }))
            .collect(),
        _ => Value::Null,
    }
}

/// The same data for a script.
pub(crate) fn json(release_status: &ReleaseStatus) -> Value {
    let history = &release_status.history;
    let rejected = release_status.rejected.iter().map(|rejected| {
        json!({
            "entry": rejected.position,
            "kind": rejected.kind.to_string(),
            "speaker": rejected.speaker.to_string(),
            "code": rejected.code,
            "why": rejected.why,
        })
    });
    json!({
        "coordinate": history.coordinate().to_string(),
        "state": history.state().as_str(),
        "entry": history.release().map(|(position, _)| position),
        "withdrawal": history.withdrawal().map(|(entry, withdraw)| with_entry(entry, json!(withdraw))),
        "superseded_by": history.superseded_by().map(|(entry, by)| with_entry(entry, json!(by))),
        "incidents": history.incidents().into_iter().map(|(entry, incident)| with_entry(entry, json!(incident))).collect::<Vec<_>>(),
        "events": history.events().iter().map(|event| event_json(release_status, event)).collect::<Vec<_>>(),
        "rejected": rejected.collect::<Vec<_>>(),
        "cut": release_status.cut(),
        "source": release_status.source.as_str(),
        "complete": release_status.is_complete(),
        "as_of": {
            "time": release_status.head.trusted().time().map(|time| moment(time.seconds())),
            "tree_size": release_status.head.size(),
            "root": release_status.head.checkpoint().root().to_string(),
        },
    })
}

/// One event for a script.
fn event_json(release_status: &ReleaseStatus, event: &Event) -> Value {
    let (revoked_at, reason) = revocation_json(release_status.revoked_after(event.position));
    json!({
        "entry": event.position,
        "issued_at": event.issued_at.to_string(),
        "speaker": event.speaker.to_string(),
        "event": word(&event.what).to_lowercase().replace(' ', "-"),
        "text": what(&event.what),
        "changes": changes_json(&event.what),
        "key_revoked_at_entry": revoked_at,
        "key_revocation_reason": reason,
    })
}

/// An open critical incident, which stands before everything else: `CRITICAL incident a3 (backdoor) at entry 12, reported by watch.example (...)`.
pub(crate) fn critical(history: &History) -> Option<String> {
    let mut open = history.open_incidents().into_iter();
    let (entry, incident) = open.find(|(_, incident)| WithdrawnError::is_critical(incident))?;
    let by = reporter(&incident.publisher.name, history.coordinate());
    Some(
        one_line(&format!("CRITICAL incident {} ({}) at entry {entry}, reported by {by}", incident.id, incident.class))
            .into_owned(),
    )
}

/// When the key of a statement was revoked, and why, for a script.
pub(crate) fn revocation_json(revoked: Option<Revocation>) -> (Value, Value) {
    revoked.map_or((Value::Null, Value::Null), |revoked| (revoked.entry.into(), revoked.reason.into()))
}

/// What a withdrawal says, a line each.
fn withdrawal_lines(withdraw: &Withdraw) -> Vec<String> {
    let mut lines: Vec<String> = withdraw
        .actions
        .iter()
        .map(|action| {
            let host = action.host.as_ref().map(|host| format!(" {host}")).unwrap_or_default();
            let note = action.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            format!("{} on {}{host}{note}", action.what, action.when)
        })
        .collect();
    let copies = match withdraw.copies {
        Copies::PubliclyDownloaded => "copies were publicly downloaded, and persist",
        Copies::LimitedRecipients => "known recipients have copies",
        Copies::NeverLeft => "no copy ever left, says the publisher",
    };
    lines.push(copies.to_owned());
    lines.push(format!("reason: {}", withdraw.reason));
    if let Some(advisory) = &withdraw.advisory {
        lines.push(format!("advisory: {} (SHA-256 {})", advisory.name, advisory.sha256));
    }
    lines
}

/// What is told as an event of its own beside a verdict: the rest is in the state, or under incidents.
fn is_minor(event: &What) -> bool {
    matches!(event, What::Amended { .. } | What::Moved { .. } | What::Evaluated(_) | What::Observed(_))
}

fn with_entry(entry: u64, value: Value) -> Value {
    json!({ "entry": entry, "said": value })
}
