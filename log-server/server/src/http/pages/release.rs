//! `GET /release?name=`: a release, its files, its licence, what became of it, and how to verify it.

use super::html::{Inline, Page, in_query};
use crate::http::made_of::{Above, MadeOf, made_of};
use crate::http::server::Server;
use crate::http::signers::{Revoked, keys_of, revoked};
use crate::http::stories::{READ_FOR_A_PAGE, Story, StoryError, story, told};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeMap;
use stele_log_core::manifests::Stored;
use stele_spec::manifest::Manifest;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Parent, Release, UnloggedParent, UnseenParent};
use stele_spec::status::{Event, State as ReleaseState, What};
use stele_spec::verify::count;

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

/// What a page is made from.
struct Read {
    story: Story,
    manifest: Option<Manifest>,
    made_of: MadeOf,
    /// When a key that signed an entry was revoked later.
    revoked: BTreeMap<u64, Revoked>,
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
            let made_of = story.history.current().map(|release| made_of(log, release, size)).transpose()?;
            let revoked = revoked(log, &story.signed, size)?;
            Ok::<_, StoryError>(Read { story, manifest, made_of: made_of.unwrap_or_default(), revoked })
        }
    });
    match read.await {
        Ok(Ok(read)) => show(&coordinate, &read, server.verify_page.is_some()),
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

fn show(coordinate: &Coordinate, read: &Read, has_verify_page: bool) -> Response {
    let Read { story, manifest, made_of, revoked } = read;
    let history = &story.history;
    let mut page = Page::titled(&coordinate.to_string());
    let (Some((entry, first)), Some(now)) = (history.release(), history.current()) else {
        page.paragraph("This log has no release of that name.");
        page.search_form(&coordinate.to_string());
        return page.answer(StatusCode::NOT_FOUND);
    };
    let mut state = vec![told(history)];
    state.extend(revoked.get(&entry).map(Revoked::text));
    state.extend(made_of.ancestors.iter().filter_map(Above::warning));
    let mut state = state.join("; ");
    if story.is_cut {
        state += &format!(
            "; more than {READ_FOR_A_PAGE} statements were made about it, and the later ones are not shown here"
        );
    }
    page.state(&state);
    let mut facts = facts(entry, first, now);
    if let Some((_, signed)) = story.signed.iter().find(|(position, _)| *position == entry) {
        let keys: Vec<String> = keys_of(signed).map(|key| key.to_string()).collect();
        facts.push((if keys.len() == 1 { "key" } else { "keys" }, keys.join(", ")));
    }
    page.facts(&facts);
    lineage(&mut page, now, made_of);
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
    page.list(history.events().iter().map(|event| line_of(event, revoked.get(&event.position))));
    files(&mut page, now, manifest.as_ref());
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
    let of = usize::try_from(now.weights.files).unwrap_or(usize::MAX);
    let weights = format!("{}, {} bytes, digest {}", count(of, "file"), now.weights.bytes, now.weights.digest);
    vec![
        ("publisher", now.publisher.name.to_string()),
        ("licence", licence),
        ("access", format!("{} since {}", now.access.stage, now.access.since)),
        ("released", format!("{}, entry {entry}", first.issued_at)),
        ("weights", weights),
        ("manifest", now.manifest.to_string()),
    ]
}

/// What it was made of, each with what became of it.
fn lineage(page: &mut Page, release: &Release, made_of: &MadeOf) {
    page.heading("Made of");
    if release.from_scratch && made_of.ancestors.is_empty() {
        return page.paragraph("Trained from scratch, its publisher says.");
    }
    page.list(made_of.ancestors.iter().map(|above| {
        let line = Inline::default().text(if above.is_parent { "" } else { "further up: " });
        let line = line.text(&format!("{} of ", above.named.relation));
        let (logged, history) = match (&above.named.parent, &above.history) {
            (Parent::Logged(logged), history) => (logged, history),
            (Parent::Unlogged(UnloggedParent { purl, .. }) | Parent::Unseen(UnseenParent { purl, .. }), _) => {
                return line.code(&purl.to_string()).text(", of which this log has no release");
            }
        };
        let name = logged.coordinate.to_string();
        let line = line.link(&format!("/release?name={}", in_query(&name)), &name).text(": ");
        let Some(history) = history else { return line.text("see above") };
        if history.release().is_none_or(|(entry, _)| entry != logged.entry) {
            return line.strong(&format!("this log does not have it at entry {}, which is named", logged.entry));
        }
        let is_sound = matches!(history.state(), ReleaseState::Released | ReleaseState::Amended);
        match is_sound && history.open_incidents().is_empty() {
            true => line.text(&told(history)),
            false => line.strong(&told(history)),
        }
    }));
    if made_of.is_cut {
        page.paragraph("There is more above it: `stele lineage` shows all.");
    }
}

fn line_of(event: &Event, revoked: Option<&Revoked>) -> Inline {
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
    let line = revoked.iter().fold(line, |line, revoked| line.text("; ").strong(&revoked.text()));
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
