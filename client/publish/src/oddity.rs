//! What is odd in a statement though no rule forbids it: said before it is sent, since each statement is for ever.

use stele_explain::Failure;
use stele_log_client::judgement::WithdrawnError;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{Date, StageMove, Statement, Supersede};
use stele_spec::status::History;

/// Sentences for the person who is about to sign.
pub fn of(record: &mut ProvenEntries, statement: &Statement) -> Result<Vec<String>, Failure> {
    let mut odd = to_come(statement);
    odd.extend(match statement {
        Statement::Stage(stage) => {
            let about = record.about(&stage.release.coordinate)?;
            let released = about.iter().find(|logged| logged.statement().release().is_some());
            of_day(stage, released.map(|logged| logged.statement().issued_at().date()))
        }
        Statement::Supersede(supersede) => {
            let about = record.about(&supersede.by.coordinate)?;
            let by = about.iter().find(|logged| logged.statement().release().is_some());
            of_replacement(supersede, by.map(|logged| logged.statement().publisher()))
        }
        Statement::Release(release) => waiting(record, &release.coordinate())?,
        _ => Vec::new(),
    });
    Ok(odd)
}

/// What was said of a name before there is a release of it: a critical incident that is open meets each reader from the first moment on.
fn waiting(record: &mut ProvenEntries, of: &Coordinate) -> Result<Vec<String>, Failure> {
    let about = record.about(of)?;
    let history =
        History::fold(of, about.iter().map(|logged: &ProvenStatement| (logged.position(), logged.statement())));
    if history.release().is_some() {
        return Ok(Vec::new());
    }
    let open = history.open_incidents().into_iter();
    let said = open.map(|(entry, incident)| {
        let (by, severity) = (&incident.publisher.name, incident.severity);
        let then =
            if WithdrawnError::is_critical(incident) { ", and whoever verifies it online ends with 17" } else { "" };
        format!(
            "entry {entry}: {by} reports an incident of this name, which has no release yet: {} ({}, {severity}){then}",
            incident.id, incident.class
        )
    });
    Ok(said.collect())
}

/// Days on which something is said to have happened, and that are still to come.
fn to_come(statement: &Statement) -> Vec<String> {
    let days: Vec<(String, Date)> = match statement {
        Statement::Release(release) => {
            let evaluated = release.evaluations.iter().map(|one| (format!("evaluation {}: date", one.id), one.date));
            let hosts = release.hosts.iter().map(|host| (format!("{}: since", host.locator), host.since));
            let legal = release.legal.iter().map(|claim| (format!("{}: as_of", claim.regime), claim.as_of));
            std::iter::once(("access.since".to_owned(), release.access.since))
                .chain(evaluated)
                .chain(hosts)
                .chain(legal)
                .collect()
        }
        Statement::Withdraw(withdraw) => {
            withdraw.actions.iter().map(|action| (action.what.to_string(), action.when)).collect()
        }
        Statement::Incident(incident) => vec![("discovered".to_owned(), incident.discovered)],
        Statement::Evaluation(report) => vec![("date".to_owned(), report.evaluation.date)],
        Statement::Stage(_)
        | Statement::Publisher(_)
        | Statement::Amend(_)
        | Statement::Supersede(_)
        | Statement::Observation(_) => Vec::new(),
    };
    let today = statement.issued_at().date();
    let ahead = days.into_iter().filter(|(_, day)| *day > today);
    ahead
        .map(|(what, day)| {
            format!("{what} {day} is still to come: it is recorded today, {today}, and read as a day that was")
        })
        .collect()
}

/// A first day that is still to come, or that was before there was a release.
fn of_day(stage: &StageMove, released: Option<Date>) -> Vec<String> {
    let (since, today) = (stage.access.since, stage.issued_at.date());
    let mut odd = Vec::new();
    if since > today {
        odd.push(format!(
            "--since {since} is still to come: it is recorded today, {today}, and from today on readers take {} as the stage",
            stage.access.stage
        ));
    }
    if let Some(released) = released.filter(|released| since < *released) {
        odd.push(format!("--since {since} is before the day of the release, {released}"));
    }
    odd
}

/// A replacement that somebody else published.
fn of_replacement(supersede: &Supersede, by: Option<&Publisher>) -> Vec<String> {
    let own = &supersede.publisher.name;
    by.filter(|by| *by != own)
        .map(|by| format!("--by {} is a release of {by}, and not of {own}", supersede.by.coordinate))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(since: &str) -> StageMove {
        let text = format!(
            "kind = \"stage\"\nissued_at = \"2026-07-01T08:00:00Z\"\nreason = \"It opens.\"\nweights_digest = \"{digest}\"\n\
             publisher = {{ name = \"acme.example\" }}\naccess = {{ stage = \"open\", since = \"{since}\" }}\n\
             release = {{ coordinate = \"acme.example/tiny@1.0.0#base\", entry = 3, leaf_hash = \"{digest}\" }}\n",
            digest = stele_spec::hash::Digest::of(b"x")
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_day_to_come_and_a_day_before_the_release_are_odd() {
        let released = "2026-06-01".parse().ok();
        assert_eq!(of_day(&stage("2026-07-01"), released), Vec::<String>::new());
        assert_eq!(of_day(&stage("2026-06-01"), released), Vec::<String>::new());
        assert!(of_day(&stage("2030-01-01"), released)[0].contains("still to come"));
        assert!(of_day(&stage("2026-05-31"), released)[0].contains("before the day of the release"));
        assert_eq!(of_day(&stage("2026-05-31"), None), Vec::<String>::new());
    }

    #[test]
    fn a_day_of_the_world_that_is_still_to_come_is_odd_wherever_it_is_said() {
        let mut release: stele_spec::statement::Release =
            toml::from_str(include_str!("../../../spec/vectors/statement/sample-release.toml")).unwrap();
        let said = |release: &stele_spec::statement::Release| to_come(&Statement::Release(Box::new(release.clone())));
        assert_eq!(said(&release), Vec::<String>::new());
        release.access.since = "2031-01-01".parse().unwrap();
        for evaluation in release.evaluations.iter_mut().take(1) {
            evaluation.date = "2031-01-02".parse().unwrap();
        }
        let odd = said(&release);
        assert!(odd.len() == 2 && odd[0].starts_with("access.since 2031-01-01 is still to come"), "{odd:?}");
    }

    #[test]
    fn a_release_of_somebody_else_is_an_odd_replacement() {
        let digest = stele_spec::hash::Digest::of(b"x");
        let reference = |name: &str| format!("{{ coordinate = \"{name}\", entry = 3, leaf_hash = \"{digest}\" }}");
        let supersede: Supersede = toml::from_str(&format!(
            "kind = \"supersede\"\nissued_at = \"2026-07-01T08:00:00Z\"\nreason = \"It is newer.\"\nweights_digest = \"{digest}\"\n\
             publisher = {{ name = \"acme.example\" }}\nrelease = {}\nby = {}\n",
            reference("acme.example/tiny@1.0.0#base"),
            reference("other.example/tiny@2.0.0#base")
        ))
        .unwrap();
        let (own, other) = ("acme.example".parse().unwrap(), "other.example".parse().unwrap());
        assert_eq!(of_replacement(&supersede, Some(&own)), Vec::<String>::new());
        assert_eq!(of_replacement(&supersede, Some(&other)).len(), 1);
    }
}
