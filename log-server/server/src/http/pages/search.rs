//! `GET /search?q=`: the releases of a publisher or a model, with a digest, or with a package URL.

use super::html::{Inline, Page, in_query};
use super::release::{of, unreadable};
use crate::http::server::Server;
use crate::http::stories::{Line, READ_FOR_A_PAGE, StoryError, line, statements};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::collections::BTreeSet;
use stele_log_core::contract::lookup::LookupKey;
use stele_log_core::positions;
use stele_log_core::running_log::RunningLog;
use stele_spec::hash::Digest;
use stele_spec::index::Subject;
use stele_spec::manifest::GitBlobId;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{Purl, Statement};

/// How many releases are shown.
const SHOWN: usize = 50;

/// How many beginnings of what is asked are tried as publishers' names.
const MAX_PARTS: usize = 4;

/// `?q=`.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Asked {
    #[serde(default)]
    q: String,
}

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Coordinate(Box<Coordinate>),
    /// The releases of whoever it may be, with a beginning of their coordinates: `huggingface.co/acme` is a publisher's name, and could be a
    /// publisher's model.
    Publisher(Vec<Publisher>, String),
    /// A file or weights.
    Digest(Digest),
    GitBlob(GitBlobId),
    Purl(Box<Purl>),
    Nothing,
}

/// What was found.
pub(in crate::http) async fn search(
    State(server): State<Server>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked.q).unwrap_or_default();
    let wanted = Wanted::of(&asked);
    if let Wanted::Coordinate(coordinate) = wanted {
        return of(&server, *coordinate).await;
    }
    let mut page = Page::titled("Search");
    page.search_form(&asked);
    if wanted == Wanted::Nothing {
        page.paragraph(
            "Expected a name such as acme.example or acme.example/tiny, 64 or 40 hex digits, pkg:huggingface/acme/tiny, or the address of a model \
             there. The name of a model alone is not looked up: it needs its publisher before it.",
        );
        return page.answer(if asked.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST });
    }
    let size = server.shared.published().map_or(0, |published| published.size());
    match server.blocking(move |log| find(log, &wanted, size)).await {
        Ok(Ok((lines, is_cut))) => {
            if lines.is_empty() {
                page.paragraph("This log names no such release. Only `stele resolve` and `stele history` can prove that there is none.");
            }
            page.list(lines.iter().map(|line| {
                let item =
                    Inline::default().link(&format!("/release?name={}", in_query(&line.coordinate)), &line.coordinate);
                let item = item.text(&format!(", {}: ", line.issued_at));
                if line.is_warning { item.strong(&line.said) } else { item.text(&line.said) }
            }));
            if is_cut {
                page.paragraph(
                    "There are more than are shown here: ask for a model or a version, or use `stele history`.",
                );
            }
            page.answer(StatusCode::OK)
        }
        Ok(Err(error)) => unreadable(&error),
        Err(response) => response,
    }
}

impl Wanted {
    fn of(asked: &str) -> Self {
        let asked = asked.trim();
        let lower = asked.to_ascii_lowercase();
        if let Ok(coordinate) = asked.parse() {
            return Self::Coordinate(Box::new(coordinate));
        }
        if let Ok(digest) = Digest::from_hex(lower.strip_prefix("sha256:").unwrap_or(&lower)) {
            return Self::Digest(digest);
        }
        if let Ok(id) = GitBlobId::from_hex(&lower) {
            return Self::GitBlob(id);
        }
        if let Some(purl) = asked.parse().ok().or_else(|| on_hub(asked)) {
            return Self::Purl(Box::new(purl));
        }
        let ends = asked.match_indices(['/', '@']).map(|(at, _)| at).take(MAX_PARTS).chain([asked.len()]);
        let publishers: Vec<Publisher> = ends.filter_map(|end| asked.get(..end)?.parse().ok()).collect();
        if !publishers.is_empty() {
            return Self::Publisher(publishers, asked.to_owned());
        }
        Self::Nothing
    }
}

/// The package URL of a model of the hub by an address that people paste: `https://huggingface.co/acme/tiny/tree/main`, `hf://acme/tiny`.
fn on_hub(asked: &str) -> Option<Purl> {
    let address = asked.split_once("://").filter(|(scheme, _)| ["http", "https", "hf"].contains(scheme));
    let path = match address? {
        ("hf", path) => path,
        (_, rest) => rest.split_once('/').filter(|(host, _)| ["huggingface.co", "hf.co"].contains(host))?.1,
    };
    let path = path.split(['?', '#', '@']).next()?;
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (owner, model) = (parts.next()?, parts.next()?);
    format!("pkg:huggingface/{owner}/{model}").parse().ok()
}

/// The releases, the newest first, and whether there are more.
fn find(log: &RunningLog, wanted: &Wanted, size: u64) -> Result<(Vec<Line>, bool), StoryError> {
    let ask = |key: LookupKey<'_>| log.lookup.positions(key, 0);
    let mut positions = match wanted {
        Wanted::Publisher(publishers, _) => {
            let mut found = Vec::new();
            for publisher in publishers {
                found.extend(ask(LookupKey::Publisher(&publisher.to_string()))?);
            }
            found
        }
        Wanted::Digest(digest) => {
            let mut found = ask(LookupKey::File(digest))?;
            found.extend(positions::listed(log, &[Subject::digest(digest)], 0)?);
            found
        }
        Wanted::GitBlob(id) => ask(LookupKey::GitBlob(id))?,
        Wanted::Purl(purl) => ask(LookupKey::Purl(&purl.to_string()))?,
        Wanted::Coordinate(_) | Wanted::Nothing => Vec::new(),
    };
    positions.retain(|position| *position < size);
    positions.sort_unstable();
    positions.dedup();
    let mut is_cut = positions.len() > READ_FOR_A_PAGE;
    positions.drain(..positions.len().saturating_sub(READ_FOR_A_PAGE));
    let mut seen = BTreeSet::new();
    let mut names: Vec<Coordinate> = Vec::new();
    for (_, statement) in statements(log, &positions, size)?.into_iter().rev() {
        // An amendment is found by the package URL that it gives its release.
        let coordinate = match (statement.statement(), wanted) {
            (Statement::Release(release), _) => release.coordinate(),
            (Statement::Amend(amend), Wanted::Purl(_)) => amend.release.coordinate.clone(),
            _ => continue,
        };
        let text = coordinate.to_string();
        let fits = match wanted {
            Wanted::Publisher(_, beginning) => begins(&text, beginning),
            _ => true,
        };
        if fits && seen.insert(text) {
            names.push(coordinate);
        }
    }
    is_cut |= names.len() > SHOWN;
    let lines = names.iter().take(SHOWN).map(|name| line(log, name, size)).collect::<Result<_, _>>()?;
    Ok((lines, is_cut))
}

/// Whether a coordinate begins with these parts, whole.
fn begins(coordinate: &str, beginning: &str) -> bool {
    let rest = coordinate.strip_prefix(beginning.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '@', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_told_apart() {
        let digest = "ab".repeat(32);
        for (asked, expected) in [
            ("", "Nothing"),
            ("<script>", "Nothing"),
            ("pkg:", "Nothing"),
            ("acme.example", "Publisher"),
            (" acme.example/tiny ", "Publisher"),
            ("acme.example/tiny@1.0", "Publisher"),
            ("huggingface.co/acme", "Publisher"),
            ("acme.example/tiny@1.0#base", "Coordinate"),
            ("pkg:huggingface/acme/tiny", "Purl"),
            ("https://huggingface.co/acme/tiny", "Purl"),
            ("https://hf.co/acme/tiny/tree/main?x=1", "Purl"),
            ("hf://acme/tiny@main", "Purl"),
            ("https://huggingface.co/acme", "Nothing"),
            ("https://other.example/acme/tiny", "Nothing"),
            ("tiny", "Nothing"),
            (&digest, "Digest"),
            (&digest.to_uppercase(), "Digest"),
            (&format!("sha256:{digest}"), "Digest"),
            (&digest[..40], "GitBlob"),
        ] {
            let found = format!("{:?}", Wanted::of(asked));
            assert!(found.starts_with(expected), "{asked}: {found}");
        }
        assert!(begins("acme.example/tiny@1.0#base", "acme.example/tiny"));
        assert!(begins("acme.example/tiny@1.0#base", "acme.example/"));
        assert!(!begins("acme.example/tiny2@1.0#base", "acme.example/tiny"));
        assert!(!begins("acme.example.org/tiny@1.0#base", "acme.example"));
    }
}
