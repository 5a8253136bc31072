//! The verdict in one sentence, for a person who knows none of our words, and the few lines below it.

use stele_explain::printable::printable;
use stele_spec::policy::Policy;
use stele_spec::statement::Incident;
use stele_spec::verify::{Cause, Difference, FolderReport, Scope, WeightsState, count, names};
use stele_verify::VerifiedRelease;

use crate::age::{self, CheckpointAge};
use crate::judgement::{Judgement, WithdrawnError, Word, reporter};
use crate::lineage::{Lineage, Node};
use crate::moment::moment;
use crate::release_status::{ReleaseStatus, Source};
use crate::replacement::Replacement;

/// How many names stand in a sentence.
const NAMED: usize = 3;
/// The most characters of somebody's reason in the first line.
const REASON: usize = 160;

/// What the words are about.
#[derive(Debug, Clone, Copy)]
pub struct Headline<'a> {
    /// The release and its evidence.
    pub evidence: &'a VerifiedRelease,
    /// Whom the reader trusts.
    pub policy: &'a Policy,
    /// The files, where they were looked at.
    pub comparison: Option<&'a FolderReport>,
    /// What became of the release.
    pub release_status: &'a ReleaseStatus,
    /// What became of its ancestors.
    pub lineage: &'a Lineage,
    /// Other releases of the same weights that were taken back, in words, where the log was asked.
    pub recalled: &'a [String],
    /// What became of the release that replaces it, where that is known.
    pub replacement: Option<&'a Replacement>,
    /// Why the evidence came from the log and not from a file, to follow "since".
    pub from_log: Option<&'static str>,
    /// How the reader asks the log, to follow a statement that is as old as the evidence: `--online asks the log`.
    pub ask: &'static str,
    /// The reader's time, in Unix seconds.
    pub now: u64,
}

impl Headline<'_> {
    /// The first word, and the sentence that follows it.
    pub fn first_line(&self, judged: &Judgement) -> (String, String) {
        let coordinate = self.evidence.release().coordinate();
        let mut clauses = vec![main_clause(self, judged)];
        clauses.extend(other_clauses(self, judged));
        let between = if judged.word == Word::Withdrawn { " " } else { ": " };
        let text = one_line(&format!("{coordinate}{between}{}", clauses.join("; ")));
        let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
        let is_incident = judged.word == Word::Withdrawn && self.release_status.history.withdrawal().is_none();
        let word = if is_incident { "CRITICAL".to_owned() } else { shown(judged.word) };
        (word, format!("{text}{stop}"))
    }

    /// The licence as it stands, and as released where that is another; the access; when it was logged, and who saw it.
    pub fn released(&self) -> String {
        one_line(&released(self))
    }

    /// What became of it, and as of when that is known.
    pub fn since(&self) -> String {
        one_line(&since(self))
    }

    /// What was checked, and what was not.
    pub fn checked(&self) -> String {
        one_line(&checked(self, None))
    }

    /// The same of what is no folder: `files` says what was compared, and by what.
    pub fn checked_of(&self, files: &str) -> String {
        one_line(&checked(self, Some(files)))
    }

    /// The licence as it stands, and as released where it was changed since.
    pub fn licence(&self) -> String {
        licence(self)
    }
}

/// The word of a verdict: what must not be missed is in capitals.
fn shown(word: Word) -> String {
    match word {
        Word::Verified => "verified".to_owned(),
        Word::RecordOnly => "record only".to_owned(),
        word => word.as_str().to_uppercase(),
    }
}

fn main_clause(verdict: &Headline<'_>, judged: &Judgement) -> String {
    let publisher = &verdict.evidence.release().publisher.name;
    let Some(comparison) = verdict.comparison else {
        let record = "the release is proven, and no file was looked at";
        return match judged.word {
            Word::Withdrawn => format!("{}; {record}", withdrawn(verdict, judged)),
            Word::Conflicting => format!("{CONTRADICTS}; {record}"),
            Word::Unproven => format!("{record}; {NOT_PROVEN}"),
            Word::Unanswered => format!("{record}; {NOT_ANSWERED}"),
            _ => record.to_owned(),
        };
    };
    match judged.word {
        Word::Verified | Word::RecordOnly => {
            let (subject, is_one) = here(comparison);
            let (are, them) = if is_one { ("is", "it") } else { ("are", "them") };
            format!("{subject} {are} as {publisher} released {them}")
        }
        Word::Differs => {
            let files = &comparison.differing;
            let (are, them) = if files.len() == 1 { ("is", "it") } else { ("are", "them") };
            let first = files.first().map(|file| file.cause);
            let is_one_cause = files.iter().all(|file| Some(file.cause) == first);
            let what = |cause: Cause| cause.what().map(|what| format!(" ({what})")).unwrap_or_default();
            let each = |file: &Difference| match is_one_cause {
                true => file.path.to_string(),
                false => format!("{}{}", file.path, what(file.cause)),
            };
            let named = names(files.iter().map(each), files.len(), NAMED);
            let what = first.filter(|_| is_one_cause).map(what).unwrap_or_default();
            format!(
                "{} of {} {are} not what {publisher} released: {named}{what}; do not load {them}",
                files.len(),
                count(comparison.of, "file")
            )
        }
        Word::Unusable => {
            let files = &comparison.unusable;
            let named = names(files.iter().map(|odd| format!("{} ({})", odd.path, odd.why)), files.len(), NAMED);
            format!("{} cannot be verified: {named}", count(files.len(), "file"))
        }
        Word::Conflicting => format!("{CONTRADICTS}; {}", matching(comparison)),
        Word::Withdrawn => format!("{}; {}", withdrawn(verdict, judged), matching(comparison)),
        Word::Incomplete => format!("{}; {}", matching(comparison), missing(comparison)),
        Word::Unrecorded => format!("{}, and {}", matching(comparison), unrecorded(comparison)),
        Word::Unproven => format!("{}; {NOT_PROVEN}", matching(comparison)),
        Word::Unanswered => format!("{}; {NOT_ANSWERED}", matching(comparison)),
    }
}

const CONTRADICTS: &str = "the log contradicts itself about this release, as no honest log does: do not use it";
const NOT_PROVEN: &str = "the log does not prove that its answer is complete, and so a withdrawal may be left out: the rest is what is known \
     without it";
const NOT_ANSWERED: &str =
    "there was no answer of the log to rely on, and so a later withdrawal would not be known here";

/// What else must not be missed.
fn other_clauses(verdict: &Headline<'_>, judged: &Judgement) -> Vec<String> {
    let history = &verdict.release_status.history;
    let mut clauses = Vec::new();
    let is_other = |word| judged.word != word && judged.has(word);
    if let Some(comparison) = verdict.comparison {
        if is_other(Word::Unusable) {
            clauses.push(format!("{} cannot be verified", count(comparison.unusable.len(), "file")));
        }
        if is_other(Word::Incomplete) || judged.word == Word::Verified && !comparison.missing.is_empty() {
            clauses.push(missing(comparison));
        }
        if is_other(Word::Unrecorded) {
            clauses.push(unrecorded(comparison));
        }
        clauses.extend(accepted(comparison));
    }
    let is_withdrawn = history.withdrawal().is_some();
    if judged.word != Word::Withdrawn && !WithdrawnError::all(history).is_empty() {
        let it = if is_withdrawn { "WITHDRAWN" } else { "it" };
        clauses.push(format!("{it} {}", withdrawn(verdict, judged)));
    }
    if let Some((_, withdraw, moved)) = history.withdrawal_taken_back() {
        let (on, reason) = (withdraw.issued_at.date(), short(&withdraw.reason.to_string()));
        let again = moved.issued_at.date();
        clauses
            .push(format!("its publisher had WITHDRAWN it on {on} (\"{reason}\") and made it public again on {again}"));
    }
    if let Some((_, by)) = history.superseded_by() {
        let then = verdict.replacement.map(Replacement::text).unwrap_or_default();
        clauses.push(match is_withdrawn {
            true if verdict.replacement.is_some_and(|then| then.is_withdrawn) => {
                format!("its publisher named {} in its place{then}", by.coordinate)
            }
            true => format!("use {}{then}", by.coordinate),
            false => format!("its publisher has replaced it by {}{then}", by.coordinate),
        });
    } else if is_withdrawn {
        clauses.push("do not use it".to_owned());
    }
    // A critical one that gives the word is told already.
    let told = if is_withdrawn { None } else { critical(verdict, judged).map(|(position, _)| position) };
    let incidents: Vec<_> = history.incidents().into_iter().filter(|(at, _)| Some(*at) != told).collect();
    if let Some((_, first)) = incidents.last() {
        let (id, class, severity, status) = (&first.id, first.class, first.severity, first.status);
        let many = if incidents.len() > 1 { format!(", and {} more", incidents.len() - 1) } else { String::new() };
        let by = reporter(&first.publisher.name, history.coordinate());
        clauses.push(format!("incident {id} ({class}, {severity}, {status}) reported by {by}{many}"));
    }
    if is_other(Word::Conflicting) {
        clauses.push(CONTRADICTS.to_uppercase());
    }
    if is_other(Word::Unproven) {
        clauses.push(NOT_PROVEN.to_owned());
    }
    if is_other(Word::Unanswered) {
        clauses.push(NOT_ANSWERED.to_owned());
    }
    if let Some(revoked) = verdict.release_status.signer_revoked(verdict.evidence) {
        clauses.push(revoked.text());
    }
    let is_withdrawn = |release_status: &ReleaseStatus| release_status.history.withdrawal().is_some();
    let bases = verdict.lineage.nodes.iter().filter(|node| node.release_status().is_some_and(is_withdrawn));
    let bases: Vec<String> = bases.map(Node::name).collect();
    if !bases.is_empty() {
        let were = if bases.len() == 1 { "was" } else { "were" };
        clauses.push(format!("made of {}, which {were} WITHDRAWN", names(bases.iter(), bases.len(), NAMED)));
    }
    if !verdict.recalled.is_empty() {
        let named = names(verdict.recalled.iter(), verdict.recalled.len(), NAMED);
        clauses.push(format!("the same weights were released as {named}"));
    }
    let harmed = verdict.lineage.nodes.iter().filter_map(|node| {
        let history = node.release_status().filter(|known| !is_withdrawn(known)).map(|known| &known.history)?;
        let mut open = history.open_incidents().into_iter();
        let (_, incident) = open.find(|(_, incident)| WithdrawnError::is_critical(incident))?;
        let by = reporter(&incident.publisher.name, history.coordinate());
        Some(format!(
            "{}, which has a CRITICAL incident, {} ({}), reported by {by}",
            node.name(),
            incident.id,
            incident.class
        ))
    });
    let harmed: Vec<String> = harmed.collect();
    if !harmed.is_empty() {
        clauses.push(format!("made of {}", names(harmed.iter(), harmed.len(), NAMED)));
    }
    clauses
}

/// `all 9 files`, and whether that is one.
fn here(comparison: &FolderReport) -> (String, bool) {
    let matching = comparison.matching.len();
    match &comparison.scope {
        Scope::File => (comparison.matching.first().map_or("this file".to_owned(), ToString::to_string), true),
        scope => {
            let of = match scope {
                Scope::Part(folder) => format!(" of {folder}/"),
                _ => String::new(),
            };
            match matching == comparison.of {
                true if matching == 1 => (format!("the one file{of}"), true),
                true => (format!("all {matching} files{of}"), false),
                false => (format!("{matching} of {}{of}", count(comparison.of, "file")), false),
            }
        }
    }
}

fn matching(comparison: &FolderReport) -> String {
    if comparison.differing.len() + comparison.unusable.len() > 0 && comparison.matching.is_empty() {
        return "no file matches".to_owned();
    }
    if comparison.matching.is_empty() {
        return format!("none of its {} is here", count(comparison.of, "file"));
    }
    let (subject, is_one) = here(comparison);
    format!("{subject} match{}", if is_one { "es" } else { "" })
}

fn missing(comparison: &FolderReport) -> String {
    let weights = comparison.weights;
    let missing = comparison.missing.len();
    let are = if missing == 1 { "is" } else { "are" };
    let which = match (weights.state, weights.here) {
        // In a part of a release the weights of the others are not asked for.
        _ if comparison.scope != Scope::Whole => String::new(),
        (WeightsState::NotHere, 0) => ", all weights among them".to_owned(),
        (WeightsState::NotHere, here) => format!(", {} of the weights among them", count(weights.of - here, "file")),
        (WeightsState::Match, _) => ", no weights among them".to_owned(),
        (WeightsState::Differ, _) => String::new(),
    };
    let dangling = match comparison.dangling {
        0 => String::new(),
        some => format!(" ({some} because what their links lead to is not here)"),
    };
    format!("{missing} {are} missing{which}{dangling}")
}

fn unrecorded(comparison: &FolderReport) -> String {
    let extra = comparison.unrecorded();
    let are = if extra.len() == 1 { "is" } else { "are" };
    let named = names(extra.iter().map(|extra| extra.path.as_str()), extra.len(), NAMED);
    format!("{} here that a loader may take {are} not in the record: {named}", count(extra.len(), "file"))
}

/// What a loader may take that no record has, and that the reader accepts.
fn accepted(comparison: &FolderReport) -> Option<String> {
    let all: Vec<&str> = comparison
        .extra
        .iter()
        .filter(|extra| extra.is_allowed && extra.role.is_some())
        .map(|extra| extra.path.as_str())
        .collect();
    let are = if all.len() == 1 { "is" } else { "are" };
    let more =
        || format!("{} more that a loader may take {are} accepted: {}", all.len(), names(all.iter(), all.len(), NAMED));
    (!all.is_empty()).then(more)
}

/// `by its publisher on 2026-11-27: "Missed evaluation."`, or the critical incident.
fn withdrawn(verdict: &Headline<'_>, judged: &Judgement) -> String {
    let history = &verdict.release_status.history;
    if let Some((_, withdraw)) = history.withdrawal() {
        return format!(
            "by its publisher on {}: \"{}\"",
            withdraw.issued_at.date(),
            short(&withdraw.reason.to_string())
        );
    }
    let Some((_, incident)) = critical(verdict, judged) else { return String::new() };
    format!(
        "has a critical incident, {} ({}), reported by {} on {}: \"{}\"",
        incident.id,
        incident.class,
        reporter(&incident.publisher.name, history.coordinate()),
        incident.issued_at.date(),
        short(&incident.summary.to_string())
    )
}

/// The newest open critical incident, one that is not accepted first.
fn critical<'a>(verdict: &Headline<'a>, judged: &Judgement) -> Option<(u64, &'a Incident)> {
    let open = verdict.release_status.history.open_incidents();
    let critical = open.into_iter().filter(|(_, incident)| WithdrawnError::is_critical(incident));
    critical.max_by_key(|(position, _)| (Some(*position) == judged.critical, *position))
}

/// The licence as it stands, and as released where that is another; the access; when it was logged, and who saw it.
fn released(verdict: &Headline<'_>) -> String {
    let release = verdict.evidence.release();
    let current = verdict.release_status.history.current().unwrap_or(release);
    let head = verdict.evidence.checkpoint().trusted();
    let by = verdict.evidence.checkpoint().trusted().time().map(|time| moment(time.seconds()));
    let by = by.map(|time| format!(" by {}", time.split('T').next().unwrap_or_default())).unwrap_or_default();
    format!(
        "licence {}; access {}{}; logged{by} as entry {} of {}, seen by {} of {}",
        licence(verdict),
        current.access.stage,
        if verdict.release_status.history.withdrawal().is_some() { " before it was withdrawn" } else { "" },
        verdict.evidence.statement().position(),
        head.value().origin(),
        head.cosigned().len(),
        plural(verdict.policy.witnesses().len(), "witness", "witnesses"),
    )
}

/// The licence as it stands, and as released where it was changed since.
fn licence(verdict: &Headline<'_>) -> String {
    let release = verdict.evidence.release();
    let current = verdict.release_status.history.current().unwrap_or(release);
    let restricted = |restricts: bool| if restricts { ", restricts use" } else { "" };
    let now = format!("{}{}", current.license.spdx, restricted(current.license.use_restricted));
    let before = format!("{}{}", release.license.spdx, restricted(release.license.use_restricted));
    match now == before {
        true => now,
        false => format!("{now}, changed from {before}, which copies from before keep"),
    }
}

/// What became of it, and as of when that is known.
fn since(verdict: &Headline<'_>) -> String {
    let release_status = verdict.release_status;
    let as_of = CheckpointAge::of(&release_status.head, verdict.now).text();
    let state = release_status.history.state();
    let own = release_status.own_since().map(|entry| format!(", and of entry {entry}, known here since"));
    let own = own.unwrap_or_default();
    let unproven = if release_status.is_complete() { "" } else { "; not proven complete" };
    match release_status.source {
        Source::Bundle => match verdict.evidence.completeness().record() {
            Some(record) => format!(
                "{state}, {}, as of {as_of}{own}: {} up to there; what others say of it, and what came later, is not known here ({})",
                age::completeness_of(verdict.evidence),
                match record.said().is_empty() && record.uncounted().is_empty() {
                    true => "its publisher said nothing else of it",
                    false => "this is all that its publisher said of it",
                },
                verdict.ask
            ),
            None => format!(
                "as of {as_of}; no word about completeness: what was said later, a withdrawal for example, is not known here ({})",
                verdict.ask
            ),
        },
        Source::Kept => {
            format!("{state}, as of {as_of}, when the log was last asked{unproven}{own} (--online asks again)")
        }
        Source::Log => format!("{state}, as of {as_of}, asked now{unproven}"),
    }
}

fn checked(verdict: &Headline<'_>, files: Option<&str>) -> String {
    let evidence = match verdict.from_log {
        Some(since) => {
            format!("evidence from the log, since {since} (`stele fetch` keeps it): signature, log and witnesses")
        }
        None => "signature, log and witnesses".to_owned(),
    };
    let said = "not checked: whether what the publisher says of it is true";
    let Some(comparison) = verdict.comparison else { return format!("{evidence}; not checked: the files") };
    if let Some(files) = files {
        return format!("{evidence}; {files}; {said}");
    }
    let files = count(comparison.matching.len(), "file");
    let lies_alone = match comparison.scope {
        Scope::File => "; not checked: what lies beside it",
        Scope::Whole | Scope::Part(_) => ", and what lies beside them",
    };
    format!("{evidence}, {files} by SHA-256 ({} bytes){lies_alone}; {said}", comparison.bytes)
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn short(text: &str) -> String {
    match text.char_indices().nth(REASON) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// What comes from outside stays on its line.
fn one_line(text: &str) -> String {
    printable(&text.replace(['\n', '\r'], " ")).into_owned()
}
