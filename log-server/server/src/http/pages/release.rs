//! `GET /release?name=`: a release, its files, its licence, what became of it, and how to verify it.

use super::html::{Inline, Page, in_query};
use crate::http::server::Server;
use crate::http::stories::{READ_FOR_A_PAGE, Story, StoryError, said, story};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stele_log_core::manifests::Stored;
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::statement::Release;
use stele_spec::status::{Event, State as ReleaseState, What};

/// How many files of a release are listed.
const LISTED: usize = 500;

/// `?name=publisher/model@version#variant`.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Asked {
    name: String,
}

/// A release's page.
pub(in crate::http) async fn release(
    State(server): State<Server>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked.name).unwrap_or_default();
    let Ok(coordinate) = asked.parse::<Coordinate>() else {
        let mut page = Page::titled("No such name");
        page.paragraph("Expected publisher/model@version#variant, such as acme.example/tiny@1.0.2#base.");
        page.search_form(&asked);
        return page.answer(StatusCode::BAD_REQUEST);
    };
    of(&server, coordinate).await
}

/// The page of a coordinate.
pub(super) async fn of(server: &Server, coordinate: Coordinate) -> Response {
    let size = server.shared.published().map_or(0, |published| published.size());
    let read = server.blocking({
        let coordinate = coordinate.clone();
        move |log| {
            let story = story(log, &coordinate, size, READ_FOR_A_PAGE)?;
            let digest = story.history.current().map(|release| release.manifest);
            let manifest = digest.and_then(|digest| match log.manifests.read(&digest) {
                Ok(Stored::Sound(bytes)) => Manifest::parse(&bytes).ok(),
                _ => None,
            });
            Ok::<_, StoryError>((story, manifest))
        }
    });
    match read.await {
        Ok(Ok((story, manifest))) => show(&coordinate, &story, manifest.as_ref(), server.verify_page.is_some()),
        Ok(Err(error)) => unreadable(&error),
        Err(response) => response,
    }
}

/// Why there is no page now.
pub(super) fn unreadable(error: &StoryError) -> Response {
    tracing::warn!(%error, "a page cannot be made");
    let mut page = Page::titled("Not now");
    page.paragraph("This cannot be looked up now; what is logged is there all the same. Try again later.");
    page.answer(StatusCode::SERVICE_UNAVAILABLE)
}

fn show(coordinate: &Coordinate, story: &Story, manifest: Option<&Manifest>, has_verify_page: bool) -> Response {
    let history = &story.history;
    let mut page = Page::titled(&coordinate.to_string());
    let (Some((entry, first)), Some(now)) = (history.release(), history.current()) else {
        page.paragraph("This log has no release of that name.");
        page.search_form(&coordinate.to_string());
        return page.answer(StatusCode::NOT_FOUND);
    };
    let mut state = said(history);
    if let Some((at, withdraw)) = history.withdrawal() {
        state += &format!(" at entry {at} on {}: {}", withdraw.issued_at.date(), withdraw.reason);
    }
    if story.is_cut {
        state += &format!(
            "; more than {READ_FOR_A_PAGE} statements were made about it, and the later ones are not shown here"
        );
    }
    if history.state() == ReleaseState::Conflicting {
        state += ": the log holds statements that cannot both be, as no honest log does";
    }
    page.state(&state);
    page.facts(&facts(entry, first, now));
    page.heading("How to verify");
    page.paragraph(
        "This page proves nothing: a page can be changed. With a trust policy that you chose, on your own machine:",
    );
    page.lines(&format!("stele verify FOLDER --policy policy --online\nstele history '{coordinate}' --policy policy"));
    if has_verify_page {
        let link = format!("/verify#{}", in_query(&coordinate.to_string()));
        page.list([Inline::default().text("Without a program: ").link(&link, "verify it in this browser")]);
    }
    page.heading("History");
    page.list(history.events().iter().map(line_of));
    files(&mut page, now, manifest);
    page.heading("Hosts");
    if now.hosts.is_empty() {
        page.paragraph("None named.");
    }
    page.list(now.hosts.iter().map(|host| {
        let line = Inline::default().text(&format!("{}: ", host.kind)).code(&host.locator.to_string());
        host.revision.iter().fold(line, |line, revision| line.text(" at ").code(&revision.to_string()))
    }));
    page.answer(StatusCode::OK)
}

fn facts(entry: u64, first: &Release, now: &Release) -> Vec<(&'static str, String)> {
    let restricted = if now.license.use_restricted { ", some uses are forbidden" } else { "" };
    let mut licence = format!("{}{restricted}", now.license.spdx);
    if first.license.spdx != now.license.spdx {
        licence += &format!("; it was {} when it was released", first.license.spdx);
    }
    vec![
        ("publisher", now.publisher.name.to_string()),
        ("licence", licence),
        ("access", format!("{} since {}", now.access.stage, now.access.since)),
        ("released", format!("{}, entry {entry}", first.issued_at)),
        ("weights", format!("{} files, {} bytes, digest {}", now.weights.files, now.weights.bytes, now.weights.digest)),
        ("manifest", now.manifest.to_string()),
    ]
}

fn line_of(event: &Event) -> Inline {
    let line = Inline::default().text(&format!("{}: ", event.issued_at.date()));
    let line = match &event.what {
        What::Released => line.text("released"),
        What::Conflict { .. } => line.strong("a statement that contradicts the release"),
        What::Amended { fields, reason, .. } => line.text(&format!("amended ({}): {reason}", fields.join(", "))),
        What::Moved { from, to, reason } => line.text(&format!("access moved from {from} to {}: {reason}", to.stage)),
        What::Superseded { by, reason } => line.strong("superseded").text(&format!(" by {}: {reason}", by.coordinate)),
        What::Withdrawn(withdraw) => line.strong("withdrawn").text(&format!(": {}", withdraw.reason)),
        What::Incident(incident) => line
            .strong(&format!("incident {} ({}, {})", incident.id, incident.severity, incident.status))
            .text(&format!(", said by {}", event.speaker)),
        What::Evaluated(_) => line.text(&format!("evaluated by {}", event.speaker)),
        What::Observed(_) => line.text(&format!("a host's files compared by {}", event.speaker)),
    };
    let entry = event.position;
    line.text(" (")
        .link(&format!("/entries/{entry}"), &format!("entry {entry}"))
        .text(", ")
        .link(&format!("/entries/{entry}/proof"), "proof")
        .text(")")
}

fn files(page: &mut Page, release: &Release, manifest: Option<&Manifest>) {
    page.heading("Files");
    let Some(manifest) = manifest else {
        return page.paragraph(
            "The manifest of this release is missing or damaged here; who has the release can send it again.",
        );
    };
    let all = manifest.files();
    page.list(all.iter().take(LISTED).map(|file| {
        let line = Inline::default().code(&file.path.to_string());
        line.text(&format!(", {}, {} bytes, ", file.role, file.size)).code(&file.sha256.to_string())
    }));
    if all.len() > LISTED {
        page.paragraph(&format!("{} more are in the manifest.", all.len() - LISTED));
    }
    page.list([Inline::default().link(&format!("/manifests/{}", release.manifest), "The manifest").text(", as CBOR")]);
}
