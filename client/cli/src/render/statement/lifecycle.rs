//! The pages of statements about keys and about releases.

use stele_spec::statement::{
    Action, Amend, EvaluationReport, Incident, LoggedRelease, Observation, PublisherClaim, StageMove, Supersede,
    Withdraw,
};

use crate::render::page::Page;
use crate::render::parent;

pub(super) fn of_keys(change: &PublisherClaim, by: &str) -> String {
    let does = match change.action {
        Action::Claim => "claims its name",
        Action::Add => "adds keys",
        Action::Rotate => "replaces keys",
        Action::Revoke => "revokes keys",
    };
    let mut page = Page::titled(&format!("{} {does}", change.publisher.name));
    page.row("issued", &change.issued_at);
    page.row("signed by", &by);
    for approval in &change.approvals {
        page.row("approved by", &approval.kid);
    }
    for key in &change.keys {
        page.row("key", &format!("{} ({})", key.kid, key.algorithm));
    }
    for kid in &change.revoked {
        page.row("revoked", kid);
    }
    page.row("threshold", &format!("{} of its keys sign the next change", change.threshold));
    page.row("for releases", &format!("{} of its keys sign each statement about one", change.keys_for_releases()));
    if let Some(previous) = &change.previous {
        page.row("changes", &format!("entry {}", previous.entry));
    }
    page.maybe("reason", change.reason.as_ref());
    page.0
}

pub(super) fn of_amend(amend: &Amend, by: &str) -> String {
    let mut page = about("amended", &amend.release, &amend.issued_at, by);
    page.row("fields", &amend.amended().join(", "));
    page.row("reason", &amend.reason);
    if let Some(license) = &amend.license {
        page.row("licence", &format!("{}; copies that are out keep theirs", license.spdx));
    }
    if let Some(model) = &amend.model {
        let parameters = model.parameters.map(|count| format!(", {count} parameters")).unwrap_or_default();
        let quantization = model.quantization.as_ref().map(|how| format!(", {how}")).unwrap_or_default();
        page.row("model", &format!("{}{quantization}{parameters}; names and weights stay", model.artifact));
    }
    if amend.lineage.as_ref().is_some_and(Vec::is_empty) {
        page.row("parents", &"none: trained from scratch");
    }
    for ancestor in amend.lineage.iter().flatten() {
        page.row(ancestor.relation.as_str(), &parent::words(&ancestor.parent));
    }
    if amend.model.is_some() || amend.lineage.is_some() {
        page.row("", &format!("from what to what: `stele history {}`", amend.release.coordinate));
    }
    for (field, reference) in amend.references() {
        page.row(field.as_str(), &format!("{} {}", reference.name, reference.sha256));
    }
    page.0
}

pub(super) fn of_stage(moved: &StageMove, by: &str) -> String {
    let mut page = about("access moved", &moved.release, &moved.issued_at, by);
    page.row("access", &format!("{} since {}", moved.access.stage, moved.access.since));
    page.row("reason", &moved.reason);
    for host in moved.hosts.iter().flatten() {
        page.row("host", &format!("{} {}", host.kind, host.locator));
    }
    page.0
}

pub(super) fn of_supersede(supersede: &Supersede, by: &str) -> String {
    let mut page = about("superseded", &supersede.release, &supersede.issued_at, by);
    page.row("by", &format!("{} (entry {})", supersede.by.coordinate, supersede.by.entry));
    page.row("reason", &supersede.reason);
    page.0
}

pub(super) fn of_withdraw(withdraw: &Withdraw, by: &str) -> String {
    let mut page = about("withdrawn", &withdraw.release, &withdraw.issued_at, by);
    for action in &withdraw.actions {
        let host = action.host.as_ref().map(|host| format!(" at {host}")).unwrap_or_default();
        let note = action.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        page.row("done", &format!("{} on {}{host}{note}", action.what, action.when));
    }
    page.row("copies", &withdraw.copies);
    page.row("reason", &withdraw.reason);
    page.maybe("advisory", withdraw.advisory.as_ref().map(|advisory| &advisory.name));
    page.0
}

pub(super) fn of_incident(incident: &Incident, by: &str) -> String {
    let mut page = Page::titled(&format!("incident {}: {}, {}", incident.id, incident.class, incident.severity));
    page.row("said", &format!("{} by {by}", incident.issued_at));
    page.row("status", &incident.status);
    page.row("discovered", &incident.discovered);
    for affected in &incident.affected {
        let entry =
            affected.logged().map_or("nothing is recorded under it".to_owned(), |of| format!("entry {}", of.entry));
        page.row("affects", &format!("{} ({entry})", affected.coordinate()));
    }
    page.row("summary", &incident.summary);
    page.row("advisory", &format!("{} {}", incident.advisory.name, incident.advisory.sha256));
    page.0
}

pub(super) fn of_evaluation(report: &EvaluationReport, by: &str) -> String {
    let mut page = about("evaluated", &report.release, &report.issued_at, by);
    let evaluation = &report.evaluation;
    page.row("domain", &format!("{} ({})", evaluation.domain.0, evaluation.class));
    page.row("result", &format!("{} {} on {}", evaluation.metric, evaluation.value, evaluation.dataset.name));
    page.row("configuration", &evaluation.configuration);
    page.row("evaluator", &format!("{}, {}", evaluation.evaluator, evaluation.date));
    page.row("effect", &evaluation.effect);
    page.0
}

pub(super) fn of_observation(observation: &Observation, by: &str) -> String {
    let mut page = Page::titled(&format!("{} observed: {}", observation.subject.coordinate(), observation.result));
    page.row("said", &format!("{} by {by}", observation.issued_at));
    page.row("looked", &format!("{} by {}", observation.observed_at, observation.method));
    let revision = observation.host.revision.as_ref().map(|revision| format!(" at {revision}")).unwrap_or_default();
    page.row("host", &format!("{} {}{revision}", observation.host.kind, observation.host.locator));
    if let Some(release) = observation.subject.logged() {
        page.row("record", &format!("entry {}", release.entry));
    }
    page.maybe("weights found", observation.weights_digest.as_ref());
    for file in &observation.files {
        let expected = file.expected.map_or("nothing".to_owned(), |digest| digest.to_string());
        let found = file.found.map_or("nothing".to_owned(), |digest| digest.to_string());
        page.row("file", &format!("{}\nexpected {expected}\nfound    {found}", file.path));
    }
    page.maybe("note", observation.note.as_ref());
    page.0
}

fn about(what: &str, release: &LoggedRelease, issued_at: &dyn std::fmt::Display, by: &str) -> Page {
    let mut page = Page::titled(&format!("{} {what}", release.coordinate));
    page.row("said", &format!("{issued_at} by {by}"));
    page.row("release", &format!("entry {}", release.entry));
    page
}
