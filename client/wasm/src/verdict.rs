//! The verdict on a release and on the files that were dropped, in the words of `stele verify`.

use serde_json::{Value, json};
use stele_explain::{Exit, Failure};
use stele_log_client::age;
use stele_log_client::headline::Headline;
use stele_log_client::judgement::{Accepted, Judgement, conflict, reporter};
use stele_log_client::lineage::Lineage;
use stele_spec::status::{Event, What};
use stele_verify::{Extra, FolderReport};

use crate::session::Session;

/// How a page asks the log.
const ASK: &str = "the button below asks the log";

/// The verdict at a time, in Unix seconds. Without a report no file was looked at, and the verdict says so.
pub fn verdict(session: &Session, report: Option<&FolderReport>, now: u64) -> Value {
    let history = &session.status().history;
    let accepts = Accepted { record_alone: report.is_none(), ..Accepted::default() };
    let judged = Judgement::of(report, history, accepts, session.unanswered());
    let lineage = Lineage::default();
    let headline = Headline {
        evidence: session.release(),
        policy: session.policy(),
        comparison: report,
        release_status: session.status(),
        lineage: &lineage,
        recalled: &[],
        replacement: None,
        from_log: session.is_from_log().then_some("no release.stele was dropped"),
        ask: ASK,
        now,
    };
    let (word, sentence) = headline.first_line(&judged);
    let exit = judged.problems.first().map_or(Exit::Ok, |first| first.as_explain().exit());
    json!({
        "verdict": judged.word.as_str(),
        "word": word,
        "sentence": sentence,
        "ok": judged.problems.is_empty(),
        "exit": exit.number(),
        "released": headline.released(),
        "since": headline.since(),
        "checked": headline.checked(),
        "completeness": age::completeness_json(session.release(), now),
        "status": age::status_json(session.status(), now),
        "heads": session.heads(),
        "events": events(session),
        "problems": judged.problems.iter().map(|failure| stele_explain::json(failure.as_explain())).collect::<Vec<_>>(),
        "files": report.map(files),
    })
}

/// What is shown where nothing is verified: the first line that `stele verify` writes, and the error.
pub fn not_verified(failure: &Failure) -> Value {
    let error = failure.as_explain();
    let sentence = stele_explain::printable::printable(&error.to_string()).replace('\n', " ");
    json!({
        "verdict": "not-verified", "word": "NOT VERIFIED", "sentence": sentence, "ok": false, "exit": error.exit().number(),
        "problems": [stele_explain::json(error)],
    })
}

/// What was said of the release, oldest first.
fn events(session: &Session) -> Vec<Value> {
    let events = session.status().history.events().iter();
    let one = |event: &Event| {
        json!({
            "entry": event.position,
            "issued_at": event.issued_at.to_string(),
            "speaker": reporter(&event.speaker, session.status().history.coordinate()),
            "what": what(&event.what),
        })
    };
    events.map(one).collect()
}

/// What was said, in a clause.
fn what(said: &What) -> String {
    match said {
        What::Released => "released it".to_owned(),
        What::Conflict { weights } => conflict(weights.as_ref()),
        What::Amended { fields, reason, .. } => format!("amended {}: {reason}", fields.join(", ")),
        What::Moved { from, to, reason } => format!("moved access from {from} to {}: {reason}", to.stage),
        What::Superseded { by, reason } => format!("replaced it by {}: {reason}", by.coordinate),
        What::Withdrawn(withdraw) => format!("WITHDREW it: {}", withdraw.reason),
        What::Incident(incident) => {
            let (severity, status) = (incident.severity, incident.status);
            format!(
                "reported incident {} ({}, {severity}, {status}): {}",
                incident.id, incident.class, incident.summary
            )
        }
        What::Evaluated(_) => "reported an evaluation".to_owned(),
        What::Observed(_) => "reported what a host served".to_owned(),
    }
}

/// Every path in exactly one list.
fn files(report: &FolderReport) -> Value {
    let differing = report.differing.iter().map(|file| {
        json!({
            "path": file.path.to_string(), "expected": file.expected.to_string(), "found": file.found(), "why": file.cause.what(),
        })
    });
    json!({
        "of": report.of,
        "bytes": report.bytes,
        "matching": report.matching.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "differing": differing.collect::<Vec<_>>(),
        "missing": report.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "unusable": report.unusable.iter().map(|odd| json!({ "path": odd.path, "why": odd.why })).collect::<Vec<_>>(),
        "extra": report.extra.iter().map(Extra::with_role).collect::<Vec<_>>(),
        "weights": report.weights.state.as_str(),
        "complete_and_exact": report.is_complete_and_exact(),
    })
}
