//! A statement after which everything stands as before: most often the wrong copy of a form, and for ever in the log.

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Release, Statement};
use stele_spec::status::History;

/// Refuses what changes nothing; a warning for what moves no more than a day.
pub(crate) fn check(record: &mut ProvenEntries, statement: &Statement) -> Result<Option<String>, Failure> {
    let of = match statement {
        Statement::Amend(amend) => &amend.release.coordinate,
        Statement::Stage(moved) => &moved.release.coordinate,
        Statement::Supersede(supersede) => &supersede.release.coordinate,
        _ => return Ok(None),
    };
    let about = record.about(of)?;
    let before = || about.iter().map(|logged: &ProvenStatement| (logged.position(), logged.statement()));
    let then = History::fold(of, before());
    let now = History::fold(of, before().chain([(u64::MAX, statement)]));
    match (then.current(), now.current()) {
        (Some(then_stands), Some(now_stands)) => {
            let stands = standing(&then, then_stands, statement);
            let replaced = |history: &History| history.superseded_by().map(|(_, by)| by.coordinate.clone());
            let is_same =
                then.withdrawal().is_some() == now.withdrawal().is_some() && replaced(&then) == replaced(&now);
            if is_same && then_stands == now_stands {
                return Err(NoEffect { of: of.clone(), kind: statement.kind().to_string(), stands }.into());
            }
            let mut but_day = now_stands.clone();
            but_day.access.since = then_stands.access.since;
            let moves_a_day = is_same && matches!(statement, Statement::Stage(_)) && but_day == *then_stands;
            Ok(moves_a_day.then(|| {
                format!("{stands}; this says {} in place of that day, and nothing else", now_stands.access.since)
            }))
        }
        _ => Ok(None),
    }
}

fn standing(history: &History, stands: &Release, statement: &Statement) -> String {
    match (statement, history.superseded_by()) {
        (Statement::Supersede(_), Some((entry, by))) => format!("entry {entry} names {} in its place", by.coordinate),
        (Statement::Stage(_), _) => format!("access is {} since {}", stands.access.stage, stands.access.since),
        _ => "each field that it names has this value".to_owned(),
    }
}

/// Everything would stand as it does.
#[derive(Debug, thiserror::Error)]
#[error("this {kind} would change nothing of {of}: {stands} already")]
struct NoEffect {
    of: Coordinate,
    kind: String,
    stands: String,
}

impl Explain for NoEffect {
    explain! {
        Self { of, .. } => Exit::Refused, "changes-nothing",
            hint: format!("a statement cannot be taken back: is it the right form? `stele history {of}` has what stands"),
            "expected": "something that changes", "found": "nothing";
    }
}
