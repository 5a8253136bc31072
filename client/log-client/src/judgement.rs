//! The decision about a release: what keeps it from being used as it lies here, the worst first, and one word for it.

use std::str::FromStr;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::Digest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{Incident, IncidentStatus, Prose, Severity};
use stele_spec::status::{History, State, What};
use stele_spec::verify::{Allow, FolderReport};

/// What the caller accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// A part of the files.
    pub partial: bool,
    /// What became of the release.
    pub states: Vec<AcceptedState>,
    /// The record alone, without a look at any file.
    pub record_alone: bool,
}

/// What became of a release that a caller of `stele verify` goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedState {
    /// It was withdrawn, or has critical incidents.
    Withdrawn,
    /// It has critical incidents: anybody's, or those that one name reports.
    Incident(Option<Publisher>),
}

impl FromStr for AcceptedState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("incident:")) {
            ("withdrawn", _) => Ok(Self::Withdrawn),
            ("incident", _) => Ok(Self::Incident(None)),
            (_, Some(name)) => match name.parse() {
                Ok(name) => Ok(Self::Incident(Some(name))),
                Err(error) => Err(format!("incident:NAME: {error}")),
            },
            _ => Err("expected withdrawn, incident or incident:NAME".to_owned()),
        }
    }
}

/// The verdict in a word. Each but the first two is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// All that was asked for is here, matches, and lies alone.
    Verified,
    /// The evidence holds, and no file was looked at.
    RecordOnly,
    /// Other bytes.
    Differs,
    /// A file that cannot be compared.
    Unusable,
    /// The log holds what cannot both be.
    Conflicting,
    /// Taken back, or with a critical incident.
    Withdrawn,
    /// Files are missing.
    Incomplete,
    /// Files that a loader may take are not in the record.
    Unrecorded,
    /// The log was asked and did not prove that its answer is complete.
    Unproven,
    /// The log was to be asked and did not answer.
    Unanswered,
}

/// What was found to be wrong, and what of it the caller accepts.
#[derive(Debug)]
pub struct Judgement {
    /// The word.
    pub word: Word,
    /// The errors, the worst first.
    pub problems: Vec<Failure>,
    /// The word for each of them.
    words: Vec<Word>,
    /// The codes of what the caller accepts.
    pub accepted: Vec<&'static str>,
    /// The entry of the newest critical incident that is not accepted.
    pub critical: Option<u64>,
}

impl Judgement {
    /// Judges. `unanswered` is why the log that was to be asked gave no answer, or none that is proven.
    pub fn of(
        comparison: Option<&FolderReport>,
        history: &History,
        accepts: Accepted,
        unanswered: Option<Failure>,
    ) -> Self {
        let (mut found, mut accepted) = (Vec::new(), Vec::new());
        if let Some(comparison) = comparison {
            found.extend(comparison.problems(Allow::default().missing(accepts.partial)).into_iter().map(Failure::from));
            if !comparison.missing.is_empty() && comparison.problems(Allow::default()).len() > found.len() {
                accepted.push("incomplete");
            }
            if comparison.extra.iter().any(|extra| extra.is_allowed) {
                accepted.push("unrecorded");
            }
        }
        if comparison.is_none() && !accepts.record_alone {
            found.push(Failure::from(NoFileRead));
        }
        found.extend(ReleaseConflict::of(history).map(Failure::from));
        let is_accepted = |error: &WithdrawnError| accepts.states.iter().any(|state| error.is_accepted_by(state));
        let (taken, withdrawn): (Vec<_>, Vec<_>) = WithdrawnError::all(history).into_iter().partition(is_accepted);
        for code in taken.iter().map(Explain::code) {
            if !accepted.contains(&code) {
                accepted.push(code);
            }
        }
        let critical = withdrawn.iter().filter_map(WithdrawnError::incident_entry).max();
        found.extend(withdrawn.into_iter().map(Failure::from));
        let words = found.into_iter().map(|failure| (word_of(failure.as_explain().exit()), failure));
        let mut words: Vec<(Word, Failure)> = words.collect();
        words.extend(unanswered.map(|failure| match failure.as_explain().exit() {
            Exit::NotComplete => (Word::Unproven, failure),
            _ => (Word::Unanswered, failure),
        }));
        words.sort_by_key(|(word, _)| *word as u8);
        let clean = if comparison.is_some() { Word::Verified } else { Word::RecordOnly };
        let word = words.first().map_or(clean, |(word, _)| *word);
        let (words, problems) = words.into_iter().unzip();
        Self { word, problems, words, accepted, critical }
    }

    /// Whether a kind of problem was found beside the one that gives the word.
    pub fn has(&self, word: Word) -> bool {
        self.words.contains(&word)
    }
}

fn word_of(exit: Exit) -> Word {
    match exit {
        Exit::BytesDiffer => Word::Differs,
        Exit::Conflicting => Word::Conflicting,
        Exit::Withdrawn => Word::Withdrawn,
        Exit::Incomplete => Word::Incomplete,
        Exit::Unrecorded => Word::Unrecorded,
        _ => Word::Unusable,
    }
}

impl Word {
    /// For a script.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::RecordOnly => "record-only",
            Self::Differs => "differs",
            Self::Unusable => "unusable",
            Self::Conflicting => "conflicting",
            Self::Withdrawn => "withdrawn",
            Self::Incomplete => "incomplete",
            Self::Unrecorded => "unrecorded",
            Self::Unproven => "unproven",
            Self::Unanswered => "unanswered",
        }
    }
}

/// The path is that of the evidence, so that nothing of the release was read. A script that takes 0 for "these files" must not see 0.
#[derive(Debug, thiserror::Error)]
#[error("no file of the release was read: the path is that of its evidence, not of a folder or a file of the release")]
pub struct NoFileRead;

impl Explain for NoFileRead {
    explain! {
        Self { .. } => Exit::Incomplete, "record-only",
            hint: "name the folder or the file that is to be verified; --no-hash accepts the record alone";
    }
}

/// What a second release entry of one coordinate is.
pub fn conflict(weights: Option<&Digest>) -> String {
    match weights {
        Some(weights) => format!("another release, or other weights ({weights}), which no honest log holds"),
        None => "another release entry, which no honest log holds".to_owned(),
    }
}

/// Who reports an incident of a release: anybody may, and anyone who is not its publisher is called a stranger to it.
pub fn reporter(by: &Publisher, coordinate: &Coordinate) -> String {
    if *by == coordinate.publisher {
        format!("{by}, its publisher")
    } else {
        format!("{by} (a stranger to this release)")
    }
}

/// Statements of one release that cannot both be.
#[derive(Debug, thiserror::Error)]
#[error("the log contradicts itself about {coordinate}")]
pub struct ReleaseConflict {
    coordinate: Coordinate,
    /// The entries, and what each is.
    found: Vec<String>,
}

impl ReleaseConflict {
    /// What is known of this kind.
    fn of(history: &History) -> Option<Self> {
        if history.state() != State::Conflicting {
            return None;
        }
        let found = history.events().iter().filter_map(|event| match &event.what {
            What::Conflict { weights } => Some(format!("entry {}: {}", event.position, conflict(weights.as_ref()))),
            _ => None,
        });
        Some(Self { coordinate: history.coordinate().clone(), found: found.collect() })
    }
}

impl Explain for ReleaseConflict {
    explain! {
        Self { found, .. } => Exit::Conflicting, "release-conflict",
            hint: "do not use it: the log, or whoever holds its keys, lied. `stele audit` writes the evidence: send it to the witnesses; `stele history` lists the entries",
            facts: found.iter().map(|found| ("found", found.clone())).collect();
    }
}

/// Why a release whose bytes are right should not be used.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawnError {
    /// Its publisher took it back.
    #[error("{coordinate} was withdrawn by its publisher on {when}")]
    Withdrawn {
        /// Which.
        coordinate: Coordinate,
        /// The statement.
        entry: u64,
        /// The day.
        when: String,
        /// Why.
        reason: Prose,
        /// What replaces it.
        instead: Option<Coordinate>,
    },
    /// Somebody reports a critical incident, and it is not over.
    #[error("{} reports a critical incident of {coordinate}: {id}", reporter(.by, .coordinate))]
    Critical {
        /// Which.
        coordinate: Coordinate,
        /// The statement.
        entry: u64,
        /// The incident.
        id: String,
        /// Who reports it.
        by: Publisher,
        /// What happened.
        summary: String,
    },
}

impl WithdrawnError {
    /// What is known of this kind.
    pub fn all(history: &History) -> Vec<Self> {
        let coordinate = || history.coordinate().clone();
        let withdrawn = history.withdrawal().map(|(entry, withdraw)| Self::Withdrawn {
            coordinate: coordinate(),
            entry,
            when: withdraw.issued_at.date().to_string(),
            reason: withdraw.reason.clone(),
            instead: history.superseded_by().map(|(_, by)| by.coordinate.clone()),
        });
        let open = history.open_incidents().into_iter().filter(|(_, incident)| Self::is_critical(incident));
        let incidents = open.map(|(entry, incident)| Self::Critical {
            coordinate: coordinate(),
            entry,
            id: incident.id.to_string(),
            by: incident.publisher.name.clone(),
            summary: incident.summary.to_string(),
        });
        withdrawn.into_iter().chain(incidents).collect()
    }

    /// Whether an incident keeps a script from going on.
    pub fn is_critical(incident: &Incident) -> bool {
        incident.severity == Severity::Critical && incident.status == IncidentStatus::Open
    }

    /// Whether who accepts that state accepts this.
    pub fn is_accepted_by(&self, state: &AcceptedState) -> bool {
        match (self, state) {
            (_, AcceptedState::Withdrawn) | (Self::Critical { .. }, AcceptedState::Incident(None)) => true,
            (Self::Critical { by, .. }, AcceptedState::Incident(Some(reporter))) => by == reporter,
            (Self::Withdrawn { .. }, AcceptedState::Incident(_)) => false,
        }
    }

    fn incident_entry(&self) -> Option<u64> {
        match self {
            Self::Critical { entry, .. } => Some(*entry),
            Self::Withdrawn { .. } => None,
        }
    }
}

impl Explain for WithdrawnError {
    explain! {
        Self::Withdrawn { entry, reason, instead, .. } => Exit::Withdrawn, "withdrawn",
            hint: format!(
                "{}; `stele history` has all that was said; --accept withdrawn lets a script go on",
                instead.as_ref().map_or_else(|| "do not use it".to_owned(), |instead| format!("use {instead} instead"))
            ),
            "found": format!("entry {entry}: {}", reason.to_string().replace('\n', " "));
        Self::Critical { entry, by, summary, .. } => Exit::Withdrawn, "critical-incident",
            hint: format!(
                "do not use it before you know what that means for you; `stele history` has all that was said; \
                 --accept incident:{by} lets a script go on"
            ),
            "found": format!("entry {entry}: {}", summary.replace('\n', " "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::manifest::FilePath;
    use stele_spec::verify::{Cause, Content, Difference, Extra, Unusable};

    fn unknown() -> History {
        History::fold(&"acme.example/tiny@1.0.0#base".parse().unwrap(), [])
    }

    fn path(name: &str) -> FilePath {
        name.parse().unwrap()
    }

    fn comparison(counts: [usize; 6]) -> FolderReport {
        let [matching, missing, differing, unusable, loaded, allowed] = counts;
        let names = |what: &str, count: usize| (0..count).map(|n| path(&format!("{what}-{n}"))).collect::<Vec<_>>();
        let content = Content { size: 1, sha256: Digest::of(b"x") };
        let extra =
            |role, is_allowed| move |path: FilePath| Extra { path: path.to_string(), what: None, role, is_allowed };
        let extras = names("loaded", loaded).into_iter().map(extra(Some("code"), false));
        let extras = extras.chain(names("allowed", allowed).into_iter().map(extra(Some("code"), true)));
        let differ = |path| Difference {
            path,
            expected: content,
            size: 2,
            sha256: None,
            cause: Cause::Unknown,
            damaged: Vec::new(),
        };
        let odd = |path: FilePath| Unusable { path: path.to_string(), why: "a pipe".into(), is_io: false };
        let mut report = FolderReport::default();
        report.of = matching + missing + differing + unusable;
        report.matching = names("same", matching);
        report.missing = names("missing", missing);
        report.differing = names("other", differing).into_iter().map(differ).collect();
        report.unusable = names("odd", unusable).into_iter().map(odd).collect();
        report.extra = extras.chain(names("notes", 2).into_iter().map(extra(None, false))).collect();
        report
    }

    proptest! {
        #[test]
        fn nothing_missing_differing_or_extra_passes_that_is_not_accepted(
            counts in prop::array::uniform6(0usize..3),
            partial in any::<bool>(),
        ) {
            let [matching, missing, differing, unusable, loaded, _] = counts;
            let accepts = Accepted { partial, ..Accepted::default() };
            let judged = Judgement::of(Some(&comparison(counts)), &unknown(), accepts, None);
            let is_accepted = missing == 0 || partial && matching > 0;
            let passes = differing == 0 && unusable == 0 && loaded == 0 && is_accepted;
            prop_assert_eq!(judged.problems.is_empty(), passes);
            prop_assert_eq!(judged.word == Word::Verified, passes);
            // The worst gives the exit code, and each kind is told.
            let expected = [
                (differing > 0, Exit::BytesDiffer),
                (unusable > 0, Exit::BadInput),
                (!is_accepted, Exit::Incomplete),
                (loaded > 0, Exit::Unrecorded),
            ];
            let expected: Vec<Exit> = expected.into_iter().filter_map(|(is, exit)| is.then_some(exit)).collect();
            let found: Vec<Exit> = judged.problems.iter().map(|failure| failure.as_explain().exit()).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(judged.accepted.contains(&"incomplete"), missing > 0 && is_accepted);
        }
    }
}
