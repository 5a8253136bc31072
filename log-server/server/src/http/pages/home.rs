//! `GET /`: what this log is, how it is, whom to trust for it. `GET /policy`: the last alone.

use super::html::{Inline, Page, in_query};
use super::policy_text::policy_text;
use crate::http::answers::typed;
use crate::http::server::{Address, Server};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use stele_log_core::cosigning::names;
use stele_log_core::running_log::RunningLog;
use stele_log_core::status::WriterState;
use stele_spec::statement::Timestamp;

/// The trust policy that this log publishes under, as a file.
pub(in crate::http) async fn policy(State(server): State<Server>) -> Response {
    typed("text/plain; charset=utf-8", policy_text(&server.shared.settings().policy).into_bytes())
}

/// The first page.
pub(in crate::http) async fn page(State(server): State<Server>) -> Response {
    let stories = server.stories.clone();
    let size = server.shared.published().map_or(0, |published| published.size());
    let newest = server.blocking(move |log| stories.newest(log, size)).await;
    let shared = &server.shared;
    let mut page = Page::titled(shared.origin.as_str());
    page.paragraph(
        "A public record of open-weight model releases: an append-only log of what publishers signed, cosigned by independent witnesses.",
    );
    if let Some(state) = state(shared) {
        page.state(&state);
    }
    page.facts(&facts(shared, size));
    page.heading("Search");
    page.search_form("");
    page.heading("Newest releases");
    match newest {
        Ok(Ok(lines)) if lines.is_empty() => page.paragraph("None yet."),
        Ok(Ok(lines)) => page.list(lines.iter().map(|line| {
            let item =
                Inline::default().link(&format!("/release?name={}", in_query(&line.coordinate)), &line.coordinate);
            let item = item.text(&format!(", {}: ", line.issued_at));
            if line.is_warning { item.strong(&line.said) } else { item.text(&line.said) }
        })),
        _ => page.paragraph("They cannot be looked up now; what is logged is there all the same."),
    }
    page.heading("Witnesses");
    witnesses(&mut page, shared);
    page.heading("Whom to trust");
    page.paragraph("Save these lines as a file, after you have compared them with another place where the operator publishes them:");
    page.lines(&policy_text(&shared.settings().policy));
    page.list([Inline::default().link("/policy", "/policy").text(": the same as a file")]);
    page.heading("How to verify");
    page.paragraph("This page proves nothing: a page can be changed. With the file above, on your own machine:");
    page.lines("stele verify FOLDER --policy policy --online\nstele audit --policy policy");
    if server.verify_page.is_some() {
        let line =
            Inline::default().text("Without a program, in this browser: ").link("/verify", "drop a release.stele");
        page.list([line.text(" (with this log's own page, and so with its word for it)")]);
    }
    page.heading("What it serves");
    serves(&mut page, &server.addresses);
    page.answer(StatusCode::OK)
}

/// What everybody should know first, if it is not as it should be.
fn state(shared: &RunningLog) -> Option<String> {
    if shared.settings().rules.frozen {
        return Some("Frozen: this log takes no new statement. What it holds stays readable and provable.".into());
    }
    let why = match shared.status.writer() {
        WriterState::Running => return None,
        WriterState::Starting | WriterState::Asking { .. } => "it is starting",
        WriterState::BelowQuorum { .. } => "too few witnesses answer",
        WriterState::NoRoom { .. } => "its disk is full",
        WriterState::Stopped { .. } => "its operator has to mend it",
        WriterState::Finished => "it is going down",
        WriterState::Standby(_) => "it is a standby, and another machine takes them",
    };
    Some(format!("Takes no statement now: {why}. What is published is served."))
}

fn facts(shared: &RunningLog, size: u64) -> Vec<(&'static str, String)> {
    let published = shared.published();
    let time = published.and_then(|published| published.time()).map(|time| time.seconds());
    let mut facts = vec![("origin", shared.origin.to_string()), ("verifier key", shared.keys.first().to_string())];
    facts.extend(shared.keys.second().map(|key| ("second verifier key", key.to_string())));
    facts.push(("entries", size.to_string()));
    if let Some(time) = time {
        let date = Timestamp::from_unix_seconds(time).map(|time| time.to_string()).unwrap_or_default();
        facts.push(("as of", format!("{date}, {} ago", ago(shared.now().saturating_sub(time)))));
    }
    facts
}

fn witnesses(page: &mut Page, shared: &RunningLog) {
    let policy = &shared.settings().policy;
    if policy.witnesses().is_empty() {
        return page.paragraph("None: this log publishes what no witness has seen.");
    }
    let known = shared.status.witnesses();
    let now = shared.now();
    page.list(names(policy).into_iter().map(|name| {
        let status = known.get(&name).cloned().unwrap_or_default();
        let line = Inline::default().code(&name);
        let line = match status.cosigned {
            Some(time) => line.text(&format!(", cosigned {} ago", ago(now.saturating_sub(time)))),
            None => line.text(", has not cosigned since the log was started"),
        };
        match status.problem {
            Some(problem) => line.text("; ").strong(&problem),
            None => line,
        }
    }));
}

fn serves(page: &mut Page, addresses: &[Address]) {
    page.list(addresses.iter().map(|Address { path, query, about }| {
        let shown = path.replace("{*", "<").replace('{', "<").replace('}', ">");
        // What takes no parameter and gives text can be looked at.
        let line = match (shown.contains('<'), query.is_empty() && *path != "/entries") {
            (false, true) => Inline::default().link(path, path),
            _ => Inline::default().code(&format!("{shown}{query}")),
        };
        line.text(&format!(": {about}"))
    }));
}

/// A length of time for people.
fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
