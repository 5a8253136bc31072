//! `stele history`: everything that was said about a coordinate, a version, a model or a publisher, in the order of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::age::{self, completeness};
use stele_log_client::log_view::LogView;
use stele_log_client::release_status::{Rejected, Revocation, Validated, validate};
use stele_log_client::statements::{Lack, ProvenStatement, StatementList, StatementSource as _};
use stele_spec::index::{self, Kind};
use stele_spec::name::{Coordinate, NameError, Publisher};
use stele_spec::statement::{Action, PublisherClaim, Statement};
use stele_spec::status::History;

use crate::Output;
use crate::args::HistoryArgs;
use crate::log_args::LogContext;
use crate::render::lifecycle;
use crate::render::page::{Page, printable};
use crate::subject::{FORMS, Subject};

pub(crate) fn run(args: HistoryArgs) -> Result<Output, Failure> {
    // A folder or a file here comes first, a name of the record before a digest.
    let name = if Path::new(&args.name).exists() { None } else { Some(Name::parse(&args.name)) };
    // What is neither a name nor anything else is refused before a log is asked.
    let named = match name {
        Some(Ok(name)) => Ok(name),
        None => Err(Subject::parse(&args.name)?),
        Some(Err(bad)) => Err(Subject::parse(&args.name).map_err(|failure| {
            let is_nothing = failure.as_explain().code() == "no-such-subject";
            if is_nothing { bad.into() } else { failure }
        })?),
    };
    let origin = named.as_ref().err().and_then(Subject::origin);
    let asked = LogContext::of(&args.asking, origin.as_ref())?;
    let log = asked.log()?;
    let name = match named {
        Ok(name) => name,
        Err(subject) => Name::Coordinate(subject.find(&log)?.coordinate),
    };
    let history = NameHistory::of(&name, &log)?;
    if history.lines.is_empty() && history.rejected.is_empty() {
        return Err(NothingSaid { name: args.name, lack: history.lack }.into());
    }
    Ok(Output { text: history.text(&args.name), json: history.json(&args.name), failure: None })
}

/// A name of the record: a coordinate, or what stands above coordinates.
enum Name {
    Coordinate(Coordinate),
    Under(String, Publisher),
}

impl Name {
    fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |problem: String| BadName { name: text.to_owned(), problem };
        if text.contains('#') {
            return text.parse().map(Self::Coordinate).map_err(|error: NameError| bad(error.to_string()));
        }
        // Each part of the name: an empty version or model is none.
        index::Subject::read(Kind::Under, text).map_err(|error| bad(error.to_string()))?;
        let publisher = match text.split_once('@') {
            Some((model, _)) => model.rsplit_once('/').and_then(|(publisher, _)| publisher.parse().ok()),
            None => {
                let above = || text.rsplit_once('/').and_then(|(publisher, _)| publisher.parse().ok());
                text.parse().ok().or_else(above)
            }
        };
        let publisher = publisher.ok_or_else(|| bad("it names no publisher".to_owned()))?;
        Ok(Self::Under(text.to_owned(), publisher))
    }
}

/// What was said, in the order of the log.
struct NameHistory {
    lines: Vec<Line>,
    states: BTreeMap<Coordinate, History>,
    rejected: Vec<Rejected>,
    lack: Option<Lack>,
    cut: bool,
    head: String,
    as_of: Value,
}

/// One entry.
struct Line {
    position: u64,
    issued_at: String,
    speaker: String,
    kind: &'static str,
    coordinates: Vec<Coordinate>,
    text: String,
    /// Of an amendment: each field, from what to what.
    changes: Value,
    /// When a key that signed it was revoked later.
    revoked: Option<Revocation>,
}

impl NameHistory {
    fn of(name: &Name, log: &LogView<'_>) -> Result<Self, Failure> {
        let (about, owner) = match name {
            Name::Coordinate(coordinate) => (log.about(coordinate)?, &coordinate.publisher),
            Name::Under(text, publisher) => (log.under(text)?, publisher),
        };
        let Validated { counting, rejected, keys } = validate(&about, owner, log)?;
        let only = match name {
            Name::Coordinate(coordinate) => Some(coordinate),
            Name::Under(..) => None,
        };
        let coordinates: BTreeSet<Coordinate> = match only {
            Some(coordinate) => [coordinate.clone()].into(),
            None => {
                let released = counting.iter().filter_map(|logged| logged.signed().statement().release());
                released.map(|release| release.coordinate()).collect()
            }
        };
        let folded = |coordinate: &Coordinate| {
            History::fold(coordinate, counting.iter().map(|at| (at.position(), at.signed().statement())))
        };
        let states: BTreeMap<Coordinate, History> =
            coordinates.into_iter().map(|coordinate| (coordinate.clone(), folded(&coordinate))).collect();
        let (head, now) = (log.head(), SystemClock.unix_seconds());
        let lack = keys.values().chain([&about]).find_map(|listing: &StatementList| listing.lack);
        Ok(Self {
            lines: counting.iter().map(|logged| Line::of(logged, &states, Revocation::after(&keys, logged))).collect(),
            states,
            rejected,
            lack,
            cut: about.cut,
            head: age::asked_now(head, now, log.url()),
            as_of: age::head_json(head, now),
        })
    }

    fn text(&self, name: &str) -> String {
        let mut page = Page::titled(&printable(name));
        for (coordinate, history) in &self.states {
            let licence = lifecycle::licence(history).map(|licence| format!("\nlicence {licence}")).unwrap_or_default();
            let critical = lifecycle::critical(history).map(|critical| format!(": {critical}")).unwrap_or_default();
            page.row(history.state().as_str(), &format!("{coordinate}{critical}{licence}"));
        }
        page.section("said, in the order of the log");
        for line in &self.lines {
            let about = match line.coordinates.as_slice() {
                [] => String::new(),
                [one] => format!(" {one}"),
                [one, more @ ..] => format!(" {one} and {} more", more.len()),
            };
            let revoked = line.revoked.as_ref().map(|revoked| format!("\n{}", revoked.text())).unwrap_or_default();
            page.row(
                &format!("entry {}", line.position),
                &format!("{} {}: {}{about}\n{}{revoked}", line.issued_at, line.speaker, line.kind, line.text),
            );
        }
        for rejected in &self.rejected {
            page.row(
                &format!("entry {}", rejected.position),
                &format!("DOES NOT COUNT: {} by {}: {}", rejected.kind, rejected.speaker, rejected.why),
            );
        }
        page.section("as of");
        page.row("", &self.head);
        page.row("", &completeness(self.lack));
        if self.cut {
            page.row("", &"there is more than is read here");
        }
        page.0
    }

    fn json(&self, name: &str) -> Value {
        let entries = self.lines.iter().map(|line| {
            let (revoked_at, reason) = lifecycle::revocation_json(line.revoked.clone());
            json!({
                "entry": line.position,
                "issued_at": line.issued_at,
                "speaker": line.speaker,
                "kind": line.kind,
                "coordinates": line.coordinates.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "text": line.text,
                "changes": line.changes,
                "key_revoked_at_entry": revoked_at,
                "key_revocation_reason": reason,
            })
        });
        let states =
            self.states.iter().map(|(coordinate, history)| (coordinate.to_string(), history.state().as_str().into()));
        let licenses = self.states.iter().filter_map(|(coordinate, history)| {
            Some((coordinate.to_string(), history.current()?.license.spdx.to_string().into()))
        });
        let rejected = self.rejected.iter().map(|rejected| {
            json!({
                "entry": rejected.position,
                "kind": rejected.kind.as_str(),
                "speaker": rejected.speaker.to_string(),
                "code": rejected.code,
                "why": rejected.why,
            })
        });
        json!({
            "name": name,
            "states": states.collect::<serde_json::Map<_, _>>(),
            "licenses": licenses.collect::<serde_json::Map<_, _>>(),
            "entries": entries.collect::<Vec<_>>(),
            "rejected": rejected.collect::<Vec<_>>(),
            "complete": self.lack.is_none(),
            "lack": self.lack.map(Lack::as_str),
            "cut": self.cut,
            "as_of": self.as_of,
        })
    }
}

impl Line {
    fn of(logged: &ProvenStatement, states: &BTreeMap<Coordinate, History>, revoked: Option<Revocation>) -> Self {
        let statement = logged.signed().statement();
        let coordinates = statement.coordinates();
        // What an entry does to a coordinate depends on what came before it: the fold knows.
        let event = coordinates.iter().find_map(|coordinate| {
            states.get(coordinate)?.events().iter().find(|event| event.position == logged.position())
        });
        let text = match (event, statement) {
            (Some(event), _) => lifecycle::what(&event.what),
            (None, Statement::Publisher(change)) => of_keys(change),
            (None, Statement::Incident(incident)) => lifecycle::incident_line(logged.position(), incident),
            (None, _) => "about a coordinate of which no release is named".to_owned(),
        };
        Self {
            position: logged.position(),
            issued_at: moment_of(statement),
            speaker: statement.publisher().to_string(),
            kind: statement.kind().as_str(),
            coordinates,
            text,
            changes: event.map_or(Value::Null, |event| lifecycle::changes_json(&event.what)),
            revoked,
        }
    }
}

fn moment_of(statement: &Statement) -> String {
    statement.issued_at().to_string()
}

/// What happens to the keys of a name.
fn of_keys(change: &PublisherClaim) -> String {
    let keys = |kids: Vec<String>| kids.join(", ");
    let added = keys(change.keys.iter().map(|key| key.kid.to_string()).collect());
    let revoked = keys(change.revoked.iter().map(ToString::to_string).collect());
    let reason = change.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match change.action {
        Action::Claim => format!("claims the name for {added}"),
        Action::Add => format!("adds {added}{reason}"),
        Action::Rotate => format!("adds {added} and revokes {revoked}{reason}"),
        Action::Revoke => format!("revokes {revoked}{reason}"),
    }
}

/// Not a name of the record.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{name:?} is no name of the record")]
pub(crate) struct BadName {
    name: String,
    problem: String,
}

impl Explain for BadName {
    explain! {
        Self { problem, .. } => Exit::BadInput, "bad-name",
            hint: format!("name a publisher, publisher/model or publisher/model@version; or {FORMS}"),
            "expected": "publisher, publisher/model or publisher/model@version", "found": problem;
    }
}

/// A name of which the log has nothing.
#[derive(Debug, thiserror::Error)]
#[error("the log names nothing about {name}")]
pub(crate) struct NothingSaid {
    name: String,
    lack: Option<Lack>,
}

impl Explain for NothingSaid {
    explain! {
        Self { lack, .. } => Exit::NotInLog, "nothing-said",
            hint: "check the spelling (names are in lower case), and that this is the right log: --log URL",
            "answer": lack.map_or("proven complete: there is nothing up to its newest tree head", Lack::text);
    }
}
