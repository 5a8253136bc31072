//! The three claims of a release, kept apart: availability, openness, release safety. Never one badge.
//!
//! Everything here is what the publisher says, as it was recorded. Whether it is so, auditors report.

use std::fmt::Write as _;

use serde_json::{Value, json};
use stele_spec::statement::{Document, Included, Release};

/// Who can have it, and where.
pub(crate) fn availability(release: &Release) -> String {
    let mut text = format!("{} since {}", release.access.stage, release.access.since);
    for host in &release.hosts {
        let gated = if host.gated { ", gated" } else { "" };
        let revision = host.revision.as_ref().map(|revision| format!(" at {revision}")).unwrap_or_default();
        let _ = write!(text, "; {} {}{revision}{gated}", host.kind, host.locator);
    }
    text
}

/// How open it says it is, under which licence, with which components.
pub(crate) fn openness(release: &Release) -> String {
    let mut text = format!("claims {}", release.openness.claim);
    let class = release.openness.class.map(|class| format!(", class {class}")).unwrap_or_default();
    let _ = write!(text, " (basis {}{class})", release.openness.basis);
    let restricted = if release.license.use_restricted { ", restricts use" } else { "" };
    let _ = write!(text, "; licence {}{restricted}", release.license.spdx);
    let (yes, partial) = (count(release, Included::Yes), count(release, Included::Partial));
    let _ = write!(text, "; of {} components {yes} included, {partial} in part", release.components.len());
    text
}

/// What was evaluated, what was not, which safeguards travel.
pub(crate) fn safety(release: &Release) -> String {
    let report = match &release.safety.report {
        Document::Present(reference) => format!("report {}", reference.name),
        Document::Absent { reason } => format!("no report ({reason})"),
    };
    let mut text = format!("{report}; {} evaluations", release.evaluations.len());
    if !release.not_evaluated.is_empty() {
        let domains: Vec<_> = release.not_evaluated.keys().map(ToString::to_string).collect();
        let _ = write!(text, "; not evaluated: {}", domains.join(", "));
    }
    let stays: Vec<_> =
        release.safety.safeguards.iter().filter(|guard| !guard.travels).map(|guard| guard.id.as_str()).collect();
    if !stays.is_empty() {
        let _ = write!(text, "; safeguards that you do not have: {}", stays.join(", "));
    }
    let travels = release.safety.safeguards.len() - stays.len();
    if travels > 0 {
        let _ = write!(text, "; {travels} safeguards travel");
    }
    text
}

/// The same three with all their evidence.
pub(crate) fn json(release: &Release) -> [(&'static str, Value); 3] {
    [
        ("availability", json!({ "access": release.access, "hosts": release.hosts })),
        (
            "openness",
            json!({ "openness": release.openness, "license": release.license, "components": release.components }),
        ),
        (
            "release_safety",
            json!({
                "safety": release.safety,
                "evaluations": release.evaluations,
                "not_evaluated": release.not_evaluated,
            }),
        ),
    ]
}

fn count(release: &Release, included: Included) -> usize {
    release.components.values().filter(|component| component.included == included).count()
}
