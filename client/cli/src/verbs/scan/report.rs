//! What was found, for a person on one page and for a script.

use std::path::PathBuf;

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_explain::secrets::without_secrets;
use stele_log_client::age;
use stele_log_client::log_view::LogView;
use stele_log_client::statements::StatementSource as _;
use stele_spec::verify::count;
use stele_verify::folder::digest_cache::CacheUsed;

use super::duplicates::{self, Duplicate};
use super::lock_file::Mismatch;
use super::row::{Judged, Row, Verdict};
use crate::digest_cache;
use crate::installed::Note;
use crate::render::page::Page;

/// How many things of a kind a person is shown; `--json` has more.
const LISTED: usize = 100;
/// How many duplicates and notes a person is shown.
const FEW: usize = 10;
/// How many things of a kind are in `--json`.
const LISTED_JSON: usize = 10_000;

/// Whether a log was asked.
pub(super) enum Asked<'a> {
    /// None was.
    NoLog,
    /// These were.
    Logs(Vec<&'a LogView<'a>>),
    /// One was to be asked, and did not answer, or not to the end.
    Failed(Failure),
}

impl Asked<'_> {
    pub(super) fn into_failure(self) -> Option<Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::NoLog | Self::Logs(_) => None,
        }
    }
}

/// Everything that is told.
pub(super) struct Report<'a> {
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<Note>,
    pub(super) asked: Asked<'a>,
    pub(super) mismatch: Option<Mismatch>,
    pub(super) used: CacheUsed,
    pub(super) now: u64,
    /// The lock file that was written.
    pub(super) wrote: Option<PathBuf>,
}

impl Report<'_> {
    pub(super) fn text(&self) -> String {
        let mut page = Page::titled(&self.title());
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.rank());
        if !rows.is_empty() {
            page.blank();
        }
        for row in rows.iter().take(LISTED) {
            let (word, sentence) = self.told(row);
            page.row(&word, &one_line(&format!("{}: {sentence}", row.place)));
            for note in row.notes.iter().take(FEW) {
                page.row("", &one_line(&format!("  {note}")));
            }
        }
        more(&mut page, rows.len(), LISTED);
        let duplicates = duplicates::of(&self.rows);
        if !duplicates.is_empty() {
            let wasted: u64 = duplicates.iter().map(Duplicate::wasted).fold(0, u64::saturating_add);
            page.section(&format!("here more than once: {wasted} bytes could be freed"));
            for found in duplicates.iter().take(FEW) {
                let (first, rest) = found.paths.split_first().map_or((String::new(), 0), |(first, rest)| {
                    (one_line(&first.display().to_string()).into_owned(), rest.len())
                });
                page.row(&format!("{} bytes", found.size), &format!("{} times: {first}, and {rest} more", rest + 1));
            }
            more(&mut page, duplicates.len(), FEW);
        }
        if !self.notes.is_empty() {
            page.section("no model, and why");
            for note in self.notes.iter().take(FEW) {
                let path = note.path.display().to_string();
                page.row("", &one_line(&format!("{path}: {}", note.problem)));
            }
            more(&mut page, self.notes.len(), FEW);
        }
        page.section("as of");
        self.as_of().iter().for_each(|line| page.row("log", line));
        if self.used.files > 0 {
            let files = count(usize::try_from(self.used.files).unwrap_or(usize::MAX), "file");
            page.row(
                "hashed before",
                &format!("{files} ({} bytes), unchanged since; --rehash hashes all", self.used.bytes),
            );
        }
        if let Some(path) = &self.wrote {
            page.row("wrote", &one_line(&path.display().to_string()));
        }
        page.0
    }

    fn title(&self) -> String {
        if self.rows.is_empty() {
            return "no model where programs keep them on this machine; --also DIR looks elsewhere".to_owned();
        }
        let mut title = format!("{} on this machine", count(self.rows.len(), "model"));
        let mut counted: Vec<(u8, &str, usize)> = Vec::new();
        for row in &self.rows {
            match counted.iter_mut().find(|(_, word, _)| *word == row.shown()) {
                Some((_, _, count)) => *count += 1,
                None => counted.push((row.rank(), row.shown(), 1)),
            }
        }
        counted.sort();
        let counted: Vec<String> =
            counted.iter().map(|(_, word, count)| format!("{count} {}", word.replace('-', " "))).collect();
        if !counted.is_empty() {
            title = format!("{title}: {}", counted.join(", "));
        }
        title
    }

    /// The first word of a row, and what follows the model's place.
    fn told(&self, row: &Row) -> (String, String) {
        match &row.verdict {
            Verdict::Judged(judged) => (judged.shown.clone(), judged.sentence.clone()),
            Verdict::NotReleased { is_proven, shared } => {
                let proof = match is_proven {
                    true => "that no release has its weights, its index proves",
                    false => "that no release has its weights is not proven",
                };
                let log = match &self.asked {
                    Asked::Logs(views) => views.iter().map(|view| origin(view)).collect::<Vec<_>>().join(" or "),
                    Asked::NoLog | Asked::Failed(_) => "the log".to_owned(),
                };
                let sentence = match shared {
                    None => format!(
                        "no release in {log} has a file of it; {proof}, and of single files the lookups are its word"
                    ),
                    Some(shared) => format!("no release in {log} has its weights; {proof}; {shared}"),
                };
                ("not released".to_owned(), sentence)
            }
            Verdict::NoRecord => ("no record".to_owned(), "no release.stele is here, and no log was asked".to_owned()),
            Verdict::Failed { message, .. } => ("NOT VERIFIED".to_owned(), message.clone()),
        }
    }

    fn as_of(&self) -> Vec<String> {
        match &self.asked {
            Asked::Logs(views) => {
                let url = |view: &LogView<'_>| without_secrets(view.url()).into_owned();
                views.iter().map(|view| age::asked_now(view.head(), self.now, &url(view))).collect()
            }
            Asked::NoLog => vec![
                "none was asked: what was said later of a release is known as far as this machine was told before"
                    .into(),
            ],
            Asked::Failed(failure) => {
                vec![format!("it did not answer, and the rest was looked at without it: {}", failure.as_explain())]
            }
        }
    }

    pub(super) fn json(&self) -> Value {
        let duplicates = duplicates::of(&self.rows);
        let wasted: u64 = duplicates.iter().map(Duplicate::wasted).fold(0, u64::saturating_add);
        let duplicates = duplicates.iter().take(LISTED_JSON).map(|found| {
            json!({
                "sha256": found.sha256,
                "bytes": found.size,
                "wasted": found.wasted(),
                "paths": found.paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            })
        });
        let notes = self.notes.iter().take(LISTED_JSON);
        let notes = notes.map(|note| json!({ "path": note.path.to_string_lossy(), "problem": note.problem }));
        let views: &[&LogView<'_>] = if let Asked::Logs(views) = &self.asked { views } else { &[] };
        let one = if let [view] = views { Some(*view) } else { None };
        json!({
            "models": self.rows.iter().take(LISTED_JSON).map(|row| self.row_json(row)).collect::<Vec<_>>(),
            "models_count": self.rows.len(),
            "verified": self.rows.iter().filter(|row| row.is_verified()).count(),
            "duplicates": duplicates.collect::<Vec<_>>(),
            "wasted_bytes": wasted,
            "notes": notes.collect::<Vec<_>>(),
            "notes_count": self.notes.len(),
            "asked": match &self.asked {
                Asked::Logs(_) => "log",
                Asked::NoLog => "none",
                Asked::Failed(_) => "unanswered",
            },
            "log": one.map(origin),
            "as_of": one.map(|view| age::head_json(view.head(), self.now)),
            "logs": views.iter().map(|view| json!({ "log": origin(view), "as_of": age::head_json(view.head(), self.now) })).collect::<Vec<_>>(),
            "cached": digest_cache::json(&self.used),
            "locked": self.mismatch.as_ref().map(|mismatch| json!({
                "differing": mismatch.differing.iter().map(|(place, expected, found)| json!({
                    "place": place, "expected": expected, "found": found,
                })).collect::<Vec<_>>(),
                "missing": mismatch.missing,
                "new": mismatch.new,
            })),
            "wrote": self.wrote.as_ref().map(|path| path.to_string_lossy()),
        })
    }

    fn row_json(&self, row: &Row) -> Value {
        let judged: Option<&Judged> = match &row.verdict {
            Verdict::Judged(judged) => Some(judged),
            _ => None,
        };
        let (_, sentence) = self.told(row);
        let problems: Vec<&str> = match &row.verdict {
            Verdict::Judged(judged) => judged.problems.clone(),
            Verdict::Failed { code, .. } => vec![*code],
            Verdict::NotReleased { .. } | Verdict::NoRecord => Vec::new(),
        };
        json!({
            "place": row.place,
            "path": row.path.to_string_lossy(),
            "verdict": row.word(),
            "headline": sentence,
            "problems": problems,
            "notes": row.notes,
            "coordinate": judged.map(|judged| &judged.release.coordinate),
            "log": judged.map(|judged| &judged.release.log),
            "entry": judged.map(|judged| judged.release.entry),
            "manifest": judged.map(|judged| judged.release.manifest),
            "state": judged.map(|judged| judged.state.as_str()),
            "open_incidents": judged.map(|judged| judged.incidents),
            "weights": row.weights,
            "absence_proven": match &row.verdict {
                Verdict::NotReleased { is_proven, .. } => Some(*is_proven),
                _ => None,
            },
        })
    }
}

fn origin(view: &LogView<'_>) -> String {
    view.head().checkpoint().origin().to_string()
}

fn more(page: &mut Page, all: usize, listed: usize) {
    if all > listed {
        page.row("", &format!("and {} more: --json has them", all - listed));
    }
}
